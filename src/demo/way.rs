//! Steps on the way from base to tuned: what makes a pair whose patches keep what both ends know.
//!
//! The line is learnt as in Wortsman et al., "Learning Neural Network Subspaces" (arXiv 2102.10472), with base as its
//! fixed end: the gradient is taken at a random point of the line, and the other end is moved by it.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};
use clove_training::TwoTower;
use serde::{Deserialize, Serialize};

use super::draw::{Draw, Stream};
use super::train::DemoTrainError;
use crate::clip::TrainableClip;

/// Which steps of a stage are computed on the way from base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// Of 100 steps so many; the others are computed at the end.
    pub percent: usize,
    /// Where: alpha is drawn between these two, 0 being base.
    pub alphas: [f32; 2],
    /// The stage's `replay_percent` on the way.
    pub replay_percent: u64,
}

impl Way {
    /// Where step `step` is computed; nothing for the end itself.
    pub(super) fn alpha(&self, seed: u64, step: u64) -> Option<f64> {
        let mut draw = Draw::new(Stream::Way, seed, step);
        let [low, high] = self.alphas;
        draw.chance(self.percent).then(|| f64::from(draw.between(low, high)))
    }
}

/// Takes a step at the patch of `base` and `model` with this alpha, and moves `model` by what the step changed there.
pub(super) fn step<T>(
    model: &TrainableClip,
    base: &BTreeMap<String, Tensor>,
    alpha: f64,
    step: impl FnOnce() -> std::result::Result<T, DemoTrainError>,
) -> std::result::Result<T, DemoTrainError> {
    let mut moved = Vec::new();
    for (name, var) in model.trainable() {
        let end = var.as_detached_tensor().copy()?;
        let start = base.get(&name).ok_or_else(|| candle_core::Error::Msg(format!("base has no {name}")))?;
        let point = blend(start, &end, alpha)?;
        var.set(&point)?;
        moved.push((var, end, point));
    }
    let report = step()?;
    for (var, end, point) in moved {
        var.set(&(end + (var.as_detached_tensor() - point)?)?)?;
    }
    Ok(report)
}

fn blend(base: &Tensor, end: &Tensor, alpha: f64) -> Result<Tensor> {
    base.to_device(end.device())?.affine(1.0 - alpha, 0.0)? + end.affine(alpha, 0.0)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Tokenizer;
    use crate::clip::tokens::word_level_bpe;
    use crate::demo::captions::vocabulary;
    use crate::demo::model::{architecture, initial_weights};
    use candle_core::Device;

    #[test]
    fn half_of_the_steps_are_on_the_way_and_the_seed_says_which() {
        let way = Way { percent: 50, alphas: [0.25, 0.75], replay_percent: 0 };
        let drawn: Vec<Option<f64>> = (0..2_000).map(|step| way.alpha(3, step)).collect();
        let on_way: Vec<f64> = drawn.iter().copied().flatten().collect();
        assert!((900..1_100).contains(&on_way.len()), "{}", on_way.len());
        assert!(on_way.iter().all(|alpha| (0.25..0.75).contains(alpha)));
        assert!(on_way.iter().any(|alpha| *alpha < 0.3) && on_way.iter().any(|alpha| *alpha > 0.7));
        assert_eq!(drawn, (0..2_000).map(|step| way.alpha(3, step)).collect::<Vec<_>>());
        assert_ne!(drawn, (0..2_000).map(|step| way.alpha(4, step)).collect::<Vec<_>>());
    }

    #[test]
    fn a_step_is_taken_at_the_patch_and_moves_the_end() {
        let tokenizer = Tokenizer::from_bytes(word_level_bpe(&vocabulary()).as_bytes(), 24).unwrap();
        let architecture = architecture(tokenizer.vocab_size());
        let [base, end] = [0, 1].map(|seed| initial_weights(&architecture, seed).unwrap());
        let model = TrainableClip::new(&architecture, &end, tokenizer, &Device::Cpu).unwrap();
        let name = "visual.proj";
        let first = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()[0];
        let variable = || model.trainable().into_iter().find(|(found, _)| found == name).unwrap().1;
        let seen = step(&model, &base, 0.25, || {
            let seen = first(variable().as_tensor());
            variable().set(&(variable().as_detached_tensor() + 2.0)?)?;
            Ok(seen)
        });
        assert!((seen.unwrap() - (0.75 * first(&base[name]) + 0.25 * first(&end[name]))).abs() < 1e-6);
        assert!((first(variable().as_tensor()) - (first(&end[name]) + 2.0)).abs() < 1e-5);
        for (name, var) in model.trainable().into_iter().filter(|(found, _)| found != name) {
            let apart = (var.as_detached_tensor() - &end[&name]).unwrap().abs().unwrap().max_all().unwrap();
            assert!(apart.to_scalar::<f32>().unwrap() < 1e-6, "{name}");
        }
    }
}
