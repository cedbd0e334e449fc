//! From similarities to verdicts, and from verdicts to scores. Pure.

#![expect(clippy::float_cmp, reason = "a tie is equality to the bit, as in the references")]

use std::collections::HashMap;

use super::interval::{macro_share, wilson_share};
use super::{Benchmark, Items, Metric, MetricName, Outcome, Score, TieRule};

/// Judges one caption choice: `similarities` in the order of its captions, `right` the index of the right one.
/// An example with a NaN is wrong; under [`TieRule::First`] the first of equal maxima wins, as in `numpy.argmax`.
pub fn judge_choice(similarities: &[f32], right: usize, ties: TieRule) -> Outcome {
    let outcome = judge_ranks(similarities, |option| option == right, ties);
    Outcome { in_top5: outcome.right, ..outcome }
}

/// Judges one image among classes: `similarities` in the order of the classes. The rank of the right class is the
/// number of classes strictly ahead of it or equal and earlier; top-1 is rank 0, top-5 a rank below 5. An image with a
/// NaN is wrong.
pub fn judge_class(similarities: &[f32], label: usize) -> Outcome {
    judge_class_by(similarities, label, TieRule::First)
}

/// As [`judge_class`] under another rule for equal classes, such as ImageNet's two called "missile".
pub fn judge_class_by(similarities: &[f32], label: usize, ties: TieRule) -> Outcome {
    judge_ranks(similarities, |class| class == label, ties)
}

/// Ranks the best right option among all. Without a right option, or with a NaN, the verdict is wrong.
pub(super) fn judge_ranks(similarities: &[f32], is_right: impl Fn(usize) -> bool, ties: TieRule) -> Outcome {
    let options = || similarities.iter().copied().enumerate();
    // The first of the best right options.
    let best_right =
        options().filter(|(i, _)| is_right(*i)).reduce(|best, next| if next.1 > best.1 { next } else { best });
    let Some((place, own)) = best_right.filter(|_| !similarities.iter().any(|s| s.is_nan())) else { return lost() };
    let (mut above, mut equal, mut before, mut best) = (0, 0, 0, f32::NEG_INFINITY);
    for (i, s) in options().filter(|(i, _)| !is_right(*i)) {
        best = best.max(s);
        above += usize::from(s > own);
        equal += usize::from(s == own);
        before += usize::from(s == own && i < place);
    }
    let rank = above + ties.ahead(equal, before);
    let right = rank == 0 && (ties != TieRule::Half || equal == 0);
    let in_top5 = rank < 5;
    Outcome { right, tied: own == best, margin: margin(own, best), in_top5, rank: rank as u32, equal: equal as u32 }
}

/// Scores over the judged examples (`Some`), the published metric first: macro accuracy and plain accuracy, accuracy,
/// top-1 and top-5, or recall at 1, 5 and 10. Empty while the published metric has no judged example. `unreadable` examples are those whose
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
    let at_most = |metric, k: u32| {
        let hits: f64 = judged().map(|outcome| credit(outcome, k, benchmark.ties)).sum();
        let correct = judged().filter(|outcome| credit(outcome, k, benchmark.ties) >= 1.0).count();
        row(metric, hits / scored as f64, correct, wilson_share(hits, scored))
    };
    match benchmark.metric {
        Metric::Accuracy => vec![at_most(MetricName::Accuracy, 1)],
        Metric::TopK => vec![at_most(MetricName::Top1, 1), at_most(MetricName::Top5, 5)],
        Metric::Recall => vec![
            at_most(MetricName::RecallAt1, 1),
            at_most(MetricName::RecallAt5, 5),
            at_most(MetricName::RecallAt10, 10),
        ],
        Metric::MacroAccuracy { min_count } => match macro_share(&group_tallies(benchmark, outcomes, min_count)) {
            Some((mean, interval)) => {
                vec![row(MetricName::MacroAccuracy, mean, correct, interval), at_most(MetricName::Accuracy, 1)]
            }
            None => Vec::new(),
        },
    }
}

/// How much of a hit among the first `k` an outcome is: 0 or 1, or in between for a tie that [`TieRule::Half`] shares
/// among the places rank..=rank + equal.
fn credit(outcome: &Outcome, k: u32, ties: TieRule) -> f64 {
    if ties == TieRule::Half {
        (f64::from(k.saturating_sub(outcome.rank)) / (f64::from(outcome.equal) + 1.0)).min(1.0)
    } else {
        f64::from(u8::from(outcome.rank < k))
    }
}

/// (credit, judged) of every group with at least `min_count` examples, in order of first appearance.
fn group_tallies(benchmark: &Benchmark, outcomes: &[Option<Outcome>], min_count: usize) -> Vec<(f64, usize)> {
    let Items::Choices(choices) = &benchmark.items else { return Vec::new() };
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut tallies: Vec<(usize, f64, usize)> = Vec::new();
    for (i, choice) in choices.iter().enumerate() {
        let next = tallies.len();
        let place = *places.entry(choice.group.as_deref().unwrap_or_default()).or_insert(next);
        if place == next {
            tallies.push((0, 0.0, 0));
        }
        let (count, right, judged) = &mut tallies[place];
        *count += 1;
        if let Some(Some(outcome)) = outcomes.get(i) {
            *judged += 1;
            *right += credit(outcome, 1, benchmark.ties);
        }
    }
    tallies.into_iter().filter(|(count, ..)| *count >= min_count).map(|(_, right, judged)| (right, judged)).collect()
}

/// Equality to the bit, which is what a tie is.
pub(super) fn same(a: f32, b: f32) -> bool {
    a == b
}

fn margin(own: f32, best: f32) -> f32 {
    if own == best { 0.0 } else { (own - best).clamp(-2.0, 2.0) }
}

/// The verdict on what cannot be compared: wrong, by the widest margin.
pub(super) fn lost() -> Outcome {
    Outcome { right: false, tied: false, margin: -2.0, in_top5: false, rank: u32::MAX, equal: 0 }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
