//! Sizes that the pages of a column announce, looked at before anybody believes them.
//!
//! The `parquet` crate allocates what a page's header announces: up to 2 GiB, and for a dictionary tens of bytes per
//! announced value. So the headers are walked first (Thrift's compact protocol, parquet.thrift's `PageHeader`).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

/// Largest page, uncompressed.
const LARGEST_PAGE: u64 = 256 << 20;
/// Most values, nulls included, of a column in one group of rows.
const MOST_VALUES: u64 = 1 << 26;
/// Longest header; statistics in it may hold two values.
const LONGEST_HEADER: u64 = 8 << 20;
/// How deep a header's structs may nest.
const DEEPEST: usize = 8;

/// Walks the pages in a range of a file.
///
/// # Errors
/// What is absurd, in words; or the disk's error.
pub(super) fn check(file: &File, range: Range<u64>) -> io::Result<()> {
    let mut file = BufReader::with_capacity(4096, file);
    let (mut at, mut values) = (range.start, 0u64);
    while at < range.end {
        file.seek(SeekFrom::Start(at))?;
        let header = PageHeader::read(&mut file)?;
        let end = at.checked_add(header.length).and_then(|end| end.checked_add(header.compressed));
        at = end.filter(|end| *end <= range.end).ok_or_else(|| wrong("a page reaches beyond its column"))?;
        if header.uncompressed > LARGEST_PAGE {
            return Err(wrong("a page is larger than 256 MiB"));
        }
        // A value of a dictionary has at least the four bytes of its length.
        if header.is_dictionary && header.values > header.uncompressed / 4 {
            return Err(wrong("a dictionary announces more values than it has room for"));
        }
        values = values.saturating_add(header.values);
        if values > MOST_VALUES {
            return Err(wrong("a column announces more values than are read"));
        }
    }
    Ok(())
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What matters of a page's header; sizes in bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct PageHeader {
    length: u64,
    uncompressed: u64,
    compressed: u64,
    values: u64,
    is_dictionary: bool,
}

