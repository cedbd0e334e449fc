//! What a patch gains in composition and loses in recognition, as plain numbers. Pure.

mod published;

use std::collections::BTreeMap;

pub use published::{Key, Published, published};

/// A percentage with its 95 % interval, all in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Measure {
    /// The unweighted mean. Its interval takes the parts as independent: the half-widths add in squares, divided by the
    /// count. `None` for no parts: a mean over nothing is no number.
    pub fn mean(parts: &[Measure]) -> Option<Measure> {
        if parts.is_empty() {
            return None;
        }
        let n = parts.len() as f64;
        let value = parts.iter().map(|p| p.value).sum::<f64>() / n;
        let below = parts.iter().map(|p| (p.value - p.low).powi(2)).sum::<f64>().sqrt() / n;
        let above = parts.iter().map(|p| (p.high - p.value).powi(2)).sum::<f64>().sqrt() / n;
        Some(Measure { value, low: (value - below).max(0.0), high: (value + above).min(100.0) })
    }

    /// Half of the interval's width, in points: the number after ±.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// The mean over families of scores, each the mean of its own: the tasks of one benchmark are averaged first, so that a
/// benchmark of many tasks counts once. `None` for no parts.
pub fn mean_of_families<'a>(parts: impl Iterator<Item = (&'a str, Measure)>) -> Option<Measure> {
    let mut families: BTreeMap<&str, Vec<Measure>> = BTreeMap::new();
    for (family, measure) in parts {
        families.entry(family).or_default().push(measure);
    }
    let means: Option<Vec<Measure>> = families.values().map(|family| Measure::mean(family)).collect();
    Measure::mean(&means?)
}

/// One alpha of the trade-off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// 0 is base, 1 is tuned.
    pub alpha: f64,
    /// Percent on the x axis, what fine-tuning costs: recognition, unless another score was chosen.
    pub x: f64,
    /// Percent on the y axis, what it gains: composition, unless another score was chosen.
    pub y: f64,
}

/// The share of tuned's loss that a patch may keep by default: a third.
const LOSS_SHARE: f64 = 1.0 / 3.0;

/// Where one point lies between base and tuned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// The point's y minus base's, in points.
    pub gain: f64,
    /// What tuned gains over base, in points.
    pub full_gain: f64,
    /// Base's x minus the point's, in points; negative when the patch is better than base.
    pub loss: f64,
    /// What tuned loses against base, in points.
    pub full_loss: f64,
}

impl Position {
    /// `None` where there is no point at alpha 0 or none at alpha 1.
    pub fn of(point: &Point, points: &[Point]) -> Option<Self> {
        let (base, tuned) = ends(points)?;
        Some(Self {
            gain: point.y - base.y,
            full_gain: tuned.y - base.y,
            loss: base.x - point.x,
            full_loss: base.x - tuned.x,
        })
    }

    /// Share of the full gain (0..=1 between the ends); `None` where fine-tuning gained nothing.
    pub fn gain_share(&self) -> Option<f64> {
        (self.full_gain > 0.0).then(|| self.gain / self.full_gain)
    }

    /// Share of the full loss; `None` where fine-tuning lost nothing.
    pub fn loss_share(&self) -> Option<f64> {
        (self.full_loss > 0.0).then(|| self.loss / self.full_loss)
    }
}

/// The points at alpha 0 and at alpha 1.
pub fn ends(points: &[Point]) -> Option<(Point, Point)> {
    let at = |alpha: f64| points.iter().find(|p| (p.alpha - alpha).abs() < 1e-9).copied();
    Some((at(0.0)?, at(1.0)?))
}

/// How many points of x a patch may lose unless told otherwise: a third of what tuned loses. `None` without both ends.
pub fn default_budget(points: &[Point]) -> Option<f64> {
    let (base, tuned) = ends(points)?;
    Some(LOSS_SHARE * (base.x - tuned.x).max(0.0))
}

/// The point with the highest y among those that lose at most `budget` points of base's x; at equal y the smaller
/// alpha, which stays nearer to base. `None` without both ends.
pub fn best_alpha(points: &[Point], budget: f64) -> Option<Point> {
    let (base, _) = ends(points)?;
    points
        .iter()
        .filter(|p| base.x - p.x <= budget + 1e-9)
        .max_by(|a, b| a.y.total_cmp(&b.y).then(b.alpha.total_cmp(&a.alpha)))
        .copied()
}

