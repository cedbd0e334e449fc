//! The sets on disk, in the published formats of ImageNet-style folders, ARO and SugarCrepe.
//!
//! ```text
//! DIR/recognition/classes.txt templates.txt <class_folder>/<nnnn>.png
//! DIR/aro/visual_genome_relation.json visual_genome_attribution.json images/<nnnnnn>.png
//! DIR/aro/coco_order/instances.json images/<nnnnnn>.png
//! DIR/sugarcrepe/<task>.json val2017/<nnnnnnnnnnnn>.png
//! ```
//! Image paths in a JSON file are relative as in the originals: `image_path` of the Visual Genome files to `images/`,
//! of `instances.json` to its own folder, `filename` to `val2017/`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Serialize, Serializer};

use super::render::render;
use super::scene::Relation;
use super::sets::{Choice, Sets};

/// Pictures drawn between two calls of the progress callback.
const CHUNK: usize = 32;

/// Why the sets could not be written. The folder asked for is then as it was before.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Nothing is ever overwritten.
    #[error("the folder is not empty, choose another or empty it: {}", .0.display())]
    NotEmpty(PathBuf),
    /// The path names a file, or has no last part.
    #[error("this cannot be a folder for the data: {}", .0.display())]
    NoFolder(PathBuf),
    /// Creating, writing or renaming failed.
    #[error("could not write {}: {source}", path.display())]
    Io {
        /// What was being written.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A picture could not be encoded or written.
    #[error("could not write the picture {}: {source}", path.display())]
    Picture {
        /// Which one.
        path: PathBuf,
        /// The encoder's answer.
        source: image::ImageError,
    },
    /// The progress callback said stop.
    #[error("stopped before the data was complete; nothing was left behind")]
    Stopped,
}

/// Writes all sets under `dir`, pictures as `size` × `size` PNG: byte for byte what [`render`] draws. `progress` gets
/// the pictures done and their total, and says whether to go on. Written in a folder beside `dir`, then renamed.
pub fn write(
    dir: &Path,
    sets: &Sets,
    size: u32,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<(), WriteError> {
    let parent = free_place(dir)?;
    fs::create_dir_all(&parent).map_err(at(&parent))?;
    let aside = tempfile::Builder::new().prefix(".demo-data-").tempdir_in(&parent).map_err(at(&parent))?;
    let root = aside.path().join("data"); // a temporary folder itself is private to its user; this one is not
    write_texts(&root, sets, size)?;
    write_pictures(&root, sets, size, progress)?;
    if dir.exists() {
        fs::remove_dir(dir).map_err(at(dir))?; // refused by the system unless it is still empty
    }
    fs::rename(&root, dir).map_err(at(dir))
}

/// The folder that will hold `dir`, if `dir` is absent or an empty folder.
fn free_place(dir: &Path) -> Result<PathBuf, WriteError> {
    if dir.file_name().is_none() || (dir.exists() && !dir.is_dir()) {
        return Err(WriteError::NoFolder(dir.to_owned()));
    }
    if dir.exists() && fs::read_dir(dir).map_err(at(dir))?.next().is_some() {
        return Err(WriteError::NotEmpty(dir.to_owned()));
    }
    Ok(match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    })
}

fn write_texts(root: &Path, sets: &Sets, size: u32) -> Result<(), WriteError> {
    let aro = root.join("aro");
    for folder in ["recognition", "aro/images", "aro/coco_order/images", "sugarcrepe/val2017"] {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
    }
    write_lines(&root.join("recognition/classes.txt"), &sets.recognition.classes)?;
    write_lines(&root.join("recognition/templates.txt"), &sets.recognition.templates)?;
    for (name, examples, kind) in [
        ("visual_genome_relation.json", &sets.relation, Pair::Relation),
        ("visual_genome_attribution.json", &sets.attribution, Pair::Attribution),
    ] {
        let pairs: Vec<AroPair> = examples.iter().filter_map(|choice| AroPair::new(choice, kind, size)).collect();
        write_json(&aro.join(name), &pairs)?;
    }
    let order: Vec<Instance> = sets.order.iter().map(Instance::new).collect();
    write_json(&aro.join("coco_order/instances.json"), &order)?;
    for (task, examples) in &sets.sugarcrepe {
        let edits: Vec<Edit> = examples.iter().filter_map(Edit::new).collect();
        write_json(&root.join("sugarcrepe").join(format!("{task}.json")), &Keyed(edits))?;
    }
    Ok(())
}

