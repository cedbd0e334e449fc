//! Three steps in a worker process, to know how long all of them will take and how much memory.

use std::fs::File;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clove_training::Recipe;
use serde::Deserialize;

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
    let [file, answer, log] = ["recipe.toml", "answer.json", LOG].map(|name| room.path().join(name));
    let text = recipe.to_toml().map_err(|source| JobsError::Recipe { source, path: file.clone() })?;
    std::fs::write(&file, text).map_err(JobsError::io("write the recipe", &file))?;
    let create = |path: &Path| File::create(path).map_err(JobsError::io("open the trial's log", path));
    let mut worker = launcher.start_trial(&file, STEPS, create(&answer)?, create(&log)?)?;
    let Some(status) = wait(&mut worker, cancelled)? else { return Ok(None) };
    let read = |path: &Path| std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if !status.success() {
        return Err(JobsError::Said(why(&read(&log).unwrap_or_default(), status)));
    }
    let told = serde_json::from_str::<Told>(&read(&answer).map_err(JobsError::io("read the trial's answer", &answer))?);
    let told = told.map_err(|error| JobsError::Said(format!("the trial's answer cannot be understood: {error}")))?;
    Ok(Some(TrialReport {
        recipe: Arc::new(recipe.clone()),
        seconds_per_step: told.seconds_per_step,
        seconds_total: told.seconds_total,
        peak_memory_bytes: told.peak_memory_bytes,
        pairs_per_s: told.pairs_per_s,
    }))
}

/// What `clove train --trial` prints.
#[derive(Deserialize)]
struct Told {
    seconds_per_step: f64,
    seconds_total: f64,
    peak_memory_bytes: u64,
    pairs_per_s: f64,
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

/// The last line that it said.
fn why(log: &str, status: ExitStatus) -> String {
    match log.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => line.trim_start_matches("clove: ").to_owned(),
        None => format!("the trial's worker ended with {status} and said nothing"),
    }
}
