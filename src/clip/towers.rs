//! The two towers: a ViT for images and a causal transformer for texts, as open_clip computes them (`transformer.py`).

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, Result, Tensor};

use super::preprocess;
use crate::checkpoint::{self, Architecture};
use crate::kernels::{self, Activation, AttentionShape, BlockKind, BlockTensors};

/// A CLIP model over somebody else's weights: it holds clones that share storage, so blending or training them in
/// place needs no new model. Differentiable with respect to every tensor.
pub struct Clip {
    architecture: Architecture,
    image: ImageTower,
    text: TextTower,
    logit_scale: Tensor,
    device: Device,
}

pub(super) struct ImageTower {
    /// Without a bias, as a linear layer over the values of a patch.
    pub(super) patch_embedding: Tensor,
    pub(super) class_embedding: Tensor,
    pub(super) positions: Tensor,
    pub(super) ln_pre: Norm,
    pub(super) trunk: Trunk,
    compute: DType,
}

pub(super) struct TextTower {
    pub(super) tokens: Tensor,
    pub(super) positions: Tensor,
    pub(super) trunk: Trunk,
}

/// What both towers have.
pub(super) struct Trunk {
    pub(super) blocks: Vec<Block>,
    norm: Norm,
    projection: Tensor,
}

pub(super) struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

struct Linear {
    weight: Tensor,
    bias: Tensor,
    /// Number format of the product.
    compute: DType,
}

pub(super) struct Block {
    ln_1: Norm,
    qkv: Linear,
    out: Linear,
    ln_2: Norm,
    fc: Linear,
    proj: Linear,
    heads: usize,
    activation: Activation,
    causal: bool,
}

/// Rows stacked into sequences, and which of them become the features.
pub(super) struct Sequences {
    pub(super) batch: usize,
    pub(super) length: usize,
    pub(super) pooled: Vec<u32>,
}

impl Clip {
    /// Builds the towers over tensors by open_clip name, all on one device.
    ///
    /// # Errors
    /// A tensor that [`Architecture::tensors`] lists is missing or has another shape.
    pub fn new(architecture: &Architecture, tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        let compute = tensors.get("logit_scale").map_or(DType::F32, Tensor::dtype);
        Self::computing_in(compute, architecture, tensors)
    }

