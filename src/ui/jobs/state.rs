//! What the Jobs panel was told: which job, which others beside it, which part of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::jobs::{JobId, JobView};
use crate::session::jobs::Measured;
use crate::session::{Jobs, Session};

/// A part of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Curves over the steps.
    #[default]
    Curves,
    /// Scores of the patch during the run.
    Scores,
    /// What can be opened.
    Checkpoints,
    /// Warnings and the log.
    Log,
    /// The frozen recipe.
    Recipe,
}

/// The panel's own state.
#[derive(Debug, Default)]
pub struct JobsState {
    /// The runs folder, to be shown.
    pub runs: PathBuf,
    /// Which part of the chosen job is shown.
    pub part: Part,
    /// What its curves show.
    pub measured: Measured,
    chosen: Option<JobId>,
    compared: BTreeSet<JobId>,
}

impl JobsState {
    /// For this runs folder.
    pub fn new(runs: PathBuf) -> Self {
        Self { runs, ..Self::default() }
    }

    /// Shows a job.
    pub fn choose(&mut self, id: JobId) {
        self.compared.remove(&id);
        self.chosen = Some(id);
    }

    /// The job that is shown: the chosen one, or else the one that runs, or else the newest.
    pub fn chosen<'a>(&self, jobs: &'a Jobs) -> Option<&'a JobView> {
        let chosen = self.chosen.as_ref().and_then(|id| jobs.get(id));
        chosen.or_else(|| jobs.running()).or_else(|| jobs.list.first())
    }

    /// Whether a job's curves are drawn beside those of the chosen one.
    pub fn is_compared(&self, id: &JobId) -> bool {
        self.compared.contains(id)
    }

    /// Draws a job's curves beside those of the chosen one, or no longer.
    pub fn compare(&mut self, id: &JobId, on: bool) {
        if on {
            self.compared.insert(id.clone());
        } else {
            self.compared.remove(id);
        }
    }

    /// The jobs whose curves are drawn: the chosen one first, then the others as listed.
    pub fn drawn<'a>(&self, session: &'a Session) -> Vec<&'a JobView> {
        let chosen = self.chosen(&session.jobs);
        let id = chosen.map(|job| &job.id);
        let others = session.jobs.list.iter().filter(|job| self.compared.contains(&job.id) && Some(&job.id) != id);
        chosen.into_iter().chain(others).collect()
    }
}
