//! Jobs from outside: queue, schedule, watcher, command line; with a worker that is a script, and hand-made folders.

mod cli;
mod folders;
mod real;
mod slurm;
mod thread;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clove::jobs::{JobId, JobState, JobView, Local, Runs, Schedule, Watch};
use clove_training::Recipe;
use clove_training::recipe::NegativeSource;

const PATIENCE: Duration = Duration::from_secs(30);

/// A runs folder in a room of its own, with the script as the worker.
struct Yard {
    room: tempfile::TempDir,
    runs: Runs,
}

fn recipe(name: &str, steps: u64) -> Recipe {
    let text = include_str!("../../training/recipes/demo-tuned-3.toml");
    let (data, negatives) = (vec!["demo:scenes".into()], NegativeSource::Given);
    Recipe { name: name.into(), steps, data, negatives, ..Recipe::from_toml(text).unwrap() }
}

impl Yard {
    fn new() -> Self {
        let room = tempfile::tempdir().unwrap();
        let runs = Runs::new(&room.path().join("runs"));
        let yard = Self { room, runs };
        std::fs::write(yard.worker(), include_str!("jobs/worker.sh")).unwrap();
        std::fs::set_permissions(yard.worker(), std::fs::Permissions::from_mode(0o755)).unwrap();
        yard
    }

    fn worker(&self) -> PathBuf {
        self.room.path().join("worker")
    }

    fn launcher(&self) -> Local {
        Local { program: self.worker(), device: None }
    }

    fn schedule(&self) -> Schedule {
        Schedule::new(self.runs.clone(), self.launcher())
    }

    fn queue(&self, name: &str, steps: u64) -> JobId {
        self.runs.queue(&recipe(name, steps)).unwrap()
    }

    fn view(&self, id: &JobId) -> JobView {
        let (jobs, unreadable) = self.runs.jobs();
        assert!(unreadable.is_empty(), "{unreadable:?}");
        jobs.iter().find(|job| job.id == *id).unwrap().clone()
    }

    fn state(&self, id: &JobId) -> JobState {
        self.view(id).state
    }

    fn folder(&self, id: &JobId) -> PathBuf {
        self.runs.folder().join(&id.0)
    }

    /// What workers began and ended, in order.
    fn trace(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.room.path().join("trace")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// One scheduler, until `is_over`.
    fn run_until(&self, is_over: impl Fn(&[JobView]) -> bool) {
        let (mut schedule, mut watch) = (self.schedule(), Watch::new(self.runs.folder()));
        let mut jobs = Vec::new();
        wait_for("the jobs", || {
            if let Some(news) = watch.look().jobs {
                jobs.clone_from(&news);
            }
            let notes = schedule.tick(&watch);
            assert!(notes.is_empty(), "{notes:?}");
            is_over(&jobs)
        });
    }
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn all_are(state: JobState) -> impl Fn(&[JobView]) -> bool {
    move |jobs| !jobs.is_empty() && jobs.iter().all(|job| job.state == state)
}

fn pid(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
    let started = text.lines().rfind(|line| line.contains("\"started\"")).unwrap();
    started.split("\"pid\":").nth(1).unwrap().split(',').next().unwrap().to_owned()
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

#[test]
fn several_schedulers_run_the_queue_in_order_one_job_at_a_time_and_each_once() {
    let yard = Yard::new();
    let ids = ["a", "b", "c", "d"].map(|name| yard.queue(name, 4));
    yard.runs.shift(&ids[3], false).unwrap();
    yard.runs.shift(&ids[3], false).unwrap();
    yard.runs.shift(&ids[0], true).unwrap();
    assert_eq!(ids.map(|id| yard.view(&id).place), [Some(1), Some(2), Some(3), Some(0)]);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| yard.run_until(all_are(JobState::Done)));
        }
    });
    let order = ["d", "a", "b", "c"].into_iter().flat_map(|name| [format!("begin {name}"), format!("end {name}")]);
    assert_eq!(yard.trace(), order.collect::<Vec<_>>());
}

