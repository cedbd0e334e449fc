//! Read-only memory maps: the one `unsafe` of the checkpoint room.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::CheckpointError;

/// A weights file in memory, for as long as anybody reads from it.
#[derive(Debug)]
pub(super) struct Mapped {
    map: memmap2::Mmap,
    file: File,
    path: PathBuf,
    /// Length and time of change when it was mapped.
    seen: (u64, Option<SystemTime>),
}

impl Mapped {
    /// Maps the weights. An empty file is refused, because it cannot be mapped and holds no weights.
    pub(super) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let file = File::open(path).map_err(|e| CheckpointError::io("open the weights", path, e))?;
        let seen = seen(&file).map_err(|e| CheckpointError::io("read the weights", path, e))?;
        if seen.0 == 0 {
            return Err(CheckpointError::format(path, "the file is empty"));
        }
        let map = map_file(&file).map_err(|e| CheckpointError::io("map the weights", path, e))?;
        // Of a file that lies on the disk only, the reading begins at once; a system that refuses the hint is slower.
        #[cfg(unix)]
        let _ = map.advise(memmap2::Advice::WillNeed);
        Ok(Self { map, file, path: path.to_owned(), seen })
    }

    /// The file's bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Where a part of [`Mapped::bytes`] lies, or `None` for other bytes.
    pub(super) fn place_of(&self, part: &[u8]) -> Option<Range<usize>> {
        let start = part.as_ptr().addr().checked_sub(self.map.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        (end <= self.map.len()).then_some(start..end)
    }

    /// The f32 values at a place; none where they do not lie as this machine wants them.
    pub(super) fn floats(&self, place: &Range<usize>) -> &[f32] {
        self.map.get(place.clone()).and_then(as_floats).unwrap_or_default()
    }

    /// Refuses a file that was written to since it was mapped: its bytes are no longer those that were proven.
    pub(super) fn check_unchanged(&self) -> Result<(), CheckpointError> {
        let now = seen(&self.file).map_err(|e| CheckpointError::io("read the weights", &self.path, e))?;
        if now == self.seen {
            return Ok(());
        }
        Err(CheckpointError::format(&self.path, "the weights changed on disk since they were opened; open them again"))
    }
}

fn seen(file: &File) -> std::io::Result<(u64, Option<SystemTime>)> {
    let metadata = file.metadata()?;
    Ok((metadata.len(), metadata.modified().ok()))
}

/// Little-endian f32 values where they lie, if this machine can read them there.
#[expect(unsafe_code, reason = "bytes are read as numbers; see the safety note")]
pub(super) fn as_floats(bytes: &[u8]) -> Option<&[f32]> {
    if cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every pattern of four bytes is an f32, and `align_to` puts only aligned ones in the middle.
    let (before, floats, after) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && after.is_empty()).then_some(floats)
}

/// Maps an open file into memory, to be read only. For files that nobody changes: weights, and files of ours that are
/// renamed into place when they are complete and never written again.
///
/// # Errors
/// The operating system's, among them an empty file.
#[expect(unsafe_code, reason = "memory mapping is unsafe by nature; see the safety note")]
pub fn map_file(file: &File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the map is read-only, and every read stays within its bounds, which headers were checked against. Another
    // process that cuts the file short during a read can end this one with SIGBUS; that risk is the usual one of
    // memory-mapped weights, and `Mapped::check_unchanged` keeps it to the moments of reading.
    unsafe { memmap2::Mmap::map(file) }
}
