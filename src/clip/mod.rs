//! The two towers, image preprocessing and tokens.

mod pass;
mod preparation;
pub mod preprocess;
pub mod resize;
pub mod tokens;
mod towers;
mod trainable;
#[cfg(test)]
mod training_data;

pub use preparation::Preparation;
pub use tokens::Tokenizer;
pub use towers::{Clip, normalise};
pub use trainable::{TrainableClip, TrainingOptions};
