//! Read-only memory maps: the one `unsafe` of the checkpoint room.

use std::fs::File;
use std::path::Path;

use super::CheckpointError;

/// Maps a file into memory. An empty file is refused, because it cannot be mapped and holds no weights.
#[expect(unsafe_code, reason = "memory mapping is unsafe by nature; see the safety note")]
pub(super) fn map(path: &Path) -> Result<memmap2::Mmap, CheckpointError> {
    let file = File::open(path).map_err(|e| CheckpointError::io("open the weights", path, e))?;
    let length = file.metadata().map_err(|e| CheckpointError::io("read the weights", path, e))?.len();
    if length == 0 {
        return Err(CheckpointError::format(path, "the file is empty"));
    }
    // SAFETY: the map is read-only, lives only while the tensors are copied out of it, and every read is of a checked
    // slice of it. Another process that cuts the file short meanwhile can end this one with SIGBUS; that risk is the
    // usual one of memory-mapped weights.
    unsafe { memmap2::Mmap::map(&file) }.map_err(|e| CheckpointError::io("map the weights", path, e))
}
