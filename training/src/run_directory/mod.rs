//! A job on disk: whoever runs it writes here, whoever watches reads here.
//!
//! ```text
//! runs/20261125-094501_name/
//!   recipe.toml     frozen                    job.json   versions, hashes of weights and data, seed, device
//!   run.lock        exclusively locked by the live worker: the test of life
//!   events.jsonl    append only, one event a line
//!   control/        stop | save, polled between steps
//!   checkpoints/step_000500/   written aside, synced, renamed
//!   weights/        hf, open_clip             README.md  the model card
//!   result.json     written last: the mark of success
//! ```
//!
//! State is derived, never stored.

mod aside;
mod error;
mod event;
mod name;
mod writer;

pub use error::RunError;
pub use event::{Line, RunEvent, without_superseded};
pub use writer::Writer;

use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::recipe::Recipe;

const RECIPE: &str = "recipe.toml";
const JOB: &str = "job.json";
const LOCK: &str = "run.lock";
const EVENTS: &str = "events.jsonl";
const CONTROL: &str = "control";
const CHECKPOINTS: &str = "checkpoints";
const RESULT: &str = "result.json";

/// Bytes from the end in which the last event is looked for at first; the longest line is shorter.
const TAIL: u64 = 16 << 10;
/// Most bytes of events read by one call.
const EVENTS_AT_ONCE: u64 = 8 << 20;

/// What has become of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Waits for a worker.
    Queued,
    /// A worker lives.
    Running,
    /// The worker died; the run can be resumed.
    Interrupted,
    /// Stopped on request, with everything saved; the run can be resumed.
    Stopped,
    /// The worker gave up and said why.
    Failed,
    /// Complete.
    Done,
}

/// What a worker can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Save and end with exit status 85.
    Stop,
    /// Write a checkpoint now.
    Save,
}

impl Control {
    fn file(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Save => "save",
        }
    }
}

/// A checkpoint on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFolder {
    /// Steps done.
    pub step: u64,
    /// The folder, which opens as a model.
    pub path: PathBuf,
    /// Size of its files.
    pub bytes: u64,
}

/// `result.json`: the mark of success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Folders of the weights, below the run directory; the first is in Hugging Face layout.
    pub weights: Vec<String>,
    /// Steps done.
    pub steps: u64,
    /// Time of work, over all workers of the run.
    pub seconds: f64,
    /// SHA-256 of the first folder's weights file, hexadecimal.
    pub sha256: String,
}

