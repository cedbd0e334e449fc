//! Examples, readers (one file per benchmark) and judging.
//!
//! [`read`] turns a folder of published files into [`Benchmark`]s, [`judge_choice`] and [`judge_class`] turn
//! similarities into [`Outcome`]s, and [`scores`] turns outcomes into [`Score`]s. No model is known here.

mod aro;
mod aro_excluded;
mod aro_order;
mod catalogue;
mod choices;
mod error;
mod example;
#[cfg(test)]
mod fixtures;
mod folder;
mod images;
mod interval;
mod judge;
mod locate;
mod rows;
mod score;
mod subset;
mod sugarcrepe;

pub use catalogue::{NAMES, chance, find, read, title};
pub use error::ReadError;
pub use example::{Benchmark, Choice, ImageRef, Items, Metric, Rendered, Skipped, TieRule};
pub use interval::{macro_mean, wilson};
pub use judge::{judge_choice, judge_class, scores};
pub use score::{MetricName, Outcome, Score};
pub use subset::limit;
