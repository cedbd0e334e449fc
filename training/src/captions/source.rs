//! What a run trains on, seen from the trainer, and what it asks of the model's side.

use super::fault::{Fault, FaultCounts};
use crate::batches::Sample;
use crate::recipe::RecipeError;
use image::RgbImage;

/// What a run trains on, in its own order, exact to continue.
///
/// The order is a pure function of the seed and the position, whatever the number of workers.
pub trait BatchSource: Send {
    /// The next full batch; waits for the workers. Broken samples and shards on the way are skipped and counted.
    ///
    /// # Errors
    /// [`SourceError`] when no batch can be filled: everything is broken, or an epoch holds less than one batch.
    fn next_batch(&mut self) -> Result<Vec<Sample>, SourceError>;

    /// Where the run is after the last batch returned: a small JSON object, for [`seek`](Self::seek).
    fn position(&self) -> serde_json::Value;

    /// Continues as if the batches up to `position` had been taken, fault counts included.
    ///
    /// # Errors
    /// [`SourceError::Position`] for a position of other data, another seed or no position at all.
    fn seek(&mut self, position: &serde_json::Value) -> Result<(), SourceError>;

    /// Faults met since the last call, oldest first; of many, the first hundred.
    fn take_faults(&mut self) -> Vec<Fault>;

    /// Samples seen and skipped since the start of the run.
    fn fault_counts(&self) -> FaultCounts;

    /// Number of samples in the data, broken ones included, where it is known without reading all of it.
    fn samples(&self) -> Option<u64>;
}

/// The part of an image that is kept, in pixels; lies inside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropBox {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
}

/// How a model wants its images and texts. Called from several threads at once.
pub trait Prepare {
    /// Pixels of an image file's bytes, its format told by the content, its size bounded.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn decode(&self, bytes: &[u8]) -> Result<RgbImage, DecodeError>;

    /// The crop at the model's size, in the form of [`TwoTower::preprocess`](crate::TwoTower::preprocess).
    fn image(&self, image: &RgbImage, crop: CropBox) -> Vec<u8>;

    /// Token ids of a caption, as [`TwoTower::tokenize`](crate::TwoTower::tokenize).
    fn tokens(&self, text: &str) -> Vec<u32>;
}

/// Bytes that are no image that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More pixels or bytes than are decoded.
    #[error("{0}")]
    TooLarge(String),
    /// Any other failure.
    #[error("{0}")]
    Broken(String),
}

/// No batch can be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A source names nothing.
    #[error("No training data was found, please check the recipe's `data`: {0}")]
    NoData(String),
    /// The disk refused while the sources were listed.
    #[error("The training data cannot be listed: {source}: {place}")]
    Io {
        /// Where.
        place: String,
        /// Why.
        source: std::io::Error,
    },
    /// The recipe's values cannot be used.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// Nothing usable.
    #[error("All training data is broken: {skipped} samples and {shards} shards were skipped; the last one: {last}")]
    AllBroken {
        /// Samples skipped since the last good one.
        skipped: u64,
        /// Shards skipped since the last good sample.
        shards: u64,
        /// The last fault, in words.
        last: String,
    },
    /// An epoch that fills no batch.
    #[error("A batch of {batch} cannot be taken from {length} usable samples")]
    TooFew {
        /// Samples asked for per batch.
        batch: usize,
        /// Usable samples in the epoch.
        length: u64,
    },
    /// A position that does not belong here.
    #[error("The run cannot be continued: {0}")]
    Position(String),
    /// The generator of negatives or a thread could not be started, or a thread is gone.
    #[error("The loading of training data failed: {0}")]
    Workers(String),
}
