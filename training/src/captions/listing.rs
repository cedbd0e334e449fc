//! Sources to shards: which form each has, told by content and, for folders, by names.

use super::coco::{self, Coco};
use super::fault::{Fault, FaultKind};
use super::lines::{self, Lines};
use super::patterns::{expand, list};
use super::rows::{Chunk, ROWS};
use super::shard::{Opened, Wanted, open_file};
use super::source::SourceError;
use super::table::{NoTable, Table};
use super::{folder, parquet, webdataset};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names of JSON lines in a folder of images: ours, then that of Hugging Face's image folders.
const LINES: [&str; 2] = ["captions.jsonl", "metadata.jsonl"];
/// Endings of images.
const IMAGES: [&str; 4] = [".jpg", ".png", ".jpeg", ".webp"];
/// Bytes by which a file's form is told.
const START: u64 = 64 << 10;

/// A shard that is not open.
pub(super) enum ShardSource {
    /// A tar or Parquet file; which, it says when it is opened.
    Archive(PathBuf),
    /// A folder of images with captions beside them.
    Folder(PathBuf),
    /// Rows of a CSV or TSV.
    Table(Arc<Table>, Chunk),
    /// Rows of a JSON lines file.
    Lines(Arc<Lines>, Chunk),
    /// Captions of a COCO file.
    Coco(Arc<Coco>, Range<usize>),
    /// Nothing that is known, and why.
    Unknown(PathBuf, Fault),
}

/// The shards of a recipe's sources.
#[derive(Default)]
pub(super) struct Listing {
    pub shards: Vec<ShardSource>,
    /// About how many rows of tables and JSON lines come after those listed.
    pub unread: u64,
}

/// Lists all sources. Tables and JSON lines are read once to cut them into shards, at most `enough` shards each.
pub(super) fn shards(data: &[String], keys: &Wanted, enough: usize) -> Result<Listing, SourceError> {
    let mut listing = Listing::default();
    for pattern in data {
        for path in expand(pattern)? {
            let before = listing.shards.len();
            if path.is_dir() {
                listing.folder(&path, keys, enough)?;
                if listing.shards.len() == before {
                    return Err(SourceError::NoData(path.display().to_string()));
                }
            } else if ends_with(&path.to_string_lossy(), &[".tar", ".parquet"]) {
                listing.shards.push(ShardSource::Archive(path));
            } else {
                listing.file(&path, keys, enough);
            }
        }
    }
    if listing.shards.is_empty() { Err(SourceError::NoData(data.join(", "))) } else { Ok(listing) }
}

fn ends_with(name: &str, endings: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    endings.iter().any(|ending| name.ends_with(ending))
}

impl Listing {
    fn folder(&mut self, path: &Path, keys: &Wanted, enough: usize) -> Result<(), SourceError> {
        let names = list(path)?;
        if let Some(name) = LINES.iter().find(|name| names.iter().any(|found| found == *name)) {
            self.file(&path.join(name), keys, enough);
            return Ok(());
        }
        let ending = |endings: &[&str]| {
            names.iter().filter(|name| ends_with(name, endings)).map(|name| path.join(name)).collect()
        };
        let tars: Vec<PathBuf> = ending(&[".tar"]);
        let parquets: Vec<PathBuf> = ending(&[".parquet"]);
        if !tars.is_empty() {
            self.shards.extend(tars.into_iter().map(ShardSource::Archive));
        } else if names.iter().any(|name| ends_with(name, &IMAGES)) {
            self.shards.push(ShardSource::Folder(path.to_owned()));
        } else if parquets.iter().take(3).any(|path| parquet::has_images(path)) {
            self.shards.extend(parquets.into_iter().map(ShardSource::Archive));
        } else {
            // img2dataset leaves `_tmp` behind.
            let folders = names.iter().filter(|name| !name.starts_with('_')).map(|name| path.join(name));
            self.shards.extend(folders.filter(|path| path.is_dir()).map(ShardSource::Folder));
        }
        Ok(())
    }

    /// A file whose form its content tells.
    fn file(&mut self, path: &Path, keys: &Wanted, enough: usize) {
        if let Err(fault) = self.known_file(path, keys, enough) {
            self.shards.push(ShardSource::Unknown(path.to_owned(), fault));
        }
    }

