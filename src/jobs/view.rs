//! What a window or a table shows of jobs, as plain data: no files, no processes.

use std::path::PathBuf;
use std::sync::Arc;

use clove_training::Recipe;
use serde::{Deserialize, Serialize};

/// Name of a run directory inside the runs folder, e.g. `20260301-120000_demo`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId(pub String);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What can be asked of the thread that watches jobs. Each is answered by [`JobsEvent`]s, never by waiting.
#[derive(Clone, Debug, PartialEq)]
pub enum JobsCommand {
    /// Watch this runs folder from now on; it is made when the first job is queued.
    Watch(PathBuf),
    /// Look for what would stop the recipe; answered by [`JobsEvent::Checked`].
    Check(Box<Recipe>),
    /// Take three steps in a worker process; answered by [`JobsEvent::TrialDone`]. A newer trial ends the older one.
    Trial(Box<Recipe>),
    /// End the trial that runs, if one does.
    CancelTrial,
    /// Read a recipe's file; answered by [`JobsEvent::RecipeRead`].
    ReadRecipe(PathBuf),
    /// Freeze the recipe as a new job at the end of the queue.
    Queue(Box<Recipe>),
    /// Replace the recipe of a job that has not started.
    Edit(JobId, Box<Recipe>),
    /// One place earlier in the queue.
    MoveUp(JobId),
    /// One place later in the queue.
    MoveDown(JobId),
    /// Save and end; the job can be resumed. A queued job leaves the queue and stays, to be resumed.
    Stop(JobId),
    /// Write a checkpoint and go on.
    Save(JobId),
    /// Back into the queue, to continue from the last checkpoint.
    Resume(JobId),
    /// To `.removed` inside the runs folder; nothing is deleted. Refused while the job runs.
    Remove(JobId),
    /// Undo of [`JobsCommand::Remove`].
    Restore(JobId),
    /// End the thread. Workers go on.
    Quit,
}

/// What the thread answers.
#[derive(Clone, Debug, PartialEq)]
pub enum JobsEvent {
    /// All jobs, newest first; sent when anything about them has changed.
    Jobs(Arc<Vec<JobView>>),
    /// The answer to [`JobsCommand::ReadRecipe`].
    RecipeRead(Arc<Recipe>),
    /// The answer to [`JobsCommand::Check`].
    Checked(Arc<CheckReport>),
    /// The answer to [`JobsCommand::Trial`].
    TrialDone(Arc<TrialReport>),
    /// Something asked for was not done.
    Failed {
        /// What was to be done, e.g. "Stop demo".
        what: String,
        /// Why it was not, in one sentence.
        details: String,
    },
}

/// Where a job stands. Derived from its run directory, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for the device.
    Queued,
    /// A worker holds its lock.
    Running,
    /// A worker holds its lock and has been asked to stop.
    Stopping,
    /// The worker died; can be resumed.
    Interrupted,
    /// Saved and ended on request, or taken out of the queue before it started; can be resumed.
    Stopped,
    /// The worker gave up and said why.
    Failed,
    /// Has its result.
    Done,
}

impl JobState {
    /// As written in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Interrupted => "interrupted",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }

    /// A worker is alive.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }

    /// [`JobsCommand::Resume`] makes sense.
    pub fn can_resume(self) -> bool {
        matches!(self, Self::Interrupted | Self::Stopped | Self::Failed)
    }
}

/// One job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobView {
    /// Name of the run directory.
    pub id: JobId,
    /// The run directory.
    pub folder: PathBuf,
    /// As frozen.
    pub recipe: Arc<Recipe>,
    /// Where it stands.
    pub state: JobState,
    /// Place in the queue, from 0; only of queued jobs.
    pub place: Option<usize>,
    /// Finished steps.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Until the end, while it runs.
    pub seconds_left: Option<f64>,
    /// At most [`MOST_POINTS`], in order of steps, the newest always among them.
    pub points: Arc<Vec<StepPoint>>,
    /// In order of arrival.
    pub evaluations: Arc<Vec<Evaluation>>,
    /// Those that exist, oldest first.
    pub checkpoints: Arc<Vec<CheckpointView>>,
    /// The newest [`MOST_WARNINGS`]; an earlier rest is counted in the first entry.
    pub warnings: Arc<Vec<String>>,
    /// Why it failed.
    pub failure: Option<String>,
    /// End of `stderr.log`, at most [`LOG_BYTES`].
    pub log_tail: Arc<str>,
    /// As the worker named it; empty before it started.
    pub device: String,
    /// Hugging Face folder of the result, when done.
    pub weights: Option<PathBuf>,
}

/// Most points kept of a job's curve.
pub const MOST_POINTS: usize = 2_000;
/// Most warnings kept of a job.
pub const MOST_WARNINGS: usize = 200;
/// Most bytes kept of a job's log.
pub const LOG_BYTES: usize = 16 * 1024;

/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StepPoint {
    /// Finished steps: 1 after the first.
    pub step: u64,
    /// Of the step's batch.
    pub loss: f64,
    /// Learning rate.
    pub lr: f64,
    /// Image–caption pairs per second.
    pub pairs_per_s: f64,
    /// Share of the batch's captions that have a negative, 0..=1.
    pub negatives_share: f64,
    /// Memory of the worker, where the system tells.
    pub memory_bytes: Option<u64>,
}

/// One measured score during a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Finished steps of the tuned side.
    pub step: u64,
    /// Of the patch, 0..=1.
    pub alpha: f64,
    /// Name as on the command line.
    pub benchmark: String,
    /// Name as in the published files.
    pub task: Option<String>,
    /// Name as in `clove evaluate --json`.
    pub metric: String,
    /// Percent.
    pub value: f64,
    /// Percent, low and high.
    pub interval: [f64; 2],
    /// Examples behind the value.
    pub scored: u64,
}

/// One checkpoint on disk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckpointView {
    /// Finished steps.
    pub step: u64,
    /// Hugging Face style folder, opens as any checkpoint.
    pub path: PathBuf,
    /// All its files.
    pub bytes: u64,
}

/// Everything looked at before a launch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// What was asked about.
    #[serde(skip)]
    pub recipe: Arc<Recipe>,
    /// In the order in which a person would ask.
    pub items: Vec<CheckItem>,
}

impl CheckReport {
    /// Nothing stands against the launch.
    pub fn can_start(&self) -> bool {
        self.items.iter().all(|item| item.verdict != Verdict::Blocking)
    }
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckItem {
    /// E.g. "Free disk".
    pub what: &'static str,
    /// How it looks.
    pub verdict: Verdict,
    /// What was found, in one sentence.
    pub says: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// May go wrong.
    Warning,
    /// Would certainly go wrong.
    Blocking,
}

/// What three steps took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialReport {
    /// What was asked about.
    #[serde(skip)]
    pub recipe: Arc<Recipe>,
    /// Without the first step, which also allocates.
    pub seconds_per_step: f64,
    /// For all steps of the recipe; without evaluations.
    pub seconds_total: f64,
    /// Of the worker; 0 where the system does not tell.
    pub peak_memory_bytes: u64,
    /// Image–caption pairs per second.
    pub pairs_per_s: f64,
}
