//! Reading and writing weights: file formats, Hugging Face ↔ open_clip names, architecture, provenance.
//!
//! Read: safetensors, and PyTorch's zip archives (`torch.save`, `torch.jit.save`), in F32, F16 and BF16, whole or in
//! shards. Every format ends in the same tensors by name, from which one [`Checkpoint`] is made; F32 values stay in the
//! mapped file where they lie there as they are needed. Written: safetensors.

mod architecture;
mod archive;
mod assemble;
mod config;
mod error;
mod files;
mod hash;
mod mmap;
mod names;
mod opcodes;
mod pickle;
mod read;
mod releases;
mod safetensors_file;
mod stored;
mod torch;
mod weight;
mod write;

pub use architecture::{Architecture, Tower};
pub use config::{Known, from_json as read_config, to_json as config_json};
pub use error::CheckpointError;
pub use files::{WEIGHTS, shard_names, weight_files};
pub use hash::Sha256;
pub use mmap::map_file;
pub use names::{Naming, block_of};
pub use read::{Checkpoint, Options, Parts, Provenance};
pub use weight::Weight;
pub use write::{Named, Output, write, write_tensors};
