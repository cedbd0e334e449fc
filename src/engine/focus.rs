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
    let (right, names): (usize, &[String]) = match &benchmark.items {
        Items::Choices(choices) => (choices[example].right, &choices[example].captions),
        Items::Classes { classes, labels, .. } => (labels[example], classes),
    };
    let probabilities = probabilities(similarities, logit_scale);
    let option = |i: usize| OptionScore {
        text: names[i].clone(),
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
