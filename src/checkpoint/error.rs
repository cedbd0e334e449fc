//! What can be wrong with a checkpoint, each in one sentence: what, which file, what to do.

use std::path::{Path, PathBuf};

/// Why a checkpoint cannot be read or written. The path comes last.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum CheckpointError {
    /// The file system refused.
    #[error("cannot {action}: {source}: {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// Neither a file nor a folder with weights.
    #[error("no weights found: expected model.safetensors, open_clip_model.safetensors or pytorch_model.bin in the folder: {}", .0.display())]
    NoWeights(PathBuf),
    /// Not a format that is read, or cut off.
    #[error("{reason}: {}", path.display())]
    Format { path: PathBuf, reason: String },
    /// A configuration that cannot be understood.
    #[error("the configuration cannot be used: {reason}: {}", path.display())]
    Config { path: PathBuf, reason: String },
    /// Weights that are not the model that the configuration or the names promise.
    #[error("{reason}: {}", path.display())]
    Weights { path: PathBuf, reason: String },
    /// The activation is a property that weights do not show.
    #[error(
        "the activation cannot be known from the weights alone; say --activation quick-gelu (OpenAI, NegCLIP, CLoVe) \
         or --activation gelu (LAION, DataComp), or put the configuration file beside the weights: {}",
        .0.display()
    )]
    UnknownActivation(PathBuf),
    /// A checkpoint elsewhere that cannot be had.
    #[error("{reason}: {}", path.display())]
    Elsewhere { path: PathBuf, reason: String },
    /// A checkpoint elsewhere that has to be fetched first; the reason names it.
    #[error("{reason}")]
    NotFetched { reason: String },
    /// Writing would replace a file.
    #[error("the file exists and is not overwritten; choose another name or remove it first: {}", .0.display())]
    Exists(PathBuf),
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

impl CheckpointError {
    pub(super) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    pub(super) fn format(path: &Path, reason: impl Into<String>) -> Self {
        Self::Format { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn config(path: &Path, reason: impl Into<String>) -> Self {
        Self::Config { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn weights(path: &Path, reason: impl Into<String>) -> Self {
        Self::Weights { path: path.to_owned(), reason: reason.into() }
    }
}
