//! What is known of a benchmark's scores whatever the model is, and the rows that say it.

use crate::benchmark::{self, Benchmark, Score};
use crate::patch::AlphaMap;
use crate::store::results::{Bootstrap, Row};

const EQUAL_FOIL: &str = "a wrong caption has the token ids of the right one, so the tie rule decides";
/// Share of a benchmark's items in percent that may be missing without a mark on its result.
const MOST_UNREADABLE: f64 = 1.0;

/// How far a blind model gets, and which examples no model can tell.
pub struct Standing {
    /// Percent right of a text-only model, for caption choices.
    pub blind: Option<f64>,
    equal: Vec<usize>,
}

impl Standing {
    /// `texts` holds corpus texts per example: equal numbers are equal token ids.
    pub fn of(benchmark: &Benchmark, texts: &[Vec<usize>]) -> Self {
        Self { blind: benchmark::blind(benchmark), equal: benchmark::equal_foils(benchmark, texts) }
    }

    /// Examples in which a foil equals the caption, with the reason why they cannot be told.
    pub fn equal_foils(&self) -> impl Iterator<Item = (String, String)> {
        self.equal.iter().map(|example| (format!("example {example}"), EQUAL_FOIL.to_owned()))
    }

    /// A score with everything that must stand beside it.
    pub fn row(&self, benchmark: &Benchmark, alpha: AlphaMap, score: &Score, bootstrap: Option<Bootstrap>) -> Row {
        Row {
            benchmark: benchmark.name.clone(),
            task: benchmark.task.clone(),
            alpha,
            metric: serde_json::to_string(&score.metric).unwrap_or_default().trim_matches('"').to_owned(),
            value: score.value,
            correct: score.correct,
            scored: score.scored,
            skipped: score.skipped,
            ties: score.ties,
            interval: score.interval,
            bootstrap,
            blind: self.blind,
            remarks: self.remarks(benchmark, score.skipped),
            protocol: benchmark.protocol.clone(),
        }
    }

    /// What readers of a score must know.
    fn remarks(&self, benchmark: &Benchmark, skipped: usize) -> Vec<String> {
        let share = 100.0 * skipped as f64 / benchmark.n_in_file.max(1) as f64;
        let unreadable = (share > MOST_UNREADABLE).then(|| format!("{share:.1} % of the items could not be read"));
        let n = self.equal.len();
        let equal = (n > 0).then(|| format!("in {n} examples {EQUAL_FOIL}"));
        unreadable.into_iter().chain(equal).collect()
    }
}
