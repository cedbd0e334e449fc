//! Plays the jobs' thread: answers every command at once, and moves a run on when the test says so.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use clove::jobs::{
    CheckItem, CheckReport, CheckpointView, Evaluation, JobId, JobState, JobView, JobsCommand, JobsEvent, Link,
    StepPoint, TrialReport, Verdict,
};
use clove_training::Recipe;

/// The runs folder of the script.
pub const RUNS: &str = "/home/ada/.local/share/clove/runs";

/// What the script knows, shared with the test.
pub struct JobsScript {
    /// Commands so far, oldest first.
    pub log: Arc<Mutex<Vec<JobsCommand>>>,
    /// To play further events.
    pub events: Sender<JobsEvent>,
    jobs: Arc<Mutex<Vec<JobView>>>,
}

/// A link whose runs folder holds these jobs.
pub fn link(jobs: Vec<JobView>) -> (Link, JobsScript) {
    let (events, receiver): (Sender<JobsEvent>, Receiver<JobsEvent>) = channel();
    let (log, jobs) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(jobs)));
    let script = JobsScript { log: log.clone(), events: events.clone(), jobs: jobs.clone() };
    let send = move |command: JobsCommand| {
        log.lock().unwrap().push(command.clone());
        let mut jobs = jobs.lock().unwrap();
        let event = answer(&mut jobs, command);
        let _ = events.send(event.unwrap_or_else(|| JobsEvent::Jobs(Arc::new(jobs.clone()))));
    };
    (Link::new(send, receiver), script)
}

fn answer(jobs: &mut Vec<JobView>, command: JobsCommand) -> Option<JobsEvent> {
    let set = |jobs: &mut Vec<JobView>, id: &JobId, state| {
        jobs.iter_mut().filter(|job| job.id == *id).for_each(|job| job.state = state);
    };
    match command {
        JobsCommand::Check(recipe) => return Some(JobsEvent::Checked(Arc::new(report(&recipe)))),
        JobsCommand::Trial(recipe) => {
            let report = TrialReport {
                recipe: Arc::new((*recipe).clone()),
                seconds_per_step: 0.31,
                seconds_total: 0.31 * recipe.steps as f64,
                peak_memory_bytes: 840_000_000,
                pairs_per_s: 206.0,
            };
            return Some(JobsEvent::TrialDone(Arc::new(report)));
        }
        JobsCommand::Queue(recipe) => {
            let busy = jobs.iter().any(|job| job.state.is_live());
            let state = if busy { JobState::Queued } else { JobState::Running };
            let id = format!("20261125-09{:02}00_{}", 30 + jobs.len(), recipe.name);
            let mut new = job(&id, *recipe, state, 0);
            new.place = busy.then(|| jobs.iter().filter(|job| job.state == JobState::Queued).count());
            jobs.insert(0, new);
        }
        JobsCommand::Stop(id) => set(jobs, &id, JobState::Stopping),
        JobsCommand::Resume(id) => set(jobs, &id, JobState::Running),
        JobsCommand::Remove(id) => jobs.retain(|job| job.id != id),
        JobsCommand::Restore(id) => jobs.push(job(&id.0, recipe("demo"), JobState::Stopped, 100)),
        _ => {}
    }
    None
}

impl JobsScript {
    /// Moves a run to a step, or to its end.
    pub fn advance(&self, place: usize, step: u64, state: JobState) {
        let mut jobs = self.jobs.lock().unwrap();
        let old = &jobs[place];
        let mut new = job(&old.id.0, (*old.recipe).clone(), state, step);
        if state == JobState::Failed {
            new.failure = Some("the loss is not a number at step 371; the last good checkpoint is step 300".into());
        }
        jobs[place] = new;
        self.events.send(JobsEvent::Jobs(Arc::new(jobs.clone()))).unwrap();
    }

    /// Whether a command was sent.
    pub fn was_sent(&self, is: impl Fn(&JobsCommand) -> bool) -> bool {
        self.log.lock().unwrap().iter().any(is)
    }
}

/// A recipe of 600 steps.
pub fn recipe(name: &str) -> Recipe {
    let mut recipe = clove::session::PRESETS[0].recipe().unwrap();
    name.clone_into(&mut recipe.name);
    (recipe.steps, recipe.batch, recipe.warmup) = (600, 64, 40);
    recipe.evaluate_benchmarks = vec!["aro-relation".into(), "scene-classes".into()];
    recipe.checkpoint_every = 100;
    recipe
}

