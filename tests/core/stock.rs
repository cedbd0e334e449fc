//! The towers against candle-transformers' own CLIP, which knows quick GELU and Hugging Face names only.

use candle_core::{DType, Device, IndexOp as _, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::clip::text_model::{Activation, ClipTextConfig};
use candle_transformers::models::clip::vision_model::ClipVisionConfig;
use candle_transformers::models::clip::{ClipConfig, ClipModel};
use clove::checkpoint::Architecture;
use clove::clip::{Clip, preprocess};

use super::models::{Golden, folder, open, rows};
use super::towers::distance;

fn stock(a: &Architecture, file: &std::path::Path) -> ClipModel {
    let config = ClipConfig {
        text_config: ClipTextConfig {
            vocab_size: a.vocab_size,
            embed_dim: a.text.width,
            activation: Activation::QuickGelu,
            intermediate_size: a.text.mlp_width,
            max_position_embeddings: a.context_length,
            pad_with: None,
            num_hidden_layers: a.text.layers,
            num_attention_heads: a.text.heads,
            projection_dim: a.embed_dim,
        },
        vision_config: ClipVisionConfig {
            embed_dim: a.vision.width,
            activation: Activation::QuickGelu,
            intermediate_size: a.vision.mlp_width,
            num_hidden_layers: a.vision.layers,
            num_attention_heads: a.vision.heads,
            projection_dim: a.embed_dim,
            num_channels: 3,
            image_size: a.image_size,
            patch_size: a.patch_size,
        },
        logit_scale_init_value: 2.6592,
        image_size: a.image_size,
    };
    let weights = VarBuilder::from_buffered_safetensors(std::fs::read(file).unwrap(), DType::F32, &Device::Cpu);
    ClipModel::new(weights.unwrap(), &config).unwrap()
}

/// `[n, 3, size, size]` as torchvision's `ToTensor` and `Normalize` give it.
fn pixel_values(images: &[Vec<u8>], size: usize) -> Tensor {
    let mut values = Vec::new();
    for image in images {
        for channel in 0..3 {
            let (mean, std) = (preprocess::MEAN[channel], preprocess::STD[channel]);
            values.extend(image.iter().skip(channel).step_by(3).map(|v| (f32::from(*v) / 255.0 - mean) / std));
        }
    }
    Tensor::from_vec(values, (images.len(), 3, size, size), &Device::Cpu).unwrap()
}

#[test]
fn two_implementations_agree() {
    for name in ["hf_quick_gelu", "hf_quick_gelu_tuned"] {
        let (checkpoint, golden) = (open(name), Golden::of(name));
        let ours = Clip::new(&checkpoint.architecture, &checkpoint.tensors().unwrap()).unwrap();
        let theirs = stock(&checkpoint.architecture, &folder(name).join("model.safetensors"));
        let size = checkpoint.architecture.image_size;
        let pixels = golden.pixels(size);
        let wanted = theirs.get_image_features(&pixel_values(&pixels, size)).unwrap().to_vec2().unwrap();
        assert!(distance(&ours.image_features(&rows(&pixels)).unwrap(), &wanted) <= 1e-4, "{name}: images");
        for row in &golden.tokens {
            let ids = Tensor::from_slice(row, (1, row.len()), &Device::Cpu).unwrap();
            let wanted = theirs.get_text_features(&ids).unwrap().i(..1).unwrap().to_vec2().unwrap();
            assert!(distance(&ours.text_features(&[row]).unwrap(), &wanted) <= 1e-4, "{name}: {row:?}");
        }
    }
}
