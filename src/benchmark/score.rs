//! Outcomes of examples and scores of many, as plain data. Pure.

use serde::Serialize;

/// The verdict on one example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Whether it counts as right under the benchmark's tie rule.
    pub right: bool,
    /// Whether the right caption shared the highest similarity with another option.
    pub tied: bool,
    /// Similarity of the right caption minus that of the best wrong one (cosine, -2..=2).
    pub margin: f32,
    /// For classes: whether the right class is among the five best. Same as `right` for choices.
    pub in_top5: bool,
    /// Wrong options ahead of the best right one, ties placed by the tie rule; `u32::MAX` for what cannot be compared.
    pub rank: u32,
    /// Wrong options with the same similarity as the best right one.
    pub equal: u32,
}

/// How a score is computed; its name in results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricName {
    /// Correct over scored.
    Accuracy,
    /// Unweighted mean over groups.
    MacroAccuracy,
    /// Right class ranked first.
    Top1,
    /// Right class among the five best.
    Top5,
    /// A right answer is the first.
    #[serde(rename = "recall@1")]
    RecallAt1,
    /// A right answer is among the first five.
    #[serde(rename = "recall@5")]
    RecallAt5,
    /// A right answer is among the first ten.
    #[serde(rename = "recall@10")]
    RecallAt10,
}

/// A rate over many examples, never without its counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// What was averaged.
    pub metric: MetricName,
    /// Percent. Correct over scored, but for macro means and shared ties.
    pub value: f64,
    /// Examples that were right, without a share in a tie.
    pub correct: usize,
    /// Examples that were judged.
    pub scored: usize,
    /// Examples of the file that could not be used.
    pub skipped: usize,
    /// Examples in which the right caption tied with another.
    pub ties: usize,
    /// 95 % interval in percent.
    pub interval: [f64; 2],
}
