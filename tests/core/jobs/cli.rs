//! `clove jobs` as scripts drive it, and the death of a scheduler.

use std::process::{Command, Stdio};

use clove::jobs::JobState;
use serde_json::Value;

use super::super::cli::{Run, clove, keys};
use super::{Yard, kill, pid, recipe, wait_for};

impl Yard {
    /// `clove jobs … --runs`, with `@name` for paths in the room.
    fn clove(&self, words: &str) -> Run {
        let place = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.room.path().join(name).display().to_string(),
            None => word.to_owned(),
        };
        let mut line = vec!["jobs".to_owned()];
        line.extend(words.split_whitespace().map(place));
        line.extend(["--runs".to_owned(), self.runs.folder().display().to_string()]);
        clove(&line)
    }

    fn list(&self) -> Value {
        self.clove("list --json").json()["jobs"].clone()
    }

    fn write(&self, name: &str, steps: u64) {
        let text = recipe(name, steps).to_toml().unwrap();
        std::fs::write(self.room.path().join(format!("{name}.toml")), text).unwrap();
    }

    fn run(&self) -> std::process::Child {
        let mut run = Command::new(env!("CARGO_BIN_EXE_clove"));
        run.args(["jobs", "run", "--worker"]).arg(self.worker()).arg("--runs").arg(self.runs.folder());
        run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

#[test]
fn the_queue_can_be_kept_from_the_command_line() {
    let yard = Yard::new();
    let empty = yard.clove("list");
    assert!(empty.status == 0 && empty.out.starts_with("no jobs; clove jobs queue"), "{}", empty.out);
    yard.write("one", 3);
    yard.write("two", 3);
    let queued = yard.clove("queue @one.toml @two.toml --json").json();
    let [one, two] = [0, 1].map(|n| queued["queued"][n].as_str().unwrap().to_owned());
    assert!(one.ends_with("_one") && two.ends_with("_two"));
    let jobs = yard.list();
    assert_eq!(
        keys(&jobs[0]).into_iter().collect::<Vec<_>>(),
        [
            "checkpoints",
            "device",
            "evaluations",
            "failure",
            "folder",
            "id",
            "loss",
            "lr",
            "memory_bytes",
            "name",
            "pairs_per_s",
            "place",
            "seconds_left",
            "state",
            "step",
            "steps",
            "warnings",
            "weights",
        ]
    );
    let table = yard.clove("list").out;
    assert!(table.lines().next().unwrap().starts_with("job "), "{table}");
    assert!(table.contains("queued, 1.") && table.contains("0/3"), "{table}");
    assert_eq!(yard.clove("move two up").status, 0);
    let of = |id: &str| yard.list().as_array().unwrap().iter().find(|job| job["id"] == id).unwrap().clone();
    assert_eq!((of(&one)["place"].clone(), of(&two)["place"].clone()), (1.into(), 0.into()));
    assert_eq!(yard.clove(&format!("stop {one} --json")).json()["stopping"][0], one.as_str());
    assert_eq!(of(&one)["state"], "stopped");
    yard.write("one", 4);
    assert_eq!(yard.clove("edit one @one.toml").status, 0);
    assert_eq!(of(&one)["steps"], 4);
    assert_eq!(yard.clove("resume --all").out.lines().count(), 1);
    assert!(yard.clove("remove one").out.contains("restore brings it back"));
    assert_eq!(yard.list().as_array().unwrap().len(), 1);
    assert_eq!(yard.clove(&format!("restore {one}")).status, 0);
    let run = yard.clove("run --worker @worker");
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(run.err.contains("_two: done") && run.err.contains("_one: done"), "{}", run.err);
    assert_eq!(yard.trace(), ["begin two", "end two", "begin one", "end one"]);
    assert_eq!((of(&one)["state"].clone(), of(&one)["loss"].clone()), ("done".into(), 4.5.into()));
    yard.clove("save one").fails(1, &["done", "only a running job"]);
}

#[test]
fn failures_are_one_sentence() {
    let yard = Yard::new();
    yard.write("one", 3);
    yard.write("fails", 3);
    yard.clove("stop").fails(2, &["--all"]);
    yard.clove("stop one --all").fails(2, &[]);
    yard.clove("move one sideways").fails(2, &[]);
    yard.clove("stop nobody").fails(1, &["no job 'nobody'", "clove jobs list"]);
    yard.clove("queue @no-such.toml").fails(1, &["no-such.toml"]);
    std::fs::write(yard.room.path().join("bad.toml"), "name = \"x\"\nbach = 3").unwrap();
    yard.clove("queue @one.toml @bad.toml").fails(1, &["bad.toml", "bach"]);
    assert_eq!(yard.list().as_array().unwrap().len(), 0, "none is queued when one cannot be");
    let lost = clove_training::Recipe { data: vec!["/no/such.tar".into()], ..recipe("lost", 3) };
    std::fs::write(yard.room.path().join("lost.toml"), lost.to_toml().unwrap()).unwrap();
    yard.clove("queue @lost.toml").fails(1, &["/no/such.tar", "--unchecked", "lost.toml"]);
    assert_eq!(yard.clove("queue @lost.toml --unchecked").status, 0);
    let check = yard.clove("check @lost.toml --device cpu");
    assert!(check.status == 1 && check.out.contains("✗ Data"), "{}", check.out);
    let fine = yard.clove("check @one.toml --device cpu --json").json();
    assert_eq!((fine["can_start"].clone(), fine["trial"].clone()), (true.into(), Value::Null));
    yard.clove("remove lost");
    yard.clove("queue @one.toml @one.toml");
    yard.clove("stop one").fails(1, &["'one' fits 2 jobs"]);
    yard.clove("queue @fails.toml");
    let run = yard.clove("run --worker @worker");
    assert_eq!((run.status, run.out.as_str()), (1, ""));
    let last = run.err.lines().last().unwrap();
    assert!(last.starts_with("clove: these jobs did not end well") && last.contains("_fails"), "{last}");
    assert!(yard.clove("list").out.contains("_fails failed: the loss is not a number at step 1"));
}

#[test]
fn a_worker_survives_the_death_of_its_scheduler_and_is_found_again() {
    let yard = Yard::new();
    let (first, second) = (yard.queue("first", 100), yard.queue("second", 3));
    let mut scheduler = yard.run();
    wait_for("the first steps", || yard.view(&first).step > 3);
    let worker = pid(&yard.folder(&first));
    scheduler.kill().unwrap();
    scheduler.wait().unwrap();
    let reached = yard.view(&first).step;
    wait_for("more steps", || yard.view(&first).step > reached + 3);
    let [two, one] = [0, 1].map(|n| yard.list()[n]["state"].clone());
    assert_eq!((one, two), ("running".into(), "queued".into()));
    // Another one waits for the worker that it did not start, and goes on with the queue.
    let mut scheduler = yard.run();
    wait_for("the end", || yard.state(&second) == JobState::Done);
    assert!(scheduler.wait().unwrap().success());
    assert_eq!(yard.trace(), ["begin first", "end first", "begin second", "end second"]);
    assert_eq!(yard.state(&first), JobState::Done);
    assert_eq!(worker, pid(&yard.folder(&first)), "one worker did it all");
}

#[test]
fn a_ctrl_c_ends_the_scheduler_alone_and_stop_waits_for_workers() {
    let yard = Yard::new();
    let id = yard.queue("long", 2_000);
    let mut scheduler = yard.run();
    wait_for("the first steps", || yard.view(&id).step > 2);
    kill("-INT", &scheduler.id().to_string());
    assert_eq!(scheduler.wait().unwrap().code(), Some(85));
    assert_eq!(yard.state(&id), JobState::Running);
    let stopped = yard.clove("stop --all --wait");
    assert_eq!((stopped.status, yard.state(&id)), (0, JobState::Stopped), "{}", stopped.err);
}
