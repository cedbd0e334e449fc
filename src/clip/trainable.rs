//! CLIP as something that can be fine-tuned.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use clove_training::recipe::Precision;
use clove_training::{Inputs, Pass, Recipe, TwoTower, is_frozen};
use image::RgbImage;

use super::pass::Stages;
use super::{Clip, Tokenizer, normalise, preprocess};
use crate::checkpoint::Architecture;
use crate::kernels::Workspace;

/// What of a model is trained, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingOptions {
    /// Beginnings of the names of parameters that are not trained.
    pub frozen: Vec<String>,
    /// Keep only the inputs of blocks and compute the rest again in the backward pass.
    pub recompute: bool,
    /// Number format of products and attention; `None` is the weights' own.
    pub compute: Option<DType>,
}

impl TrainingOptions {
    /// What `recipe` asks for.
    ///
    /// # Errors
    /// bf16 on a device that does not have it.
    pub fn of(recipe: &Recipe, device: &Device) -> Result<Self> {
        let compute = match recipe.precision {
            Precision::F32 => None,
            Precision::Bf16 if device.supports_bf16() => Some(DType::BF16),
            Precision::Bf16 => candle_core::bail!(
                "precision bf16 needs a GPU, this device computes in f32 only: set precision = \"f32\" or choose another device"
            ),
        };
        Ok(Self { frozen: recipe.frozen.clone(), recompute: recipe.recompute, compute })
    }
}

/// A CLIP model whose parameters are variables.
pub struct TrainableClip {
    /// Over the variables.
    traced: Clip,
    /// Over the same memory, for passes without a graph.
    plain: Clip,
    tokenizer: Tokenizer,
    trained: BTreeMap<String, Var>,
    frozen: BTreeMap<String, Tensor>,
    recompute: bool,
    workspace: Workspace,
}

impl TrainableClip {
    /// Copies the tensors (open_clip names) to `device` as variables, all of them trained.
    pub fn new(
        architecture: &Architecture,
        tensors: &BTreeMap<String, Tensor>,
        tokenizer: Tokenizer,
        device: &Device,
    ) -> Result<Self> {
        Self::with(&TrainingOptions::default(), architecture, tensors, tokenizer, device)
    }

    /// Copies the tensors (open_clip names) to `device`, those that are trained as variables.
    ///
    /// # Errors
    /// Missing tensors, a beginning of frozen names that no tensor has, everything frozen.
    pub fn with(
        options: &TrainingOptions,
        architecture: &Architecture,
        tensors: &BTreeMap<String, Tensor>,
        tokenizer: Tokenizer,
        device: &Device,
    ) -> Result<Self> {
        let TrainingOptions { frozen: prefixes, recompute, compute } = options;
        if let Some(prefix) = prefixes.iter().find(|prefix| !tensors.keys().any(|name| name.starts_with(*prefix))) {
            candle_core::bail!("no parameter's name begins with '{prefix}', which is to be frozen");
        }
        let (mut trained, mut frozen) = (BTreeMap::new(), BTreeMap::new());
        for (name, tensor) in tensors {
            let moved = tensor.to_device(device)?.detach();
            if is_frozen(name, prefixes) {
                frozen.insert(name.clone(), moved);
            } else {
                trained.insert(name.clone(), Var::from_tensor(&moved)?);
            }
        }
        let over = |of_variable: fn(&Var) -> Tensor| -> Result<Clip> {
            let variables = trained.iter().map(|(name, var)| (name.clone(), of_variable(var)));
            let shared = variables.chain(frozen.iter().map(|(name, tensor)| (name.clone(), tensor.clone()))).collect();
            match compute {
                Some(compute) => Clip::computing_in(*compute, architecture, &shared),
                None => Clip::new(architecture, &shared),
            }
        };
        let (traced, plain) = (over(|var| var.as_tensor().clone())?, over(Var::as_detached_tensor)?);
        let workspace = Workspace::default();
        Ok(Self { traced, plain, tokenizer, trained, frozen, recompute: *recompute, workspace })
    }

    /// The current weights, without a graph; they share storage with the variables.
    pub fn tensors(&self) -> BTreeMap<String, Tensor> {
        let trained = self.trained.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        trained.chain(self.frozen.iter().map(|(name, tensor)| (name.clone(), tensor.clone()))).collect()
    }

    /// Memory for intermediate results, in use or kept for the next step.
    pub fn scratch_bytes(&self) -> usize {
        size_of::<f32>() * self.workspace.values()
    }

    fn stages(&self) -> Stages<'_> {
        Stages {
            traced: &self.traced,
            plain: &self.plain,
            trained: &self.trained,
            recompute: self.recompute,
            workspace: &self.workspace,
        }
    }
}

impl TwoTower for TrainableClip {
    fn preprocess(&self, image: &RgbImage) -> Vec<u8> {
        preprocess::preprocess(image, self.plain.architecture().image_size as u32)
    }

    fn tokenize(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text)
    }

    fn encode_images(&self, images: &[&[u8]]) -> Result<Tensor> {
        normalise(&self.traced.image_features(images)?)
    }

    fn encode_texts(&self, texts: &[&[u32]]) -> Result<Tensor> {
        normalise(&self.traced.text_features(texts)?)
    }

    fn logit_scale(&self) -> Result<Tensor> {
        Ok(self.traced.logit_scale().clone())
    }

    fn trainable(&self) -> Vec<(String, Var)> {
        self.trained.iter().map(|(name, var)| (name.clone(), var.clone())).collect()
    }

    fn embed(&self, inputs: Inputs<'_>) -> Result<Tensor> {
        self.stages().embed(inputs)
    }

    fn pass(&self, inputs: Inputs<'_>) -> Result<Pass<'_>> {
        self.stages().pass(inputs)
    }

    fn learns(&self, inputs: Inputs<'_>) -> bool {
        self.stages().lowest(inputs).is_some()
    }
}
