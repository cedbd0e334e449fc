//! What can go wrong with jobs, one sentence each.

use std::path::{Path, PathBuf};

use super::JobId;
use crate::store::StoreError;

/// Something about a job that was not done.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum JobsError {
    /// The file system refused.
    #[error("cannot {action}: {source}: {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// No such run directory.
    #[error("there is no job '{id}'; clove jobs list shows all: {}", runs.display())]
    NoJob { id: JobId, runs: PathBuf },
    /// A part of a name that fits several.
    #[error("'{part}' fits {n} jobs; write more of the name: {}", runs.display())]
    Ambiguous { part: String, n: usize, runs: PathBuf },
    /// The state does not allow it.
    #[error("'{id}' is {state}; {instead}")]
    State { id: JobId, state: &'static str, instead: &'static str },
    /// The place is taken.
    #[error("'{id}' cannot be put back, there is another one of that name: {}", folder.display())]
    Taken { id: JobId, folder: PathBuf },
    /// Somebody holds the queue for longer than any change takes.
    #[error("another clove holds the queue; end it or wait: {}", path.display())]
    Busy { path: PathBuf },
    /// The queue's file is not what we wrote; it was moved aside.
    #[error("the queue was damaged ({reason}) and is empty now; resume the jobs in it, the old file is kept: {}", kept.display())]
    Damaged { reason: String, kept: PathBuf },
    /// A recipe that cannot be used.
    #[error("{source}: {}", path.display())]
    Recipe { source: clove_training::RecipeError, path: PathBuf },
    /// A run directory that cannot be used.
    #[error(transparent)]
    Run(#[from] clove_training::run_directory::RunError),
    /// A file of ours could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The worker, or sbatch, could not be started.
    #[error("{program} cannot be started: {reason}")]
    Launch { program: String, reason: String },
    /// Something that is not worth a variant of its own: one whole sentence.
    #[error("{0}")]
    Said(String),
}

impl JobsError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
