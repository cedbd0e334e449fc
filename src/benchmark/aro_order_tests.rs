use serde_json::json;

use super::*;
use crate::benchmark::fixtures::{Data, choices, skipped};
use crate::benchmark::{Items, judge_choice, scores};

fn row(image: &str, options: &[&str]) -> Value {
    json!({"image_path": image, "caption_options": options})
}

const OPTIONS: [&str; 5] = ["a b c", "b a c", "a b c", "c b a", "c a b"];

#[test]
fn options_stay_in_order_and_shuffles_equal_to_the_caption_stay() {
    let data = Data::new();
    let rows = json!([row("val2014/1.jpg", &OPTIONS), row("val2014/1.jpg", &["x y", "y x"])]);
    data.image("coco_order/val2014/1.jpg").json("coco_order/instances.json", &rows);
    let benchmark = read(COCO, data.path(), None).unwrap();
    assert_eq!(choices(&benchmark)[0].captions, OPTIONS);
    assert!(choices(&benchmark).iter().all(|choice| choice.right == 0 && choice.group.is_none() && choice.image == 0));
    assert!(benchmark.protocol.contains("1 have a shuffle equal"), "{}", benchmark.protocol);
    // Equal captions have equal similarities: under the reference's rule such a tie is right, and counted.
    let outcomes =
        [[0.3, 0.1, 0.3, 0.0, 0.2].as_slice(), &[0.1, 0.2]].map(|s| Some(judge_choice(s, 0, benchmark.ties)));
    let score = &scores(&benchmark, &outcomes, 0)[0];
    assert_eq!((score.correct, score.scored, score.ties), (1, 2, 1));
}

#[test]
fn flat_image_names_are_found_in_the_published_folder() {
    let data = Data::new();
    data.image("coco/val2014/COCO_val2014_1.jpg");
    data.json("aro/instances.json", &json!([row("COCO_val2014_1.jpg", &OPTIONS)]));
    assert_eq!(read(COCO, data.path(), None).unwrap().len(), 1);
}

#[test]
fn flickr30k_is_not_taken_for_coco() {
    let data = Data::new();
    data.image("flickr_order/1.jpg").json("flickr_order/instances.json", &json!([row("1.jpg", &OPTIONS)]));
    assert_eq!(file(COCO, data.path()), None);
    assert!(matches!(read(COCO, data.path(), None), Err(ReadError::NotFound { .. })));
    data.image("other/1.jpg").json("other/instances.json", &json!([row("1.jpg", &OPTIONS)]));
    assert_eq!(file(COCO, data.path()), Some(data.path().join("other/instances.json")));
}

#[test]
fn rows_without_a_choice_are_skipped() {
    let data = Data::new();
    let rows = json!([row("1.png", &OPTIONS), row("1.png", &["only one"]), row("../1.png", &OPTIONS), "text"]);
    data.image("1.png").json("instances.json", &rows);
    let benchmark = read(COCO, data.path(), None).unwrap();
    let skipped = skipped(&benchmark);
    assert_eq!(skipped.len(), 3);
    assert!(skipped[0].1.contains("fewer than two") && skipped[1].1.contains("leads out"));
    assert!(matches!(&benchmark.items, Items::Choices(choices) if choices.len() == 1));
}

#[test]
fn absolute_paths_of_another_machine_are_an_error_that_says_so() {
    let data = Data::new();
    data.image("1.png").json("instances.json", &json!([row("/home/x/1.png", &OPTIONS)]));
    let error = read(COCO, data.path(), None).unwrap_err().to_string();
    assert!(error.contains("`/home/x/1.png` leads out"), "{error}");
}
