//! The batch script: what it says, what it does when Slurm's signals come, and how it is handed over.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clove::jobs::{JobState, Slurm};

use super::{Yard, kill, pid, recipe, wait_for};

impl Yard {
    /// A program in a folder for PATH.
    fn program(&self, name: &str, text: &str) -> PathBuf {
        let bin = self.room.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let path = bin.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn slurm(&self, sbatch: &str) -> Slurm {
        let sbatch = self.program("sbatch", sbatch);
        let site = Slurm { partition: "gpu".into(), gres: "gpu:1".into(), time: "01:00:00".into(), ..Slurm::default() };
        Slurm { sbatch, worker: self.worker(), device: Some("cuda".into()), ..site }
    }

    /// As a node would, with a `scontrol` that only notes.
    fn batch(&self, script: &std::path::Path) -> std::process::Child {
        self.program("scontrol", r#"echo "$@" >>"$(dirname "$0")/../requeued""#);
        let path = format!("{}:{}", self.room.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut batch = Command::new("bash");
        batch.arg(script).env("PATH", path).env("SLURM_JOB_ID", "77");
        batch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

#[test]
fn a_recipe_is_handed_to_sbatch_and_waits_in_no_queue_of_ours() {
    let yard = Yard::new();
    let slurm = yard.slurm(r#"cp "$2" "$(dirname "$0")/got"; echo "$1" >&2; echo "4711;cluster""#);
    let submitted = slurm.submit(&yard.runs, &recipe("it's big", 9)).unwrap();
    assert_eq!(submitted.number, "4711");
    let view = yard.view(&submitted.id);
    assert_eq!((view.state, view.place), (JobState::Queued, None));
    let script = std::fs::read_to_string(yard.folder(&submitted.id).join("slurm.sh")).unwrap();
    assert_eq!(script, std::fs::read_to_string(yard.room.path().join("bin/got")).unwrap());
    for line in [
        "#!/bin/bash",
        "#SBATCH --job-name=clove-it-s-big",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --partition=gpu",
        "#SBATCH --gres=gpu:1",
        "#SBATCH --time=01:00:00",
    ] {
        assert!(script.lines().any(|found| found == line), "no line '{line}' in:\n{script}");
    }
    assert!(script.contains("'--run-dir'") && script.contains("'--device' 'cuda'"), "{script}");
    assert!(!script.contains("account"));
    let refusing = yard.slurm("echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1");
    let refused = refusing.submit(&yard.runs, &recipe("refused", 9)).unwrap_err().to_string();
    assert!(refused.contains("invalid partition specified: gpu"), "{refused}");
    let odd = Slurm { options: vec!["--mem=1\nrm -rf /".into()], ..slurm };
    assert!(odd.script("x", yard.runs.folder()).is_err());
}

#[test]
fn the_time_limit_saves_and_requeues_and_the_next_turn_goes_on() {
    let yard = Yard::new();
    let submitted = yard.slurm("echo 1").submit(&yard.runs, &recipe("turns", 60)).unwrap();
    let (id, script) = (submitted.id.clone(), yard.folder(&submitted.id).join("slurm.sh"));
    let requeued = yard.room.path().join("requeued");
    let mut batch = yard.batch(&script);
    wait_for("the first steps", || yard.view(&id).step > 3);
    assert_eq!(yard.state(&id), JobState::Running);
    kill("-USR1", &batch.id().to_string());
    assert_eq!(batch.wait().unwrap().code(), Some(85));
    assert_eq!(std::fs::read_to_string(&requeued).unwrap(), "requeue 77\n");
    assert_eq!(yard.state(&id), JobState::Stopped);
    let reached = yard.view(&id).step;

    // Preempted, or cancelled: saved, and not requeued by the script.
    let mut batch = yard.batch(&script);
    wait_for("more steps", || yard.view(&id).step > reached + 2);
    kill("-TERM", &batch.id().to_string());
    assert_eq!(batch.wait().unwrap().code(), Some(85));
    // A worker that is killed is not requeued either.
    let reached = yard.view(&id).step;
    let mut batch = yard.batch(&script);
    wait_for("more steps", || yard.view(&id).step > reached + 2);
    kill("-9", &pid(&yard.folder(&id)));
    assert_eq!(batch.wait().unwrap().code(), Some(137));
    assert_eq!(batch_to_end(&yard, &script), Some(0));
    assert_eq!(std::fs::read_to_string(&requeued).unwrap(), "requeue 77\n");
    assert_eq!((yard.state(&id), yard.view(&id).points.len()), (JobState::Done, 60));
}

fn batch_to_end(yard: &Yard, script: &std::path::Path) -> Option<i32> {
    yard.batch(script).wait().unwrap().code()
}
