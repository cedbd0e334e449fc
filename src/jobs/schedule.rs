//! Starts what waits when the device is free, and sees to it that what was asked to stop does.
//!
//! Any number of processes may do this for one runs folder: the queue's lock makes them take turns.

use std::fs::{File, OpenOptions};
use std::process::Child;
use std::time::Duration;

use clove_training::run_directory::RunDirectory;

use super::folder::{ASKED, CONTROL, Folder, LOG, is_live};
use super::local::Local;
use super::queue::{Order, Queue};
use super::runs::Runs;
use super::watch::Watch;
use super::{JobId, JobState, JobsError, process};

/// A worker looks between two steps, so it may take so many steps, and this time to save.
const STOP_STEPS: f64 = 3.0;
const STOP_SECONDS: f64 = 60.0;
/// Beside `stop`: somebody has sent SIGTERM. A second one would end the worker at once.
const TERMINATED: &str = "terminated";

/// Starts jobs of one runs folder.
#[derive(Debug)]
pub struct Schedule {
    runs: Runs,
    launcher: Local,
    workers: Vec<(JobId, Child)>,
    /// Why nothing could be started at the last try, to be told once.
    trouble: Option<String>,
}

/// Something worth saying: what was to be done, and what came of it.
pub type Note = (String, String);

impl Schedule {
    /// Has started nothing.
    pub fn new(runs: Runs, launcher: Local) -> Self {
        Self { runs, launcher, workers: Vec::new(), trouble: None }
    }

    /// The same for another runs folder; workers of the one before are still waited for.
    #[must_use]
    pub fn moved_to(self, runs: Runs) -> Self {
        Self { runs, ..self }
    }

    /// Lets go of workers that ended, presses those that were asked to stop and do not, starts the next job.
    pub fn tick(&mut self, watch: &Watch) -> Vec<Note> {
        // Who is not waited for stays in the process table.
        self.workers.retain_mut(|(_, child)| matches!(child.try_wait(), Ok(None)));
        let mut notes = Self::press_all(watch);
        let order = Order::read(self.runs.folder());
        let is_busy = watch.folders().any(|(_, folder)| folder.state().is_live());
        if !order.jobs.is_empty() && !is_busy {
            match self.start_next() {
                Ok(note) => {
                    self.trouble = None;
                    notes.extend(note);
                }
                Err(error) => {
                    let trouble = Some(error.to_string());
                    if trouble != self.trouble {
                        notes.extend(trouble.clone().map(|why| ("Start the next job".to_owned(), why)));
                    }
                    self.trouble = trouble;
                }
            }
        }
        notes
    }

    /// Presses every worker that was asked to stop and had time to. What was done about which.
    pub fn press_all(watch: &Watch) -> Vec<Note> {
        let stopping = watch.folders().filter(|(_, folder)| folder.state() == JobState::Stopping);
        stopping.filter_map(|(id, folder)| Some((format!("Stop {id}"), Self::press(folder)?))).collect()
    }

    /// Whether a worker that this process started is alive.
    pub fn has_workers(&self) -> bool {
        !self.workers.is_empty()
    }

    fn start_next(&mut self) -> Result<Option<Note>, JobsError> {
        let mut queue = Queue::lock(self.runs.folder())?;
        let runs = RunDirectory::list(self.runs.folder())?;
        if queue.order.is_starting(None, process::now()) || runs.iter().any(|run| is_live(run.path())) {
            return Ok(None);
        }
        let Some(id) = queue.order.jobs.first().cloned() else { return Ok(None) };
        let Ok(run) = self.runs.run(&id) else {
            // Somebody took the folder away.
            queue.order.take(&id);
            queue.save()?;
            return Ok(None);
        };
        if run.path().join("result.json").is_file() {
            queue.order.take(&id);
            queue.save()?;
            return Ok(None);
        }
        queue.starting(&id);
        queue.save()?;
        let control = run.path().join(CONTROL);
        for leftover in ["stop", "save", ASKED, TERMINATED] {
            // Most are not there.
            let _ = std::fs::remove_file(control.join(leftover));
        }
        let has_begun = run.path().join("events.jsonl").exists();
        let started = self.launcher.start(run.path(), has_begun);
        queue.started(&id, started.as_ref().ok().map(Child::id));
        // The worker lives either way, and its lock tells.
        let saved = queue.save();
        match started {
            Ok(child) => {
                self.workers.push((id, child));
                saved.map(|()| None)
            }
            Err(error) => {
                // The job says why it is out of the queue.
                let _ = log(&run, &error.to_string());
                Ok(Some((format!("Start {id}"), error.to_string())))
            }
        }
    }

    /// Sends SIGTERM, once, to a worker that was asked to stop and had time to.
    fn press(folder: &Folder) -> Option<String> {
        let path = folder.run().path();
        let asked = folder.asked_to_stop()?;
        let step = folder.history().seconds_per_step(folder.recipe().batch).unwrap_or_default();
        let patience = Duration::try_from_secs_f64(STOP_SECONDS + STOP_STEPS * step).ok()?;
        let pid = folder.history().pid?;
        if asked.elapsed().ok()? < patience || folder.since_start(TERMINATED).is_some() || !is_live(path) {
            return None;
        }
        let mark = path.join(CONTROL).join(TERMINATED);
        // An earlier worker's is in the way.
        let _ = std::fs::remove_file(&mark);
        OpenOptions::new().write(true).create_new(true).open(&mark).ok()?;
        let waited = patience.as_secs();
        Some(match process::terminate(pid, path) {
            Ok(()) => format!(
                "its worker did not stop within {waited} s and was sent SIGTERM; if it goes on, end process {pid} yourself"
            ),
            Err(error) => format!(
                "its worker did not stop within {waited} s and cannot be told ({error}); end process {pid} yourself"
            ),
        })
    }
}

fn log(run: &RunDirectory, line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut log = File::options().create(true).append(true).open(run.path().join(LOG))?;
    writeln!(log, "clove: {line}")
}