    /// The same, with the products and attention of the blocks in another number format than the weights'. Residuals,
    /// norms and what follows the blocks keep the weights' format.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn computing_in(
        compute: DType,
        architecture: &Architecture,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<Self> {
        for (name, shape) in architecture.tensors() {
            match tensors.get(&name) {
                Some(tensor) if tensor.dims() == shape => {}
                Some(tensor) => candle_core::bail!("'{name}' has shape {:?}, not {shape:?}", tensor.dims()),
                None => candle_core::bail!("'{name}' is missing"),
            }
        }
        let weights = Weights { tensors, architecture, compute };
        let width = architecture.vision.width;
        let image = ImageTower {
            patch_embedding: weights.get("visual.conv1.weight")?.reshape((width, ()))?,
            class_embedding: weights.get("visual.class_embedding")?,
            positions: weights.get("visual.positional_embedding")?,
            ln_pre: weights.norm("visual.ln_pre")?,
            trunk: Trunk {
                blocks: weights.blocks("visual.transformer", &architecture.vision, false)?,
                norm: weights.norm("visual.ln_post")?,
                projection: weights.get("visual.proj")?,
            },
            compute,
        };
        let text = TextTower {
            tokens: weights.get("token_embedding.weight")?,
            positions: weights.get("positional_embedding")?,
            trunk: Trunk {
                blocks: weights.blocks("transformer", &architecture.text, true)?,
                norm: weights.norm("ln_final")?,
                projection: weights.get("text_projection")?,
            },
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

    pub(super) fn image(&self) -> &ImageTower {
        &self.image
    }

    pub(super) fn text(&self) -> &TextTower {
        &self.text
    }

    /// Embeds preprocessed images (`[size, size, 3]` bytes each) as `[n, embed_dim]`, not normalised.
    pub fn image_features(&self, images: &[&[u8]]) -> Result<Tensor> {
        let (patches, rows) = self.patches(images)?;
        self.image.trunk.features(self.image.stem(&patches, &rows)?, &rows)
    }

    /// Embeds token rows (with start and end ids, unpadded) as `[n, embed_dim]`, not normalised.
    ///
    /// The batch is cut to its longest row: exact, because the causal mask hides what comes after the pooled position.
    ///
    /// # Errors
    /// A row that is empty, longer than the context, or holds an id outside the token table.
    pub fn text_features(&self, texts: &[&[u32]]) -> Result<Tensor> {
        let (ids, rows) = self.ids(texts)?;
        self.text.trunk.features(self.text.stem(&ids, &rows)?, &rows)
    }

    /// What the image tower takes: normalised pixels `[n·grid², 3·patch²]`.
    pub(super) fn patches(&self, images: &[&[u8]]) -> Result<(Tensor, Sequences)> {
        let (size, patch) = (self.architecture.image_size, self.architecture.patch_size);
        let patches = preprocess::patches(images, size, patch);
        let grid = self.architecture.grid() * self.architecture.grid();
        let patches = Tensor::from_vec(patches, (images.len() * grid, 3 * patch * patch), &self.device)?;
        let length = grid + 1;
        let pooled = (0..images.len()).map(|i| (i * length) as u32).collect();
        Ok((patches, Sequences { batch: images.len(), length, pooled }))
    }

    /// What the text tower takes: ids, each row padded to the longest.
    pub(super) fn ids(&self, texts: &[&[u32]]) -> Result<(Vec<u32>, Sequences)> {
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
        Ok((ids, Sequences { batch: texts.len(), length, pooled }))
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
    /// Rows as they enter the first block, `[n·length, width]`.
    pub(super) fn stem(&self, patches: &Tensor, rows: &Sequences) -> Result<Tensor> {
        let (n, width) = (rows.batch, self.positions.dim(1)?);
        let x = self.embedded(patches)?.reshape((n, rows.length - 1, width))?;
        let class = self.class_embedding.reshape((1, 1, width))?.broadcast_as((n, 1, width))?;
        let x = Tensor::cat(&[&class.contiguous()?, &x], 1)?.broadcast_add(&self.positions)?;
        self.ln_pre.forward(&x.reshape((n * rows.length, width))?)
    }

    /// Each patch's own row.
    pub(super) fn embedded(&self, patches: &Tensor) -> Result<Tensor> {
        let weight = self.patch_embedding.to_dtype(self.compute)?;
        kernels::linear(&patches.to_dtype(self.compute)?, &weight, None)?.to_dtype(self.positions.dtype())
    }
}

impl TextTower {
    /// Rows as they enter the first block, `[n·length, width]`.
    pub(super) fn stem(&self, ids: &[u32], rows: &Sequences) -> Result<Tensor> {
        let (n, width) = (rows.batch, self.positions.dim(1)?);
        let ids = Tensor::from_slice(ids, ids.len(), self.tokens.device())?;
        let x = self.tokens.index_select(&ids, 0)?.reshape((n, rows.length, width))?;
        x.broadcast_add(&self.positions.narrow(0, 0, rows.length)?)?.reshape((n * rows.length, width))
    }
}

impl Trunk {
    /// From the first block's rows to features `[n, embed_dim]`.
    fn features(&self, mut x: Tensor, rows: &Sequences) -> Result<Tensor> {
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, rows, self.pools(i))?;
        }
        self.head(&x)
    }

    /// Whether only the pooled rows go through the output projection and MLP of block `i`: nobody reads the others of
    /// the last.
    pub(super) fn pools(&self, i: usize) -> bool {
        i + 1 == self.blocks.len()
    }

    /// From pooled rows `[n, width]` to features.
    pub(super) fn head(&self, x: &Tensor) -> Result<Tensor> {
        kernels::project(&self.norm.forward(x)?, &self.projection)
    }
}

impl Block {
    /// The block's result for all rows, or for the pooled ones.
    pub(super) fn forward(&self, x: &Tensor, rows: &Sequences, pools: bool) -> Result<Tensor> {
        let attended = kernels::attention(&self.qkv.forward(&self.ln_1.forward(x)?)?, self.kind(rows).attention)?;
        if !pools {
            return self.finish(x, &attended);
        }
        let pooled = Tensor::from_slice(&rows.pooled, rows.pooled.len(), x.device())?;
        self.finish(&x.index_select(&pooled, 0)?, &attended.index_select(&pooled, 0)?)
    }

