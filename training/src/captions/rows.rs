//! Rows that name an image file and its caption: what tables, JSON lines and COCO's JSON have in common.

use super::fault::{Fault, FaultKind};
use super::group::leaves;
use super::record::Wrong;
use super::shard::{self, LARGEST_IMAGE, Raw, Shard, read_file};
use std::path::{Path, PathBuf};

/// Most rows of a shard; a longer file is several.
pub(super) const ROWS: u64 = 10_000;
/// Bytes after which a shard takes no further row.
pub(super) const BYTES: u64 = 16 << 20;

/// Part of a file of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// First byte.
    pub from: u64,
    /// Number of its first row in the file, from 1.
    pub row: u64,
    /// Rows, broken ones included; [`ROWS`] at most.
    pub rows: u64,
    /// Whether the file ends here: an error after the last row belongs to it.
    pub last: bool,
}

/// Cuts a file into chunks; fed with the end of each row.
pub(super) struct Chunks {
    chunks: Vec<Chunk>,
    open: Chunk,
}

impl Chunks {
    pub fn starting(from: u64, row: u64) -> Self {
        Self { chunks: Vec::new(), open: Chunk { from, row, rows: 0, last: false } }
    }

    /// A row that ends before byte `end`.
    pub fn row(&mut self, end: u64) {
        self.open.rows += 1;
        if self.open.rows == ROWS || end - self.open.from >= BYTES {
            let next = Chunk { from: end, row: self.open.row + self.open.rows, rows: 0, last: false };
            self.chunks.push(std::mem::replace(&mut self.open, next));
        }
    }

    /// The chunks of a file that was read to its end, or to where it cannot be read.
    pub fn finish(mut self) -> Vec<Chunk> {
        self.chunks.push(Chunk { last: true, ..self.open });
        self.chunks
    }

    /// The full chunks so far.
    pub fn so_far(&self) -> &[Chunk] {
        &self.chunks
    }
}

/// A row as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub image: String,
    pub caption: String,
    pub negatives: Vec<String>,
}

/// The rows of one chunk.
pub(super) struct Rows {
    pub path: PathBuf,
    /// Number of the first row.
    pub first: u64,
    /// Where relative images are.
    pub images: PathBuf,
    /// Whether images must lie in that folder.
    pub inside: bool,
    pub found: Vec<Result<Row, Wrong>>,
}

impl Shard for Rows {
    fn len(&self) -> usize {
        self.found.len()
    }

    fn read(&self, index: usize) -> Result<Raw, Fault> {
        let place = format!("{}: row {}", self.path.display(), self.first + index as u64);
        match self.found[index].clone().and_then(|row| raw(&row, &self.images, self.inside, &place)) {
            Ok(raw) => Ok(raw),
            Err((kind, reason)) => Err(Fault::new(kind, place, reason)),
        }
    }
}

/// Reads the image of a row.
pub(super) fn raw(row: &Row, images: &Path, inside: bool, place: &str) -> Result<Raw, Wrong> {
    let caption = shard::usable(&row.caption)?;
    if row.image.trim().is_empty() {
        return Err((FaultKind::MissingImage, "The row names no image".to_owned()));
    }
    if inside && leaves(&row.image) {
        return Err((FaultKind::OutsidePath, format!("The image {} lies outside the folder", row.image)));
    }
    let path = images.join(&row.image);
    let image = read_file(&path, "image", LARGEST_IMAGE);
    let image = image.map_err(|(kind, reason)| (kind, format!("{reason}: {}", path.display())))?;
    let place = format!("{place}, {}", row.image);
    Ok(Raw { place, image, caption, negatives: row.negatives.clone() })
}
