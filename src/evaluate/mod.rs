//! Embeddings, progressive scoring, sweeps and statistics.

mod content;
mod corpus;
mod encoder;
mod pixels;
mod read;
mod scoring;
mod similarity;
mod standing;
pub mod statistics;
mod sweep;
mod units;
mod workload;

pub use content::{benchmark_hash, model as model_hash};
pub use corpus::{Corpus, load};
pub use encoder::{Encoder, EncoderError, tokenizer_of, warm_tokenizer};
pub use pixels::{Bytes, Loaded, Pixels};
pub use read::read;
pub use scoring::{Order, Scoring, Step};
pub use similarity::{cosine, probabilities};
pub use standing::Standing;
pub use sweep::{AlphaRange, RangeError, coarse_to_fine};
pub use workload::{Found, Places, Workload, WorkloadError, benchmark_scores};
