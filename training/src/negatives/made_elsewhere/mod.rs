//! Negatives that other programs wrote: JSON lines, and CSV or TSV with Python lists as NegCLIP ships them.
//!
//! A file is read row by row and taken as it is. Nothing in it is evaluated.

pub(crate) mod csv;
pub(crate) mod python_list;

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use csv::Records;

/// Longest row, in bytes.
pub const LONGEST_ROW: usize = 1 << 20;

/// A caption with its negatives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The right caption.
    pub caption: String,
    /// The wrong ones, in the file's order; may be empty.
    pub negatives: Vec<String>,
    /// The image as the file names it, if it does.
    pub image: Option<String>,
}

/// A file of negatives that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NegativesFileError {
    /// The operating system refused.
    #[error("The negatives cannot be read: {source}: {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row that is not what its format asks for.
    #[error("Row {row} of the negatives {what}: {}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// From 1, a header included.
        row: u64,
        /// What is wrong, as the end of a sentence.
        what: String,
    },
}

/// Names of columns and keys that hold the caption, the first that is there.
pub(crate) const CAPTION: &[&str] = &["title", "caption", "text"];
pub(crate) const NEGATIVES: &[&str] =
    &["neg_caption", "negatives", "negative_caption", "neg_captions", "hard_negatives"];
pub(crate) const IMAGE: &[&str] = &["filepath", "image", "file_name", "filename", "image_path"];

/// The rows of a file. After an error it goes on with the next row, but for an error of the disk.
pub struct Rows {
    path: PathBuf,
    row: u64,
    form: Form,
}

enum Form {
    JsonLines(BufReader<File>),
    Table { records: Box<Records<BufReader<File>>>, caption: usize, negatives: usize, image: Option<usize> },
    Ended,
}

impl Rows {
    /// Opens a file; one whose first character is `{` holds JSON lines, any other is a table with a header.
    pub fn open(path: &Path) -> Result<Self, NegativesFileError> {
        let io = |source| NegativesFileError::Io { path: path.to_owned(), source };
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
        let start = file.fill_buf().map_err(io)?;
        let first = start.iter().find(|b| !b.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(b));
        let header = start.split(|b| *b == b'\n').next().unwrap_or(&[]);
        let tabs = header.contains(&b'\t');
        let mut rows = Self { path: path.to_owned(), row: 0, form: Form::Ended };
        if first == Some(&b'{') {
            rows.form = Form::JsonLines(file);
        } else if first.is_some() {
            rows.form = rows.table(Records::new(file, if tabs { b'\t' } else { b',' }))?;
        }
        Ok(rows)
    }

    fn table(&mut self, mut records: Records<BufReader<File>>) -> Result<Form, NegativesFileError> {
        self.row = 1;
        let header = records.next_record().map_err(|e| self.csv(e))?.unwrap_or_default();
        let column = |names: &[&str]| {
            names.iter().find_map(|name| header.iter().position(|h| h.trim_start_matches('\u{feff}').trim() == *name))
        };
        match (column(CAPTION), column(NEGATIVES)) {
            (Some(caption), Some(negatives)) => {
                Ok(Form::Table { records: Box::new(records), caption, negatives, image: column(IMAGE) })
            }
            _ => Err(self.wrong(format!(
                "has no columns for captions ({}) and negatives ({})",
                CAPTION.join(", "),
                NEGATIVES.join(", ")
            ))),
        }
    }

    fn wrong(&self, what: impl Into<String>) -> NegativesFileError {
        NegativesFileError::Row { path: self.path.clone(), row: self.row, what: what.into() }
    }

    fn io(&self, source: std::io::Error) -> NegativesFileError {
        NegativesFileError::Io { path: self.path.clone(), source }
    }

    fn csv(&self, error: csv::Error) -> NegativesFileError {
        match error {
            csv::Error::Io(source) => self.io(source),
            csv::Error::TooLong => self.wrong(format!("is longer than {LONGEST_ROW} bytes; is a quote left open?")),
            csv::Error::NotText => self.wrong("is not UTF-8"),
        }
    }

    fn next_row(&mut self) -> Result<Option<Row>, NegativesFileError> {
        self.row += 1;
        match &mut self.form {
            Form::Ended => Ok(None),
            Form::JsonLines(file) => {
                let mut line = Vec::new();
                let read = file.by_ref().take(LONGEST_ROW as u64 + 1).read_until(b'\n', &mut line);
                match read {
                    Err(source) => Err(self.end(|rows| rows.io(source))),
                    Ok(0) => Ok(None),
                    Ok(n) if n > LONGEST_ROW => {
                        Err(self.end(|rows| rows.wrong(format!("is longer than {LONGEST_ROW} bytes"))))
                    }
                    Ok(_) if line.trim_ascii().is_empty() => self.next_row(),
                    Ok(_) => json_row(&line).map(Some).map_err(|what| self.wrong(what)),
                }
            }
            Form::Table { records, caption, negatives, image } => {
                let (caption, negatives, image) = (*caption, *negatives, *image);
                match records.next_record() {
                    Err(csv::Error::NotText) => Err(self.csv(csv::Error::NotText)),
                    Err(error) => Err(self.end(|rows| rows.csv(error))),
                    Ok(None) => Ok(None),
                    Ok(Some(fields)) => {
                        let field = |at: usize| fields.get(at).cloned();
                        let (Some(caption), Some(list)) = (field(caption), field(negatives)) else {
                            return Err(self.wrong("has fewer fields than the header"));
                        };
                        let negatives = python_list::strings(&list).map_err(|what| self.wrong(what))?;
                        Ok(Some(Row { caption, negatives, image: image.and_then(field) }))
                    }
                }
            }
        }
    }

    /// What follows a row without an end cannot be told from it.
    fn end(&mut self, error: impl FnOnce(&Self) -> NegativesFileError) -> NegativesFileError {
        self.form = Form::Ended;
        error(self)
    }
}

impl Iterator for Rows {
    type Item = Result<Row, NegativesFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

#[derive(Deserialize)]
struct JsonRow {
    #[serde(alias = "title", alias = "text")]
    caption: String,
    #[serde(
        default,
        alias = "neg_caption",
        alias = "negative_caption",
        alias = "neg_captions",
        alias = "hard_negatives"
    )]
    negatives: OneOrMany,
    #[serde(default, alias = "filepath", alias = "filename", alias = "image_path")]
    image: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<Sentence>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// A string, or an object as `clove negatives` writes it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Sentence {
    Plain(String),
    Explained { caption: String },
}

fn json_row(line: &[u8]) -> Result<Row, String> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let row: JsonRow = serde_json::from_slice(line).map_err(|e| format!("is no caption with negatives: {e}"))?;
    let negatives = match row.negatives {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(many) => {
            let text = |s| match s {
                Sentence::Plain(text) | Sentence::Explained { caption: text } => text,
            };
            many.into_iter().map(text).collect()
        }
    };
    Ok(Row { caption: row.caption, negatives, image: row.image })
}