#[test]
fn a_killed_worker_is_interrupted_and_goes_on_from_its_checkpoint() {
    let yard = Yard::new();
    let id = yard.queue("long", 60);
    yard.run_until(|jobs| jobs.first().is_some_and(|job| job.step >= 8));
    assert_eq!(yard.state(&id), JobState::Running);
    kill("-9", &pid(&yard.folder(&id)));
    wait_for("the interruption", || yard.state(&id) == JobState::Interrupted);
    assert!(yard.view(&id).weights.is_none() && yard.view(&id).place.is_none());
    yard.runs.resume(&id).unwrap();
    assert_eq!((yard.state(&id), yard.view(&id).place), (JobState::Queued, Some(0)));
    yard.run_until(all_are(JobState::Done));
    let view = yard.view(&id);
    let steps: Vec<u64> = view.points.iter().map(|point| point.step).collect();
    assert_eq!(steps, (1..=60).collect::<Vec<_>>(), "what was lost is there once");
    assert_eq!(yard.trace(), ["begin long", "begin long", "end long"]);
    assert_eq!(view.weights, Some(yard.folder(&id).join("weights/hf")));
    assert_eq!(view.checkpoints.last().unwrap().step, 60);
    assert!(yard.runs.resume(&id).unwrap_err().to_string().contains("done"));
}

#[test]
fn stopping_saves_and_leaves_the_rest_of_the_queue_alone() {
    let yard = Yard::new();
    let (first, second) = (yard.queue("first", 200), yard.queue("second", 3));
    yard.run_until(|jobs| jobs.iter().any(|job| job.step >= 3));
    assert!(yard.runs.save(&second).unwrap_err().to_string().contains("queued"));
    yard.runs.save(&first).unwrap();
    assert!(yard.folder(&first).join("control/save").exists());
    assert_eq!(yard.runs.stop(&second).unwrap(), JobState::Stopped);
    assert_eq!(yard.runs.stop(&first).unwrap(), JobState::Stopping);
    assert!(matches!(yard.state(&first), JobState::Stopping | JobState::Stopped));
    wait_for("the stop", || yard.state(&first) == JobState::Stopped);
    assert_eq!(yard.state(&second), JobState::Stopped);
    assert_eq!(yard.trace(), ["begin first", "end first"]);
    assert!(yard.runs.stop(&first).unwrap_err().to_string().contains("nothing to stop"));
    let reached = yard.view(&first).step;
    yard.runs.resume(&second).unwrap();
    yard.runs.resume(&first).unwrap();
    yard.run_until(|jobs| jobs.iter().any(|job| job.id == first && job.step > reached));
    assert_eq!(yard.trace()[2..], ["begin second", "end second", "begin first"]);
    yard.runs.stop(&first).unwrap();
    wait_for("the stop", || yard.state(&first) == JobState::Stopped);
}

#[test]
fn a_worker_that_fails_says_why_and_the_next_one_starts() {
    let yard = Yard::new();
    let (fails, mute, well) = (yard.queue("fails", 9), yard.queue("mute", 9), yard.queue("well", 2));
    yard.run_until(|jobs| jobs.iter().any(|job| job.id == well && job.state == JobState::Done));
    assert_eq!(yard.view(&fails).failure.unwrap(), "the loss is not a number at step 1");
    assert_eq!(yard.view(&mute).failure.unwrap(), "clove: the model is gone");
    assert_eq!((yard.state(&fails), yard.state(&mute)), (JobState::Failed, JobState::Failed));
    assert!(yard.view(&mute).log_tail.contains("the model is gone"));
}

#[test]
fn a_worker_that_cannot_be_started_fails_the_job_and_not_the_queue() {
    let yard = Yard::new();
    let id = yard.queue("one", 2);
    let launcher = Local { program: yard.room.path().join("no-such-program"), device: None };
    let (mut schedule, mut watch) = (Schedule::new(yard.runs.clone(), launcher), Watch::new(yard.runs.folder()));
    watch.look();
    let notes = schedule.tick(&watch);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].1.contains("no-such-program cannot be started"), "{notes:?}");
    let view = yard.view(&id);
    assert_eq!(view.state, JobState::Failed);
    assert!(view.failure.unwrap().contains("cannot be started"));
    watch.look();
    assert!(schedule.tick(&watch).is_empty(), "it is tried once");
}

