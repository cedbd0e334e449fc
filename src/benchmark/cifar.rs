//! CIFAR-10 and CIFAR-100 test images in the binary version (Krizhevsky, 2009).

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbImage;

use super::rows::bounded_text;
use super::{Benchmark, ImageRef, Items, Metric, ReadError, Rendered, Skipped, TieRule, locate};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
/// Largest file that is read; the published ones have about 30 MB.
const MAX_BYTES: u64 = 256 << 20;
const MAX_TEXT_BYTES: u64 = 1 << 20;

const CIFAR10_CLASSES: &str = "airplane automobile bird cat deer dog frog horse ship truck";
const CIFAR100_CLASSES: &str = "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus \
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup \
    dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion \
    lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear \
    pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew \
    skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger \
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm";

/// The nine adjectives and sizes that OpenAI's prompts put before "photo of a" and "photo of the".
const PHOTOS: [&str; 7] = [
    "a photo of {art} {}.",
    "a blurry photo of {art} {}.",
    "a black and white photo of {art} {}.",
    "a low contrast photo of {art} {}.",
    "a high contrast photo of {art} {}.",
    "a bad photo of {art} {}.",
    "a good photo of {art} {}.",
];
const SIZES: [&str; 2] = ["a photo of {art} small {}.", "a photo of {art} big {}."];

/// What distinguishes one set from the other.
pub(super) struct Set {
    /// Name of `--benchmark`.
    pub(super) name: &'static str,
    /// The test file of the binary version, in its folder or outside it.
    pub(super) files: [&'static str; 2],
    /// Test files of the Python version.
    python: [&'static str; 2],
    /// File of class names.
    names_file: &'static str,
    classes: &'static str,
    /// Bytes of labels before an image; the last is the label.
    label_bytes: usize,
}

/// CIFAR-10.
pub(super) const CIFAR10: Set = Set {
    name: "cifar10",
    files: ["cifar-10-batches-bin/test_batch.bin", "test_batch.bin"],
    python: ["cifar-10-batches-py/test_batch", "test_batch"],
    names_file: "batches.meta.txt",
    classes: CIFAR10_CLASSES,
    label_bytes: 1,
};

/// CIFAR-100: a coarse label and the fine one.
pub(super) const CIFAR100: Set = Set {
    name: "cifar100",
    files: ["cifar-100-binary/test.bin", "test.bin"],
    python: ["cifar-100-python/test", "test"],
    names_file: "fine_label_names.txt",
    classes: CIFAR100_CLASSES,
    label_bytes: 2,
};

/// One image of the file, which all of them share.
#[derive(Debug)]
struct Record {
    pixels: Arc<[u8]>,
    offset: usize,
}

impl Rendered for Record {
    fn render(&self) -> RgbImage {
        let planes = &self.pixels[self.offset..self.offset + 3 * PLANE];
        RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
            let place = y as usize * SIDE + x as usize;
            image::Rgb([planes[place], planes[PLANE + place], planes[2 * PLANE + place]])
        })
    }
}

/// The test file of the binary version.
pub(super) fn file(set: &Set, data: &Path) -> Option<PathBuf> {
    locate::file_where(data, &set.files, |_| true)
}

/// Reads the test file: records of labels, then 1,024 red, green and blue bytes, row by row from the top left. The
/// Python version is a pickle, which is not read.
pub(super) fn read(set: &Set, data: &Path) -> Result<Benchmark, ReadError> {
    let Some(path) = file(set, data) else {
        let pickle = locate::file_where(data, &set.python, |path| locate::begins_with_word(path, "batch_label"));
        return Err(match pickle {
            Some(path) => ReadError::Unusable {
                path,
                reason: format!("{} is here as a Python pickle; fetch the binary version ({})", set.name, set.files[0]),
            },
            None => ReadError::NotFound { name: set.name, wanted: set.files[0].to_owned(), data: data.to_owned() },
        });
    };
    let io = |source| ReadError::Io { path: path.clone(), source };
    let mut bytes = Vec::new();
    File::open(&path).map_err(io)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ReadError::TooLarge { path, limit: MAX_BYTES });
    }
    let classes = class_names(set, &path)?;
    let pixels: Arc<[u8]> = bytes.into();
    let length = set.label_bytes + 3 * PLANE;
    let (mut images, mut labels, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    let n_in_file = pixels.len().div_ceil(length);
    for i in 0..n_in_file {
        let start = i * length;
        let label = pixels.get(start + set.label_bytes - 1).map(|label| usize::from(*label));
        match label.filter(|label| *label < classes.len() && start + length <= pixels.len()) {
            Some(label) => {
                let record = Record { pixels: Arc::clone(&pixels), offset: start + set.label_bytes };
                let name = format!("{}/{i} of {}", set.name, path.display());
                images.push(ImageRef::Drawn { name, image: Arc::new(record) });
                labels.push(label);
            }
            None => skipped.push(Skipped {
                item: i.to_string(),
                reason: "its label is none of the classes, or the file ends in it".to_owned(),
            }),
        }
    }
    if images.is_empty() {
        return Err(ReadError::Empty { path });
    }
    let templates = templates();
    let protocol = format!(
        "top-1 and top-5 over {} classes, mean of {} prompts (CLIP_benchmark's), test images of {SIDE}×{SIDE} pixels",
        classes.len(),
        templates.len()
    );
    Ok(Benchmark {
        name: set.name.to_owned(),
        task: None,
        metric: Metric::TopK,
        ties: TieRule::First,
        images,
        items: Items::Classes { classes, templates, labels },
        skipped,
        protocol,
        n_in_file,
    })
}

/// The names beside the file, or the embedded ones; `_` is a space.
fn class_names(set: &Set, path: &Path) -> Result<Vec<String>, ReadError> {
    let named = |text: &str| -> Vec<String> { text.split_whitespace().map(|name| name.replace('_', " ")).collect() };
    let own = named(set.classes);
    let Some(beside) = path.parent().map(|folder| folder.join(set.names_file)).filter(|names| names.is_file()) else {
        return Ok(own);
    };
    let names = named(&bounded_text(&beside, MAX_TEXT_BYTES)?);
    if names.len() == own.len() {
        Ok(names)
    } else {
        Err(ReadError::ClassNames { path: beside, lines: names.len(), folders: own.len() })
    }
}

/// OpenAI's 18 prompts for both sets.
fn templates() -> Vec<String> {
    let with = |art: &'static str| PHOTOS.iter().chain(&SIZES).map(move |prompt| prompt.replace("{art}", art));
    ["a", "the"].into_iter().flat_map(with).collect()
}

#[cfg(test)]
#[path = "cifar_tests.rs"]
mod tests;
