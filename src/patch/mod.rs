//! Alpha, the proof that two checkpoints fit, and the blend in place.

mod alpha;

pub use alpha::{Alpha, AlphaError, AlphaMap, Part};
