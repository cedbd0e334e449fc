//! Forward and backward through a tower, stage by stage.
//!
//! A tower is a stem, its blocks and a head. Each stage keeps what its own backward pass needs, or only its input where
//! activations are recomputed (arXiv 1604.06174). Nothing below the lowest trained stage is kept or goes backward.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor, Var};
use clove_training::gradients::seeded;
use clove_training::{Backward, Gradients, Inputs, Pass};

use super::towers::{Block, Sequences, Trunk};
use super::{Clip, normalise};
use crate::kernels::{self, BlockState, BlockTensors, Target, Workspace};

/// How a model is differentiated.
pub(super) struct Stages<'m> {
    /// Over variables where a parameter is trained.
    pub(super) traced: &'m Clip,
    /// Over the same memory without variables.
    pub(super) plain: &'m Clip,
    /// The trained parameters.
    pub(super) trained: &'m BTreeMap<String, Var>,
    /// Keep the inputs of blocks only.
    pub(super) recompute: bool,
    pub(super) workspace: &'m Workspace,
}

/// What a stage left for its backward pass.
#[expect(clippy::large_enum_variant, reason = "a handful per tower: boxing them would only cost")]
enum Kept {
    /// Its input: it has to go forward again.
    Input(Tensor),
    /// A graph, from a variable that holds the input where a gradient of that is wanted.
    Graph { input: Option<Var>, output: Tensor },
    /// A fused block.
    Block(BlockState),
}

/// One tower's batch on its way.
struct Journey<'m> {
    stages: Stages<'m>,
    source: Source,
    rows: Sequences,
    /// The lowest stage with a trained parameter: 0 is the stem, then the blocks, then the head.
    lowest: usize,
    kept: Vec<Kept>,
}

/// What the stem takes.
enum Source {
    Patches(Tensor),
    Ids(Vec<u32>),
}

impl<'m> Stages<'m> {
    /// Embeddings `[n, embed_dim]`, with nothing kept.
    pub(super) fn embed(self, inputs: Inputs<'_>) -> Result<Tensor> {
        self.journey(inputs, usize::MAX)?.forward()
    }

