//! Examples, readers (one file per benchmark) and judging.

mod example;
mod score;

pub use example::{Benchmark, Choice, ImageRef, Items, Metric, Rendered, Skipped, TieRule};
pub use score::{MetricName, Outcome, Score};
