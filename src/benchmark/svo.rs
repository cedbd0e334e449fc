//! SVO-Probes: which of two pictures shows what a sentence says, when they differ in subject, verb or object
//! (`deepmind/svo_probes`, Hendricks & Nematzadeh, 2021).
//!
//! The set is scored as contrastive models are (`Netflix/clove`): the sentence with both images, micro accuracy per kind
//! of difference. The official protocol, a yes or no for each pair of sentence and image, needs another model.

use std::path::Path;

use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::Value;

use super::choices::Reading;
use super::images::Images;
use super::rows::csv_rows;
use super::{Benchmark, Cell, Duel, ReadError, TieRule, Win, locate};

/// Name of `--benchmark`.
pub(super) const NAME: &str = "svo-probes";
/// Published file name.
pub(super) const FILE: &str = "svo_probes.csv";

/// What may differ between the two images, in the reference's order: the first that applies is a row's kind.
const KINDS: [&str; 3] = ["subject", "verb", "object"];
const EXTENSIONS: [&str; 5] = ["", ".jpg", ".jpeg", ".png", ".webp"];

/// A row of the file. Fields are found by name; unknown ones are ignored.
#[derive(Deserialize)]
struct Row {
    sentence: String,
    #[serde(default)]
    pos_triplet: String,
    #[serde(default)]
    pos_image_id: String,
    #[serde(default)]
    neg_image_id: String,
    #[serde(default)]
    pos_url: String,
    #[serde(default)]
    neg_url: String,
}

/// Reads `svo_probes.csv`, a task for each kind of difference. Images are files named by the MD5 of their address, as
/// `Netflix/clove` stores them, or by their id; rows whose images are not there are skipped, as many addresses are dead.
pub(super) fn read(data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    let path = locate::require(NAME, data, FILE)?;
    let mut by_kind: [Vec<(String, Value)>; 3] = Default::default();
    for (item, row) in csv_rows(&path)? {
        by_kind[kind(&row)].push((item, row));
    }
    let (mut benchmarks, mut first_error) = (Vec::new(), None);
    for (task, rows) in KINDS.into_iter().zip(by_kind).filter(|(_, rows)| !rows.is_empty()) {
        let roots = locate::image_roots(data, &path, &["images", "svo_images", "svo_probes_images"], &[]);
        let images = Images::below(roots);
        match Reading::of_items(path.clone(), rows, images, |row, images| duel(row, images).map(Some)) {
            Ok(reading) => {
                let sentence = format!(
                    "accuracy of the sentence against two images that differ in the {task}: {} of {} rows have both \
                     images; a tie is drawn at random",
                    reading.asked.len(),
                    reading.n_in_file
                );
                let wins = [Win { ahead: Cell::Image(0, 0), behind: Cell::Image(1, 0) }];
                let ties = TieRule::Random { seed: 0 };
                benchmarks.extend(reading.finish_tasks(NAME, ties, &[(task, &wins, &sentence)]));
            }
            Err(error) => {
                tracing::warn!("svo-probes: {task}: {error}");
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if benchmarks.is_empty() => Err(error),
        _ => Ok(benchmarks),
    }
}

/// Index into [`KINDS`].
fn kind(row: &Value) -> usize {
    let is_true = |key: &str| row[key].as_str().is_some_and(|text| matches!(text.trim(), "True" | "true" | "1"));
    if is_true("subj_neg") {
        0
    } else if is_true("verb_neg") {
        1
    } else {
        2
    }
}

fn duel(row: Value, images: &mut Images) -> Result<Duel, String> {
    let row: Row = serde_json::from_value(row).map_err(|error| error.to_string())?;
    if row.sentence.trim().is_empty() || row.sentence.trim().eq_ignore_ascii_case("nan") {
        return Err("it has no sentence".to_owned());
    }
    let right = images.place_any(&names(&row.pos_url, &row.pos_image_id))?;
    let wrong = images.place_any(&names(&row.neg_url, &row.neg_image_id))?;
    let words = row.pos_triplet.split(',').map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let tags = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    Ok(Duel { images: vec![right, wrong], captions: vec![row.sentence], wins: Vec::new(), tags })
}

/// File names under which an image may be stored.
fn names(url: &str, id: &str) -> Vec<String> {
    let stems = [(!url.is_empty()).then(|| hex(&Md5::digest(url.as_bytes()))), (!id.is_empty()).then(|| id.to_owned())];
    stems.into_iter().flatten().flat_map(|stem| EXTENSIONS.map(|extension| format!("{stem}{extension}"))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[cfg(test)]
#[path = "svo_tests.rs"]
mod tests;
