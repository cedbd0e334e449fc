//! How far the sweep over alpha is, and what it has found.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Outbox;
use super::event::{Event, Scores, SweepProgress};
use crate::evaluate::{AlphaRange, Scoring, coarse_to_fine};
use crate::patch::AlphaMap;

/// A sweep with the alpha that it works on.
pub(super) struct Sweep {
    pub scoring: Scoring,
    /// Spent on scoring so far.
    pub seconds: f64,
    /// Whether its end has been told.
    pub ended: bool,
    left: Vec<AlphaMap>,
    total: usize,
    done: BTreeMap<AlphaMap, Arc<Scores>>,
}

impl Sweep {
    /// From 0 to 1 by 0.05, coarse to fine.
    pub fn new(scoring: impl FnOnce(AlphaMap) -> Scoring) -> Self {
        let left: Vec<_> = coarse_to_fine(&AlphaRange::default().0).into_iter().map(AlphaMap::one).collect();
        let first = left.first().copied().unwrap_or(AlphaMap::BASE);
        let total = left.len();
        Self { scoring: scoring(first), seconds: 0.0, ended: false, left, total, done: BTreeMap::new() }
    }

    /// The alpha to work on.
    pub fn next(&self) -> Option<AlphaMap> {
        self.left.first().copied()
    }

    /// Scores of an alpha that is complete.
    pub fn found(&self, alpha: AlphaMap) -> Option<Arc<Scores>> {
        self.done.get(&alpha).cloned()
    }

    /// Records a complete alpha; one that the slider visited counts as well.
    pub fn finish(&mut self, scores: &Arc<Scores>, generation: u64, outbox: &Outbox) {
        if let Some(place) = self.left.iter().position(|alpha| *alpha == scores.alpha) {
            self.left.remove(place);
            outbox.send(Event::SweepPointScored { generation, scores: Arc::clone(scores) });
        }
        if scores.alpha.is_linked() {
            self.done.insert(scores.alpha, Arc::clone(scores));
        }
    }

    /// For people.
    pub fn progress(&self, paused: bool) -> SweepProgress {
        let (done, total) = (self.total - self.left.len(), self.total);
        // What is under way counts for less than a whole alpha, so that only the end is the end.
        let under_way = if self.left.is_empty() { 0.0 } else { self.scoring.share().min(0.999) };
        let share = (done as f64 + under_way) / total.max(1) as f64;
        let seconds_left = (share > 0.02 && self.seconds > 0.5).then(|| self.seconds / share * (1.0 - share));
        SweepProgress { done, total, share, seconds_left, paused }
    }
}
