//! How far the sweep over alpha is, and what it has found; the map over both towers' alphas is its second part.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Outbox;
use super::event::{Event, Scores, SweepProgress};
use crate::evaluate::{AlphaRange, Scoring, coarse_to_fine};
use crate::patch::{Alpha, AlphaMap};

/// Memory for the text embeddings of all alphas of a map.
const KEPT_LIMIT: usize = 4 << 30;

/// The alphas of one side of the map, as fine as memory for `text_bytes` of embeddings per alpha allows.
fn sides(text_bytes: usize) -> Vec<Alpha> {
    let steps = [10usize, 5, 4, 2];
    let n = steps.into_iter().find(|n| (n + 1).saturating_mul(text_bytes) <= KEPT_LIMIT).unwrap_or(1);
    (0..=n).map(|i| Alpha::clamped(i as f64 / n as f64)).collect()
}

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

    /// Adds the map over both towers' alphas, once. An alpha of the text tower is embedded once for all of the image
    /// tower's, and those are visited one after the other, so that the map costs the sum of its sides.
    pub fn add_map(&mut self, text_bytes: usize) {
        self.scoring.keep_texts();
        let side = sides(text_bytes);
        for image in &side {
            for text in &side {
                let alpha = AlphaMap::towers(*image, *text);
                if !self.done.contains_key(&alpha) && !self.left.contains(&alpha) {
                    self.left.push(alpha);
                    self.total += 1;
                    self.ended = false;
                }
            }
        }
    }

    /// The alpha to work on.
    pub fn next(&self) -> Option<AlphaMap> {
        self.left.first().copied()
    }

    /// Scores of an alpha that is complete.
    pub fn found(&self, alpha: AlphaMap) -> Option<Arc<Scores>> {
        self.done.get(&alpha).cloned()
    }

    /// Every complete alpha, ascending.
    pub fn all(&self) -> Vec<Arc<Scores>> {
        self.done.values().cloned().collect()
    }

    /// Takes what was computed and stored earlier. Where it reaches from base to tuned, nothing else is to be swept.
    pub fn take(&mut self, stored: Vec<Scores>, generation: u64, outbox: &Outbox) {
        let alphas: Vec<AlphaMap> = stored.iter().map(|scores| scores.alpha).collect();
        if [AlphaMap::BASE, AlphaMap::TUNED].iter().all(|end| alphas.contains(end)) {
            self.left.clear();
            self.total = 0;
        }
        for alpha in alphas {
            if !self.left.contains(&alpha) && !self.done.contains_key(&alpha) {
                self.left.push(alpha);
                self.total += 1;
            }
        }
        for scores in stored {
            self.finish(&Arc::new(scores), generation, outbox);
        }
    }

    /// Records a complete alpha; one that the slider visited counts as well.
    pub fn finish(&mut self, scores: &Arc<Scores>, generation: u64, outbox: &Outbox) {
        let place = self.left.iter().position(|alpha| *alpha == scores.alpha);
        if let Some(place) = place {
            self.left.remove(place);
            outbox.send(Event::SweepPointScored { generation, scores: Arc::clone(scores) });
        }
        // Of the many that a split slider passes, none is kept.
        if place.is_some() || scores.alpha.is_linked() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_is_as_fine_as_memory_allows() {
        assert_eq!(sides(1_000_000).len(), 11);
        assert_eq!(sides(700_000_000).len(), 6);
        assert_eq!(sides(usize::MAX), [Alpha::BASE, Alpha::TUNED]);
    }
}