/// Whether each point is in the Pareto set: no other point is at least as good on both axes and better on one.
pub fn pareto(points: &[Point]) -> Vec<bool> {
    let beats = |a: &Point, b: &Point| a.x >= b.x && a.y >= b.y && (a.x > b.x || a.y > b.y);
    points.iter().map(|p| !points.iter().any(|other| beats(other, p))).collect()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact in binary")]
mod tests {
    use super::*;

    fn point(alpha: f64, x: f64, y: f64) -> Point {
        Point { alpha, x, y }
    }

    /// A curve as in the paper's figure 3: composition saturates early, recognition falls late.
    fn curve() -> Vec<Point> {
        vec![
            point(0.0, 75.0, 46.0),
            point(0.25, 74.0, 62.0),
            point(0.5, 70.0, 73.0),
            point(0.75, 64.0, 79.0),
            point(1.0, 57.0, 81.0),
        ]
    }

    #[test]
    fn best_alpha_keeps_two_thirds_of_recognition() {
        assert_eq!(default_budget(&curve()), Some(6.0));
        assert_eq!(best_alpha(&curve(), 6.0).unwrap().alpha, 0.5);
        assert_eq!(best_alpha(&curve(), 0.0).unwrap().alpha, 0.0);
        assert_eq!(best_alpha(&curve(), 18.0).unwrap().alpha, 1.0);
    }

    #[test]
    fn best_alpha_needs_both_ends() {
        assert_eq!((best_alpha(&curve()[..4], 6.0), default_budget(&curve()[..4])), (None, None));
        assert_eq!((best_alpha(&[], 6.0), default_budget(&[])), (None, None));
    }

    #[test]
    fn best_alpha_where_tuning_loses_nothing_still_guards_base() {
        let points = [point(0.0, 70.0, 50.0), point(0.5, 69.0, 90.0), point(1.0, 71.0, 80.0)];
        assert_eq!(default_budget(&points), Some(0.0));
        assert_eq!(best_alpha(&points, 0.0).unwrap().alpha, 1.0);
    }

    #[test]
    fn equal_points_prefer_the_smaller_alpha() {
        let points = [point(0.0, 70.0, 50.0), point(0.3, 70.0, 60.0), point(0.6, 70.0, 60.0), point(1.0, 60.0, 60.0)];
        assert_eq!(best_alpha(&points, 4.0).unwrap().alpha, 0.3);
    }

    #[test]
    fn dominated_points_leave_the_pareto_set() {
        let mut points = curve();
        points.push(point(0.9, 63.0, 70.0));
        assert_eq!(pareto(&points), [true, true, true, true, true, false]);
        assert_eq!(
            pareto(&[point(0.0, 1.0, 1.0), point(1.0, 1.0, 1.0)]),
            [true, true],
            "equals do not beat each other"
        );
    }

    #[test]
    fn position_counts_shares_between_the_ends() {
        let points = curve();
        let half = Position::of(&points[2], &points).unwrap();
        assert_eq!((half.gain, half.full_gain, half.loss, half.full_loss), (27.0, 35.0, 5.0, 18.0));
        assert!((half.gain_share().unwrap() - 27.0 / 35.0).abs() < 1e-12);
        let flat = [point(0.0, 70.0, 50.0), point(1.0, 72.0, 50.0)];
        let at = Position::of(&flat[1], &flat).unwrap();
        assert_eq!((at.gain_share(), at.loss_share()), (None, None));
    }

    #[test]
    fn mean_narrows_the_interval() {
        let part = Measure { value: 60.0, low: 56.0, high: 64.0 };
        let mean = Measure::mean(&[part; 4]).unwrap();
        assert!((mean.value - 60.0).abs() < 1e-12 && (mean.half_width() - 2.0).abs() < 1e-12);
        assert_eq!(Measure::mean(&[]), None);
        let other = Measure { value: 80.0, ..part };
        let of_families = mean_of_families([("a", part), ("b", other), ("a", part), ("a", part)].into_iter());
        assert_eq!(of_families.map(|mean| mean.value), Some(70.0), "a family counts once");
        assert_eq!(mean_of_families(std::iter::empty()), None);
    }
}