    fn finish(&self, x: &Tensor, attended: &Tensor) -> Result<Tensor> {
        let x = (x + self.out.forward(attended)?.to_dtype(x.dtype())?)?;
        let hidden = kernels::activate(&self.fc.forward(&self.ln_2.forward(&x)?)?, self.activation)?;
        let y = self.proj.forward(&hidden)?.to_dtype(x.dtype())?;
        x + y
    }

    pub(super) fn kind(&self, rows: &Sequences) -> BlockKind {
        let (batch, length) = (rows.batch, rows.length);
        let attention = AttentionShape { batch, length, heads: self.heads, causal: self.causal };
        BlockKind { attention, activation: self.activation, eps: self.ln_1.eps }
    }

    /// The weights as the fused block takes them; `None` where products are in another format.
    pub(super) fn tensors(&self) -> Option<BlockTensors<&Tensor>> {
        (self.qkv.compute == self.qkv.weight.dtype()).then_some(BlockTensors {
            ln_1: [&self.ln_1.weight, &self.ln_1.bias],
            qkv: [&self.qkv.weight, &self.qkv.bias],
            out: [&self.out.weight, &self.out.bias],
            ln_2: [&self.ln_2.weight, &self.ln_2.bias],
            fc: [&self.fc.weight, &self.fc.bias],
            proj: [&self.proj.weight, &self.proj.bias],
        })
    }
}

impl Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let cast = |tensor: &Tensor| tensor.to_dtype(self.compute);
        kernels::linear(&cast(x)?, &cast(&self.weight)?, Some(&cast(&self.bias)?))
    }
}

impl Norm {
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        kernels::layer_norm(x, &self.weight, &self.bias, self.eps)
    }
}

struct Weights<'a> {
    tensors: &'a BTreeMap<String, Tensor>,
    architecture: &'a Architecture,
    compute: DType,
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
        let (weight, bias) = (self.get(&format!("{prefix}.weight"))?, self.get(&format!("{prefix}.bias"))?);
        Ok(Linear { weight, bias, compute: self.compute })
    }

    fn blocks(&self, prefix: &str, tower: &checkpoint::Tower, causal: bool) -> Result<Vec<Block>> {
        (0..tower.layers).map(|i| self.block(&format!("{prefix}.resblocks.{i}"), tower, causal)).collect()
    }

    fn block(&self, prefix: &str, tower: &checkpoint::Tower, causal: bool) -> Result<Block> {
        Ok(Block {
            ln_1: self.norm(&format!("{prefix}.ln_1"))?,
            qkv: Linear {
                weight: self.get(&format!("{prefix}.attn.in_proj_weight"))?,
                bias: self.get(&format!("{prefix}.attn.in_proj_bias"))?,
                compute: self.compute,
            },
            out: self.linear(&format!("{prefix}.attn.out_proj"))?,
            ln_2: self.norm(&format!("{prefix}.ln_2"))?,
            fc: self.linear(&format!("{prefix}.mlp.c_fc"))?,
            proj: self.linear(&format!("{prefix}.mlp.c_proj"))?,
            heads: tower.heads,
            activation: self.architecture.activation,
            causal,
        })
    }
}
