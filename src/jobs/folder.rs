//! One run directory, looked at again and again: what has changed is read, the rest is remembered.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clove_training::Recipe;
use clove_training::run_directory::RunDirectory;

use super::history::{Ending, History};
use super::queue::Order;
use super::slurm::TICKET;
use super::{CheckpointView, JobId, JobState, JobView, JobsError, LOG_BYTES, process, read_recipe};

/// The frozen recipe.
const RECIPE: &str = "recipe.toml";
/// Where the worker's standard error goes.
pub const LOG: &str = "stderr.log";

/// Where requests to the worker are.
pub const CONTROL: &str = "control";
/// Beside `stop`, which the worker takes away when it has seen it: that it was asked.
pub const ASKED: &str = "asked-to-stop";

/// Size and time of a file: what tells that it changed.
type Stamp = Option<(u64, SystemTime)>;

/// What is remembered of one run directory.
#[derive(Debug)]
pub struct Folder {
    run: RunDirectory,
    id: JobId,
    recipe: Arc<Recipe>,
    recipe_stamp: Stamp,
    history: History,
    events_read: u64,
    log: Arc<str>,
    log_stamp: Stamp,
    checkpoints: Arc<Vec<CheckpointView>>,
    checkpoints_stamp: Stamp,
    state: JobState,
    place: Option<usize>,
    weights: Option<PathBuf>,
}

impl Folder {
    /// Looks for the first time.
    ///
    /// # Errors
    /// A recipe that cannot be read.
    pub fn open(run: RunDirectory, order: &Order) -> Result<Self, JobsError> {
        let recipe_stamp = stamp(&run.path().join(RECIPE));
        let mut folder = Self {
            id: JobId(run.name()),
            recipe: Arc::new(read_recipe(&run.path().join(RECIPE))?),
            run,
            recipe_stamp,
            history: History::default(),
            events_read: 0,
            log: Arc::from(""),
            log_stamp: None,
            checkpoints: Arc::default(),
            checkpoints_stamp: None,
            state: JobState::Stopped,
            place: None,
            weights: None,
        };
        folder.look(order)?;
        Ok(folder)
    }

