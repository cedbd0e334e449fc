//! Workers as processes of this machine.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::JobsError;
use super::folder::LOG;
use crate::device::DeviceChoice;

/// Lower priority than a window's, so that it stays live on the same cores (nice value).
#[cfg(unix)]
const NICENESS: i32 = 5;

/// How a worker is started: `PROGRAM train RECIPE --run-dir DIR …`.
#[derive(Clone, Debug)]
pub struct Local {
    /// The program.
    pub program: PathBuf,
    /// Value of `--device`; the worker's own choice when absent.
    pub device: Option<String>,
}

impl Local {
    /// This very program.
    ///
    /// # Errors
    /// A system that does not tell where it lies.
    pub fn this_program(device: DeviceChoice) -> Result<Self, JobsError> {
        let program = std::env::current_exe();
        let program =
            program.map_err(|error| JobsError::Said(format!("the system does not tell where clove lies: {error}")))?;
        let device = match device {
            DeviceChoice::Auto => None,
            DeviceChoice::Cpu => Some("cpu"),
            DeviceChoice::Cuda => Some("cuda"),
            DeviceChoice::Metal => Some("metal"),
        };
        Ok(Self { program, device: device.map(str::to_owned) })
    }

    /// Starts a worker in its own process group, so that neither the window's end nor a Ctrl-C in its terminal ends
    /// it. It reads nothing, and what it prints goes to `stderr.log` in the run directory.
    ///
    /// # Errors
    /// A log that cannot be written, a program that cannot be started.
    pub fn start(&self, folder: &Path, resume: bool) -> Result<Child, JobsError> {
        let path = folder.join(LOG);
        let log =
            File::options().create(true).append(true).open(&path).map_err(JobsError::io("open the log", &path))?;
        let second = log.try_clone().map_err(JobsError::io("open the log", &path))?;
        let recipe = folder.join("recipe.toml");
        self.spawn(&self.arguments(&recipe, folder, resume, &[]), log.into(), second.into())
    }

    /// Starts a trial of `steps` steps beside `recipe`. It prints one JSON document to `answer`.
    ///
    /// # Errors
    /// A program that cannot be started.
    pub(super) fn start_trial(&self, recipe: &Path, steps: u64, answer: File, log: File) -> Result<Child, JobsError> {
        // A trial writes nothing there.
        let folder = recipe.with_file_name("run");
        let more = [OsString::from("--trial"), steps.to_string().into()];
        self.spawn(&self.arguments(recipe, &folder, false, &more), answer.into(), log.into())
    }

    /// The command line after the program.
    pub(super) fn arguments(&self, recipe: &Path, folder: &Path, resume: bool, more: &[OsString]) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["train".into(), recipe.into(), "--run-dir".into(), folder.into()];
        words.extend(resume.then(|| "--resume".into()));
        words.extend(self.device.iter().flat_map(|device| ["--device".into(), device.into()]));
        words.extend_from_slice(more);
        words
    }

    fn spawn(&self, words: &[OsString], out: Stdio, err: Stdio) -> Result<Child, JobsError> {
        let mut command = Command::new(&self.program);
        command.args(words).stdin(Stdio::null()).stdout(out).stderr(err);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| JobsError::Launch {
            program: self.program.display().to_string(),
            reason: error.to_string(),
        })?;
        #[cfg(unix)]
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // A worker that is over already needs none.
            let _ = rustix::process::setpriority_process(Some(pid), NICENESS);
        }
        Ok(child)
    }
}
