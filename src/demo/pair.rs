//! The embedded pair, `demo:base` and `demo:tuned`.

use std::path::{Path, PathBuf};

use super::benchmarks::benchmarks;
use super::sets::Sets;
use crate::benchmark::Benchmark;
use crate::checkpoint::{Checkpoint, CheckpointError, Options, Parts};
use crate::fetch;

/// How the command line and the window call the embedded pre-trained checkpoint.
pub const BASE: &str = "demo:base";
/// How the command line and the window call the embedded fine-tuned checkpoint.
pub const TUNED: &str = "demo:tuned";

const TOKENIZER: &[u8] = include_bytes!("../../assets/demo/base/tokenizer.json");

/// Opens a checkpoint by path, one of the embedded pair by name, or one that was fetched by its id or address.
///
/// # Errors
/// As [`Checkpoint::open`].
pub fn open(path: &Path, options: Options) -> Result<Checkpoint, CheckpointError> {
    let parts = match path.to_str() {
        Some(BASE) => Parts {
            name: BASE,
            weights: include_bytes!("../../assets/demo/base/model.safetensors"),
            config: include_str!("../../assets/demo/base/config.json"),
            tokenizer: TOKENIZER,
        },
        Some(TUNED) => Parts {
            name: TUNED,
            weights: include_bytes!("../../assets/demo/tuned/model.safetensors"),
            config: include_str!("../../assets/demo/tuned/config.json"),
            tokenizer: TOKENIZER,
        },
        Some(other) if other.starts_with("demo:") => {
            let source = std::io::Error::other("the embedded pair is demo:base and demo:tuned");
            return Err(CheckpointError::Io { action: "open the checkpoint", path: PathBuf::from(other), source });
        }
        Some(other) if fetch::Source::is_named(other) => {
            let elsewhere = |error: fetch::FetchError| {
                let reason = error.to_string();
                match error {
                    fetch::FetchError::NotFetched { .. } => CheckpointError::NotFetched { reason },
                    _ => CheckpointError::Elsewhere { path: path.to_owned(), reason },
                }
            };
            let mut checkpoint = Checkpoint::open(&fetch::find(other).map_err(elsewhere)?, options)?;
            path.clone_into(&mut checkpoint.provenance.path);
            return Ok(checkpoint);
        }
        _ => return Checkpoint::open(path, options),
    };
    let mut checkpoint = Checkpoint::from_parts(parts)?;
    if let Some(activation) = options.activation {
        checkpoint.architecture.activation = activation;
        checkpoint.provenance.activation_source = "--activation".into();
    }
    Ok(checkpoint)
}

/// The scene world's evaluation sets as benchmarks, drawn at run time.
pub fn evaluation() -> Vec<Benchmark> {
    benchmarks(&Sets::evaluation())
}