impl PageHeader {
    fn read(input: impl Read) -> io::Result<Self> {
        let mut thrift = Thrift { input: input.take(LONGEST_HEADER), read: 0 };
        let mut header = Self::default();
        thrift.fields(0, &mut |thrift, field, kind| {
            match (field, kind) {
                (2, I32) => header.uncompressed = thrift.whole()?,
                (3, I32) => header.compressed = thrift.whole()?,
                // The three kinds of pages with values; the number is the first field of each.
                (5 | 7 | 8, STRUCT) => {
                    header.is_dictionary |= field == 7;
                    let values = &mut header.values;
                    thrift.fields(1, &mut |thrift, field, kind| match (field, kind) {
                        (1, I32) => thrift.whole().map(|whole| *values = whole),
                        _ => thrift.skip(kind, 2),
                    })?;
                }
                _ => thrift.skip(kind, 1)?,
            }
            Ok(())
        })?;
        header.length = thrift.read;
        Ok(header)
    }
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I8: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

/// What is done with a field, given its number and kind.
type Visit<'a, R> = &'a mut dyn FnMut(&mut Thrift<R>, i64, u8) -> io::Result<()>;

struct Thrift<R> {
    input: R,
    read: u64,
}

impl<R: Read> Thrift<R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        self.read += 1;
        Ok(byte[0])
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(wrong("a page's header holds a number without an end"))
    }

    fn signed(&mut self) -> io::Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn whole(&mut self) -> io::Result<u64> {
        u64::try_from(self.signed()?).map_err(|_| wrong("a page announces a size below 0"))
    }

    fn fields(&mut self, depth: usize, visit: Visit<'_, R>) -> io::Result<()> {
        if depth > DEEPEST {
            return Err(wrong("a page's header nests too deep"));
        }
        let mut field = 0i64;
        loop {
            let head = self.byte()?;
            let kind = head & 0x0f;
            if head == 0 {
                return Ok(());
            }
            field = match head >> 4 {
                0 => self.signed()?,
                step => field.saturating_add(i64::from(step)),
            };
            visit(self, field, kind)?;
        }
    }

    fn skip(&mut self, kind: u8, depth: usize) -> io::Result<()> {
        match kind {
            TRUE | FALSE => Ok(()),
            I8 => self.byte().map(|_| ()),
            I16 | I32 | I64 => self.varint().map(|_| ()),
            DOUBLE => self.pass(8),
            BINARY => {
                let length = self.varint()?;
                self.pass(length)
            }
            LIST | SET => {
                let head = self.byte()?;
                let length = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // A truth value in a list has a byte of its own.
                let kind = if head & 0x0f <= FALSE { I8 } else { head & 0x0f };
                (0..length).try_for_each(|_| self.skip(kind, depth + 1))
            }
            STRUCT => self.fields(depth, &mut |thrift, _, kind| thrift.skip(kind, depth + 1)),
            _ => Err(wrong("a page's header holds something unknown")),
        }
    }

    fn pass(&mut self, length: u64) -> io::Result<()> {
        let passed = io::copy(&mut (&mut self.input).take(length), &mut io::sink())?;
        self.read += passed;
        if passed < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// type = 2, uncompressed = 1000, compressed = 600, an unknown struct with a list and a string, dictionary header of
    /// 250 values, end.
    const DICTIONARY: &[u8] = &[
        0x15, 0x04, 0x15, 0xd0, 0x0f, 0x15, 0xb0, 0x09, // fields 1 to 3
        0x1c, 0x19, 0x25, 0x02, 0x04, 0x18, 0x02, b'a', b'b', 0x00, // field 4: {1: [1, 2], 2: "ab"}
        0x3c, 0x15, 0xf4, 0x03, 0x15, 0x00, 0x11, 0x00, // field 7: {1: 250, 2: 0, 3: true}
        0x00,
    ];

    #[test]
    fn a_header_is_read_to_its_end() {
        let length = DICTIONARY.len() as u64;
        let wanted = PageHeader { length, uncompressed: 1000, compressed: 600, values: 250, is_dictionary: true };
        let trailing = [DICTIONARY, b"pages follow"].concat();
        assert_eq!(PageHeader::read(&trailing[..]).unwrap(), wanted);
        for end in 0..DICTIONARY.len() {
            assert!(PageHeader::read(&DICTIONARY[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn absurd_headers_are_errors() {
        let endless = [0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        let negative = [0x25, 0x01, 0x00];
        let deep = [0x1c; 4000];
        let unknown = [0x1f, 0x00];
        for bytes in [&endless[..], &negative, &deep, &unknown] {
            assert!(PageHeader::read(bytes).is_err());
        }
        let list = [0x19, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x0f];
        assert!(PageHeader::read(&list[..]).is_err(), "a list of 2^32 bytes that are not there");
    }

    #[test]
    fn pages_that_cannot_be_are_refused() {
        let file = |bytes: &[u8]| {
            let path = std::env::temp_dir().join(format!("clove-pages-{}-{}", std::process::id(), bytes.len()));
            std::fs::write(&path, bytes).unwrap();
            let file = File::open(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            file
        };
        let page = [DICTIONARY, &[0; 600]].concat();
        let length = page.len() as u64;
        check(&file(&page), 0..length).unwrap();
        check(&file(&[&page[..], &page].concat()), 0..2 * length).unwrap();
        let said = |bytes: &[u8], end| check(&file(bytes), 0..end).unwrap_err().to_string();
        assert_eq!(said(&page, length - 1), "a page reaches beyond its column");
        let mut many = page.clone();
        many[20] = 0xf6;
        assert_eq!(
            said(&[&many[..], &[0; 3]].concat(), length),
            "a dictionary announces more values than it has room for"
        );
        let huge = [&[0x25, 0x80, 0x80, 0x80, 0x80, 0x04, 0x15, 0x00][..], &[0x00]].concat();
        assert_eq!(said(&huge, huge.len() as u64), "a page is larger than 256 MiB");
    }
}
