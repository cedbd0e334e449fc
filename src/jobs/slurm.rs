//! Workers as batch jobs of Slurm: a script that is shown, kept in the run directory, and can be submitted by hand.
//!
//! Slurm tells where a job waits; whether it succeeded is in the run directory alone, which must lie on a file system
//! that the nodes share. The script uses what was observed of Slurm 22.05: after a status other than 0 nothing is
//! requeued by itself, so the script asks for it; near the time limit it gets SIGUSR1.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clove_training::Recipe;

use super::local::Local;
use super::runs::Runs;
use super::{JobId, JobsError, process};
use crate::store;

/// Seconds before the time limit at which the worker is asked to save.
const NOTICE_S: u32 = 120;
/// The script's name in the run directory.
const SCRIPT: &str = "slurm.sh";
/// What `sbatch` answered.
pub(super) const TICKET: &str = "slurm.json";

/// What a site asks of its users. Empty texts are left out.
#[derive(Clone, Debug, Default)]
pub struct Slurm {
    /// `sbatch`, or another program that takes its place, such as one that reaches a login node.
    pub sbatch: PathBuf,
    /// `--partition`.
    pub partition: String,
    /// `--account`.
    pub account: String,
    /// `--gres`, e.g. `gpu:1`.
    pub gres: String,
    /// `--time`, e.g. `08:00:00`.
    pub time: String,
    /// Other options, e.g. `--mem=32G`.
    pub options: Vec<String>,
    /// Lines of shell before the worker, e.g. `module load cuda`.
    pub before: Vec<String>,
    /// The worker, as the nodes see it.
    pub worker: PathBuf,
    /// Value of the worker's `--device`.
    pub device: Option<String>,
}

/// A job that Slurm has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The job.
    pub id: JobId,
    /// Slurm's number for it.
    pub number: String,
}

impl Slurm {
    /// The batch script for a run directory.
    ///
    /// # Errors
    /// An option that would begin a line of its own.
    pub fn script(&self, name: &str, folder: &Path) -> Result<String, JobsError> {
        let given =
            [("partition", &self.partition), ("account", &self.account), ("gres", &self.gres), ("time", &self.time)];
        let given = given.into_iter().filter(|(_, value)| !value.is_empty());
        let mut options: Vec<String> = given.map(|(option, value)| format!("--{option}={value}")).collect();
        options.extend_from_slice(&self.options);
        if let Some(odd) = options.iter().find(|option| option.chars().any(char::is_control)) {
            return Err(JobsError::Said(format!("'{}' is no option of sbatch", odd.escape_default())));
        }
        let tidy: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let launcher = Local { program: self.worker.clone(), device: self.device.clone() };
        let words = launcher.arguments(&folder.join("recipe.toml"), folder, false, &[]);
        let words: Vec<String> = words.iter().map(|word| quoted(&word.to_string_lossy())).collect();
        let head: Vec<String> = options.iter().map(|option| format!("#SBATCH {option}")).collect();
        let worker = format!("{} {}", quoted(&self.worker.to_string_lossy()), words.join(" "));
        let folder = quoted(&folder.to_string_lossy());
        Ok(batch_script(&tidy, &lines(&head), &folder, &lines(&self.before), &worker))
    }

    /// Freezes the recipe as a new run directory with its script, and hands it to `sbatch`. It is in no queue of ours.
    ///
    /// # Errors
    /// What the file system or `sbatch` refuses, in its words; the run directory stays, to be submitted by hand.
    pub fn submit(&self, runs: &Runs, recipe: &Recipe) -> Result<Submitted, JobsError> {
        let run = runs.create(recipe)?;
        let script = self.script(&recipe.name, run.path())?;
        let path = run.path().join(SCRIPT);
        store::write_whole(&path, script.as_bytes())?;
        let number = self.hand_over(&path)?;
        let ticket = serde_json::json!({ "job": number, "time": process::now() }).to_string();
        store::write_whole(&run.path().join(TICKET), ticket.as_bytes())?;
        Ok(Submitted { id: JobId(run.name()), number })
    }

    fn hand_over(&self, script: &Path) -> Result<String, JobsError> {
        let refused = |reason: String| JobsError::Launch { program: self.sbatch.display().to_string(), reason };
        let mut sbatch = Command::new(&self.sbatch);
        let answer = sbatch.arg("--parsable").arg(script).stdin(Stdio::null()).output();
        let answer = answer.map_err(|error| refused(error.to_string()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().replace('\n', " ");
        if !answer.status.success() {
            return Err(refused(text(&answer.stderr)));
        }
        // `ID` or `ID;CLUSTER`.
        let said = text(&answer.stdout);
        let number = said.split(';').next().unwrap_or_default();
        let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        if is_number { Ok(number.to_owned()) } else { Err(refused(format!("it answered '{said}' and no number"))) }
    }
}

/// SIGUSR1 announces the time limit: save, then requeue. SIGTERM is a preemption, which Slurm requeues itself, or a
/// `scancel`, after which nobody wants it back; neither is a stop by `control/stop`.
fn batch_script(name: &str, options: &str, folder: &str, before: &str, worker: &str) -> String {
    format!(
        r#"#!/bin/bash
#SBATCH --job-name=clove-{name}
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --output=/dev/null
#SBATCH --requeue
#SBATCH --signal=B:USR1@{NOTICE_S}
{options}folder={folder}
exec >>"$folder/stderr.log" 2>&1 </dev/null
{before}resume=()
[ -e "$folder/events.jsonl" ] && resume=(--resume)
again=
trap 'again=yes; kill -TERM "$worker"' USR1
trap 'kill -TERM "$worker"' TERM
{worker} "${{resume[@]}}" &
worker=$!
wait "$worker"
status=$?
# A signal ends a wait early; the second wait returns the worker's own status.
while [ "$status" -gt 128 ] && kill -0 "$worker" 2>/dev/null; do
    wait "$worker"
    status=$?
done
[ "$status" -gt 128 ] && {{ wait "$worker"; status=$?; }}
if [ "$status" -eq 85 ] && [ -n "$again" ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
"#
    )
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// One word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
