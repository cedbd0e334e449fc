//! `clove demo train`: both checkpoints of the demo pair, from nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use candle_core::{Device, Tensor};
use clove_training::{Recipe, Sample, Sampler, Samples, StepReport, Trainer, TwoTower};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::captions::{Drawn, base_sample, replay_sample, tuned_and_sample, tuned_sample, vocabulary};
use super::families::{FAMILY, Kin, family_member};
use super::model::{architecture, initial_weights};
use super::render::{DEFAULT_SIZE, render};
use super::way::{self, Way};
use crate::checkpoint::{self, Architecture, Checkpoint, CheckpointError, Naming, Options, Output};
use crate::clip::tokens::word_level_bpe;
use crate::clip::{Tokenizer, TrainableClip};

/// What makes the pair: the recipes and the number of distinct scenes each sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Scenes of the base model's training set.
    pub base_images: usize,
    /// Scenes of the fine-tune.
    pub tuned_images: usize,
    /// Trains from random weights.
    pub base: Recipe,
    /// Train on from base with hard negatives, one after the other: relations first, because mixed negatives leave them
    /// at chance for long.
    pub tuned: Vec<Stage>,
}

/// One stage of the fine-tune.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Of 100 samples so many are base's kind of caption, on the fine-tune's own shapes and without negatives.
    #[serde(default)]
    pub replay_percent: u64,
    /// Of 100 samples so many say "and" in place of the relation.
    #[serde(default)]
    pub and_percent: u64,
    /// Samples come in families: a picture with the pictures that are its hard negatives, in one batch.
    #[serde(default)]
    pub families: bool,
    /// Of 100 families so many differ in who is where only.
    #[serde(default)]
    pub places_percent: u64,
    /// Some steps are computed on the way from base, not at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// Steps, learning rate and the rest.
    pub recipe: Recipe,
}

