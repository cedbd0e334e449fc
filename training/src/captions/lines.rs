//! JSON lines beside a folder of images: `captions.jsonl` with `{"image": …, "caption": …, "negatives": […]}`.

use super::fault::{Fault, FaultKind};
use super::record::{self, Keys, Wrong};
use super::rows::{Chunk, Chunks, Row, Rows};
use super::shard::{LARGEST_TEXT, Opened, Wanted, open_file};
use crate::negatives::made_elsewhere::IMAGE;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A file of JSON lines.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    path: PathBuf,
    keys: Wanted,
}

/// Whether a line is an object that names an image.
pub(super) fn is_row(line: &[u8]) -> bool {
    record::object(line).is_ok_and(|record| IMAGE.iter().any(|name| record.contains_key(*name)))
}

impl Lines {
    pub fn new(path: &Path, keys: Wanted) -> Self {
        Self { path: path.to_owned(), keys }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn reader(&self, from: u64) -> io::Result<Reader> {
        let (mut file, _) = open_file(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        Ok(Reader { file: BufReader::with_capacity(1 << 16, file), line: Vec::new(), at: from })
    }

    /// Reads the file once to find its parts, at most `enough` of them: then also where these end.
    pub fn chunks(&self, enough: usize) -> io::Result<(Vec<Chunk>, Option<u64>)> {
        let mut reader = self.reader(0)?;
        let mut chunks = Chunks::starting(0, 1);
        while reader.next()?.is_some() {
            let end = reader.at;
            chunks.row(end);
            if chunks.so_far().len() >= enough {
                return Ok((chunks.so_far().to_vec(), Some(end)));
            }
        }
        Ok((chunks.finish(), None))
    }

    /// Reads the rows of a part.
    pub fn shard(&self, chunk: Chunk) -> Result<Opened, Fault> {
        let unreadable = |error| {
            let reason = format!("The captions cannot be read: {error}");
            Fault::new(FaultKind::UnreadableShard, self.path.display().to_string(), reason)
        };
        let mut reader = self.reader(chunk.from).map_err(unreadable)?;
        let mut rows = Vec::new();
        while (rows.len() as u64) < chunk.rows {
            match reader.next().map_err(unreadable)? {
                None => break,
                Some(Line::Whole(line)) => rows.push(row(line, &self.keys)),
                Some(Line::TooLong) => {
                    rows.push(Err((FaultKind::HugeMember, "The line is longer than 1 MiB".to_owned())));
                }
            }
        }
        let images = self.path.parent().unwrap_or(Path::new("")).to_owned();
        let rows = Rows { path: self.path.clone(), first: chunk.row, images, inside: true, found: rows };
        Ok(Opened::new(rows, Vec::new()))
    }
}

fn row(line: &[u8], keys: &Keys) -> Result<Row, Wrong> {
    if std::str::from_utf8(line).is_err() {
        return Err((FaultKind::CaptionNotText, "The line is not UTF-8".to_owned()));
    }
    let record = record::object(line)?;
    let image = IMAGE.iter().find_map(|name| record.get(*name)).and_then(serde_json::Value::as_str);
    let image = image.ok_or_else(|| (FaultKind::MissingImage, "The line names no image".to_owned()))?.to_owned();
    Ok(Row { image, caption: record::caption(&record, keys)?, negatives: record::negatives(&record, keys)? })
}

enum Line<'a> {
    Whole(&'a [u8]),
    TooLong,
}

/// Lines of bounded length.
struct Reader {
    file: BufReader<File>,
    line: Vec<u8>,
    at: u64,
}

impl Reader {
    /// The next line that is not blank.
    fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            self.line.clear();
            let read = self.file.by_ref().take(LARGEST_TEXT).read_until(b'\n', &mut self.line)?;
            self.at += read as u64;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 == LARGEST_TEXT && !self.line.ends_with(b"\n") {
                self.at += self.file.skip_until(b'\n')? as u64;
                return Ok(Some(Line::TooLong));
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        Ok(Some(Line::Whole(&self.line)))
    }
}
