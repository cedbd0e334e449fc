//! Fine-tunes as seen from outside: the queue, run directories, checks before a launch, workers.
//!
//! A job is a run directory; whoever runs it writes there, whoever watches reads there. [`Runs`] is what can be done
//! to the jobs of one folder, [`Schedule`] starts what waits, [`start`] does both on a thread for a window.
//!
//! | in a runs folder | what |
//! |---|---|
//! | `<time>_<name>/` | a job, as [`clove_training::run_directory`] has it |
//! | `queue.json` | the order of the jobs that wait |
//! | `queue.lock` | held while the queue changes |
//! | `.removed/` | jobs that were removed, to be restored |
//!
//! One job at a time per runs folder, which stands for the machine's device.

mod check;
mod curve;
mod error;
mod estimate;
mod folder;
mod history;
mod link;
mod local;
mod process;
mod queue;
mod runs;
mod schedule;
mod slurm;
mod thread;
mod trial;
mod view;
mod watch;

use std::path::{Path, PathBuf};

use clove_training::Recipe;

pub use check::check;
pub use error::JobsError;
pub use estimate::{Memory, checkpoint_bytes};
pub use link::Link;
pub use local::Local;
pub use runs::Runs;
pub use schedule::{Note, Schedule};
pub use slurm::{Slurm, Submitted};
pub use thread::{start, start_with};
pub use trial::trial;
pub use view::{
    CheckItem, CheckReport, CheckpointView, Evaluation, JobId, JobState, JobView, JobsCommand, JobsEvent, LOG_BYTES,
    MOST_POINTS, MOST_WARNINGS, StepPoint, TrialReport, Verdict,
};
pub use watch::{Seen, Watch};

/// Where jobs lie when nobody says: `clove/runs` in the user's folder for data.
pub fn default_runs() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(".local/share"));
    // The specification of base directories: a relative path is to be ignored.
    let data = set("XDG_DATA_HOME").filter(|path| path.is_absolute()).or_else(home);
    data.unwrap_or_default().join("clove").join("runs")
}

/// Longest recipe that is read, in bytes.
const LONGEST_RECIPE: u64 = 1 << 20;

/// A recipe from a file.
///
/// # Errors
/// A file that cannot be read, is far too long, or holds no recipe.
pub fn read_recipe(path: &Path) -> Result<Recipe, JobsError> {
    let length = std::fs::metadata(path).map_err(JobsError::io("read the recipe", path))?.len();
    if length > LONGEST_RECIPE {
        return Err(JobsError::Said(format!("this is no recipe, it has {length} bytes: {}", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(JobsError::io("read the recipe", path))?;
    Recipe::from_toml(&text).map_err(|source| JobsError::Recipe { source, path: path.to_owned() })
}
