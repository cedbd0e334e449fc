//! How much memory and disk a fine-tune takes, from its recipe and the model's shape alone.

use clove_training::Recipe;
use clove_training::recipe::Precision;

use crate::checkpoint::{Architecture, Tower};
use crate::demo::{SCENE_COUNT, SCENES};

/// Bytes of an f32.
const F32: u64 = 4;

/// What a worker holds at the height of a step, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Parameters, all of them: base's and those that are trained.
    pub weights: u64,
    /// Gradients and both moments of what is trained.
    pub training: u64,
    /// What the forward pass of one micro-batch keeps for the backward pass.
    pub activations: u64,
    /// Base and patch on the device beside the weights, during an evaluation; not at the same time as activations.
    pub evaluation: u64,
    /// Pictures and samples on their way to the batch.
    pub data: u64,
}

impl Memory {
    /// With P parameters of which T are trained: weights 8 P, gradients 4 T, moments 8 T. For each block of width d and
    /// MLP width f with h heads, over n positions of s sequences, the forward pass keeps `s n (9 d + 2 f + h n)`
    /// numbers: two norms, q k v, the attention's probabilities, result and projection, the MLP before and after its
    /// activation, and three sums; of the last block only what comes before pooling. With recomputation: `s n d` for
    /// each block, and one block whole. Only blocks with a trained parameter in or below them keep anything.
    ///
    /// An upper bound where texts are shorter than the context. Measured once, ViT-B/32 from `demo:scenes`, batch 16
    /// with one negative, f32, three steps on a CPU: at most 4.17 GB resident; the sum without the data, which hardly
    /// counts in three steps, is 4.6 GB.
    pub fn estimate(recipe: &Recipe, architecture: &Architecture) -> Self {
        let parameters = F32 * architecture.parameters() as u64;
        let trained = F32 * trained_parameters(recipe, architecture);
        let micro = recipe.batch.div_ceil(recipe.accumulate.max(1)) as u64;
        let width = if recipe.precision == Precision::Bf16 { F32 / 2 } else { F32 };
        let texts = micro.saturating_mul(1 + texts_per_caption(recipe));
        let context = recipe.context_length.unwrap_or(usize::MAX).min(architecture.context_length);
        let towers = [
            ("visual.", "visual.transformer", &architecture.vision, architecture.image_positions(), micro),
            ("", "transformer", &architecture.text, context, texts),
        ];
        let kept = towers.map(|(tower, blocks, shape, positions, sequences)| {
            kept_by(recipe, tower, blocks, shape)
                .of(shape, positions as u64, recipe.recompute)
                .saturating_mul(sequences)
        });
        let image = 3 * (architecture.image_size * architecture.image_size) as u64;
        // Prepared samples that wait, and the batch itself twice; each scene is kept once it is drawn.
        let pictures = if recipe.data.iter().any(|source| source == SCENES) {
            2 * recipe.batch as u64 + (SCENE_COUNT as u64).min(recipe.steps.saturating_mul(recipe.batch as u64))
        } else {
            (3 * recipe.batch + 4 * recipe.workers) as u64
        };
        Self {
            weights: 2 * parameters,
            training: 3 * trained,
            activations: width
                .saturating_mul(kept.iter().fold(F32 * image * micro / width, |sum, kept| sum.saturating_add(*kept))),
            evaluation: if recipe.evaluate_benchmarks.is_empty() { 0 } else { 2 * parameters },
            data: image.saturating_mul(pictures),
        }
    }

    /// At the height of a step, or of an evaluation.
    pub fn peak(&self) -> u64 {
        let beside = self.activations.max(self.evaluation);
        [self.weights, self.training, beside, self.data].iter().fold(0, |sum, part| sum.saturating_add(*part))
    }
}

/// Bytes of one checkpoint: weights, and both moments of what is trained.
pub fn checkpoint_bytes(recipe: &Recipe, architecture: &Architecture) -> u64 {
    F32 * (architecture.parameters() as u64 + 2 * trained_parameters(recipe, architecture))
}

/// Bytes of everything that a run leaves on the disk: the checkpoints kept, one more while the oldest is still there,
/// and the result in both layouts.
pub fn disk_bytes(recipe: &Recipe, architecture: &Architecture) -> u64 {
    let written = recipe.steps / recipe.checkpoint_every.max(1);
    let kept = match recipe.checkpoints_kept as u64 {
        0 => written,
        kept => written.min(kept.saturating_add(1)),
    };
    let result = 2 * F32 * architecture.parameters() as u64;
    checkpoint_bytes(recipe, architecture).saturating_mul(kept.max(1)).saturating_add(result)
}

/// Parameters that no frozen beginning names.
pub fn trained_parameters(recipe: &Recipe, architecture: &Architecture) -> u64 {
    let trained = architecture.tensors().into_iter().filter(|(name, _)| !is_frozen(recipe, name));
    trained.map(|(_, shape)| shape.iter().product::<usize>() as u64).sum()
}

fn is_frozen(recipe: &Recipe, name: &str) -> bool {
    recipe.frozen.iter().any(|beginning| name.starts_with(beginning.as_str()))
}

fn texts_per_caption(recipe: &Recipe) -> u64 {
    use clove_training::recipe::NegativeSource;
    if recipe.negatives == NegativeSource::None { 0 } else { recipe.negatives_per_caption as u64 }
}

/// Blocks of a tower that keep something for the backward pass.
struct Kept {
    blocks: u64,
    /// The last one keeps only what comes before pooling.
    with_last: bool,
}

