//! Scores and what they were made of: the log `results.jsonl` and one file per pair, alpha and benchmark.

mod per_example;
mod writer;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::file::{Stored, digest};
use crate::patch::AlphaMap;

pub use per_example::{PerExample, Unreadable};
pub use writer::Writer;

/// What a result depends on, and therefore its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Hash of both weights and of everything else that decides what the towers compute.
    pub model: &'a str,
    /// Where between them.
    pub alpha: AlphaMap,
    /// Hash of the benchmark: its question, the content of its images, protocol, tie rule and subset.
    pub data: &'a str,
}

impl Identity<'_> {
    /// The name: 32 hexadecimal digits.
    pub fn key(&self) -> String {
        let alphas = [self.alpha.image(), self.alpha.text()].map(|alpha| alpha.get().to_bits().to_le_bytes());
        let parts = [b"result 1", self.model.as_bytes(), &alphas[0], &alphas[1], self.data.as_bytes()];
        digest(parts)[..32].to_owned()
    }
}

/// One score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of `--benchmark`.
    pub benchmark: String,
    /// The published task, where there are several.
    pub task: Option<String>,
    /// Where between base and tuned.
    pub alpha: AlphaMap,
    /// `accuracy`, `macro-accuracy`, `top1`, …
    pub metric: String,
    /// Percent.
    pub value: f64,
    /// Examples that were right.
    pub correct: usize,
    /// Examples that were judged.
    pub scored: usize,
    /// Examples of the file that could not be used.
    pub skipped: usize,
    /// Examples in which the right answer tied with another.
    pub ties: usize,
    /// 95 % interval in percent.
    pub interval: [f64; 2],
    /// For macro means, a second interval that assumes no distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<Bootstrap>,
    /// Percent right of a text-only model, for caption choices.
    pub blind: Option<f64>,
    /// What readers of the score must know: unreadable items, foils that no model can tell from the caption.
    pub remarks: Vec<String>,
    /// The protocol in one sentence.
    pub protocol: String,
}

/// A percentile interval from resampled examples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// 95 % interval in percent.
    pub interval: [f64; 2],
    /// Resamples drawn.
    pub resamples: usize,
    /// What they were drawn from.
    pub seed: u64,
}

/// One end of a pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// As the user named it.
    pub path: PathBuf,
    /// SHA-256 of the weights.
    pub sha256: String,
    /// Sizes of both towers; absent in the results of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The activation and where it was learnt from; absent in the results of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The score.
    #[serde(flatten)]
    pub row: Row,
    /// Names the file of its examples; the rows of one benchmark at one alpha share it.
    pub key: String,
    /// Alpha 0.
    pub base: End,
    /// Alpha 1.
    pub tuned: End,
    /// Hash of the benchmark.
    pub data: String,
    /// What computed it.
    pub device: String,
    /// Version of clove.
    pub version: String,
}

/// The header of a file of examples.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    key: String,
    /// As they stand in the log: parsing and printing a number may change its last digit.
    lines: Vec<String>,
    unreadable: Vec<Unreadable>,
}

/// Results to read, also while somebody writes them.
#[derive(Clone, Debug)]
pub struct Results {
    folder: PathBuf,
}

impl Results {
    /// Those in `folder`, which need not be there yet.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Every complete line of the log, the latest last. Lines of another form, such as those of clove 0.1, are passed
    /// over.
    ///
    /// # Errors
    /// [`StoreError::Io`]; a log that does not exist is empty.
    pub fn lines(&self) -> Result<Vec<Line>, StoreError> {
        let bytes = read_log(&log(&self.folder))?;
        Ok(whole_lines(&bytes).filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// The examples behind the lines with this key, `None` where there are none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the file is not as it was written.
    pub fn per_example(&self, key: &str) -> Result<Option<PerExample>, StoreError> {
        let path = examples(&self.folder, key);
        let Some(stored) = Stored::open(&path)? else { return Ok(None) };
        let found = stored.record::<Record>().and_then(|record| {
            if record.key == key { PerExample::read(&stored, record.unreadable) } else { Err("it is renamed".into()) }
        });
        found.map(Some).map_err(|reason| StoreError::Damaged { path, reason })
    }

    /// Keys that have a file of examples.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn keys(&self) -> Result<BTreeSet<String>, StoreError> {
        let folder = self.folder.join("similarities");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(StoreError::io("read the results", folder)(error)),
        };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        Ok(names.filter_map(|name| name.strip_suffix(".safetensors").map(str::to_owned)).collect())
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("results.jsonl")
}

fn examples(folder: &Path, key: &str) -> PathBuf {
    folder.join("similarities").join(format!("{key}.safetensors"))
}

fn read_log(path: &Path) -> Result<Vec<u8>, StoreError> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(StoreError::io("read the results", path)),
    }
}

/// Lines that end; a last one without its line break is being written, or its writer was killed.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = bytes.iter().rposition(|b| *b == b'\n').unwrap_or(0);
    bytes[..end].split(|b| *b == b'\n').filter(|line| !line.is_empty())
}