/// A run directory, as anyone may see it. The one who trains in it holds a [`Writer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes `runs/<time>_<slug of the name>`, queued: a folder with the frozen recipe, there whole or not at all.
    ///
    /// # Errors
    /// A recipe out of range, and what the file system refuses.
    pub fn create(runs: &Path, recipe: &Recipe, now: SystemTime) -> Result<Self, RunError> {
        let stem = name::folder_name(now, &recipe.name);
        let mut name = stem.clone();
        let mut count = 1;
        loop {
            match Self::create_at(&runs.join(&name), recipe) {
                Err(RunError::Exists { .. }) if count < 1_000 => {
                    count += 1;
                    name = format!("{stem}-{count}");
                }
                other => return other,
            }
        }
    }

    /// As [`create`](Self::create), in the folder `path` itself, which is missing or empty.
    ///
    /// # Errors
    /// [`RunError::Exists`], and as `create`.
    pub fn create_at(path: &Path, recipe: &Recipe) -> Result<Self, RunError> {
        let text = recipe.to_toml().map_err(|source| RunError::Recipe { path: path.join(RECIPE), source })?;
        let exists = || RunError::Exists { path: path.to_owned() };
        if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(exists());
        }
        let make = |folder: &Path| {
            fs::create_dir(folder.join(CONTROL))?;
            aside::write(&folder.join(RECIPE), text.as_bytes())
        };
        match aside::folder(path, make) {
            Ok(()) => Ok(Self { path: path.to_owned() }),
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {
                Err(exists())
            }
            Err(error) => Err(RunError::io("make the run directory", path)(error)),
        }
    }

    /// The run in `path`.
    ///
    /// # Errors
    /// [`RunError::NotARun`] without a recipe.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RunError> {
        let path = path.into();
        if path.join(RECIPE).is_file() { Ok(Self { path }) } else { Err(RunError::NotARun { path }) }
    }

    /// All runs in the folder `runs`, by name and so by time; none where the folder is missing. Folders whose name
    /// begins with a dot are left out.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn list(runs: &Path) -> Result<Vec<Self>, RunError> {
        let entries = match fs::read_dir(runs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(RunError::io("list the runs", runs))?,
        };
        let is_shown = |path: &PathBuf| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'));
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_shown);
        let mut found: Vec<Self> = paths.filter_map(|path| Self::open(path).ok()).collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the folder.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The frozen recipe.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no recipe.
    pub fn recipe(&self) -> Result<Recipe, RunError> {
        let path = self.path.join(RECIPE);
        let text = fs::read_to_string(&path).map_err(RunError::io("read the recipe", &path))?;
        Recipe::from_toml(&text).map_err(|source| RunError::Recipe { path, source })
    }

    /// Replaces the recipe of a run that no worker has begun.
    ///
    /// # Errors
    /// [`RunError::Begun`], a recipe out of range, and what the file system refuses.
    pub fn edit(&self, recipe: &Recipe) -> Result<(), RunError> {
        let path = self.path.join(RECIPE);
        if self.state()? != RunState::Queued {
            return Err(RunError::Begun { path: self.path.clone() });
        }
        let text = recipe.to_toml().map_err(|source| RunError::Recipe { path: path.clone(), source })?;
        aside::write(&path, text.as_bytes()).map_err(RunError::io("write the recipe", &path))
    }

    /// What has become of the run.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn state(&self) -> Result<RunState, RunError> {
        if self.path.join(RESULT).is_file() {
            return Ok(RunState::Done);
        }
        if self.is_locked()? {
            return Ok(RunState::Running);
        }
        let last = self.last_event()?;
        Ok(match last {
            None => RunState::Queued,
            Some(RunEvent::Stopped { .. }) => RunState::Stopped,
            Some(RunEvent::Failed { .. }) => RunState::Failed,
            Some(_) => RunState::Interrupted,
        })
    }

    /// The last event that is no warning: found from the end, as a long run tells much.
    fn last_event(&self) -> Result<Option<RunEvent>, RunError> {
        let path = self.path.join(EVENTS);
        let length = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(RunError::io("read the events", &path))?.len(),
        };
        let mut read = TAIL;
        loop {
            let (lines, _) = self.events(length.saturating_sub(read))?;
            let told = lines.into_iter().rev().find(|line| !matches!(line.event, RunEvent::Warning { .. }));
            if told.is_some() || read >= length || read >= EVENTS_AT_ONCE {
                return Ok(told.map(|line| line.event));
            }
            read *= 8;
        }
    }

    /// Whether a worker lives. Shared, so that many may look at once; a worker tries more than once.
    fn is_locked(&self) -> Result<bool, RunError> {
        let path = self.path.join(LOCK);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other.map_err(RunError::io("open the lock file", &path))?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(RunError::io("look at the lock", &path)(source)),
        }
    }

    /// Whole lines from byte `from` on, and where the next call goes on. A call reads a few megabytes at most: go on
    /// until the place stays the same. Unknown events and torn lines are passed over.
    ///
    /// # Errors
    /// What the file system refuses; a missing file has no lines.
    pub fn events(&self, from: u64) -> Result<(Vec<Line>, u64), RunError> {
        let path = self.path.join(EVENTS);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
            other => other,
        };
        let read = file.and_then(|mut file| {
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(EVENTS_AT_ONCE).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let (lines, taken) = event::parse(&read.map_err(RunError::io("read the events", &path))?);
        Ok((lines, from + taken as u64))
    }

    /// Checkpoints, the newest last.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn checkpoints(&self) -> Result<Vec<CheckpointFolder>, RunError> {
        let folder = self.path.join(CHECKPOINTS);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(RunError::io("list the checkpoints", &folder))?,
        };
        let checkpoint = |path: PathBuf| {
            let step = name::checkpoint_step(path.file_name()?.to_str()?)?;
            Some(CheckpointFolder { step, bytes: aside::size(&path), path })
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut found: Vec<_> = paths.filter_map(checkpoint).collect();
        found.sort_by_key(|checkpoint| checkpoint.step);
        Ok(found)
    }

    /// Asks the worker, which looks between two steps.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn request(&self, control: Control) -> Result<(), RunError> {
        let path = self.path.join(CONTROL).join(control.file());
        aside::write(&path, b"").map_err(RunError::io("ask the worker", &path))
    }

    /// The result of a complete run.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn result(&self) -> Result<Option<RunResult>, RunError> {
        self.json(RESULT, "the result")
    }

    /// `job.json`, once a worker has begun.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn job(&self) -> Result<Option<serde_json::Value>, RunError> {
        self.json(JOB, "the job's record")
    }

    fn json<T: serde::de::DeserializeOwned>(&self, name: &str, what: &'static str) -> Result<Option<T>, RunError> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RunError::io("read", &path)(error)),
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(RunError::Broken { what, reason: error.to_string(), path }),
            },
        }
    }
}

#[cfg(test)]
mod tests;
