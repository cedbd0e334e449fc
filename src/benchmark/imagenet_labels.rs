//! Labels of ImageNet's validation images where these lie in one folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::imagenet_classes::{N, label_of};
use super::rows::{bounded_text, csv_rows};
use super::{ReadError, locate, mat};

const CAFFE: &str = "val.txt";
const KAGGLE: &str = "LOC_val_solution.csv";
const TENSORFLOW: &str = "imagenet_2012_validation_synset_labels.txt";
const DEVKIT: &str = "ILSVRC2012_validation_ground_truth.txt";
/// The devkit's own ids with their wnids: MATLAB's form of 2012, and the text of later devkits.
const META: &str = "meta.mat";
const MAP: &str = "map_clsloc.txt";

/// Folders in which label files usually lie.
const USUAL: [&str; 6] =
    ["", "devkit/data", "ILSVRC2012_devkit_t12/data", "data", "caffe_ilsvrc12", "ILSVRC/ImageSets/CLS-LOC"];
/// Largest label file; Kaggle's has about 3 MB.
const MAX_BYTES: u64 = 64 << 20;

/// Labels by file name or by the number in it.
pub(super) struct Labels {
    /// The file.
    pub(super) path: PathBuf,
    /// Its name, and that of the list of ids that was needed.
    pub(super) source: String,
    by_name: BTreeMap<String, usize>,
    by_number: BTreeMap<usize, usize>,
}

impl Labels {
    /// The label of an image, which is then no longer missing.
    pub(super) fn take(&mut self, name: &str, number: Option<usize>) -> Option<usize> {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        self.by_name.remove(stem).or_else(|| self.by_number.remove(&number?))
    }

    /// Labelled images that have not been asked for.
    pub(super) fn rest(&self) -> Vec<String> {
        let numbers = self.by_number.keys().map(|number| format!("ILSVRC2012_val_{number:08}.JPEG"));
        self.by_name.keys().cloned().chain(numbers).collect()
    }
}

/// The label file of the flat folder `root`: in it, beside it, or in `data`.
pub(super) fn find(data: &Path, root: &Path) -> Result<Labels, ReadError> {
    let mut folders: Vec<PathBuf> =
        root.ancestors().take_while(|path| path.starts_with(data)).map(Path::to_owned).collect();
    folders.extend(locate::bases(data));
    let search = |file: &str| {
        let mut all = folders.iter().flat_map(|folder| USUAL.iter().map(move |sub| folder.join(sub).join(file)));
        all.find(|path| path.is_file())
    };
    if let Some(path) = search(CAFFE) {
        return caffe(path);
    }
    if let Some(path) = search(KAGGLE) {
        return kaggle(path);
    }
    if let Some(path) = search(TENSORFLOW) {
        return by_line(path, TENSORFLOW.to_owned(), label_of);
    }
    let Some(path) = search(DEVKIT) else {
        let wanted = format!("{CAFFE}, {KAGGLE}, {TENSORFLOW} or {DEVKIT} for the images of one folder");
        return Err(ReadError::NotFound { name: "imagenet", wanted, data: data.to_owned() });
    };
    let (ids, from) = if let Some(map) = search(MAP) {
        (ids_of_map(&map)?, MAP)
    } else if let Some(meta) = search(META) {
        (mat::imagenet_ids(&meta)?, META)
    } else {
        let reason = format!("its numbers are the devkit's own, not places in the sorted list; put {META} beside it");
        return Err(ReadError::Unusable { path, reason });
    };
    let label = |text: &str| ids.get(&text.parse::<u32>().ok()?).and_then(|wnid| label_of(wnid));
    by_line(path, format!("{DEVKIT} with {from}"), label)
}

fn nothing(path: PathBuf) -> ReadError {
    ReadError::Unusable { path, reason: "no line of it is a label".to_owned() }
}

/// `<name> <label>` per line, labels by the sorted wnids from 0; names may have a folder before them.
fn caffe(path: PathBuf) -> Result<Labels, ReadError> {
    let text = bounded_text(&path, MAX_BYTES)?;
    let by_name: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| {
            let (name, label) = line.trim().rsplit_once([' ', '\t'])?;
            let label = label.parse().ok().filter(|label| *label < N)?;
            Some((stem(name).to_owned(), label))
        })
        .collect();
    if by_name.is_empty() {
        return Err(nothing(path));
    }
    Ok(Labels { path, source: CAFFE.to_owned(), by_name, by_number: BTreeMap::new() })
}

/// Header `ImageId,PredictionString`; the first word of the string is the wnid, the others are boxes.
fn kaggle(path: PathBuf) -> Result<Labels, ReadError> {
    let by_name: BTreeMap<_, _> = csv_rows(&path)?
        .into_iter()
        .filter_map(|(_, row)| {
            let wnid = row["PredictionString"].as_str()?.split_whitespace().next()?;
            Some((stem(row["ImageId"].as_str()?).to_owned(), label_of(wnid)?))
        })
        .collect();
    if by_name.is_empty() {
        return Err(nothing(path));
    }
    Ok(Labels { path, source: KAGGLE.to_owned(), by_name, by_number: BTreeMap::new() })
}

/// A label per line, in the order of the images' numbers from 1.
fn by_line(path: PathBuf, source: String, label: impl Fn(&str) -> Option<usize>) -> Result<Labels, ReadError> {
    let text = bounded_text(&path, MAX_BYTES)?;
    let lines = text.lines().enumerate();
    let by_number: BTreeMap<_, _> = lines.filter_map(|(i, line)| Some((i + 1, label(line.trim())?))).collect();
    if by_number.is_empty() {
        return Err(nothing(path));
    }
    Ok(Labels { path, source, by_name: BTreeMap::new(), by_number })
}

/// `<wnid> <id> <name>` per line.
fn ids_of_map(path: &Path) -> Result<BTreeMap<u32, String>, ReadError> {
    let text = bounded_text(path, MAX_BYTES)?;
    let id = |line: &str| {
        let mut words = line.split_whitespace();
        let wnid = words.next()?.to_owned();
        Some((words.next()?.parse().ok()?, wnid))
    };
    Ok(text.lines().filter_map(id).collect())
}

fn stem(name: &str) -> &str {
    let name = name.trim().rsplit(['/', '\\']).next().unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