    /// Reads what is new; whether anything is.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn look(&mut self, order: &Order) -> Result<bool, JobsError> {
        // The lock first: what its holder wrote before it let go is then read after.
        let is_live = is_live(self.run.path());
        let mut changed = self.look_at_recipe()?;
        changed |= self.look_at_events()?;
        changed |= self.look_at_log();
        changed |= self.look_at_checkpoints()?;
        let place = order.place(&self.id);
        let state = self.derive(is_live, place.is_some(), order.is_starting(Some(&self.id), process::now()));
        if state == JobState::Done && self.weights.is_none() {
            self.weights = self.find_weights();
            changed |= self.weights.is_some();
        }
        changed |= (state, place) != (self.state, self.place);
        (self.state, self.place) = (state, place);
        Ok(changed)
    }

    fn derive(&self, is_live: bool, is_waiting: bool, is_starting: bool) -> JobState {
        if self.run.path().join("result.json").is_file() {
            JobState::Done
        } else if is_live || is_starting {
            if self.asked_to_stop().is_some() { JobState::Stopping } else { JobState::Running }
        } else if is_waiting {
            JobState::Queued
        } else {
            match self.history.ending {
                // Slurm has it.
                Ending::Unbegun if self.run.path().join(TICKET).exists() && self.log.trim().is_empty() => {
                    JobState::Queued
                }
                // Its worker ended before it could write an event, but said something.
                Ending::Unbegun if !self.log.trim().is_empty() => JobState::Failed,
                Ending::Unbegun | Ending::Stopped => JobState::Stopped,
                Ending::Failed => JobState::Failed,
                Ending::Open => JobState::Interrupted,
            }
        }
    }

    fn look_at_recipe(&mut self) -> Result<bool, JobsError> {
        let now = stamp(&self.run.path().join(RECIPE));
        if now == self.recipe_stamp {
            return Ok(false);
        }
        self.recipe = Arc::new(read_recipe(&self.run.path().join(RECIPE))?);
        self.recipe_stamp = now;
        Ok(true)
    }

    fn look_at_events(&mut self) -> Result<bool, JobsError> {
        let length = stamp(&self.run.path().join("events.jsonl")).map_or(0, |(length, _)| length);
        let mut changed = false;
        if length < self.events_read {
            // Another file of that name: begin again.
            (self.history, self.events_read, changed) = (History::default(), 0, true);
        }
        while self.events_read < length {
            let (lines, next) = self.run.events(self.events_read)?;
            // A torn last line stays for later.
            if next <= self.events_read {
                break;
            }
            changed |= !lines.is_empty();
            lines.into_iter().for_each(|line| self.history.apply(line));
            self.events_read = next;
        }
        Ok(changed)
    }

    fn look_at_log(&mut self) -> bool {
        let path = self.run.path().join(LOG);
        let now = stamp(&path);
        if now == self.log_stamp {
            return false;
        }
        self.log_stamp = now;
        // A log that cannot be read is shown as none.
        self.log = tail(&path).unwrap_or_default().into();
        true
    }

    fn look_at_checkpoints(&mut self) -> Result<bool, JobsError> {
        let now = stamp(&self.run.path().join("checkpoints"));
        if now == self.checkpoints_stamp {
            return Ok(false);
        }
        let view = |found: clove_training::run_directory::CheckpointFolder| CheckpointView {
            step: found.step,
            path: found.path,
            bytes: found.bytes,
        };
        let found: Vec<CheckpointView> = self.run.checkpoints()?.into_iter().map(view).collect();
        let changed = found != *self.checkpoints;
        (self.checkpoints, self.checkpoints_stamp) = (Arc::new(found), now);
        Ok(changed)
    }

    /// The result's first folder. The file is not trusted to name one inside the run directory.
    fn find_weights(&self) -> Option<PathBuf> {
        let result = self.run.result().ok()??;
        let first = Path::new(result.weights.first()?);
        let inside = first.components().all(|part| matches!(part, Component::Normal(_)));
        let folder = self.run.path().join(first);
        (inside && folder.is_dir()).then_some(folder)
    }

    /// On disk.
    pub fn run(&self) -> &RunDirectory {
        &self.run
    }

    /// When its worker was asked to stop, if it was.
    pub fn asked_to_stop(&self) -> Option<SystemTime> {
        [ASKED, "stop"].into_iter().find_map(|file| self.since_start(file))
    }

    /// Time of a file in `control`, if it is younger than the worker: what its predecessor was told does not count.
    pub fn since_start(&self, file: &str) -> Option<SystemTime> {
        let time = fs::metadata(self.run.path().join(CONTROL).join(file)).and_then(|found| found.modified()).ok()?;
        let age = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        (age.as_secs_f64() >= self.history.started_at).then_some(time)
    }

    /// Where it stands.
    pub fn state(&self) -> JobState {
        self.state
    }

    /// What its events add up to.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// As frozen.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// For the window.
    pub fn view(&self) -> JobView {
        let is_failed = self.state == JobState::Failed;
        let said = || self.log.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned);
        JobView {
            id: self.id.clone(),
            folder: self.run.path().to_owned(),
            recipe: Arc::clone(&self.recipe),
            state: self.state,
            place: self.place,
            step: self.history.step,
            steps: self.history.steps.unwrap_or(self.recipe.steps),
            seconds_left: self.history.seconds_left.filter(|_| self.state.is_live()),
            points: Arc::clone(self.history.curve.points()),
            evaluations: Arc::clone(&self.history.evaluations),
            checkpoints: Arc::clone(&self.checkpoints),
            warnings: self.history.warnings(),
            failure: is_failed.then(|| self.history.failure.clone().or_else(said)).flatten(),
            log_tail: Arc::clone(&self.log),
            device: self.history.device.clone(),
            weights: self.weights.clone(),
        }
    }
}

/// Whether a worker holds the lock of this run directory. Looks with a shared lock, so that watchers do not take each
/// other for a worker.
pub fn is_live(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join("run.lock")) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok()?;
    Some((found.len(), found.modified().ok()?))
}

/// The last lines of a file, whole ones, at most [`LOG_BYTES`].
fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LOG_BYTES as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES as u64).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = if from > 0 { text.split_once('\n').map_or(&*text, |(_, rest)| rest) } else { &text };
    Ok(whole.to_owned())
}
