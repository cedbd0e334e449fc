//! Captions and images on disk to batches, in a seeded order that can be continued exactly.

mod fault;
mod source;

pub use fault::{Fault, FaultCounts, FaultKind};
pub use source::{BatchSource, CropBox, DecodeError, Prepare, SourceError};
