//! ARO COCO-Order: the true caption among four shuffles of its words.
//!
//! The reference draws its shuffles anew on every machine and never released them
//! (`mertyg/vision-language-models-are-bows` issue 6), so only pre-generated options are read: `instances.json` in the
//! form of `Netflix/clove`.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::choices::{Protocol, Reading, tags};
use super::images::Images;
use super::{Benchmark, Choice, Metric, ReadError, TieRule, locate};

/// Name of `--benchmark`.
pub(super) const NAME: &str = "aro-coco-order";

const FILE: &str = "instances.json";
/// Folders in which the file usually lies; Flickr30k-Order uses the same file name in another one.
const USUAL: [&str; 6] = ["", "coco_order", "coco-order", "aro", "aro/coco_order", "aro/coco-order"];

/// A row. Unknown keys are ignored.
#[derive(Deserialize)]
struct Row {
    image_path: String,
    caption_options: Vec<String>,
    #[serde(default)]
    tags: Value,
}

/// The file with the options: in the usual folders, else in any folder directly in `data` that is not Flickr30k's.
pub(super) fn file(data: &Path) -> Option<PathBuf> {
    let usual = USUAL.iter().map(|folder| data.join(folder));
    let other = locate::subfolders(data).into_iter().filter(|folder| {
        folder.file_name().is_some_and(|name| !name.to_string_lossy().to_lowercase().contains("flickr"))
    });
    usual.chain(other).map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

/// Reads the pre-generated options, the true caption first. A shuffle that came out equal to the true caption stays, as
/// in the reference, where the first maximum wins: such a tie is right.
pub(super) fn read(data: &Path) -> Result<Benchmark, ReadError> {
    let path = file(data).ok_or_else(|| ReadError::NotFound {
        name: NAME,
        wanted: format!("{FILE} (pre-generated options)"),
        data: data.to_owned(),
    })?;
    let images = Images::below(locate::image_roots(data, &path, &["images"], &["val2014"]));
    let reading = Reading::read(path, images, |row, images| choice(row, images).map(Some))?;
    let equal = reading.choices.iter().filter(|choice| choice.captions[1..].contains(&choice.captions[0])).count();
    let sentence = format!(
        "accuracy among pre-generated word orders; a tie is right ({equal} have a shuffle equal to the true caption)"
    );
    let protocol = Protocol { name: NAME, task: None, metric: Metric::Accuracy, ties: TieRule::First };
    Ok(reading.finish(protocol, sentence))
}

fn choice(row: Value, images: &mut Images) -> Result<Choice, String> {
    let row: Row = serde_json::from_value(row).map_err(|error| error.to_string())?;
    if row.caption_options.len() < 2 {
        return Err("it has fewer than two caption options".to_owned());
    }
    Ok(Choice {
        image: images.place(&row.image_path, None)?,
        captions: row.caption_options,
        right: 0,
        group: None,
        tags: tags([], &row.tags),
    })
}

#[cfg(test)]
#[path = "aro_order_tests.rs"]
mod tests;