fn write_pictures(
    root: &Path,
    sets: &Sets,
    size: u32,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<(), WriteError> {
    let pictures = pictures(sets);
    for folder in pictures.keys().filter_map(|path| path.parent()) {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
    }
    let pictures: Vec<(PathBuf, usize)> = pictures.into_iter().collect();
    let mut done = 0;
    for chunk in pictures.chunks(CHUNK) {
        if !progress(done, pictures.len()) {
            return Err(WriteError::Stopped);
        }
        chunk.par_iter().try_for_each(|(path, scene)| {
            let path = root.join(path);
            let scene = &sets.scenes[*scene];
            render(scene, size).save(&path).map_err(|source| WriteError::Picture { path, source })
        })?;
        done += chunk.len();
    }
    if progress(done, pictures.len()) { Ok(()) } else { Err(WriteError::Stopped) }
}

/// Every picture's path below the root, once, with its scene.
fn pictures(sets: &Sets) -> BTreeMap<PathBuf, usize> {
    let mut pictures = BTreeMap::new();
    let mut in_class = vec![0; sets.recognition.classes.len()];
    for image in &sets.recognition.images {
        let folder = sets.recognition.classes[image.class].replace(' ', "_");
        let name = format!("{:04}.png", in_class[image.class]);
        in_class[image.class] += 1;
        pictures.insert(["recognition", &folder, &name].iter().collect(), image.scene);
    }
    let aro = sets.relation.iter().chain(&sets.attribution);
    pictures.extend(aro.map(|choice| (Path::new("aro/images").join(aro_name(choice.scene)), choice.scene)));
    let order = sets.order.iter();
    pictures
        .extend(order.map(|choice| (Path::new("aro/coco_order/images").join(aro_name(choice.scene)), choice.scene)));
    let edits = sets.sugarcrepe.iter().flat_map(|(_, examples)| examples);
    pictures.extend(edits.map(|choice| (Path::new("sugarcrepe/val2017").join(coco_name(choice.scene)), choice.scene)));
    pictures
}

fn aro_name(scene: usize) -> String {
    format!("{scene:06}.png")
}

fn coco_name(scene: usize) -> String {
    format!("{scene:012}.png")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pair {
    Relation,
    Attribution,
}

/// A record of ARO's Visual Genome files; the box is the whole picture.
#[derive(Serialize)]
struct AroPair<'a> {
    image_id: String,
    image_path: String,
    bbox_x: u32,
    bbox_y: u32,
    bbox_w: u32,
    bbox_h: u32,
    true_caption: &'a str,
    false_caption: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    relation_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<&'static str>,
}

impl<'a> AroPair<'a> {
    /// Nothing for a choice without exactly two options.
    fn new(choice: &'a Choice, kind: Pair, size: u32) -> Option<Self> {
        let [true_caption, false_caption] = choice.options.as_slice() else { return None };
        let (relation_name, attributes) = match kind {
            Pair::Relation => (choice.tags.relation.map(Relation::aro_name), Vec::new()),
            Pair::Attribution => (None, choice.tags.colours.iter().map(|colour| colour.word()).collect()),
        };
        let (image_id, image_path) = (choice.scene.to_string(), aro_name(choice.scene));
        let [bbox_x, bbox_y, bbox_w, bbox_h] = [0, 0, size, size];
        Some(Self {
            image_id,
            image_path,
            bbox_x,
            bbox_y,
            bbox_w,
            bbox_h,
            true_caption,
            false_caption,
            relation_name,
            attributes,
        })
    }
}

/// A word-order record, in the form CLoVe caches them.
#[derive(Serialize)]
struct Instance<'a> {
    image_path: String,
    caption_options: &'a [String],
}

impl<'a> Instance<'a> {
    fn new(choice: &'a Choice) -> Self {
        Self { image_path: format!("images/{}", aro_name(choice.scene)), caption_options: &choice.options }
    }
}

/// A SugarCrepe record.
#[derive(Serialize)]
struct Edit<'a> {
    filename: String,
    caption: &'a str,
    negative_caption: &'a str,
}

impl<'a> Edit<'a> {
    /// Nothing for a choice without exactly two options.
    fn new(choice: &'a Choice) -> Option<Self> {
        let [caption, negative_caption] = choice.options.as_slice() else { return None };
        Some(Self { filename: coco_name(choice.scene), caption, negative_caption })
    }
}

/// An object keyed "0", "1", … in that order, as SugarCrepe's files are.
struct Keyed<T>(Vec<T>);

impl<T: Serialize> Serialize for Keyed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().enumerate())
    }
}

