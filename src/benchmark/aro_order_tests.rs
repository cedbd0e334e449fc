use serde_json::json;

use super::*;
use crate::benchmark::fixtures::{Data, choices, skipped};
use crate::benchmark::{Items, judge_choice, read_tagged, scores};

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

/// Nouns and adjectives by a word list.
struct ByList;

impl Tagger for ByList {
    fn tag(&self, caption: &str) -> Vec<Tagged> {
        let tag = |word: &str| match word {
            "dog" | "cat" | "ball" => "NN",
            "red" | "small" => "JJ",
            _ => "DT",
        };
        caption.split_whitespace().map(|word| (word.to_owned(), tag(word).to_owned())).collect()
    }

    fn name(&self) -> &'static str {
        "a word list"
    }
}

fn captions(data: &Data) {
    let rows = json!([
        {"image": "val2014/1.jpg", "caption": ["A small dog sees a red ball .", "the red dog and the small cat"]},
        {"image": "val2014/gone.jpg", "caption": ["a dog and a cat and a ball"]},
        {"image": "val2014/1.jpg", "caption": ["A cat!"]},
    ]);
    data.image("val2014/1.jpg").json("coco_karpathy_test.json", &rows);
}

#[test]
fn orders_are_made_of_captions_and_tags() {
    let data = Data::new();
    captions(&data);
    let error = read(COCO, data.path(), None).unwrap_err().to_string();
    assert!(error.contains("coco_karpathy_test_tags.json") && error.contains("instances.json"), "{error}");
    assert!(!exists(COCO, data.path()), "captions alone are not the benchmark");
    let tagged = read_tagged(COCO, data.path(), Some(&ByList)).unwrap().remove(0);
    assert!(tagged.protocol.contains("seed 1") && tagged.protocol.contains("a word list"), "{}", tagged.protocol);
    assert_eq!(tagged.len(), 3);
    for choice in choices(&tagged) {
        assert_eq!((choice.captions.len(), choice.right), (5, 0));
        let sorted = |text: &str| {
            let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            words.sort();
            words
        };
        let own = sorted(&choice.captions[0]);
        assert!(choice.captions.iter().all(|option| sorted(option) == own), "only the order changes: {choice:?}");
    }
    assert_eq!(choices(&tagged)[2].captions[0], "a cat");
    assert_eq!(skipped(&tagged)[0].0, "1 caption 0");

    // The same tags from a file give the same orders, although one caption's image is missing.
    let texts =
        ["A small dog sees a red ball .", "the red dog and the small cat", "a dog and a cat and a ball", "A cat!"];
    let lists: Vec<_> = texts.iter().map(|text| ByList.tag(text)).collect();
    data.json("coco_karpathy_test_tags.json", &json!(lists));
    let from_file = read(COCO, data.path(), None).unwrap();
    assert_eq!(choices(&from_file), choices(&tagged));
    assert!(from_file.protocol.contains("tags of coco_karpathy_test_tags.json"), "{}", from_file.protocol);
    assert!(exists(COCO, data.path()));

    data.json("coco_karpathy_test_tags.json", &json!(lists[..3]));
    let error = read(COCO, data.path(), None).unwrap_err().to_string();
    assert!(error.contains("tags for 3 captions"), "{error}");
}

#[test]
fn pre_generated_options_go_before_made_ones() {
    let data = Data::new();
    captions(&data);
    data.json("instances.json", &json!([row("val2014/1.jpg", &OPTIONS)]));
    let benchmark = read_tagged(COCO, data.path(), Some(&ByList)).unwrap().remove(0);
    assert_eq!(choices(&benchmark)[0].captions, OPTIONS);
    assert!(benchmark.protocol.contains("pre-generated"), "{}", benchmark.protocol);
}

#[test]
fn flickr_has_its_own_files() {
    let data = Data::new();
    data.image("flickr_order/flickr30k-images/1.jpg");
    data.json("flickr_order/instances.json", &json!([row("flickr30k-images/1.jpg", &OPTIONS), row("1.jpg", &OPTIONS)]));
    let benchmark = read(FLICKR, data.path(), None).unwrap();
    assert_eq!((benchmark.label(), benchmark.len()), ("aro-flickr-order".to_owned(), 2));
    assert_eq!(file(COCO, data.path()), None);
    assert_eq!(file(FLICKR, &data.path().join("flickr_order")), Some(data.path().join("flickr_order/instances.json")));
}
