//! Training steps of the whole model: against PyTorch + open_clip, and in every way that must not change the result.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use clove::checkpoint::{Checkpoint, Options};
use clove::clip::{Tokenizer, TrainableClip, TrainingOptions};
use clove_training::{Gradients, Inputs, Recipe, Sample, Trainer, TwoTower};
use serde::Deserialize;

use super::models::{Draw, bits, golden_root, random, small, tokenizer, values};

/// The promise: every parameter equals the reference's within this after twenty steps.
const LEEWAY: f32 = 1e-4;

/// Written by `training/reference/train_steps.py`.
#[derive(Deserialize)]
struct Reference {
    settings: Settings,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Settings {
    steps: u64,
    batch: usize,
    lr: f64,
    betas: [f64; 2],
    eps: f64,
    weight_decay: f64,
    warmup: u64,
    clip_norm: f64,
    negatives_per_caption: usize,
    logit_scale_max: f64,
}

#[derive(Deserialize)]
struct Step {
    loss: f64,
    lr: f64,
    grad_norm: f64,
    logit_scale: f64,
    captions: Vec<Vec<u32>>,
    negatives: Vec<Vec<Vec<u32>>>,
}

impl Settings {
    fn recipe(&self) -> Recipe {
        let Self { steps, batch, lr, betas: [first, second], eps, weight_decay, .. } = self;
        let Self { warmup, clip_norm, negatives_per_caption, logit_scale_max, .. } = self;
        recipe(&format!(
            "steps = {steps}\nbatch = {batch}\nlr = {lr:?}\nbetas = [{first:?}, {second:?}]\neps = {eps:?}\n\
             weight_decay = {weight_decay:?}\nwarmup = {warmup}\nclip_norm = {clip_norm:?}\n\
             negatives_per_caption = {negatives_per_caption}\nlogit_scale_max = {logit_scale_max:?}"
        ))
    }
}

fn recipe(fields: &str) -> Recipe {
    Recipe::from_toml(&format!("name = \"test\"\nseed = 0\n{fields}")).unwrap()
}

fn model(options: &TrainingOptions, checkpoint: &Checkpoint, dtype: DType) -> TrainableClip {
    let cast = |(name, tensor): (&String, &Tensor)| (name.clone(), tensor.to_dtype(dtype).unwrap());
    let tensors: BTreeMap<String, Tensor> = checkpoint.tensors().unwrap().iter().map(cast).collect();
    let tokenizer = Tokenizer::from_bytes(&tokenizer(), 77).unwrap();
    TrainableClip::with(options, &checkpoint.architecture, &tensors, tokenizer, &Device::Cpu).unwrap()
}

/// Follows a reference run. The largest difference of a parameter, and how far the farthest moved.
fn follow(folder: &Path) -> (f32, f32) {
    let reference: Reference = serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
    let stored = candle_core::safetensors::load(folder.join("run.safetensors"), &Device::Cpu).unwrap();
    let checkpoint = Checkpoint::open(folder, Options::default()).unwrap();
    let model = model(&TrainingOptions::default(), &checkpoint, DType::F32);
    let mut trainer = Trainer::new(&model, reference.settings.recipe()).unwrap();
    let images = stored["images"].to_vec2::<u8>().unwrap();
    for (step, images) in reference.steps.iter().zip(images.chunks(reference.settings.batch)) {
        let texts = step.captions.iter().zip(&step.negatives);
        let batch: Vec<Sample> = images.iter().zip(texts).map(|(image, texts)| sample(image, texts)).collect();
        let report = trainer.step(&batch).unwrap();
        let near = |what: &str, found: f64, wanted: f64| {
            let off = (found - wanted).abs() / wanted.abs().max(1.0);
            assert!(off < 2e-4, "{what} of step {}: {found}, not {wanted}", report.step);
        };
        near("loss", report.loss, step.loss);
        near("learning rate", report.lr, step.lr);
        near("gradient norm", report.grad_norm, step.grad_norm);
        near("logit scale", report.logit_scale, step.logit_scale);
    }
    assert!(trainer.is_done());
    let (mut worst, mut farthest) = (0f32, 0f32);
    for (name, found) in model.tensors() {
        let (found, start) = (values(&found), values(&checkpoint.tensors().unwrap()[&name]));
        let wanted = values(&stored[&format!("end.{name}")]);
        assert_eq!(found.len(), wanted.len(), "{name}");
        let off = found.iter().zip(&wanted).map(|(f, w)| (f - w).abs()).fold(0f32, f32::max);
        assert!(off <= LEEWAY, "{name} is off by {off}");
        assert!(found.iter().all(|value| value.is_finite()));
        worst = worst.max(off);
        // The scale may have moved by its clamp alone.
        if name != "logit_scale" {
            farthest = found.iter().zip(&start).map(|(f, s)| (f - s).abs()).fold(farthest, f32::max);
        }
    }
    (worst, farthest)
}

fn sample(image: &[u8], (caption, negatives): (&Vec<u32>, &Vec<Vec<u32>>)) -> Sample {
    let ids = |row: &Vec<u32>| Arc::from(row.as_slice());
    Sample { image: image.into(), caption: ids(caption), negatives: negatives.iter().map(ids).collect() }
}

#[test]
fn twenty_steps_equal_pytorch() {
    for name in ["quick_gelu", "gelu"] {
        let (worst, farthest) = follow(&golden_root().join("training").join(name));
        println!("{name}: parameters within {worst:.1e} of PyTorch, the farthest moved {farthest:.1e}");
        assert!(farthest > 15.0 * LEEWAY, "{name}: a run that hardly moves shows nothing: {farthest}");
    }
}

/// What the golden run must contain to be worth following.
#[test]
fn the_golden_runs_clip_and_clamp_and_differ_in_negatives() {
    for name in ["quick_gelu", "gelu"] {
        let file = golden_root().join("training").join(name).join("run.json");
        let Reference { settings, steps } = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let clipped = steps.iter().filter(|step| step.grad_norm > settings.clip_norm).count();
        assert!((5..=15).contains(&clipped), "{name}: {clipped} steps are clipped");
        let clamped = steps.iter().filter(|step| (step.logit_scale - settings.logit_scale_max).abs() < 1e-6).count();
        assert!((1..20).contains(&clamped), "{name}: {clamped} steps are clamped");
        let lists = || steps.iter().flat_map(|step| &step.negatives);
        assert!(lists().any(Vec::is_empty) && lists().any(|list| list.len() > settings.negatives_per_caption));
    }
}

/// Other sizes and settings every time, where `CLOVE_REFERENCE_PYTHON` names a Python with open_clip.
#[test]
fn twenty_steps_of_a_fresh_model_equal_pytorch() {
    let Some(python) = std::env::var_os("CLOVE_REFERENCE_PYTHON") else { return };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for seed in (now.as_millis() as u64 % 1_000_000..).take(3) {
        let out = folder.path().join(seed.to_string());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("training/reference/train_steps.py");
        let mut command = Command::new(&python);
        let made = command.arg(script).arg("--out").arg(&out).args(["--seed", &seed.to_string()]).output().unwrap();
        assert!(made.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&made.stderr));
        let (worst, farthest) = follow(&out);
        println!("seed {seed}: parameters within {worst:.1e} of PyTorch, the farthest moved {farthest:.1e}");
    }
}

