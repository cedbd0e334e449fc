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
    pub fn await_job(&mut self, name: &str, open_when_done: bool) {
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

    /// What was not done is not waited for.
    fn give_up(&mut self, what: &str) {
        if let Some(queued) = what.strip_prefix("Queue ") {
            self.awaited.retain(|(name, _)| name != queued);
        }
        if let Some(kept) = what.strip_prefix("Remove ") {
            self.removed.take_if(|(id, _)| id.0 == kept);
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
                self.jobs.give_up(&what);
                self.notices.push(Gravity::Failure, Failure::new(format!("{what}: {details}")));
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
        self.notices.push(gravity, Failure { details, ..Failure::new(summary) });
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
        let known = rows.iter().position(|row| row.step == evaluation.step && row.title == title);
        let row = known.unwrap_or_else(|| {
            rows.push(ScoreRow { step: evaluation.step, title, at: vec![None; alphas.len()] });
            rows.len() - 1
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::PRESETS;

    fn job(name: &str, state: JobState, done: bool) -> JobView {
        let mut recipe = PRESETS[0].recipe().unwrap();
        name.clone_into(&mut recipe.name);
        JobView {
            id: JobId(format!("20261125-093000_{name}")),
            folder: PathBuf::from("/runs").join(name),
            steps: recipe.steps,
            recipe: Arc::new(recipe),
            state,
            place: None,
            step: 0,
            seconds_left: None,
            points: Arc::default(),
            evaluations: Arc::default(),
            checkpoints: Arc::default(),
            warnings: Arc::default(),
            failure: None,
            log_tail: "".into(),
            device: String::new(),
            weights: done.then(|| PathBuf::from("/runs").join(name).join("weights/hf")),
        }
    }

    fn list(session: &mut Session, jobs: &[JobView]) {
        session.apply_jobs(JobsEvent::Jobs(Arc::new(jobs.to_vec())));
    }

    #[test]
    fn only_jobs_of_this_window_open_when_they_are_done() {
        let mut session = Session::default();
        list(&mut session, &[job("old", JobState::Running, false)]);
        session.jobs.await_job("new", true);
        session.jobs.await_job("quiet", false);
        let [old, new, quiet] = ["old", "new", "quiet"].map(|name| job(name, JobState::Running, false));
        list(&mut session, &[quiet, new.clone(), old]);
        assert!(session.jobs.opens_when_done(&new.id));
        assert_eq!(session.jobs.started.len(), 2);
        let done = ["quiet", "new", "old"].map(|name| job(name, JobState::Done, true));
        list(&mut session, &done);
        assert_eq!(session.jobs.opening, std::slice::from_ref(&new.id));
        let told: Vec<_> = session.notices.list().iter().map(|notice| notice.gravity).collect();
        assert_eq!(told, [Gravity::News; 3]);
        list(&mut session, &done);
        assert_eq!((session.jobs.opening.len(), session.notices.list().len()), (1, 3), "an end is told once");
    }

    #[test]
    fn jobs_that_ended_before_the_window_opened_are_no_news() {
        let mut session = Session::default();
        list(&mut session, &[job("old", JobState::Done, true), job("bad", JobState::Failed, false)]);
        assert!(session.notices.list().is_empty() && session.jobs.known);
    }

    #[test]
    fn failures_and_interruptions_are_told_with_what_to_do() {
        let mut session = Session::default();
        list(&mut session, &[job("a", JobState::Running, false), job("b", JobState::Running, false)]);
        let mut failed = job("a", JobState::Failed, false);
        failed.failure = Some("no image can be read".into());
        list(&mut session, &[failed, job("b", JobState::Interrupted, false)]);
        let told: Vec<_> = session.notices.list().iter().map(|n| (n.gravity, n.summary.as_str())).collect();
        assert_eq!(
            told,
            [
                (Gravity::Failure, "a failed: no image can be read"),
                (Gravity::Warning, "b was interrupted; resumed, it goes on from step 0"),
            ]
        );
    }

    #[test]
    fn an_undo_stands_until_the_job_is_back() {
        let mut session = Session::default();
        let kept = job("kept", JobState::Done, true);
        let gone = job("gone", JobState::Done, true);
        list(&mut session, &[kept.clone(), gone.clone()]);
        session.jobs.removed = Some((gone.id.clone(), "gone".into()));
        list(&mut session, &[kept.clone(), gone.clone()]);
        assert!(session.jobs.removed.is_some(), "an answer from before the removal");
        list(&mut session, std::slice::from_ref(&kept));
        assert!(session.jobs.removed.is_some());
        list(&mut session, &[kept, gone]);
        assert!(session.jobs.removed.is_none());
    }

    #[test]
    fn a_trial_that_fails_is_told_where_it_was_asked_for() {
        let mut session = Session::default();
        let failed = |what: &str| JobsEvent::Failed { what: what.into(), details: "no room".into() };
        session.jobs.trial = Trial::Running;
        session.apply_jobs(failed("Trial"));
        assert_eq!((&session.jobs.trial, session.notices.list().len()), (&Trial::Failed("no room".into()), 0));
        session.apply_jobs(failed("Stop demo"));
        assert_eq!(session.notices.list()[0].summary, "Stop demo: no room");
    }

    #[test]
    fn what_was_refused_is_not_waited_for() {
        let mut session = Session::default();
        let kept = job("kept", JobState::Running, false);
        list(&mut session, std::slice::from_ref(&kept));
        session.jobs.removed = Some((kept.id.clone(), "kept".into()));
        session.jobs.await_job("other", true);
        for what in [format!("Remove {}", kept.id), "Queue other".into()] {
            session.apply_jobs(JobsEvent::Failed { what, details: "no".into() });
        }
        assert!(session.jobs.removed.is_none() && session.jobs.awaited.is_empty());
    }

    #[test]
    fn a_running_mean_follows_slowly_and_starts_at_the_first_value() {
        let flat: Vec<[f64; 2]> = (0..100).map(|x| [f64::from(x), 2.0]).collect();
        assert!(smoothed(&flat).iter().all(|point| (point[1] - 2.0).abs() < 1e-12));
        let step: Vec<[f64; 2]> = (0..300).map(|x| [f64::from(x), if x < 150 { 0.0 } else { 1.0 }]).collect();
        let mean = smoothed(&step);
        assert_eq!((mean[149][1], mean[0]), (0.0, [0.0, 0.0]));
        // A 30th of the curve, 10 values, closes all but 1/e of a step.
        assert!((mean[159][1] - (1.0 - (-1.0_f64).exp())).abs() < 1e-6, "{}", mean[159][1]);
        assert!(smoothed(&[]).is_empty());
    }

    #[test]
    fn evaluations_become_a_table_of_alphas() {
        let scored = |step, alpha, benchmark: &str, value| Evaluation {
            step,
            alpha,
            benchmark: benchmark.into(),
            task: Some("swap_obj".into()),
            metric: "accuracy".into(),
            value,
            interval: [value, value],
            scored: 10,
        };
        let all = [
            scored(100, 0.0, "b", 1.0),
            scored(100, 1.0, "b", 2.0),
            scored(200, 0.6, "b", 3.0),
            scored(100, 0.0, "a", 4.0),
            scored(100, 0.0, "a", 5.0),
        ];
        assert_eq!(alphas(&all), [0.0, 0.6, 1.0]);
        let rows = score_rows(&all);
        let told = |row: &ScoreRow| row.at.iter().map(|e| e.as_ref().map(|e| e.value)).collect::<Vec<_>>();
        let told: Vec<_> = rows.iter().map(|row| (row.title.as_str(), row.step, told(row))).collect();
        assert_eq!(
            told,
            [
                ("a swap obj", 100, vec![Some(5.0), None, None]),
                ("b swap obj", 200, vec![None, Some(3.0), None]),
                ("b swap obj", 100, vec![Some(1.0), None, Some(2.0)]),
            ]
        );
    }
}
