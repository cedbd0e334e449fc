use serde_json::json;

use super::*;
use crate::benchmark::fixtures::Data;
use crate::benchmark::limit;

/// Sets of [`everything`], in the order of [`NAMES`].
const FOUND: [&str; 5] = ["folder", "aro-relation", "aro-attribution", "aro-coco-order", "sugarcrepe"];

/// Some published sets side by side in one folder.
fn everything() -> Data {
    let data = Data::new();
    let row = json!([{
        "image_path": "1.png", "bbox_x": 0, "bbox_y": 0, "bbox_w": 4, "bbox_h": 4, "relation_name": "on",
        "attributes": ["red", "wet"], "true_caption": "a on b", "false_caption": "b on a",
    }]);
    data.image("aro/images/1.png");
    data.json(&format!("aro/{}", aro::RELATION_FILE), &row).json(&format!("aro/{}", aro::ATTRIBUTION_FILE), &row);
    let order =
        json!([{"image_path": "val2014/2.jpg", "caption_options": ["a b c", "b a c", "c b a", "a c b", "c a b"]}]);
    data.image("coco_order/val2014/2.jpg").json("coco_order/instances.json", &order);
    let negative = json!({"0": {"filename": "3.jpg", "caption": "a b", "negative_caption": "b a"}});
    data.image("sugarcrepe/val2017/3.jpg").json("sugarcrepe/replace_rel.json", &negative);
    data.image("recognition/cat/4.png").image("recognition/dog/5.png");
    data
}

#[test]
fn every_benchmark_is_found_and_read() {
    let data = everything();
    assert_eq!(find(data.path()), FOUND);
    for name in FOUND {
        let benchmarks = read(name, data.path()).unwrap();
        assert_eq!(benchmarks.len(), 1, "{name}");
        assert_eq!((benchmarks[0].name.as_str(), benchmarks[0].skipped.len()), (name, 0));
        assert_eq!(benchmarks[0].is_recognition(), name == "folder");
    }
    assert_eq!(find(&data.path().join("sugarcrepe")), ["sugarcrepe"]);
    assert_eq!(find(&data.path().join("nowhere")), Vec::<&str>::new());
}

#[test]
fn unknown_names_are_told_the_known_ones() {
    let error = read("aro", everything().path()).unwrap_err().to_string();
    assert!(error.starts_with("no benchmark is called `aro`; choose from imagenet, imagenet-v2, cifar10,"), "{error}");
    assert!(NAMES.iter().all(|name| error.contains(name)), "{error}");
}

#[test]
fn guessing_is_right_once_in_the_number_of_options() {
    let data = everything();
    let chances: Vec<_> = FOUND.iter().map(|name| chance(&read(name, data.path()).unwrap()[0])).collect();
    for (chance, expected) in chances.iter().zip([50.0, 50.0, 50.0, 20.0, 50.0]) {
        assert!((chance - expected).abs() < 1e-9, "{chances:?}");
    }
    let mut recognition = read("folder", data.path()).unwrap().remove(0);
    limit(&mut recognition, 1);
    assert!((chance(&recognition) - 50.0).abs() < 1e-9, "a subset of the images keeps all classes as options");
}

#[test]
fn titles_are_for_people() {
    assert_eq!(title("aro-relation", None), "ARO relation");
    assert_eq!(title("aro-attribution", None), "ARO attribution");
    assert_eq!(title("aro-coco-order", None), "ARO COCO order");
    assert_eq!(title("sugarcrepe", Some("replace_rel")), "SugarCrepe replace relation");
    assert_eq!(title("sugarcrepe", Some("add_att")), "SugarCrepe add attribute");
    assert_eq!(title("sugarcrepe-pp", Some("swap_att-itt")), "SugarCrepe++ swap attribute by image");
    assert_eq!(title("retrieval-coco", Some("image-to-text")), "COCO retrieval image to text");
    assert_eq!(title("winoground", Some("group")), "Winoground group");
    assert_eq!(title("folder", None), "Recognition (class folders)");
    assert_eq!(title("scene-colours", Some("swap")), "Scene colours swap");
    assert_eq!(title("", None), "");
}

#[test]
fn every_benchmark_says_where_it_comes_from() {
    let distinct: std::collections::BTreeSet<_> = NAMES.iter().collect();
    assert_eq!((NAMES.len(), distinct.len()), (19, 19));
    for name in NAMES {
        assert!(!where_from(name).is_empty() && title(name, None) != *name, "{name}");
        assert!(!matches!(read(name, std::path::Path::new("/nowhere")), Err(ReadError::UnknownName { .. })), "{name}");
    }
}
