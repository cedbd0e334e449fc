//! Recognition on any set of class folders, as torchvision's `ImageFolder` reads them.

use std::path::{Path, PathBuf};

use super::rows::bounded_text;
use super::{Benchmark, ImageRef, Items, Metric, ReadError, Skipped, TieRule, locate};

/// Name of `--benchmark`.
pub(super) const NAME: &str = "folder";

const DEFAULT_TEMPLATE: &str = "a photo of a {}.";
const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "gif", "webp", "tif", "tiff"];
/// Folders of other benchmarks' images, which are no classes.
const IMAGE_STORES: [&str; 9] =
    ["images", "train2014", "val2014", "test2014", "train2017", "val2017", "VG_100K", "VG_100K_2", "flickr30k-images"];
/// Of several folders with class folders, the split that is evaluated.
const EVALUATION_SPLITS: [&str; 3] = ["val", "validation", "test"];
/// Largest `classes.txt` or `templates.txt`; ImageNet's has 14 kB.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// One class folder: an empty one is a class too, whose name competes though none of its images is asked.
struct ClassFolder {
    name: String,
    images: Vec<PathBuf>,
}

/// Whether there are class folders.
pub(super) fn exists(data: &Path) -> bool {
    !roots(data).is_empty()
}

/// Reads the class folders directly in `data`, or in one folder in it. Classes are ordered by folder name, as numbers
/// where all names are numbers, and images by file name; nothing is keyed by class name, as names repeat in published
/// sets. `classes.txt` gives the names (a line per folder, in order), else the folder names do, `_` read as a space.
/// `templates.txt` gives the prompts, `{}` standing for the name. Both lie beside the class folders or in `data`.
pub(super) fn read(data: &Path) -> Result<Benchmark, ReadError> {
    let root = root(data)?;
    let folders = class_folders(&root)?;
    let classes = class_names(&root, data, &folders)?;
    let templates = templates(&root, data)?;
    let (mut images, mut labels, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for (label, path) in folders.iter().enumerate().flat_map(|(i, folder)| folder.images.iter().map(move |p| (i, p))) {
        if path.is_file() {
            images.push(ImageRef::File { path: path.clone(), crop: None });
            labels.push(label);
        } else {
            let item = path.strip_prefix(&root).unwrap_or(path).display().to_string();
            skipped.push(Skipped { item, reason: "it is not a file that can be read".to_owned() });
        }
    }
    if images.is_empty() {
        return Err(not_found(data));
    }
    let empty = folders.iter().filter(|folder| folder.images.is_empty()).count();
    let mut protocol = format!("top-1 and top-5 over {} classes, {}", classes.len(), prompt_words(&templates));
    if empty > 0 {
        protocol = format!("{protocol}; {empty} of the classes without images");
    }
    let n_in_file = images.len() + skipped.len();
    let items = Items::Classes { classes, templates, labels };
    let (name, ties, metric) = (NAME.to_owned(), TieRule::First, Metric::TopK);
    Ok(Benchmark { name, task: None, metric, ties, images, items, skipped, protocol, n_in_file })
}

fn not_found(data: &Path) -> ReadError {
    let wanted = "class folders (two or more folders with images)".to_owned();
    ReadError::NotFound { name: NAME, wanted, data: data.to_owned() }
}

/// Folders that hold class folders: `data` itself, else any in it.
fn roots(data: &Path) -> Vec<PathBuf> {
    let holds_classes = |root: &PathBuf| {
        let with_images = |path: &PathBuf| class_folder(path).is_ok_and(|f| f.is_some_and(|f| !f.images.is_empty()));
        let enough = if root.join("classes.txt").is_file() { 1 } else { 2 };
        locate::subfolders(root).iter().filter(|path| with_images(path)).take(enough).count() == enough
    };
    let data = data.to_owned();
    if holds_classes(&data) {
        return vec![data];
    }
    locate::subfolders(&data).into_iter().filter(holds_classes).collect()
}

fn root(data: &Path) -> Result<PathBuf, ReadError> {
    let mut roots = roots(data);
    let named = |root: &PathBuf| root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if roots.len() > 1 {
        let split = EVALUATION_SPLITS.iter().find_map(|split| roots.iter().position(|root| named(root) == *split));
        let Some(split) = split else {
            return Err(ReadError::Ambiguous { data: data.to_owned(), found: roots.iter().map(named).collect() });
        };
        roots.swap(0, split);
    }
    roots.into_iter().next().ok_or_else(|| not_found(data))
}

fn class_folders(root: &Path) -> Result<Vec<ClassFolder>, ReadError> {
    let mut folders = Vec::new();
    for path in locate::subfolders(root) {
        let folder = class_folder(&path).map_err(|source| ReadError::Io { path, source })?;
        folders.extend(folder);
    }
    let numbers: Option<Vec<u64>> = folders.iter().map(|folder| folder.name.parse().ok()).collect();
    if numbers.is_some() {
        folders.sort_by_cached_key(|folder| folder.name.parse().unwrap_or(u64::MAX));
    }
    Ok(folders)
}

/// The class folder at `path`; `None` if it is something else: another benchmark's images or annotations, or a folder
/// of other things.
fn class_folder(path: &Path) -> std::io::Result<Option<ClassFolder>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if IMAGE_STORES.contains(&name.as_str()) {
        return Ok(None);
    }
    let (mut images, mut others) = (Vec::new(), 0);
    for entry in path.read_dir()? {
        let path = entry?.path();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if extension == "json" {
            return Ok(None);
        } else if EXTENSIONS.contains(&extension.as_str()) && !path.is_dir() {
            images.push(path);
        } else {
            others += 1;
        }
    }
    images.sort();
    Ok((others == 0 || !images.is_empty()).then_some(ClassFolder { name, images }))
}

fn class_names(root: &Path, data: &Path, folders: &[ClassFolder]) -> Result<Vec<String>, ReadError> {
    let Some((path, names)) = lines(root, data, "classes.txt")? else {
        return Ok(folders.iter().map(|folder| folder.name.replace('_', " ")).collect());
    };
    if names.len() == folders.len() {
        Ok(names)
    } else {
        Err(ReadError::ClassNames { path, lines: names.len(), folders: folders.len() })
    }
}

/// Prompts with `{}`; the `{c}` of `CLIP_benchmark` is accepted too.
fn templates(root: &Path, data: &Path) -> Result<Vec<String>, ReadError> {
    let Some((path, lines)) = lines(root, data, "templates.txt")? else {
        return Ok(vec![DEFAULT_TEMPLATE.to_owned()]);
    };
    let templates: Vec<_> = lines.iter().map(|line| line.replace("{c}", "{}")).collect();
    match templates.iter().find(|template| !template.contains("{}")) {
        Some(line) => Err(ReadError::Template { path, line: line.clone() }),
        None if templates.is_empty() => Err(ReadError::Template { path, line: "there is none".to_owned() }),
        None => Ok(templates),
    }
}

/// The trimmed lines of `file` in `root` or `data`, blank ones left out.
fn lines(root: &Path, data: &Path, file: &str) -> Result<Option<(PathBuf, Vec<String>)>, ReadError> {
    let Some(path) = [root.join(file), data.join(file)].into_iter().find(|path| path.is_file()) else {
        return Ok(None);
    };
    let text = bounded_text(&path, MAX_TEXT_BYTES)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    Ok(Some((path, lines)))
}

fn prompt_words(templates: &[String]) -> String {
    match templates {
        [one] => format!("prompt \"{one}\""),
        many => format!("mean of {} prompts", many.len()),
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
