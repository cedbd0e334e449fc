//! Alpha, the proof that two checkpoints fit, and the blend in place.

mod alpha;
mod blend;
mod pair;

pub use alpha::{Alpha, AlphaError, AlphaMap, Part};
pub use blend::Patch;
pub use pair::{Pair, PairError};
