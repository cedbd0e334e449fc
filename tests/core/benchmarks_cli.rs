//! `clove data`, and what `evaluate` says of ties, of what it could not read, and of what no model can tell.

use std::path::Path;

use serde_json::{Value, json};

use super::benchmarks_sets::{picture, text, write_all};
use super::cli::Desk;

#[test]
fn data_lists_what_is_there_and_what_is_missing() {
    let desk = Desk::new();
    let data = desk.path("data");
    write_all(Path::new(&data));
    let rows = json!([{"image": "val2014/COCO_val2014_000000000000.jpg", "caption": ["x"]}]);
    text(&Path::new(&data).join("coco/coco_karpathy_test_tags.json"), &rows.to_string());
    let found = desk.run("data @data --json").json();
    let row = |label: &str| {
        let rows = found["found"].as_array().unwrap();
        rows.iter().find(|row| row["benchmark"] == label).unwrap_or_else(|| panic!("{label}")).clone()
    };
    assert_eq!((&row("svo-probes")["examples"], &row("svo-probes")["task"]), (&json!(3), &json!("subject")));
    assert_eq!(row("sugarcrepe")["in_file"], 5);
    assert!((row("winoground")["chance"].as_f64().unwrap() - 25.0).abs() < 1e-9);
    assert!(row("sugarcrepe")["blind"].is_number() && row("winoground")["blind"].is_null());
    let broken = &found["unusable"][0];
    assert_eq!(broken["benchmark"], "aro-coco-order");
    assert!(broken["reason"].as_str().unwrap().contains("[token, tag]"), "{broken}");
    let missing: Vec<&Value> = found["missing"].as_array().unwrap().iter().map(|row| &row["benchmark"]).collect();
    assert_eq!(missing, [&json!("folder")]);
    let plain = desk.run("data @data");
    for word in ["winoground/group", "16.67 %", "aro-coco-order cannot be used", "missing, and what to fetch", "folder"]
    {
        assert!(plain.out.contains(word), "no '{word}' in {}", plain.out);
    }
    std::fs::create_dir(desk.path("empty")).unwrap();
    let empty = desk.run("data @empty");
    assert!(
        empty.out.contains("no benchmark was found") && empty.out.contains("https://image-net.org"),
        "{}",
        empty.out
    );
    assert_eq!(desk.run("data @empty --json").json()["found"], json!([]));
    desk.run("data @nowhere").fails(1, &["no such folder", "nowhere"]);
}

/// Four rows on one image; in two the wrong caption differs from the right one by nothing that a tokenizer keeps, and a
/// fifth has no image.
fn equal_foils(desk: &Desk) {
    let data = desk.path("data");
    let data = Path::new(&data);
    picture(&data.join("val2017/1.png"), 3);
    picture(&data.join("val2017/2.png"), 4);
    let row = |i: usize, negative: &str| {
        let file = if i == 4 { "gone.png".to_owned() } else { format!("{}.png", i % 2 + 1) };
        json!({"filename": file, "caption": "a dog left of a man", "negative_caption": negative})
    };
    let negatives = [" A dog  left of a MAN ", "the sea", "red car", "a dog left of a man", "x"];
    let rows: serde_json::Map<String, Value> =
        negatives.iter().enumerate().map(|(i, negative)| (i.to_string(), row(i, negative))).collect();
    text(&data.join("swap_obj.json"), &Value::Object(rows).to_string());
}

#[test]
fn ties_are_counted_and_the_rule_is_a_choice() {
    let desk = Desk::new();
    equal_foils(&desk);
    let run = |rule: &str| {
        let ties = if rule.is_empty() { String::new() } else { format!("--ties {rule}") };
        let run = desk.run(&format!("evaluate --base @base --benchmark sugarcrepe --data @data --json {ties}"));
        let row = run.json()["results"][0].clone();
        assert_eq!((&row["ties"], &row["scored"], &row["skipped"]), (&json!(2), &json!(4), &json!(1)), "{row}");
        (row, run.err)
    };
    let (reference, err) = run("");
    let value = |row: &Value| row["value"].as_f64().unwrap();
    let correct = |row: &Value| row["correct"].as_u64().unwrap();
    let remarks = reference["remarks"].to_string();
    assert!(remarks.contains("in 2 examples a wrong caption has the token ids of the right one"), "{remarks}");
    assert!(remarks.contains("20.0 % of the items could not be read"), "{remarks}");
    assert!(err.contains("cannot tell example 0") && err.contains("cannot tell example 3"), "{err}");
    assert!(reference["blind"].is_number());

    let (strict, _) = run("strict");
    assert_eq!((value(&strict), correct(&strict)), (value(&reference), correct(&reference)), "SugarCrepe is strict");
    assert!(strict["protocol"].as_str().unwrap().ends_with("ties here by the rule strict"), "{strict}");
    let (first, _) = run("first");
    assert_eq!(correct(&first), correct(&strict) + 2, "the right caption is the first");
    let (half, _) = run("half");
    assert_eq!(correct(&half), correct(&strict), "a shared tie is no whole example");
    assert!((value(&half) - f64::midpoint(value(&strict), value(&first))).abs() < 1e-9);
    let (drawn, _) = run("random:5");
    assert!((value(&strict)..=value(&first)).contains(&value(&drawn)));
    assert_eq!(value(&drawn), value(&run("random:5").0), "the same seed draws the same");
    desk.run("evaluate --base @base --benchmark sugarcrepe --data @data --ties last").fails(2, &["random:SEED"]);
    let sweep = desk
        .run("sweep --base @base --tuned @tuned --alphas 0,1 --benchmark sugarcrepe --data @data --ties half --json");
    assert_eq!(value(&sweep.json()["results"][0]), value(&half));
}

#[test]
fn evaluate_runs_the_new_kinds_end_to_end() {
    let desk = Desk::new();
    write_all(Path::new(&desk.path("data")));
    let run = desk.run("evaluate --base @base --benchmark winoground svo-probes retrieval-flickr cifar10 webdataset --data @data --json");
    let rows = run.json()["results"].as_array().unwrap().clone();
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let labels: Vec<_> = rows
        .iter()
        .map(|row| format!("{}/{} {}", word(row, "benchmark"), word(row, "task"), word(row, "metric")))
        .collect();
    for label in [
        "winoground/group accuracy",
        "svo-probes/verb accuracy",
        "retrieval-flickr/image-to-text recall@10",
        "retrieval-flickr/text-to-image recall@1",
        "cifar10/ top1",
        "webdataset/colours top5",
        "webdataset/captions-text-to-image recall@5",
    ] {
        assert!(labels.iter().any(|own| own == label), "no '{label}' in {labels:?}");
    }
    assert!(rows.iter().all(|row| row["remarks"] == json!([])), "{rows:?}");
    let at_ten = rows.iter().find(|row| row["metric"] == "recall@10" && row["task"] == "text-to-image").unwrap();
    assert_eq!(at_ten["value"], 100.0, "six images are all among the first ten");
}