/// The backward pass goes down to the lowest trained parameter; below it nothing is kept.
fn kept_by(recipe: &Recipe, tower: &str, blocks: &str, shape: &Tower) -> Kept {
    let part_of = |name: &str| !is_frozen(recipe, name);
    let embeddings: &[&str] = match tower {
        "visual." => {
            &["visual.conv1.weight", "visual.class_embedding", "visual.positional_embedding", "visual.ln_pre.weight"]
        }
        _ => &["token_embedding.weight", "positional_embedding"],
    };
    let block_is_trained = |block: usize| part_of(&format!("{blocks}.resblocks.{block}.mlp.c_fc.weight"));
    let lowest = if embeddings.iter().any(|name| part_of(name)) {
        Some(0)
    } else {
        (0..shape.layers).find(|block| block_is_trained(*block))
    };
    let blocks = lowest.map_or(0, |lowest| shape.layers - lowest) as u64;
    Kept { blocks, with_last: blocks > 0 }
}

impl Kept {
    /// Numbers kept per sequence of `n` positions.
    fn of(&self, shape: &Tower, n: u64, recompute: bool) -> u64 {
        let (d, f, h) = (shape.width as u64, shape.mlp_width as u64, shape.heads as u64);
        let whole = n * (9 * d + 2 * f + h * n);
        let last = if self.with_last { n * (5 * d + h * n) } else { 0 };
        let others = self.blocks.saturating_sub(1);
        if recompute { self.blocks * n * d + if self.blocks > 0 { whole } else { 0 } } else { others * whole + last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let text = include_str!("../../training/recipes/demo-tuned-3.toml");
        Recipe { batch: 32, negatives_per_caption: 1, ..Recipe::from_toml(text).unwrap() }
    }

    const B32: Architecture = Architecture::vit_b_32();

    #[test]
    fn weights_gradients_and_moments_are_counted_by_tensor() {
        let memory = Memory::estimate(&recipe(), &B32);
        assert_eq!(memory.weights, 8 * 151_277_313);
        assert_eq!(memory.training, 12 * 151_277_313);
        let frozen = Recipe { frozen: vec!["visual.".into()], ..recipe() };
        let visual: usize = B32
            .tensors()
            .iter()
            .filter(|(name, _)| name.starts_with("visual."))
            .map(|(_, s)| s.iter().product::<usize>())
            .sum();
        // open_clip: 87,849,216 parameters in the image tower of ViT-B/32.
        assert_eq!(visual, 87_849_216);
        assert_eq!(Memory::estimate(&frozen, &B32).training, 12 * (151_277_313 - 87_849_216));
    }

    #[test]
    fn activations_of_a_block_are_counted_by_hand() {
        // One image of ViT-B/32: 50 positions, 11 whole blocks and one up to pooling.
        let whole = 50 * (9 * 768 + 2 * 3072 + 12 * 50);
        let image = 11 * whole + 50 * (5 * 768 + 12 * 50);
        // Two texts, of which one is the negative: 77 positions.
        let text = 11 * 77 * (9 * 512 + 2 * 2048 + 8 * 77) + 77 * (5 * 512 + 8 * 77);
        let one = Recipe { batch: 1, ..recipe() };
        assert_eq!(Memory::estimate(&one, &B32).activations, 4 * (image + 2 * text + 3 * 224 * 224));
        let short = Recipe { context_length: Some(20), ..one.clone() };
        assert!(Memory::estimate(&short, &B32).activations < Memory::estimate(&one, &B32).activations);
    }

    #[test]
    fn what_saves_memory_lowers_the_estimate() {
        let all = Memory::estimate(&recipe(), &B32);
        let micro = Memory::estimate(&Recipe { accumulate: 4, ..recipe() }, &B32);
        assert_eq!(all.activations, 4 * micro.activations);
        let again = Memory::estimate(&Recipe { recompute: true, ..recipe() }, &B32);
        assert!(again.activations < all.activations / 4, "{again:?} {all:?}");
        let locked = Memory::estimate(&Recipe { frozen: vec!["visual.".into()], ..recipe() }, &B32);
        assert!(locked.activations < all.activations);
        let upper = (0..11).map(|block| format!("visual.transformer.resblocks.{block}."));
        let upper =
            upper.chain(["visual.conv1".into(), "visual.class".into(), "visual.pos".into(), "visual.ln_pre".into()]);
        let some = Memory::estimate(&Recipe { frozen: upper.collect(), ..recipe() }, &B32);
        assert!(locked.activations < some.activations && some.activations < all.activations);
        let none = Recipe { negatives: clove_training::recipe::NegativeSource::None, ..recipe() };
        assert!(Memory::estimate(&none, &B32).activations < all.activations);
    }

    #[test]
    fn disk_holds_the_checkpoints_kept_and_the_result() {
        let one = checkpoint_bytes(&recipe(), &B32);
        assert_eq!(one, 12 * 151_277_313);
        let of = |steps, kept| {
            let recipe = Recipe { steps, checkpoint_every: 500, checkpoints_kept: kept, ..recipe() };
            (disk_bytes(&recipe, &B32) - 8 * 151_277_313) / one
        };
        assert_eq!((of(100, 3), of(1_000, 3), of(10_000, 3), of(10_000, 0)), (1, 2, 4, 20));
    }

    #[test]
    fn absurd_recipes_do_not_overflow() {
        let absurd = Recipe { batch: 1 << 40, negatives_per_caption: 1 << 40, ..recipe() };
        assert!(Memory::estimate(&absurd, &B32).peak() > 1 << 50);
    }
}
