//! ARO's COCO-Order and Flickr30k-Order: the true caption among four shuffles of its words.
//!
//! The reference draws its shuffles anew on every machine and never released them
//! (`mertyg/vision-language-models-are-bows` issue 6). Pre-generated options are read as they are: `instances.json` in
//! the form of `Netflix/clove`. Else the options are made of the captions and of part-of-speech tags, which a file or a
//! [`Tagger`] gives.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::choices::{Protocol, Reading, tags};
use super::images::Images;
use super::karpathy::{self, Captioned};
use super::rows::json_rows;
use super::word_order::{Tagged, Tagger, WordOrders};
use super::{Benchmark, Choice, Metric, ReadError, TieRule, locate};

/// Names of `--benchmark`.
pub(super) const COCO: &str = "aro-coco-order";
/// Names of `--benchmark`.
pub(super) const FLICKR: &str = "aro-flickr-order";

const FILE: &str = "instances.json";
/// Folders in which the file usually lies; both sets use the same file name.
const USUAL_COCO: [&str; 6] = ["", "coco_order", "coco-order", "aro", "aro/coco_order", "aro/coco-order"];
const USUAL_FLICKR: [&str; 5] =
    ["flickr_order", "flickr30k_order", "flickr-order", "aro/flickr_order", "aro/flickr-order"];
/// The reference's seed.
const SEED: u32 = 1;

/// A row. Unknown keys are ignored.
#[derive(Deserialize)]
struct Row {
    image_path: String,
    caption_options: Vec<String>,
    #[serde(default)]
    tags: Value,
}

/// The file with the options: in the usual folders, else in any folder directly in `data` that is named after Flickr,
/// or is not.
pub(super) fn file(name: &str, data: &Path) -> Option<PathBuf> {
    let is_flickr =
        |path: &Path| path.file_name().is_some_and(|n| n.to_string_lossy().to_lowercase().contains("flickr"));
    let usual: &[&str] = if name == COCO { &USUAL_COCO } else { &USUAL_FLICKR };
    let usual = usual.iter().map(|folder| data.join(folder));
    let mut folders = locate::subfolders(data);
    if name == FLICKR {
        folders.push(data.to_owned());
    }
    let other = folders.into_iter().filter(|folder| is_flickr(folder) == (name == FLICKR));
    usual.chain(other).map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

/// The captions of which options can be made: Salesforce's list, which the reference reads.
pub(super) fn captions_file(name: &str, data: &Path) -> Option<PathBuf> {
    let [list, ..] = karpathy::files(retrieval_name(name));
    locate::file(data, list)
}

/// Tags for a caption file: an array with a list of `[token, tag]` per caption, in file order.
pub(super) fn tags_file(captions: &Path) -> PathBuf {
    let stem = captions.file_stem().unwrap_or_default().to_string_lossy();
    captions.with_file_name(format!("{stem}_tags.json"))
}

fn retrieval_name(name: &str) -> &'static str {
    if name == COCO { karpathy::COCO } else { karpathy::FLICKR }
}

/// Whether options are there or can be made without a tagger.
pub(super) fn exists(name: &str, data: &Path) -> bool {
    file(name, data).is_some() || captions_file(name, data).is_some_and(|captions| tags_file(&captions).is_file())
}

