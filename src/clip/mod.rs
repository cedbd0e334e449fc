//! The two towers, image preprocessing, tokens.

pub mod preprocess;
pub mod resize;
pub mod tokens;
