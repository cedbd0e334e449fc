//! Scores as they stand, as plain data for the window.

use std::sync::Arc;

use super::Outbox;
use super::event::{Event, Failure, Scores};
use crate::benchmark::Benchmark;
use crate::evaluate::Scoring;

/// What has been judged so far.
pub(super) fn snapshot(scoring: &Scoring, benchmarks: &[Benchmark]) -> Scores {
    let outcomes = Arc::clone(scoring.outcomes());
    let unreadable: usize = scoring.unreadable().iter().map(Vec::len).sum();
    let judged = outcomes.iter().flatten().flatten().count() + unreadable;
    let total = outcomes.iter().map(Vec::len).sum();
    let rows = scoring.scores(benchmarks).into_iter();
    let benchmarks = rows.map(|rows| rows.into_iter().next().filter(|score| score.scored > 0)).collect();
    Scores { alpha: scoring.alpha(), benchmarks, outcomes, judged, total }
}

/// Names the examples that cannot be scored.
pub(super) fn warn_unreadable(scoring: &Scoring, outbox: &Outbox) {
    let all: Vec<String> =
        scoring.unreadable().iter().flatten().map(|(item, reason)| format!("{item}: {reason}")).collect();
    if !all.is_empty() {
        let summary = format!("{} examples cannot be scored because their image cannot be read", all.len());
        outbox.send(Event::Warned(Failure { details: all.join("\n"), ..Failure::new(summary) }));
    }
}
