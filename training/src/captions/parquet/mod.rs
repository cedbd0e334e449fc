//! Parquet files that hold the images: img2dataset's `parquet` output (`jpg`, `caption`), datasets' `image.bytes`.
//!
//! Rows are decoded in blocks of about 8 MiB, of which the last used are kept: a page is not decoded anew for each of the
//! shuffled samples in it.

mod columns;
mod pages;

use super::fault::{Fault, FaultKind};
use super::record::{self, Keys, Wrong};
use super::shard::{self, LARGEST_IMAGE, LARGEST_TEXT, MOST_SAMPLES, Opened, Raw, Shard, huge, open_file};
use crate::negatives::made_elsewhere::NEGATIVES;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::FileReader;
use ::parquet::file::serialized_reader::SerializedFileReader;
use columns::{Column, Values};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a block as far as the column's mean tells.
const BLOCK: u64 = 8 << 20;
/// Bytes of all blocks kept of one file.
const KEPT: usize = 64 << 20;
/// Most rows of a block.
const LONGEST_BLOCK: u64 = 1000;
/// Largest description of a file at its end.
const LARGEST_FOOTER: u64 = 64 << 20;
/// Names of the image's column: img2dataset's encodings, then datasets'.
const IMAGES: [&str; 6] = ["jpg", "png", "webp", "jpeg", "image", "image_bytes"];

struct Images {
    path: PathBuf,
    /// The image's column, the caption's and, where wanted, the negatives'.
    columns: Vec<Column>,
    groups: Vec<Group>,
    rows: usize,
    /// One thread at a time: the file has one place where it is read.
    open: Mutex<Open>,
}

/// A group of rows.
struct Group {
    first: usize,
    rows: usize,
    /// Rows of its blocks.
    block: usize,
}

struct Open {
    file: File,
    reader: SerializedFileReader<File>,
    /// Used last at the end.
    kept: VecDeque<Block>,
}

struct Block {
    group: usize,
    number: usize,
    bytes: usize,
    columns: Arc<Vec<Values>>,
}

/// Reads the description of a file.
pub(super) fn open(path: &Path, keys: &Keys) -> Result<Opened, Fault> {
    let fault = |kind, reason: String| Fault::new(kind, path.display().to_string(), reason);
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => fault(FaultKind::BrokenShard, error.to_string()),
        _ => fault(FaultKind::UnreadableShard, format!("The Parquet file cannot be read: {error}")),
    };
    let (file, reader) = reader(path).map_err(unreadable)?;
    let metadata = reader.metadata();
    let image = Column::find(metadata, &IMAGES);
    let mut captions = keys.caption_names();
    captions.extend(keys.caption.is_empty().then_some("txt"));
    let (Some(image), Some(caption)) = (image, Column::find(metadata, &captions)) else {
        let (images, captions) = (IMAGES.join(", "), captions.join(", "));
        let reason = format!("There are no columns for images ({images}) and captions ({captions})");
        return Err(fault(FaultKind::UnknownShard, reason));
    };
    let negatives = Column::find(metadata, NEGATIVES).filter(|_| keys.negatives);
    let columns = [image, caption].into_iter().chain(negatives).collect();
    let mut groups = Vec::new();
    let mut rows = 0;
    for group in metadata.row_groups() {
        let count = usize::try_from(group.num_rows()).unwrap_or(0).min(MOST_SAMPLES - rows);
        let bytes = u64::try_from(image.bytes(group)).unwrap_or(0);
        let mean = bytes / (count as u64).max(1);
        groups.push(Group { first: rows, rows: count, block: (BLOCK / mean.max(1)).clamp(1, LONGEST_BLOCK) as usize });
        rows += count;
    }
    let all = metadata.file_metadata().num_rows();
    let faults = if all == (rows as u64).cast_signed() {
        Vec::new()
    } else {
        vec![fault(FaultKind::BrokenShard, format!("Of {all} announced rows {rows} are used"))]
    };
    if rows == 0 {
        return Err(fault(FaultKind::UnknownShard, "The Parquet file holds no rows".to_owned()));
    }
    let open = Mutex::new(Open { file, reader, kept: VecDeque::new() });
    Ok(Opened::new(Images { path: path.to_owned(), columns, groups, rows, open }, faults))
}

/// Number of rows, from the description.
pub(super) fn count(path: &Path) -> Option<u64> {
    let (_, reader) = reader(path).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}

