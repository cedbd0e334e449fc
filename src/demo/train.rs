//! `clove demo train`: both checkpoints of the demo pair, from nothing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use candle_core::Device;
use clove_training::{Recipe, Sample, Sampler, Samples, Trainer, TwoTower};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::captions::{base_sample, replay_sample, tuned_and_sample, tuned_sample, vocabulary};
use super::model::{architecture, initial_weights};
use super::render::{DEFAULT_SIZE, render};
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
            ],
        })
    }
}

fn stage(replay_percent: u64, and_percent: u64, recipe: &str) -> Result<Stage, DemoTrainError> {
    Ok(Stage { replay_percent, and_percent, recipe: Recipe::from_toml(recipe)? })
}

/// Trains base, then tuned from it, and writes `out/base` and `out/tuned` in Hugging Face layout. A finished
/// `out/base` is taken as it is, so that several fine-tunes can start from one base.
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
    let model = TrainableClip::new(&architecture, &base, tokenizer()?, device).map_err(CheckpointError::from)?;
    for stage in &plan.tuned {
        let scenes = Scenes::new(&model, plan.tuned_images, |i| {
            let place = i % 100;
            let sample = if place < stage.replay_percent {
                replay_sample
            } else if place < stage.replay_percent + stage.and_percent {
                tuned_and_sample
            } else {
                tuned_sample
            };
            sample(stage.recipe.seed, i)
        });
        run("tuned", &model, &scenes, &stage.recipe, progress)?;
    }
    save(&out.join("tuned"), &model, &architecture, &tokenizer_json, &plan.tuned, plan.tuned_images)
}

fn run<D>(
    phase: &str,
    model: &TrainableClip,
    scenes: &Scenes<'_, D>,
    recipe: &Recipe,
    progress: &mut dyn FnMut(&Advance<'_>) -> bool,
) -> Result<(), DemoTrainError>
where
    D: Fn(u64) -> (super::scene::Scene, String, Vec<String>) + Sync,
{
    let start = Instant::now();
    let mut sampler = Sampler::new(recipe.seed, recipe.batch, scenes.len())?;
    let mut trainer = Trainer::new(model, recipe.clone())?;
    while !trainer.is_done() {
        let report = trainer.step(&sampler.next_batch(scenes))?;
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
    draw: D,
    kept: Vec<OnceLock<Sample>>,
}

impl<'m, D> Scenes<'m, D>
where
    D: Fn(u64) -> (super::scene::Scene, String, Vec<String>) + Sync,
{
    fn new(model: &'m TrainableClip, n: usize, draw: D) -> Self {
        Self { model, draw, kept: (0..n).map(|_| OnceLock::new()).collect() }
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
    D: Fn(u64) -> (super::scene::Scene, String, Vec<String>) + Sync,
{
    fn len(&self) -> usize {
        self.kept.len()
    }

    fn sample(&self, index: usize, _draw: &mut ChaCha8Rng) -> Sample {
        self.get(index)
    }
}
