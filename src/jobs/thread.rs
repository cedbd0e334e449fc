//! One named thread that watches a runs folder, answers commands and starts what waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use clove_training::Recipe;

use super::{
    JobsCommand, JobsError, JobsEvent, Link, Local, Runs, Schedule, Watch, check, default_runs, read_recipe, trial,
};
use crate::device::DeviceChoice;

/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// Where events leave: a channel, and a call that wakes the window.
#[derive(Clone)]
struct Outbox {
    events: Sender<JobsEvent>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Outbox {
    fn send(&self, event: JobsEvent) {
        // The window may be gone already; nobody is left to be told then.
        if self.events.send(event).is_ok() {
            (self.wake)();
        }
    }

    fn fail(&self, what: impl Into<String>, details: impl Into<String>) {
        self.send(JobsEvent::Failed { what: what.into(), details: details.into() });
    }
}

/// Starts the thread; workers are this very program on `device`. It watches nothing until [`JobsCommand::Watch`].
/// `wake` is called after each event.
pub fn start(device: DeviceChoice, wake: Arc<dyn Fn() + Send + Sync>) -> Link {
    start_with(Local::this_program(device), device, wake)
}

/// As [`start`], with other workers. One that cannot be had is told when a job is to be started.
pub fn start_with(launcher: Result<Local, JobsError>, device: DeviceChoice, wake: Arc<dyn Fn() + Send + Sync>) -> Link {
    let (events, received) = channel();
    let (commands, inbox) = channel();
    let outbox = Outbox { events, wake };
    let launcher = launcher.unwrap_or_else(|error| {
        outbox.fail("Look for the worker's program", error.to_string());
        Local { program: PathBuf::from("clove"), device: None }
    });
    let checks = Checks::start(&outbox, device);
    let thread = Thread { outbox: outbox.clone(), launcher, watched: None, checks, trial: None };
    spawn("clove-jobs", &outbox, move || thread.run(&inbox));
    let send = move |command| {
        // A thread that is gone has told why.
        let _ = commands.send(command);
    };
    Link::new(send, received)
}

struct Watched {
    runs: Runs,
    watch: Watch,
    schedule: Schedule,
}

struct Trial {
    cancelled: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Trial {
    fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

struct Thread {
    outbox: Outbox,
    launcher: Local,
    watched: Option<Watched>,
    checks: Checks,
    trial: Option<Trial>,
}

impl Thread {
    fn run(mut self, inbox: &Receiver<JobsCommand>) {
        loop {
            let mut next = inbox.recv_timeout(BETWEEN_LOOKS);
            loop {
                match next {
                    Ok(JobsCommand::Quit) | Err(RecvTimeoutError::Disconnected) => return self.cancel_trial(),
                    Ok(command) => self.answer(command),
                    Err(RecvTimeoutError::Timeout) => break,
                }
                next = inbox.recv_timeout(Duration::ZERO);
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let is_trying = self.trial.as_ref().is_some_and(Trial::is_running);
        let Some(watched) = &mut self.watched else { return };
        let seen = watched.watch.look();
        if let Some(jobs) = seen.jobs {
            self.outbox.send(JobsEvent::Jobs(jobs));
        }
        for (name, why) in seen.unreadable {
            self.outbox.fail(format!("Read {name}"), why);
        }
        // A trial has the device for itself, or it would measure something else.
        let notes = if is_trying { Vec::new() } else { watched.schedule.tick(&watched.watch) };
        for (what, details) in notes {
            self.outbox.fail(what, details);
        }
    }

    fn answer(&mut self, command: JobsCommand) {
        match command {
            JobsCommand::Watch(folder) => self.watch(&folder),
            JobsCommand::Check(recipe) => self.checks.ask(recipe, self.runs_folder()),
            JobsCommand::Trial(recipe) => self.start_trial(recipe),
            JobsCommand::CancelTrial => self.cancel_trial(),
            JobsCommand::ReadRecipe(path) => match read_recipe(&path) {
                Ok(recipe) => self.outbox.send(JobsEvent::RecipeRead(Arc::new(recipe))),
                Err(error) => self.outbox.fail("Read the recipe", error.to_string()),
            },
            other => self.change(other),
        }
    }

    /// The commands that change what is on disk.
    fn change(&self, command: JobsCommand) {
        let Some(watched) = &self.watched else {
            return self.outbox.fail("Change a job", "no runs folder is watched; open one first");
        };
        let runs = &watched.runs;
        let (what, done) = match command {
            JobsCommand::Queue(recipe) => (format!("Queue {}", recipe.name), runs.queue(&recipe).map(drop)),
            JobsCommand::Edit(id, recipe) => (format!("Edit {id}"), runs.edit(&id, &recipe)),
            JobsCommand::MoveUp(id) => (format!("Move {id}"), runs.shift(&id, false)),
            JobsCommand::MoveDown(id) => (format!("Move {id}"), runs.shift(&id, true)),
            JobsCommand::Stop(id) => (format!("Stop {id}"), runs.stop(&id).map(drop)),
            JobsCommand::Save(id) => (format!("Save {id}"), runs.save(&id)),
            JobsCommand::Resume(id) => (format!("Resume {id}"), runs.resume(&id)),
            JobsCommand::Remove(id) => (format!("Remove {id}"), runs.remove(&id)),
            JobsCommand::Restore(id) => (format!("Restore {id}"), runs.restore(&id)),
            _ => return,
        };
        if let Err(error) = done {
            self.outbox.fail(what, error.to_string());
        }
    }

    fn watch(&mut self, folder: &Path) {
        let runs = Runs::new(folder);
        let schedule = match self.watched.take() {
            Some(watched) => watched.schedule.moved_to(runs.clone()),
            None => Schedule::new(runs.clone(), self.launcher.clone()),
        };
        let watch = Watch::new(runs.folder());
        self.watched = Some(Watched { runs, watch, schedule });
    }

    fn runs_folder(&self) -> PathBuf {
        self.watched.as_ref().map_or_else(default_runs, |watched| watched.runs.folder().to_owned())
    }

    fn start_trial(&mut self, recipe: Box<Recipe>) {
        self.cancel_trial();
        let is_busy = |watched: &Watched| watched.watch.folders().any(|(_, folder)| folder.state().is_live());
        if self.watched.as_ref().is_some_and(is_busy) {
            return self.outbox.fail("Trial", "a job has the device; try when it is done, or stop it first");
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        let (launcher, runs, outbox) = (self.launcher.clone(), self.runs_folder(), self.outbox.clone());
        let flag = Arc::clone(&cancelled);
        let thread = spawn("clove-trial", &self.outbox, move || match trial(&launcher, &runs, &recipe, &flag) {
            Ok(Some(report)) => outbox.send(JobsEvent::TrialDone(Arc::new(report))),
            Ok(None) => {}
            Err(error) => outbox.fail("Trial", error.to_string()),
        });
        self.trial = Some(Trial { cancelled, thread });
    }

    /// Ends the trial and waits for that, which takes milliseconds.
    fn cancel_trial(&mut self) {
        let Some(mut trial) = self.trial.take() else { return };
        trial.cancelled.store(true, Ordering::Relaxed);
        if let Some(thread) = trial.thread.take() {
            // Its panic was told already.
            let _ = thread.join();
        }
    }
}

/// A thread for checks, which may have to read gigabytes. The newest question is answered, older ones are dropped.
struct Checks(Sender<(Box<Recipe>, PathBuf)>);

impl Checks {
    fn start(outbox: &Outbox, device: DeviceChoice) -> Self {
        let (questions, inbox) = channel::<(Box<Recipe>, PathBuf)>();
        let answers = outbox.clone();
        spawn("clove-checks", outbox, move || {
            while let Ok(first) = inbox.recv() {
                let (recipe, runs) = inbox.try_iter().last().unwrap_or(first);
                answers.send(JobsEvent::Checked(Arc::new(check(&recipe, &runs, device))));
            }
        });
        Self(questions)
    }

    fn ask(&self, recipe: Box<Recipe>, runs: PathBuf) {
        // A thread that is gone has told why.
        let _ = self.0.send((recipe, runs));
    }
}

/// A named thread whose panic, should a dependency have one, reaches the window as a sentence.
fn spawn(name: &'static str, outbox: &Outbox, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let told = outbox.clone();
    let guarded = move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            let cause = panic.downcast_ref::<String>().cloned();
            let cause = cause.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
            let details = format!("the thread {name} stopped unexpectedly; restart clove and report this: {cause}");
            told.fail("Jobs", details);
        }
    };
    match std::thread::Builder::new().name(name.into()).spawn(guarded) {
        Ok(thread) => Some(thread),
        Err(error) => {
            outbox.fail(
                "Jobs",
                format!("the thread {name} cannot be started; close other programs and try again: {error}"),
            );
            None
        }
    }
}
