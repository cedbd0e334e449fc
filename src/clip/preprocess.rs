//! Image files to pixels to the towers' input, as open_clip's evaluation transform does it.
//!
//! File → RGB ([`decode`], [`read`]) → shorter side to `size`, centre crop ([`preprocess`]) → `(v / 255 - mean) / std` in
//! the layout that the patch embedding multiplies ([`patches`]). Bytes equal Pillow's and torchvision's on the same RGB
//! input. Where the input itself may differ from Pillow's:
//!
//! * JPEG: our decoder is within 5/255 of libjpeg-turbo (0.02 to 0.4 on average); lossy WebP has similar leeway.
//! * CMYK in a TIFF file: within 1/255 of Pillow, by rounding.
//! * 16-bit gray keeps its high byte, as 16-bit colour does; Pillow cuts gray at 255, which turns it white.
//! * Alpha and palettes are resolved before resizing (alpha is dropped, not blended), as the loaders of ARO and torchvision
//!   do; the bare transform would resize palette images by nearest neighbour.
//! * The EXIF orientation is ignored, as every reference does.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageReader, Limits, RgbImage};
use rayon::prelude::*;

use super::resize::{Window, resize_window};

/// CLIP's channel means, on the 0..1 scale.
pub const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// CLIP's channel standard deviations, on the 0..1 scale.
pub const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// Largest side of an image that is decoded: that of a JPEG.
const MAX_SIDE: u32 = 65_535;
/// Largest decoded size, the image crate's own default.
const MAX_DECODED_BYTES: u64 = 512 << 20;
/// Largest image file.
const MAX_FILE_BYTES: u64 = 512 << 20;
/// Largest crop, in pixels: as much as a decoded RGB image may have.
const MAX_CROP_PIXELS: f64 = (MAX_DECODED_BYTES / 3) as f64;

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// No known format begins like these bytes.
    #[error("not an image in a known format (PNG, JPEG, GIF, BMP, TIFF or WebP)")]
    UnknownFormat,
    /// A known format with broken content, or larger than 65,535 pixels a side or 512 MiB decoded.
    #[error("the image cannot be decoded: {0}")]
    Broken(#[from] image::ImageError),
    /// A file beyond 512 MiB.
    #[error("the image file is larger than 512 MiB")]
    TooLarge,
    /// A crop box with no area, with a value that is not finite, or beyond what a decoded image may have.
    #[error("the crop box ({}, {}, {}, {}) is empty or too large", .0[0], .0[1], .0[2], .0[3])]
    CropBox([f64; 4]),
    /// The operating system's word on a file.
    #[error("the image cannot be read: {source}: {}", path.display())]
    Unreadable {
        /// What went wrong.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// Any of the above, with the file it happened in.
    #[error("{source}: {}", path.display())]
    InFile {
        /// What went wrong.
        source: Box<ImageError>,
        /// Which file.
        path: PathBuf,
    },
}

/// RGB pixels of an image file's bytes; the format is told by the content, and EXIF orientation is ignored.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    let sniffed = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = sniffed.map_err(|error| ImageError::Broken(error.into()))?;
    if reader.format().is_none() {
        return Err(ImageError::UnknownFormat);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    Ok(to_rgb(reader.decode()?))
}

/// RGB pixels of an image file, whatever its name ends in. Errors name the file last.
pub fn read(path: impl AsRef<Path>) -> Result<RgbImage, ImageError> {
    let path = path.as_ref();
    let unreadable = |source| ImageError::Unreadable { source, path: path.to_path_buf() };
    let within = |source| ImageError::InFile { source: Box::new(source), path: path.to_path_buf() };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(within(ImageError::TooLarge));
    }
    decode(&bytes).map_err(within)
}

/// As Pillow's `convert("RGB")`: alpha dropped, gray replicated, the high byte of 16 bits.
fn to_rgb(image: DynamicImage) -> RgbImage {
    let high = |value: u16| (value >> 8) as u8;
    let (width, height) = (image.width(), image.height());
    let bytes: Vec<u8> = match image {
        DynamicImage::ImageRgb8(image) => return image,
        DynamicImage::ImageLuma16(image) => image.pixels().flat_map(|p| [high(p.0[0]); 3]).collect(),
        DynamicImage::ImageLumaA16(image) => image.pixels().flat_map(|p| [high(p.0[0]); 3]).collect(),
        DynamicImage::ImageRgb16(image) => image.pixels().flat_map(|p| p.0.map(high)).collect(),
        DynamicImage::ImageRgba16(image) => image.pixels().flat_map(|p| [0, 1, 2].map(|c| high(p.0[c]))).collect(),
        other => return other.into_rgb8(),
    };
    RgbImage::from_raw(width, height, bytes).unwrap_or_default()
}