    fn known_file(&mut self, path: &Path, keys: &Wanted, enough: usize) -> Result<(), Fault> {
        let fault = |kind, reason: String| Fault::new(kind, path.display().to_string(), reason);
        let unreadable = |error: io::Error| fault(FaultKind::UnreadableShard, format!("It cannot be read: {error}"));
        let (file, size) = open_file(path).map_err(unreadable)?;
        let mut start = Vec::new();
        file.take(START).read_to_end(&mut start).map_err(unreadable)?;
        let first = start.trim_ascii_start().strip_prefix(b"\xef\xbb\xbf").unwrap_or(start.trim_ascii_start());
        let line = first.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
        if start.starts_with(b"PAR1") || start.get(257..262) == Some(b"ustar") {
            self.shards.push(ShardSource::Archive(path.to_owned()));
        } else if lines::is_row(line) {
            let lines = Arc::new(Lines::new(path, keys.clone()));
            self.rows(lines.chunks(enough).map_err(unreadable)?, size, |chunk| {
                ShardSource::Lines(lines.clone(), chunk)
            });
        } else if first.starts_with(b"{") {
            let coco = Coco::read(path, keys).map_err(|error| {
                fault(FaultKind::UnknownShard, format!("It is neither JSON lines nor COCO's captions: {error}"))
            })?;
            let (coco, rows) = (Arc::new(coco), ROWS as usize);
            let ranges = (0..coco.len()).step_by(rows).map(|from| from..(from + rows).min(coco.len()));
            self.shards.extend(ranges.map(|range| ShardSource::Coco(coco.clone(), range)));
        } else {
            let table = Table::open(path, keys).map_err(|why| match why {
                NoTable::Io(error) => unreadable(error),
                NoTable::Header(why) => fault(FaultKind::UnknownShard, format!("It has no known form: {why}")),
            })?;
            let table = Arc::new(table);
            self.rows(table.chunks(enough).map_err(unreadable)?, size, |chunk| {
                ShardSource::Table(table.clone(), chunk)
            });
        }
        Ok(())
    }

    fn rows(&mut self, (chunks, end): (Vec<Chunk>, Option<u64>), size: u64, shard: impl Fn(Chunk) -> ShardSource) {
        if let Some(end) = end {
            let rows: u64 = chunks.iter().map(|chunk| chunk.rows).sum();
            self.unread += (rows as f64 * (size as f64 / end.max(1) as f64 - 1.0)) as u64;
        }
        self.shards.extend(chunks.into_iter().map(shard));
    }
}

impl ShardSource {
    /// Reads what it takes to read any sample of it.
    pub fn open(&self, keys: &Wanted) -> Result<Opened, Fault> {
        match self {
            Self::Archive(path) if is_parquet(path) => parquet::open(path, keys),
            Self::Archive(path) => webdataset::open(path, keys.clone()),
            Self::Folder(path) => folder::open(path, keys.clone()),
            Self::Table(table, chunk) => table.shard(*chunk),
            Self::Lines(lines, chunk) => lines.shard(*chunk),
            Self::Coco(coco, range) => Ok(coco::open(coco, range.clone())),
            Self::Unknown(_, fault) => Err(fault.clone()),
        }
    }

    /// The form, in words.
    pub fn form(&self) -> &'static str {
        match self {
            Self::Archive(path) if is_parquet(path) => "Parquet files",
            Self::Archive(_) => "webdataset tars",
            Self::Folder(_) => "folders of images and captions",
            Self::Table(..) => "CSV",
            Self::Lines(..) => "JSON lines",
            Self::Coco(..) => "COCO captions",
            Self::Unknown(..) => "unknown",
        }
    }

    /// The file or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Archive(path) | Self::Folder(path) | Self::Unknown(path, _) => path,
            Self::Table(table, _) => table.path(),
            Self::Lines(lines, _) => lines.path(),
            Self::Coco(coco, _) => coco.path(),
        }
    }

    /// Number of samples, where it is known without opening.
    pub fn samples(&self) -> Option<u64> {
        match self {
            Self::Archive(_) | Self::Folder(_) => None,
            Self::Table(_, chunk) | Self::Lines(_, chunk) => Some(chunk.rows),
            Self::Coco(_, range) => Some(range.len() as u64),
            Self::Unknown(..) => Some(0),
        }
    }

    /// What tells it from other shards wherever the data lie: its file's name, and the place in it.
    pub fn identity(&self) -> String {
        let name = self.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        match self {
            Self::Table(_, chunk) | Self::Lines(_, chunk) => format!("{name} {} {}", chunk.from, chunk.rows),
            Self::Coco(_, range) => format!("{name} {range:?}"),
            _ => name,
        }
    }
}

fn is_parquet(path: &Path) -> bool {
    let mut start = [0; 4];
    open_file(path).and_then(|(mut file, _)| file.read_exact(&mut start)).is_ok() && start == *b"PAR1"
}