#[test]
fn a_recipe_is_frozen_with_absolute_paths_and_can_be_edited_until_its_worker_begins() {
    let yard = Yard::new();
    let relative = Recipe {
        base: "models/b".into(),
        data: vec!["shards/{0..9}.tar".into(), "demo:scenes".into()],
        evaluate_data: "data".into(),
        ..recipe("paths", 3)
    };
    let id = yard.runs.queue(&relative).unwrap();
    let here = std::env::current_dir().unwrap();
    let frozen = yard.view(&id).recipe;
    assert_eq!(Path::new(&frozen.base), here.join("models/b"));
    assert_eq!(frozen.data, [here.join("shards/{0..9}.tar").to_str().unwrap(), "demo:scenes"]);
    assert_eq!(Path::new(&frozen.evaluate_data), here.join("data"));
    yard.runs.edit(&id, &recipe("paths", 5)).unwrap();
    assert_eq!((yard.view(&id).steps, yard.view(&id).recipe.base.as_str()), (5, "demo:base"));
    assert!(yard.runs.edit(&id, &recipe(" ", 5)).is_err(), "out of range");
    yard.run_until(all_are(JobState::Done));
    let refused = yard.runs.edit(&id, &recipe("paths", 7)).unwrap_err().to_string();
    assert!(refused.contains("has begun"), "{refused}");
    assert_eq!(yard.view(&id).steps, 5);
}

#[test]
fn removed_jobs_are_kept_and_come_back_to_their_place() {
    let yard = Yard::new();
    let ids = ["a", "b", "c"].map(|name| yard.queue(name, 2));
    yard.runs.remove(&ids[1]).unwrap();
    assert_eq!(yard.runs.jobs().0.len(), 2);
    assert!(yard.runs.folder().join(".removed").join(&ids[1].0).join("recipe.toml").exists());
    assert!(yard.runs.remove(&ids[1]).unwrap_err().to_string().contains("there is no job"));
    yard.runs.restore(&ids[1]).unwrap();
    assert_eq!(ids.clone().map(|id| yard.view(&id).place), [Some(0), Some(1), Some(2)]);
    assert!(yard.runs.restore(&ids[1]).is_err());
    yard.runs.remove(&ids[0]).unwrap();
    std::fs::create_dir(yard.folder(&ids[0])).unwrap();
    let taken = yard.runs.restore(&ids[0]).unwrap_err().to_string();
    assert!(taken.contains("another one of that name"), "{taken}");
    for hostile in ["../a", "", ".removed", "/etc"] {
        assert!(yard.runs.remove(&JobId(hostile.into())).is_err(), "{hostile}");
        assert!(yard.runs.restore(&JobId(hostile.into())).is_err(), "{hostile}");
    }
    let running = yard.queue("running", 200);
    yard.runs.remove(&ids[1]).unwrap();
    yard.runs.remove(&ids[2]).unwrap();
    yard.run_until(|jobs| jobs.iter().any(|job| job.step > 1));
    assert!(yard.runs.remove(&running).unwrap_err().to_string().contains("stop it first"));
    yard.runs.stop(&running).unwrap();
    wait_for("the stop", || yard.state(&running) == JobState::Stopped);
}

#[test]
fn a_worker_that_does_not_listen_is_told_once_with_sigterm() {
    let yard = Yard::new();
    let id = yard.queue("deaf", 2_000);
    std::fs::write(yard.folder(&id).join("late"), "").unwrap();
    yard.run_until(|jobs| jobs.first().is_some_and(|job| job.step > 1));
    yard.runs.stop(&id).unwrap();
    let mut watch = Watch::new(yard.runs.folder());
    watch.look();
    assert!(Schedule::press_all(&watch).is_empty(), "it has time");
    // As if it had begun, and had been asked, a while ago. The script says so when its clock is told to be late.
    let long_ago = std::time::SystemTime::now() - Duration::from_mins(10);
    let asked = std::fs::File::options().write(true).open(yard.folder(&id).join("control/asked-to-stop")).unwrap();
    asked.set_modified(long_ago).unwrap();
    let mut watch = Watch::new(yard.runs.folder());
    watch.look();
    let notes = Schedule::press_all(&watch);
    assert!(notes.len() == 1 && notes[0].1.contains("was sent SIGTERM"), "{notes:?}");
    assert!(Schedule::press_all(&watch).is_empty(), "once");
    wait_for("the stop", || yard.state(&id) == JobState::Stopped);
}
