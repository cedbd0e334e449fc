//! `evaluate` and `sweep` on a small data folder: rows, files, order.

use std::collections::BTreeSet;
use std::path::Path;

use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use super::cli::{Desk, keys};
use super::models::Draw;

const ROW: [&str; 14] = [
    "alpha",
    "benchmark",
    "blind",
    "correct",
    "interval",
    "metric",
    "protocol",
    "remarks",
    "scored",
    "seconds",
    "skipped",
    "task",
    "ties",
    "value",
];

pub fn picture(path: &Path, seed: u64) {
    let mut draw = Draw(seed);
    let tint = [0; 3].map(|_: u8| draw.below(200) as u8);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_fn(18, 20, |x, y| Rgb(tint.map(|t| t.wrapping_add((x * y) as u8 % 56)))).save(path).unwrap();
}

/// Three classes of four pictures, one of them broken; two SugarCrepe tasks of five rows, one of them without its image.
fn data(desk: &Desk) {
    let data = desk.path("data");
    let data = Path::new(&data);
    for (c, class) in ["dog", "sea", "red_car"].into_iter().enumerate() {
        for i in 0..4 {
            picture(&data.join("classes").join(class).join(format!("{i}.png")), (4 * c + i) as u64);
        }
    }
    std::fs::write(data.join("classes/dog/2.png"), b"\x89PNG\r\n\x1a\n cut").unwrap();
    for (task, words) in [("swap_obj", "behind"), ("add_att", "of")] {
        let rows: serde_json::Map<String, Value> = (0..5)
            .map(|i| {
                let (caption, negative) = (format!("a dog {words} car {i}"), format!("a car {words} dog {i}"));
                (
                    i.to_string(),
                    json!({ "filename": format!("{i}.png"), "caption": caption, "negative_caption": negative }),
                )
            })
            .collect();
        std::fs::write(data.join(format!("{task}.json")), Value::Object(rows).to_string()).unwrap();
    }
    for i in 0..4 {
        picture(&data.join("val2017").join(format!("{i}.png")), 50 + i);
    }
}

fn rows(document: &Value) -> Vec<Value> {
    assert_eq!(keys(document), BTreeSet::from(["results"]));
    let rows = document["results"].as_array().unwrap().clone();
    for row in &rows {
        assert_eq!(keys(row), BTreeSet::from(ROW));
        let value = row["value"].as_f64().unwrap();
        let (low, high) = (row["interval"][0].as_f64().unwrap(), row["interval"][1].as_f64().unwrap());
        assert!(0.0 <= low && low <= value && value <= high && high <= 100.0, "{row}");
        let rate = 100.0 * row["correct"].as_f64().unwrap() / row["scored"].as_f64().unwrap();
        assert!((value - rate).abs() < 1e-9, "{row}");
    }
    rows
}

/// What a row is about.
fn head(row: &Value) -> (String, Option<String>, String, u64, u64) {
    let word = |key: &str| row[key].as_str().map(str::to_owned);
    let count = |key: &str| row[key].as_u64().unwrap();
    (word("benchmark").unwrap(), word("task"), word("metric").unwrap(), count("scored"), count("skipped"))
}

fn without_seconds(mut row: Value) -> Value {
    row.as_object_mut().unwrap().remove("seconds").unwrap();
    row
}