    /// Embeddings `[n, embed_dim]`, with what the backward pass needs.
    pub(super) fn pass(self, inputs: Inputs<'_>) -> Result<Pass<'m>> {
        let lowest = self.lowest(inputs).unwrap_or(usize::MAX);
        let mut journey = self.journey(inputs, lowest)?;
        let embeddings = journey.forward()?;
        let backward: Backward<'m> = Box::new(move |upstream, gradients| journey.backward(upstream, gradients));
        Ok(Pass { embeddings, backward })
    }

    fn journey(self, inputs: Inputs<'_>, lowest: usize) -> Result<Journey<'m>> {
        let (source, rows) = match inputs {
            Inputs::Images(images) => {
                let (patches, rows) = self.plain.patches(images)?;
                (Source::Patches(patches), rows)
            }
            Inputs::Texts(texts) => {
                let (ids, rows) = self.plain.ids(texts)?;
                (Source::Ids(ids), rows)
            }
        };
        Ok(Journey { stages: self, source, rows, lowest, kept: Vec::new() })
    }

    /// The lowest stage of the tower that has a trained parameter.
    pub(super) fn lowest(&self, inputs: Inputs<'_>) -> Option<usize> {
        let (stem, head, prefix, blocks): (&[&str], &[&str], _, _) = match inputs {
            Inputs::Images(_) => (&IMAGE_STEM[..], &IMAGE_HEAD[..], "visual.", &self.plain.image().trunk.blocks),
            Inputs::Texts(_) => (&TEXT_STEM[..], &TEXT_HEAD[..], "", &self.plain.text().trunk.blocks),
        };
        let any = |begin: &str| {
            self.trained.range(begin.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(begin))
        };
        if stem.iter().copied().any(any) {
            return Some(0);
        }
        let block = (0..blocks.len()).find(|i| any(&format!("{prefix}transformer.resblocks.{i}.")));
        block.map(|i| i + 1).or_else(|| head.iter().copied().any(any).then_some(blocks.len() + 1))
    }
}

const IMAGE_STEM: [&str; 4] =
    ["visual.conv1.weight", "visual.class_embedding", "visual.positional_embedding", "visual.ln_pre."];
const IMAGE_HEAD: [&str; 2] = ["visual.ln_post.", "visual.proj"];
const TEXT_STEM: [&str; 2] = ["token_embedding.weight", "positional_embedding"];
const TEXT_HEAD: [&str; 2] = ["ln_final.", "text_projection"];

impl Journey<'_> {
    fn trunk<'c>(&self, clip: &'c Clip) -> &'c Trunk {
        match self.source {
            Source::Patches(_) => &clip.image().trunk,
            Source::Ids(_) => &clip.text().trunk,
        }
    }

    fn forward(&mut self) -> Result<Tensor> {
        let mut x = self.stem()?;
        let (plain, traced) = (self.trunk(self.stages.plain), self.trunk(self.stages.traced));
        for i in 0..plain.blocks.len() {
            let is_kept = i + 1 >= self.lowest;
            if is_kept && !self.stages.recompute {
                let (y, kept) = self.block(i, &x)?;
                self.kept.push(kept);
                x = y;
            } else {
                let y = plain_block(&plain.blocks[i], &x, &self.rows, plain.pools(i), self.stages.workspace)?;
                if is_kept {
                    self.kept.push(Kept::Input(x));
                }
                x = y;
            }
        }
        let head = plain.blocks.len() + 1;
        if self.lowest > head {
            return normalise(&plain.head(&x)?);
        }
        let kept = graph(&x, self.lowest < head, |x| normalise(&traced.head(x)?))?;
        let embeddings = kept.output();
        self.kept.push(kept);
        embeddings
    }

    /// The tower's stem; one that is trained keeps what its backward pass needs.
    fn stem(&mut self) -> Result<Tensor> {
        let is_kept = self.lowest == 0;
        let clip = if is_kept { self.stages.traced } else { self.stages.plain };
        let kept = match &self.source {
            Source::Ids(ids) => {
                let text = self.stages.plain.text();
                if kernels::takes(&[&text.tokens, &text.positions]) {
                    // Nothing to keep: the gradients are sums of rows.
                    return kernels::rows_and_positions(&text.tokens, ids, &text.positions, self.rows.length);
                }
                Kept::Graph { input: None, output: clip.text().stem(ids, &self.rows)? }
            }
            Source::Patches(patches) => {
                let image = self.stages.plain.image();
                if kernels::takes(&[patches, &image.patch_embedding, &image.positions]) {
                    let x = image.embedded(patches)?;
                    let x = kernels::class_and_positions(&x, &image.class_embedding, &image.positions)?;
                    graph(&x, is_kept, |x| clip.image().ln_pre.forward(x))?
                } else {
                    Kept::Graph { input: None, output: clip.image().stem(patches, &self.rows)? }
                }
            }
        };
        let x = kept.output();
        if is_kept {
            self.kept.push(kept);
        }
        x
    }

    /// Block `i` with what its backward pass needs.
    fn block(&self, i: usize, x: &Tensor) -> Result<(Tensor, Kept)> {
        let (plain, traced) = (self.trunk(self.stages.plain), self.trunk(self.stages.traced));
        if let Some(weights) = fused(&plain.blocks[i], x) {
            let pooled = plain.pools(i).then_some(&*self.rows.pooled);
            let kind = plain.blocks[i].kind(&self.rows);
            if let (y, Some(state)) = kernels::block_forward(x, &weights, kind, pooled, true, self.stages.workspace)? {
                return Ok((y, Kept::Block(state)));
            }
        }
        let kept = graph(x, self.lowest < i + 1, |x| traced.blocks[i].forward(x, &self.rows, traced.pools(i)))?;
        Ok((kept.output()?, kept))
    }

    fn backward(mut self, upstream: &Tensor, gradients: &mut Gradients) -> Result<()> {
        let (blocks, lowest) = (self.trunk(self.stages.plain).blocks.len(), self.lowest);
        let Some(head) = self.kept.pop() else { return Ok(()) };
        let mut upstream = head.graph_backward(upstream, gradients)?;
        for i in (0..blocks).rev().take_while(|i| i + 1 >= lowest) {
            let (Some(kept), Some(grad)) = (self.kept.pop(), upstream) else { return Ok(()) };
            let kept = match kept {
                Kept::Input(x) => self.block(i, &x)?.1,
                kept => kept,
            };
            upstream = match kept {
                Kept::Block(state) => self.block_backward(i, state, &grad, gradients)?,
                kept => kept.graph_backward(&grad, gradients)?,
            };
        }
        match upstream {
            Some(grad) if self.lowest == 0 => self.stem_backward(&grad, gradients),
            _ => Ok(()),
        }
    }

    fn block_backward(
        &self,
        i: usize,
        state: BlockState,
        grad: &Tensor,
        gradients: &mut Gradients,
    ) -> Result<Option<Tensor>> {
        let block = &self.trunk(self.stages.plain).blocks[i];
        let Some(weights) = block.tensors() else { candle_core::bail!("block {i} changed its number format") };
        let tower = if matches!(self.source, Source::Patches(_)) { "visual." } else { "" };
        let targets = block_targets(&format!("{tower}transformer.resblocks.{i}"), gradients)?;
        let needs_x = self.lowest < i + 1;
        kernels::block_backward(state, &weights, block.kind(&self.rows), grad, &targets, needs_x, self.stages.workspace)
    }

    fn stem_backward(&mut self, grad: &Tensor, gradients: &mut Gradients) -> Result<()> {
        let kept = self.kept.pop();
        match (&self.source, kept) {
            (Source::Ids(ids), None) => {
                let targets =
                    [target("token_embedding.weight", gradients)?, target("positional_embedding", gradients)?];
                kernels::row_gradients(grad, ids, self.rows.length, targets)
            }
            (Source::Patches(patches), Some(kept @ Kept::Graph { input: Some(_), .. })) => {
                let Some(grad) = kept.graph_backward(grad, gradients)? else { return Ok(()) };
                let [embedding, class, positions] = [IMAGE_STEM[0], IMAGE_STEM[1], IMAGE_STEM[2]];
                let targets = [target(embedding, gradients)?, target(class, gradients)?, target(positions, gradients)?];
                kernels::patch_gradients(&grad, self.rows.length, patches, targets)
            }
            (_, Some(kept)) => kept.graph_backward(grad, gradients).map(drop),
            (Source::Patches(_), None) => Ok(()),
        }
    }
}

