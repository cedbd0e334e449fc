use super::*;
use crate::tiny::{self, room};
use std::time::Duration;

fn queued(runs: &Path) -> RunDirectory {
    RunDirectory::create(runs, &tiny::recipe(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_599_901)).unwrap()
}

fn step(step: u64, loss: f64) -> RunEvent {
    RunEvent::Step {
        step,
        loss,
        lr: 1e-3,
        grad_norm: 2.0,
        logit_scale: 4.6,
        pairs_per_s: 10.0,
        negatives_share: 0.5,
        memory_bytes: None,
        seconds_left: 3.0,
    }
}

fn started(step: u64) -> RunEvent {
    RunEvent::Started { step, steps: 9, pid: 1, device: "CPU".into(), samples: None, parameters: 2, trained: 1 }
}

fn all(run: &RunDirectory) -> Vec<RunEvent> {
    run.events(0).unwrap().0.into_iter().map(|line| line.event).collect()
}

fn full(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("model.safetensors"), "weights")?;
    Err(io::ErrorKind::StorageFull.into())
}

#[test]
fn a_run_begins_queued_and_two_of_one_second_get_two_folders() {
    let (_room, runs) = room();
    assert_eq!(RunDirectory::list(&runs.join("none")).unwrap(), []);
    let (first, second) = (queued(&runs), queued(&runs));
    assert_eq!((first.name(), second.name()), ("20261125-094501_tiny".into(), "20261125-094501_tiny-2".into()));
    assert_eq!((first.state().unwrap(), first.recipe().unwrap()), (RunState::Queued, tiny::recipe()));
    fs::create_dir(runs.join(".removed")).unwrap();
    fs::create_dir(runs.join("other")).unwrap();
    assert_eq!(RunDirectory::list(&runs).unwrap(), [first, second]);
    assert!(matches!(RunDirectory::open(runs.join("other")), Err(RunError::NotARun { .. })));
    fs::write(runs.join("other/file"), "").unwrap();
    assert!(matches!(RunDirectory::create_at(&runs.join("other"), &tiny::recipe()), Err(RunError::Exists { .. })));
    let left: Vec<_> = fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "nothing unfinished is left: {left:?}");
}

#[test]
fn the_state_follows_from_the_lock_and_the_last_event() {
    let (_room, runs) = room();
    let run = queued(&runs);
    let after = |event: RunEvent| {
        let mut writer = Writer::open(run.clone()).unwrap();
        assert_eq!(run.state().unwrap(), RunState::Running);
        assert!(matches!(run.edit(&tiny::recipe()), Err(RunError::Begun { .. })));
        writer.conclude(event).unwrap();
        writer.tell(RunEvent::Warning { message: "late".into() });
        drop(writer);
        run.state().unwrap()
    };
    run.edit(&Recipe { steps: 9, ..tiny::recipe() }).unwrap();
    assert_eq!(run.recipe().unwrap().steps, 9);
    assert_eq!(after(started(0)), RunState::Interrupted);
    assert_eq!(after(RunEvent::Stopped { step: 4 }), RunState::Stopped);
    assert_eq!(after(RunEvent::Failed { message: "no".into() }), RunState::Failed);
    assert_eq!(after(RunEvent::Done { step: 9, seconds: 1.0 }), RunState::Interrupted, "the result is missing");
    let result = RunResult { weights: vec!["weights/hf".into()], steps: 9, seconds: 1.0, sha256: "00".into() };
    Writer::open(run.clone()).unwrap().finish(&result).unwrap();
    assert_eq!((run.state().unwrap(), run.result().unwrap()), (RunState::Done, Some(result)));
}

#[test]
fn the_last_event_is_found_behind_any_number_of_warnings() {
    let (_room, runs) = room();
    let run = queued(&runs);
    let mut writer = Writer::open(run.clone()).unwrap();
    for at in 0..2_000 {
        writer.tell(step(at, 1.0));
    }
    writer.tell(RunEvent::Stopped { step: 2_000 });
    for _ in 0..300 {
        writer.tell(RunEvent::Warning { message: "{\"event\":\"failed\"}".repeat(30) });
    }
    drop(writer);
    assert!(fs::metadata(run.path().join(EVENTS)).unwrap().len() > 8 * TAIL);
    assert_eq!(run.state().unwrap(), RunState::Stopped);
}

#[test]
fn one_worker_at_a_time_whoever_looks_meanwhile() {
    let (_room, runs) = room();
    let run = queued(&runs);
    let writer = Writer::open(run.clone()).unwrap();
    assert!(matches!(Writer::open(run.clone()), Err(RunError::Busy { .. })));
    drop(writer);
    let looker = File::open(run.path().join(LOCK)).unwrap();
    looker.lock_shared().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            looker.unlock().unwrap();
        });
        Writer::open(run.clone()).unwrap();
    });
}

