//! CLIP as something that can be fine-tuned.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, Var};
use clove_training::TwoTower;
use image::RgbImage;

use super::{Clip, Tokenizer, normalise, preprocess};
use crate::checkpoint::Architecture;

/// A CLIP model whose every parameter is a variable.
pub struct TrainableClip {
    clip: Clip,
    tokenizer: Tokenizer,
    variables: BTreeMap<String, Var>,
}

impl TrainableClip {
    /// Copies the tensors (open_clip names) to `device` as variables.
    pub fn new(
        architecture: &Architecture,
        tensors: &BTreeMap<String, Tensor>,
        tokenizer: Tokenizer,
        device: &Device,
    ) -> Result<Self> {
        let mut variables = BTreeMap::new();
        for (name, tensor) in tensors {
            variables.insert(name.clone(), Var::from_tensor(&tensor.to_device(device)?)?);
        }
        let shared = variables.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect();
        Ok(Self { clip: Clip::new(architecture, &shared)?, tokenizer, variables })
    }

    /// The current weights, without a graph; they share storage with the variables.
    pub fn tensors(&self) -> BTreeMap<String, Tensor> {
        self.variables.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor())).collect()
    }
}

impl TwoTower for TrainableClip {
    fn preprocess(&self, image: &RgbImage) -> Vec<u8> {
        preprocess::preprocess(image, self.clip.architecture().image_size as u32)
    }

    fn tokenize(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text)
    }

    fn encode_images(&self, images: &[&[u8]]) -> Result<Tensor> {
        normalise(&self.clip.image_features(images)?)
    }

    fn encode_texts(&self, texts: &[&[u32]]) -> Result<Tensor> {
        normalise(&self.clip.text_features(texts)?)
    }

    fn logit_scale(&self) -> Result<Tensor> {
        Ok(self.clip.logit_scale().clone())
    }

    fn trainable(&self) -> Vec<(String, Var)> {
        self.variables.iter().map(|(name, var)| (name.clone(), var.clone())).collect()
    }
}
