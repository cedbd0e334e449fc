//! The two towers: a ViT for images and a causal transformer for texts, as open_clip computes them (`transformer.py`).

use std::collections::BTreeMap;

use candle_core::{D, Device, Result, Tensor};

use super::preprocess;
use crate::checkpoint::{Architecture, Tower};
use crate::kernels::{self, Activation, AttentionShape};

/// A CLIP model over somebody else's weights: it holds clones that share storage, so blending or training them in
/// place needs no new model. Differentiable with respect to every tensor.
pub struct Clip {
    architecture: Architecture,
    image: ImageTower,
    text: TextTower,
    logit_scale: Tensor,
    device: Device,
}

struct ImageTower {
    patch_embedding: Tensor,
    class_embedding: Tensor,
    positions: Tensor,
    ln_pre: Norm,
    blocks: Vec<Block>,
    ln_post: Norm,
    projection: Tensor,
}

struct TextTower {
    tokens: Tensor,
    positions: Tensor,
    blocks: Vec<Block>,
    ln_final: Norm,
    projection: Tensor,
}

struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

struct Linear {
    weight: Tensor,
    bias: Tensor,
}

struct Block {
    ln_1: Norm,
    qkv: Linear,
    out: Linear,
    ln_2: Norm,
    fc: Linear,
    proj: Linear,
    heads: usize,
    activation: Activation,
}

impl Clip {
    /// Builds the towers over tensors by open_clip name, all on one device.
    ///
    /// # Errors
    /// A tensor that [`Architecture::tensors`] lists is missing or has another shape.
    pub fn new(architecture: &Architecture, tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        for (name, shape) in architecture.tensors() {
            match tensors.get(&name) {
                Some(tensor) if tensor.dims() == shape => {}
                Some(tensor) => candle_core::bail!("'{name}' has shape {:?}, not {shape:?}", tensor.dims()),
                None => candle_core::bail!("'{name}' is missing"),
            }
        }
        let weights = Weights { tensors, architecture };
        let width = architecture.vision.width;
        let image = ImageTower {
            patch_embedding: weights.get("visual.conv1.weight")?.reshape((width, ()))?,
            class_embedding: weights.get("visual.class_embedding")?,
            positions: weights.get("visual.positional_embedding")?,
            ln_pre: weights.norm("visual.ln_pre")?,
            blocks: weights.blocks("visual.transformer", &architecture.vision)?,
            ln_post: weights.norm("visual.ln_post")?,
            projection: weights.get("visual.proj")?,
        };
        let text = TextTower {
            tokens: weights.get("token_embedding.weight")?,
            positions: weights.get("positional_embedding")?,
            blocks: weights.blocks("transformer", &architecture.text)?,
            ln_final: weights.norm("ln_final")?,
            projection: weights.get("text_projection")?,
        };
        let logit_scale = weights.get("logit_scale")?;
        let device = logit_scale.device().clone();
        Ok(Self { architecture: *architecture, image, text, logit_scale, device })
    }

    /// What the towers are.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The natural logarithm of the logit scale, rank 0.
    pub fn logit_scale(&self) -> &Tensor {
        &self.logit_scale
    }

    /// Embeds preprocessed images (`[size, size, 3]` bytes each) as `[n, embed_dim]`, not normalised.
    pub fn image_features(&self, images: &[&[u8]]) -> Result<Tensor> {
        let (size, patch) = (self.architecture.image_size, self.architecture.patch_size);
        let row = 3 * patch * patch;
        let patches = preprocess::patches(images, size, patch);
        let grid = self.architecture.grid() * self.architecture.grid();
        let patches = Tensor::from_vec(patches, (images.len() * grid, row), &self.device)?;
        let patches = patches.to_dtype(self.image.patch_embedding.dtype())?;
        self.image.encode(&patches, images.len())
    }

    /// Embeds token rows (with start and end ids, unpadded) as `[n, embed_dim]`, not normalised.
    ///
    /// The batch is cut to its longest row: exact, because the causal mask hides what comes after the pooled position.
    ///
    /// # Errors
    /// A row that is empty, longer than the context, or holds an id outside the token table.
    pub fn text_features(&self, texts: &[&[u32]]) -> Result<Tensor> {
        let length = texts.iter().map(|t| t.len()).max().unwrap_or(0);
        if length > self.architecture.context_length {
            candle_core::bail!("a text has {length} tokens, more than {}", self.architecture.context_length);
        }
        let mut ids = Vec::with_capacity(texts.len() * length);
        let mut pooled = Vec::with_capacity(texts.len());
        for (row, text) in texts.iter().enumerate() {
            let Some(end) = self.pooled_position(text) else { candle_core::bail!("a text has no tokens") };
            if let Some(id) = text.iter().find(|id| **id as usize >= self.architecture.vocab_size) {
                candle_core::bail!("token id {id} is outside the table of {} rows", self.architecture.vocab_size);
            }
            ids.extend_from_slice(text);
            ids.resize((row + 1) * length, 0);
            pooled.push((row * length + end) as u32);
        }
        let ids = Tensor::from_vec(ids, texts.len() * length, &self.device)?;
        let pooled = Tensor::from_vec(pooled, texts.len(), &self.device)?;
        self.text.encode(&ids, &pooled, texts.len(), length)
    }

    /// The first end-of-text, computed here and not by `argmax`, which does not take the first maximum on CUDA.
    fn pooled_position(&self, text: &[u32]) -> Option<usize> {
        let end = text.iter().position(|id| *id == self.architecture.end_of_text);
        end.or_else(|| text.len().checked_sub(1))
    }
}