/// Reads pre-generated options, the true caption first, or makes them with the tags of a file or of `tagger`. A shuffle
/// that came out equal to the true caption stays, as in the reference, where the first maximum wins: such a tie is right.
pub(super) fn read(name: &'static str, data: &Path, tagger: Option<&dyn Tagger>) -> Result<Benchmark, ReadError> {
    if let Some(path) = file(name, data) {
        let published: &[&str] = if name == COCO { &["val2014"] } else { &["flickr30k-images"] };
        let images = Images::below(locate::image_roots(data, &path, &["images"], published));
        let rows = json_rows(&path)?;
        return finish(name, path, rows, images, "pre-generated word orders");
    }
    let not_found = || ReadError::NotFound {
        name,
        wanted: format!("{FILE} (pre-generated options) or {}", karpathy::files(retrieval_name(name))[0]),
        data: data.to_owned(),
    };
    let path = captions_file(name, data).ok_or_else(not_found)?;
    let images = karpathy::images(retrieval_name(name), data, &path);
    let tags_file = tags_file(&path);
    let (tagging, source) = if tags_file.is_file() {
        let name = tags_file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (Tagging::File(tag_lists(&tags_file)?), name)
    } else if let Some(tagger) = tagger {
        (Tagging::Tagger(tagger), tagger.name().to_owned())
    } else {
        let tags = tags_file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let reason = format!("{name}: word orders are made with part-of-speech tags; put {tags} beside it, or {FILE}");
        return Err(ReadError::Unusable { path, reason });
    };
    let rows = made_rows(&path, &tagging)?;
    let said = format!("word orders made with the reference's generators (seed {SEED}) and the tags of {source}");
    finish(name, path, rows, images, &said)
}

enum Tagging<'a> {
    File(Vec<Vec<Tagged>>),
    Tagger(&'a dyn Tagger),
}

fn tag_lists(path: &Path) -> Result<Vec<Vec<Tagged>>, ReadError> {
    let rows = json_rows(path)?.into_iter().map(|(_, row)| serde_json::from_value(row));
    rows.collect::<Result<_, _>>().map_err(|error| ReadError::Unusable {
        path: path.to_owned(),
        reason: format!("it must hold a list of [token, tag] per caption ({error})"),
    })
}

/// Rows as in [`FILE`], one per caption. Every caption draws, usable or not, so that the streams stay the reference's.
fn made_rows(path: &Path, tagging: &Tagging) -> Result<Vec<(String, Value)>, ReadError> {
    let captioned: Vec<Captioned> = karpathy::captioned(path)?.into_iter().flatten().collect();
    let captions: usize = captioned.iter().map(|image| image.captions.len()).sum();
    if let Tagging::File(lists) = tagging
        && lists.len() != captions
    {
        let reason = format!("it has tags for {} captions, and {} has {captions}", lists.len(), path.display());
        return Err(ReadError::Unusable { path: tags_file(path), reason });
    }
    let (mut orders, mut rows) = (WordOrders::new(SEED), Vec::with_capacity(captions));
    for image in captioned {
        for (i, caption) in image.captions.iter().enumerate() {
            let options = match tagging {
                Tagging::File(lists) => orders.options(caption, lists.get(rows.len()).map_or(&[], Vec::as_slice)),
                Tagging::Tagger(tagger) => orders.options(caption, &tagger.tag(caption)),
            };
            let file = image.files.first().map_or("", String::as_str);
            let row = json!({ "image_path": file, "caption_options": options });
            rows.push((format!("{} caption {i}", image.item), row));
        }
    }
    Ok(rows)
}

fn finish(
    name: &'static str,
    path: PathBuf,
    rows: Vec<(String, Value)>,
    images: Images,
    said: &str,
) -> Result<Benchmark, ReadError> {
    let reading = Reading::of_items(path, rows, images, |row, images| choice(row, images).map(Some))?;
    let equal = reading.asked.iter().filter(|choice| choice.captions[1..].contains(&choice.captions[0])).count();
    let sentence = format!("accuracy among {said}; a tie is right ({equal} have a shuffle equal to the true caption)");
    let protocol = Protocol { name, task: None, metric: Metric::Accuracy, ties: TieRule::First };
    Ok(reading.finish(protocol, sentence))
}

fn choice(row: Value, images: &mut Images) -> Result<Choice, String> {
    let row: Row = serde_json::from_value(row).map_err(|error| error.to_string())?;
    if row.caption_options.len() < 2 {
        return Err("it has fewer than two caption options".to_owned());
    }
    Ok(Choice {
        image: images.place_or_bare(&row.image_path)?,
        captions: row.caption_options,
        right: 0,
        group: None,
        tags: tags([], &row.tags),
    })
}

#[cfg(test)]
#[path = "aro_order_tests.rs"]
mod tests;
