//! Hand-made run directories, other people's folders, and folders that change under the watcher's eyes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use clove::jobs::{JobState, JobView, Runs, Watch};
use serde_json::json;

use super::recipe;

/// A runs folder with one job in it that waits for nobody.
fn made_by_hand(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let room = tempfile::tempdir().unwrap();
    let folder = room.path().join(name);
    fs::create_dir_all(folder.join("control")).unwrap();
    fs::write(folder.join("recipe.toml"), recipe("hand", 100).to_toml().unwrap()).unwrap();
    (room, folder)
}

fn append(folder: &Path, text: &str) {
    let mut file = File::options().create(true).append(true).open(folder.join("events.jsonl")).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn event(event: &serde_json::Value) -> String {
    let mut line = json!({ "time": 5.0 });
    line.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
    format!("{line}\n")
}

fn started(step: u64) -> String {
    event(&json!({ "event": "started", "step": step, "steps": 100, "pid": 1, "device": "CPU, 2 threads",
        "samples": 10, "parameters": 5, "trained": 5 }))
}

fn step(step: u64) -> String {
    event(&json!({ "event": "step", "step": step, "loss": 1.0 / step as f64, "lr": 1e-3, "grad_norm": 1.0,
        "logit_scale": 2.0, "pairs_per_s": 64.0, "negatives_share": 0.5, "memory_bytes": null, "seconds_left": 9.0 }))
}

fn only(watch: &mut Watch) -> JobView {
    let jobs = watch.look().jobs.expect("something changed");
    assert_eq!(jobs.len(), 1);
    jobs[0].clone()
}

#[test]
fn a_folder_is_read_as_it_grows_and_only_changes_are_told() {
    let (room, folder) = made_by_hand("20260101-000000_hand");
    let mut watch = Watch::new(room.path());
    let view = only(&mut watch);
    assert_eq!((view.state, view.place, view.steps), (JobState::Stopped, None, 100), "nobody queued it");
    let lock = File::create(folder.join("run.lock")).unwrap();
    lock.lock().unwrap();
    append(&folder, &started(0));
    // At rest it is looked at now and then only.
    let seen = (0..8).find_map(|_| watch.look().jobs).unwrap();
    assert_eq!((seen[0].state, seen[0].device.as_str()), (JobState::Running, "CPU, 2 threads"));
    let line = step(1);
    append(&folder, &line[..20]);
    assert!(watch.look().jobs.is_none(), "a torn line is no news");
    append(&folder, &line[20..]);
    let view = only(&mut watch);
    assert_eq!((view.step, view.points.len(), view.seconds_left), (1, 1, Some(9.0)));
    append(&folder, "garbage\n\0\u{7f}\n{\"event\":\"step\"}\n{\"time\":1,\"event\":\"from the future\"}\n");
    append(&folder, &step(2));
    assert_eq!(only(&mut watch).step, 2);
    for _ in 0..20 {
        assert!(watch.look().jobs.is_none(), "nothing has changed");
    }
    let score = json!({ "event": "evaluated", "step": 2, "alpha": 0.6, "benchmark": "sugarcrepe", "task": "add_att",
        "metric": "accuracy", "value": 71.5, "interval": [70.0, 73.0], "correct": 71.5, "scored": 100, "skipped": 0,
        "ties": 1 });
    append(&folder, &(event(&score) + &event(&json!({ "event": "warning", "message": "a.tar: cut" }))));
    let view = only(&mut watch);
    assert_eq!((view.evaluations[0].task.as_deref(), view.evaluations[0].value), (Some("add_att"), 71.5));
    assert_eq!(*view.warnings, ["a.tar: cut"]);
    fs::create_dir_all(folder.join("checkpoints/step_000002")).unwrap();
    fs::write(folder.join("checkpoints/step_000002/model.safetensors"), [0; 70]).unwrap();
    let view = only(&mut watch);
    assert_eq!((view.checkpoints[0].step, view.checkpoints[0].bytes), (2, 70));
    fs::write(folder.join("control/stop"), "").unwrap();
    assert_eq!(only(&mut watch).state, JobState::Stopping);
    fs::remove_file(folder.join("control/stop")).unwrap();
    drop(lock);
    let view = only(&mut watch);
    assert_eq!((view.state, view.seconds_left), (JobState::Interrupted, None));
    append(&folder, &event(&json!({ "event": "failed", "message": "not a number at step 3" })));
    let view = (0..8).find_map(|_| watch.look().jobs).unwrap()[0].clone();
    assert_eq!((view.state, view.failure.as_deref()), (JobState::Failed, Some("not a number at step 3")));
}

#[test]
fn a_long_history_stays_small_and_a_replaced_one_is_read_anew() {
    let (room, folder) = made_by_hand("20260101-000000_hand");
    append(&folder, &started(0));
    let lines: String = (1..=30_000).map(step).collect();
    append(&folder, &lines);
    let mut watch = Watch::new(room.path());
    let view = only(&mut watch);
    assert!(view.points.len() <= 2_000 && view.points.len() > 1_000, "{}", view.points.len());
    assert_eq!((view.step, view.points.last().unwrap().step), (30_000, 30_000));
    fs::write(folder.join("events.jsonl"), started(0) + &step(1)).unwrap();
    let view = (0..8).find_map(|_| watch.look().jobs).unwrap()[0].clone();
    assert_eq!((view.step, view.points.len()), (1, 1));
}

#[test]
fn other_folders_and_garbage_are_told_once_and_harm_nobody() {
    let (room, folder) = made_by_hand("20260101-000000_good");
    let runs = room.path();
    append(&folder, &started(0));
    fs::write(runs.join("notes.txt"), "a file").unwrap();
    fs::create_dir(runs.join("somebody elses")).unwrap();
    fs::create_dir(runs.join(".hidden")).unwrap();
    fs::copy(folder.join("recipe.toml"), runs.join(".hidden/recipe.toml")).unwrap();
    std::os::unix::fs::symlink("/no/such/place", runs.join("dangling")).unwrap();
    let with_recipe = |name: &str, bytes: &[u8]| {
        fs::create_dir(runs.join(name)).unwrap();
        fs::write(runs.join(name).join("recipe.toml"), bytes).unwrap();
    };
    with_recipe("bad-1", b"[[[");
    with_recipe("bad-2", &[0xff; 100]);
    with_recipe("bad-3", b"colour = \"red\"");
    with_recipe("bad-4", &vec![b'#'; 2 << 20]);
    // Right in form, wrong in everything else.
    for name in ["odd-1", "odd-2"] {
        with_recipe(name, recipe(name, 3).to_toml().unwrap().as_bytes());
    }
    fs::write(runs.join("odd-1/result.json"), r#"{"weights":["../../../etc"],"steps":1,"seconds":1,"sha256":""}"#)
        .unwrap();
    fs::create_dir(runs.join("odd-2/events.jsonl")).unwrap();
    fs::create_dir(runs.join("odd-2/run.lock")).unwrap();
    fs::create_dir(runs.join("odd-2/stderr.log")).unwrap();
    fs::write(runs.join("odd-2/checkpoints"), "").unwrap();
    fs::write(runs.join("queue.json"), "not json").unwrap();

    let mut watch = Watch::new(runs);
    let seen = watch.look();
    let names = |jobs: &[JobView]| jobs.iter().map(|job| job.id.0.clone()).collect::<Vec<_>>();
    let shown = names(&seen.jobs.unwrap());
    assert!(shown.contains(&"odd-1".to_owned()) && shown.contains(&"20260101-000000_good".to_owned()), "{shown:?}");
    let told: Vec<&str> = seen.unreadable.iter().map(|(name, _)| name.as_str()).collect();
    for bad in ["bad-1", "bad-2", "bad-3", "bad-4"] {
        assert!(told.contains(&bad), "{bad} is not in {told:?}");
        assert!(!shown.contains(&bad.to_owned()));
    }
    assert!(told.contains(&"odd-2") || shown.contains(&"odd-2".to_owned()));
    for _ in 0..20 {
        let seen = watch.look();
        assert!(seen.unreadable.is_empty() && seen.jobs.is_none(), "{seen:?}");
    }
    let (jobs, _) = Runs::new(runs).jobs();
    let odd = jobs.iter().find(|job| job.id.0 == "odd-1").unwrap();
    assert_eq!((odd.state, &odd.weights), (JobState::Done, &None), "a result cannot name a folder outside");
}

#[test]
fn folders_may_come_and_go_at_any_time() {
    let room = tempfile::tempdir().unwrap();
    let runs = room.path().join("runs");
    let mut watch = Watch::new(&runs);
    assert_eq!(watch.look().jobs.unwrap().len(), 0, "the folder need not be there");
    let make = |n: usize| {
        let folder = runs.join(format!("job-{n}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("recipe.toml"), recipe("x", 3).to_toml().unwrap()).unwrap();
        append(&folder, &started(0));
    };
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            for n in 0..200 {
                make(n % 7);
                fs::remove_dir_all(runs.join(format!("job-{}", (n + 3) % 7))).ok();
            }
        });
        while !busy.is_finished() {
            watch.look();
        }
    });
    fs::remove_dir_all(&runs).unwrap();
    let gone = (0..16).filter_map(|_| watch.look().jobs).last().unwrap();
    assert_eq!(gone.len(), 0);
    make(1);
    let back = (0..16).find_map(|_| watch.look().jobs).unwrap();
    assert_eq!(back.len(), 1);
}
