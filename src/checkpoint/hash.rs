//! The SHA-256 of a checkpoint's files, computed when it is first asked for: weights are ready before it is known.

use std::sync::{Arc, OnceLock};

use sha2::Digest as _;

use super::mmap::Mapped;

/// A SHA-256, or the files to compute it from (one after the other). Clones share the answer.
#[derive(Clone, Debug)]
pub struct Sha256 {
    files: Vec<Arc<Mapped>>,
    known: Arc<OnceLock<String>>,
}

impl Sha256 {
    pub(super) fn of_files(files: Vec<Arc<Mapped>>) -> Self {
        Self { files, known: Arc::default() }
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        hex(sha2::Sha256::digest(bytes)).into()
    }

    /// Hexadecimal. Takes a third of a second for 600 MB where nobody asked before, and waits for whoever is at it.
    pub fn get(&self) -> &str {
        self.known.get_or_init(|| {
            let mut hash = sha2::Sha256::new();
            for file in &self.files {
                hash.update(file.bytes());
            }
            hex(hash.finalize())
        })
    }

    /// Hexadecimal, if it is known already.
    pub fn known(&self) -> Option<&str> {
        self.known.get().map(String::as_str)
    }
}

impl From<String> for Sha256 {
    fn from(known: String) -> Self {
        Self { files: Vec::new(), known: Arc::new(OnceLock::from(known)) }
    }
}

fn hex(hash: impl AsRef<[u8]>) -> String {
    hash.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
