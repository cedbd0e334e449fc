//! Three steps in a worker process, to know how long all of them will take and how much memory.

use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clove_training::Recipe;
use clove_training::run_directory::{Line, RunDirectory, RunEvent};

use super::folder::LOG;
use super::{JobsError, Local, TrialReport};

/// Steps of a trial. The first also allocates, so the time is that of the others.
const STEPS: u64 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Runs the trial in a hidden folder of `runs` that is gone afterwards. `None` when it was cancelled.
///
/// # Errors
/// What the worker said, or that it took no steps.
pub fn trial(
    launcher: &Local,
    runs: &Path,
    recipe: &Recipe,
    cancelled: &AtomicBool,
) -> Result<Option<TrialReport>, JobsError> {
    std::fs::create_dir_all(runs).map_err(JobsError::io("make the runs folder", runs))?;
    let room = tempfile::Builder::new().prefix(".trial-").tempdir_in(runs);
    let room = room.map_err(JobsError::io("make a folder for the trial", runs))?;
    let (file, folder) = (room.path().join("recipe.toml"), room.path().join("run"));
    let text = recipe.to_toml().map_err(|source| JobsError::Recipe { source, path: file.clone() })?;
    std::fs::write(&file, text).map_err(JobsError::io("write the recipe", &file))?;
    let mut worker = launcher.start_trial(&file, &folder, STEPS)?;
    let Some(status) = wait(&mut worker, cancelled)? else { return Ok(None) };
    let lines = RunDirectory::open(&folder).and_then(|run| run.events(0)).map(|(lines, _)| lines);
    let lines = lines.unwrap_or_default();
    if !status.success() {
        return Err(JobsError::Said(why(&lines, &folder.with_extension(LOG), status)));
    }
    report(&lines, recipe).map(Some)
}

/// `None` when it was cancelled; the worker is gone then.
fn wait(worker: &mut Child, cancelled: &AtomicBool) -> Result<Option<ExitStatus>, JobsError> {
    let fail = |error: std::io::Error| JobsError::Said(format!("the trial's worker is lost: {error}"));
    loop {
        if let Some(status) = worker.try_wait().map_err(fail)? {
            return Ok(Some(status));
        }
        if cancelled.load(Ordering::Relaxed) {
            // It has nothing to save.
            worker.kill().map_err(fail)?;
            worker.wait().map_err(fail)?;
            return Ok(None);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

fn why(lines: &[Line], log: &Path, status: ExitStatus) -> String {
    let failed = lines.iter().rev().find_map(|line| match &line.event {
        RunEvent::Failed { message } => Some(message.clone()),
        _ => None,
    });
    let said = || {
        let text = std::fs::read(log).ok()?;
        let text = String::from_utf8_lossy(&text);
        text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim_start_matches("clove: ").to_owned())
    };
    failed.or_else(said).unwrap_or_else(|| format!("the trial's worker ended with {status} and said nothing"))
}

fn report(lines: &[Line], recipe: &Recipe) -> Result<TrialReport, JobsError> {
    let steps: Vec<(f64, Option<u64>)> = lines
        .iter()
        .filter_map(|line| match &line.event {
            RunEvent::Step { memory_bytes, .. } => Some((line.time, *memory_bytes)),
            _ => None,
        })
        .collect();
    let (Some(first), Some(last)) = (steps.first(), steps.last().filter(|_| steps.len() > 1)) else {
        return Err(JobsError::Said("the trial's worker took too few steps to tell".to_owned()));
    };
    let seconds_per_step = (last.0 - first.0) / (steps.len() - 1) as f64;
    let peak_memory_bytes = steps.iter().filter_map(|step| step.1).max().unwrap_or(0);
    Ok(TrialReport {
        recipe: Arc::new(recipe.clone()),
        seconds_per_step,
        seconds_total: seconds_per_step * recipe.steps as f64,
        peak_memory_bytes,
        pairs_per_s: recipe.batch as f64 / seconds_per_step,
    })
}