#[test]
fn evaluate_tells_the_contract_and_appends_results() {
    let desk = Desk::new();
    data(&desk);
    let line = "evaluate --base @base --benchmark folder sugarcrepe --data @data --results @results --json";
    let first = desk.run(line);
    let found = rows(&first.json());
    let task = |name: &str| Some(name.to_owned());
    let wanted = [
        ("folder".into(), None, "top1".into(), 11, 1),
        ("folder".into(), None, "top5".into(), 11, 1),
        ("sugarcrepe".into(), task("add_att"), "accuracy".into(), 4, 1),
        ("sugarcrepe".into(), task("swap_obj"), "accuracy".into(), 4, 1),
    ];
    assert_eq!(found.iter().map(head).collect::<Vec<_>>(), wanted);
    for row in &found {
        assert_eq!(row["alpha"], json!({ "image": 0.0, "text": 0.0 }));
    }
    assert_eq!(found[1]["correct"], 11, "three classes are always among five");
    for name in ["2.png", "4.png"] {
        assert!(first.err.contains(name), "what is left out is named: {}", first.err);
    }
    // The same again, through the pair: alpha 0 is base.
    let pair = line.replace("--base @base", "--base @base --tuned @tuned --alpha 0");
    let second = rows(&desk.run(&pair).json());
    let plain = |rows: &[Value]| rows.iter().cloned().map(without_seconds).collect::<Vec<_>>();
    assert_eq!(plain(&found), plain(&second));
    let text = std::fs::read_to_string(desk.path("results/results.jsonl")).unwrap();
    let stored: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(stored.len(), 8, "results are appended");
    for (line, row) in stored.iter().zip(found.iter().chain(&second)) {
        for key in ROW.iter().filter(|key| **key != "seconds") {
            assert_eq!(line[*key], row[*key]);
        }
        assert!(line.get("seconds").is_none(), "results are the same whenever they are made");
        assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(line["base"]["sha256"].as_str().unwrap().len(), 64);
    }
    assert_eq!(stored[0]["tuned"]["sha256"], stored[0]["base"]["sha256"], "one model is a pair with itself");
    assert_ne!(stored[4]["tuned"]["sha256"], stored[4]["base"]["sha256"]);
}

#[test]
fn subsets_and_tables_say_what_they_are() {
    let desk = Desk::new();
    data(&desk);
    let limited = rows(&desk.run("evaluate --base @base --benchmark sugarcrepe --data @data --limit 2 --json").json());
    assert!(limited.iter().all(|row| row["scored"] == 2), "{limited:?}");
    assert!(limited[0]["protocol"].as_str().unwrap().contains("subset of 2"), "{limited:?}");
    let plain = desk.run("evaluate --base @base --benchmark folder --data @data");
    assert_eq!(plain.status, 0, "{}", plain.err);
    for word in ["folder", "top1", "95 % interval", "skipped", "/11"] {
        assert!(plain.out.contains(word), "no '{word}' in {}", plain.out);
    }
    desk.run("evaluate --base @base --benchmark nothing --data @data").fails(1, &["nothing", "aro-relation"]);
    desk.run("evaluate --base @base --benchmark aro-relation --data @data")
        .fails(1, &["aro-relation", &desk.path("data")]);
    desk.run("sweep --base @base --benchmark folder --data @data").fails(2, &["--tuned"]);
}

#[test]
fn a_sweep_is_its_evaluations_and_a_grid_holds_the_sweep() {
    let desk = Desk::new();
    data(&desk);
    let sweep = |more: &str| {
        desk.run(&format!("sweep --base @base --tuned @tuned --alphas 0,0.5,1 --data @data --json {more}"))
    };
    let line = rows(&sweep("--benchmark sugarcrepe --results @line").json());
    let alphas: Vec<f64> = line.iter().map(|row| row["alpha"]["image"].as_f64().unwrap()).collect();
    assert_eq!(alphas, [0.0, 0.0, 0.5, 0.5, 1.0, 1.0], "rows come in the order of alpha");
    for (alpha, visited) in [0.0, 0.5, 1.0].iter().zip(line.chunks(2)) {
        let alone = desk.run(&format!(
            "evaluate --base @base --tuned @tuned --alpha {alpha} --benchmark sugarcrepe --data @data --json"
        ));
        let alone = rows(&alone.json());
        for (a, b) in alone.into_iter().zip(visited) {
            assert_eq!(without_seconds(a), without_seconds(b.clone()));
        }
    }
    let grid = rows(&sweep("--benchmark sugarcrepe --grid --results @grid").json());
    assert_eq!(grid.len(), 2 * 9);
    let places: BTreeSet<String> = grid.iter().map(|row| row["alpha"].to_string()).collect();
    assert_eq!(places.len(), 9);
    let diagonal: Vec<Value> =
        grid.into_iter().filter(|row| row["alpha"]["image"] == row["alpha"]["text"]).map(without_seconds).collect();
    assert_eq!(diagonal, line.into_iter().map(without_seconds).collect::<Vec<_>>());
    for (folder, lines) in [("line", 6), ("grid", 18)] {
        let text = std::fs::read_to_string(desk.path(&format!("{folder}/results.jsonl"))).unwrap();
        assert_eq!(text.lines().count(), lines, "{folder}");
    }
}
