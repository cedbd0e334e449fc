//! Starting what waits, and watching.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::super::output;
use super::super::stop::{Stop, Stopped};
use crate::device::DeviceChoice;
use crate::jobs::{JobId, JobState, JobView, Local, Runs, Schedule, Seen, Watch};

const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where workers compute: auto, cpu, cuda or metal
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Wait for more jobs when nothing is left to do
    #[arg(long)]
    stay: bool,
    /// Another program as the worker
    #[arg(long, value_name = "PROGRAM", hide = true)]
    worker: Option<PathBuf>,
}

/// Ends when nothing waits or runs. A Ctrl-C ends it at once; the workers go on.
pub fn run(runs: &Runs, args: &RunArgs) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let mut launcher = Local::this_program(args.device)?;
    if let Some(worker) = &args.worker {
        launcher.program.clone_from(worker);
    }
    let mut schedule = Schedule::new(runs.clone(), launcher);
    let (mut watch, mut told) = (Watch::new(runs.folder()), Told::default());
    loop {
        told.tell(&watch.look());
        for (what, details) in schedule.tick(&watch) {
            output::note(&format!("clove: {what}: {details}"));
        }
        if stop.is_asked() {
            return Err(Stopped.into());
        }
        let is_over = !schedule.has_workers() && !told.has(|state| state.is_live() || state == JobState::Queued);
        if is_over && !args.stay {
            // What a worker wrote last.
            told.tell(&watch.look());
            return told.outcome();
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Ends when nothing runs. A Ctrl-C ends it at once.
pub fn watch(runs: &Runs) -> anyhow::Result<()> {
    let (mut watch, mut told) = (Watch::new(runs.folder()), Told::default());
    loop {
        told.tell(&watch.look());
        if !told.has(JobState::is_live) {
            return Ok(());
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Returns when none of `ids` has a worker, and presses those that do not listen.
pub fn wait_until_ended(runs: &Runs, ids: &[JobId]) -> anyhow::Result<()> {
    let mut watch = Watch::new(runs.folder());
    loop {
        watch.look();
        for (what, details) in Schedule::press_all(&watch) {
            output::note(&format!("clove: {what}: {details}"));
        }
        let lives = |id: &JobId| watch.state(id).is_some_and(JobState::is_live);
        if !ids.iter().any(lives) {
            return Ok(());
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// What was said of each job, so that only changes are.
#[derive(Default)]
struct Told {
    jobs: BTreeMap<JobId, (JobState, u64)>,
    /// Jobs that ran while somebody watched and came to a bad end.
    lost: Vec<JobId>,
}

impl Told {
    fn tell(&mut self, seen: &Seen) {
        for (folder, reason) in &seen.unreadable {
            output::note(&format!("clove: {folder} is left out: {reason}"));
        }
        let Some(jobs) = &seen.jobs else { return };
        self.jobs.retain(|id, _| jobs.iter().any(|job| job.id == *id));
        for job in jobs.iter().rev() {
            let before = self.jobs.get(&job.id).copied();
            // A line per percent.
            let share = 100 * job.step / job.steps.max(1);
            if before == Some((job.state, share)) {
                continue;
            }
            if before.is_some() || job.state.is_live() || job.state == JobState::Queued {
                output::note(&line(job));
            }
            let ended_badly = matches!(job.state, JobState::Failed | JobState::Interrupted);
            if ended_badly && before.is_some_and(|(state, _)| state.is_live() || state == JobState::Queued) {
                self.lost.push(job.id.clone());
            } else if job.state != before.map_or(job.state, |(state, _)| state) {
                self.lost.retain(|id| *id != job.id);
            }
            self.jobs.insert(job.id.clone(), (job.state, share));
        }
    }

    fn has(&self, fits: impl Fn(JobState) -> bool) -> bool {
        self.jobs.values().any(|(state, _)| fits(*state))
    }

    fn outcome(&self) -> anyhow::Result<()> {
        let names: Vec<&str> = self.lost.iter().map(|id| id.0.as_str()).collect();
        anyhow::ensure!(names.is_empty(), "these jobs did not end well, see clove jobs list: {}", names.join(", "));
        Ok(())
    }
}

fn line(job: &JobView) -> String {
    let mut line = format!("{}: {}", job.id, job.state.name());
    if let Some(point) = job.points.last().filter(|_| job.state.is_live()) {
        line = format!("{line}, step {}/{}, loss {:.4}", job.step, job.steps, point.loss);
    }
    if let Some(left) = job.seconds_left {
        line = format!("{line}, {} left", output::duration(left));
    }
    match &job.failure {
        Some(failure) => format!("{line}: {failure}"),
        None => line,
    }
}
