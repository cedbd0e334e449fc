//! ARO's Visual Genome tasks: who stands in which relation to whom, and which attribute belongs to which object.
//!
//! Files, fields and protocol: `mertyg/vision-language-models-are-bows`, `dataset_zoo/aro_datasets.py` and its notebook
//! (Yuksekgonul et al., 2023).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::aro_excluded::EXCLUDED_RELATIONS;
use super::choices::{Protocol, Reading, tags};
use super::images::Images;
use super::{Benchmark, Choice, Metric, ReadError, TieRule, locate};

/// Names of `--benchmark`.
pub(super) const RELATION: &str = "aro-relation";
/// Names of `--benchmark`.
pub(super) const ATTRIBUTION: &str = "aro-attribution";
/// Published file names.
pub(super) const RELATION_FILE: &str = "visual_genome_relation.json";
/// Published file names.
pub(super) const ATTRIBUTION_FILE: &str = "visual_genome_attribution.json";

/// Pairs of attributes with fewer examples stay out of the macro mean.
const MIN_PAIR_COUNT: usize = 25;
/// Largest coordinate of a crop box in pixels. The part of a box outside its image is painted black, so a box is a size
/// to allocate; published images have at most about 1,300 pixels a side.
const MAX_COORDINATE: f64 = 16_384.0;

/// A row of either file. Unknown keys are ignored.
#[derive(Deserialize)]
struct Row {
    image_path: String,
    bbox_x: f64,
    bbox_y: f64,
    bbox_w: f64,
    bbox_h: f64,
    true_caption: String,
    false_caption: String,
    relation_name: Option<String>,
    attributes: Option<[String; 2]>,
    #[serde(default)]
    tags: Value,
}

/// Reads `visual_genome_relation.json`: the macro mean over relation names after the reference's exclusions, without a
/// minimum count.
pub(super) fn read_relation(data: &Path) -> Result<Benchmark, ReadError> {
    let path = locate::require(RELATION, data, RELATION_FILE)?;
    let images = vg_images(data, &path);
    let reading = Reading::read(path, images, |row, images| {
        let row = parse(row)?;
        let relation = row.relation_name.clone().ok_or("it has no `relation_name`")?;
        if EXCLUDED_RELATIONS.binary_search(&relation.as_str()).is_ok() {
            return Ok(None);
        }
        choice(row, relation.clone(), [relation], images).map(Some)
    })?;
    let relations = counted(group_counts(&reading.asked).len(), "relation");
    let excluded = match reading.excluded {
        0 => String::new(),
        n => format!(" ({} of relations that the reference excludes left out)", counted(n, "row")),
    };
    let sentence = format!("mean accuracy over {relations}{excluded}; boxes cropped; a tie is wrong");
    let metric = Metric::MacroAccuracy { min_count: 1 };
    Ok(reading.finish(Protocol { name: RELATION, task: None, metric, ties: TieRule::First }, sentence))
}

/// Reads `visual_genome_attribution.json`: the macro mean over ordered pairs of attributes with at least 25 examples,
/// or plain accuracy where no pair has as many.
pub(super) fn read_attribution(data: &Path) -> Result<Benchmark, ReadError> {
    let path = locate::require(ATTRIBUTION, data, ATTRIBUTION_FILE)?;
    let images = vg_images(data, &path);
    let reading = Reading::read(path, images, |row, images| {
        let row = parse(row)?;
        let attributes = row.attributes.clone().ok_or("it has no `attributes`")?;
        choice(row, attributes.join("_"), attributes, images).map(Some)
    })?;
    let counts = group_counts(&reading.asked);
    let large = counts.values().filter(|&&count| count >= MIN_PAIR_COUNT).count();
    let (metric, average) = if large == 0 {
        (Metric::Accuracy, format!("accuracy, as no pair of attributes has {MIN_PAIR_COUNT} examples"))
    } else {
        let pairs = counted(large, "pair");
        let average = format!("mean accuracy over {pairs} of attributes with at least {MIN_PAIR_COUNT} examples");
        (Metric::MacroAccuracy { min_count: MIN_PAIR_COUNT }, average)
    };
    let sentence = format!("{average}; boxes cropped; a tie is wrong");
    Ok(reading.finish(Protocol { name: ATTRIBUTION, task: None, metric, ties: TieRule::First }, sentence))
}

/// The flat `images` folder of the release, or the two folders of the full Visual Genome, whose names are the same.
fn vg_images(data: &Path, annotation: &Path) -> Images {
    let roots: Vec<PathBuf> = locate::image_roots(data, annotation, &["images"], &["VG_100K", "VG_100K_2"]);
    Images::below(roots)
}

fn parse(row: Value) -> Result<Row, String> {
    serde_json::from_value(row).map_err(|error| error.to_string())
}

/// Options in the reference's order `[false, true]`: with the first maximum winning, a tie is wrong.
fn choice(
    row: Row,
    group: String,
    own_tags: impl IntoIterator<Item = String>,
    images: &mut Images,
) -> Result<Choice, String> {
    let crop = crop_box(&row)?;
    Ok(Choice {
        image: images.place(&row.image_path, Some(crop))?,
        captions: vec![row.false_caption, row.true_caption],
        right: 1,
        group: Some(group),
        tags: tags(own_tags, &row.tags),
    })
}

/// (x0, y0, x1, y1), unrounded; parts outside the image are allowed.
fn crop_box(row: &Row) -> Result<[f64; 4], String> {
    let Row { bbox_x: x, bbox_y: y, bbox_w: w, bbox_h: h, .. } = row;
    let within = [x, y, w, h].iter().all(|v| v.abs() <= MAX_COORDINATE);
    if within && *w > 0.0 && *h > 0.0 {
        Ok([*x, *y, x + w, y + h])
    } else {
        Err(format!("its box (x {x}, y {y}, {w}×{h}) is empty or beyond {MAX_COORDINATE} pixels"))
    }
}

fn group_counts(choices: &[Choice]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for group in choices.iter().filter_map(|choice| choice.group.as_deref()) {
        *counts.entry(group).or_default() += 1;
    }
    counts
}

fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
#[path = "aro_tests.rs"]
mod tests;
