//! The towers against transformers and open_clip, on the same weights.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use clove::checkpoint::Naming;
use clove::clip::{Clip, normalise};
use clove::device::{self, DeviceChoice};

use super::models::{Golden, bits, golden_root, open, rows};

/// The promise: numbers equal the reference's within this.
const LEEWAY: f32 = 1e-4;

/// Every device that this build and this machine have.
fn devices() -> Vec<Device> {
    [DeviceChoice::Cpu, DeviceChoice::Cuda, DeviceChoice::Metal]
        .into_iter()
        .filter_map(|d| device::open(d).ok())
        .collect()
}

fn on(device: &Device, name: &str) -> Clip {
    let checkpoint = open(name);
    let moved = |(name, tensor): (&String, &Tensor)| (name.clone(), tensor.to_device(device).unwrap());
    let tensors: BTreeMap<String, Tensor> = checkpoint.tensors().unwrap().iter().map(moved).collect();
    Clip::new(&checkpoint.architecture, &tensors).unwrap()
}

fn golden_names() -> Vec<String> {
    let entries = std::fs::read_dir(golden_root().join("towers")).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 8, "golden folders are missing: {names:?}");
    names
}

/// The largest difference of two matrices of the same shape.
pub fn distance(found: &Tensor, wanted: &[Vec<f32>]) -> f32 {
    let found: Vec<Vec<f32>> = found.to_vec2().unwrap();
    assert_eq!(found.len(), wanted.len());
    let mut worst = 0.0_f32;
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!(found.len(), wanted.len());
        for (f, w) in found.iter().zip(wanted) {
            assert!(f.is_finite());
            worst = worst.max((f - w).abs());
        }
    }
    worst
}

fn equals_the_reference(device: &Device, name: &str) {
    let (clip, golden) = (on(device, name), Golden::of(name));
    let pixels = golden.pixels(clip.architecture().image_size);
    let images = clip.image_features(&rows(&pixels)).unwrap();
    let texts = clip.text_features(&rows(&golden.tokens)).unwrap();
    let (unit_images, unit_texts) = (normalise(&images).unwrap(), normalise(&texts).unwrap());
    let scale = clip.logit_scale().exp().unwrap();
    let logits = unit_images.matmul(&unit_texts.t().unwrap()).unwrap().broadcast_mul(&scale).unwrap();
    let mut worst = 0.0_f32;
    for (what, found, wanted) in [
        ("image features", &images, &golden.image_features),
        ("text features", &texts, &golden.text_features),
        ("image embeddings", &unit_images, &golden.image_embeddings),
        ("text embeddings", &unit_texts, &golden.text_embeddings),
        ("logits", &logits, &golden.logits_per_image),
    ] {
        let off = distance(found, wanted);
        assert!(off <= LEEWAY, "{name} on {}: {what} differ by {off}", device::describe(device));
        worst = worst.max(off);
    }
    assert!(
        (scale.to_scalar::<f32>().unwrap() - golden.logit_scale).abs() <= LEEWAY,
        "{name}: the logit scale differs"
    );
    tracing::info!("{name} on {}: within {worst:.1e} of the reference", device::describe(device));
}

#[test]
fn every_golden_model_equals_its_reference() {
    for device in devices() {
        for name in golden_names() {
            equals_the_reference(&device, &name);
        }
    }
}

/// Images, and texts of different lengths: alone, in pairs, and all in one batch.
#[test]
fn a_batch_is_its_rows_one_by_one() {
    for device in devices() {
        for name in ["hf_quick_gelu", "open_clip_gelu"] {
            let (clip, golden) = (on(&device, name), Golden::of(name));
            let pixels = golden.pixels(clip.architecture().image_size);
            let image = |batch: &[&[u8]]| normalise(&clip.image_features(batch).unwrap()).unwrap();
            let text = |batch: &[&[u32]]| normalise(&clip.text_features(batch).unwrap()).unwrap();
            let together: Vec<Vec<f32>> = image(&rows(&pixels)).to_vec2().unwrap();
            let texts_together: Vec<Vec<f32>> = text(&rows(&golden.tokens)).to_vec2().unwrap();
            for n in [1, 2] {
                for (batch, wanted) in rows(&pixels).chunks(n).zip(together.chunks(n)) {
                    assert!(distance(&image(batch), wanted) <= 1e-6, "{name}: images {n} at a time");
                }
                for (batch, wanted) in rows(&golden.tokens).chunks(n).zip(texts_together.chunks(n)) {
                    assert!(distance(&text(batch), wanted) <= 1e-6, "{name}: texts {n} at a time");
                }
            }
        }
    }
}

/// What follows the first end token is invisible, whatever it is.
#[test]
fn nothing_after_the_end_is_read() {
    let clip = on(&Device::Cpu, "hf_quick_gelu");
    let short: &[u32] = &[598, 7, 8, 599];
    let (padded, ended_twice): (&[u32], &[u32]) = (&[598, 7, 8, 599, 0, 0, 0], &[598, 7, 8, 599, 9, 599, 40]);
    let wanted: Vec<Vec<f32>> = clip.text_features(&[short]).unwrap().to_vec2().unwrap();
    for other in [padded, ended_twice] {
        assert!(distance(&clip.text_features(&[other]).unwrap(), &wanted) <= 1e-5, "{other:?}");
    }
}

#[test]
fn half_precision_files_say_so_and_widen_exactly() {
    for (name, dtype, naming) in [
        ("hf_quick_gelu_f16", "F16", Naming::Hf),
        ("open_clip_quick_gelu_bf16", "BF16", Naming::OpenClip),
        ("open_clip_quick_gelu", "F32", Naming::OpenClip),
    ] {
        let checkpoint = open(name);
        assert_eq!(checkpoint.provenance.naming, naming);
        assert_eq!(checkpoint.provenance.dtypes.keys().collect::<Vec<_>>(), [dtype]);
        assert_eq!(checkpoint.provenance.dtypes[dtype], checkpoint.provenance.tensors);
        let lost_bits = match dtype {
            "F16" => 13,
            "BF16" => 16,
            _ => 0,
        };
        for (name, tensor) in &checkpoint.tensors().unwrap() {
            assert!(bits(tensor).iter().all(|b| b % (1 << lost_bits) == 0), "{name} holds more bits than its file");
        }
    }
}

#[test]
fn rows_that_cannot_be_texts_are_errors() {
    let clip = on(&Device::Cpu, "open_clip_quick_gelu_context16");
    let long = [598; 17];
    let (empty, outside): (&[u32], &[u32]) = (&[], &[598, 600, 599]);
    for (row, part) in [(long.as_slice(), "17 tokens"), (empty, "no tokens"), (outside, "600")] {
        let error = clip.text_features(&[row]).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