/// Whether a file has a column of images.
pub(super) fn has_images(path: &Path) -> bool {
    reader(path).is_ok_and(|(_, reader)| Column::find(reader.metadata(), &IMAGES).is_some())
}

/// A damaged file is an error of kind `InvalidData`, a sentence.
fn reader(path: &Path) -> io::Result<(File, SerializedFileReader<File>)> {
    let (mut file, length) = open_file(path)?;
    let damaged = |why: &str| io::Error::new(io::ErrorKind::InvalidData, format!("The Parquet file is damaged: {why}"));
    let mut footer = [0; 8];
    if length < 12 {
        return Err(damaged("it is too short"));
    }
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut footer)?;
    let (size, magic) = footer.split_at(4);
    let size = size.try_into().map_or(0, u32::from_le_bytes);
    if magic != b"PAR1" || u64::from(size) > LARGEST_FOOTER.min(length) {
        return Err(damaged("it does not end with its description"));
    }
    let clone = file.try_clone()?;
    let reader = guarded(|| SerializedFileReader::new(clone)).map_err(|why| damaged(&why))?;
    Ok((file, reader))
}

/// The crate below is known to panic on some damaged files; here that is an error as any other.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("its decoder gave up".to_owned()),
    }
}

impl Shard for Images {
    fn len(&self) -> usize {
        self.rows
    }

    fn read(&self, index: usize) -> Result<Raw, Fault> {
        let place = || format!("{}: row {}", self.path.display(), index + 1);
        self.raw(index, place()).map_err(|(kind, reason)| Fault::new(kind, place(), reason))
    }
}

impl Images {
    fn raw(&self, index: usize, place: String) -> Result<Raw, Wrong> {
        let (columns, row) = self
            .rows_around(index)
            .map_err(|why| (FaultKind::BrokenRecord, format!("The Parquet page cannot be read: {why}")))?;
        let cell = |column: usize| columns.get(column).and_then(|rows| rows.get(row)).map_or(&[][..], Vec::as_slice);
        let [image] = cell(0) else {
            return Err((FaultKind::MissingImage, "The row has no image".to_owned()));
        };
        let [caption, ..] = cell(1) else {
            return Err((FaultKind::MissingCaption, "The row has no caption".to_owned()));
        };
        for (what, size, limit) in [("image", image.len(), LARGEST_IMAGE), ("caption", caption.len(), LARGEST_TEXT)] {
            if size as u64 > limit {
                return Err(huge(what, size as u64, limit));
            }
        }
        let caption = shard::usable(shard::text(caption)?)?;
        Ok(Raw { place, image: image.clone(), caption, negatives: self.negatives(cell(2))? })
    }

    /// A list, or one text that holds a list.
    fn negatives(&self, cell: &[Vec<u8>]) -> Result<Vec<String>, Wrong> {
        match cell {
            [one] if !self.columns.get(2).is_some_and(|column| column.is_list()) => record::list(shard::text(one)?),
            many => many.iter().map(|text| shard::text(text).map(str::to_owned)).collect(),
        }
    }

    /// The block that holds a row, and the row's place in it.
    fn rows_around(&self, index: usize) -> Result<(Arc<Vec<Values>>, usize), String> {
        let number = self.groups.partition_point(|group| group.first + group.rows <= index);
        let group = self.groups.get(number).ok_or("there is no such row")?;
        let within = index - group.first;
        let block = within / group.block;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.kept.iter().position(|kept| (kept.group, kept.number) == (number, block)) {
            let kept = open.kept.remove(at).ok_or("there is no such block")?;
            let columns = kept.columns.clone();
            open.kept.push_back(kept);
            return Ok((columns, within % group.block));
        }
        let rows = block * group.block..((block + 1) * group.block).min(group.rows);
        let columns = guarded(|| columns::read(&open.reader, &open.file, number, rows, &self.columns))?;
        let columns = Arc::new(columns);
        open.keep(Block { group: number, number: block, bytes: columns::size(&columns), columns: columns.clone() });
        Ok((columns, within % group.block))
    }
}

impl Open {
    fn keep(&mut self, block: Block) {
        self.kept.push_back(block);
        while self.kept.len() > 1 && self.kept.iter().map(|kept| kept.bytes).sum::<usize>() > KEPT {
            self.kept.pop_front();
        }
    }
}
