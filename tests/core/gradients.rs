//! Gradients of the whole model through the training loss: fused f32 kernels against composed f64 operations, and
//! those against finite differences.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use clove::checkpoint::Checkpoint;
use clove::clip::{Tokenizer, TrainableClip};
use clove_training::TwoTower as _;
use clove_training::loss::contrastive;

use super::models::{Golden, open, rows, tokenizer};

/// A model, and one batch for it.
struct Setting {
    checkpoint: Checkpoint,
    pixels: Vec<Vec<u8>>,
    texts: Vec<Vec<u32>>,
    negatives: Vec<Vec<u32>>,
}

impl Setting {
    /// `pairs` images with as many texts, and three negatives.
    fn of(name: &str, pairs: usize) -> Self {
        let (checkpoint, golden) = (open(name), Golden::of(name));
        let pixels = golden.pixels(checkpoint.architecture.image_size)[..pairs].to_vec();
        let texts = golden.tokens[1..=pairs].to_vec();
        let negatives = vec![golden.tokens[4].clone(), vec![598, 60, 208, 97, 599], vec![598, 38, 11, 12, 599, 13]];
        Self { checkpoint, pixels, texts, negatives }
    }

    fn model(&self, tensors: &BTreeMap<String, Tensor>) -> TrainableClip {
        let tokenizer = Tokenizer::from_bytes(&tokenizer(), 77).unwrap();
        TrainableClip::new(&self.checkpoint.architecture, tensors, tokenizer, &Device::Cpu).unwrap()
    }

    fn weights(&self, dtype: DType) -> BTreeMap<String, Tensor> {
        let cast = |(name, tensor): (&String, &Tensor)| (name.clone(), tensor.to_dtype(dtype).unwrap());
        self.checkpoint.tensors().unwrap().iter().map(cast).collect()
    }

    fn loss(&self, model: &TrainableClip) -> Tensor {
        let images = model.encode_images(&rows(&self.pixels)).unwrap();
        let texts = model.encode_texts(&rows(&self.texts)).unwrap();
        let negatives = model.encode_texts(&rows(&self.negatives)).unwrap();
        contrastive(&images, &texts, Some(&negatives), &model.logit_scale().unwrap()).unwrap()
    }

    /// Gradients by name, flattened.
    fn gradients(&self, dtype: DType) -> BTreeMap<String, Vec<f64>> {
        let model = self.model(&self.weights(dtype));
        let gradients = self.loss(&model).backward().unwrap();
        let flat = |t: &Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let trainable = model.trainable();
        let expected: Vec<String> = self.checkpoint.architecture.tensors().into_iter().map(|(name, _)| name).collect();
        assert_eq!(trainable.iter().map(|(name, _)| name).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
        let of = |(name, variable): (String, candle_core::Var)| {
            let gradient = gradients.get(&variable).unwrap_or_else(|| panic!("{name} has no gradient"));
            assert_eq!(gradient.dims(), variable.dims(), "{name}");
            (name, flat(gradient))
        };
        trainable.into_iter().map(of).collect()
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, v| v.abs().max(most))
}

/// One pair is the case in which candle's own layer norm loses its gradient.
#[test]
fn every_parameter_learns_and_f32_agrees_with_f64() {
    for (name, pairs) in [("hf_quick_gelu", 3), ("hf_gelu", 3), ("hf_quick_gelu", 1), ("open_clip_gelu", 1)] {
        let setting = Setting::of(name, pairs);
        let (fused, composed) = (setting.gradients(DType::F32), setting.gradients(DType::F64));
        for (parameter, found) in &fused {
            let (wanted, what) = (&composed[parameter], format!("{name}, {pairs} pairs: {parameter}"));
            let scale = largest(wanted);
            assert!(found.iter().all(|g| g.is_finite()), "{what} has a gradient that is not finite");
            assert!(scale > 1e-6, "{what} does not learn: its largest gradient is {scale}");
            let off = found.iter().zip(wanted).map(|(f, w)| (f - w).abs()).fold(0.0, f64::max);
            assert!(off <= 2e-4 * scale + 1e-7, "{what}: f32 and f64 differ by {off}, gradients reach {scale}");
        }
    }
}

#[test]
fn only_what_the_batch_shows_moves_the_tables() {
    let setting = Setting::of("hf_quick_gelu", 3);
    let gradients = setting.gradients(DType::F32);
    let width = setting.checkpoint.architecture.text.width;
    let all = || setting.texts.iter().chain(&setting.negatives);
    let seen = |row: &Vec<u32>| row.iter().position(|id| *id == 599).unwrap() + 1;
    let ids: std::collections::BTreeSet<u32> = all().flat_map(|row| row[..seen(row)].to_vec()).collect();
    for (id, row) in gradients["token_embedding.weight"].chunks(width).enumerate() {
        let moves = largest(row) > 0.0;
        assert_eq!(moves, ids.contains(&(id as u32)), "token {id}");
    }
    let longest = all().map(seen).max().unwrap();
    for (position, row) in gradients["positional_embedding"].chunks(width).enumerate() {
        assert_eq!(largest(row) > 0.0, position < longest, "position {position} of {longest}");
    }
}

/// The entry with the largest gradient and one elsewhere, of every parameter, by central differences in f64.
#[test]
fn f64_gradients_are_finite_differences() {
    let step = 1e-5;
    for (name, pairs) in [("hf_quick_gelu", 2), ("hf_gelu", 1)] {
        let setting = Setting::of(name, pairs);
        let gradients = setting.gradients(DType::F64);
        let weights = setting.weights(DType::F64);
        let loss_with = |parameter: &str, entry: usize, by: f64| {
            let mut moved = weights.clone();
            let tensor = &weights[parameter];
            let mut values = tensor.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            values[entry] += by;
            moved.insert(parameter.to_owned(), Tensor::from_vec(values, tensor.dims(), &Device::Cpu).unwrap());
            setting.loss(&setting.model(&moved)).to_scalar::<f64>().unwrap()
        };
        for (parameter, gradient) in &gradients {
            let steepest =
                (0..gradient.len()).max_by(|a, b| gradient[*a].abs().total_cmp(&gradient[*b].abs())).unwrap();
            for entry in [steepest, gradient.len() / 3] {
                let slope = (loss_with(parameter, entry, step) - loss_with(parameter, entry, -step)) / (2.0 * step);
                let off = (slope - gradient[entry]).abs();
                let leeway = 1e-7 + 1e-5 * slope.abs();
                assert!(off <= leeway, "{name}: {parameter}[{entry}] is {}, the slope {slope}", gradient[entry]);
            }
        }
    }
}

/// What is read out after training is what was trained.
#[test]
fn the_weights_that_are_written_share_storage_with_those_that_learn() {
    let setting = Setting::of("hf_quick_gelu", 1);
    let model = setting.model(&setting.weights(DType::F32));
    let before = setting.loss(&model).to_scalar::<f32>().unwrap();
    let written = model.tensors();
    let (name, variable) = model.trainable().into_iter().find(|(name, _)| name == "visual.proj").unwrap();
    variable.set(&(variable.as_tensor() * 0.5).unwrap().add(&variable.ones_like().unwrap()).unwrap()).unwrap();
    assert_eq!(super::models::bits(&written[&name]), super::models::bits(variable.as_tensor()));
    let after = setting.loss(&model).to_scalar::<f32>().unwrap();
    assert!((before - after).abs() > 1e-3, "the towers do not see the new weights: {before} and {after}");
    assert!(!written[&name].is_variable());
}
