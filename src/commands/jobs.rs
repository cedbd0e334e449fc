//! `clove jobs`: fine-tunes without a window. Queue, order, workers, as the window has them.

mod list;
mod run;
mod slurm;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{output, usage};
use crate::device::DeviceChoice;
use crate::jobs::{self, CheckReport, JobId, JobState, JobView, Local, Runs, Verdict};

#[derive(Debug, Args)]
pub struct JobsArgs {
    #[command(subcommand)]
    command: JobsSubcommand,
    /// Folder with the run directories; clove/runs in your folder for data when absent
    #[arg(long, value_name = "DIR", global = true)]
    runs: Option<PathBuf>,
    /// One JSON document
    #[arg(long, global = true)]
    json: bool,
}

/// JOB is the name of a run directory, or a part that only one has.
#[derive(Debug, Subcommand)]
enum JobsSubcommand {
    /// Show all jobs, newest first
    List,
    /// Look for what would stop a recipe
    Check(CheckArgs),
    /// Freeze recipes as new jobs at the end of the queue
    Queue(QueueArgs),
    /// Start what waits, one job at a time, until nothing does
    Run(run::RunArgs),
    /// Hand a recipe to Slurm as a new job, with its script in the run directory
    Submit(slurm::SubmitArgs),
    /// Say what changes, until nothing runs
    Watch,
    /// Save and end; what waits leaves the queue
    Stop(StopArgs),
    /// Write a checkpoint now
    Save(Which),
    /// Back into the queue, to go on from the last checkpoint
    Resume(Which),
    /// Replace the recipe of a job that has not begun
    Edit {
        /// The job
        job: String,
        /// Its new recipe
        #[arg(value_name = "RECIPE.toml")]
        recipe: PathBuf,
    },
    /// One place earlier or later in the queue
    Move {
        /// The job
        job: String,
        /// Where to
        to: Direction,
    },
    /// Move jobs to .removed in the runs folder; nothing is deleted
    Remove {
        /// The jobs
        #[arg(required = true, value_name = "JOB")]
        jobs: Vec<String>,
    },
    /// Undo of remove, by whole names
    Restore {
        /// The jobs
        #[arg(required = true, value_name = "JOB")]
        jobs: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The recipe
    #[arg(value_name = "RECIPE.toml")]
    recipe: PathBuf,
    /// Take three steps too, to tell time and memory
    #[arg(long)]
    trial: bool,
    /// auto, cpu, cuda or metal
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
}

#[derive(Debug, Args)]
struct QueueArgs {
    /// The recipes, in their order
    #[arg(required = true, value_name = "RECIPE.toml")]
    recipes: Vec<PathBuf>,
    /// Do not look for what would stop them
    #[arg(long)]
    unchecked: bool,
}

#[derive(Debug, Args)]
struct StopArgs {
    #[command(flatten)]
    which: Which,
    /// Return when they have ended
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
struct Which {
    /// The jobs
    #[arg(value_name = "JOB", conflicts_with = "all")]
    jobs: Vec<String>,
    /// Every job that this makes sense for
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Direction {
    Up,
    Down,
}

pub fn run(args: &JobsArgs) -> anyhow::Result<()> {
    let runs = Runs::new(&args.runs.clone().unwrap_or_else(jobs::default_runs));
    match &args.command {
        JobsSubcommand::List => list::run(&runs, args.json),
        JobsSubcommand::Check(check) => check_recipe(&runs, check, args.json),
        JobsSubcommand::Queue(queue) => queue_recipes(&runs, queue, args.json),
        JobsSubcommand::Run(run) => run::run(&runs, run),
        JobsSubcommand::Submit(submit) => slurm::run(&runs, submit, args.json),
        JobsSubcommand::Watch => run::watch(&runs),
        JobsSubcommand::Stop(stop) => {
            let ids = stop.which.find(&runs, |job| job.state.is_live() || job.state == JobState::Queued)?;
            each(&ids, args.json, "stopping", |id| {
                let state = runs.stop(id)?;
                Ok(if state == JobState::Stopping { "is asked to save and stop" } else { "has left the queue" })
            })?;
            if stop.wait { run::wait_until_ended(&runs, &ids) } else { Ok(()) }
        }
        JobsSubcommand::Save(which) => {
            let ids = which.find(&runs, |job| job.state.is_live())?;
            each(&ids, args.json, "saving", |id| runs.save(id).map(|()| "is asked for a checkpoint"))
        }
        JobsSubcommand::Resume(which) => {
            let ids = which.find(&runs, |job| job.state.can_resume())?;
            each(&ids, args.json, "queued", |id| runs.resume(id).map(|()| "is queued again"))
        }
        JobsSubcommand::Edit { job, recipe } => {
            let (id, recipe) = (runs.find(job)?, jobs::read_recipe(recipe)?);
            each(&[id], args.json, "edited", |id| runs.edit(id, &recipe).map(|()| "has the new recipe"))
        }
        JobsSubcommand::Move { job, to } => {
            let later = *to == Direction::Down;
            each(&[runs.find(job)?], args.json, "moved", |id| runs.shift(id, later).map(|()| "has moved"))
        }
        JobsSubcommand::Remove { jobs } => {
            let ids = find_all(&runs, jobs)?;
            each(&ids, args.json, "removed", |id| runs.remove(id).map(|()| "is removed; restore brings it back"))
        }
        JobsSubcommand::Restore { jobs } => {
            let ids: Vec<JobId> = jobs.iter().map(|name| JobId(name.clone())).collect();
            each(&ids, args.json, "restored", |id| runs.restore(id).map(|()| "is back"))
        }
    }
}

impl Which {
    /// The jobs that were named, or with `--all` those that `fits`.
    fn find(&self, runs: &Runs, fits: impl Fn(&JobView) -> bool) -> anyhow::Result<Vec<JobId>> {
        if self.all {
            let (jobs, _) = runs.jobs();
            // Oldest first: the order in which they were queued.
            return Ok(jobs.iter().rev().filter(|job| fits(job)).map(|job| job.id.clone()).collect());
        }
        if self.jobs.is_empty() {
            return Err(usage("name the jobs, or add --all"));
        }
        find_all(runs, &self.jobs)
    }
}

fn find_all(runs: &Runs, parts: &[String]) -> anyhow::Result<Vec<JobId>> {
    Ok(parts.iter().map(|part| runs.find(part)).collect::<Result<_, _>>()?)
}

/// Does something to each job, says what came of it (in JSON under `key`), and fails with the first error after trying
/// all.
fn each(
    ids: &[JobId],
    as_json: bool,
    key: &'static str,
    change: impl Fn(&JobId) -> Result<&'static str, jobs::JobsError>,
) -> anyhow::Result<()> {
    let mut first_error = None;
    let mut changed = Vec::new();
    for id in ids {
        match change(id) {
            Ok(said) => {
                changed.push(&id.0);
                if !as_json {
                    output::text(&format!("{id} {said}"))?;
                }
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    if as_json && first_error.is_none() {
        output::json(&json!({ key: changed }))?;
    }
    first_error.map_or(Ok(()), |error| Err(error.into()))
}

fn check_recipe(runs: &Runs, args: &CheckArgs, as_json: bool) -> anyhow::Result<()> {
    let recipe = jobs::read_recipe(&args.recipe)?;
    let report = jobs::check(&recipe, runs.folder(), args.device);
    let trial = (args.trial && report.can_start()).then(|| {
        let launcher = Local::this_program(args.device)?;
        jobs::trial(&launcher, runs.folder(), &recipe, &std::sync::atomic::AtomicBool::new(false))
    });
    let trial = trial.transpose()?.flatten();
    if as_json {
        output::json(&json!({ "can_start": report.can_start(), "items": report.items, "trial": trial }))?;
    } else {
        output::text(&list::report(&report))?;
        if let Some(trial) = &trial {
            output::text(&list::trial(trial))?;
        }
    }
    anyhow::ensure!(report.can_start(), "{}", blocking(&report, &args.recipe));
    Ok(())
}

fn blocking(report: &CheckReport, recipe: &std::path::Path) -> String {
    let blocks = report.items.iter().filter(|item| item.verdict == Verdict::Blocking);
    let blocks: Vec<String> = blocks.map(|item| format!("{}: {}", item.what.to_lowercase(), item.says)).collect();
    format!("the recipe cannot start ({}): {}", blocks.join("; "), recipe.display())
}

fn queue_recipes(runs: &Runs, args: &QueueArgs, as_json: bool) -> anyhow::Result<()> {
    // All are read before any is queued.
    let recipes =
        args.recipes.iter().map(|path| Ok((path, jobs::read_recipe(path)?))).collect::<anyhow::Result<Vec<_>>>()?;
    for (path, recipe) in recipes.iter().filter(|_| !args.unchecked) {
        let report = jobs::check(recipe, runs.folder(), DeviceChoice::Cpu);
        anyhow::ensure!(report.can_start(), "{}; --unchecked queues it anyway", blocking(&report, path));
        for item in report.items.iter().filter(|item| item.verdict == Verdict::Warning) {
            output::note(&format!("clove: {}: {}", item.what.to_lowercase(), item.says));
        }
    }
    let mut queued = Vec::new();
    for (_, recipe) in &recipes {
        let id = runs.queue(recipe)?;
        if !as_json {
            output::text(&id.0)?;
        }
        queued.push(id);
    }
    if as_json { output::json(&json!({ "queued": queued })) } else { Ok(()) }
}
