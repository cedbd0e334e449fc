//! Whether two models differ on the same examples. Intervals of single rates are in [`crate::benchmark::wilson`] and
//! [`crate::benchmark::macro_mean`]; the bootstrap is here because it draws.

use std::collections::BTreeMap;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::benchmark::{Benchmark, Items, Metric, Outcome};

/// How the verdicts on the same examples changed from one model to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Wrong before, right after.
    pub fixed: usize,
    /// Right before, wrong after.
    pub broken: usize,
    /// Judged both times.
    pub compared: usize,
    /// [`mcnemar`] of `fixed` and `broken`.
    pub p_value: f64,
}

/// Compares two sets of verdicts on the same examples, over those judged both times.
pub fn change(before: &[Option<Outcome>], after: &[Option<Outcome>]) -> Change {
    let both = || before.iter().zip(after).filter_map(|(b, a)| Some((b.as_ref()?.right, a.as_ref()?.right)));
    let fixed = both().filter(|&(before, after)| !before && after).count();
    let broken = both().filter(|&(before, after)| before && !after).count();
    Change { fixed, broken, compared: both().count(), p_value: mcnemar(fixed, broken) }
}

/// The exact two-sided p-value of the test of `McNemar`: were both models equally good, an example that changed would
/// be fixed or broken with equal probability, so `fixed` of `fixed + broken` would follow the binomial distribution
/// with ½. Twice its smaller tail, at most 1 (`McNemar`, 1947; exact form as in statsmodels' `mcnemar(exact=True)`).
pub fn mcnemar(fixed: usize, broken: usize) -> f64 {
    let (n, k) = (fixed + broken, fixed.min(broken));
    // The largest term of the tail, C(n, k) / 2ⁿ, in logarithms: 2⁻ⁿ alone underflows from 1075 changes on.
    let ln_choose: f64 = (1..=k).map(|j| ((n - k + j) as f64 / j as f64).ln()).sum();
    let largest = (ln_choose - n as f64 * std::f64::consts::LN_2).exp();
    // The other terms shrink by i / (n − i + 1) each, going down from k.
    let (mut term, mut sum) = (1.0, 1.0);
    for i in (1..=k).rev() {
        term *= i as f64 / (n - i + 1) as f64;
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    (2.0 * largest * sum).min(1.0)
}

/// The 95 % percentile interval, in percent, of a macro mean: every group's examples are drawn anew with replacement,
/// `resamples` times (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, §13.3; stratified by group). Resample
/// i has stream i of the seed's generator, so threads change nothing. `None` where the metric is no macro mean or nothing
/// is judged.
pub fn bootstrap(benchmark: &Benchmark, outcomes: &[Option<Outcome>], resamples: usize, seed: u64) -> Option<[f64; 2]> {
    let groups = judged_groups(benchmark, outcomes)?;
    if groups.is_empty() || resamples == 0 {
        return None;
    }
    let mut means: Vec<f64> = (0..resamples as u64).into_par_iter().map(|i| resampled_mean(&groups, seed, i)).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means.get((share * (resamples - 1) as f64).round() as usize).map(|mean| 100.0 * mean);
    Some([at(0.025)?, at(0.975)?])
}

/// (right, judged) of every group that enters the macro mean.
fn judged_groups(benchmark: &Benchmark, outcomes: &[Option<Outcome>]) -> Option<Vec<(usize, usize)>> {
    let Metric::MacroAccuracy { min_count } = benchmark.metric else { return None };
    let mut groups: BTreeMap<Option<&str>, (usize, usize, usize)> = BTreeMap::new();
    if let Items::Choices(choices) = &benchmark.items {
        for (choice, outcome) in choices.iter().zip(outcomes) {
            let (count, right, judged) = groups.entry(choice.group.as_deref()).or_default();
            *count += 1;
            *judged += usize::from(outcome.is_some());
            *right += usize::from(outcome.is_some_and(|outcome| outcome.right));
        }
    }
    let enters = |(count, _, judged): &(usize, usize, usize)| *count >= min_count && *judged > 0;
    Some(groups.into_values().filter(enters).map(|(_, right, judged)| (right, judged)).collect())
}

/// The mean over groups of one resample. An example drawn from a group is right with the group's own rate.
fn resampled_mean(groups: &[(usize, usize)], seed: u64, resample: u64) -> f64 {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(resample);
    let mut rate = |&(right, judged): &(usize, usize)| {
        let below = ((right as f64 / judged as f64) * 2f64.powi(32)).round() as u64;
        let drawn = (0..judged).filter(|_| u64::from(generator.next_u32()) < below).count();
        drawn as f64 / judged as f64
    };
    groups.iter().map(&mut rate).sum::<f64>() / groups.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::{Choice, TieRule};

    /// `r` right, `w` wrong, `.` not judged.
    fn outcomes(marks: &str) -> Vec<Option<Outcome>> {
        let outcome =
            |right| Outcome { right, tied: false, margin: 0.1, in_top5: right, rank: u32::from(!right), equal: 0 };
        marks.chars().map(|mark| (mark != '.').then_some(outcome(mark == 'r'))).collect()
    }

    #[test]
    fn mcnemar_equals_scipy() {
        // binomtest(fixed, fixed + broken, 0.5).pvalue of scipy 1.17.1
        for ((fixed, broken), expected) in [
            ((0, 0), 1.0),
            ((1, 0), 1.0),
            ((6, 2), 0.289_062_5),
            ((2, 6), 0.289_062_5),
            ((10, 25), 0.016_673_847_800_120_715),
            ((700, 600), 0.006_015_793_861_044_939_5),
            ((5, 5), 1.0),
            ((3000, 2500), 1.661_525_610_542_266_5e-11),
            ((40, 0), 1.818_989_403_545_856_5e-12),
        ] {
            let got = mcnemar(fixed, broken);
            assert!((got - expected).abs() < 1e-9 * expected, "{fixed} {broken}: {got} {expected}");
        }
    }

    #[test]
    fn only_examples_judged_both_times_are_compared() {
        let expected = Change { fixed: 2, broken: 1, compared: 4, p_value: 1.0 };
        assert_eq!(change(&outcomes("wwr.rr"), &outcomes("rrwr.r")), expected);
    }

    /// A macro-mean benchmark of groups of verdicts, `r` right and `w` wrong; groups below 2 examples do not enter.
    fn grouped(groups: &[&str]) -> (Benchmark, Vec<Option<Outcome>>) {
        let choice = |group: usize| Choice {
            image: 0,
            captions: Vec::new(),
            right: 0,
            group: Some(format!("group {group}")),
            tags: Vec::new(),
        };
        let members = groups.iter().enumerate().flat_map(|(group, marks)| marks.chars().map(move |_| choice(group)));
        let items = Items::Choices(members.collect());
        let benchmark = Benchmark {
            name: "macro".into(),
            task: None,
            metric: Metric::MacroAccuracy { min_count: 2 },
            ties: TieRule::First,
            images: Vec::new(),
            items,
            skipped: Vec::new(),
            protocol: String::new(),
            n_in_file: 0,
        };
        (benchmark, outcomes(&groups.concat()))
    }

    #[test]
    fn the_bootstrap_agrees_with_theory_and_with_itself() {
        // Rates 0.75 (n = 40) and 0.5 (n = 20): standard error of their mean √(.1875/40 + .25/20) / 2 = 0.0655.
        let (three, half) = ("rrrw".repeat(10), "rw".repeat(10));
        let (mut benchmark, verdicts) = grouped(&[&three, "r", &half, ".."]);
        let [low, high] = bootstrap(&benchmark, &verdicts, 4000, 7).unwrap();
        let half_width = 100.0 * 1.96 * 0.0655;
        assert!((low - (62.5 - half_width)).abs() < 1.5 && (high - (62.5 + half_width)).abs() < 1.5, "{low} {high}");
        assert_eq!(bootstrap(&benchmark, &verdicts, 4000, 7), Some([low, high]), "seeded");
        assert_eq!(bootstrap(&benchmark, &verdicts, 0, 7), None);
        let (all, verdicts_of_all) = grouped(&["rrr", "rr"]);
        assert_eq!(bootstrap(&all, &verdicts_of_all, 50, 1), Some([100.0, 100.0]));
        benchmark.metric = Metric::Accuracy;
        assert_eq!(bootstrap(&benchmark, &verdicts, 4000, 7), None);
    }
}
