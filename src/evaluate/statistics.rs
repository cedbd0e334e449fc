//! Whether two models differ on the same examples. Intervals of single rates are in [`crate::benchmark::wilson`] and
//! [`crate::benchmark::macro_mean`].

use crate::benchmark::Outcome;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
