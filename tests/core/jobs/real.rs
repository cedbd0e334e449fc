//! The real worker, from the queue to its weights, with everything around it killed.

use std::process::{Command, Stdio};

use clove::jobs::{JobId, JobState, Runs};
use clove_training::Recipe;

use super::super::cli::clove;
use super::{kill, pid, recipe, wait_for};

fn small(steps: u64) -> Recipe {
    Recipe { batch: 4, checkpoint_every: 4, warmup: 2, ..recipe("small", steps) }
}

/// A runs folder whose workers are `clove train`.
struct Desk {
    room: tempfile::TempDir,
    runs: Runs,
}

impl Desk {
    fn new(recipe: &Recipe) -> Self {
        let room = tempfile::tempdir().unwrap();
        std::fs::write(room.path().join("recipe.toml"), recipe.to_toml().unwrap()).unwrap();
        Self { runs: Runs::new(&room.path().join("runs")), room }
    }

    fn words(&self, words: &str) -> Vec<String> {
        let place = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.room.path().join(name).display().to_string(),
            None => word.to_owned(),
        };
        words.split_whitespace().map(place).collect()
    }

    fn clove(&self, words: &str) -> super::super::cli::Run {
        clove(&self.words(words))
    }

    fn scheduler(&self) -> std::process::Child {
        let mut run = Command::new(env!("CARGO_BIN_EXE_clove"));
        run.args(self.words("jobs run --device cpu --runs @runs"));
        run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn is(&self, id: &JobId, state: JobState) -> bool {
        self.step(id).1 == state
    }

    fn step(&self, id: &JobId) -> (u64, JobState) {
        let (jobs, unreadable) = self.runs.jobs();
        assert!(unreadable.is_empty(), "{unreadable:?}");
        let job = jobs.iter().find(|job| job.id == *id).unwrap();
        (job.step, job.state)
    }
}

#[test]
fn a_job_whose_worker_and_scheduler_are_killed_ends_with_the_bytes_of_one_that_nobody_touched() {
    let desk = Desk::new(&small(28));
    let whole = desk.clove("train @recipe.toml --run-dir @whole --device cpu");
    assert_eq!(whole.status, 0, "{}", whole.err);
    let queued = desk.clove("jobs queue @recipe.toml --runs @runs --json").json();
    let id = JobId(queued["queued"][0].as_str().unwrap().to_owned());
    let folder = desk.runs.folder().join(&id.0);

    let mut scheduler = desk.scheduler();
    wait_for("the first checkpoint", || desk.step(&id).0 >= 6);
    kill("-9", &pid(&folder));
    assert_eq!(scheduler.wait().unwrap().code(), Some(1), "it says that the job did not end well");
    assert!(desk.clove("jobs list --runs @runs").out.contains("interrupted"));
    assert_eq!(desk.clove("jobs resume --all --runs @runs").status, 0);

    let mut scheduler = desk.scheduler();
    wait_for("steps of the second worker", || desk.step(&id).0 >= 12);
    kill("-9", &scheduler.id().to_string());
    scheduler.wait().unwrap();
    assert!(desk.is(&id, JobState::Running), "the worker goes on");
    wait_for("the end", || desk.is(&id, JobState::Done));

    let weights = |folder: &std::path::Path| std::fs::read(folder.join("weights/hf/model.safetensors")).unwrap();
    assert!(weights(&folder) == weights(&desk.room.path().join("whole")), "the weights differ");
    let (jobs, _) = desk.runs.jobs();
    assert_eq!(jobs[0].points.iter().map(|point| point.step).collect::<Vec<_>>(), (1..=28).collect::<Vec<_>>());
    assert_eq!(jobs[0].weights, Some(folder.join("weights/hf")));
}

#[test]
fn a_check_with_a_trial_tells_time_and_memory() {
    let desk = Desk::new(&small(1_000));
    let found = desk.clove("jobs check @recipe.toml --trial --device cpu --runs @runs --json").json();
    let trial = &found["trial"];
    let seconds = trial["seconds_per_step"].as_f64().unwrap();
    assert!(seconds > 0.0 && seconds < 30.0, "{found}");
    let (total, pairs) = (trial["seconds_total"].as_f64().unwrap(), trial["pairs_per_s"].as_f64().unwrap());
    assert!((total - 1_000.0 * seconds).abs() < 1e-6 * total && (pairs - 4.0 / seconds).abs() < 1e-6 * pairs);
    assert!(trial["peak_memory_bytes"].as_u64().unwrap() > 10_000_000, "{found}");
    assert!(desk.runs.jobs().0.is_empty());
}

#[test]
fn stop_saves_and_resume_goes_on_with_the_real_worker() {
    let desk = Desk::new(&small(20));
    assert_eq!(desk.clove("jobs queue @recipe.toml --runs @runs").status, 0);
    let id = desk.runs.find("small").unwrap();
    let mut scheduler = desk.scheduler();
    wait_for("the first steps", || desk.step(&id).0 >= 2);
    let stopped = desk.clove("jobs stop small --wait --runs @runs");
    assert_eq!(stopped.status, 0, "{}", stopped.err);
    assert!(desk.is(&id, JobState::Stopped));
    assert!(scheduler.wait().unwrap().success(), "a job that was stopped is no failure");
    let (at, _) = desk.step(&id);
    let (jobs, _) = desk.runs.jobs();
    assert_eq!(jobs[0].checkpoints.last().unwrap().step, at, "saved where it stopped");
    assert_eq!(desk.clove("jobs resume small --runs @runs").status, 0);
    let run = desk.clove("jobs run --device cpu --runs @runs");
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(desk.is(&id, JobState::Done));
}
