//! What can go wrong with a run directory.

use std::io;
use std::path::{Path, PathBuf};

use crate::recipe::RecipeError;

/// Why a run directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum RunError {
    /// The folder has no recipe.
    #[error("this folder is no run directory, it has no recipe.toml: {}", path.display())]
    NotARun { path: PathBuf },
    /// The folder has one already.
    #[error("there is a run in this folder already; go on with --resume, or choose another folder: {}", path.display())]
    Exists { path: PathBuf },
    /// Its recipe cannot be used.
    #[error("{source}: {}", path.display())]
    Recipe { path: PathBuf, source: RecipeError },
    /// Another process holds the lock.
    #[error("another process is training in this folder; wait for it, or ask it to stop: {}", path.display())]
    Busy { path: PathBuf },
    /// The recipe of a run that has begun stays as it is.
    #[error("the run has begun, so its recipe stays as it is; queue a new run instead: {}", path.display())]
    Begun { path: PathBuf },
    /// A file that a worker wrote cannot be understood.
    #[error("{what} cannot be understood ({reason}): {}", path.display())]
    Broken { what: &'static str, reason: String, path: PathBuf },
    /// The file system refused.
    #[error("cannot {action}: {source}: {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

impl RunError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