/// L2-normalises rows `[n, d]`; a zero row stays zero (the 1e-12 floor of `F.normalize`). Differentiable.
pub fn normalise(features: &Tensor) -> Result<Tensor> {
    let squares = (features.sqr()?.sum_keepdim(D::Minus1)? + 1e-24)?;
    features.broadcast_div(&squares.sqrt()?)
}

impl ImageTower {
    fn encode(&self, patches: &Tensor, n: usize) -> Result<Tensor> {
        let (positions, width) = self.positions.dims2()?;
        let x = kernels::linear(patches, &self.patch_embedding, None)?.reshape((n, positions - 1, width))?;
        let class = self.class_embedding.reshape((1, 1, width))?.broadcast_as((n, 1, width))?;
        let x = Tensor::cat(&[&class.contiguous()?, &x], 1)?.broadcast_add(&self.positions)?;
        let x = self.ln_pre.forward(&x.reshape((n * positions, width))?)?;
        let pooled: Vec<u32> = (0..n).map(|i| (i * positions) as u32).collect();
        let pooled = Tensor::from_vec(pooled, n, x.device())?;
        let shape = |heads| AttentionShape { batch: n, length: positions, heads, causal: false };
        let x = forward_blocks(&self.blocks, x, &pooled, shape)?;
        kernels::project(&self.ln_post.forward(&x)?, &self.projection)
    }
}

impl TextTower {
    fn encode(&self, ids: &Tensor, pooled: &Tensor, n: usize, length: usize) -> Result<Tensor> {
        let width = self.positions.dim(1)?;
        let x = self.tokens.index_select(ids, 0)?.reshape((n, length, width))?;
        let x = x.broadcast_add(&self.positions.narrow(0, 0, length)?)?.reshape((n * length, width))?;
        let shape = |heads| AttentionShape { batch: n, length, heads, causal: true };
        let x = forward_blocks(&self.blocks, x, pooled, shape)?;
        kernels::project(&self.ln_final.forward(&x)?, &self.projection)
    }
}

/// Runs the blocks over `[n·length, width]` and returns the pooled rows `[n, width]`: only they go through the last
/// block's output projection and MLP.
fn forward_blocks(
    blocks: &[Block],
    mut x: Tensor,
    pooled: &Tensor,
    shape: impl Fn(usize) -> AttentionShape,
) -> Result<Tensor> {
    let last = blocks.len().saturating_sub(1);
    for (i, block) in blocks.iter().enumerate() {
        let mut attended = block.attend(&x, shape(block.heads))?;
        if i == last {
            attended = attended.index_select(pooled, 0)?;
            x = x.index_select(pooled, 0)?;
        }
        x = block.finish(&x, &attended)?;
    }
    Ok(x)
}

impl Block {
    fn attend(&self, x: &Tensor, shape: AttentionShape) -> Result<Tensor> {
        kernels::attention(&self.qkv.forward(&self.ln_1.forward(x)?)?, shape)
    }

    fn finish(&self, x: &Tensor, attended: &Tensor) -> Result<Tensor> {
        let x = (x + self.out.forward(attended)?)?;
        let hidden = kernels::activate(&self.fc.forward(&self.ln_2.forward(&x)?)?, self.activation)?;
        x + self.proj.forward(&hidden)?
    }
}

impl Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        kernels::linear(x, &self.weight, Some(&self.bias))
    }
}

impl Norm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        kernels::layer_norm(x, &self.weight, &self.bias, self.eps)
    }
}

struct Weights<'a> {
    tensors: &'a BTreeMap<String, Tensor>,
    architecture: &'a Architecture,
}

impl Weights<'_> {
    fn get(&self, name: &str) -> Result<Tensor> {
        self.tensors.get(name).cloned().ok_or_else(|| candle_core::Error::msg(format!("'{name}' is missing")))
    }

    fn norm(&self, prefix: &str) -> Result<Norm> {
        let eps = self.architecture.layer_norm_eps;
        Ok(Norm { weight: self.get(&format!("{prefix}.weight"))?, bias: self.get(&format!("{prefix}.bias"))?, eps })
    }

    fn linear(&self, prefix: &str) -> Result<Linear> {
        Ok(Linear { weight: self.get(&format!("{prefix}.weight"))?, bias: self.get(&format!("{prefix}.bias"))? })
    }

    fn blocks(&self, prefix: &str, tower: &Tower) -> Result<Vec<Block>> {
        (0..tower.layers).map(|i| self.block(&format!("{prefix}.resblocks.{i}"), tower)).collect()
    }

    fn block(&self, prefix: &str, tower: &Tower) -> Result<Block> {
        Ok(Block {
            ln_1: self.norm(&format!("{prefix}.ln_1"))?,
            qkv: Linear {
                weight: self.get(&format!("{prefix}.attn.in_proj_weight"))?,
                bias: self.get(&format!("{prefix}.attn.in_proj_bias"))?,
            },
            out: self.linear(&format!("{prefix}.attn.out_proj"))?,
            ln_2: self.norm(&format!("{prefix}.ln_2"))?,
            fc: self.linear(&format!("{prefix}.mlp.c_fc"))?,
            proj: self.linear(&format!("{prefix}.mlp.c_proj"))?,
            heads: tower.heads,
            activation: self.architecture.activation,
        })
    }
}