/// The `size` × `size` centre of the image after its shorter side became `size`: `[size, size, 3]` bytes, row-major.
///
/// The longer side becomes `size * long / short` cut to an integer, the crop's offset is half the excess rounded half to
/// even (torchvision's `Resize` and `CenterCrop`). An empty image gives black.
pub fn preprocess(image: &RgbImage, size: u32) -> Vec<u8> {
    let (width, height) = resized_size(image.width(), image.height(), size);
    let window =
        Window { left: half_to_even(width - size), top: half_to_even(height - size), width: size, height: size };
    resize_window(image, width, height, window)
}

/// torchvision's rule for the size after `Resize(size)`; both sides are at least `size`.
fn resized_size(width: u32, height: u32, size: u32) -> (u32, u32) {
    let (short, long) = (width.min(height), width.max(height));
    let scaled = u64::from(size) * u64::from(long) / u64::from(short.max(1));
    let scaled = u32::try_from(scaled).unwrap_or(u32::MAX).max(size);
    if width <= height { (size, scaled) } else { (scaled, size) }
}

/// Half of `n`, rounded half to even as Python's `round` does: 73 → 36, 75 → 38.
fn half_to_even(n: u32) -> u32 {
    n / 2 + u32::from(n % 4 == 3)
}

/// The pixels inside the box `(x0, y0, x1, y1)`, black where the box leaves the image.
///
/// Each of the four values is rounded half to even by itself, as Pillow's `crop` does for ARO's boxes.
pub fn crop_box(image: &RgbImage, corners: [f64; 4]) -> Result<RgbImage, ImageError> {
    let [x0, y0, x1, y1] = corners.map(f64::round_ties_even);
    let (width, height) = (x1 - x0, y1 - y0);
    let fits = |side: f64| (1.0..=f64::from(MAX_SIDE)).contains(&side);
    let near = [x0, y0].iter().all(|corner| corner.abs() < 1e9);
    if !(fits(width) && fits(height) && near && width * height <= MAX_CROP_PIXELS) {
        return Err(ImageError::CropBox(corners));
    }
    let mut out = RgbImage::new(width as u32, height as u32);
    image::imageops::replace(&mut out, image, -(x0 as i64), -(y0 as i64));
    Ok(out)
}

/// The normalised patches of preprocessed images, `[images * g², 3 * patch²]` row-major with `g = size / patch`.
///
/// Rows go image by image, then over the grid row by row. Columns go channel, row, column: the order of
/// `conv1.weight.reshape(width, 3 * patch²)`, so that the patch embedding is one product. Every image is the
/// `[size, size, 3]` bytes of [`preprocess`]; values are `(v / 255 - mean) / std` in f32, as torch rounds them.
///
/// # Panics
/// When an image does not have `3 * size²` bytes or `patch` is 0: a mistake of the caller, never of a file.
pub fn patches(images: &[&[u8]], size: usize, patch: usize) -> Vec<f32> {
    let grid = size / patch;
    let columns = 3 * patch * patch;
    let values = normalised_values();
    let mut matrix = vec![0.0; images.len() * grid * grid * columns];
    let per_image = matrix.par_chunks_mut((grid * grid * columns).max(1));
    per_image.zip(images).for_each(|(rows, image)| {
        assert_eq!(image.len(), 3 * size * size, "an image of {size}x{size} pixels");
        for (index, row) in rows.chunks_exact_mut(columns).enumerate() {
            let corner = (index / grid * size + index % grid) * patch;
            fill_patch(row, &image[3 * corner..], size, patch, &values);
        }
    });
    matrix
}

/// One patch whose top-left pixel is the first of `pixels`.
fn fill_patch(row: &mut [f32], pixels: &[u8], size: usize, patch: usize, values: &[[f32; 256]; 3]) {
    for (channel, (plane, values)) in row.chunks_exact_mut(patch * patch).zip(values).enumerate() {
        for (y, line) in plane.chunks_exact_mut(patch).enumerate() {
            let source = &pixels[3 * y * size..3 * (y * size + patch)];
            for (value, pixel) in line.iter_mut().zip(source.as_chunks::<3>().0) {
                *value = values[pixel[channel] as usize];
            }
        }
    }
}