impl Kept {
    /// The stage's result, without a graph.
    fn output(&self) -> Result<Tensor> {
        match self {
            Self::Graph { output, .. } => Ok(output.detach()),
            Self::Input(_) | Self::Block(_) => candle_core::bail!("a stage without a graph"),
        }
    }

    /// Adds the gradients of the stage's parameters; the gradient of its input where that is wanted.
    fn graph_backward(self, upstream: &Tensor, gradients: &mut Gradients) -> Result<Option<Tensor>> {
        let Self::Graph { input, output } = self else { candle_core::bail!("a stage without a graph") };
        let Some(mut store) = seeded(&output, upstream)? else { return Ok(None) };
        gradients.collect(&mut store)?;
        Ok(input.and_then(|input| store.remove(&input)).map(|gradient| gradient.detach()))
    }
}

/// Runs a stage for a graph of its own.
fn graph(x: &Tensor, needs_x: bool, stage: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Kept> {
    let input = if needs_x { Some(Var::from_tensor(x)?) } else { None };
    let output = stage(input.as_ref().map_or(x, |input| input.as_tensor()))?;
    Ok(Kept::Graph { input, output })
}

/// A block's result with nothing kept.
fn plain_block(block: &Block, x: &Tensor, rows: &Sequences, pools: bool, workspace: &Workspace) -> Result<Tensor> {
    let Some(weights) = fused(block, x) else { return block.forward(x, rows, pools) };
    let pooled = pools.then_some(&*rows.pooled);
    kernels::block_forward(x, &weights, block.kind(rows), pooled, false, workspace).map(|(y, _)| y)
}

fn fused<'b>(block: &'b Block, x: &Tensor) -> Option<BlockTensors<&'b Tensor>> {
    block.tensors().filter(|weights| kernels::takes_block(x, weights))
}

fn target(name: &str, gradients: &mut Gradients) -> Result<Option<Target>> {
    Ok(gradients.slot(name)?.map(|slot| Target { tensor: slot.tensor, is_sum: slot.is_sum }))
}

fn block_targets(block: &str, gradients: &mut Gradients) -> Result<BlockTensors<Option<Target>>> {
    let mut pair = |weight: &str, bias: &str| -> Result<_> {
        Ok([target(&format!("{block}.{weight}"), gradients)?, target(&format!("{block}.{bias}"), gradients)?])
    };
    Ok(BlockTensors {
        ln_1: pair("ln_1.weight", "ln_1.bias")?,
        qkv: pair("attn.in_proj_weight", "attn.in_proj_bias")?,
        out: pair("attn.out_proj.weight", "attn.out_proj.bias")?,
        ln_2: pair("ln_2.weight", "ln_2.bias")?,
        fc: pair("mlp.c_fc.weight", "mlp.c_fc.bias")?,
        proj: pair("mlp.c_proj.weight", "mlp.c_proj.bias")?,
    })
}