/// Eight samples for the small architecture, with none to three negatives, texts of all lengths.
fn batch(checkpoint: &Checkpoint, seed: u64) -> Vec<Sample> {
    let architecture = &checkpoint.architecture;
    let mut draw = Draw(seed);
    let text = |draw: &mut Draw| {
        let length = 2 + draw.below(architecture.context_length - 2);
        let mut ids: Vec<u32> = (0..length).map(|_| draw.below(architecture.vocab_size - 1) as u32).collect();
        ids[length - 1] = architecture.end_of_text;
        ids
    };
    let mut one = |i: usize| {
        let image: Vec<u8> = (0..3 * architecture.image_size.pow(2)).map(|_| draw.next() as u8).collect();
        let caption = text(&mut draw);
        sample(&image, (&caption, &(0..i % 4).map(|_| text(&mut draw)).collect()))
    };
    (0..8).map(&mut one).collect()
}

/// Weights after four steps.
fn trained(options: &TrainingOptions, dtype: DType, more: &str) -> BTreeMap<String, Tensor> {
    let checkpoint = deep();
    let model = model(options, &checkpoint, dtype);
    let recipe = recipe(&format!(
        "steps = 8\nbatch = 8\nlr = 1e-3\nbetas = [0.9, 0.98]\neps = 1e-6\nweight_decay = 0.1\nwarmup = 2\n\
         clip_norm = 1.0\nnegatives_per_caption = 2\nlogit_scale_max = 4.6\n{more}"
    ));
    let mut trainer = Trainer::new(&model, recipe).unwrap();
    for step in 0..4 {
        trainer.step(&batch(&checkpoint, step)).unwrap();
    }
    let copy = |(name, tensor): (String, Tensor)| (name, tensor.copy().unwrap());
    model.tensors().into_iter().map(copy).collect()
}

