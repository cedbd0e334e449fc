//! Fine-tunes as the window knows them: the list, what this window started, what was checked and timed. Pure.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use clove_training::Recipe;

use super::{Gravity, Session};
use crate::engine::Failure;
use crate::jobs::{CheckReport, Evaluation, JobId, JobState, JobView, JobsEvent, StepPoint, TrialReport};

/// Everything known about fine-tunes.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// Newest first; empty until the first answer.
    pub list: Arc<Vec<JobView>>,
    /// Whether the runs folder has been looked at.
    pub known: bool,
    /// The last answer about a recipe.
    pub checked: Option<Arc<CheckReport>>,
    /// How long the form's recipe would take.
    pub trial: Trial,
    /// A recipe that was read from a file, for the form to take.
    pub read: Option<Arc<Recipe>>,
    /// The job that was removed last, and its name: can be brought back.
    pub removed: Option<(JobId, String)>,
    /// Jobs of this window that came up since the panel looked, newest last.
    pub started: VecDeque<JobId>,
    /// Jobs whose weights are to be opened now, oldest first.
    pub opening: VecDeque<JobId>,
    open_when_done: BTreeSet<JobId>,
    awaited: Vec<(String, bool)>,
}

/// The trial of three steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Trial {
    /// Nobody asked.
    #[default]
    None,
    /// Runs.
    Running,
    /// What it found.
    Done(Arc<TrialReport>),
    /// Why there is no estimate.
    Failed(String),
}

impl Jobs {
    /// One job.
    pub fn get(&self, id: &JobId) -> Option<&JobView> {
        self.list.iter().find(|job| job.id == *id)
    }

    /// The job that runs, if one does.
    pub fn running(&self) -> Option<&JobView> {
        self.list.iter().find(|job| job.state.is_live())
    }

    /// Queued jobs.
    pub fn queued(&self) -> usize {
        self.list.iter().filter(|job| job.state == JobState::Queued).count()
    }

    /// This window queues a job of this name: its run directory is to be known when it appears, and its weights to be
    /// opened when it is done.
    pub fn expect(&mut self, name: &str, open_when_done: bool) {
        self.awaited.push((name.to_owned(), open_when_done));
    }

    /// Whether a job's weights are opened as tuned when it is done.
    pub fn opens_when_done(&self, id: &JobId) -> bool {
        self.open_when_done.contains(id)
    }

    /// Opens a job's weights when it is done, or not.
    pub fn open_when_done(&mut self, id: &JobId, open: bool) {
        if open {
            self.open_when_done.insert(id.clone());
        } else {
            self.open_when_done.remove(id);
        }
    }

    /// New run directories that this window asked for.
    fn welcome(&mut self, list: &[JobView]) {
        let known = Arc::clone(&self.list);
        let is_new = |job: &&JobView| known.iter().all(|other| other.id != job.id);
        for job in list.iter().rev().filter(is_new) {
            if let Some(place) = self.awaited.iter().position(|(name, _)| *name == job.recipe.name) {
                let (_, open) = self.awaited.remove(place);
                self.open_when_done(&job.id, open);
                self.started.push_back(job.id.clone());
            }
        }
    }
}

impl Session {
    /// Takes in one event about jobs.
    pub fn apply_jobs(&mut self, event: JobsEvent) {
        match event {
            JobsEvent::Jobs(list) => self.take_jobs(list),
            JobsEvent::Checked(report) => self.jobs.checked = Some(report),
            JobsEvent::TrialDone(report) => self.jobs.trial = Trial::Done(report),
            JobsEvent::RecipeRead(recipe) => self.jobs.read = Some(recipe),
            JobsEvent::Failed { what, details } => {
                if self.jobs.trial == Trial::Running && what.to_lowercase().contains("trial") {
                    self.jobs.trial = Trial::Failed(details.clone());
                    return;
                }
                let failure = Failure { summary: format!("{what}: {details}"), details, end: None };
                self.notices.push(Gravity::Failure, failure);
            }
        }
    }

    fn take_jobs(&mut self, list: Arc<Vec<JobView>>) {
        if self.jobs.known {
            self.jobs.welcome(&list);
            for job in list.iter() {
                let before = self.jobs.get(&job.id).map(|before| before.state);
                if before.is_some_and(|state| state != job.state) {
                    self.tell(job);
                }
            }
        }
        if self.jobs.removed.as_ref().is_some_and(|(id, _)| list.iter().any(|job| job.id == *id)) {
            let gone = self.jobs.list.iter().all(|job| self.jobs.removed.as_ref().is_none_or(|(id, _)| job.id != *id));
            // Back again: nothing is left to undo. Still there: the removal has yet to happen.
            if gone {
                self.jobs.removed = None;
            }
        }
        self.jobs.known = true;
        self.jobs.list = list;
    }

