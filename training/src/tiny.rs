//! A two-tower model small enough for tests: one linear layer over an image's bytes, a bag of token embeddings.

use crate::batches::{Sample, Samples};
use crate::recipe::{NegativeSource, Precision, Recipe, Sampling};
use crate::two_tower::TwoTower;
use candle_core::{Device, Result, Tensor, Var};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Kinds of the first and of the second half of a caption, one-hot in an image's bytes.
pub const KINDS: usize = 6;
const WIDTH: usize = 8;

/// Numbers in -1..1, the same for the same seed on every machine.
pub fn random(seed: u64, shape: &[usize]) -> Result<Tensor> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

#[derive(Debug)]
pub struct Tiny {
    image: Var,
    image_bias: Var,
    embedding: Var,
    logit_scale: Var,
}

impl Tiny {
    pub fn new(seed: u64) -> Self {
        let var = |seed, shape: &[usize]| Var::from_tensor(&random(seed, shape).unwrap()).unwrap();
        Self {
            image: var(seed, &[2 * KINDS, WIDTH]),
            image_bias: var(seed + 1, &[WIDTH]),
            embedding: var(seed + 2, &[2 * KINDS, WIDTH]),
            logit_scale: Var::from_tensor(&Tensor::new(1.0f32, &Device::Cpu).unwrap()).unwrap(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let values = |var: &Var| var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        self.trainable().iter().flat_map(|(_, var)| values(var)).flat_map(f32::to_le_bytes).collect()
    }

    /// How much more similar each image is to its caption than to its most similar negative.
    pub fn margins(&self, samples: &[Sample]) -> Vec<f32> {
        let margin = |sample: &Sample| {
            let image = self.encode_images(&[&sample.image]).unwrap();
            let similarity = |text: &Arc<[u32]>| {
                let text = self.encode_texts(&[text]).unwrap();
                (&image * &text).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()
            };
            similarity(&sample.caption) - sample.negatives.iter().map(similarity).fold(f32::MIN, f32::max)
        };
        samples.iter().map(margin).collect()
    }
}

fn normalised(raw: &Tensor) -> Result<Tensor> {
    raw.broadcast_div(&(raw.sqr()?.sum_keepdim(1)? + 1e-12)?.sqrt()?)
}

impl TwoTower for Tiny {
    fn preprocess(&self, image: &image::RgbImage) -> Vec<u8> {
        image.as_raw().clone()
    }

    fn tokenize(&self, text: &str) -> Vec<u32> {
        text.bytes().map(u32::from).collect()
    }

    fn encode_images(&self, images: &[&[u8]]) -> Result<Tensor> {
        let pixels: Vec<f32> = images.concat().into_iter().map(|byte| f32::from(byte) / 255.0).collect();
        let pixels = Tensor::from_vec(pixels, (images.len(), 2 * KINDS), &Device::Cpu)?;
        normalised(&pixels.matmul(self.image.as_tensor())?.broadcast_add(self.image_bias.as_tensor())?)
    }

    fn encode_texts(&self, texts: &[&[u32]]) -> Result<Tensor> {
        let mut bags = vec![0f32; texts.len() * 2 * KINDS];
        for (text, bag) in texts.iter().zip(bags.chunks_mut(2 * KINDS)) {
            text.iter().for_each(|&id| bag[id as usize] += 1.0);
        }
        let bags = Tensor::from_vec(bags, (texts.len(), 2 * KINDS), &Device::Cpu)?;
        normalised(&bags.matmul(self.embedding.as_tensor())?)
    }

    fn logit_scale(&self) -> Result<Tensor> {
        Ok(self.logit_scale.as_tensor().clone())
    }

    fn trainable(&self) -> Vec<(String, Var)> {
        let named = |name: &str, var: &Var| (name.to_owned(), var.clone());
        vec![
            named("image.bias", &self.image_bias),
            named("image.weight", &self.image),
            named("logit_scale", &self.logit_scale),
            named("text.embedding", &self.embedding),
        ]
    }
}

/// Images that show kind `k` twice, captions that name it twice: one half is enough to tell them apart, so only the
/// negatives, which get one half wrong, ask for both.
pub struct Twins;

impl Samples for Twins {
    fn len(&self) -> usize {
        KINDS
    }

    fn sample(&self, index: usize, draw: &mut ChaCha8Rng) -> Sample {
        let other = (index + 1 + draw.next_u64() as usize % (KINDS - 1)) % KINDS;
        let text = |first: usize, second: usize| Arc::from([first as u32, (KINDS + second) as u32]);
        let mut image = vec![0u8; 2 * KINDS];
        image[index] = 255;
        image[KINDS + index] = 255;
        Sample {
            image: image.into(),
            caption: text(index, index),
            negatives: vec![text(index, other), text(other, index)],
        }
    }
}

pub fn recipe() -> Recipe {
    Recipe {
        name: "tiny".to_owned(),
        seed: 7,
        steps: 200,
        batch: KINDS,
        lr: 0.05,
        betas: [0.9, 0.98],
        eps: 1e-6,
        weight_decay: 0.01,
        warmup: 10,
        clip_norm: Some(1.0),
        negatives_per_caption: 0,
        logit_scale_max: 100f64.ln(),
        base: "tiny".to_owned(),
        activation: None,
        context_length: None,
        accumulate: 1,
        frozen: Vec::new(),
        recompute: false,
        precision: Precision::F32,
        data: Vec::new(),
        caption_key: String::new(),
        sampling: Sampling::Epochs,
        shuffle_buffer: 1_000,
        workers: 2,
        crop: [0.9, 1.0],
        negatives: NegativeSource::Given,
        evaluate_every: 0,
        evaluate_benchmarks: Vec::new(),
        evaluate_data: String::new(),
        evaluate_limit: None,
        alpha: 0.6,
        checkpoint_every: 500,
        checkpoints_kept: 3,
    }
}

/// A folder that goes with the test.
pub struct Room(PathBuf);

pub fn room() -> (Room, PathBuf) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("clove-training-{}-{count}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    (Room(path.clone()), path)
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
