//! Read-only memory maps: the one `unsafe` of the checkpoint room.

use std::fs::File;
use std::path::Path;

use super::CheckpointError;

/// Maps the weights into memory. An empty file is refused, because it cannot be mapped and holds no weights.
pub(super) fn map(path: &Path) -> Result<memmap2::Mmap, CheckpointError> {
    let file = File::open(path).map_err(|e| CheckpointError::io("open the weights", path, e))?;
    let length = file.metadata().map_err(|e| CheckpointError::io("read the weights", path, e))?.len();
    if length == 0 {
        return Err(CheckpointError::format(path, "the file is empty"));
    }
    map_file(&file).map_err(|e| CheckpointError::io("map the weights", path, e))
}

/// Maps an open file into memory, to be read only. For files that nobody changes: weights, and files of ours that are
/// renamed into place when they are complete and never written again.
///
/// # Errors
/// The operating system's, among them an empty file.
#[expect(unsafe_code, reason = "memory mapping is unsafe by nature; see the safety note")]
pub fn map_file(file: &File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the map is read-only, and every read stays within its bounds, which headers were checked against. Another process that cuts the file short meanwhile can end this one with SIGBUS; that risk is the usual
    // one of memory-mapped weights.
    unsafe { memmap2::Mmap::map(file) }
}