    /// A job came to an end of some kind.
    fn tell(&mut self, job: &JobView) {
        let name = &job.recipe.name;
        let (gravity, summary, details) = match job.state {
            JobState::Done => {
                let opens = self.jobs.open_when_done.remove(&job.id) && job.weights.is_some();
                if opens {
                    self.jobs.opening.push_back(job.id.clone());
                }
                let then = if opens { "its weights are opened as tuned" } else { "its weights can be used as tuned" };
                (Gravity::News, format!("{name} is done: {then}"), job.folder.display().to_string())
            }
            JobState::Failed => {
                let why = job.failure.clone().unwrap_or_else(|| "its log may say why".to_owned());
                (Gravity::Failure, format!("{name} failed: {why}"), job.log_tail.to_string())
            }
            JobState::Interrupted => {
                let saved = job.checkpoints.last().map_or(0, |checkpoint| checkpoint.step);
                let summary = format!("{name} was interrupted; resumed, it goes on from step {saved}");
                (Gravity::Warning, summary, job.log_tail.to_string())
            }
            _ => return,
        };
        self.notices.push(gravity, Failure { summary, details, end: None });
    }
}

/// What a curve over the steps shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measured {
    /// The training loss.
    #[default]
    Loss,
    /// The learning rate.
    LearningRate,
    /// Pairs of image and caption per second.
    Speed,
    /// Captions of the batch that have a negative.
    Negatives,
    /// Memory of the worker.
    Memory,
}

impl Measured {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Loss, Self::LearningRate, Self::Speed, Self::Negatives, Self::Memory];

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Loss => "Loss",
            Self::LearningRate => "Learning rate",
            Self::Speed => "Speed",
            Self::Negatives => "Negatives",
            Self::Memory => "Memory",
        }
    }

    /// The unit of its values, if any.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Loss | Self::LearningRate => "",
            Self::Speed => "pairs/s",
            Self::Negatives => "%",
            Self::Memory => "MB",
        }
    }

    /// What it is, in one sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Loss => "Training loss of each step, pale, and its running mean, bold; lower is better",
            Self::LearningRate => "Warm-up, then a cosine to zero",
            Self::Speed => "Pairs of image and caption per second",
            Self::Negatives => "Share of the captions that have a hard negative",
            Self::Memory => "Memory of the worker process",
        }
    }

    /// Its value at one step, in its unit; nothing where the system does not tell.
    pub fn of(self, point: &StepPoint) -> Option<f64> {
        let value = match self {
            Self::Loss => point.loss,
            Self::LearningRate => point.lr,
            Self::Speed => point.pairs_per_s,
            Self::Negatives => 100.0 * point.negatives_share,
            Self::Memory => point.memory_bytes? as f64 / 1e6,
        };
        value.is_finite().then_some(value)
    }
}

/// Steps and values of one curve.
pub fn curve(points: &[StepPoint], measured: Measured) -> Vec<[f64; 2]> {
    points.iter().filter_map(|point| Some([point.step as f64, measured.of(point)?])).collect()
}

/// The running mean of a curve: each value weighs less by 1/e after a 30th of the curve. Corrected for its start, as the
/// moments of Adam are (arXiv 1412.6980, section 3).
pub fn smoothed(curve: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let keep = (-30.0 / (curve.len().max(30) as f64)).exp();
    let (mut sum, mut weight) = (0.0, 0.0);
    let mean = |[x, y]: &[f64; 2]| {
        sum = keep * sum + (1.0 - keep) * y;
        weight = keep * weight + (1.0 - keep);
        [*x, sum / weight]
    };
    curve.iter().map(mean).collect()
}

/// Scores of one benchmark at one step, alpha by alpha.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    /// Finished steps.
    pub step: u64,
    /// Benchmark, task and metric.
    pub title: String,
    /// In the order of [`alphas`]; `None` where not measured.
    pub at: Vec<Option<Evaluation>>,
}

/// The alphas at which a job was scored, ascending.
pub fn alphas(evaluations: &[Evaluation]) -> Vec<f64> {
    let mut alphas: Vec<f64> = evaluations.iter().map(|e| e.alpha).collect();
    alphas.sort_by(f64::total_cmp);
    alphas.dedup();
    alphas
}

/// Evaluations as a table: benchmark by benchmark, newest step first; a repeated one replaces the one before.
pub fn score_rows(evaluations: &[Evaluation]) -> Vec<ScoreRow> {
    let alphas = alphas(evaluations);
    let mut rows: Vec<ScoreRow> = Vec::new();
    for evaluation in evaluations {
        let title = title(evaluation);
        let place = alphas.iter().position(|alpha| *alpha == evaluation.alpha);
        let row = match rows.iter().position(|row| row.step == evaluation.step && row.title == title) {
            Some(row) => row,
            None => {
                rows.push(ScoreRow { step: evaluation.step, title, at: vec![None; alphas.len()] });
                rows.len() - 1
            }
        };
        if let Some(slot) = rows.get_mut(row).zip(place).and_then(|(row, place)| row.at.get_mut(place)) {
            *slot = Some(evaluation.clone());
        }
    }
    rows.sort_by(|a, b| a.title.cmp(&b.title).then(b.step.cmp(&a.step)));
    rows
}

fn title(evaluation: &Evaluation) -> String {
    let task = evaluation.task.as_ref().map(|task| format!(" {}", task.replace('_', " "))).unwrap_or_default();
    let metric = if evaluation.metric == "accuracy" { String::new() } else { format!(", {}", evaluation.metric) };
    format!("{}{task}{metric}", evaluation.benchmark)
}

/// The checkpoint to patch against a job's weights: the one that it started from.
pub fn base_of(job: &JobView) -> PathBuf {
    PathBuf::from(&job.recipe.base)
}
