//! SugarCrepe: seven tasks with one fluent hard negative each, on COCO val2017 (`RAIVNLab/sugar-crepe`, Hsieh et al.,
//! 2023).

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::choices::{Protocol, Reading, tags};
use super::images::Images;
use super::{Benchmark, Choice, Metric, ReadError, TieRule, locate, sugarcrepe_pp};

/// Name of `--benchmark`.
pub(super) const NAME: &str = "sugarcrepe";

/// The published tasks in the order of the reference's result files; each is a file `<task>.json`.
const TASKS: [&str; 7] = ["add_obj", "add_att", "replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att"];

/// A row. Unknown keys are ignored.
#[derive(Deserialize)]
struct Row {
    filename: String,
    caption: String,
    negative_caption: String,
    #[serde(default)]
    tags: Value,
}

/// Whether at least one task's file is there.
pub(super) fn exists(data: &Path) -> bool {
    TASKS.iter().any(|task| file(data, task).is_some())
}

/// A task's file; SugarCrepe++ uses the same names.
fn file(data: &Path, task: &str) -> Option<PathBuf> {
    locate::file_where(data, &[&format!("{task}.json")], |path| !sugarcrepe_pp::is_own(path))
}

/// Reads the tasks whose files exist, a benchmark each; the protocol sentence names the missing ones.
pub(super) fn read(data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for task in TASKS {
        match file(data, task) {
            Some(path) => found.push((task, path)),
            None => missing.push(task),
        }
    }
    if found.is_empty() {
        let wanted = format!("task file ({}.json)", TASKS.join(".json, "));
        return Err(ReadError::NotFound { name: NAME, wanted, data: data.to_owned() });
    }
    let mut sentence = "accuracy; the right caption must be strictly ahead: a tie is wrong".to_owned();
    if !missing.is_empty() {
        tracing::warn!("sugarcrepe: no file for {}", missing.join(", "));
        sentence = format!("{sentence}; {} of 7 tasks at hand (no {})", found.len(), missing.join(", "));
    }
    let mut benchmarks = Vec::new();
    for (task, path) in found {
        let images = Images::below(locate::image_roots(data, &path, &["images"], &["val2017"]));
        let reading = Reading::read(path, images, |row, images| choice(task, row, images).map(Some))?;
        let protocol =
            Protocol { name: NAME, task: Some(task.to_owned()), metric: Metric::Accuracy, ties: TieRule::Strict };
        benchmarks.push(reading.finish(protocol, sentence.clone()));
    }
    Ok(benchmarks)
}

fn choice(task: &str, row: Value, images: &mut Images) -> Result<Choice, String> {
    let row: Row = serde_json::from_value(row).map_err(|error| error.to_string())?;
    Ok(Choice {
        image: images.place(&row.filename, None)?,
        captions: vec![row.caption, row.negative_caption],
        right: 0,
        group: None,
        tags: tags([task.to_owned()], &row.tags),
    })
}

#[cfg(test)]
#[path = "sugarcrepe_tests.rs"]
mod tests;
