//! Examples, readers (one file per benchmark) and judging.
//!
//! [`read`] turns a folder of published files into [`Benchmark`]s, [`Benchmark::judge`] turns similarities into
//! [`Outcome`]s, and [`scores`] turns outcomes into [`Score`]s. No model is known here.

mod aro;
mod aro_excluded;
mod aro_order;
mod blind;
mod catalogue;
mod choices;
mod cifar;
mod duels;
mod error;
mod example;
#[cfg(test)]
mod fixtures;
mod folder;
mod imagenet;
mod imagenet_classes;
mod imagenet_labels;
mod images;
mod interval;
mod judge;
mod karpathy;
mod locate;
mod mat;
mod nltk;
mod pairs;
mod retrieval;
mod rows;
mod score;
mod subset;
mod sugarcrepe;
mod sugarcrepe_pp;
mod svo;
mod table;
mod ties;
mod webdataset;
mod winoground;
mod word_order;

pub use blind::{blind, equal_foils};
pub use catalogue::{NAMES, chance, find, read, read_tagged, title, where_from};
pub use duels::{Cell, Duel, Win};
pub use error::ReadError;
pub use example::{Benchmark, Choice, ImageRef, Items, Metric, Rendered, Skipped};
pub use interval::{macro_mean, wilson};
pub use judge::{judge_choice, judge_class, judge_class_by, scores};
pub use retrieval::{Direction, Retrieval};
pub use score::{MetricName, Outcome, Score};
pub use subset::limit;
pub use table::table_image;
pub use ties::{TieRule, Ties, TiesError};
pub use word_order::{Tagged, Tagger};
