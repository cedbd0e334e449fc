use serde_json::json;

use super::*;
use crate::benchmark::fixtures::{Data, choices, skipped};
use crate::benchmark::{ImageRef, Items};

fn relation_row(image: &str, relation: &str) -> Value {
    json!({
        "image_id": "71", "image_path": image, "bbox_x": 1, "bbox_y": 0.5, "bbox_w": 2, "bbox_h": 3,
        "relation_name": relation,
        "true_caption": format!("a {relation} b"), "false_caption": format!("b {relation} a"),
        "unknown": {"deep": [1]},
    })
}

fn attribution_row(attributes: [&str; 2]) -> Value {
    json!({
        "image_path": "1.png", "bbox_x": 0, "bbox_y": 0, "bbox_w": 4, "bbox_h": 4, "attributes": attributes,
        "true_caption": format!("the {} a and the {} b", attributes[0], attributes[1]),
        "false_caption": format!("the {} a and the {} b", attributes[1], attributes[0]),
    })
}

#[test]
fn relation_rows_become_choices_with_the_false_caption_first() {
    let data = Data::new();
    data.image("images/1.png").json(RELATION_FILE, &json!([relation_row("1.png", "under")]));
    let benchmark = read_relation(data.path()).unwrap();
    let [choice] = choices(&benchmark) else { panic!("{:?}", benchmark.items) };
    assert_eq!(choice.captions, ["b under a", "a under b"]);
    assert_eq!((choice.right, choice.image, choice.group.as_deref()), (1, 0, Some("under")));
    assert_eq!(choice.tags, ["under"]);
    assert_eq!((benchmark.ties, benchmark.metric), (TieRule::First, Metric::MacroAccuracy { min_count: 1 }));
    let ImageRef::File { path, crop } = &benchmark.images[0] else { panic!("not a file") };
    assert_eq!(path, &data.path().join("images/1.png"));
    assert_eq!(*crop, Some([1.0, 0.5, 3.0, 3.5]));
}

#[test]
fn excluded_relations_are_left_out_and_counted() {
    let data = Data::new();
    let rows: Vec<_> =
        ["under", "near", "wrapped in", "on", "adjusting"].map(|name| relation_row("1.png", name)).into();
    data.image("aro/images/1.png").json(&format!("aro/{RELATION_FILE}"), &json!(rows));
    let benchmark = read_relation(data.path()).unwrap();
    let groups: Vec<_> = choices(&benchmark).iter().filter_map(|choice| choice.group.as_deref()).collect();
    assert_eq!(groups, ["under", "on"]);
    assert_eq!((benchmark.n_in_file, benchmark.skipped.len(), benchmark.images.len()), (5, 0, 1));
    assert!(benchmark.protocol.contains("over 2 relations (3 rows of relations that"), "{}", benchmark.protocol);
}

#[test]
fn single_faults_are_skipped_with_reasons() {
    let data = Data::new();
    let mut no_relation = relation_row("1.png", "on");
    no_relation.as_object_mut().unwrap().remove("relation_name");
    let mut empty_box = relation_row("1.png", "on");
    empty_box["bbox_w"] = json!(0);
    let mut huge_box = relation_row("1.png", "on");
    huge_box["bbox_h"] = json!(1e9);
    let rows = json!([
        relation_row("1.png", "on"),
        relation_row("gone.png", "on"),
        relation_row("/etc/passwd", "on"),
        relation_row("../images/1.png", "on"),
        no_relation,
        empty_box,
        huge_box,
        {"image_path": 3},
    ]);
    data.image("images/1.png").json(RELATION_FILE, &rows);
    let benchmark = read_relation(data.path()).unwrap();
    let skipped = skipped(&benchmark);
    let expected = [
        ("1", "no image file gone.png"),
        ("2", "`/etc/passwd` leads out"),
        ("3", "`../images/1.png` leads out"),
        ("4", "no `relation_name`"),
        ("5", "is empty"),
        ("6", "beyond 16384"),
        ("7", "expected a string"),
    ];
    assert_eq!(skipped.len(), expected.len());
    for ((item, reason), (expected_item, part)) in skipped.iter().zip(expected) {
        assert!(*item == expected_item && reason.contains(part), "{item}: {reason}");
    }
    assert_eq!(benchmark.len() + skipped.len(), benchmark.n_in_file);
}

#[test]
fn a_file_of_which_nothing_can_be_used_is_an_error() {
    let data = Data::new();
    data.folder("images").json(RELATION_FILE, &json!([relation_row("1.png", "on"), relation_row("2.png", "on")]));
    let error = read_relation(data.path()).unwrap_err().to_string();
    assert!(error.contains("none of the 2 items") && error.contains("no image file 1.png"), "{error}");
    assert!(error.contains(&data.path().join("images").display().to_string()), "{error}");
    data.image("images/1.png").json(RELATION_FILE, &json!([relation_row("1.png", "near")]));
    assert!(read_relation(data.path()).unwrap_err().to_string().contains("leaves it out"));
    data.text(RELATION_FILE, "[{\"image_path\":");
    assert!(matches!(read_relation(data.path()), Err(ReadError::Json { .. })));
    assert!(matches!(read_attribution(data.path()), Err(ReadError::NotFound { .. })));
}

#[test]
fn boxes_of_one_image_are_different_images() {
    let data = Data::new();
    let mut other_box = relation_row("1.png", "on");
    other_box["bbox_x"] = json!(0);
    let rows = json!([relation_row("1.png", "on"), other_box, relation_row("1.png", "in")]);
    data.image("VG_100K_2/1.png").json(RELATION_FILE, &rows);
    let benchmark = read_relation(data.path()).unwrap();
    assert_eq!(choices(&benchmark).iter().map(|choice| choice.image).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(benchmark.images.len(), 2);
}

#[test]
fn pairs_of_attributes_are_ordered_and_need_25_examples() {
    let data = Data::new();
    let rows = [vec![attribution_row(["red", "wet"]); 25], vec![attribution_row(["wet", "red"]); 24]].concat();
    data.image("images/1.png").json(ATTRIBUTION_FILE, &json!(rows));
    let benchmark = read_attribution(data.path()).unwrap();
    assert_eq!(benchmark.metric, Metric::MacroAccuracy { min_count: 25 });
    assert!(benchmark.protocol.contains("over 1 pair of"), "{}", benchmark.protocol);
    assert_eq!(benchmark.len(), 49);
    let Items::Choices(choices) = &benchmark.items else { panic!("not choices") };
    assert_eq!((choices[0].group.as_deref(), choices[48].group.as_deref()), (Some("red_wet"), Some("wet_red")));
    assert_eq!(choices[48].tags, ["wet", "red"]);
    assert_eq!((choices[0].right, choices[0].captions[1].as_str()), (1, "the red a and the wet b"));
}

#[test]
fn without_a_large_pair_plain_accuracy_is_said() {
    let data = Data::new();
    data.image("images/1.png").json(ATTRIBUTION_FILE, &json!([attribution_row(["red", "wet"])]));
    let benchmark = read_attribution(data.path()).unwrap();
    assert_eq!(benchmark.metric, Metric::Accuracy);
    assert!(benchmark.protocol.starts_with("accuracy, as no pair"), "{}", benchmark.protocol);
}
