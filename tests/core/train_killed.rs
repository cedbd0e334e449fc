//! A fine-tune that is killed at random points, again and again, ends in the weights of one that was left alone.

use std::time::{Duration, Instant};

use clove_training::run_directory::{RunDirectory, RunState};

use super::models::Draw;
use super::train::{Room, events};

/// Kills in the suite; `CLOVE_KILLS=20 cargo nextest run train_killed` for more.
const KILLS: usize = 4;

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let kills = std::env::var("CLOVE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let room = Room::small();
    let start = Instant::now();
    assert_eq!(room.train("whole", &[]).status, 0);
    let whole_time = start.elapsed();
    let mut draw = Draw(5);
    let (mut killed, mut trial, mut found_at) = (0, 0, Vec::new());
    while killed < kills {
        let name = format!("trial{trial}");
        trial += 1;
        // Up to three kills of one run, each somewhere within what is left of it.
        for _ in 0..3 {
            let after = whole_time.mul_f64(f64::from(draw.below(1000) as u32) / 1000.0);
            killed += usize::from(run_and_kill(&room, &name, after));
            let saved = newest(&room, &name);
            eprintln!("killed after {:4} ms, newest checkpoint {saved:?}", after.as_millis());
            found_at.push(saved);
        }
        assert_eq!(room.train(&name, &resume(&room, &name)).status, 0);
        assert!(room.weights(&name) == room.weights("whole"), "{name} differs");
        assert_eq!(room.run(&name).state().unwrap(), RunState::Done);
        let (found, expected) = (told(&room, &name), told(&room, "whole"));
        assert_eq!(found, expected, "every step and every score, once");
        let left = std::fs::read_dir(room.path(&name).join("checkpoints")).unwrap().count();
        assert_eq!(left, 2, "nothing half written stays");
        std::fs::remove_dir_all(room.path(&name)).unwrap();
    }
    found_at.sort_unstable();
    found_at.dedup();
    eprintln!("{killed} kills of {trial} runs, all byte-equal in the end; checkpoints found: {found_at:?}");
    assert!(found_at.len() > 1, "the kills all fell on the same place: {found_at:?}");
}

fn resume(room: &Room, name: &str) -> Vec<&'static str> {
    if RunDirectory::open(room.path(name)).is_ok() { vec!["--resume"] } else { Vec::new() }
}

fn newest(room: &Room, name: &str) -> Option<u64> {
    Some(RunDirectory::open(room.path(name)).ok()?.checkpoints().unwrap().pop()?.step)
}

/// Whether the kill came in time.
fn run_and_kill(room: &Room, name: &str, after: Duration) -> bool {
    let mut worker = room.start(name, &resume(room, name));
    std::thread::sleep(after);
    worker.kill().unwrap();
    !worker.wait().unwrap().success()
}

/// Steps with their losses, and scores, in their order.
fn told(room: &Room, name: &str) -> Vec<String> {
    use clove_training::RunEvent::{Evaluated, Step};
    let text = |event| match event {
        Step { step, loss, lr, grad_norm, logit_scale, .. } => {
            Some(format!("{step} {loss} {lr} {grad_norm} {logit_scale}"))
        }
        Evaluated { step, alpha, metric, value, .. } => Some(format!("{step} {alpha} {metric} {value}")),
        _ => None,
    };
    events(&room.run(name)).into_iter().filter_map(text).collect()
}
