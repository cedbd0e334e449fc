//! Following redirects by hand: what the hub's own answer says is kept, and a token goes to nobody else.

use super::FetchError;
use super::client::{Answer, Client};

/// Most redirects in a row.
const MAX_REDIRECTS: usize = 8;

/// What a hub says about a file before it sends the client to its store.
#[derive(Clone, Debug, Default)]
pub(super) struct Linked {
    /// SHA-256 of a large file.
    pub(super) sha256: Option<String>,
    /// The commit that the revision stands for.
    pub(super) commit: Option<String>,
}

/// Asks for `url` and goes where it leads.
pub(super) fn get(
    client: &Client,
    url: &str,
    headers: &[(&str, String)],
    token: Option<&str>,
) -> Result<(Answer, Linked), FetchError> {
    let (mut at, mut linked) = (url.to_owned(), Linked::default());
    for _ in 0..=MAX_REDIRECTS {
        if !is_safe(&at) {
            return Err(FetchError::Insecure { url: at });
        }
        let mut headers = headers.to_vec();
        if let Some(token) = token.filter(|_| origin(&at) == origin(url)) {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        let answer = client.get(&at, &headers).map_err(|reason| FetchError::Offline {
            host: origin(&at).and_then(|origin| origin.split("://").nth(1)).unwrap_or(&at).to_owned(),
            reason,
        })?;
        linked.note(&answer);
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return Ok((answer, linked));
        }
        let next = answer.header("location").and_then(|location| join(&at, location));
        at = next.ok_or(FetchError::Server { status: answer.status, what: "a redirect to nowhere", url: at })?;
    }
    Err(FetchError::Server { status: 302, what: "too many redirects", url: url.to_owned() })
}

impl Linked {
    /// The first answer that tells something is the hub's own.
    fn note(&mut self, answer: &Answer) {
        let is_hex = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_hexdigit());
        let etag = answer.header("x-linked-etag").map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
        if let (None, Some(etag)) = (&self.sha256, etag.filter(|etag| is_hex(etag, 64))) {
            self.sha256 = Some(etag.to_ascii_lowercase());
        }
        if let (None, Some(commit)) = (&self.commit, answer.header("x-repo-commit").filter(|c| is_hex(c, 40))) {
            self.commit = Some(commit.to_owned());
        }
    }
}

/// Whether nobody on the way can change what comes: https, or this machine.
pub(super) fn is_safe(url: &str) -> bool {
    let local = || {
        let host = url.strip_prefix("http://")?.split(['/', '?', '#']).next()?;
        let host = host.strip_prefix('[').map_or_else(
            || host.split(':').next().unwrap_or_default(),
            |rest| rest.split(']').next().unwrap_or_default(),
        );
        Some(matches!(host, "localhost" | "127.0.0.1" | "::1"))
    };
    url.starts_with("https://") || local() == Some(true)
}

/// Scheme and host of an address.
fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |i| start + i);
    Some(&url[..end])
}

/// Where `location` leads from `url`.
fn join(url: &str, location: &str) -> Option<String> {
    if location.contains("://") {
        return Some(location.to_owned());
    }
    let origin = origin(url)?;
    if location.starts_with("//") {
        return Some(format!("{}:{location}", url.split(':').next()?));
    }
    if location.starts_with('/') {
        return Some(format!("{origin}{location}"));
    }
    let path = url[origin.len()..].split(['?', '#']).next()?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("{origin}{folder}/{location}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_lead_on() {
        let at = "https://h.co/a/resolve/main/x?y=1";
        assert_eq!(join(at, "/b/x").unwrap(), "https://h.co/b/x");
        assert_eq!(join(at, "z").unwrap(), "https://h.co/a/resolve/main/z");
        assert_eq!(join(at, "//cdn.co/x").unwrap(), "https://cdn.co/x");
        assert_eq!(join(at, "https://cdn.co/x").unwrap(), "https://cdn.co/x");
        assert_eq!(origin(at), Some("https://h.co"));
        assert_eq!(origin("https://h.co"), Some("https://h.co"));
    }

    #[test]
    fn only_this_machine_goes_without_encryption() {
        for url in ["https://a.b/c", "http://localhost:1/x", "http://127.0.0.1/x", "http://[::1]:9/x"] {
            assert!(is_safe(url), "{url}");
        }
        for url in [
            "http://a.b/c",
            "http://localhost.evil.org/",
            "http://127.0.0.1.evil.org/",
            "file:///etc",
            "http://a@localhost/",
        ] {
            assert!(!is_safe(url), "{url}");
        }
    }
}
