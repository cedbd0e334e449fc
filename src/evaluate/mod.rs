//! Embeddings, progressive scoring, sweeps and statistics.

mod corpus;
mod encoder;
mod scoring;
mod similarity;
pub mod statistics;
mod sweep;

pub use corpus::{Corpus, Pixels, load};
pub use encoder::{Encoder, EncoderError};
pub use scoring::{Order, Scoring};
pub use similarity::{cosine, probabilities};
pub use sweep::{AlphaRange, RangeError, coarse_to_fine};
