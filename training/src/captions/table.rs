//! CSV and TSV with a header: open_clip's (`filepath`, `title`) and NegCLIP's, whose negatives are Python lists.

use super::fault::{Fault, FaultKind};
use super::record::{Keys, Wrong, list};
use super::rows::{Chunk, Chunks, Row, Rows};
use super::shard::{Opened, open_file};
use crate::negatives::made_elsewhere::csv::{Error, Records};
use crate::negatives::made_elsewhere::{IMAGE, NEGATIVES};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A table whose header is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    path: PathBuf,
    delimiter: u8,
    image: usize,
    caption: usize,
    negatives: Option<usize>,
    /// Where the first row begins.
    from: u64,
}

/// Why a file is no table.
pub(super) enum NoTable {
    Io(io::Error),
    Header(String),
}

impl Table {
    /// Reads the header.
    pub fn open(path: &Path, keys: &Keys) -> Result<Self, NoTable> {
        let (file, _) = open_file(path).map_err(NoTable::Io)?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let start = file.fill_buf().map_err(NoTable::Io)?;
        let tabs = start.split(|byte| *byte == b'\n').next().is_some_and(|line| line.contains(&b'\t'));
        let delimiter = if tabs { b'\t' } else { b',' };
        let mut records = Records::new(file, delimiter);
        let header = match records.next_record() {
            Ok(header) => header.unwrap_or_default(),
            Err(Error::Io(error)) => return Err(NoTable::Io(error)),
            Err(Error::TooLong | Error::NotText) => return Err(NoTable::Header("its first line is no header".into())),
        };
        let column = |names: &[&str]| {
            let named = |header: &String, name: &str| header.trim_start_matches('\u{feff}').trim() == name;
            names.iter().find_map(|name| header.iter().position(|header| named(header, name)))
        };
        let captions = keys.caption_names();
        match (column(IMAGE), column(&captions)) {
            (Some(image), Some(caption)) => {
                let negatives = column(NEGATIVES).filter(|_| keys.negatives);
                Ok(Self { path: path.to_owned(), delimiter, image, caption, negatives, from: records.consumed() })
            }
            _ => Err(NoTable::Header(format!(
                "it has no columns for images ({}) and captions ({})",
                IMAGE.join(", "),
                captions.join(", ")
            ))),
        }
    }

    fn records(&self, from: u64) -> io::Result<Records<BufReader<File>>> {
        let (mut file, _) = open_file(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        Ok(Records::new(BufReader::with_capacity(1 << 16, file), self.delimiter))
    }

    /// Reads the table once to find its parts, at most `enough` of them: then also where these end.
    pub fn chunks(&self, enough: usize) -> io::Result<(Vec<Chunk>, Option<u64>)> {
        let mut records = self.records(self.from)?;
        let mut chunks = Chunks::starting(self.from, 2);
        loop {
            match records.next_record() {
                Ok(None) | Err(Error::TooLong) => return Ok((chunks.finish(), None)),
                Err(Error::Io(error)) => return Err(error),
                Ok(Some(_)) | Err(Error::NotText) => {}
            }
            let end = self.from + records.consumed();
            chunks.row(end);
            if chunks.so_far().len() >= enough {
                return Ok((chunks.so_far().to_vec(), Some(end)));
            }
        }
    }

    /// Reads the rows of a part.
    pub fn shard(&self, chunk: Chunk) -> Result<Opened, Fault> {
        let fault = |kind, reason| Fault::new(kind, self.path.display().to_string(), reason);
        let unreadable = |error| fault(FaultKind::UnreadableShard, format!("The table cannot be read: {error}"));
        let mut records = self.records(chunk.from).map_err(unreadable)?;
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        while chunk.last || (rows.len() as u64) < chunk.rows {
            match records.next_record() {
                Ok(None) => break,
                Ok(Some(fields)) => rows.push(self.row(&fields)),
                Err(Error::NotText) => {
                    rows.push(Err((FaultKind::CaptionNotText, "The row is not UTF-8".to_owned())));
                }
                Err(Error::Io(error)) => return Err(unreadable(error)),
                Err(Error::TooLong) => {
                    let row = chunk.row + rows.len() as u64;
                    let reason = format!("The table cannot be read from row {row} on; is a quote left open?");
                    faults.push(fault(FaultKind::BrokenShard, reason));
                    break;
                }
            }
        }
        let images = self.path.parent().unwrap_or(Path::new("")).to_owned();
        let rows = Rows { path: self.path.clone(), first: chunk.row, images, inside: false, found: rows };
        Ok(Opened::new(rows, faults))
    }

    fn row(&self, fields: &[String]) -> Result<Row, Wrong> {
        let field = |at: usize| fields.get(at).cloned();
        let (Some(image), Some(caption)) = (field(self.image), field(self.caption)) else {
            return Err((FaultKind::BrokenRecord, "The row has fewer fields than the header".to_owned()));
        };
        let negatives = self.negatives.and_then(field).map_or(Ok(Vec::new()), |cell| list(&cell))?;
        Ok(Row { image, caption, negatives })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