fn deep() -> Checkpoint {
    let mut architecture = small();
    (architecture.vision.layers, architecture.text.layers) = (4, 3);
    random(architecture, 5)
}

fn largest(tensor: &Tensor) -> f64 {
    tensor.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

/// In f64, where rounding cannot hide a wrong term: the sum over micro-batches is the large batch's gradient. In f32
/// the same within rounding.
#[test]
fn micro_batches_equal_the_large_batch() {
    for (dtype, leeway) in [(DType::F64, 1e-10), (DType::F32, 2e-5)] {
        let whole = trained(&TrainingOptions::default(), dtype, "");
        let start = deep().tensors().unwrap();
        for parts in [2, 3, 8] {
            let cut = trained(&TrainingOptions::default(), dtype, &format!("accumulate = {parts}"));
            for (name, tensor) in &whole {
                let moved = largest(&(tensor - start[name].to_dtype(dtype).unwrap()).unwrap());
                let off = largest(&(tensor - &cut[name]).unwrap());
                assert!(moved > 1e-4, "{name} hardly moved: {moved}");
                assert!(off <= leeway, "{dtype:?}, {parts} micro-batches: {name} is off by {off} of {moved}");
            }
        }
    }
}

#[test]
fn recomputed_activations_give_the_same_bytes_from_less_memory() {
    let recompute = TrainingOptions { recompute: true, ..TrainingOptions::default() };
    let (kept, again) = (trained(&TrainingOptions::default(), DType::F32, ""), trained(&recompute, DType::F32, ""));
    kept.iter().for_each(|(name, tensor)| assert!(bits(tensor) == bits(&again[name]), "{name}"));
    let (kept, again) = (trained(&TrainingOptions::default(), DType::F64, ""), trained(&recompute, DType::F64, ""));
    kept.iter().for_each(|(name, tensor)| assert!(largest(&(tensor - &again[name]).unwrap()) == 0.0, "{name}"));
    let held = |options: &TrainingOptions| {
        let checkpoint = deep();
        let model = model(options, &checkpoint, DType::F32);
        let samples = batch(&checkpoint, 1);
        let images: Vec<&[u8]> = samples.iter().map(|sample| &*sample.image).collect();
        let _pass = model.pass(Inputs::Images(&images)).unwrap();
        model.scratch_bytes()
    };
    let (kept, again) = (held(&TrainingOptions::default()), held(&recompute));
    assert!(2 * again < kept, "{again} bytes with recomputation, {kept} without");
}

/// Gradients of both towers for a fixed gradient of the embeddings.
fn gradients(model: &TrainableClip, samples: &[Sample], dtype: DType, by_graph: bool) -> BTreeMap<String, Tensor> {
    let images: Vec<&[u8]> = samples.iter().map(|sample| &*sample.image).collect();
    let texts: Vec<&[u32]> = samples.iter().map(|sample| &*sample.caption).collect();
    let mut gradients = Gradients::new(model.trainable());
    for inputs in [Inputs::Images(&images), Inputs::Texts(&texts)] {
        let width = deep().architecture.embed_dim;
        let mut draw = Draw(77);
        let upstream: Vec<f32> = (0..samples.len() * width).map(|_| draw.unit() - 0.5).collect();
        let upstream =
            Tensor::from_vec(upstream, (samples.len(), width), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        if by_graph {
            let encoded = match inputs {
                Inputs::Images(images) => model.encode_images(images).unwrap(),
                Inputs::Texts(texts) => model.encode_texts(texts).unwrap(),
            };
            clove_training::gradients::backward(&encoded, &upstream, &mut gradients).unwrap();
        } else if model.learns(inputs) {
            (model.pass(inputs).unwrap().backward)(&upstream, &mut gradients).unwrap();
        }
    }
    let reached = |(name, _): (String, _)| {
        Some((name.clone(), gradients.slot(&name).unwrap().filter(|slot| slot.is_sum)?.tensor))
    };
    model.trainable().into_iter().filter_map(reached).collect()
}

/// Stage by stage is the same derivative as one graph over the whole tower; fused blocks are it within rounding.
#[test]
fn stages_are_the_graph() {
    let (checkpoint, options) = (deep(), TrainingOptions::default());
    let samples = batch(&checkpoint, 3);
    let exact = model(&options, &checkpoint, DType::F64);
    let wanted = gradients(&exact, &samples, DType::F64, true);
    let staged = gradients(&exact, &samples, DType::F64, false);
    let fused = gradients(&model(&options, &checkpoint, DType::F32), &samples, DType::F32, false);
    // All but the logit scale, which is no part of a tower.
    assert_eq!(wanted.len(), checkpoint.tensors().unwrap().len() - 1);
    assert!(wanted.keys().eq(staged.keys()) && wanted.keys().eq(fused.keys()));
    for (name, wanted) in &wanted {
        let scale = largest(wanted);
        assert!(scale > 1e-6, "{name} does not learn");
        let off = |found: &Tensor| largest(&(found.to_dtype(DType::F64).unwrap() - wanted).unwrap());
        assert!(off(&staged[name]) <= 1e-12 * scale, "{name}: stages are off by {} of {scale}", off(&staged[name]));
        assert!(off(&fused[name]) <= 2e-4 * scale + 1e-7, "{name}: fused is off by {} of {scale}", off(&fused[name]));
    }
}

#[test]
fn what_is_frozen_keeps_its_bytes_and_changes_no_other_gradient() {
    let checkpoint = deep();
    let samples = batch(&checkpoint, 3);
    let lists: [&[&str]; 5] = [
        &["visual."],
        &["transformer.resblocks.0.", "token_embedding", "positional_embedding"],
        &["visual.conv1", "visual.class", "visual.pos", "visual.ln_pre", "visual.transformer.resblocks.1.attn"],
        &["visual.transformer.", "visual.conv1", "visual.class", "visual.pos", "visual.ln_pre", "logit_scale"],
        &["transformer.resblocks.1.mlp", "ln_final.bias", "visual.transformer.resblocks.0.ln_1.weight"],
    ];
    for dtype in [DType::F32, DType::F64] {
        let all = gradients(&model(&TrainingOptions::default(), &checkpoint, dtype), &samples, dtype, false);
        for list in lists {
            let frozen: Vec<String> = list.iter().map(|prefix| (*prefix).to_owned()).collect();
            let is_frozen = |name: &str| clove_training::is_frozen(name, &frozen);
            for recompute in [false, true] {
                let options = TrainingOptions { frozen: frozen.clone(), recompute, compute: None };
                let some = gradients(&model(&options, &checkpoint, dtype), &samples, dtype, false);
                let wanted: Vec<&String> = all.keys().filter(|name| !is_frozen(name)).collect();
                assert!(some.keys().eq(wanted), "{list:?}");
                for (name, gradient) in &some {
                    let off = largest(&(gradient - &all[name]).unwrap());
                    assert!(off == 0.0, "{list:?}: {name} is off by {off}");
                }
            }
            if dtype == DType::F32 {
                let options = TrainingOptions { frozen: frozen.clone(), ..TrainingOptions::default() };
                let words: Vec<String> = frozen.iter().map(|prefix| format!("{prefix:?}")).collect();
                let after = trained(&options, dtype, &format!("frozen = [{}]", words.join(", ")));
                for (name, tensor) in &after {
                    assert_eq!(
                        bits(tensor) == bits(&checkpoint.tensors().unwrap()[name]),
                        is_frozen(name),
                        "{list:?}: {name}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_frozen_tower_has_nothing_to_keep() {
    let checkpoint = deep();
    let options = TrainingOptions { frozen: vec!["visual.".to_owned()], ..TrainingOptions::default() };
    let model = model(&options, &checkpoint, DType::F32);
    assert!(!model.learns(Inputs::Images(&[])) && model.learns(Inputs::Texts(&[])));
    let unknown = TrainingOptions { frozen: vec!["vision.".to_owned()], ..TrainingOptions::default() };
    let tokenizer = Tokenizer::from_bytes(&tokenizer(), 77).unwrap();
    let made = TrainableClip::with(
        &unknown,
        &checkpoint.architecture,
        &checkpoint.tensors().unwrap(),
        tokenizer,
        &Device::Cpu,
    );
    assert!(made.err().unwrap().to_string().contains("'vision.'"));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| trained(&TrainingOptions::default(), DType::F32, "accumulate = 2"))
    };
    let (one, three) = (with(1), with(3));
    one.iter().for_each(|(name, tensor)| assert!(bits(tensor) == bits(&three[name]), "{name}"));
}

/// On a CPU only to see that the code path is right; a recipe that asks for it here is refused.
#[test]
fn bf16_follows_f32_with_f32_master_weights() {
    let recipe = recipe(
        "steps = 1\nbatch = 8\nlr = 1e-3\nbetas = [0.9, 0.98]\neps = 1e-6\nweight_decay = 0.1\nwarmup = 2\n\
         negatives_per_caption = 2\nlogit_scale_max = 4.6\nprecision = \"bf16\"",
    );
    let refusal = TrainingOptions::of(&recipe, &Device::Cpu).unwrap_err().to_string();
    assert!(refusal.contains("bf16 needs a GPU"), "{refusal}");
    let half = TrainingOptions { compute: Some(DType::BF16), ..TrainingOptions::default() };
    let checkpoint = deep();
    let samples = batch(&checkpoint, 3);
    let wanted = gradients(&model(&TrainingOptions::default(), &checkpoint, DType::F32), &samples, DType::F32, false);
    for recompute in [false, true] {
        let half = TrainingOptions { recompute, ..half.clone() };
        let found = gradients(&model(&half, &checkpoint, DType::F32), &samples, DType::F32, false);
        assert!(found.keys().eq(wanted.keys()));
        for (name, found) in &found {
            assert_eq!(found.dtype(), DType::F32);
            let cosine = |a: &Tensor, b: &Tensor| {
                let dot = |a: &Tensor, b: &Tensor| (a * b).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
                dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
            };
            assert!(cosine(found, &wanted[name]) > 0.99, "{name}: {}", cosine(found, &wanted[name]));
        }
    }
    let after = trained(&half, DType::F32, "");
    let kept = trained(&TrainingOptions::default(), DType::F32, "");
    assert!(after.values().all(|tensor| tensor.dtype() == DType::F32));
    assert!(kept.iter().any(|(name, tensor)| bits(tensor) != bits(&after[name])), "bf16 was not used");
}
