//! What can be fetched, and where in the cache it then lies.

use std::path::{Path, PathBuf};

use super::FetchError;
use super::redirect::is_safe;

/// A checkpoint somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `hf:OWNER/NAME[@REVISION]`: a model on the Hugging Face hub, by default of its branch `main`.
    Hub {
        /// `OWNER/NAME`.
        id: String,
        /// Branch, tag or commit.
        revision: String,
    },
    /// The address of one weights file.
    Address(String),
}

/// What a file may be called that comes from elsewhere.
fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && name.len() <= 120 && !name.starts_with('.') && name.chars().all(is_plain)
}

impl std::str::FromStr for Source {
    type Err = FetchError;

    fn from_str(name: &str) -> Result<Self, FetchError> {
        let wrong = || FetchError::Name { name: name.chars().take(200).collect() };
        if let Some(rest) = name.strip_prefix("hf:") {
            let (id, revision) = rest.split_once('@').unwrap_or((rest, "main"));
            let is_id = id.split('/').count() <= 2 && id.split('/').all(is_plain);
            let is_revision = revision.split('/').all(is_plain) && revision.len() <= 120;
            if is_id && is_revision {
                return Ok(Self::Hub { id: id.into(), revision: revision.into() });
            }
            return Err(wrong());
        }
        if !Self::is_named(name) || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(wrong());
        }
        if !is_safe(name) {
            return Err(FetchError::Insecure { url: name.into() });
        }
        let source = Self::Address(name.into());
        if source.file_name().is_none() { Err(wrong()) } else { Ok(source) }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hub { id, revision } if revision == "main" => write!(f, "hf:{id}"),
            Self::Hub { id, revision } => write!(f, "hf:{id}@{revision}"),
            Self::Address(url) => f.write_str(url),
        }
    }
}

impl Source {
    /// Whether a name means something to fetch rather than a path.
    pub fn is_named(name: &str) -> bool {
        ["hf:", "https://", "http://"].iter().any(|start| name.starts_with(start))
    }

    /// Where it lies in the cache folder: `$CLOVE_CACHE`, else the system's place for such things.
    pub(super) fn folder(&self) -> Result<PathBuf, FetchError> {
        let cache = cache_folder(&|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from));
        let cache = cache.ok_or_else(|| {
            let source = std::io::Error::other("neither CLOVE_CACHE nor HOME is set; choose a folder with --out");
            FetchError::disk("find the cache folder", Path::new("clove"), source)
        })?;
        Ok(match self {
            Self::Hub { id, revision } => cache.join("hub").join(format!("{id}@{revision}").replace('/', "--")),
            Self::Address(url) => {
                let (_, rest) = url.split_once("://").unwrap_or(("", url));
                // The folder of the address; a query is no part of a name.
                let folder = rest.split(['?', '#']).next().unwrap_or_default();
                let folder = folder.rsplit_once('/').map_or(folder, |(folder, _)| folder);
                let plain = folder.chars().map(|c| if is_plain(&format!("a{c}")) { c } else { '-' });
                let short: String = plain.collect::<Vec<_>>().into_iter().rev().take(100).rev().collect();
                cache.join("address").join(format!("{}-{short}", &digest(url)[..12]))
            }
        })
    }

    /// What to open in the folder that holds it.
    pub(super) fn opened(&self, folder: &Path) -> PathBuf {
        self.file_name().map_or_else(|| folder.to_owned(), |name| folder.join(name))
    }

    /// The name of the one file behind an address.
    fn file_name(&self) -> Option<&str> {
        let Self::Address(url) = self else { return None };
        let path = url.split(['?', '#']).next()?.split_once("://")?.1;
        path.rsplit_once('/').map(|(_, name)| name).filter(|name| is_plain(name))
    }

    /// First digits of the SHA-256 that an address tells by itself. OpenAI's hold it as a folder; open_clip's releases
    /// end in its first eight digits (`open_clip/pretrained.py`, `download_pretrained_from_url`).
    pub(super) fn published_sha256(&self) -> Option<String> {
        let Self::Address(url) = self else { return None };
        let is_hash = |part: &&str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_hexdigit());
        let whole = url.split('/').find(|part| is_hash(part, 64));
        let stem = self.file_name().and_then(|name| name.split('.').next());
        let short = stem.and_then(|stem| stem.rsplit('-').next()).filter(|part| is_hash(part, 8));
        whole.or(short.filter(|_| url.contains("/mlfoundations/"))).map(str::to_ascii_lowercase)
    }
}

fn cache_folder(variable: &dyn Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if let Some(own) = variable("CLOVE_CACHE") {
        return Some(own);
    }
    let home = || variable("HOME");
    let parent = if cfg!(target_os = "windows") {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache")))
    };
    parent.map(|parent| parent.join("clove"))
}

fn digest(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ids_or_addresses() {
        let hub = |id: &str, revision: &str| Source::Hub { id: id.into(), revision: revision.into() };
        let of = |name: &str| name.parse::<Source>();
        assert_eq!(of("hf:openai/clip-vit-base-patch32").unwrap(), hub("openai/clip-vit-base-patch32", "main"));
        assert_eq!(of("hf:gpt2@refs/pr/3").unwrap(), hub("gpt2", "refs/pr/3"));
        assert_eq!(of("hf:a/b@v1").unwrap().to_string(), "hf:a/b@v1");
        assert_eq!(of("hf:a/b@main").unwrap().to_string(), "hf:a/b");
        for name in [
            "hf:",
            "hf:../etc",
            "hf:a/b/c",
            "hf:a/..",
            "hf:a/b@",
            "hf:a/b@../x",
            "a/b",
            "ftp://a/b",
            "https://a",
            "https://a/",
            "https://a/..",
            "https://a/b c.pt",
        ] {
            assert!(matches!(of(name), Err(FetchError::Name { .. })), "{name}");
        }
        assert!(matches!(of("http://example.org/a.pt"), Err(FetchError::Insecure { .. })));
        assert!(of("http://127.0.0.1:8000/a.pt").is_ok());
    }

    #[test]
    fn addresses_tell_their_checksum_where_their_publishers_put_it() {
        let sha = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af";
        let of = |url: String| url.parse::<Source>().unwrap().published_sha256();
        assert_eq!(
            of(format!("https://openaipublic.azureedge.net/clip/models/{sha}/ViT-B-32.pt")).as_deref(),
            Some(sha)
        );
        let release = "https://github.com/mlfoundations/open_clip/releases/download/v0.2-weights/vit_b_32-laion2b_e16-af8dbd0c.pth";
        assert_eq!(of(release.into()).as_deref(), Some("af8dbd0c"));
        assert_eq!(of("https://example.org/some-model-deadbeef.pt".into()), None);
    }

    #[test]
    fn the_cache_lies_where_the_system_wants_it() {
        let only = |known: &'static str| move |name: &str| (name == known).then(|| PathBuf::from("/there"));
        assert_eq!(cache_folder(&only("CLOVE_CACHE")), Some("/there".into()));
        assert_eq!(cache_folder(&|_| None), None);
        if cfg!(target_os = "linux") {
            assert_eq!(cache_folder(&only("HOME")), Some("/there/.cache/clove".into()));
            assert_eq!(cache_folder(&only("XDG_CACHE_HOME")), Some("/there/clove".into()));
        }
    }
}
