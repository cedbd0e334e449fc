//! Reports of stored results: the same numbers as the sweep's, nothing computed, nothing overwritten.

use std::path::Path;

use serde_json::{Value, json};

use super::cli::Desk;
use super::sweep::{SWEEP, data};

/// A sweep of three alphas with its rows as it printed them.
fn swept() -> (Desk, Vec<Value>) {
    let desk = Desk::new();
    data(&desk);
    let document = desk.run(&format!("{SWEEP} --alphas 0,0.5,1 --results @r")).json();
    (desk, document["results"].as_array().unwrap().clone())
}

fn read(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.path(name)).unwrap_or_else(|e| panic!("{e}: {name}"))
}

/// Equal but for the last digit of a number, which reading a log may change.
fn near(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| near(value, other)))
        }
        _ => a == b,
    }
}

#[test]
fn a_report_holds_what_the_sweep_found() {
    let (desk, rows) = swept();
    // No checkpoint is needed any more.
    std::fs::remove_dir_all(desk.path("base")).unwrap();
    std::fs::remove_dir_all(desk.path("tuned")).unwrap();
    let run = desk.run("report --results @r --data @data --out @out --alpha 0.5 --failures 4");
    assert!(run.status == 0 && run.out.is_empty(), "{}", run.err);
    assert_eq!(run.err.matches("wrote ").count(), 5, "{}", run.err);

    // Each row of JSON is the row that the sweep printed, beside hashes.
    let document: Value = serde_json::from_str(&read(&desk, "out/scores.json")).unwrap();
    let mut told = document["results"].as_array().unwrap().clone();
    for row in &mut told {
        let row = row.as_object_mut().unwrap();
        assert_eq!(row["seconds"], 0.0);
        assert!(row.remove("data").unwrap().as_str().unwrap().len() == 64);
        assert!(row.remove("device").is_some() && row.remove("version").is_some());
    }
    let mut expected = rows.clone();
    for row in &mut expected {
        row["seconds"] = json!(0.0);
    }
    let key = |row: &Value| row.to_string();
    told.sort_by_key(key);
    expected.sort_by_key(key);
    assert!(near(&json!(told), &json!(expected)), "{told:#?}");
    assert_eq!(document["base"]["sha256"].as_str().unwrap().len(), 64);
    assert!(document["tuned"]["architecture"].as_str().unwrap().starts_with("ViT"), "kept with the results");

    // CSV holds the same numbers.
    let text = read(&desk, "out/scores.csv");
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let head = csv.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|h| h == name).unwrap_or_else(|| panic!("no column {name}"));
    let records: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len());
    for row in &rows {
        let is = |record: &&csv::StringRecord| {
            record[column("benchmark")] == *row["benchmark"].as_str().unwrap()
                && record[column("metric")] == *row["metric"].as_str().unwrap()
                && record[column("alpha_image")].parse::<f64>().ok() == row["alpha"]["image"].as_f64()
        };
        let record = records.iter().find(is).unwrap();
        let number = |name: &str| record[column(name)].parse::<f64>().unwrap();
        assert!((number("value") - row["value"].as_f64().unwrap()).abs() < 1e-9);
        assert!((number("interval_high") - row["interval"][1].as_f64().unwrap()).abs() < 1e-9);
        assert_eq!(number("correct"), row["correct"].as_f64().unwrap());
        assert_eq!(&record[column("protocol")], row["protocol"].as_str().unwrap());
    }

    // The page shows captions, pictures, counts and what could not be read; it asks for nothing.
    let page = read(&desk, "out/report.html");
    let image = "data:image/jpeg;base64,";
    let cards = page.matches("class=\"example\"").count();
    assert!((4..=12).contains(&cards) && page.matches(image).count() == cards, "{cards} cards");
    assert!(page.contains(" behind a ") || page.contains("the "), "captions are shown");
    assert!(page.contains("003.png") && page.contains("items could not be scored"), "what is broken is named");
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
    let correct = |alpha: f64| {
        let row = rows.iter().find(|row| row["benchmark"] == "sugarcrepe" && row["alpha"]["image"] == alpha).unwrap();
        format!("{}/{}", row["correct"], row["scored"])
    };
    assert!([0.0, 0.5, 1.0].iter().all(|alpha| page.contains(&correct(*alpha))));

    let svg = read(&desk, "out/figure.svg");
    assert!(svg.starts_with("<svg ") && svg.contains("fmark-0-2"), "a mark for every alpha");
    let picture = image::open(desk.path("out/figure.png")).unwrap();
    assert_eq!(picture.width(), 1960);
}

#[test]
fn what_cannot_be_reported_is_said_and_nothing_is_overwritten() {
    let desk = Desk::new();
    desk.run("report --results @none --out @x.html").fails(1, &["no results yet", "clove sweep", &desk.path("none")]);
    data(&desk);
    let line = "evaluate --base @base --tuned @tuned --alpha 0.5 --benchmark aro-relation --data @data --results @r";
    assert_eq!(desk.run(line).status, 0);
    std::fs::write(desk.path("there.svg"), "mine").unwrap();
    desk.run("report --results @r --out @there.svg").fails(1, &["not overwritten", &desk.path("there.svg")]);
    assert_eq!(read(&desk, "there.svg"), "mine");
    desk.run("report --results @r --out @x.pdf").fails(1, &["html, svg, png, csv or json"]);
    desk.run("report --results @r --out @x.svg --alpha 0.4").fails(1, &["no results at alpha 0.40", "0.50"]);
    desk.run("report --results @r --out @x.svg --y cola").fails(1, &["no results of cola", "aro-relation"]);
    desk.run("report --results @r --out @x.svg --tuned @other")
        .fails(1, &["no results of this pair", &desk.path("tuned")]);
    desk.run("report --results @r --out @x.svg --max-loss 101").fails(2, &["--max-loss"]);
    desk.run("report --results @r --out @x.svg --failures 1000").fails(2, &["1000"]);
    assert!(!Path::new(&desk.path("x.svg")).exists() && !Path::new(&desk.path("x.pdf")).exists());
    // One alpha of one task is a report too.
    let run = desk.run("report --results @r --out @one");
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(read(&desk, "one/report.html").contains("α 0.50: Composition"), "the only score is drawn over alpha");
    // A file of a folder that is there is not replaced either, and then none is written.
    std::fs::remove_file(desk.path("one/scores.csv")).unwrap();
    desk.run("report --results @r --out @one").fails(1, &["not overwritten", "report.html"]);
    assert!(!Path::new(&desk.path("one/scores.csv")).exists());
}
