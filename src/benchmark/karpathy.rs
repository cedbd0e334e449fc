//! COCO and Flickr30k retrieval with Karpathy's test split, in the three forms in which its captions are published.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::images::Images;
use super::rows::{bounded_text, json_rows};
use super::{Benchmark, Direction, Items, Metric, ReadError, Retrieval, Skipped, TieRule, locate};

/// Names of `--benchmark`.
pub(super) const COCO: &str = "retrieval-coco";
/// Names of `--benchmark`.
pub(super) const FLICKR: &str = "retrieval-flickr";

/// Largest caption list of `CLIP_benchmark`; the published one has about 0.5 MB.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// Published file names: Salesforce's lists, Karpathy's own files, `CLIP_benchmark`'s.
pub(super) fn files(name: &str) -> [&'static str; 3] {
    if name == COCO {
        ["coco_karpathy_test.json", "dataset_coco.json", "coco_test_karpathy.json"]
    } else {
        ["flickr30k_test.json", "dataset_flickr30k.json", "flickr30k_test_karpathy.txt"]
    }
}

/// Where the images of either set lie.
pub(super) fn images(name: &str, data: &Path, annotation: &Path) -> Images {
    let published: &[&str] = if name == COCO { &["val2014"] } else { &["flickr30k-images"] };
    let own: &[&str] = if name == COCO { &["images"] } else { &["images", "Images", "flickr30k_images"] };
    let mut roots = locate::image_roots(data, annotation, own, published);
    // Names such as `val2014/x.jpg` stand for a file in a folder above the published one.
    roots.extend(locate::subfolders(data));
    Images::below(roots)
}

/// An image with its captions, as any of the forms gives it: a name for messages, names of the file, captions.
pub(super) struct Captioned {
    pub(super) item: String,
    pub(super) files: Vec<String>,
    pub(super) captions: Vec<String>,
}

/// Reads the test split: image to text and text to image, a task each. Raw captions, all of them.
pub(super) fn read(name: &'static str, data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    let wanted = files(name);
    let path = locate::file_where(data, &wanted, |_| true).ok_or_else(|| ReadError::NotFound {
        name,
        wanted: wanted.join(" or "),
        data: data.to_owned(),
    })?;
    let captioned = captioned(&path)?;
    let images = images(name, data, &path);
    gather(name, &path, captioned, images)
}

fn gather(
    name: &'static str,
    path: &Path,
    captioned: Vec<Result<Captioned, Skipped>>,
    mut images: Images,
) -> Result<Vec<Benchmark>, ReadError> {
    let n_in_file = captioned.len();
    let (mut captions, mut image_of, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for entry in captioned {
        let placed = entry.and_then(|image| {
            // Without a caption an image would be a query without an answer.
            let place = if image.captions.is_empty() {
                Err("it has no captions".to_owned())
            } else {
                images.place_any(&image.files)
            };
            place.map_or_else(|reason| Err(Skipped { item: image.item, reason }), |place| Ok((place, image.captions)))
        });
        match placed {
            Ok((place, texts)) => {
                image_of.extend(std::iter::repeat_n(place, texts.len()));
                captions.extend(texts);
            }
            Err(fault) => skipped.push(fault),
        }
    }
    let (looked_in, images) = (images.looked_in(), images.into_images());
    let Some(first) = (image_of.len() < 2).then(|| skipped.first().cloned()) else {
        return Ok(both(name, &Gathered { captions, image_of, images, skipped, n_in_file }));
    };
    let (item, reason) = first.map_or(("0".to_owned(), "it is alone".to_owned()), |s| (s.item, s.reason));
    Err(ReadError::NothingUsable { path: path.to_owned(), items: n_in_file, item, reason, looked_in })
}

struct Gathered {
    captions: Vec<String>,
    image_of: Vec<usize>,
    images: Vec<super::ImageRef>,
    skipped: Vec<Skipped>,
    n_in_file: usize,
}

/// Both directions as benchmarks.
fn both(name: &'static str, found: &Gathered) -> Vec<Benchmark> {
    let (n_images, n_captions) = (found.images.len(), found.captions.len());
    let (captions, image_of) = (&found.captions, &found.image_of);
    let task = |direction: Direction, sentence: String| Benchmark {
        name: name.to_owned(),
        task: Some(direction.task().to_owned()),
        metric: Metric::Recall,
        ties: TieRule::First,
        images: found.images.clone(),
        items: Items::Retrieval(Retrieval { captions: captions.clone(), image_of: image_of.clone(), direction }),
        skipped: found.skipped.clone(),
        protocol: sentence,
        n_in_file: found.n_in_file,
    };
    let pool = format!("over {n_images} images and {n_captions} captions, of equal similarities the first");
    vec![
        task(Direction::ImageToText, format!("recall at 1, 5 and 10 of any caption of the image, {pool}")),
        task(Direction::TextToImage, format!("recall at 1, 5 and 10 of the caption's image, {pool}")),
    ]
}

/// The images of one annotation file with their captions, in its order.
pub(super) fn captioned(path: &Path) -> Result<Vec<Result<Captioned, Skipped>>, ReadError> {
    if path.extension().is_some_and(|extension| extension == "txt") {
        return csv_like(path);
    }
    let mut tree = json_rows(path)?;
    let named = |tree: &mut Vec<(String, Value)>, key: &str| {
        tree.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value.take())
    };
    match (named(&mut tree, "images"), named(&mut tree, "annotations")) {
        (None, _) => Ok(tree.into_iter().map(|(item, row)| list_row(item, &row)).collect()),
        (Some(images), None) => Ok(rows_of(images).enumerate().filter_map(|(i, row)| karpathy_row(i, &row)).collect()),
        (Some(images), Some(annotations)) => coco_form(path, images, annotations),
    }
}

