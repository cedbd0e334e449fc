//! Why a fine-tune cannot go on.

use clove_training::run_directory::RunError;
use clove_training::{BatchError, RunFailure, SourceError};

use crate::benchmark::ReadError;
use crate::checkpoint::CheckpointError;
use crate::evaluate::EncoderError;

/// Why a fine-tune cannot begin, or ended early.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum FineTuneError {
    /// The run directory cannot be used.
    #[error(transparent)]
    Directory(#[from] RunError),
    /// Training failed.
    #[error(transparent)]
    Run(#[from] RunFailure),
    /// Base cannot be opened.
    #[error("base cannot be opened: {0}")]
    Base(CheckpointError),
    /// Base has no tokenizer, or one that does not fit.
    #[error(transparent)]
    Tokenizer(#[from] EncoderError),
    /// Base's context is shorter than what is asked for.
    #[error("context_length is {asked}, but base has only {has} text positions; choose {has} or less")]
    Context { asked: usize, has: usize },
    /// The recipe names nothing to train on.
    #[error("the recipe names no data; set `data` to files, folders or patterns, or to demo:scenes")]
    NoData,
    /// The scene world among other data.
    #[error("demo:scenes cannot be mixed with other data; train on one of them")]
    Mixed,
    /// The scene world has words that WordNet cannot replace.
    #[error("demo:scenes brings its own hard negatives; set `negatives` to given, or to none")]
    SceneNegatives,
    /// The data cannot be used.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Too few scenes for a batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A benchmark cannot be read.
    #[error(transparent)]
    Benchmark(#[from] ReadError),
    /// The scene world has other benchmarks.
    #[error("the scene world has no benchmark '{name}'; it has {known}; for others set `evaluate_data`")]
    NoSceneBenchmark { name: String, known: String },
    /// Reading the names or beginnings of the data failed.
    #[error("the data cannot be read: {source}: {path}")]
    Data { path: String, source: std::io::Error },
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}