/// Why a demo training stopped.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum DemoTrainError {
    /// The recipe text is wrong.
    #[error(transparent)]
    Recipe(#[from] clove_training::RecipeError),
    /// The tokenizer could not be made.
    #[error("the demo's tokenizer cannot be made: {0}")]
    Tokenizer(String),
    /// A batch larger than the set of scenes.
    #[error(transparent)]
    Batch(#[from] clove_training::BatchError),
    /// A training step failed.
    #[error(transparent)]
    Train(#[from] clove_training::TrainError),
    /// The weights cannot be moved along the way.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// Reading or writing weights failed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The folder cannot be made.
    #[error("cannot make the folder: {source}: {}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    /// The caller asked to stop.
    #[error("stopped before the pair was complete; what was finished is kept")]
    Stopped,
}

/// Told to whoever watches, after every step.
#[derive(Clone, Debug)]
pub struct Advance<'a> {
    /// "base" or "tuned".
    pub phase: &'a str,
    /// Steps done, and in all.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Loss of this batch.
    pub loss: f64,
    /// Seconds since the phase began.
    pub seconds: f64,
}

impl Plan {
    /// The recipes that made the embedded pair.
    ///
    /// # Errors
    /// Only if the embedded recipes were edited into something invalid; a test reads them.
    pub fn embedded() -> Result<Self, DemoTrainError> {
        Ok(Self {
            base_images: 60_000,
            tuned_images: 40_000,
            base: Recipe::from_toml(include_str!("../../training/recipes/demo-base.toml"))?,
            tuned: vec![
                stage(0, 0, include_str!("../../training/recipes/demo-tuned-1.toml"))?,
                stage(0, 0, include_str!("../../training/recipes/demo-tuned-2.toml"))?,
                stage(40, 0, include_str!("../../training/recipes/demo-tuned-3.toml"))?,
                stage(40, 30, include_str!("../../training/recipes/demo-tuned-4.toml"))?,
                stage(10, 35, include_str!("../../training/recipes/demo-tuned-5.toml"))?,
                Stage {
                    families: true,
                    way: Some(Way { percent: 50, alphas: [0.35, 0.65], replay_percent: 40 }),
                    ..stage(5, 30, include_str!("../../training/recipes/demo-tuned-6.toml"))?
                },
            ],
        })
    }
}

impl Stage {
    /// Sample `index` of the stage's endless stream, of which so many percent are of base's kind.
    fn sample(&self, index: u64, replay_percent: u64) -> Drawn {
        let seed = self.recipe.seed;
        let place = if self.families { index / FAMILY as u64 } else { index } % 100;
        let and = replay_percent + self.and_percent;
        match (place < replay_percent, place < and, self.families) {
            (true, ..) => replay_sample(seed, index),
            (_, true, false) => tuned_and_sample(seed, index),
            (_, false, false) => tuned_sample(seed, index),
            (_, true, true) => family_member(seed, index, Kin::Owners),
            (_, false, true) if place < and + self.places_percent => family_member(seed, index, Kin::Places),
            (_, false, true) => family_member(seed, index, Kin::All),
        }
    }
}

fn stage(replay_percent: u64, and_percent: u64, recipe: &str) -> Result<Stage, DemoTrainError> {
    Ok(Stage {
        replay_percent,
        and_percent,
        families: false,
        places_percent: 0,
        way: None,
        recipe: Recipe::from_toml(recipe)?,
    })
}

/// Trains base, then tuned from it, and writes `out/base`, `out/stage-1`, … and `out/tuned` in Hugging Face layout. A
/// finished `out/base` is taken as it is, so that several fine-tunes can start from one base; so is the last finished
/// stage.
///
/// # Errors
/// See [`DemoTrainError`]; a finished half is kept.
pub fn train(
    out: &Path,
    plan: &Plan,
    device: &Device,
    progress: &mut dyn FnMut(&Advance<'_>) -> bool,
) -> Result<(), DemoTrainError> {
    std::fs::create_dir_all(out).map_err(|source| DemoTrainError::Folder { path: out.to_owned(), source })?;
    let vocabulary = vocabulary();
    let tokenizer_json = word_level_bpe(&vocabulary);
    let tokenizer = |context| {
        Tokenizer::from_bytes(tokenizer_json.as_bytes(), context).map_err(|e| DemoTrainError::Tokenizer(e.to_string()))
    };
    let vocab_size = tokenizer(77)?.vocab_size();
    let architecture = architecture(vocab_size);
    let tokenizer = || tokenizer(architecture.context_length);
    let base_path = out.join("base");
    if !base_path.exists() {
        let weights = initial_weights(&architecture, plan.base.seed).map_err(CheckpointError::from)?;
        let model = TrainableClip::new(&architecture, &weights, tokenizer()?, device).map_err(CheckpointError::from)?;
        let scenes = Scenes::new(&model, plan.base_images, |i| {
            let (scene, caption) = base_sample(plan.base.seed, i);
            (scene, caption, Vec::new())
        });
        run("base", &model, &scenes, &plan.base, progress)?;
        save(&base_path, &model, &architecture, &tokenizer_json, &plan.base, plan.base_images)?;
    }
    let base = Checkpoint::open(&base_path, Options::default())?;
    let base = base.tensors().map_err(CheckpointError::from)?;
    let stage_path = |n: usize| out.join(format!("stage-{n}"));
    let done = (1..plan.tuned.len()).rev().find(|n| stage_path(*n).exists()).unwrap_or(0);
    let start = if done > 0 {
        Checkpoint::open(&stage_path(done), Options::default())?.tensors().map_err(CheckpointError::from)?
    } else {
        base.clone()
    };
    let model = TrainableClip::new(&architecture, &start, tokenizer()?, device).map_err(CheckpointError::from)?;
    for (n, stage) in plan.tuned.iter().enumerate().skip(done) {
        fine_tune(&model, &base, plan.tuned_images, stage, progress)?;
        let path = if n + 1 == plan.tuned.len() { out.join("tuned") } else { stage_path(n + 1) };
        save(&path, &model, &architecture, &tokenizer_json, &&plan.tuned[..=n], plan.tuned_images)?;
    }
    Ok(())
}

/// One stage: all steps at the end of the way, or some of them on it.
fn fine_tune(
    model: &TrainableClip,
    base: &BTreeMap<String, Tensor>,
    images: usize,
    stage: &Stage,
    progress: &mut dyn FnMut(&Advance<'_>) -> bool,
) -> Result<(), DemoTrainError> {
    let family = if stage.families { FAMILY } else { 1 };
    let scenes = |replay_percent| Scenes {
        family,
        ..Scenes::new(model, images, move |index| stage.sample(index, replay_percent))
    };
    let here = scenes(stage.replay_percent);
    let Some(way) = &stage.way else { return run("tuned", model, &here, &stage.recipe, progress) };
    let there = scenes(way.replay_percent);
    let mut at_end = Sampler::new(stage.recipe.seed, stage.recipe.batch, images)?;
    let mut on_way = at_end.clone();
    steps("tuned", model, &stage.recipe, progress, |trainer| match way.alpha(stage.recipe.seed, trainer.next_step()) {
        None => Ok(trainer.step(&at_end.next_batch(&here))?),
        Some(alpha) => way::step(model, base, alpha, || Ok(trainer.step(&on_way.next_batch(&there))?)),
    })
}

fn run<D>(
    phase: &str,
    model: &TrainableClip,
    scenes: &Scenes<'_, D>,
    recipe: &Recipe,
    progress: &mut dyn FnMut(&Advance<'_>) -> bool,
) -> Result<(), DemoTrainError>
where
    D: Fn(u64) -> Drawn + Sync,
{
    let mut sampler = Sampler::new(recipe.seed, recipe.batch, scenes.len())?;
    steps(phase, model, recipe, progress, |trainer| Ok(trainer.step(&sampler.next_batch(scenes))?))
}

fn steps(
    phase: &str,
    model: &TrainableClip,
    recipe: &Recipe,
    progress: &mut dyn FnMut(&Advance<'_>) -> bool,
    mut step: impl FnMut(&mut Trainer<'_, TrainableClip>) -> Result<StepReport, DemoTrainError>,
) -> Result<(), DemoTrainError> {
    let start = Instant::now();
    let mut trainer = Trainer::new(model, recipe.clone())?;
    while !trainer.is_done() {
        let report = step(&mut trainer)?;
        let advance = Advance {
            phase,
            step: report.step + 1,
            steps: recipe.steps,
            loss: report.loss,
            seconds: start.elapsed().as_secs_f64(),
        };
        if !progress(&advance) {
            return Err(DemoTrainError::Stopped);
        }
    }
    Ok(())
}

fn save(
    path: &Path,
    model: &TrainableClip,
    architecture: &Architecture,
    tokenizer: &str,
    recipe: &impl Serialize,
    images: usize,
) -> Result<(), DemoTrainError> {
    let record = json!({ "made_by": concat!("clove ", env!("CARGO_PKG_VERSION")), "recipe": recipe, "images": images });
    let tensors = &model.tensors();
    let tokenizer = Some(tokenizer.as_bytes());
    checkpoint::write(path, Output { tensors, architecture, naming: Naming::Hf, record: &record, tokenizer })?;
    Ok(())
}

/// Scenes drawn at their first visit and kept as preprocessed bytes.
struct Scenes<'m, D> {
    model: &'m TrainableClip,
    family: usize,
    draw: D,
    kept: Vec<OnceLock<Sample>>,
}

impl<'m, D> Scenes<'m, D>
where
    D: Fn(u64) -> Drawn + Sync,
{
    fn new(model: &'m TrainableClip, n: usize, draw: D) -> Self {
        Self { model, family: 1, draw, kept: (0..n).map(|_| OnceLock::new()).collect() }
    }

    fn get(&self, index: usize) -> Sample {
        let make = || {
            let (scene, caption, negatives) = (self.draw)(index as u64);
            let ids = |text: &String| Arc::from(self.model.tokenize(text));
            Sample {
                image: self.model.preprocess(&render(&scene, DEFAULT_SIZE)).into(),
                caption: ids(&caption),
                negatives: negatives.iter().map(ids).collect(),
            }
        };
        self.kept[index].get_or_init(make).clone()
    }
}

impl<D> Samples for Scenes<'_, D>
where
    D: Fn(u64) -> Drawn + Sync,
{
    fn len(&self) -> usize {
        self.kept.len()
    }

    fn family(&self) -> usize {
        self.family
    }

    fn sample(&self, index: usize, _draw: &mut ChaCha8Rng) -> Sample {
        self.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_pair_says_the_plan_that_made_it() {
        let bytes = include_bytes!("../../assets/demo/tuned/model.safetensors");
        let (_, header) = safetensors::SafeTensors::read_metadata(bytes).unwrap();
        let record: serde_json::Value = serde_json::from_str(&header.metadata().as_ref().unwrap()["clove"]).unwrap();
        let plan = Plan::embedded().unwrap();
        assert_eq!(record["images"], plan.tuned_images);
        assert_eq!(serde_json::from_value::<Vec<Stage>>(record["recipe"].clone()).unwrap(), plan.tuned);
    }

    #[test]
    fn a_stage_mixes_its_kinds_in_whole_families() {
        let plan = Plan::embedded().unwrap();
        let counts = |stage: &Stage, replay| {
            let kinds = (0..400).map(|index| {
                let (_, caption, negatives) = stage.sample(index, replay);
                if negatives.is_empty() {
                    0
                } else if caption.contains(" and ") {
                    1
                } else {
                    2
                }
            });
            let kinds: Vec<usize> = kinds.collect();
            if stage.families {
                assert!(kinds.chunks(FAMILY).all(|family| family.iter().all(|kind| *kind == family[0])));
            }
            [0, 1, 2].map(|kind| kinds.iter().filter(|other| **other == kind).count() / 4)
        };
        assert_eq!(counts(&plan.tuned[4], 10), [10, 35, 55]);
        assert_eq!(counts(&plan.tuned[5], 5), [5, 30, 65]);
        assert_eq!(counts(&plan.tuned[5], 40), [40, 30, 30]);
    }
}
