//! A long curve in bounded memory.

use std::sync::Arc;

use super::{MOST_POINTS, StepPoint};

/// Keeps every `stride`-th step, and doubles the stride when there would be too many; the newest is always there.
#[derive(Debug)]
pub struct Curve {
    points: Arc<Vec<StepPoint>>,
    stride: u64,
    /// The last point is there only because it is the newest.
    loose: bool,
}

impl Default for Curve {
    fn default() -> Self {
        Self { points: Arc::default(), stride: 1, loose: false }
    }
}

impl Curve {
    /// Adds the next step. Steps that come again, after a worker died and went on from a checkpoint, replace the ones
    /// that were lost.
    pub fn push(&mut self, point: StepPoint) {
        self.cut(point.step.saturating_sub(1));
        let points = Arc::make_mut(&mut self.points);
        if self.loose {
            points.pop();
        }
        self.loose = !point.step.is_multiple_of(self.stride);
        points.push(point);
        if points.len() > MOST_POINTS {
            self.stride *= 2;
            points.retain(|kept| kept.step.is_multiple_of(self.stride) || kept.step == point.step);
            self.loose = !point.step.is_multiple_of(self.stride);
        }
    }

    /// Forgets what comes after `step`.
    pub fn cut(&mut self, step: u64) {
        if self.points.last().is_some_and(|last| last.step > step) {
            Arc::make_mut(&mut self.points).retain(|kept| kept.step <= step);
            self.loose = self.points.last().is_some_and(|last| !last.step.is_multiple_of(self.stride));
        }
    }

    /// In order of steps, at most [`MOST_POINTS`].
    pub fn points(&self) -> &Arc<Vec<StepPoint>> {
        &self.points
    }

    /// The newest.
    pub fn last(&self) -> Option<&StepPoint> {
        self.points.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: u64) -> StepPoint {
        StepPoint { step, loss: 1.0, lr: 1e-3, pairs_per_s: 10.0, negatives_share: 0.5, memory_bytes: None }
    }

    fn steps(curve: &Curve) -> Vec<u64> {
        curve.points().iter().map(|point| point.step).collect()
    }

    #[test]
    fn a_short_curve_is_whole_and_a_long_one_even() {
        let mut curve = Curve::default();
        for step in 1..=100_001 {
            curve.push(point(step));
            assert!(curve.points().len() <= MOST_POINTS);
            assert_eq!(curve.last().unwrap().step, step);
            if step == 2_000 {
                assert_eq!(steps(&curve), (1..=2_000).collect::<Vec<_>>());
            }
        }
        let kept = steps(&curve);
        assert!(kept.len() > MOST_POINTS / 2, "{} points are left", kept.len());
        let gaps: Vec<u64> = kept.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps[..gaps.len() - 1].iter().all(|gap| *gap == gaps[0]), "uneven: {gaps:?}");
    }

    #[test]
    fn repeated_steps_replace_lost_ones() {
        let mut curve = Curve::default();
        (1..=30).for_each(|step| curve.push(point(step)));
        curve.cut(20);
        assert_eq!(steps(&curve), (1..=20).collect::<Vec<_>>());
        curve.push(StepPoint { loss: 2.0, ..point(15) });
        assert_eq!(steps(&curve), (1..=15).collect::<Vec<_>>());
        assert_eq!(curve.last().unwrap().loss, 2.0);
    }

    #[test]
    fn a_window_that_still_draws_the_old_points_keeps_them() {
        let mut curve = Curve::default();
        curve.push(point(1));
        let drawn = Arc::clone(curve.points());
        curve.push(point(2));
        assert_eq!((drawn.len(), curve.points().len()), (1, 2));
    }
}
