//! Images and captions of training data as this model takes them.

use std::sync::Arc;

use clove_training::captions::DecodeError;
use clove_training::{CropBox, Prepare};
use image::{RgbImage, imageops};

use super::Tokenizer;
use super::preprocess::{self, ImageError};
use super::resize::resize;

/// Decodes, crops and resizes images to `size` × `size`, and turns captions into ids; shared by threads.
pub struct Preparation {
    size: u32,
    tokenizer: Arc<Tokenizer>,
}

impl Preparation {
    /// For a model whose images have `size` pixels a side.
    pub fn new(size: u32, tokenizer: Arc<Tokenizer>) -> Self {
        Self { size, tokenizer }
    }
}

impl Prepare for Preparation {
    fn decode(&self, bytes: &[u8]) -> Result<RgbImage, DecodeError> {
        preprocess::decode(bytes).map_err(|error| match error {
            ImageError::TooLarge | ImageError::Broken(image::ImageError::Limits(_)) => {
                DecodeError::TooLarge(sentence(&error))
            }
            other => DecodeError::Broken(sentence(&other)),
        })
    }

    /// Pillow's crop, then its bicubic resize, byte for byte: what is outside the crop plays no part, as in
    /// torchvision's `RandomResizedCrop`.
    fn image(&self, image: &RgbImage, crop: CropBox) -> Vec<u8> {
        let part = imageops::crop_imm(image, crop.x, crop.y, crop.width, crop.height).to_image();
        resize(&part, self.size, self.size).into_raw()
    }

    fn tokens(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text)
    }
}

/// The error as a sentence of its own.
fn sentence(error: &ImageError) -> String {
    let text = error.to_string();
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use sha2::{Digest as _, Sha256};

    /// R = 5x + 3y, G = x² + 7y, B = xy + 11, as the reference scripts make it.
    fn formula_image(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([5 * x + 3 * y, x * x + 7 * y, x * y + 11].map(|value| (value % 256) as u8))
        })
    }

    #[test]
    fn crops_equal_torchvisions() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/crops.json");
        let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = golden.as_array().unwrap();
        assert!(cases.len() >= 40);
        let tokenizer = Arc::new(Tokenizer::openai(77).unwrap());
        for case in cases {
            let [width, height, size, x, y, w, h]: [u32; 7] = serde_json::from_value(case["numbers"].clone()).unwrap();
            let preparation = Preparation::new(size, tokenizer.clone());
            let bytes = preparation.image(&formula_image(width, height), CropBox { x, y, width: w, height: h });
            assert_eq!(bytes.len(), (3 * size * size) as usize);
            let hash: String = Sha256::digest(&bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, case["hash"], "{case}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_said_in_a_sentence() {
        let preparation = Preparation::new(32, Arc::new(Tokenizer::openai(77).unwrap()));
        let error = preparation.decode(b"no image").unwrap_err();
        assert!(matches!(&error, DecodeError::Broken(why) if why.starts_with("Not an image")), "{error}");
        let bmp = bmp_header(60_000);
        assert!(matches!(preparation.decode(&bmp), Err(DecodeError::TooLarge(_))), "{:?}", preparation.decode(&bmp));
        assert_eq!(preparation.tokens("hello world"), [49_406, 3306, 1002, 49_407]);
    }

    /// A BMP that announces a square of 24-bit pixels.
    fn bmp_header(side: u32) -> Vec<u8> {
        let mut bytes = b"BM".to_vec();
        bytes.extend(
            [(54 + 3 * u64::from(side) * u64::from(side)) as u32, 0, 54, 40, side, side]
                .iter()
                .flat_map(|v| v.to_le_bytes()),
        );
        bytes.extend([1, 0, 24, 0]);
        bytes.extend([0; 24]);
        bytes
    }
}
