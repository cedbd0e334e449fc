//! Sweeps with stored results: nothing twice, shards that merge to the same bytes, stops that can be taken up again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clove::evaluate::statistics;
use clove::store::WriterLock;
use clove::store::results::{Line, Results};
use serde_json::{Map, Value, json};

use super::cli::Desk;
use super::cli_data::picture;

/// 150 pictures in three classes, one broken and some alike; 140 rows of one SugarCrepe task, and 120 of ARO relation on
/// the same pictures. Several units of both towers.
pub fn data(desk: &Desk) {
    let root = desk.path("data");
    let root = Path::new(&root);
    for i in 0..150 {
        let class = ["dog", "sea", "red_car"][i % 3];
        picture(&root.join("classes").join(class).join(format!("{i:03}.png")), i as u64 % 140);
    }
    std::fs::write(root.join("classes/dog/003.png"), b"\x89PNG\r\n\x1a\n cut").unwrap();
    let nouns = ["dog", "man", "tree", "house", "car", "sea", "park"];
    let words = |i: usize, j: usize| (nouns[i % 7], nouns[(i + 1 + j % 6) % 7]);
    let mut task = Map::new();
    for i in 0..140 {
        let ((a, b), file) = (words(i, i / 7), format!("{}.png", i % 130));
        let row = json!({ "filename": file, "caption": format!("a {a} behind a {b} {i}"),
            "negative_caption": format!("a {b} behind a {a} {i}") });
        task.insert(i.to_string(), row);
        picture(&root.join("val2017").join(&file), 100 + i as u64 % 130);
    }
    std::fs::write(root.join("swap_obj.json"), Value::Object(task).to_string()).unwrap();
    let relations = (0..120).map(|i| {
        let ((a, b), relation) = (words(i, i / 7), ["on", "under", "behind"][i % 3]);
        json!({ "image_path": format!("{}.png", i % 40), "relation_name": relation,
            "true_caption": format!("the {a} is {relation} the {b}"), "false_caption": format!("the {b} is {relation} the {a}"),
            "bbox_x": 1, "bbox_y": 2, "bbox_w": 12, "bbox_h": 14 })
    });
    std::fs::write(root.join("visual_genome_relation.json"), Value::Array(relations.collect()).to_string()).unwrap();
    for i in 0..40 {
        picture(&root.join("images").join(format!("{i}.png")), 300 + i);
    }
}

pub const SWEEP: &str =
    "sweep --base @base --tuned @tuned --benchmark folder sugarcrepe aro-relation --data @data --json";

