//! One writer at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::StoreError;

/// Holds a folder of results for writing until it is dropped; the operating system lets go of it when the process dies,
/// however it dies.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock, making the folder where it is missing.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while another process, or another lock of this one, holds it.
    pub fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("writer.lock");
        std::fs::create_dir_all(folder).map_err(StoreError::io("make the folder of results", folder))?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(StoreError::io("open the lock file", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(StoreError::io("lock the results", &path)(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_refused_until_the_first_is_gone() {
        let room = tempfile::tempdir().unwrap();
        let first = WriterLock::take(room.path()).unwrap();
        let refused = WriterLock::take(room.path()).unwrap_err();
        assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
        drop(first);
        WriterLock::take(room.path()).unwrap();
    }
}