/// A job at a step.
pub fn job(id: &str, recipe: Recipe, state: JobState, step: u64) -> JobView {
    let folder = PathBuf::from(RUNS).join(id);
    let checkpoint = |step: u64| CheckpointView {
        step,
        path: folder.join(format!("checkpoints/step_{step:06}")),
        bytes: 28_000_000,
    };
    let every = recipe.checkpoint_every;
    let done = state == JobState::Done;
    JobView {
        id: JobId(id.into()),
        state,
        place: None,
        step: if done { recipe.steps } else { step },
        steps: recipe.steps,
        seconds_left: (state == JobState::Running && step > 0).then(|| 0.3 * (recipe.steps - step) as f64),
        points: Arc::new((1..=step).map(|step| point(step, &recipe)).collect()),
        evaluations: Arc::new(evaluations(step, &recipe)),
        checkpoints: Arc::new((1..=step / every).map(|i| checkpoint(i * every)).collect()),
        warnings: Arc::new(if step > 200 { vec!["shard 3: sample 17 has no image; skipped".into()] } else { vec![] }),
        failure: None,
        log_tail: log(step).into(),
        device: if step > 0 { "CPU, 2 threads".into() } else { String::new() },
        weights: done.then(|| folder.join("weights/hf")),
        recipe: Arc::new(recipe),
        folder,
    }
}

fn log(step: u64) -> String {
    let line = |step: u64| format!("step {step} of 600, loss {:.4}", loss(step, 0.0));
    (1..=step / 50).map(|i| line(i * 50)).collect::<Vec<_>>().join("\n")
}

fn loss(step: u64, offset: f64) -> f64 {
    1.1 + offset + 3.0 * (-(step as f64) / 140.0).exp() + 0.22 * ((step * 37 % 101) as f64 / 101.0 - 0.5)
}

fn point(step: u64, recipe: &Recipe) -> StepPoint {
    let offset = if recipe.name.contains("none") { 0.35 } else { 0.0 };
    StepPoint {
        step,
        loss: loss(step, offset),
        lr: recipe.lr * (step as f64 / recipe.warmup as f64).min(0.5 + 0.5 * (step as f64 / 600.0 * 3.1).cos()),
        pairs_per_s: 200.0 + (step % 7) as f64,
        negatives_share: 0.9 + 0.01 * (step % 5) as f64,
        memory_bytes: Some(700_000_000 + 1000 * step),
    }
}

fn evaluations(step: u64, recipe: &Recipe) -> Vec<Evaluation> {
    let mut all = Vec::new();
    for at in (1..=step / 200).map(|i| i * 200) {
        for (benchmark, base, gain) in [("aro-relation", 54.0, 30.0), ("scene-classes", 86.0, -12.0)] {
            for alpha in [0.0, recipe.alpha, 1.0] {
                let value = base + gain * alpha * (at as f64 / 600.0).sqrt();
                all.push(Evaluation {
                    step: at,
                    alpha,
                    benchmark: benchmark.into(),
                    task: None,
                    metric: if gain > 0.0 { "accuracy".into() } else { "top1".into() },
                    value,
                    interval: [value - 3.1, value + 3.1],
                    scored: 520,
                });
            }
        }
    }
    all
}

fn report(recipe: &Recipe) -> CheckReport {
    let item = |what, verdict, says: &str| CheckItem { what, verdict, says: says.into() };
    let data = if recipe.data.iter().any(|source| source.contains("missing")) {
        item("Data", Verdict::Blocking, "there is no such file or folder: /data/missing")
    } else {
        item("Data", Verdict::Fine, "the scene world, drawn as needed")
    };
    let items = vec![
        item("Base", Verdict::Fine, "demo:base, 2.3 M parameters, QuickGELU"),
        data,
        item("Device", Verdict::Fine, "CPU, 2 threads"),
        item("Memory", Verdict::Fine, "about 840 MB; 5.1 GB are free"),
        item("Free disk", Verdict::Warning, "about 112 MB for checkpoints; 310 MB are free"),
    ];
    CheckReport { recipe: Arc::new(recipe.clone()), items }
}