fn rows_of(value: Value) -> impl Iterator<Item = Value> {
    match value {
        Value::Array(rows) => rows.into_iter(),
        _ => Vec::new().into_iter(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    list.chain(value.as_str()).map(str::to_owned).collect()
}

/// Salesforce's form: `{"image": path, "caption": [texts]}`.
fn list_row(item: String, row: &Value) -> Result<Captioned, Skipped> {
    match row["image"].as_str() {
        Some(file) => Ok(Captioned { item, files: with_bare_name(file), captions: texts(&row["caption"]) }),
        None => Err(Skipped { item, reason: "it has no `image`".to_owned() }),
    }
}

/// Karpathy's own form; other splits than the test split are no items.
fn karpathy_row(i: usize, row: &Value) -> Option<Result<Captioned, Skipped>> {
    if row["split"].as_str() != Some("test") {
        return None;
    }
    let item = i.to_string();
    let Some(file) = row["filename"].as_str() else {
        return Some(Err(Skipped { item, reason: "it has no `filename`".to_owned() }));
    };
    let file = row["filepath"].as_str().map_or_else(|| file.to_owned(), |folder| format!("{folder}/{file}"));
    let raw = row["sentences"].as_array().into_iter().flatten().filter_map(|sentence| sentence["raw"].as_str());
    Some(Ok(Captioned { item, files: with_bare_name(&file), captions: raw.map(str::to_owned).collect() }))
}

/// `CLIP_benchmark`'s form for COCO: images in the order of their ids.
fn coco_form(path: &Path, images: Value, annotations: Value) -> Result<Vec<Result<Captioned, Skipped>>, ReadError> {
    let mut captions: HashMap<u64, Vec<String>> = HashMap::new();
    for annotation in rows_of(annotations) {
        if let (Some(image), Some(caption)) = (annotation["image_id"].as_u64(), annotation["caption"].as_str()) {
            captions.entry(image).or_default().push(caption.to_owned());
        }
    }
    let mut images: Vec<(Option<u64>, Value)> = rows_of(images).map(|image| (image["id"].as_u64(), image)).collect();
    if images.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    images.sort_by_key(|(id, _)| *id);
    let row = |(id, image): (Option<u64>, Value)| match (id, image["file_name"].as_str()) {
        (Some(id), Some(file)) => Ok(Captioned {
            item: id.to_string(),
            files: with_bare_name(file),
            captions: captions.remove(&id).unwrap_or_default(),
        }),
        _ => Err(Skipped { item: image["id"].to_string(), reason: "it has no `id` or `file_name`".to_owned() }),
    };
    Ok(images.into_iter().map(row).collect())
}

/// `CLIP_benchmark`'s form for Flickr30k: a header, then `name.jpg,caption` with commas in captions; images keep the
/// order of their first line.
fn csv_like(path: &Path) -> Result<Vec<Result<Captioned, Skipped>>, ReadError> {
    let text = bounded_text(path, MAX_TEXT_BYTES)?;
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut rows: Vec<Result<Captioned, Skipped>> = Vec::new();
    for (i, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        let Some((stem, caption)) = line.split_once(".jpg,") else {
            rows.push(Err(Skipped { item: format!("line {}", i + 1), reason: "it has no `.jpg,`".to_owned() }));
            continue;
        };
        let next = rows.len();
        let place = *places.entry(stem).or_insert(next);
        if place == next {
            let file = format!("{stem}.jpg");
            rows.push(Ok(Captioned { item: file.clone(), files: with_bare_name(&file), captions: Vec::new() }));
        }
        if let Some(Ok(image)) = rows.get_mut(place) {
            image.captions.push(caption.to_owned());
        }
    }
    if rows.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    Ok(rows)
}

/// The path as written, and its last part for images in one flat folder.
fn with_bare_name(file: &str) -> Vec<String> {
    let bare = PathBuf::from(file).file_name().map(|name| name.to_string_lossy().into_owned());
    std::iter::once(file.to_owned()).chain(bare.filter(|bare| bare != file)).collect()
}

#[cfg(test)]
#[path = "karpathy_tests.rs"]
mod tests;
