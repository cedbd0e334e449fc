//! Reading and writing weights: file formats, Hugging Face ↔ open_clip names, architecture, provenance.
//!
//! Read: safetensors, and PyTorch's zip archives (`torch.save`, `torch.jit.save`), in F32, F16 and BF16, whole or in
//! shards. Every format ends in the same tensors by name, from which one [`Checkpoint`] is made. Written: safetensors.

mod architecture;
mod archive;
mod assemble;
mod config;
mod error;
mod files;
mod mmap;
mod names;
mod opcodes;
mod pickle;
mod read;
mod releases;
mod safetensors_file;
mod stored;
mod torch;
mod write;

pub use architecture::{Architecture, Tower};
pub use config::{Known, from_json as read_config, to_json as config_json};
pub use error::CheckpointError;
pub use files::shard_names;
pub use mmap::map_file;
pub use names::{Naming, block_of};
pub use read::{Checkpoint, Options, Parts, Provenance};
pub use write::{Named, Output, write, write_tensors};
