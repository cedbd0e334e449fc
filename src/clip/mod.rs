//! The two towers, image preprocessing and tokens.

mod pass;
pub mod preprocess;
pub mod resize;
pub mod tokens;
mod towers;
mod trainable;

pub use tokens::Tokenizer;
pub use towers::{Clip, normalise};
pub use trainable::{TrainableClip, TrainingOptions};
