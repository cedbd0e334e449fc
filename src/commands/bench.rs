//! `clove bench`: seconds of a blend and speed of both towers at ViT-B/32 size with random weights, and how soon scores
//! follow a drag over the embedded pair; or how soon a given pair is ready.

mod drag;
mod train;
mod open;

use std::collections::BTreeMap;
use std::time::Instant;

use candle_core::{Device, Tensor};
use clap::Args;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::model::DeviceArgs;
use super::output;
use crate::checkpoint::{Architecture, Checkpoint, Naming, Provenance, Weight};
use crate::clip::Clip;
use crate::device;
use crate::patch::{Alpha, AlphaMap, Pair, Patch};

/// Images and captions in a measured batch.
const BATCH: usize = 64;
/// Each figure is the median of so many runs.
const RUNS: usize = 5;

#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    train: train::TrainArgs,
    pair: open::OpenArgs,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if args.train.train {
        return train::run(&args.train, &args.device);
    }
    if let Some(measured) = args.pair.run(args.device.device, args.json) {
        return measured;
    }
    let device = device::open(args.device.device)?;
    let pair = Pair::new(random(0)?, random(1)?)?;
    let mut patch = Patch::new(&pair, &device)?;
    let clip = Clip::new(patch.architecture(), &patch.tensors())?;
    let mut step = 0;
    let blend = median(|| {
        step += 1;
        patch.set(AlphaMap::one(Alpha::clamped(0.1 * f64::from(step))))?;
        device.synchronize()
    })?;
    let image = vec![127u8; 3 * 224 * 224];
    let images: Vec<&[u8]> = vec![&image; BATCH];
    let image_seconds = median(|| clip.image_features(&images)?.to_vec2::<f32>().map(drop))?;
    // COCO captions have about 10 words; with the special ids that is 13 tokens.
    let mut row = vec![49_406];
    row.extend([320; 11]);
    row.push(49_407);
    let captions: Vec<&[u32]> = vec![&row; BATCH];
    let text_seconds = median(|| clip.text_features(&captions)?.to_vec2::<f32>().map(drop))?;
    let drag = drag::measure(args.device.device)?;
    let figures = json!({
        "device": device::describe(&device), "model": "ViT-B/32, random weights", "parameters": patch.architecture().parameters(),
        "blend_seconds": blend, "images_per_second": BATCH as f64 / image_seconds,
        "captions_per_second": BATCH as f64 / text_seconds, "caption_tokens": row.len(), "batch": BATCH, "runs": RUNS,
        "drag_ms": { "median": drag.median, "p95": drag.p95, "longest": drag.longest,
                     "positions": drag.positions, "answered": drag.answered },
    });
    if args.json {
        return output::json(&figures);
    }
    output::text(&format!(
        "ViT-B/32 with random weights on {}, median of {RUNS}\nblend     {blend:.3} s\nimages    {:.1} per second\n\
         captions  {:.1} per second ({} tokens each)\n\
         drag      {:.1} ms to the focused example's scores, at most {:.1} (embedded pair, {} positions at 60 Hz)",
        device::describe(&device),
        BATCH as f64 / image_seconds,
        BATCH as f64 / text_seconds,
        row.len(),
        drag.median,
        drag.longest,
        drag.positions
    ))
}

/// Seconds of the median run, after one that warms up.
fn median(mut work: impl FnMut() -> candle_core::Result<()>) -> candle_core::Result<f64> {
    work()?;
    let mut seconds = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        work()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[RUNS / 2])
}

fn random(seed: u64) -> anyhow::Result<Checkpoint> {
    let architecture = Architecture::vit_b_32();
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut weights = BTreeMap::new();
    for (name, shape) in architecture.tensors() {
        let n = shape.iter().product();
        let values: Vec<f32> = (0..n).map(|_| (draw.next_u32() as f32 / 4.3e9 - 0.5) * 0.05).collect();
        weights.insert(name, Weight::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)?);
    }
    let provenance = Provenance {
        path: format!("random {seed}").into(),
        format: "random".into(),
        naming: Naming::OpenClip,
        activation_source: "chosen".into(),
        tensors: weights.len(),
        dtypes: BTreeMap::new(),
        sha256: seed.to_string().into(),
    };
    Ok(Checkpoint { weights, architecture, provenance, tokenizer: None })
}
