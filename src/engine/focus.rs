//! The focused example: its options with similarities and probabilities at the current alpha.

use super::ExampleId;
use super::event::{FocusScore, OptionScore};
use crate::benchmark::{Benchmark, Items};
use crate::evaluate::{Corpus, Encoder, Pixels, Scoring, probabilities};

/// Scores one example ahead of its turn; `None` when there is no such example or its image cannot be read.
pub(super) fn score(
    current: &mut Scoring,
    encoder: &mut Encoder,
    benchmarks: &[Benchmark],
    corpus: &Corpus,
    pixels: &mut Pixels,
    id: ExampleId,
) -> candle_core::Result<Option<FocusScore>> {
    let Some(benchmark) = benchmarks.get(id.benchmark).filter(|b| id.example < b.len()) else { return Ok(None) };
    let at = (id.benchmark, id.example);
    let Some(similarities) = current.visit(encoder, benchmarks, corpus, pixels, at)? else { return Ok(None) };
    let logit_scale = encoder.logit_scale()?;
    let options = options(benchmark, id.example, &similarities, logit_scale);
    Ok(Some(FocusScore { id, alpha: current.alpha(), options, logit_scale }))
}

/// Wrong classes that a recognition example shows.
const BEST_OTHERS: usize = 4;

fn options(benchmark: &Benchmark, example: usize, similarities: &[f32], logit_scale: f32) -> Vec<OptionScore> {
    let (right, names): (usize, Vec<&str>) = match &benchmark.items {
        Items::Choices(choices) => {
            (choices[example].right, choices[example].captions.iter().map(String::as_str).collect())
        }
        Items::Classes { classes, labels, .. } => (labels[example], classes.iter().map(String::as_str).collect()),
        // Of every comparison the pair that belongs together, then the one that does not.
        Items::Duels(duels) => (0, duels[example].cells().map(|cell| duels[example].caption_of(cell)).collect()),
        Items::Retrieval(_) => return Vec::new(),
    };
    let probabilities = probabilities(similarities, logit_scale);
    let option = |i: usize| OptionScore {
        text: names[i].to_owned(),
        right: i == right,
        similarity: similarities[i],
        probability: probabilities[i],
    };
    let mut others: Vec<usize> = (0..names.len()).filter(|i| *i != right).collect();
    if benchmark.is_recognition() {
        others.sort_by(|a, b| similarities[*b].total_cmp(&similarities[*a]));
        others.truncate(BEST_OTHERS);
    }
    std::iter::once(right).chain(others).map(option).collect()
}
