//! What can be done to the jobs in a runs folder. Every change is on disk when the call returns, so that a window and a
//! command line agree.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clove_training::Recipe;
use clove_training::run_directory::{Control, RunDirectory, RunError};

use super::folder::{ASKED, CONTROL, Folder, is_live};
use super::queue::{Order, Queue, Removed};
use super::watch::Watch;
use super::{JobId, JobState, JobView, JobsError, process};

/// Where removed jobs go, inside the runs folder.
const REMOVED: &str = ".removed";

/// A folder of run directories and its queue.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
}

impl JobId {
    /// Whether it is the name of one visible folder, and so cannot lead out of the runs folder.
    pub fn is_plain(&self) -> bool {
        let mut parts = Path::new(&self.0).components();
        let one =
            matches!((parts.next(), parts.next()), (Some(Component::Normal(name)), None) if name == self.0.as_str());
        one && !self.0.starts_with('.') && !self.0.contains('\0')
    }
}

impl Runs {
    /// The folder need not be there: the first job makes it.
    pub fn new(folder: &Path) -> Self {
        Self { folder: std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()) }
    }

    /// The folder, as an absolute path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All jobs, newest first, and the folders that cannot be shown with the reason.
    pub fn jobs(&self) -> (Arc<Vec<JobView>>, Vec<(String, String)>) {
        let seen = Watch::new(&self.folder).look();
        (seen.jobs.unwrap_or_default(), seen.unreadable)
    }

    /// The one job whose name is `part`, or else holds it.
    ///
    /// # Errors
    /// None, or several.
    pub fn find(&self, part: &str) -> Result<JobId, JobsError> {
        let names: Vec<JobId> = RunDirectory::list(&self.folder)?.iter().map(|run| JobId(run.name())).collect();
        let whole = JobId(part.to_owned());
        if names.contains(&whole) {
            return Ok(whole);
        }
        let mut fits: Vec<JobId> = names.into_iter().filter(|id| !part.is_empty() && id.0.contains(part)).collect();
        match (fits.pop(), fits.len()) {
            (Some(id), 0) => Ok(id),
            (None, _) => Err(JobsError::NoJob { id: whole, runs: self.folder.clone() }),
            (_, n) => Err(JobsError::Ambiguous { part: part.to_owned(), n: n + 1, runs: self.folder.clone() }),
        }
    }

    /// Freezes the recipe as a new run directory at the end of the queue. Relative paths are taken from this process's
    /// folder and written as absolute ones, since the worker may be started from elsewhere.
    ///
    /// # Errors
    /// A recipe out of range, a folder that cannot be written.
    pub fn queue(&self, recipe: &Recipe) -> Result<JobId, JobsError> {
        let mut queue = Queue::lock(&self.folder)?;
        let run = self.create(recipe)?;
        let id = JobId(run.name());
        queue.order.push(id.clone());
        queue.save()?;
        Ok(id)
    }

    /// Freezes the recipe as a new run directory that is in no queue.
    pub(super) fn create(&self, recipe: &Recipe) -> Result<RunDirectory, JobsError> {
        Ok(RunDirectory::create(&self.folder, &with_absolute_paths(recipe), SystemTime::now())?)
    }

    /// Replaces the recipe of a job that no worker has begun.
    ///
    /// # Errors
    /// A job that has begun, a recipe out of range.
    pub fn edit(&self, id: &JobId, recipe: &Recipe) -> Result<(), JobsError> {
        // Under the lock, so that nobody starts it meanwhile.
        let queue = Queue::lock(&self.folder)?;
        let run = self.run(id)?;
        if queue.order.is_starting(Some(id), process::now()) {
            return Err(RunError::Begun { path: run.path().to_owned() }.into());
        }
        Ok(run.edit(&with_absolute_paths(recipe))?)
    }

    /// One place earlier or later in the queue; at the end of it, nothing.
    ///
    /// # Errors
    /// A job that does not wait.
    pub fn shift(&self, id: &JobId, later: bool) -> Result<(), JobsError> {
        let mut queue = Queue::lock(&self.folder)?;
        if queue.order.place(id).is_none() {
            let state = self.state(id)?.name();
            return Err(JobsError::State { id: id.clone(), state, instead: "only queued jobs have a place" });
        }
        if queue.order.shift(id, later) { queue.save() } else { Ok(()) }
    }

    /// Asks the worker to save and end; takes a job that waits out of the queue. Which of them it was.
    ///
    /// # Errors
    /// A job that neither runs nor waits.
    pub fn stop(&self, id: &JobId) -> Result<JobState, JobsError> {
        let mut queue = Queue::lock(&self.folder)?;
        let run = self.run(id)?;
        if is_live(run.path()) || queue.order.is_starting(Some(id), process::now()) {
            let folder = Folder::open(run, &queue.order)?;
            if folder.asked_to_stop().is_none() {
                let asked = folder.run().path().join(CONTROL).join(ASKED);
                std::fs::write(&asked, "").map_err(JobsError::io("ask the worker", &asked))?;
            }
            folder.run().request(Control::Stop)?;
            return Ok(JobState::Stopping);
        }
        if queue.order.take(id).is_some() {
            queue.save()?;
            return Ok(JobState::Stopped);
        }
        let state = self.state(id)?.name();
        Err(JobsError::State { id: id.clone(), state, instead: "there is nothing to stop" })
    }

    /// Asks the worker for a checkpoint now.
    ///
    /// # Errors
    /// A job that does not run.
    pub fn save(&self, id: &JobId) -> Result<(), JobsError> {
        let run = self.run(id)?;
        if !is_live(run.path()) {
            let state = self.state(id)?.name();
            return Err(JobsError::State { id: id.clone(), state, instead: "only a running job can save" });
        }
        Ok(run.request(Control::Save)?)
    }

    /// Puts a job that ended before its end into the queue, to go on from its last checkpoint.
    ///
    /// # Errors
    /// A job that waits, runs or is done.
    pub fn resume(&self, id: &JobId) -> Result<(), JobsError> {
        let mut queue = Queue::lock(&self.folder)?;
        let state = self.state(id)?;
        if !state.can_resume() || queue.order.is_starting(Some(id), process::now()) {
            let instead = if state == JobState::Done { "queue a new one" } else { "it goes on by itself" };
            return Err(JobsError::State { id: id.clone(), state: state.name(), instead });
        }
        queue.order.push(id.clone());
        queue.save()
    }

    /// Moves the run directory to `.removed` inside the runs folder. Nothing is deleted.
    ///
    /// # Errors
    /// A job that runs, a folder that cannot be moved.
    pub fn remove(&self, id: &JobId) -> Result<(), JobsError> {
        let mut queue = Queue::lock(&self.folder)?;
        let run = self.run(id)?;
        if is_live(run.path()) || queue.order.is_starting(Some(id), process::now()) {
            return Err(JobsError::State { id: id.clone(), state: "running", instead: "stop it first" });
        }
        let removed = self.folder.join(REMOVED);
        std::fs::create_dir_all(&removed).map_err(JobsError::io("make the folder for removed jobs", &removed))?;
        move_folder(id, run.path(), &removed.join(&id.0))?;
        queue.order.removed.retain(|removed| removed.id != *id);
        if let Some(place) = queue.order.take(id) {
            queue.order.removed.push(Removed { id: id.clone(), place });
        }
        queue.save()
    }

    /// Undoes [`Runs::remove`]: the run directory, and its place in the queue if it had one.
    ///
    /// # Errors
    /// A job that was not removed, a folder that cannot be moved.
    pub fn restore(&self, id: &JobId) -> Result<(), JobsError> {
        let mut queue = Queue::lock(&self.folder)?;
        let from = self.folder.join(REMOVED).join(&id.0);
        if !id.is_plain() || !from.is_dir() {
            return Err(JobsError::NoJob { id: id.clone(), runs: self.folder.join(REMOVED) });
        }
        move_folder(id, &from, &self.folder.join(&id.0))?;
        let place = queue.order.removed.iter().position(|removed| removed.id == *id);
        if let Some(removed) = place.map(|place| queue.order.removed.remove(place)) {
            let jobs = &mut queue.order.jobs;
            jobs.insert(removed.place.min(jobs.len()), removed.id);
        }
        queue.save()
    }

    /// The run directory of a job.
    pub(super) fn run(&self, id: &JobId) -> Result<RunDirectory, JobsError> {
        let none = || JobsError::NoJob { id: id.clone(), runs: self.folder.clone() };
        if !id.is_plain() {
            return Err(none());
        }
        RunDirectory::open(self.folder.join(&id.0)).map_err(|_| none())
    }

    /// Where a job stands now.
    fn state(&self, id: &JobId) -> Result<JobState, JobsError> {
        Ok(Folder::open(self.run(id)?, &Order::read(&self.folder))?.state())
    }
}

/// Never over another folder: a rename onto an empty one would succeed.
fn move_folder(id: &JobId, from: &Path, to: &Path) -> Result<(), JobsError> {
    if to.exists() {
        return Err(JobsError::Taken { id: id.clone(), folder: to.to_owned() });
    }
    std::fs::rename(from, to).map_err(JobsError::io("move the run directory", from))
}

fn with_absolute_paths(recipe: &Recipe) -> Recipe {
    let absolute = |path: &str| {
        if path.is_empty() || path.starts_with("demo:") {
            return path.to_owned();
        }
        std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.to_string_lossy().into_owned())
    };
    let mut recipe = recipe.clone();
    recipe.base = absolute(&recipe.base);
    recipe.evaluate_data = absolute(&recipe.evaluate_data);
    recipe.data.iter_mut().for_each(|source| *source = absolute(source));
    recipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_visible_folders_are_plain() {
        for name in ["20261125-094501_demo", "a b", "…"] {
            assert!(JobId(name.into()).is_plain(), "{name}");
        }
        for name in ["", ".", "..", ".removed", "a/b", "a/", "./a", "/etc", "../a", "a\0b"] {
            assert!(!JobId(name.into()).is_plain(), "{name}");
        }
    }
}
