//! Captions and negatives in JSON and in cells.

use super::fault::FaultKind;
use crate::negatives::made_elsewhere::{CAPTION, NEGATIVES, python_list};
use serde_json::{Map, Value};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// What is wrong with a part of a sample.
pub(super) type Wrong = (FaultKind, String);

/// What of a sample is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Key or column of the caption; empty: the form's own.
    pub caption: String,
    /// Whether the data's own negatives are read.
    pub negatives: bool,
}

impl Keys {
    /// Names under which a record's caption is looked for, the first that is there.
    pub fn caption_names(&self) -> Vec<&str> {
        if self.caption.is_empty() { CAPTION.to_vec() } else { vec![&self.caption] }
    }
}

/// The object in a JSON file or line. Python's bare `NaN` and `Infinity`, which img2dataset writes, count as null.
pub(super) fn object(json: &[u8]) -> Result<Object, Wrong> {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let parsed = serde_json::from_slice(json).or_else(|error| match without_nan(json) {
        Some(cleaned) => serde_json::from_slice(&cleaned),
        None => Err(error),
    });
    parsed.map_err(|error| (FaultKind::BrokenRecord, format!("The JSON cannot be read: {error}")))
}

/// A copy with null for each bare NaN and infinity; nothing when there is none.
fn without_nan(json: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(json.len());
    let (mut quoted, mut escaped, mut found, mut rest) = (false, false, false, json);
    while let Some((&byte, after)) = rest.split_first() {
        let word = [&b"-Infinity"[..], b"Infinity", b"NaN"].into_iter().find(|word| rest.starts_with(word));
        if let Some(word) = word.filter(|_| !quoted) {
            out.extend_from_slice(b"null");
            found = true;
            rest = &rest[word.len()..];
            continue;
        }
        (quoted, escaped) = match byte {
            b'"' if !escaped => (!quoted, false),
            b'\\' if quoted => (true, !escaped),
            _ => (quoted, false),
        };
        out.push(byte);
        rest = after;
    }
    found.then_some(out)
}

/// The caption of a record.
pub(super) fn caption(record: &Object, keys: &Keys) -> Result<String, Wrong> {
    let names = keys.caption_names();
    let missing = |what: &str| (FaultKind::MissingCaption, format!("There is no {what} under {}", names.join(", ")));
    match names.iter().find_map(|name| record.get(*name)) {
        None => Err(missing("caption")),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(missing("text")),
    }
}

/// The negatives of a record: a string, a list of strings, or of objects as `clove negatives` writes them.
pub(super) fn negatives(record: &Object, keys: &Keys) -> Result<Vec<String>, Wrong> {
    match NEGATIVES.iter().find_map(|name| record.get(*name)).filter(|_| keys.negatives) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => list(text),
        Some(Value::Array(many)) => many.iter().map(sentence).collect(),
        Some(_) => Err((FaultKind::BrokenRecord, "The negatives are no list of sentences".to_owned())),
    }
}

fn sentence(value: &Value) -> Result<String, Wrong> {
    let text = value.as_str().or_else(|| value.get("caption")?.as_str());
    text.map(str::to_owned).ok_or_else(|| (FaultKind::BrokenRecord, "A negative is no sentence".to_owned()))
}

/// The negatives of a cell: a list as Python or JSON writes it, or one sentence.
pub(super) fn list(cell: &str) -> Result<Vec<String>, Wrong> {
    python_list::strings(cell).map_err(|what| (FaultKind::BrokenRecord, format!("The column of negatives {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_nan_is_null_but_not_within_text() {
        let json = br#"{"a": NaN, "b": [-Infinity, Infinity], "caption": "NaN \" NaN \\", "c": NaN}"#;
        let record = object(json).unwrap();
        assert_eq!(record["a"], Value::Null);
        assert_eq!(record["b"], serde_json::json!([null, null]));
        assert_eq!(caption(&record, &Keys::default()).unwrap(), "NaN \" NaN \\");
        for bad in [&b"{"[..], b"[1]", b"{\"a\": nan}", b"", b"{\"a\": NaN", b"\xff"] {
            assert_eq!(object(bad).unwrap_err().0, FaultKind::BrokenRecord);
        }
    }

    #[test]
    fn captions_and_negatives_by_key() {
        let record = object(br#"{"caption": "a", "top_caption": "b", "n": 1, "negatives": ["x", {"caption": "y"}]}"#);
        let record = record.unwrap();
        let keys = |caption: &str| Keys { caption: caption.to_owned(), negatives: true };
        assert_eq!(caption(&record, &keys("")).unwrap(), "a");
        assert_eq!(caption(&record, &keys("top_caption")).unwrap(), "b");
        for absent in ["n", "other"] {
            let (kind, reason) = caption(&record, &keys(absent)).unwrap_err();
            assert_eq!(kind, FaultKind::MissingCaption);
            assert!(reason.ends_with(absent), "{reason}");
        }
        assert_eq!(negatives(&record, &keys("")).unwrap(), ["x", "y"]);
        assert!(negatives(&record, &Keys::default()).unwrap().is_empty(), "nobody asked");
        let one = |json: &[u8]| negatives(&object(json).unwrap(), &keys(""));
        assert_eq!(one(br#"{"neg_caption": "['p', \"q\"]"}"#).unwrap(), ["p", "q"]);
        assert_eq!(one(br#"{"negatives": 3}"#).unwrap_err().0, FaultKind::BrokenRecord);
        assert_eq!(one(br#"{"negatives": [3]}"#).unwrap_err().0, FaultKind::BrokenRecord);
    }
}
