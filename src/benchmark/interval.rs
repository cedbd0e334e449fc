//! 95 % intervals for rates. Fractions in 0..=1; pure.

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval for `correct` right of `n` (Wilson, 1927): unlike the plain normal one it stays within 0..=1
/// and has a width at 0 % and 100 %. The whole range for no examples.
pub fn wilson(correct: usize, n: usize) -> [f64; 2] {
    wilson_share(correct as f64, n)
}

/// As [`wilson`] for a count in which a tie may be a fraction.
pub(super) fn wilson_share(correct: f64, n: usize) -> [f64; 2] {
    if n == 0 {
        return [0.0, 1.0];
    }
    let n = n as f64;
    let p = correct.min(n) / n;
    let z2 = Z * Z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    clipped(centre, half)
}

/// The unweighted mean of the groups' rates and its interval; `groups` are (correct, n), of which empty ones are left
/// out; `None` without any other.
///
/// The groups are strata: the variance of the mean over G groups is Σ p(1−p)/n / G² (Cochran, *Sampling Techniques*,
/// §5.3, with equal weights). Within it p is (k+1)/(n+2), one success and one failure added per group (Agresti & Caffo,
/// 2000), so that a group with all right or all wrong is not taken for certain; the centre stays the mean itself.
pub fn macro_mean(groups: &[(usize, usize)]) -> Option<(f64, [f64; 2])> {
    macro_share(&groups.iter().map(|&(correct, n)| (correct as f64, n)).collect::<Vec<_>>())
}

/// As [`macro_mean`] for counts in which a tie may be a fraction.
pub(super) fn macro_share(groups: &[(f64, usize)]) -> Option<(f64, [f64; 2])> {
    let (mut g, mut sum, mut variance) = (0.0, 0.0, 0.0);
    for &(correct, n) in groups.iter().filter(|(_, n)| *n > 0) {
        let n = n as f64;
        let k = correct.min(n);
        let p = (k + 1.0) / (n + 2.0);
        g += 1.0;
        sum += k / n;
        variance += p * (1.0 - p) / n;
    }
    if g == 0.0 {
        return None;
    }
    let mean = sum / g;
    Some((mean, clipped(mean, Z * variance.sqrt() / g)))
}

fn clipped(centre: f64, half: f64) -> [f64; 2] {
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(got: [f64; 2], expected: [f64; 2]) {
        assert!((got[0] - expected[0]).abs() < 1e-12 && (got[1] - expected[1]).abs() < 1e-12, "{got:?} {expected:?}");
    }

    #[test]
    fn wilson_equals_statsmodels() {
        // proportion_confint(k, n, 0.05, 'wilson') of statsmodels 0.15.0
        for ((correct, n), expected) in [
            ((7, 10), [0.396_778_147_461_145_37, 0.892_208_732_593_698_9]),
            ((0, 10), [0.0, 0.277_532_799_862_889_26]),
            ((10, 10), [0.722_467_200_137_110_6, 1.0]),
            ((1502, 1652), [0.894_379_977_966_235_5, 0.922_123_312_730_995_5]),
            ((150, 245), [0.549_949_338_127_503_2, 0.671_074_924_713_002_7]),
        ] {
            assert_near(wilson(correct, n), expected);
        }
    }

    #[test]
    fn wilson_without_examples_knows_nothing() {
        assert_near(wilson(0, 0), [0.0, 1.0]);
    }

    #[test]
    fn macro_mean_by_hand() {
        // Rates 1/2 and 1; p = 2/4 and 4/5; variance (0.25/2 + 0.16/3) / 4 = 0.044_583…
        let (mean, interval) = macro_mean(&[(1, 2), (0, 0), (3, 3)]).unwrap();
        let half = 1.959_963_984_540_054 * (0.25_f64 / 2.0 + 0.16 / 3.0).sqrt() / 2.0;
        assert!((mean - 0.75).abs() < 1e-15);
        assert_near(interval, [0.75 - half, 1.0]);
        assert_eq!(macro_mean(&[(0, 0)]), None);
        assert_eq!(macro_mean(&[]), None);
    }

    #[test]
    fn groups_that_are_all_right_still_leave_doubt() {
        let (mean, interval) = macro_mean(&[(25, 25), (30, 30)]).unwrap();
        assert!((mean - 1.0).abs() < 1e-15);
        assert!(interval[0] < 0.98 && interval[0] > 0.9);
    }
}
