//! From similarities to verdicts, and from verdicts to scores. Pure.

#![expect(clippy::float_cmp, reason = "a tie is equality to the bit, as in the references")]

use std::collections::HashMap;

use super::interval::{macro_mean, wilson};
use super::{Benchmark, Items, Metric, MetricName, Outcome, Score, TieRule};

/// Judges one caption choice: `similarities` in the order of its captions, `right` the index of the right one.
/// An example with a NaN is wrong; under [`TieRule::First`] the first of equal maxima wins, as in `numpy.argmax`.
pub fn judge_choice(similarities: &[f32], right: usize, ties: TieRule) -> Outcome {
    let Some(own) = comparable(similarities, right) else { return lost() };
    let ahead = |&(i, &s): &(usize, &f32)| i != right && (s > own || (s == own && i < right));
    let first = !similarities.iter().enumerate().any(|option| ahead(&option));
    let best = best_other(similarities, right);
    let is_right = match ties {
        TieRule::Strict => own > best,
        TieRule::First => first,
    };
    Outcome { right: is_right, tied: own == best, margin: margin(own, best), in_top5: is_right }
}

/// Judges one image among classes: `similarities` in the order of the classes. The rank of the right class is the
/// number of classes strictly ahead of it or equal and earlier; top-1 is rank 0, top-5 a rank below 5. An image with a
/// NaN is wrong.
pub fn judge_class(similarities: &[f32], label: usize) -> Outcome {
    let Some(own) = comparable(similarities, label) else { return lost() };
    let ahead = |&(i, &s): &(usize, &f32)| s > own || (s == own && i < label);
    let rank = similarities.iter().enumerate().filter(ahead).count();
    let best = best_other(similarities, label);
    Outcome { right: rank == 0, tied: own == best, margin: margin(own, best), in_top5: rank < 5 }
}

/// Scores over the judged examples (`Some`), the published metric first: macro accuracy and plain accuracy, accuracy,
/// or top-1 and top-5. Empty while the published metric has no judged example. `unreadable` examples are those whose
/// image turned out not to decode; they stay `None` and count as skipped, as do [`Benchmark::skipped`].
///
/// Groups are held to the minimum count by their examples in the benchmark, judged or not, so that a partial score
/// averages over the same groups as the whole one.
pub fn scores(benchmark: &Benchmark, outcomes: &[Option<Outcome>], unreadable: usize) -> Vec<Score> {
    let judged = || outcomes.iter().flatten();
    let (scored, correct) = (judged().count(), judged().filter(|outcome| outcome.right).count());
    if scored == 0 {
        return Vec::new();
    }
    let row = |metric, value: f64, correct, interval: [f64; 2]| Score {
        metric,
        value: 100.0 * value,
        correct,
        scored,
        skipped: benchmark.skipped.len() + unreadable,
        ties: judged().filter(|outcome| outcome.tied).count(),
        interval: interval.map(|bound| 100.0 * bound),
    };
    let rate = |metric, correct| row(metric, correct as f64 / scored as f64, correct, wilson(correct, scored));
    match benchmark.metric {
        Metric::Accuracy => vec![rate(MetricName::Accuracy, correct)],
        Metric::TopK => {
            let in_top5 = judged().filter(|outcome| outcome.in_top5).count();
            vec![rate(MetricName::Top1, correct), rate(MetricName::Top5, in_top5)]
        }
        Metric::MacroAccuracy { min_count } => match macro_mean(&group_tallies(benchmark, outcomes, min_count)) {
            Some((mean, interval)) => {
                vec![row(MetricName::MacroAccuracy, mean, correct, interval), rate(MetricName::Accuracy, correct)]
            }
            None => Vec::new(),
        },
    }
}

/// (correct, judged) of every group with at least `min_count` examples, in order of first appearance.
fn group_tallies(benchmark: &Benchmark, outcomes: &[Option<Outcome>], min_count: usize) -> Vec<(usize, usize)> {
    let Items::Choices(choices) = &benchmark.items else { return Vec::new() };
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut tallies: Vec<(usize, usize, usize)> = Vec::new();
    for (i, choice) in choices.iter().enumerate() {
        let next = tallies.len();
        let place = *places.entry(choice.group.as_deref().unwrap_or_default()).or_insert(next);
        if place == next {
            tallies.push((0, 0, 0));
        }
        let (count, correct, judged) = &mut tallies[place];
        *count += 1;
        if let Some(Some(outcome)) = outcomes.get(i) {
            *judged += 1;
            *correct += usize::from(outcome.right);
        }
    }
    tallies
        .into_iter()
        .filter(|(count, ..)| *count >= min_count)
        .map(|(_, correct, judged)| (correct, judged))
        .collect()
}

/// The right option's similarity, if there is one and no option is NaN.
fn comparable(similarities: &[f32], right: usize) -> Option<f32> {
    similarities.get(right).copied().filter(|_| !similarities.iter().any(|s| s.is_nan()))
}

/// The highest similarity of the others; minus infinity without any.
fn best_other(similarities: &[f32], right: usize) -> f32 {
    let others = similarities.iter().enumerate().filter(|(i, _)| *i != right);
    others.map(|(_, &s)| s).fold(f32::NEG_INFINITY, f32::max)
}

fn margin(own: f32, best: f32) -> f32 {
    if own == best { 0.0 } else { (own - best).clamp(-2.0, 2.0) }
}

/// The verdict on what cannot be compared: wrong, by the widest margin.
fn lost() -> Outcome {
    Outcome { right: false, tied: false, margin: -2.0, in_top5: false }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
