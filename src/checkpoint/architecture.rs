//! The shape of a CLIP model: what its towers are, and which tensors that implies.

use serde::{Deserialize, Serialize};

use crate::kernels::Activation;

/// One transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tower {
    /// Width of the residual stream.
    pub width: usize,
    /// Blocks.
    pub layers: usize,
    /// Attention heads; `width` is a multiple.
    pub heads: usize,
    /// Width inside the MLP.
    pub mlp_width: usize,
}

/// Everything about a model that its weights do not carry in their values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// Pixels on a side.
    pub image_size: usize,
    /// Pixels on a side of an image patch.
    pub patch_size: usize,
    /// Image tower.
    pub vision: Tower,
    /// Text tower.
    pub text: Tower,
    /// Text positions, with start and end.
    pub context_length: usize,
    /// Rows of the token table.
    pub vocab_size: usize,
    /// Width of the common space.
    pub embed_dim: usize,
    /// Inside the MLPs of both towers.
    pub activation: Activation,
    /// Of every layer norm.
    pub layer_norm_eps: f64,
    /// The id at whose first position a text is pooled.
    pub end_of_text: u32,
}

/// Sizes beyond any published model; a configuration that asks for more is damaged or hostile.
const LIMITS: [(&str, usize); 6] = [
    ("image_size", 4096),
    ("width", 16_384),
    ("layers", 256),
    ("context_length", 65_536),
    ("vocab_size", 4_000_000),
    ("embed_dim", 16_384),
];

impl Architecture {
    /// OpenAI's ViT-B/32, the model of the paper.
    pub const fn vit_b_32() -> Self {
        Self {
            image_size: 224,
            patch_size: 32,
            vision: Tower { width: 768, layers: 12, heads: 12, mlp_width: 3072 },
            text: Tower { width: 512, layers: 12, heads: 8, mlp_width: 2048 },
            context_length: 77,
            vocab_size: 49_408,
            embed_dim: 512,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            end_of_text: 49_407,
        }
    }

    /// Positions of the image tower: the class token and one per image patch.
    pub fn image_positions(&self) -> usize {
        self.grid() * self.grid() + 1
    }

    /// Image patches on a side.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Checks that the numbers can be a model at all; the error is a clause without a full stop.
    pub fn check(&self) -> Result<(), String> {
        let sizes = [
            [self.image_size, self.image_size],
            [self.vision.width, self.text.width],
            [self.vision.layers, self.text.layers],
            [self.context_length, self.context_length],
            [self.vocab_size, self.vocab_size],
            [self.embed_dim, self.embed_dim],
        ];
        for ((name, limit), values) in LIMITS.iter().zip(sizes) {
            if let Some(value) = values.iter().find(|v| **v == 0 || *v > limit) {
                return Err(format!("{name} is {value}, outside 1..={limit}"));
            }
        }
        if self.patch_size == 0 || !self.image_size.is_multiple_of(self.patch_size) {
            return Err(format!("image_size {} is not a multiple of patch_size {}", self.image_size, self.patch_size));
        }
        for (name, tower) in [("vision", &self.vision), ("text", &self.text)] {
            if tower.heads == 0 || !tower.width.is_multiple_of(tower.heads) {
                return Err(format!("the {name} width {} is not a multiple of its {} heads", tower.width, tower.heads));
            }
            if tower.mlp_width == 0 || tower.mlp_width > 16 * LIMITS[1].1 {
                return Err(format!("the {name} MLP width is {}", tower.mlp_width));
            }
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Err(format!("layer_norm_eps is {}", self.layer_norm_eps));
        }
        Ok(())
    }

    /// Every tensor of the model with its shape, by open_clip name, sorted.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (v, t, e) = (&self.vision, &self.text, self.embed_dim);
        let mut all = vec![
            ("visual.conv1.weight".into(), vec![v.width, 3, self.patch_size, self.patch_size]),
            ("visual.class_embedding".into(), vec![v.width]),
            ("visual.positional_embedding".into(), vec![self.image_positions(), v.width]),
            ("visual.ln_pre.weight".into(), vec![v.width]),
            ("visual.ln_pre.bias".into(), vec![v.width]),
            ("visual.ln_post.weight".into(), vec![v.width]),
            ("visual.ln_post.bias".into(), vec![v.width]),
            ("visual.proj".into(), vec![v.width, e]),
            ("token_embedding.weight".into(), vec![self.vocab_size, t.width]),
            ("positional_embedding".into(), vec![self.context_length, t.width]),
            ("ln_final.weight".into(), vec![t.width]),
            ("ln_final.bias".into(), vec![t.width]),
            ("text_projection".into(), vec![t.width, e]),
            ("logit_scale".into(), vec![]),
        ];
        for (prefix, tower) in [("visual.transformer", v), ("transformer", t)] {
            for block in 0..tower.layers {
                all.extend(block_tensors(&format!("{prefix}.resblocks.{block}"), tower));
            }
        }
        all.sort();
        all
    }

    /// Parameters of both towers and the logit scale.
    pub fn parameters(&self) -> usize {
        self.tensors().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// For people, such as "ViT 224 px, patch 32, 768×12 | text 512×12 | embed 512".
    pub fn summary(&self) -> String {
        let (v, t) = (&self.vision, &self.text);
        format!(
            "ViT {} px, patch {}, {}×{} | text {}×{} | embed {}",
            self.image_size, self.patch_size, v.width, v.layers, t.width, t.layers, self.embed_dim
        )
    }
}

fn block_tensors(prefix: &str, tower: &Tower) -> Vec<(String, Vec<usize>)> {
    let (d, f) = (tower.width, tower.mlp_width);
    [
        ("ln_1.weight", vec![d]),
        ("ln_1.bias", vec![d]),
        ("attn.in_proj_weight", vec![3 * d, d]),
        ("attn.in_proj_bias", vec![3 * d]),
        ("attn.out_proj.weight", vec![d, d]),
        ("attn.out_proj.bias", vec![d]),
        ("ln_2.weight", vec![d]),
        ("ln_2.bias", vec![d]),
        ("mlp.c_fc.weight", vec![f, d]),
        ("mlp.c_fc.bias", vec![f]),
        ("mlp.c_proj.weight", vec![d, f]),
        ("mlp.c_proj.bias", vec![d]),
    ]
    .map(|(name, shape)| (format!("{prefix}.{name}"), shape))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// open_clip: 151,277,313 parameters in 302 tensors.
    #[test]
    fn vit_b_32_has_its_published_size() {
        let b32 = Architecture::vit_b_32();
        b32.check().unwrap();
        assert_eq!(b32.parameters(), 151_277_313);
        assert_eq!(b32.tensors().len(), 302);
        assert!(Architecture { patch_size: 33, ..b32 }.check().unwrap_err().contains("multiple"));
        assert!(Architecture { vocab_size: usize::MAX, ..b32 }.check().is_err());
    }
}
