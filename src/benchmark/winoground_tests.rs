use serde_json::json;

use super::*;
use crate::benchmark::fixtures::{Data, skipped};
use crate::benchmark::{Items, chance};

fn line(id: usize, image_1: &str) -> String {
    let row = json!({
        "id": id, "image_0": format!("ex_{id}_img_0"), "image_1": image_1, "caption_0": "a cup on a book",
        "caption_1": "a book on a cup", "tag": "Object", "secondary_tag": "", "num_main_preds": 1,
        "collapsed_tag": "Object",
    });
    format!("{row}\n")
}

fn duels(benchmark: &Benchmark) -> &[Duel] {
    match &benchmark.items {
        Items::Duels(duels) => duels,
        _ => panic!("not duels"),
    }
}

#[test]
fn three_scores_of_the_older_layout() {
    let data = Data::new();
    data.image("winoground/data/images/ex_0_img_0.png").image("winoground/data/images/ex_0_img_1.png");
    let text = format!("{}{}{{\"id\": 2", line(0, "ex_0_img_1"), line(1, "ex_1_img_1"));
    data.text("winoground/data/examples.jsonl", &text);
    let tasks = read_winoground(&data.path().join("winoground")).unwrap();
    let named: Vec<_> = tasks.iter().map(|task| (task.label(), task.len(), chance(task).round())).collect();
    let expected = [("text", 25.0), ("image", 25.0), ("group", 17.0)];
    assert_eq!(named, expected.map(|(task, chance)| (format!("winoground/{task}"), 1, chance)));
    let duel = &duels(&tasks[2])[0];
    assert_eq!((duel.captions.len(), duel.images.len(), duel.wins.len()), (2, 2, 4));
    assert_eq!(duel.tags, ["Object", "Object"]);
    let skipped = skipped(&tasks[0]);
    assert_eq!(skipped.iter().map(|(item, _)| *item).collect::<Vec<_>>(), ["line 2", "line 3"]);
    assert!(skipped[0].1.contains("ex_1_img_0"), "{skipped:?}");
    assert!(tasks.iter().all(|task| task.ties == TieRule::Strict));
}

#[test]
fn packed_images_are_asked_for() {
    let data = Data::new();
    data.text("data/metadata.jsonl", &line(0, "ex_0_img_1")).text("data/images.zip", "PK");
    let error = read_winoground(data.path()).unwrap_err().to_string();
    assert!(error.contains("unzip") && error.ends_with("images.zip"), "{error}");
    let newer = Data::new();
    newer.text("winoground/data/test-00000-of-00001.parquet", "PAR1");
    let error = read_winoground(&newer.path().join("winoground")).unwrap_err().to_string();
    assert!(error.contains("test-*.parquet"), "{error}");
    assert!(matches!(read_winoground(&data.path().join("none")), Err(ReadError::NotFound { .. })));
}

#[test]
fn colorswap_is_scored_alike_and_prefers_the_test_split() {
    let row = |n: usize| {
        json!({"id": n, "caption_1": "a red cup", "caption_2": "a blue cup", "image_1": format!("images/img_{n}_1.png"),
               "image_2": format!("images/img_{n}_2.png"), "image_source": "model", "caption_source": "human"})
    };
    let data = Data::new();
    for n in 0..2 {
        data.image(&format!("colorswap/images/img_{n}_1.png")).image(&format!("colorswap/images/img_{n}_2.png"));
    }
    data.json("colorswap/data/train.json", &json!([row(0)]));
    let set = data.path().join("colorswap");
    assert_eq!(read_colorswap(&set).unwrap()[0].len(), 1);
    data.json("colorswap/data/test.json", &json!([row(0), row(1)]));
    let tasks = read_colorswap(&set).unwrap();
    assert_eq!((tasks.len(), tasks[0].len(), tasks[2].label()), (3, 2, "colorswap/group".to_owned()));
    // Another set's file of that name is not taken for it.
    data.json("colorswap/data/test.json", &json!([{"image": "a.png", "caption": ["x"]}]));
    assert_eq!(read_colorswap(&set).unwrap()[0].len(), 1);
}

