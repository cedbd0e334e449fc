//! What a download was, beside its files: what is there, and the mark that it is complete.

use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{FetchError, Source};

const NAME: &str = "fetched.json";
/// Largest record that is read.
const MAX_BYTES: u64 = 1 << 20;

/// One file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedFile {
    /// In its folder.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// Hexadecimal.
    pub sha256: String,
    /// Whether somebody published that hash (or its first digits), so that it could be compared.
    pub compared: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    source: String,
    /// The hub's, once it is known.
    pub(super) commit: Option<String>,
    /// Those that are complete.
    pub(super) files: Vec<FetchedFile>,
    /// Whether nothing is missing any more.
    pub(super) complete: bool,
}

impl Record {
    /// The record of a folder: of a finished download of this source, or of one that can go on. Files that are no longer
    /// there as they were are not in it.
    pub(super) fn of(folder: &Path, source: &Source) -> Self {
        let source = source.to_string();
        Self::read(folder).filter(|record| record.source == source).unwrap_or(Self {
            source,
            commit: None,
            files: Vec::new(),
            complete: false,
        })
    }

    fn read(folder: &Path) -> Option<Self> {
        let path = folder.join(NAME);
        if std::fs::metadata(&path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let mut record: Self = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        let is_there = |file: &FetchedFile| {
            std::fs::metadata(folder.join(&file.name)).is_ok_and(|metadata| metadata.len() == file.bytes)
        };
        record.complete &= record.files.iter().all(is_there);
        record.files.retain(is_there);
        Some(record)
    }

    /// Whether a file is there already.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), FetchError> {
        let fail = |e| FetchError::disk("write the record", folder, e);
        let mut aside = tempfile::Builder::new().prefix(".clove-").tempfile_in(folder).map_err(fail)?;
        let text = serde_json::to_string_pretty(self).map_err(|e| fail(e.into()))?;
        aside.write_all(text.as_bytes()).and_then(|()| aside.as_file().sync_all()).map_err(fail)?;
        aside.persist(folder.join(NAME)).map(drop).map_err(|e| fail(e.error))
    }
}