/// The bytes of everything that a sweep leaves but its cache of pixels, and what killed ones had not renamed yet.
pub fn files(desk: &Desk, results: &str) -> BTreeMap<String, Vec<u8>> {
    let root = desk.path(results);
    let mut found = BTreeMap::new();
    let mut folders = vec![Path::new(&root).to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            if path.is_dir() && name != "pixels" {
                folders.push(path);
            } else if path.is_file() && !name.contains(".clove-") {
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

fn rows(document: &Value) -> Vec<Value> {
    document["results"].as_array().unwrap().clone()
}

fn without_seconds(mut row: Value) -> Value {
    row.as_object_mut().unwrap().remove("seconds").unwrap();
    row
}

fn stored(desk: &Desk, results: &str) -> (Results, Vec<Line>) {
    let results = Results::of(Path::new(&desk.path(results)));
    let lines = results.lines().unwrap();
    (results, lines)
}

#[test]
fn what_is_there_is_not_computed_again() {
    let desk = Desk::new();
    data(&desk);
    let sweep = |alphas: &str, more: &str| rows(&desk.run(&format!("{SWEEP} --alphas {alphas} {more}")).json());
    let first = sweep("0,1", "--results @r");
    let before = files(&desk, "r");
    let again = sweep("0,1", "--results @r");
    assert_eq!(files(&desk, "r"), before);
    let plain = |rows: &[Value]| rows.iter().cloned().map(without_seconds).collect::<Vec<_>>();
    assert_eq!(plain(&first), plain(&again));
    assert!(first.iter().all(|row| row["seconds"].as_f64() > Some(0.0)));
    assert!(again.iter().all(|row| row["seconds"] == 0.0));
    let more = sweep("0,0.5,1", "--results @r");
    let new: Vec<&Value> = more.iter().filter(|row| row["seconds"].as_f64() > Some(0.0)).collect();
    assert!(new.len() == more.len() / 3 && new.iter().all(|row| row["alpha"]["text"] == 0.5));
    let log = String::from_utf8(files(&desk, "r")["results.jsonl"].clone()).unwrap();
    let old = String::from_utf8(before["results.jsonl"].clone()).unwrap();
    assert!(log.starts_with(&old), "append only");
    assert_eq!(plain(&more), plain(&sweep("0,0.5,1", "")), "as without results");
    // Another picture, another result; a damaged file is made again.
    picture(Path::new(&desk.path("data/classes/dog/000.png")), 999);
    let changed = sweep("0,0.5,1", "--results @r");
    let new: Vec<&Value> = changed.iter().filter(|row| row["seconds"].as_f64() > Some(0.0)).collect();
    assert!(new.len() == 6 && new.iter().all(|row| row["benchmark"] == "folder"), "{new:?}");
    let whole = files(&desk, "r");
    let (name, bytes) = whole.iter().find(|(name, _)| name.starts_with("similarities")).unwrap();
    std::fs::write(Path::new(&desk.path("r")).join(name), &bytes[..bytes.len() - 1]).unwrap();
    sweep("0,0.5,1", "--results @r");
    assert!(files(&desk, "r")[name] == *bytes, "made again");
    picture(Path::new(&desk.path("data/classes/dog/000.png")), 0);
    sweep("0,0.5,1", "--results @r");
    assert_eq!(files(&desk, "r"), whole);
}

#[test]
fn flips_and_margins_are_read() {
    let desk = Desk::new();
    data(&desk);
    let shown = rows(&desk.run(&format!("{SWEEP} --alphas 0,1 --results @r")).json());
    let (results, lines) = stored(&desk, "r");
    assert_eq!(lines.len(), shown.len());
    for row in &shown {
        let line = lines.iter().find(|line| {
            line.row.benchmark == row["benchmark"]
                && line.row.metric == row["metric"]
                && json!(line.row.alpha) == row["alpha"]
        });
        let line = line.unwrap();
        let per_example = results.per_example(&line.key).unwrap().unwrap();
        let judged: Vec<_> = per_example.outcomes.iter().flatten().collect();
        assert_eq!(json!(judged.len()), row["scored"]);
        let right = judged.iter().filter(|o| if row["metric"] == "top5" { o.in_top5 } else { o.right }).count();
        assert_eq!(json!(right), row["correct"], "{row}");
        for (example, outcome) in per_example.outcomes.iter().enumerate() {
            let similarities: Vec<_> = per_example.similarities(example).collect();
            assert_eq!(similarities.is_empty(), outcome.is_none());
            if let (Some(outcome), [(0, a), (1, b)]) = (outcome, &similarities[..]) {
                // ARO's right caption is the second, SugarCrepe's the first.
                let sign = if row["benchmark"] == "aro-relation" { -1.0 } else { 1.0 };
                assert_eq!(outcome.margin, sign * (a - b));
            }
        }
        if row["benchmark"] == "folder" {
            assert_eq!(per_example.unreadable.len(), 1);
            assert!(per_example.unreadable[0].item.contains("003.png"));
        }
        let is_macro = row["metric"] == "macro-accuracy";
        assert_eq!(line.row.bootstrap.is_some(), is_macro);
        if let Some(bootstrap) = line.row.bootstrap {
            let [low, high] = bootstrap.interval;
            assert!(low < line.row.value && line.row.value < high && bootstrap.resamples == 2000);
        }
    }
    let of = |alpha: f64| {
        let line =
            lines.iter().find(|l| l.row.benchmark == "sugarcrepe" && l.row.alpha.image().get() == alpha).unwrap();
        (line.row.correct, results.per_example(&line.key).unwrap().unwrap().outcomes)
    };
    let ((base, before), (tuned, after)) = (of(0.0), of(1.0));
    let change = statistics::change(&before, &after);
    assert_eq!(base + change.fixed, tuned + change.broken);
    assert!(change.fixed + change.broken > 0 && change.compared == 140);
}

#[test]
fn shards_merge_to_the_bytes_of_a_single_sweep() {
    let desk = Desk::new();
    data(&desk);
    for more in ["--alphas 0,0.3,1", "--alphas 0,1 --grid"] {
        let line = more.contains("grid");
        let (single, parts) = (format!("single{line}"), format!("parts{line}"));
        let expected = desk.run(&format!("{SWEEP} {more} --results @{single}")).json();
        for k in [3, 1] {
            let told = desk.run(&format!("{SWEEP} {more} --results @{parts} --shard {k}/3")).json();
            assert!(told["stored"].as_u64().unwrap() > 0, "{told}");
        }
        let early = desk.run(&format!("{SWEEP} {more} --results @{parts} --merge"));
        assert!(early.status == 1 && early.err.contains("parts are missing"), "{}", early.err);
        let told = desk.run(&format!("{SWEEP} {more} --results @{parts} --shard 2/3")).json();
        assert_eq!(told["missing"], 0);
        let again = desk.run(&format!("{SWEEP} {more} --results @{parts} --shard 2/3")).json();
        assert_eq!(again["stored"], 0, "a shard that is done has nothing to do");
        assert!(!files(&desk, &parts).contains_key("results.jsonl"), "shards do not score");
        let merged = desk.run(&format!("{SWEEP} {more} --results @{parts} --merge")).json();
        let plain = |document: &Value| rows(document).into_iter().map(without_seconds).collect::<Vec<_>>();
        assert_eq!(plain(&merged), plain(&expected));
        assert_eq!(files(&desk, &parts), files(&desk, &single), "{more}");
    }
    desk.run(&format!("{SWEEP} --results @r --shard 4/3")).fails(2, &["4/3"]);
    desk.run(&format!("{SWEEP} --shard 1/3")).fails(2, &["--results"]);
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let desk = Desk::new();
    data(&desk);
    desk.run(&format!("{SWEEP} --alphas 0 --results @r")).json();
    let lock = WriterLock::take(Path::new(&desk.path("r"))).unwrap();
    desk.run(&format!("{SWEEP} --alphas 0,1 --results @r")).fails(1, &["another clove", &desk.path("r")]);
    let (results, lines) = stored(&desk, "r");
    assert!(results.per_example(&lines[0].key).unwrap().is_some());
    drop(lock);
    desk.run(&format!("{SWEEP} --alphas 0,1 --results @r")).json();
}

#[cfg(unix)]
#[test]
fn a_signal_stops_after_saving_and_the_same_command_goes_on() {
    let desk = Desk::new();
    data(&desk);
    let args: Vec<String> = format!("{SWEEP} --alphas 0:1:0.1 --results @r")
        .split_whitespace()
        .map(|word| word.strip_prefix('@').map_or(word.to_owned(), |name| desk.path(name)))
        .collect();
    for signal in ["INT", "TERM"] {
        let mut sweep = Command::new(env!("CARGO_BIN_EXE_clove"));
        let sweep = sweep.args(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (start, had) = (Instant::now(), stored(&desk, "r").1.len());
        while stored(&desk, "r").1.len() <= had {
            assert!(start.elapsed() < Duration::from_mins(1), "no score");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(Command::new("kill").args(["-s", signal, &sweep.id().to_string()]).status().unwrap().success());
        let output = sweep.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(85), "{said}");
        assert!(said.lines().last().unwrap().contains("saved"), "{said}");
    }
    let whole = desk.run(&format!("{SWEEP} --alphas 0:1:0.1 --results @whole")).json();
    let resumed = desk.run(&format!("{SWEEP} --alphas 0:1:0.1 --results @r")).json();
    let plain = |document: &Value| rows(document).into_iter().map(without_seconds).collect::<Vec<_>>();
    assert_eq!(plain(&whole), plain(&resumed));
    assert_eq!(files(&desk, "whole"), files(&desk, "r"));
}