#[test]
fn a_torn_last_line_waits_for_readers_and_is_repaired_by_the_next_worker() {
    let (_room, runs) = room();
    let run = queued(&runs);
    let mut writer = Writer::open(run.clone()).unwrap();
    writer.tell(started(0));
    writer.tell(step(1, 2.0));
    drop(writer);
    let events = run.path().join(EVENTS);
    let whole = fs::read(&events).unwrap();
    let mut torn = whole.clone();
    torn.extend(b"{\"time\":1.0,\"event\":\"step\",\"st");
    fs::write(&events, &torn).unwrap();
    let (lines, next) = run.events(0).unwrap();
    assert_eq!((lines.len(), next), (2, whole.len() as u64));
    let mut writer = Writer::open(run.clone()).unwrap();
    assert_eq!(fs::read(&events).unwrap(), whole);
    writer.tell(step(2, 1.5));
    assert_eq!(run.events(next).unwrap().0.len(), 1);
    assert_eq!(all(&run), [started(0), step(1, 2.0), step(2, 1.5)]);
    fs::write(
        &events,
        "{\"time\":1,\"event\":\"weather\"}\nno json\n{\"time\":1.0,\"event\":\"stopped\",\"step\":3}\n",
    )
    .unwrap();
    assert_eq!(all(&run), [RunEvent::Stopped { step: 3 }], "unknown events are passed over");
    fs::write(&events, "torn from the start").unwrap();
    drop(writer);
    Writer::open(run.clone()).unwrap();
    assert_eq!(fs::read(&events).unwrap(), b"");
}

#[test]
fn later_lines_supersede_what_a_crash_lost() {
    let lines = [started(0), step(1, 3.0), step(2, 2.0), step(3, 1.0), started(1), step(2, 2.5)];
    let lines = lines.into_iter().map(|event| Line { time: 0.0, event });
    let events: Vec<_> = without_superseded(lines).into_iter().map(|line| line.event).collect();
    assert_eq!(events, [started(0), step(1, 3.0), started(1), step(2, 2.5)]);
}

#[test]
fn events_are_what_the_contract_says() {
    let line = Line { time: 1.5, event: step(7, 0.25) };
    let json: serde_json::Value = serde_json::to_value(&line).unwrap();
    assert_eq!((&json["time"], &json["event"], &json["step"]), (&1.5.into(), &"step".into(), &7.into()));
    assert_eq!(json["memory_bytes"], serde_json::Value::Null);
    assert_eq!(serde_json::from_value::<Line>(json).unwrap(), line);
    assert_eq!((line.event.step(), RunEvent::Failed { message: String::new() }.step()), (Some(7), None));
}

#[test]
fn requests_are_seen_once() {
    let (_room, runs) = room();
    let run = queued(&runs);
    run.request(Control::Stop).unwrap();
    let writer = Writer::open(run.clone()).unwrap();
    assert!(!writer.take(Control::Save) && writer.take(Control::Stop) && !writer.take(Control::Stop));
    run.request(Control::Save).unwrap();
    writer.forget_requests();
    assert!(!writer.take(Control::Save));
}

#[test]
fn checkpoints_are_whole_and_old_ones_go_only_after_the_new_one_is_safe() {
    let (_room, runs) = room();
    let run = queued(&runs);
    let mut writer = Writer::open(run.clone()).unwrap();
    let fill = |folder: &Path| fs::write(folder.join("model.safetensors"), "weights");
    for at in [5, 10, 15] {
        writer.checkpoint(at, 2, fill).unwrap();
    }
    let steps = || run.checkpoints().unwrap().iter().map(|found| (found.step, found.bytes)).collect::<Vec<_>>();
    assert_eq!(steps(), [(10, 7), (15, 7)]);
    let error = writer.checkpoint(20, 2, full).unwrap_err();
    assert!(error.to_string().contains("write the checkpoint"), "{error}");
    assert_eq!(steps(), [(10, 7), (15, 7)]);
    writer.checkpoint(3, 1, fill).unwrap();
    assert_eq!(steps(), [(3, 7), (15, 7)], "the one just written stays whatever its number");
    writer.checkpoint(3, 0, |folder| fs::write(folder.join("other"), "x")).unwrap();
    assert_eq!(steps(), [(3, 1), (15, 7)], "written again, it is what was written last");
    fs::create_dir(run.path().join("checkpoints/.clove-new-1-step_000020")).unwrap();
    drop(writer);
    Writer::open(run.clone()).unwrap();
    assert_eq!(fs::read_dir(run.path().join(CHECKPOINTS)).unwrap().count(), 2, "leftovers are removed");
}
