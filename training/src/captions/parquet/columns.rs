//! Blocks of rows of a column of byte strings.

use ::parquet::basic::Type;
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, ByteArrayType};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use ::parquet::file::reader::{FileReader, RowGroupReader};
use ::parquet::file::serialized_reader::SerializedFileReader;
use std::fs::File;
use std::ops::Range;

use super::pages;

/// Most bytes of one column in one block.
const LARGEST_BLOCK: usize = 256 << 20;

/// The values of each row: none for null, one, or several for a list.
pub(super) type Values = Vec<Vec<Vec<u8>>>;

/// A column by its place in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    index: usize,
    /// Whether a row holds a list.
    repeated: bool,
    /// Level of definition at which there is a value.
    defined: i16,
}

impl Column {
    /// The first column of byte strings under one of these names, whatever their case; `image.bytes` is under `image`.
    pub fn find(metadata: &ParquetMetaData, names: &[&str]) -> Option<Self> {
        let schema = metadata.file_metadata().schema_descr();
        names.iter().find_map(|name| {
            let found = schema.columns().iter().enumerate().find(|(_, column)| {
                let parts = column.path().parts();
                let named = parts.first().is_some_and(|part| part.eq_ignore_ascii_case(name));
                let whole =
                    parts.len() == 1 || column.max_rep_level() == 1 || parts.last().is_some_and(|p| p == "bytes");
                named && whole && column.max_rep_level() <= 1 && column.physical_type() == Type::BYTE_ARRAY
            });
            found.map(|(index, column)| Self {
                index,
                repeated: column.max_rep_level() == 1,
                defined: column.max_def_level(),
            })
        })
    }

    /// Whether a row holds a list.
    pub fn is_list(self) -> bool {
        self.repeated
    }

    /// Bytes of the column in a group, as the group says.
    pub fn bytes(self, group: &RowGroupMetaData) -> i64 {
        group.columns().get(self.index).map_or(0, ColumnChunkMetaData::uncompressed_size)
    }
}

/// Bytes of all values.
pub(super) fn size(columns: &[Values]) -> usize {
    columns.iter().flatten().flatten().map(Vec::len).sum()
}

/// Rows `rows` of group `group`, one list of values per column.
pub(super) fn read(
    reader: &SerializedFileReader<File>,
    file: &File,
    group: usize,
    rows: Range<usize>,
    columns: &[Column],
) -> Result<Vec<Values>, ParquetError> {
    let row_group = reader.get_row_group(group)?;
    columns.iter().map(|column| read_column(row_group.as_ref(), file, *column, rows.clone())).collect()
}

fn read_column(
    group: &dyn RowGroupReader,
    file: &File,
    column: Column,
    rows: Range<usize>,
) -> Result<Values, ParquetError> {
    let (start, length) = group.metadata().column(column.index).byte_range();
    pages::check(file, start..start.saturating_add(length))?;
    match group.get_column_reader(column.index)? {
        ColumnReader::ByteArrayColumnReader(reader) => block(reader, column, rows),
        _ => Err(ParquetError::General("a column holds no byte strings".to_owned())),
    }
}

fn block(
    mut reader: ColumnReaderImpl<ByteArrayType>,
    column: Column,
    rows: Range<usize>,
) -> Result<Values, ParquetError> {
    let short = || ParquetError::General("a column has fewer rows than its group".to_owned());
    if reader.skip_records(rows.start)? < rows.start {
        return Err(short());
    }
    let (mut levels, mut repeats, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (read, _, _) = reader.read_records(rows.len(), Some(&mut levels), Some(&mut repeats), &mut values)?;
    if read < rows.len() {
        return Err(short());
    }
    let bytes: usize = values.iter().map(ByteArray::len).sum();
    if bytes > LARGEST_BLOCK {
        return Err(ParquetError::General("neighbouring rows are larger than 256 MiB together".to_owned()));
    }
    Ok(assemble(column, &levels, &repeats, values.iter().map(ByteArray::data)))
}

/// Values to rows (Dremel): a row begins where the repetition level is 0, a value is there at the highest definition.
fn assemble<'a>(column: Column, levels: &[i16], repeats: &[i16], values: impl Iterator<Item = &'a [u8]>) -> Values {
    let mut values = values.map(<[u8]>::to_vec);
    if column.defined == 0 {
        return values.map(|value| vec![value]).collect();
    }
    let mut rows = Values::new();
    for (i, level) in levels.iter().enumerate() {
        if !column.repeated || repeats.get(i) == Some(&0) {
            rows.push(Vec::new());
        }
        if *level == column.defined
            && let Some(row) = rows.last_mut()
        {
            row.extend(values.next());
        }
    }
    rows
}
