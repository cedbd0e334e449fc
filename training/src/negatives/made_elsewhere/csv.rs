//! Records of a table, each of bounded size.

use std::io::BufRead;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::LONGEST_ROW;

/// Most fields of a record.
const MOST_FIELDS: usize = 256;

/// Why there is no record.
#[derive(Debug)]
pub(crate) enum Error {
    Io(std::io::Error),
    /// Longer than a row may be: what follows cannot be told from it.
    TooLong,
    /// Not UTF-8; the next record is in order.
    NotText,
}

/// A reader of records.
pub(crate) struct Records<R> {
    input: R,
    reader: Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    consumed: u64,
}

impl<R: BufRead> Records<R> {
    /// Reads from where `input` stands, which is the start of a record.
    pub fn new(input: R, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { input, reader, output: vec![0; LONGEST_ROW], ends: vec![0; MOST_FIELDS], consumed: 0 }
    }

    /// Bytes read so far: after a record, where the next one begins.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The fields of the next record, quotes and doubled quotes resolved.
    pub fn next_record(&mut self) -> Result<Option<Vec<String>>, Error> {
        let (mut filled, mut fields) = (0, 0);
        loop {
            let bytes = self.input.fill_buf().map_err(Error::Io)?;
            let (result, read, written, ended) =
                self.reader.read_record(bytes, &mut self.output[filled..], &mut self.ends[fields..]);
            self.input.consume(read);
            self.consumed += read as u64;
            filled += written;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => return Err(Error::TooLong),
                ReadRecordResult::Record => return self.fields(fields).map(Some),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn fields(&self, fields: usize) -> Result<Vec<String>, Error> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let ranges = starts.zip(&self.ends).take(fields);
        let text = |(start, end): (&usize, &usize)| String::from_utf8(self.output[*start..*end].to_vec());
        ranges.map(text).collect::<Result<_, _>>().map_err(|_| Error::NotText)
    }
}