fn write_lines<T: AsRef<str>>(path: &Path, lines: &[T]) -> Result<(), WriteError> {
    let text: String = lines.iter().flat_map(|line| [line.as_ref(), "\n"]).collect();
    fs::write(path, text).map_err(at(path))
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), WriteError> {
    let mut file = BufWriter::new(File::create(path).map_err(at(path))?);
    serde_json::to_writer_pretty(&mut file, value).map_err(|error| at(path)(error.into()))?;
    file.flush().map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> WriteError {
    move |source| WriteError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The validation sets cut to a few examples of every kind, so that the test draws tens of pictures, not hundreds.
    fn few() -> Sets {
        let mut sets = Sets::validation();
        sets.recognition.images.retain(|image| image.class % 16 == 0);
        sets.relation.truncate(6);
        sets.order.truncate(6);
        sets.attribution.truncate(6);
        sets.sugarcrepe.iter_mut().for_each(|(_, examples)| examples.truncate(12));
        sets
    }

    fn json(path: &Path) -> Value {
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    fn assert_picture(path: &Path, sets: &Sets, scene: usize) {
        let read = image::open(path).unwrap().into_rgb8();
        assert_eq!(read, render(&sets.scenes[scene], 48), "{}", path.display());
    }

    #[test]
    fn the_files_hold_the_same_examples_in_the_same_order() {
        let sets = few();
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("demo");
        let mut calls = Vec::new();
        write(&dir, &sets, 48, &mut |done, total| {
            calls.push((done, total));
            true
        })
        .unwrap();
        assert_eq!(calls.first().map(|call| call.0), Some(0));
        assert!(calls.last().is_some_and(|(done, total)| done == total && *total > 40));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "something was left beside the data");

        let aro = dir.join("aro");
        let records = json(&aro.join("visual_genome_relation.json"));
        assert_eq!(records.as_array().unwrap().len(), 6);
        for (record, choice) in records.as_array().unwrap().iter().zip(&sets.relation) {
            assert_eq!(record["true_caption"], choice.options[0]);
            assert_eq!(record["false_caption"], choice.options[1]);
            assert_eq!(record["relation_name"], choice.group);
            assert_eq!([&record["bbox_x"], &record["bbox_y"]], [0, 0]);
            assert_eq!([&record["bbox_w"], &record["bbox_h"]], [48, 48]);
            assert_picture(&aro.join("images").join(record["image_path"].as_str().unwrap()), &sets, choice.scene);
        }
        let records = json(&aro.join("visual_genome_attribution.json"));
        for (record, choice) in records.as_array().unwrap().iter().zip(&sets.attribution) {
            let pair = [&record["attributes"][0], &record["attributes"][1]].map(|name| name.as_str().unwrap());
            assert_eq!(pair.join("_"), choice.group);
            assert!(record["true_caption"].as_str().unwrap().contains(pair[0]));
        }
        let records = json(&aro.join("coco_order/instances.json"));
        for (record, choice) in records.as_array().unwrap().iter().zip(&sets.order) {
            assert_eq!(record["caption_options"], serde_json::json!(choice.options));
            assert_picture(&aro.join("coco_order").join(record["image_path"].as_str().unwrap()), &sets, choice.scene);
        }
        for (task, examples) in &sets.sugarcrepe {
            let records = json(&dir.join(format!("sugarcrepe/{task}.json")));
            assert_eq!(records.as_object().unwrap().len(), 12);
            for (key, choice) in examples.iter().enumerate() {
                let record = &records[key.to_string()];
                assert_eq!(record["caption"], choice.options[0]);
                assert_eq!(record["negative_caption"], choice.options[1]);
                let name = record["filename"].as_str().unwrap();
                assert_picture(&dir.join("sugarcrepe/val2017").join(name), &sets, choice.scene);
            }
        }
        let text = fs::read_to_string(dir.join("sugarcrepe/swap_obj.json")).unwrap();
        assert!(text.find("\"2\"").unwrap() < text.find("\"10\"").unwrap(), "keys are not in ascending order");
    }

    #[test]
    fn recognition_folders_follow_the_class_list() {
        let sets = few();
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("deep/demo");
        write(&dir, &sets, 48, &mut |_, _| true).unwrap();
        let root = dir.join("recognition");
        let classes = fs::read_to_string(root.join("classes.txt")).unwrap();
        assert!(classes.lines().eq(sets.recognition.classes.iter().map(String::as_str)));
        let folders: Vec<String> = classes.lines().map(|name| name.replace(' ', "_")).collect();
        assert!(folders.is_sorted(), "sorted folders must give the class list's order");
        assert!(fs::read_to_string(root.join("templates.txt")).unwrap().lines().all(|line| line.contains("{}")));
        let mut images = sets.recognition.images.iter();
        for class in [0, 16, 32] {
            let mut files: Vec<PathBuf> =
                fs::read_dir(root.join(&folders[class])).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            for file in files {
                let image = images.next().unwrap();
                assert_eq!(image.class, class);
                assert_picture(&file, &sets, image.scene);
            }
        }
        assert_eq!(images.next(), None);
    }

    #[test]
    fn nothing_is_overwritten_and_a_stop_leaves_nothing() {
        let sets = few();
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("demo");
        let stopped = write(&dir, &sets, 48, &mut |done, _| done < 30);
        assert!(matches!(stopped, Err(WriteError::Stopped)));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("mine.txt"), "kept").unwrap();
        assert!(matches!(write(&dir, &sets, 48, &mut |_, _| true), Err(WriteError::NotEmpty(_))));
        assert!(matches!(write(&dir.join("mine.txt"), &sets, 48, &mut |_, _| true), Err(WriteError::NoFolder(_))));
        assert_eq!(fs::read_to_string(dir.join("mine.txt")).unwrap(), "kept");
        fs::remove_file(dir.join("mine.txt")).unwrap();
        write(&dir, &sets, 48, &mut |_, _| true).unwrap();
        assert!(dir.join("recognition/classes.txt").exists());
    }
}