#[test]
fn cola_asks_for_the_image_only() {
    let data = Data::new();
    let url = |id: usize| format!("https://cs-people.bu.edu/array/data/vg_gqa_images/{id}.jpg");
    data.image("VG_100K/7.jpg").image("VG_100K_2/8.jpg");
    let rows = json!([[url(7), "a red cup", url(8), "a blue cup"], [url(7), "a red cup", url(9), "x"], ["short"]]);
    data.json(COLA_FILE, &rows);
    let [cola] = &read_cola(data.path()).unwrap()[..] else { panic!("one task") };
    assert_eq!((cola.label(), cola.len(), skipped(cola).len()), ("cola".to_owned(), 1, 2));
    assert!((chance(cola) - 25.0).abs() < 1e-9);
    // s(i1,c1) > s(i2,c1), s(i2,c2) > s(i1,c2)
    assert!(cola.judge(0, &[0.5, 0.4, 0.3, 0.2]).right);
    assert!(!cola.judge(0, &[0.5, 0.4, 0.2, 0.3]).right);
}

/// As pyarrow wrote it (`training/reference/benchmarks.py`).
#[test]
fn the_newer_layout_holds_its_images() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/benchmarks/winoground");
    let tasks = read_winoground(&golden).unwrap();
    assert_eq!(tasks.iter().map(|task| (task.label(), task.len())).collect::<Vec<_>>().len(), 3);
    let group = &tasks[2];
    assert_eq!((group.label(), group.len(), group.images.len()), ("winoground/group".to_owned(), 5, 10));
    let last = &duels(group)[4];
    assert_eq!(last.captions, ["a cup on book 4", "book 4 on a cup"]);
    assert_eq!(last.tags, ["Relation", "Object"], "an empty tag is none");
    let bytes = |image: usize| match &group.images[image] {
        ImageRef::InTable { table, column, row, .. } => table::table_image(table, column, *row),
        other => panic!("{other:?}"),
    };
    for i in [0, 1, 3, 4] {
        // Sizes differ by row: (10 + i) by 7 and 9 by (6 + i).
        let sides = |bytes: &[u8]| image::load_from_memory(bytes).map(|image| (image.width(), image.height()));
        if i != 3 {
            assert_eq!(sides(&bytes(duels(group)[i].images[0]).unwrap()).unwrap(), (10 + i as u32, 7));
        }
        assert_eq!(sides(&bytes(duels(group)[i].images[1]).unwrap()).unwrap(), (9, 6 + i as u32));
    }
    assert!(bytes(duels(group)[2].images[1]).unwrap_err().contains("no image"));
    assert_eq!(bytes(duels(group)[3].images[0]).unwrap(), b"no image");
    let table = &tables(&golden)[0];
    assert!(table::table_image(table, "image_0", 5).unwrap_err().contains("fewer rows"));
    assert!(table::table_image(table, "picture", 0).unwrap_err().contains("no column"));
    assert!(table::table_image(table, "id", 0).unwrap_err().contains("no bytes"));
}

/// Every cut and a flipped byte at many places: an error or other values, never a panic that leaves this room.
#[test]
fn damaged_tables_are_refused() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/benchmarks/winoground");
    let whole = std::fs::read(&tables(&golden)[0]).unwrap();
    let data = Data::new();
    let path = data.path().join("test-0.parquet");
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for i in (0..whole.len()).step_by(37) {
        for cut in [true, false] {
            let mut bytes = whole.clone();
            if cut {
                bytes.truncate(i);
            } else {
                bytes[i] ^= 0x55;
            }
            std::fs::write(&path, &bytes).unwrap();
            let read = table::rows(&path, &COLUMNS);
            assert!(!cut || read.is_err(), "cut at {i}");
            for row in 0..5 {
                let _ = table::table_image(&path, "image_1", row);
            }
        }
    }
    std::panic::set_hook(hook);
}
