//! Downloads checkpoints, only when asked: by Hugging Face id or by address, resumed where it was cut, checked by hash.
//!
//! Nothing else in the program opens a connection, and `client.rs` is the one file here that does.

mod client;
mod download;
mod error;
mod hub;
mod record;
mod redirect;
mod source;

use std::path::{Path, PathBuf};

pub use download::Advance;
pub use error::FetchError;
pub use record::FetchedFile;
pub use source::Source;

use client::Client;
use download::{Wanted, download};
use record::Record;

/// Largest weights file that is fetched.
pub const MAX_WEIGHTS: u64 = 20 << 30;

/// What a download left on the disk.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// What to open: a folder, or a single weights file.
    pub path: PathBuf,
    /// Every file, in the order in which they came.
    pub files: Vec<FetchedFile>,
    /// The hub's commit that all files belong to.
    pub commit: Option<String>,
    /// Whether all of it was there already.
    pub was_there: bool,
}

/// Fetches a checkpoint into `out`, or into the cache folder. `sha256` is what the caller knows of a single file (first
/// digits are enough). `go_on` hears how far it is, and ends the download by answering no; what has arrived stays, and
/// the next call goes on from there.
///
/// # Errors
/// One sentence: no connection, nothing under that name, no permission, too large, not what its checksum says.
pub fn fetch(
    source: &Source,
    out: Option<&Path>,
    sha256: Option<&str>,
    go_on: &mut dyn FnMut(&Advance<'_>) -> bool,
) -> Result<Fetched, FetchError> {
    let folder = match out {
        Some(out) => out.to_owned(),
        None => source.folder()?,
    };
    let mut record = Record::of(&folder, source);
    let path = source.opened(&folder);
    let was_there = record.complete;
    if !was_there {
        std::fs::create_dir_all(&folder).map_err(|e| FetchError::disk("make the folder", &folder, e))?;
        let client = Client::new();
        match source {
            Source::Hub { id, revision } => hub::fetch(&client, (id, revision), (&folder, &mut record), go_on)?,
            Source::Address(url) => {
                let sha256 = sha256.map(str::to_owned).or_else(|| source.published_sha256());
                let wanted = Wanted { url: url.clone(), path: &path, limit: MAX_WEIGHTS, sha256, token: None };
                record.files = vec![download(&client, &wanted, go_on)?.file];
            }
        }
        record.complete = true;
        record.write(&folder)?;
    }
    Ok(Fetched { path, files: record.files, commit: record.commit, was_there })
}

/// Where an earlier [`fetch`] put a checkpoint, for what names one (`hf:…` or an address).
///
/// # Errors
/// [`FetchError::NotFetched`], or a name that is no source.
pub fn find(name: &str) -> Result<PathBuf, FetchError> {
    let source: Source = name.parse()?;
    let folder = source.folder()?;
    if Record::of(&folder, &source).complete {
        return Ok(source.opened(&folder));
    }
    Err(FetchError::NotFetched { name: name.to_owned() })
}
