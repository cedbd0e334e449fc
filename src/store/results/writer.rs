//! The one writer of a folder of results.
//!
//! A result is stored in two steps: first its file of examples, which carries its lines too, then the lines in the log.
//! A writer that finds files without lines, or a last result with too few of them, knows that its predecessor was killed
//! in between and completes the log.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::file::{self, Stored};
use super::super::{StoreError, WriterLock, remove_leftovers};
use super::{Line, PerExample, Record, Results, examples, log, read_log, whole_lines};

/// Holds the folder for writing.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    /// Lines in the log by key.
    logged: BTreeMap<String, usize>,
    _lock: WriterLock,
}

impl Writer {
    /// Takes the folder, making it where it is missing, and completes what a killed writer left.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while there is another writer, [`StoreError::Io`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let lock = WriterLock::take(folder)?;
        remove_leftovers(&folder.join("similarities"), Duration::ZERO);
        let mut writer = Self { folder: folder.to_owned(), logged: BTreeMap::new(), _lock: lock };
        let last = writer.read_log()?;
        for key in Results::of(folder).keys()? {
            if last.as_ref() == Some(&key) || !writer.logged.contains_key(&key) {
                let path = examples(folder, &key);
                let record = Stored::open(&path)?.and_then(|stored| stored.record::<Record>().ok());
                // A file that cannot be read is written again when its result is wanted.
                if let Some(record) = record.filter(|record| record.key == key) {
                    writer.append(&key, &record.lines)?;
                }
            }
        }
        Ok(writer)
    }

    /// Counts the log's lines, cuts an unfinished one off, and returns the last key.
    fn read_log(&mut self) -> Result<Option<String>, StoreError> {
        let path = log(&self.folder);
        let bytes = read_log(&path)?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            let cut = OpenOptions::new().write(true).open(&path);
            let cut = cut.and_then(|file| file.set_len(whole as u64).and_then(|()| file.sync_all()));
            cut.map_err(StoreError::io("repair the results", &path))?;
        }
        let mut last = None;
        for line in whole_lines(&bytes).filter_map(|line| serde_json::from_slice::<Line>(line).ok()) {
            *self.logged.entry(line.key.clone()).or_insert(0) += 1;
            last = Some(line.key);
        }
        Ok(last)
    }

    /// A result that is stored already and whole, else `None`.
    pub fn find(&self, key: &str) -> Option<PerExample> {
        Results::of(&self.folder).per_example(key).ok().flatten()
    }

    /// Stores a result: `lines` for the log, all with this key, and its examples.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Row`].
    pub fn put(&mut self, key: &str, lines: &[Line], per_example: &PerExample) -> Result<(), StoreError> {
        let lines = lines.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let record = Record { key: key.to_owned(), lines, unreadable: per_example.unreadable.clone() };
        file::write(&examples(&self.folder, key), &record, &per_example.columns())?;
        self.append(key, &record.lines)
    }

    /// Adds those of a key's lines that the log lacks, in one write.
    fn append(&mut self, key: &str, lines: &[String]) -> Result<(), StoreError> {
        let logged = self.logged.entry(key.to_owned()).or_insert(0);
        let mut text = String::new();
        for line in lines.iter().skip(*logged) {
            text.push_str(line);
            text.push('\n');
        }
        if text.is_empty() {
            return Ok(());
        }
        let path = log(&self.folder);
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_data()));
        written.map_err(StoreError::io("store the results", &path))?;
        *logged = lines.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::AlphaMap;
    use crate::store::results::{End, Row};

    fn line(key: &str, metric: &str, value: f64) -> Line {
        let row = Row {
            benchmark: "b".into(),
            task: None,
            alpha: AlphaMap::BASE,
            metric: metric.into(),
            value,
            correct: 1,
            scored: 3,
            skipped: 0,
            ties: 0,
            interval: [value / 1.7, value * 1.3],
            bootstrap: None,
            blind: None,
            remarks: Vec::new(),
            protocol: "p".into(),
        };
        let end = End { path: "x".into(), sha256: "y".into(), ..End::default() };
        let (base, tuned) = (end.clone(), end);
        Line { row, key: key.into(), base, tuned, data: "d".into(), device: "CPU".into(), version: "0".into() }
    }

    /// Two lines of awkward numbers for every key.
    fn put(folder: &Path, keys: &[&str]) {
        let mut writer = Writer::open(folder).unwrap();
        for (i, key) in keys.iter().enumerate() {
            let value = 100.0 * (i as f64 + 1.0) / 7.3;
            let lines = [line(key, "top1", value), line(key, "top5", value / 3.1)];
            if writer.find(key).is_none() {
                writer.put(key, &lines, &PerExample::new()).unwrap();
            }
        }
    }

    #[test]
    fn a_log_that_was_cut_anywhere_is_completed_to_the_byte() {
        let room = tempfile::tempdir().unwrap();
        let folder = room.path();
        put(folder, &["c", "a"]);
        let before = std::fs::read(log(folder)).unwrap();
        put(folder, &["c", "a", "b"]);
        let whole = std::fs::read(log(folder)).unwrap();
        assert!(whole.starts_with(&before) && whole.len() > before.len());
        // A writer is killed after the file of examples of its last result, with any part of the lines in the log.
        for end in before.len()..whole.len() {
            std::fs::write(log(folder), &whole[..end]).unwrap();
            let seen = Results::of(folder).lines().unwrap();
            assert_eq!(seen.len(), String::from_utf8_lossy(&whole[..end]).matches('\n').count());
            drop(Writer::open(folder).unwrap());
            assert!(std::fs::read(log(folder)).unwrap() == whole, "cut at {end}");
        }
        // It is killed before: the next one computes the result again.
        std::fs::remove_file(examples(folder, "b")).unwrap();
        std::fs::write(log(folder), &before).unwrap();
        put(folder, &["c", "a", "b"]);
        assert!(std::fs::read(log(folder)).unwrap() == whole);
    }
}
