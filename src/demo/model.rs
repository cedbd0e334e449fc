//! The demo's CLIP: a small architecture over the scene world's words, and its weights before training.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::checkpoint::{Architecture, Tower};
use crate::kernels::Activation;

/// 1.5 million parameters (under 6 MB as f32): 48 px pictures in patches of 8, towers of width 128, a common space of 64.
pub fn architecture(vocab_size: usize) -> Architecture {
    Architecture {
        image_size: 48,
        patch_size: 8,
        vision: Tower { width: 128, layers: 4, heads: 4, mlp_width: 512 },
        text: Tower { width: 128, layers: 3, heads: 4, mlp_width: 448 },
        context_length: 24,
        vocab_size,
        embed_dim: 64,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
        end_of_text: vocab_size.saturating_sub(1) as u32,
    }
}

/// Random weights by CLIP's own rule (openai/CLIP `initialize_parameters`), for both towers alike.
pub fn initial_weights(architecture: &Architecture, seed: u64) -> Result<BTreeMap<String, Tensor>> {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut weights = BTreeMap::new();
    for (name, shape) in architecture.tensors() {
        let n: usize = shape.iter().product();
        let values = match spread(&name, architecture) {
            Spread::Constant(value) => vec![value; n],
            Spread::Normal(deviation) => (0..n).map(|_| (normal(&mut draw) * deviation) as f32).collect(),
        };
        weights.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
    }
    Ok(weights)
}

enum Spread {
    Constant(f32),
    Normal(f64),
}

fn spread(name: &str, architecture: &Architecture) -> Spread {
    let tower = if name.starts_with("visual.") { &architecture.vision } else { &architecture.text };
    let width = tower.width as f64;
    let (scale, depth) = (width.powf(-0.5), (2.0 * tower.layers as f64).powf(-0.5));
    if name == "logit_scale" {
        // ln(1/0.07)
        return Spread::Constant(2.659_26);
    }
    if name.ends_with("bias") {
        return Spread::Constant(0.0);
    }
    if name.contains("ln_") {
        return Spread::Constant(1.0);
    }
    Spread::Normal(match name {
        "token_embedding.weight" => 0.02,
        "positional_embedding" => 0.01,
        "visual.conv1.weight" => ((3 * architecture.patch_size * architecture.patch_size) as f64).powf(-0.5),
        _ if name.ends_with("c_fc.weight") => (2.0 * width).powf(-0.5),
        _ if name.ends_with("out_proj.weight") || name.ends_with("c_proj.weight") => scale * depth,
        _ => scale,
    })
}

/// Box–Muller, one of the two values.
fn normal(draw: &mut ChaCha8Rng) -> f64 {
    let unit = |draw: &mut ChaCha8Rng| (draw.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let (u, v) = (1.0 - unit(draw), unit(draw));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}
