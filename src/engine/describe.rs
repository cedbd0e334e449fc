//! Domain objects as the plain data that the window shows.

use std::path::Path;
use std::sync::Arc;

use super::event::{BenchmarkInfo, CheckpointInfo, DataInfo, ExampleInfo, FoundInfo, PairInfo};
use super::found::Found;
use crate::benchmark::{Benchmark, Items, chance, title};
use crate::checkpoint::Checkpoint;
use crate::kernels::Activation;
use crate::patch::Pair;

pub(super) fn pair(pair: &Pair) -> PairInfo {
    PairInfo {
        base: checkpoint(&pair.base),
        tuned: checkpoint(&pair.tuned),
        verdict: format!("{} tensors match in name and shape", pair.base.weights.len()),
        remarks: pair.remarks.clone(),
    }
}

/// What a checkpoint is called in the window.
pub(super) fn name(checkpoint: &Checkpoint) -> String {
    short_name(&checkpoint.provenance.path)
}

fn checkpoint(checkpoint: &Checkpoint) -> CheckpointInfo {
    let (architecture, provenance) = (&checkpoint.architecture, &checkpoint.provenance);
    CheckpointInfo {
        path: provenance.path.clone(),
        name: name(checkpoint),
        format: format!("{}, {}", provenance.format, provenance.naming),
        architecture: architecture.summary(),
        activation: match architecture.activation {
            Activation::QuickGelu => "QuickGELU".into(),
            Activation::Gelu => "GELU".into(),
        },
        activation_source: provenance.activation_source.clone(),
        context_length: architecture.context_length,
        parameters: architecture.parameters(),
        sha256: provenance.sha256.known().unwrap_or_default().to_owned(),
    }
}

/// File stem or folder name; the folder's where the file's name says nothing.
fn short_name(path: &Path) -> String {
    let text = path.display().to_string();
    if let Some(end) = text.strip_prefix("demo:") {
        return format!("demo {end}");
    }
    if let Some(name) = run_name(path) {
        return name;
    }
    let stem = |p: &Path| p.file_stem().map(|s| s.to_string_lossy().into_owned());
    match stem(path) {
        Some(name) if matches!(name.as_str(), "model" | "open_clip_model" | "open_clip_pytorch_model") => {
            path.parent().and_then(|p| p.file_name()).map_or(name, |p| p.to_string_lossy().into_owned())
        }
        Some(name) if path.extension().is_some_and(|e| e == "safetensors") => name,
        _ => path.file_name().map_or(text, |name| name.to_string_lossy().into_owned()),
    }
}

/// What a run directory holds is called after the run: "demo step 500", "demo" for its result.
fn run_name(path: &Path) -> Option<String> {
    let last = |p: &Path| Some(p.file_name()?.to_str()?.to_owned());
    let within = path.parent()?;
    let run = last(within.parent()?)?;
    // A run directory is named by its time, then the run's name.
    let run = run.split_once('_').map_or(run.as_str(), |(_, name)| name);
    match (last(within)?.as_str(), last(path)?.as_str()) {
        ("weights", "hf" | "open_clip") => Some(run.to_owned()),
        ("checkpoints", step) => {
            let step: u64 = step.strip_prefix("step_")?.parse().ok()?;
            Some(format!("{run} step {step}"))
        }
        _ => None,
    }
}

pub(super) fn data(found: &Found, benchmarks: &[Benchmark]) -> DataInfo {
    let describe = |(benchmark, chosen): (&Benchmark, &bool)| FoundInfo {
        title: title(&benchmark.name, benchmark.task.as_deref()),
        recognition: benchmark.is_recognition(),
        protocol: benchmark.protocol.clone(),
        examples: benchmark.len(),
        skipped: skipped(benchmark),
        chosen: *chosen,
    };
    DataInfo {
        source: found.source.clone(),
        benchmarks: Arc::new(benchmarks.iter().map(benchmark).collect()),
        found: Arc::new(found.benchmarks.iter().zip(&found.chosen).map(describe).collect()),
        limit: found.limit,
    }
}

fn skipped(benchmark: &Benchmark) -> Arc<Vec<(String, String)>> {
    Arc::new(benchmark.skipped.iter().map(|s| (s.item.clone(), s.reason.clone())).collect())
}

fn benchmark(benchmark: &Benchmark) -> BenchmarkInfo {
    BenchmarkInfo {
        name: benchmark.name.clone(),
        task: benchmark.task.clone(),
        title: title(&benchmark.name, benchmark.task.as_deref()),
        recognition: benchmark.is_recognition(),
        chance: chance(benchmark),
        protocol: benchmark.protocol.clone(),
        examples: Arc::new(examples(benchmark)),
        n_images: benchmark.images.len(),
        skipped: skipped(benchmark),
    }
}

fn examples(benchmark: &Benchmark) -> Vec<ExampleInfo> {
    match &benchmark.items {
        Items::Choices(choices) => choices
            .iter()
            .map(|choice| {
                let mut negatives = choice.captions.clone();
                let right = negatives.remove(choice.right);
                ExampleInfo { image: choice.image, right, negatives, tags: choice.tags.clone() }
            })
            .collect(),
        Items::Duels(duels) => duels
            .iter()
            .enumerate()
            .map(|(example, duel)| ExampleInfo {
                image: benchmark.image_of(example),
                right: duel.captions.first().cloned().unwrap_or_default(),
                negatives: duel.captions.iter().skip(1).cloned().collect(),
                tags: duel.tags.clone(),
            })
            .collect(),
        Items::Retrieval(retrieval) => (0..benchmark.len())
            .map(|example| ExampleInfo {
                image: benchmark.image_of(example),
                right: retrieval.right_caption(example).to_owned(),
                negatives: Vec::new(),
                tags: Vec::new(),
            })
            .collect(),
        Items::Classes { classes, labels, .. } => labels
            .iter()
            .enumerate()
            .map(|(image, label)| ExampleInfo {
                image,
                right: classes[*label].clone(),
                negatives: Vec::new(),
                tags: Vec::new(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_model() {
        assert_eq!(short_name(Path::new("demo:base")), "demo base");
        assert_eq!(short_name(Path::new("/m/clip-vit-b32/model.safetensors")), "clip-vit-b32");
        assert_eq!(short_name(Path::new("/m/negclip.safetensors")), "negclip");
        assert_eq!(short_name(Path::new("/m/ViT-B.16")), "ViT-B.16");
        let run = Path::new("/runs/20261125-093000_my-run");
        assert_eq!(short_name(&run.join("weights/hf")), "my-run");
        assert_eq!(short_name(&run.join("checkpoints/step_000500")), "my-run step 500");
    }
}
