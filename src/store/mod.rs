//! Every on-disk form of ours. Today: results, one JSON line per score.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

/// Results could not be stored.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot store the results: {source}: {}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// A row is not representable, such as an infinite number.
    #[error("cannot store a result: {0}")]
    Row(#[from] serde_json::Error),
}

/// Appends rows to `folder/results.jsonl`, each with `version` and the identities of the models, in one write, so that
/// lines of several writers do not mix.
///
/// # Errors
/// See [`StoreError`].
pub fn append_results<T: Serialize>(folder: &Path, identities: &Value, rows: &[T]) -> Result<(), StoreError> {
    let path = folder.join("results.jsonl");
    let fail = |source| StoreError::Io { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(fail)?;
    let mut lines = String::new();
    for row in rows {
        let mut line = serde_json::to_value(row)?;
        if let (Value::Object(line), Value::Object(identities)) = (&mut line, identities) {
            line.insert("version".into(), env!("CARGO_PKG_VERSION").into());
            line.extend(identities.clone());
        }
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path).map_err(fail)?;
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_appended_with_what_made_them() {
        let folder = tempfile::tempdir().unwrap();
        for value in [1, 2] {
            let identities = serde_json::json!({ "base": "abc" });
            append_results(&folder.path().join("new"), &identities, &[serde_json::json!({ "value": value })]).unwrap();
        }
        let text = std::fs::read_to_string(folder.path().join("new/results.jsonl")).unwrap();
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((rows.len(), &rows[1]["value"], &rows[0]["base"]), (2, &2.into(), &"abc".into()));
    }
}
