//! `clove bench --train`: training steps of a ViT-B/32 with random weights, for `training/reference/bench_train.py`.

use std::sync::Arc;

use clap::Args;
use clove_training::{Recipe, Sample, Trainer};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::random;
use crate::clip::tokens::word_level_bpe;
use crate::clip::{Tokenizer, TrainableClip, TrainingOptions};
use crate::commands::model::DeviceArgs;
use crate::commands::output;
use crate::device;

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Time training steps instead
    #[arg(long, hide = true)]
    pub train: bool,
    /// Pairs, each with one negative
    #[arg(long, hide = true, default_value_t = 32)]
    pairs: usize,
    /// Tokens of a text
    #[arg(long, hide = true, default_value_t = 77)]
    tokens: usize,
    /// Steps after one that warms up
    #[arg(long, hide = true, default_value_t = 2)]
    steps: u64,
    /// Further fields of the recipe, as lines of TOML
    #[arg(long, hide = true, default_value = "")]
    recipe: String,
}

pub fn run(args: &TrainArgs, chosen: &DeviceArgs) -> anyhow::Result<()> {
    let device = device::open(chosen.device)?;
    let recipe = recipe(args)?;
    let checkpoint = random(0)?;
    let (tensors, architecture) = (checkpoint.tensors()?, checkpoint.architecture);
    drop(checkpoint);
    let tokenizer = Tokenizer::from_bytes(word_level_bpe(&[]).as_bytes(), architecture.context_length)?;
    let options = TrainingOptions::of(&recipe, &device)?;
    let model = TrainableClip::with(&options, &architecture, &tensors, tokenizer, &device)?;
    drop(tensors);
    let mut draw = ChaCha8Rng::seed_from_u64(1);
    let samples: Vec<Sample> =
        (0..args.pairs).map(|_| sample(&mut draw, 3 * architecture.image_size.pow(2), args.tokens)).collect();
    let mut trainer = Trainer::new(&model, recipe)?;
    let (mut seconds, mut losses) = (Vec::new(), Vec::new());
    while !trainer.is_done() {
        let report = trainer.step(&samples)?;
        seconds.push(report.seconds);
        losses.push(report.loss);
    }
    output::json(&json!({
        "device": device::describe(&device), "pairs": args.pairs, "tokens": args.tokens, "losses": losses,
        "first_step_seconds": seconds.first(), "step_seconds": seconds.get(1..), "peak_bytes": peak_bytes(),
        "scratch_bytes": model.scratch_bytes(),
    }))
}

fn recipe(args: &TrainArgs) -> anyhow::Result<Recipe> {
    let (steps, batch) = (args.steps + 1, args.pairs);
    let fixed = "name = \"bench\"\nseed = 0\nlr = 1e-6\nbetas = [0.9, 0.98]\neps = 1e-6\nweight_decay = 0.1\nwarmup = 1\n\
                 clip_norm = 1.0\nnegatives_per_caption = 1\nlogit_scale_max = 4.6051702";
    Ok(Recipe::from_toml(&format!("{fixed}\nsteps = {steps}\nbatch = {batch}\n{}", args.recipe))?)
}

/// Noise, and texts of exactly `tokens` ids.
fn sample(draw: &mut ChaCha8Rng, bytes: usize, tokens: usize) -> Sample {
    let mut text = || -> Arc<[u32]> {
        let mut ids: Vec<u32> = (0..tokens).map(|_| 256 + draw.next_u32() % 40_000).collect();
        if let [first, .., last] = &mut *ids {
            (*first, *last) = (49_406, 49_407);
        }
        ids.into()
    };
    let (caption, negatives) = (text(), vec![text()]);
    let mut image = vec![0; bytes];
    draw.fill_bytes(&mut image);
    Sample { image: image.into(), caption, negatives }
}

/// Most memory this process had at once, where the system says.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?)
}
