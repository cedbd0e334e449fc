//! Reading and writing weights: file formats, Hugging Face ↔ open_clip names, architecture, provenance.
//!
//! Today: safetensors in F32, F16 and BF16. A further format is a further file beside [`safetensors`](self) that ends
//! in the same [`Checkpoint`].

mod architecture;
mod config;
mod error;
mod mmap;
mod names;
mod read;
mod write;

pub use architecture::{Architecture, Tower};
pub use config::to_json as config_json;
pub use error::CheckpointError;
pub use mmap::map_file;
pub use names::{Naming, block_of};
pub use read::{Checkpoint, Options, Parts, Provenance};
pub use write::{Named, Output, write, write_tensors};