/// What each byte becomes in each channel.
fn normalised_values() -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| std::array::from_fn(|v| (v as f32 / 255.0 - MEAN[channel]) / STD[channel]))
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use serde_json::Value;
    use sha2::{Digest as _, Sha256};

    use super::super::resize::resize;
    use super::*;

    fn golden(part: &str) -> Vec<Value> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/pixels.json");
        let mut all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        serde_json::from_value(all[part].take()).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn sides(value: &Value) -> (u32, u32) {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn side(value: &Value) -> u32 {
        value.as_u64().unwrap() as u32
    }

    fn fingerprint(bytes: &[u8]) -> String {
        let digest = Sha256::digest(bytes);
        let first: [u8; 8] = digest[..8].try_into().unwrap();
        format!("{:016x}", u64::from_be_bytes(first))
    }

    /// `formula_image` of training/reference/golden.py.
    fn formula_image(width: u32, height: u32) -> RgbImage {
        let wrap = |value: u32| (value % 256) as u8;
        RgbImage::from_fn(width, height, |x, y| Rgb([wrap(5 * x + 3 * y), wrap(x * x + 7 * y), wrap(x * y + 11)]))
    }

    #[test]
    fn preprocessing_equals_pillow_and_torchvision() {
        let cases = golden("preprocess");
        assert_eq!(cases.len(), 27);
        for case in cases {
            let (width, height, size) = (side(&case["width"]), side(&case["height"]), side(&case["size"]));
            let image = formula_image(width, height);
            let (to_width, to_height) = sides(&case["resized"]);
            assert_eq!(resized_size(width, height, size), (to_width, to_height), "{case}");
            assert_eq!(fingerprint(resize(&image, to_width, to_height).as_raw()), case["resized_hash"], "{case}");
            let crop = preprocess(&image, size);
            assert_eq!(crop.len() as u32, 3 * size * size);
            assert_eq!(crop[..9.min(crop.len())], bytes(&case["first"]), "{case}");
            let centre = 3 * ((size / 2) * size + size / 2) as usize;
            assert_eq!(crop[centre..centre + 3], bytes(&case["centre"]), "{case}");
            assert_eq!(fingerprint(&crop), case["crop_hash"], "{case}");
        }
    }

    #[test]
    fn free_resizes_equal_pillow() {
        for case in golden("resize") {
            let ((width, height), (to_width, to_height)) = (sides(&case["from"]), sides(&case["to"]));
            let resized = resize(&formula_image(width, height), to_width, to_height);
            assert_eq!(fingerprint(resized.as_raw()), case["hash"], "{case}");
        }
    }

    #[test]
    fn box_crops_equal_pillow() {
        let image = formula_image(8, 6);
        for case in golden("crop") {
            let crop = crop_box(&image, serde_json::from_value(case["box"].clone()).unwrap()).unwrap();
            assert_eq!(crop.dimensions(), sides(&case["size"]), "{case}");
            assert_eq!(crop.as_raw()[..9], bytes(&case["first"]), "{case}");
            assert_eq!(fingerprint(crop.as_raw()), case["hash"], "{case}");
        }
        let outside = crop_box(&image, [100.0, 100.0, 102.0, 101.0]).unwrap();
        assert_eq!(outside.into_raw(), vec![0; 6]);
    }

    #[test]
    fn boxes_without_sense_are_errors() {
        let image = formula_image(8, 6);
        for corners in [
            [2.0, 2.0, 2.0, 4.0],
            [4.0, 0.0, 2.0, 4.0],
            [0.0, 0.0, f64::NAN, 4.0],
            [f64::NEG_INFINITY, 0.0, f64::INFINITY, 4.0],
            [0.0, 0.0, 1e12, 1.0],
            [1e18, 0.0, 1e18 + 4096.0, 1.0],
            [0.0, 0.0, 60_000.0, 60_000.0],
        ] {
            assert!(matches!(crop_box(&image, corners), Err(ImageError::CropBox(_))), "{corners:?}");
        }
    }

    #[test]
    fn byte_values_normalise_as_torch_rounds_them() {
        let expected = golden("normalised");
        for (channel, expected) in normalised_values().iter().zip(expected) {
            let bits: Vec<u32> = serde_json::from_value(expected).unwrap();
            assert_eq!(channel.map(f32::to_bits).as_slice(), bits);
        }
    }

    #[test]
    fn patches_go_channel_row_column() {
        let size = 6;
        let image = |seed: usize| (0..3 * size * size).map(|i| (i * 7 + seed * 50) as u8).collect::<Vec<u8>>();
        let images = [image(0), image(1)];
        let views: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
        let values = normalised_values();
        for patch in [1, 2, 3, 6] {
            let grid = size / patch;
            let matrix = patches(&views, size, patch);
            assert_eq!(matrix.len(), 2 * 3 * size * size);
            let mut expected = Vec::new();
            for image in &images {
                for (gy, gx) in (0..grid * grid).map(|i| (i / grid, i % grid)) {
                    for (channel, (py, px)) in
                        (0..3).flat_map(|c| (0..patch * patch).map(move |i| (c, (i / patch, i % patch))))
                    {
                        let at = 3 * ((gy * patch + py) * size + gx * patch + px) + channel;
                        expected.push(values[channel][usize::from(image[at])]);
                    }
                }
            }
            assert_eq!(matrix, expected, "patch {patch}");
        }
        assert!(patches(&[], 6, 3).is_empty());
    }

    #[test]
    fn files_decode_as_pillow_does() {
        for case in golden("decode") {
            let name = case["file"].as_str().unwrap();
            let image = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/decode").join(name)).unwrap();
            assert_eq!(image.dimensions(), sides(&case["size"]), "{name}");
            // Lossy: smooth.png is a JPEG. The others are exact.
            let leeway = if ["smooth.png", "gray.jpg", "cmyk.jpg", "turned.jpg"].contains(&name) { 5 } else { 0 };
            let expected = bytes(&case["pixels"]);
            let worst = image.as_raw().iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(worst.unwrap() <= leeway, "{name}: {worst:?}");
        }
    }

    #[test]
    fn gray_of_sixteen_bits_keeps_its_high_byte() {
        let gray = image::ImageBuffer::from_fn(4, 4, |x, y| image::Luma([(x * 4 + y) as u16 * 4000]));
        let mut file = Cursor::new(Vec::new());
        DynamicImage::ImageLuma16(gray).write_to(&mut file, image::ImageFormat::Png).unwrap();
        let image = decode(file.get_ref()).unwrap();
        assert_eq!(image.get_pixel(3, 2).0, [(14 * 4000_u32 / 256) as u8; 3]);
    }

    #[test]
    fn broken_files_are_errors_that_name_the_file_last() {
        assert!(matches!(decode(b""), Err(ImageError::UnknownFormat)));
        assert!(matches!(decode(b"<html>no image</html>"), Err(ImageError::UnknownFormat)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.png");
        let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/decode/rgb16.png")).unwrap();
        for end in [8, 20, 33, 60, whole.len() / 2] {
            std::fs::write(&path, &whole[..end]).unwrap();
            let error = read(&path).unwrap_err();
            assert!(matches!(error, ImageError::InFile { .. }), "{end}");
            assert!(error.to_string().ends_with("cut.png"), "{error}");
        }
        let error = read(folder.path().join("absent.jpg")).unwrap_err();
        assert!(matches!(error, ImageError::Unreadable { .. }) && error.to_string().ends_with("absent.jpg"));
    }

    #[test]
    fn a_bomb_is_refused() {
        // The header promises 60,000 × 60,000 pixels of RGB.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 2, 0, 0, 0]);
        let crc = png[12..].iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        });
        png.extend((!crc).to_be_bytes());
        png.extend(b"\0\0\0\x04IDAT\0\0\0\0\0\0\0\0");
        let error = decode(&png).unwrap_err();
        assert!(matches!(error, ImageError::Broken(image::ImageError::Limits(_))), "{error}");
    }

    /// How long one image takes: `cargo test -p clove --lib preprocess -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement, not a check"]
    fn time_of_one_image() {
        let image = formula_image(640, 480);
        let mut best = f64::INFINITY;
        for _ in 0..200 {
            let start = std::time::Instant::now();
            std::hint::black_box(preprocess(std::hint::black_box(&image), 224));
            best = best.min(start.elapsed().as_secs_f64());
        }
        eprintln!("640x480 to 224: {:.3} ms", best * 1e3);
    }
}
