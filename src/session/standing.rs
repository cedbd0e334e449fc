//! Scores at the wanted alpha, with the last answer behind them while the next is coming.

use std::sync::Arc;

use crate::benchmark::{Outcome, Score};
use crate::engine::{ExampleId, Scores};
use crate::patch::AlphaMap;

/// A value and whether it belongs to an earlier alpha (shown dimmed).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown<T> {
    /// The value.
    pub value: T,
    /// Whether the answer at the wanted alpha has yet to come.
    pub stale: bool,
}

/// The newest answer and the fullest one before it.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    newest: Option<Arc<Scores>>,
    before: Option<Arc<Scores>>,
}

impl Standing {
    /// Takes a new answer. The old one steps back when it was of another alpha and not emptier than what lies there.
    pub fn take(&mut self, scores: Arc<Scores>) {
        if let Some(old) = self.newest.take()
            && old.alpha != scores.alpha
            && (old.is_complete() || self.before.as_ref().is_none_or(|b| b.judged <= old.judged))
        {
            self.before = Some(old);
        }
        self.newest = Some(scores);
    }

    /// The newest answer, whatever its alpha.
    pub fn newest(&self) -> Option<&Arc<Scores>> {
        self.newest.as_ref()
    }

    /// One benchmark's score: the newest answer that has one.
    pub fn score(&self, benchmark: usize, wanted: AlphaMap) -> Option<Shown<&Score>> {
        self.first(wanted, |scores| scores.benchmarks.get(benchmark).and_then(Option::as_ref))
    }

    /// One example's outcome: the newest answer that has one.
    pub fn outcome(&self, id: ExampleId, wanted: AlphaMap) -> Option<Shown<Outcome>> {
        self.first(wanted, |scores| outcome_in(scores, id))
    }

    fn first<'a, T>(&'a self, wanted: AlphaMap, get: impl Fn(&'a Scores) -> Option<T>) -> Option<Shown<T>> {
        [&self.newest, &self.before]
            .into_iter()
            .flatten()
            .find_map(|scores| get(scores).map(|value| Shown { value, stale: scores.alpha != wanted }))
    }
}

/// One example's outcome in one answer.
pub fn outcome_in(scores: &Scores, id: ExampleId) -> Option<Outcome> {
    *scores.outcomes.get(id.benchmark)?.get(id.example)?
}
