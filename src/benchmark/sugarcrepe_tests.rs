use serde_json::json;

use super::*;
use crate::benchmark::fixtures::{Data, choices, skipped};

fn row(image: &str) -> Value {
    json!({"filename": image, "caption": "A cat on a blue chair.", "negative_caption": "A cat on a red chair."})
}

#[test]
fn tasks_at_hand_are_read_in_numeric_order_and_the_others_named() {
    let data = Data::new();
    let mut tagged = row("3.jpg");
    tagged["tags"] = json!(["blue"]);
    data.image("val2017/2.jpg").image("val2017/3.jpg");
    data.json("data/swap_obj.json", &json!({"10": tagged, "9": row("2.jpg"), "107": row("2.jpg")}));
    data.json("data/add_att.json", &json!([row("3.jpg")]));
    let benchmarks = read(data.path()).unwrap();
    let labels: Vec<_> = benchmarks.iter().map(Benchmark::label).collect();
    assert_eq!(labels, ["sugarcrepe/add_att", "sugarcrepe/swap_obj"]);
    for benchmark in &benchmarks {
        assert_eq!((benchmark.ties, &benchmark.metric), (TieRule::Strict, &Metric::Accuracy));
        let expected = "2 of 7 tasks at hand (no add_obj, replace_obj, replace_att, replace_rel, swap_att)";
        assert!(benchmark.protocol.contains(expected), "{}", benchmark.protocol);
    }
    let swap = &benchmarks[1];
    assert_eq!(swap.images.iter().map(crate::benchmark::ImageRef::name).collect::<Vec<_>>(), ["2.jpg", "3.jpg"]);
    assert_eq!(choices(swap).iter().map(|choice| choice.image).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(choices(swap)[1].tags, ["swap_obj", "blue"]);
    assert_eq!((choices(swap)[0].right, choices(swap)[0].captions[0].as_str()), (0, "A cat on a blue chair."));
}

#[test]
fn skipped_items_keep_their_keys() {
    let data = Data::new();
    let rows = json!({"0": row("1.jpg"), "4": row("gone.jpg"), "12": {"filename": "1.jpg", "caption": "x"}});
    data.image("coco/val2017/1.jpg").json("swap_att.json", &rows);
    let benchmarks = read(data.path()).unwrap();
    let skipped = skipped(&benchmarks[0]);
    assert_eq!(skipped[0], ("4", "there is no image file gone.jpg"));
    assert!(skipped[1].0 == "12" && skipped[1].1.contains("negative_caption"));
    assert_eq!((benchmarks[0].len(), benchmarks[0].n_in_file), (1, 3));
}

#[test]
fn without_any_task_the_files_are_named() {
    let data = Data::new();
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("add_obj.json") && error.contains("swap_att.json"), "{error}");
    assert!(!exists(data.path()));
}
