mod crops;
mod faults;
mod forms;
mod order;
mod tar;

use super::*;
use crate::batches::Sample;
use crate::tiny;
use image::RgbImage;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Keeps what a test needs to see: the image's bytes and box, the caption's letters.
struct Plain;

impl Prepare for Plain {
    fn decode(&self, bytes: &[u8]) -> Result<RgbImage, DecodeError> {
        let mut reader = image::ImageReader::new(std::io::Cursor::new(bytes));
        let mut limits = image::Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(4096), Some(4096));
        reader.limits(limits);
        let decoded =
            reader.with_guessed_format().map_err(image::ImageError::from).and_then(image::ImageReader::decode);
        decoded.map(image::DynamicImage::into_rgb8).map_err(|error| match error {
            image::ImageError::Limits(_) => DecodeError::TooLarge("The image is too large".to_owned()),
            other => DecodeError::Broken(format!("The image cannot be decoded: {other}")),
        })
    }

    fn image(&self, image: &RgbImage, crop: CropBox) -> Vec<u8> {
        let corner = image.get_pixel(0, 0).0;
        let numbers = [crop.x, crop.y, crop.width, crop.height, image.width(), image.height()];
        corner.into_iter().chain(numbers.iter().flat_map(|number| number.to_le_bytes())).collect()
    }

    fn tokens(&self, text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }
}

fn words(tokens: &[u32]) -> String {
    tokens.iter().filter_map(|token| char::from_u32(*token)).collect()
}

fn captions(batch: &[Sample]) -> Vec<String> {
    batch.iter().map(|sample| words(&sample.caption)).collect()
}

/// One sample a batch, two workers, a small buffer, no negatives.
fn recipe(data: impl AsRef<Path>) -> Recipe {
    let data = vec![data.as_ref().display().to_string()];
    Recipe {
        data,
        batch: 1,
        shuffle_buffer: 3,
        negatives: NegativeSource::None,
        negatives_per_caption: 2,
        ..tiny::recipe()
    }
}

fn source(recipe: &Recipe) -> Box<dyn BatchSource> {
    open(recipe, Arc::new(Plain)).unwrap()
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/captions").join(name)
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("captions-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A small PNG whose first pixel tells its number.
fn png(number: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(12, 10, |x, y| image::Rgb([number as u8, (number >> 8) as u8, (x * y) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A tar of these members.
fn tar_of(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = ::tar::Builder::new(Vec::new());
    for (name, data) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o444);
        // Written by hand: the builder refuses names that leave the archive.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        out.append(&header, &data[..]).unwrap();
    }
    out.into_inner().unwrap()
}

/// Image and caption of a good sample.
fn pair(number: u32) -> [(String, Vec<u8>); 2] {
    [(format!("{number:09}.png"), png(number)), (format!("{number:09}.txt"), format!("a sample {number}").into_bytes())]
}

fn tar_with(numbers: std::ops::Range<u32>) -> Vec<u8> {
    tar_of(&numbers.flat_map(pair).collect::<Vec<_>>())
}
