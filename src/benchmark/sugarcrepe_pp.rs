//! SugarCrepe++: two captions that say the same and one that does not (`Sri-Harsha/scpp`, Dumpala et al., 2024).

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::choices::Reading;
use super::images::Images;
use super::{Benchmark, Cell, Duel, ReadError, TieRule, Win, locate};

/// Name of `--benchmark`.
pub(super) const NAME: &str = "sugarcrepe-pp";

/// The published tasks; each is a file `<task>.json`, as SugarCrepe's are.
const TASKS: [&str; 5] = ["replace_att", "replace_obj", "replace_rel", "swap_att", "swap_obj"];

/// A row. Unknown keys are ignored.
#[derive(Deserialize)]
struct Row {
    filename: String,
    caption: String,
    caption2: String,
    negative_caption: String,
}

/// Whether a file of that name is this set's and not SugarCrepe's: only here have items a second caption.
pub(super) fn is_own(path: &Path) -> bool {
    locate::begins_with_word(path, "\"caption2\"")
}

fn file(data: &Path, task: &str) -> Option<PathBuf> {
    locate::file_where(data, &[&format!("{task}.json")], is_own)
}

/// Whether at least one task's file is there.
pub(super) fn exists(data: &Path) -> bool {
    TASKS.iter().any(|task| file(data, task).is_some())
}

/// Reads the tasks whose files exist, each twice: `<task>-itt` asks the image (both right captions ahead of the wrong
/// one), `<task>-tot` the text tower alone (the right captions closer to each other than either to the wrong one).
pub(super) fn read(data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    let mut benchmarks = Vec::new();
    for (task, path) in TASKS.iter().filter_map(|task| Some((task, file(data, task)?))) {
        let images = Images::below(locate::image_roots(data, &path, &["images"], &["val2017"]));
        let reading = Reading::read(path, images, |row, images| duel(task, row, images).map(Some))?;
        let win = |ahead, behind| Win { ahead, behind };
        let image = [0, 1].map(|right| win(Cell::Image(0, right), Cell::Image(0, 2)));
        let text = [0, 1].map(|right| win(Cell::Texts(0, 1), Cell::Texts(right, 2)));
        let tasks: [(&str, &[Win], &str); 2] = [
            (
                &format!("{task}-itt"),
                &image,
                "image to text: the image is closer to both right captions than to the wrong one; a tie is wrong",
            ),
            (
                &format!("{task}-tot"),
                &text,
                "text alone: the right captions are closer to each other than to the wrong one; a tie is wrong",
            ),
        ];
        benchmarks.extend(reading.finish_tasks(NAME, TieRule::Strict, &tasks));
    }
    if benchmarks.is_empty() {
        let wanted = format!("task file with second captions ({}.json)", TASKS.join(".json, "));
        return Err(ReadError::NotFound { name: NAME, wanted, data: data.to_owned() });
    }
    Ok(benchmarks)
}

fn duel(task: &str, row: Value, images: &mut Images) -> Result<Duel, String> {
    let row: Row = serde_json::from_value(row).map_err(|error| error.to_string())?;
    Ok(Duel {
        images: vec![images.place(&row.filename, None)?],
        captions: vec![row.caption, row.caption2, row.negative_caption],
        wins: Vec::new(),
        tags: vec![task.to_owned()],
    })
}

#[cfg(test)]
#[path = "sugarcrepe_pp_tests.rs"]
mod tests;
