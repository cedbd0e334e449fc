//! ImageNet's validation set in the layouts in which people have it, and ImageNetV2.

use std::path::{Path, PathBuf};

use super::imagenet_classes::{N, WNIDS, label_of, vocabulary};
use super::imagenet_labels::{self, Labels};
use super::{Benchmark, ImageRef, Items, Metric, ReadError, Skipped, TieRule, locate};

/// Names of `--benchmark`.
pub(super) const IMAGENET: &str = "imagenet";
/// Names of `--benchmark`.
pub(super) const V2: &str = "imagenet-v2";

/// Where the validation images lie below a base folder, most specific first.
const ROOTS: [&str; 6] =
    ["val", "validation", "ILSVRC2012_img_val", "imagenet/val", "ILSVRC/Data/CLS-LOC/val", "Data/CLS-LOC/val"];
const V2_PREFIX: &str = "imagenetv2";
/// What torchvision's `ImageFolder` accepts.
const EXTENSIONS: [&str; 9] = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];
const FLAT_PREFIX: &str = "ILSVRC2012_val_";
/// Labels of the first five validation images, by which a wrong list or a wrong order is noticed.
const FIRST_FIVE: [usize; 5] = [65, 970, 230, 809, 516];

/// How the images lie.
enum Layout {
    /// A folder per class, named by its wnid.
    ClassFolders(PathBuf),
    /// All in one folder, labels elsewhere.
    Flat(PathBuf),
}

fn layout(data: &Path) -> Option<Layout> {
    let bases = locate::bases(data);
    let nested = bases.iter().flat_map(|base| ROOTS.iter().map(move |root| base.join(root)));
    let roots: Vec<PathBuf> = nested.chain(bases.iter().cloned()).collect();
    let is_class = |path: &PathBuf| label_of(&folder_name(path)).is_some();
    if let Some(root) = roots.iter().find(|root| locate::subfolders(root).iter().any(is_class)) {
        return Some(Layout::ClassFolders(root.clone()));
    }
    roots.into_iter().find(|root| has_flat_image(root)).map(Layout::Flat)
}

fn has_flat_image(root: &Path) -> bool {
    let entries = root.read_dir().into_iter().flatten().flatten();
    entries.take(100_000).any(|entry| entry.file_name().to_string_lossy().starts_with(FLAT_PREFIX))
}

/// Whether there are validation images.
pub(super) fn exists(data: &Path) -> bool {
    layout(data).is_some()
}

/// Whether there is a folder of ImageNetV2.
pub(super) fn v2_exists(data: &Path) -> bool {
    v2_root(data).is_some()
}

/// Reads the validation set: class folders named by wnids, or a flat folder with `val.txt`, `LOC_val_solution.csv`,
/// `imagenet_2012_validation_synset_labels.txt`, or the devkit's `ILSVRC2012_validation_ground_truth.txt`.
pub(super) fn read(data: &Path) -> Result<Benchmark, ReadError> {
    match layout(data) {
        None => Err(ReadError::NotFound {
            name: IMAGENET,
            wanted: "validation images (folders named by wnids, or ILSVRC2012_val_*.JPEG)".to_owned(),
            data: data.to_owned(),
        }),
        Some(Layout::ClassFolders(root)) => {
            let folders = locate::subfolders(&root).into_iter();
            let labelled = folders.filter_map(|path| label_of(&folder_name(&path)).map(|label| (label, path)));
            finish(IMAGENET, data, from_folders(labelled.collect())?, "labels from folder names")
        }
        Some(Layout::Flat(root)) => {
            let labels = imagenet_labels::find(data, &root)?;
            let said = format!("labels from {}", labels.source);
            let gathered = from_flat(&root, labels)?;
            finish(IMAGENET, data, gathered, &said)
        }
    }
}

/// Reads ImageNetV2: folders `0` to `999`, which are labels as numbers and never sorted as text
/// (`modestyachts/ImageNetV2` issue 4).
pub(super) fn read_v2(data: &Path) -> Result<Benchmark, ReadError> {
    let root = v2_root(data).ok_or_else(|| ReadError::NotFound {
        name: V2,
        wanted: "folder imagenetv2-matched-frequency-format-val with folders 0 to 999".to_owned(),
        data: data.to_owned(),
    })?;
    let folders = locate::subfolders(&root).into_iter();
    let mut labelled: Vec<(usize, PathBuf)> =
        folders.filter_map(|path| class_number(&path).map(|label| (label, path))).collect();
    labelled.sort();
    let said = format!("labels from the numbers of the folders of {}", folder_name(&root));
    finish(V2, data, from_folders(labelled)?, &said)
}

