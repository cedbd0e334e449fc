//! A sweep that is killed at random points, again and again, leaves what an uninterrupted one leaves, to the byte.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clove::store::results::Results;

use super::cli::Desk;
use super::models::Draw;
use super::sweep::{SWEEP, data, files};

/// Kills in the suite; `CLOVE_KILLS=50 cargo nextest run killed` for more.
const KILLS: usize = 9;

#[test]
fn a_killed_sweep_goes_on_to_the_same_bytes() {
    let kills = std::env::var("CLOVE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let desk = Desk::new();
    data(&desk);
    let start = Instant::now();
    desk.run(&format!("{SWEEP} --alphas 0:1:0.25 --results @whole")).json();
    let whole_time = start.elapsed();
    let expected = files(&desk, "whole");
    let mut draw = Draw(11);
    let (mut killed, mut trial, mut scored_before) = (0, 0, Vec::new());
    while killed < kills {
        let results = format!("trial{trial}");
        trial += 1;
        // Up to three kills of one sweep, each somewhere within what is left of it.
        for _ in 0..3 {
            let after = whole_time.mul_f64(f64::from(draw.below(1000) as u32) / 1000.0);
            killed += usize::from(run_and_kill(&desk, &results, after));
            scored_before.push(check_what_is_there(&desk, &results));
        }
        desk.run(&format!("{SWEEP} --alphas 0:1:0.25 --results @{results}")).json();
        let found = files(&desk, &results);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{results}");
        assert!(found == expected, "{results} differs");
        std::fs::remove_dir_all(desk.path(&results)).unwrap();
    }
    scored_before.sort_unstable();
    scored_before.dedup();
    assert!(scored_before.len() > 3, "the kills all fell on the same place: {scored_before:?}");
}

/// Whether the kill came in time.
fn run_and_kill(desk: &Desk, results: &str, after: Duration) -> bool {
    let line = format!("{SWEEP} --alphas 0:1:0.25 --results @{results}");
    let args = line.split_whitespace().map(|word| word.strip_prefix('@').map_or(word.to_owned(), |n| desk.path(n)));
    let mut sweep = Command::new(env!("CARGO_BIN_EXE_clove"));
    let mut sweep = sweep.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    sweep.kill().unwrap();
    !sweep.wait().unwrap().success()
}

/// What readers see after a kill is whole: every line has its examples. Returns the number of lines.
fn check_what_is_there(desk: &Desk, results: &str) -> usize {
    let results = Results::of(Path::new(&desk.path(results)));
    let lines = results.lines().unwrap();
    for line in &lines {
        let per_example = results.per_example(&line.key).unwrap().unwrap();
        assert_eq!(per_example.outcomes.iter().flatten().count(), line.row.scored);
    }
    lines.len()
}
