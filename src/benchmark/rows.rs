//! Items out of annotation files: JSON within bounds, arrays or objects, single faults forgiven.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

use csv_core::ReadFieldResult;
use serde_json::Value;

use super::ReadError;

/// Largest annotation file that is read. The largest published one (ARO attribution) has about 10 MB; a parsed tree
/// takes several times the size of its text.
const MAX_JSON_BYTES: u64 = 256 << 20;

/// The items of a JSON file with the names the file gives them: keys of an object, in numeric order where they are
/// decimal, or places in an array. Bare `NaN` and `Infinity`, which Python writes, are read as null.
pub(super) fn json_rows(path: &Path) -> Result<Vec<(String, Value)>, ReadError> {
    let text = bounded_text(path, MAX_JSON_BYTES)?;
    let value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(source) => {
            serde_json::from_str(&nan_to_null(&text)).map_err(|_| ReadError::Json { path: path.to_owned(), source })?
        }
    };
    let rows: Vec<_> = match value {
        Value::Array(items) => items.into_iter().enumerate().map(|(i, row)| (i.to_string(), row)).collect(),
        Value::Object(items) => {
            let mut rows: Vec<_> = items.into_iter().collect();
            rows.sort_by_cached_key(|(key, _)| (key.parse().unwrap_or(u64::MAX), key.clone()));
            rows
        }
        _ => return Err(ReadError::Shape { path: path.to_owned() }),
    };
    if rows.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    Ok(rows)
}

/// The lines of a JSONL file, named by their number from 1; blank lines are none. A line that is no JSON is a null, for
/// the reader to name as skipped.
pub(super) fn jsonl_rows(path: &Path) -> Result<Vec<(String, Value)>, ReadError> {
    let text = bounded_text(path, MAX_JSON_BYTES)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let value = |line: &str| serde_json::from_str(line).or_else(|_| serde_json::from_str(&nan_to_null(line)));
    let rows: Vec<_> = lines.map(|(i, line)| (format!("line {}", i + 1), value(line).unwrap_or(Value::Null))).collect();
    if rows.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    Ok(rows)
}

/// The rows of a CSV file with a header, named by their number from 1, as objects of strings. Quoting is RFC 4180's; a
/// row of another length has the fields that it has.
pub(super) fn csv_rows(path: &Path) -> Result<Vec<(String, Value)>, ReadError> {
    let mut records = csv_records(&bounded_text(path, MAX_JSON_BYTES)?).into_iter();
    let header = records.next().unwrap_or_default();
    let object = |record: Vec<String>| {
        let fields = header.iter().zip(record).map(|(name, field)| (name.trim().to_owned(), field.into()));
        Value::Object(fields.collect())
    };
    let rows: Vec<_> = records.enumerate().map(|(i, record)| (format!("row {}", i + 1), object(record))).collect();
    if rows.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    Ok(rows)
}

/// The fields of every record.
fn csv_records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv_core::Reader::new();
    let (mut input, mut piece) = (text.as_bytes(), [0; 1024]);
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let (result, read, written) = reader.read_field(input, &mut piece);
        input = &input[read..];
        field.extend_from_slice(&piece[..written]);
        match result {
            // Asked once more with no input, the reader ends the last field.
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            ReadFieldResult::Field { record_end } => {
                record.push(String::from_utf8_lossy(&std::mem::take(&mut field)).into_owned());
                if record_end {
                    records.push(std::mem::take(&mut record));
                }
            }
            ReadFieldResult::End => return records,
        }
    }
}

/// The text of a file of at most `limit` bytes, without a byte order mark.
pub(super) fn bounded_text(path: &Path, limit: u64) -> Result<String, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { path: path.to_owned(), limit });
    }
    let mut text = String::from_utf8(bytes).map_err(|e| io(Error::new(ErrorKind::InvalidData, e.utf8_error())))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// `text` with the bare words `NaN` and `Infinity` outside strings replaced by `null` (a minus sign goes with them).
fn nan_to_null(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        let word = ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| !in_string && rest.starts_with(word));
        if let Some(word) = word {
            out.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        // An escape is copied whole, so that an escaped quote does not end the string.
        let length = if in_string && c == '\\' {
            1 + rest[1..].chars().next().map_or(0, char::len_utf8)
        } else {
            in_string ^= c == '"';
            c.len_utf8()
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(text: &str) -> Result<Vec<(String, Value)>, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.json");
        std::fs::write(&path, text).unwrap();
        json_rows(&path)
    }

    #[test]
    fn object_keys_sort_as_numbers_then_as_text() {
        let rows = rows_of(r#"{"10": 1, "9": 2, "x": 3, "0": 4}"#).unwrap();
        let keys: Vec<_> = rows.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["0", "9", "10", "x"]);
    }

    #[test]
    fn python_numbers_become_null_outside_strings_only() {
        let rows = rows_of(r#"[{"a": NaN, "b": -Infinity, "c": "NaN \" Infinity é"}]"#).unwrap();
        assert_eq!(rows[0].1, serde_json::json!({"a": null, "b": null, "c": "NaN \" Infinity é"}));
    }

    #[test]
    fn csv_quotes_commas_line_breaks_and_long_fields() {
        let long = "x".repeat(5000);
        let text = format!("a,b,c\r\n1,\"x, \"\"y\"\"\n\",\n\n{long},é\n1,2,3,4\nlast");
        let expected = [
            vec!["a", "b", "c"],
            vec!["1", "x, \"y\"\n", ""],
            vec![&long, "é"],
            vec!["1", "2", "3", "4"],
            vec!["last"],
        ];
        assert_eq!(csv_records(&text), expected);
        assert_eq!(csv_records("a,\"b"), [["a", "b"]], "a file cut inside quotes");
        assert!(csv_records("").is_empty());
    }

    #[test]
    fn faults_name_their_cause() {
        assert!(matches!(rows_of("[1, 2"), Err(ReadError::Json { .. })));
        assert!(matches!(rows_of("[1, \"\\"), Err(ReadError::Json { .. })));
        assert!(matches!(rows_of("3"), Err(ReadError::Shape { .. })));
        assert!(matches!(rows_of("{}"), Err(ReadError::Empty { .. })));
        assert!(matches!(json_rows(Path::new("/nowhere/rows.json")), Err(ReadError::Io { .. })));
        assert!(matches!(rows_of(&"[".repeat(10_000)), Err(ReadError::Json { .. })));
    }

    #[test]
    fn size_is_bounded_and_the_byte_order_mark_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "\u{feff}aé").unwrap();
        assert_eq!(bounded_text(&path, 6).unwrap(), "aé");
        assert!(matches!(bounded_text(&path, 5), Err(ReadError::TooLarge { .. })));
        assert!(matches!(bounded_text(&path, 4), Err(ReadError::TooLarge { .. })));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(bounded_text(&path, 4), Err(ReadError::Io { .. })));
    }
}