fn v2_root(data: &Path) -> Option<PathBuf> {
    let mut folders = locate::bases(data);
    folders.extend(locate::subfolders(data).iter().flat_map(|folder| locate::subfolders(folder)));
    let is_v2 = |path: &PathBuf| folder_name(path).to_lowercase().starts_with(V2_PREFIX);
    let mut named = folders.into_iter().filter(is_v2);
    named.find(|root| locate::subfolders(root).iter().any(|path| class_number(path).is_some()))
}

fn class_number(path: &Path) -> Option<usize> {
    folder_name(path).parse().ok().filter(|label| *label < N)
}

fn folder_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Images with labels, and what had none.
#[derive(Default)]
struct Gathered {
    images: Vec<ImageRef>,
    labels: Vec<usize>,
    skipped: Vec<Skipped>,
}

fn from_folders(folders: Vec<(usize, PathBuf)>) -> Result<Gathered, ReadError> {
    let mut gathered = Gathered::default();
    for (label, folder) in folders {
        for path in image_files(&folder)? {
            gathered.images.push(ImageRef::File { path, crop: None });
            gathered.labels.push(label);
        }
    }
    Ok(gathered)
}

fn from_flat(root: &Path, mut labels: Labels) -> Result<Gathered, ReadError> {
    let mut gathered = Gathered::default();
    for path in image_files(root)?.into_iter().filter(|path| folder_name(path).starts_with(FLAT_PREFIX)) {
        let name = folder_name(&path);
        let number = path.file_stem().and_then(|stem| stem.to_str()?.strip_prefix(FLAT_PREFIX)?.parse::<usize>().ok());
        let label = labels.take(&name, number);
        let expected = number.and_then(|n| FIRST_FIVE.get(n.checked_sub(1)?));
        if let (Some(label), Some(expected)) = (label, expected)
            && label != *expected
        {
            let reason = format!(
                "{name} is labelled {} here but {} in ImageNet, so the list or its order is another",
                WNIDS.get(label).unwrap_or(&"?"),
                WNIDS.get(*expected).unwrap_or(&"?"),
            );
            return Err(ReadError::Unusable { path: labels.path, reason });
        }
        match label {
            Some(label) => {
                gathered.images.push(ImageRef::File { path, crop: None });
                gathered.labels.push(label);
            }
            None => gathered.skipped.push(Skipped { item: name, reason: "it has no label".to_owned() }),
        }
    }
    let missing = labels.rest().into_iter();
    gathered.skipped.extend(missing.map(|item| Skipped { item, reason: "there is no image file".to_owned() }));
    Ok(gathered)
}

/// Image files directly in a folder, sorted by name.
fn image_files(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let io = |source| ReadError::Io { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(io)? {
        let path = entry.map_err(io)?.path();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if EXTENSIONS.contains(&extension.as_str()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn finish(name: &str, data: &Path, found: Gathered, labels_from: &str) -> Result<Benchmark, ReadError> {
    if found.images.is_empty() {
        let reason = format!("{name}: no labelled image was found in it");
        return Err(ReadError::Unusable { path: data.to_owned(), reason });
    }
    let vocabulary = vocabulary(data)?;
    let mut seen = vec![false; N];
    found.labels.iter().for_each(|label| seen[*label] = true);
    let empty = seen.iter().filter(|seen| !**seen).count();
    let absent = if empty == 0 { String::new() } else { format!("; {empty} of the classes without images") };
    let protocol = format!("top-1 and top-5 over {N} classes, {}, {labels_from}{absent}", vocabulary.source);
    Ok(Benchmark {
        name: name.to_owned(),
        task: None,
        metric: Metric::TopK,
        ties: TieRule::First,
        n_in_file: found.images.len() + found.skipped.len(),
        images: found.images,
        items: Items::Classes { classes: vocabulary.classes, templates: vocabulary.templates, labels: found.labels },
        skipped: found.skipped,
        protocol,
    })
}

#[cfg(test)]
#[path = "imagenet_tests.rs"]
mod tests;
