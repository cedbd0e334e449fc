use serde_json::json;

use super::*;
use crate::benchmark::fixtures::{Data, skipped};

fn retrieval(benchmark: &Benchmark) -> &Retrieval {
    match &benchmark.items {
        Items::Retrieval(retrieval) => retrieval,
        _ => panic!("not retrieval"),
    }
}

fn check(data: &Data, name: &'static str) -> Vec<Benchmark> {
    let both = read(name, data.path()).unwrap();
    let tasks: Vec<_> = both.iter().map(|task| (task.task.as_deref().unwrap(), task.len())).collect();
    assert_eq!(tasks, [("image-to-text", 2), ("text-to-image", 3)]);
    for task in &both {
        assert_eq!(retrieval(task).captions, ["a \"dog\"", " two\n", "the sea, blue"]);
        assert_eq!(retrieval(task).image_of, [0, 0, 1]);
    }
    both
}

#[test]
fn salesforce_lists() {
    let data = Data::new();
    let rows = json!([
        {"image": "val2014/COCO_val2014_000000000001.jpg", "caption": ["a \"dog\"", " two\n"]},
        {"image": "val2014/gone.jpg", "caption": ["x"]},
        {"image": "val2014/COCO_val2014_000000000002.jpg", "caption": "the sea, blue"},
        {"image": "val2014/COCO_val2014_000000000003.jpg", "caption": []},
        {"caption": ["x"]},
    ]);
    for i in 1..4 {
        data.image(&format!("coco/val2014/COCO_val2014_00000000000{i}.jpg"));
    }
    data.json("coco_karpathy_test.json", &rows);
    let both = check(&data, COCO);
    let skipped = skipped(&both[0]);
    assert_eq!(skipped.iter().map(|(item, _)| *item).collect::<Vec<_>>(), ["1", "3", "4"]);
    assert_eq!((both[0].images.len(), both[0].n_in_file), (2, 5), "an image without captions is no query");
    assert!(both[0].protocol.contains("recall at 1, 5 and 10"), "{}", both[0].protocol);
}

#[test]
fn karpathys_own_file_has_all_splits() {
    let data = Data::new();
    let image = |split: &str, file: &str, raw: &[&str]| {
        let sentences: Vec<_> =
            raw.iter().enumerate().map(|(i, raw)| json!({"tokens": ["x"], "raw": raw, "sentid": i})).collect();
        json!({"filepath": "val2014", "filename": file, "imgid": 0, "split": split, "sentids": [0], "sentences": sentences, "cocoid": 1})
    };
    let tree = json!({"images": [
        image("restval", "0.jpg", &["x"]), image("test", "1.jpg", &["a \"dog\"", " two\n"]),
        image("val", "0.jpg", &["x"]), image("test", "2.jpg", &["the sea, blue"]),
    ], "dataset": "coco"});
    data.image("val2014/1.jpg").image("val2014/2.jpg").json("dataset_coco.json", &tree);
    assert_eq!(check(&data, COCO)[0].n_in_file, 2);
}

#[test]
fn clip_benchmarks_coco_form_sorts_by_id() {
    let data = Data::new();
    let tree = json!({
        "images": [{"id": 20, "file_name": "2.jpg"}, {"id": 3, "file_name": "1.jpg"}],
        "annotations": [
            {"image_id": 3, "id": 1, "caption": "a \"dog\""}, {"image_id": 20, "id": 2, "caption": "the sea, blue"},
            {"image_id": 3, "id": 3, "caption": " two\n"}, {"image_id": 9, "id": 4, "caption": "x"},
        ],
    });
    data.image("val2014/1.jpg").image("val2014/2.jpg").json("coco_test_karpathy.json", &tree);
    check(&data, COCO);
}

#[test]
fn clip_benchmarks_flickr_lines_have_commas() {
    let data = Data::new();
    // A caption of this form has no line break.
    data.image("flickr/flickr30k-images/1.jpg").image("flickr/flickr30k-images/2.jpg").text(
        "flickr/flickr30k_test_karpathy.txt",
        "image,caption\n1.jpg,a \"dog\"\n2.jpg,the sea, blue\n1.jpg, two\nbroken line\n",
    );
    let both = read(FLICKR, data.path()).unwrap();
    assert_eq!(retrieval(&both[0]).captions, ["a \"dog\"", " two", "the sea, blue"]);
    assert_eq!(retrieval(&both[0]).image_of, [0, 0, 1]);
    assert_eq!(skipped(&both[0]), [("line 5", "it has no `.jpg,`")]);
}

#[test]
fn nothing_usable_is_an_error() {
    let data = Data::new();
    data.json("flickr30k_test.json", &json!([{"image": "flickr30k-images/1.jpg", "caption": ["x"]}]));
    let error = read(FLICKR, data.path()).unwrap_err().to_string();
    assert!(error.contains("none of the 1 items") && error.contains("no image file"), "{error}");
    assert!(matches!(read(COCO, data.path()), Err(ReadError::NotFound { .. })));
}
