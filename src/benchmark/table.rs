//! Rows of Parquet files whose images are columns of bytes, as Hugging Face's `datasets` writes them
//! (`struct<bytes: binary, path: string>`).

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use serde_json::{Map, Value};

use super::ReadError;

/// Most rows of a table; published benchmarks of this kind have a few hundred.
const MAX_ROWS: i64 = 1_000_000;
/// Most bytes of all texts of a table.
const MAX_TEXT: usize = 256 << 20;

/// The text columns among `wanted` of every row, missing ones as null.
pub(super) fn rows(path: &Path, wanted: &[&str]) -> Result<Vec<Value>, ReadError> {
    guarded(|| {
        let table = open(path)?;
        let n = table.metadata().file_metadata().num_rows();
        if !(0..=MAX_ROWS).contains(&n) {
            return Err(ParquetError::General(format!("it has {n} rows, more than any published set")));
        }
        let schema = table.metadata().file_metadata().schema();
        let is_wanted = |field: &&Arc<Type>| field.is_primitive() && wanted.contains(&field.name());
        let fields = schema.get_fields().iter().filter(is_wanted).cloned().collect();
        let projection = Type::group_type_builder(schema.name()).with_fields(fields).build()?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for row in table.get_row_iter(Some(projection))? {
            let mut fields = Map::new();
            for (name, field) in row?.get_column_iter() {
                if let Field::Str(text) = field {
                    bytes += text.len();
                    fields.insert(name.clone(), Value::String(text.clone()));
                }
            }
            if bytes > MAX_TEXT {
                return Err(ParquetError::General("its texts are larger than any published set's".into()));
            }
            rows.push(Value::Object(fields));
        }
        Ok(rows)
    })
    .map_err(|reason| ReadError::Unusable { path: path.to_owned(), reason })
}

/// Whether a table has a column of that name.
pub(super) fn has_column(path: &Path, name: &str) -> bool {
    let found = guarded(|| {
        let table = open(path)?;
        Ok(table.metadata().file_metadata().schema().get_fields().iter().any(|field| field.name() == name))
    });
    found.unwrap_or(false)
}

/// The encoded image in one row of a column. Pages before the row are skipped unread.
///
/// # Errors
/// A clause: an unreadable table, no such column or row, or no image in it.
pub fn table_image(path: &Path, column: &str, row: usize) -> Result<Vec<u8>, String> {
    guarded(|| {
        let table = open(path)?;
        let leaf = table.metadata().file_metadata().schema_descr().columns().iter().position(|leaf| {
            let parts = leaf.path().parts();
            matches!(parts, [only] if only == column)
                || matches!(parts, [own, bytes] if own == column && bytes == "bytes")
        });
        let leaf = leaf.ok_or_else(|| ParquetError::General(format!("it has no column '{column}' of images")))?;
        let mut row = row;
        for group in 0..table.num_row_groups() {
            let group = table.get_row_group(group)?;
            let rows = usize::try_from(group.metadata().num_rows())?;
            if row >= rows {
                row -= rows;
                continue;
            }
            let ColumnReader::ByteArrayColumnReader(mut reader) = group.get_column_reader(leaf)? else {
                return Err(ParquetError::General(format!("its column '{column}' holds no bytes")));
            };
            reader.skip_records(row)?;
            let (mut present, mut values) = (Vec::new(), Vec::new());
            reader.read_records(1, Some(&mut present), None, &mut values)?;
            let image = values.first().map(|value| value.data().to_vec());
            return image.ok_or_else(|| ParquetError::General("there is no image in it".into()));
        }
        Err(ParquetError::General("it has fewer rows".into()))
    })
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, ParquetError> {
    SerializedFileReader::new(File::open(path)?)
}

/// A damaged table is an error, also where the decoder of a column takes it for impossible and panics.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(ParquetError::General(reason))) => Err(reason),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the Parquet file is damaged".into()),
    }
}
