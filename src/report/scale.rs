//! Bounds of an axis and its ticks.

/// From values to places on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Bounds of the values.
    pub range: [f64; 2],
    /// Where the bounds lie; descending for an axis that grows upwards.
    pub place: [f64; 2],
}

impl Scale {
    /// Where a value lies.
    pub fn at(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        let [from, to] = self.place;
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        from + (to - from) * share
    }
}

/// Round values in `low..=high`, at most `most` of them: multiples of 1, 2 or 5 times a power of ten.
pub fn ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    if !(low.is_finite() && high.is_finite() && high > low) || most == 0 {
        return Vec::new();
    }
    let raw = (high - low) / most as f64;
    let magnitude = 10f64.powf(raw.log10().floor());
    // Rounding may leave one tick too many at the first step.
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0].map(|step| step * magnitude);
    let inside = |step: f64| {
        let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
        (first..=last).map(move |i| i as f64 * step)
    };
    let step = steps.into_iter().find(|step| inside(*step).count() <= most);
    step.map(|step| inside(step).collect()).unwrap_or_default()
}

/// Decimals that tell the ticks apart.
pub fn decimals(ticks: &[f64]) -> usize {
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    if step.is_finite() && step > 0.0 { (-(step + 1e-12).log10().floor()).max(0.0) as usize } else { 0 }
}

/// Bounds that hold all values, rounded outwards to five percent; 0 to 100 for no value.
pub fn outwards(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return [0.0, 100.0];
    }
    let (low, high) = (((low - 1.0) / 5.0).floor() * 5.0, ((high + 1.0) / 5.0).ceil() * 5.0);
    [low.max(-2.0), high.min(102.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(60.0, 100.0, 9), [60.0, 65.0, 70.0, 75.0, 80.0, 85.0, 90.0, 95.0, 100.0]);
        assert_eq!(ticks(60.0, 100.0, 8), [60.0, 70.0, 80.0, 90.0, 100.0]);
        assert_eq!(ticks(-2.0, 102.0, 8), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(7.0, 8.0, 3), [7.0, 7.5, 8.0]);
        let alphas = ticks(0.0, 1.0, 6);
        assert_eq!((alphas.len(), decimals(&alphas)), (6, 1));
        assert!((alphas[3] - 0.6).abs() < 1e-12);
        assert_eq!(decimals(&ticks(60.0, 100.0, 8)), 0);
        assert_eq!(decimals(&ticks(7.0, 7.1, 10)), 2);
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(ticks(low, high, 5).is_empty());
        }
        for (low, high) in [(0.1, 99.7), (12.0, 12.9), (1e-7, 3e-7), (-1e6, 3e6)] {
            for most in 2..12 {
                let n = ticks(low, high, most).len();
                assert!(n <= most && (most < 5 || n >= 2), "{low} {high} {most}: {n}");
            }
        }
    }

    #[test]
    fn places_follow_the_scale() {
        let up = Scale { range: [0.0, 10.0], place: [200.0, 100.0] };
        assert_eq!((up.at(0.0), up.at(10.0), up.at(2.5)), (200.0, 100.0, 175.0));
        assert_eq!(outwards([52.0, 68.0].into_iter()), [50.0, 70.0]);
        assert_eq!(outwards(std::iter::empty()), [0.0, 100.0]);
    }
}
