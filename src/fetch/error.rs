//! What can go wrong with a download, each in one sentence: what, what to do, the file or address last.

use std::path::{Path, PathBuf};

/// Why something was not fetched.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum FetchError {
    /// Neither an id nor an address.
    #[error("'{name}' is neither hf:OWNER/NAME[@REVISION] nor an https address")]
    Name { name: String },
    /// Without encryption anybody on the way could change the weights.
    #[error("only https is fetched, or http from this machine: {url}")]
    Insecure { url: String },
    /// It would have to be fetched first.
    #[error("it was not fetched yet, and nothing is fetched unasked; fetch it with: clove fetch {name}")]
    NotFetched { name: String },
    /// No connection.
    #[error(
        "{host} cannot be reached ({reason}); check the network, or bring the files here by other means and open their folder"
    )]
    Offline { host: String, reason: String },
    /// The connection ended again and again.
    #[error(
        "the connection ended {times} times before the file was complete ({reason}); the same command goes on where it stopped: {url}"
    )]
    Cut { times: usize, reason: String, url: String },
    /// Nothing there.
    #[error("there is no such file or model; check its name and revision: {url}")]
    NotFound { url: String },
    /// A folder of the hub without weights.
    #[error(
        "the model holds no weights file that clove reads (model.safetensors, open_clip_model.safetensors, pytorch_model.bin or their like): {id}"
    )]
    NoWeights { id: String },
    /// Gated or private.
    #[error(
        "the server refuses access ({status}); a gated model needs its terms accepted on the hub and a token in HF_TOKEN: {url}"
    )]
    Refused { status: u16, url: String },
    /// Something else than an answer.
    #[error("the server answered {status} ({what}); try again later: {url}")]
    Server { status: u16, what: &'static str, url: String },
    /// Larger than anything that would be a model.
    #[error("the file has {bytes} bytes and at most {limit} are fetched: {url}")]
    TooLarge { bytes: u64, limit: u64, url: String },
    /// No room.
    #[error("the download needs {needed} bytes and the disk has {free}; make room or choose another folder with --out: {}", folder.display())]
    NoRoom { needed: u64, free: u64, folder: PathBuf },
    /// Damaged or replaced on the way.
    #[error("the file's SHA-256 is {found} and should be {expected}; it was removed, fetch it again: {url}")]
    Checksum { found: String, expected: String, url: String },
    /// Two at once.
    #[error("another process is fetching this file; wait for it: {}", .0.display())]
    Busy(PathBuf),
    /// A file of that name that no download left.
    #[error("the file exists and is not overwritten; choose another folder with --out or remove it first: {}", .0.display())]
    Exists(PathBuf),
    /// On request.
    #[error("the download was stopped; the same command goes on where it stopped")]
    Stopped,
    /// The file system refused.
    #[error("cannot {action}: {source}: {}", path.display())]
    Disk { action: &'static str, path: PathBuf, source: std::io::Error },
}

impl FetchError {
    pub(super) fn disk(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Disk { action, path: path.to_owned(), source }
    }
}
