//! Every on-disk form of ours below a folder of results. All but the log are safetensors files, so that other programs
//! read them too; they are written aside, synced and renamed, and never changed afterwards.
//!
//! | path | what | written by |
//! |---|---|---|
//! | `results.jsonl` | the log: one line per score | the one writer, appending |
//! | `similarities/KEY.safetensors` | what one benchmark gave at one alpha, example by example | the one writer |
//! | `embeddings/KEY.safetensors` | a unit of an unfinished sweep: some items through one tower at one alpha | anyone |
//! | `pixels/SIZE/KEY.safetensors` | decoded and resized images | anyone |
//! | `writer.lock` | locked while there is a writer | the one writer |
//!
//! Every KEY is a hash of what the content depends on, so a file that is there is the right one, whoever wrote it.
//! Readers need no lock: what they see is complete, but for the log's last line while it is being written.

mod aside;
mod embeddings;
mod file;
mod lock;
pub mod pixels;
pub mod results;

use std::path::{Path, PathBuf};

pub use aside::{remove_leftovers, write, write_new};
pub use embeddings::Embeddings;
pub use file::digest;
pub use lock::WriterLock;

/// Writes a file of ours that is there whole or not at all, over what was there.
///
/// # Errors
/// The file system refused; what was there is still there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    aside::write(path, bytes).map_err(StoreError::io("write", path))
}

/// Something of ours could not be stored or read back.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {action}: {source}: {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// Another process holds the folder.
    #[error("another clove is writing these results; wait for it or name another folder: {}", path.display())]
    Busy { path: PathBuf },
    /// A file that is not what we wrote.
    #[error("the file is damaged ({reason}); delete it and sweep again: {}", path.display())]
    Damaged { path: PathBuf, reason: String },
    /// A row is not representable, such as an infinite number.
    #[error("cannot store a result: {0}")]
    Row(#[from] serde_json::Error),
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
