//! Walking a tar file: names and places of its members, nothing unpacked.
//!
//! PAX records (`path`, `size`) and GNU's long names are merged into the member that follows. Data is skipped by reading
//! on where members are small: a disk that turns is read in order, and the pages are warm when a sample is wanted.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use tar::{EntryType, Header};

use super::shard::open_file;

const BLOCK: u64 = 512;
/// Bytes read ahead.
const READ_AHEAD: usize = 256 << 10;
/// Longest PAX record or long name.
const LONGEST_EXTENSION: u64 = 1 << 20;
/// Most members.
const MOST_MEMBERS: usize = 4 << 20;

/// Where a member's data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// First byte in the archive.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// Whether the archive ends before it does.
    pub cut: bool,
}

/// How an archive ends.
#[derive(Debug)]
pub(super) enum End {
    /// As it should.
    Whole,
    /// Too early.
    Cut(&'static str),
    /// With a header that is none, or an absurd one, at this byte.
    Broken(u64, &'static str),
    /// It does not begin as an archive does.
    NoArchive,
    /// The disk refused.
    Io(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Calls `member` for each regular file, in order.
pub(super) fn walk(path: &Path, member: impl FnMut(&str, Span)) -> End {
    match open_file(path) {
        Ok((file, length)) => {
            let mut walk =
                Walk { input: BufReader::with_capacity(READ_AHEAD, file), length, at: 0, name: None, size: None };
            walk.all(member).err().unwrap_or(End::Whole)
        }
        Err(error) => End::Io(error),
    }
}

struct Walk {
    input: BufReader<File>,
    length: u64,
    /// Bytes read or skipped.
    at: u64,
    /// What PAX or GNU said of the next member.
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Walk {
    fn all(&mut self, mut member: impl FnMut(&str, Span)) -> Result<(), End> {
        for _ in 0..MOST_MEMBERS {
            let start = self.at;
            let Some(header) = self.header()? else { return Ok(()) };
            let kind = header.entry_type();
            let own_size = header.entry_size().map_err(|_| End::Broken(start, "has a size that is no number"))?;
            match kind {
                EntryType::XHeader => {
                    let records = self.extension(own_size)?;
                    self.pax(&records).ok_or(End::Broken(start, "has PAX records that cannot be read"))?;
                }
                EntryType::GNULongName => {
                    let mut name = self.extension(own_size)?;
                    name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
                    self.name = Some(name);
                }
                EntryType::XGlobalHeader | EntryType::GNULongLink => self.skip(start, own_size)?,
                _ => {
                    let size = self.size.take().unwrap_or(own_size);
                    let name = self.name.take().unwrap_or_else(|| header.path_bytes().into_owned());
                    let offset = self.at;
                    let has_data = !matches!(
                        kind,
                        EntryType::Link
                            | EntryType::Symlink
                            | EntryType::Char
                            | EntryType::Block
                            | EntryType::Directory
                            | EntryType::Fifo
                    );
                    let skipped = if has_data { self.skip(start, size) } else { Ok(()) };
                    if matches!(kind, EntryType::Regular | EntryType::Continuous) {
                        let cut = matches!(skipped, Err(End::Cut(_)));
                        member(&String::from_utf8_lossy(&name), Span { offset, size, cut });
                    }
                    skipped?;
                }
            }
        }
        Err(End::Broken(self.at, "begins more members than are read"))
    }

    /// The next header; nothing at the end mark.
    fn header(&mut self) -> Result<Option<Header>, End> {
        let mut header = Header::new_old();
        let left = self.length.saturating_sub(self.at);
        if left < BLOCK {
            return Err(match self.at {
                0 => End::NoArchive,
                _ if left == 0 => End::Cut("its end mark is missing"),
                _ => End::Cut("it ends within a header"),
            });
        }
        self.input.read_exact(header.as_mut_bytes())?;
        let start = self.at;
        self.at += BLOCK;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if header.cksum().is_ok_and(|sum| sum == checksum(&header)) {
            return Ok(Some(header));
        }
        Err(if start == 0 { End::NoArchive } else { End::Broken(start, "is no header") })
    }

    /// The whole data of a small member.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, End> {
        let start = self.at;
        if size > LONGEST_EXTENSION {
            return Err(End::Broken(start, "announces an absurdly long name"));
        }
        if start + size > self.length {
            return Err(End::Cut("it ends within a name"));
        }
        let mut data = vec![0; size as usize];
        self.input.read_exact(&mut data)?;
        self.at += size;
        self.pad(size)?;
        Ok(data)
    }

    /// Passes over `size` bytes and their padding; the member's header began at `start`.
    fn skip(&mut self, start: u64, size: u64) -> Result<(), End> {
        let end = self.at.checked_add(size).ok_or(End::Broken(start, "announces an absurd size"))?;
        if end > self.length {
            return Err(End::Cut("it ends within a member"));
        }
        self.seek(size)?;
        self.pad(size)
    }

    fn pad(&mut self, size: u64) -> Result<(), End> {
        let padding = size.next_multiple_of(BLOCK) - size;
        self.seek(padding.min(self.length.saturating_sub(self.at)))
    }

    fn seek(&mut self, distance: u64) -> Result<(), End> {
        // A file's length fits an i64, and the distance lies within the file.
        self.input.seek_relative(distance.cast_signed())?;
        self.at += distance;
        Ok(())
    }

    /// Records are `length key=value\n`, the length counting all of it.
    fn pax(&mut self, mut records: &[u8]) -> Option<()> {
        while !records.is_empty() {
            let space = records.iter().position(|byte| *byte == b' ')?;
            let length: usize = std::str::from_utf8(records.get(..space)?).ok()?.parse().ok()?;
            let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
            match key {
                b"path" => self.name = Some(value.to_owned()),
                b"size" => self.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
                _ => {}
            }
            records = records.get(length..)?;
        }
        Some(())
    }
}

/// The sum of all bytes, those of the sum itself taken as spaces.
fn checksum(header: &Header) -> u32 {
    let bytes = header.as_bytes();
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    sum(&bytes[..148]) + 8 * u32::from(b' ') + sum(&bytes[156..])
}
