//! Every form, on files that its usual writer wrote.

use super::*;
use crate::recipe::Recipe;
use std::collections::BTreeMap;

/// Every sample of an epoch: caption to image size, crop and corner, with its negatives.
fn epoch(recipe: &Recipe, count: usize) -> BTreeMap<String, Vec<String>> {
    let mut source = source(recipe);
    let mut found = BTreeMap::new();
    for _ in 0..count {
        let batch = source.next_batch().unwrap_or_else(|error| panic!("{error}: {:?}", source.take_faults()));
        for sample in batch {
            let negatives = sample.negatives.iter().map(|negative| words(negative)).collect();
            let known = found.insert(words(&sample.caption), negatives);
            assert!(known.is_none(), "twice in an epoch: {:?}", source.take_faults());
        }
    }
    assert_eq!(source.fault_counts().good(), count as u64);
    found
}

fn names(recipe: &Recipe, count: usize) -> Vec<String> {
    epoch(recipe, count).into_keys().collect()
}

#[test]
fn img2dataset_tars() {
    let plain = recipe(golden("00000.tar"));
    let mugs =
        |prefix: &str| (0..4).map(|n| format!("{prefix}a red mug number {n} on a wooden desk")).collect::<Vec<_>>();
    assert_eq!(names(&plain, 4), mugs(""));
    let best = Recipe { caption_key: "top_caption".to_owned(), ..plain };
    assert_eq!(names(&best, 4), mugs("the best of "), "through JSON with Python's NaN");
}

#[test]
fn long_names_and_members_far_apart_in_both_dialects() {
    for name in ["pax.tar", "gnu.tar"] {
        let given = Recipe { negatives: NegativeSource::Given, ..recipe(golden(name)) };
        let found = epoch(&given, 3);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["drei Äpfel", "first caption", "second caption"], "{name}");
        assert_eq!(found["drei Äpfel"], ["drei Birnen"]);
        assert!(found["first caption"].is_empty());
    }
}

#[test]
fn parquet_of_img2dataset_with_its_failures() {
    let plain = recipe(golden("00000.parquet"));
    let mut source = source(&plain);
    let found: Vec<String> = (0..4).flat_map(|_| captions(&source.next_batch().unwrap())).collect();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    let apples =
        |prefix: &str| ["five", "four", "one", "three"].map(|n| format!("{prefix}a photo of {n} green apples"));
    assert_eq!(sorted, apples(""));
    let best = Recipe { caption_key: "top_caption".to_owned(), ..plain };
    assert_eq!(names_of(&best, 4), apples("best "));
    assert_eq!(source.samples(), Some(5));
}

fn names_of(recipe: &Recipe, count: usize) -> Vec<String> {
    let mut source = source(recipe);
    let mut found: Vec<String> = (0..count).flat_map(|_| captions(&source.next_batch().unwrap())).collect();
    found.sort_unstable();
    found
}

#[test]
fn parquet_of_one_group_with_small_pages_and_lists() {
    for name in ["plain.parquet", "zstd.parquet"] {
        let given = Recipe { negatives: NegativeSource::Given, shuffle_buffer: 7, ..recipe(golden(name)) };
        let found = epoch(&given, 59);
        assert_eq!(found.len(), 59, "{name}");
        let mut third = found["picture 3"].clone();
        third.sort_unstable();
        assert_eq!(third, ["never", "no 3"]);
        assert!(found["picture 4"].is_empty() && found["picture 5"].is_empty());
        let mut source = source(&given);
        let sample = |batch: Vec<Sample>| (words(&batch[0].caption), batch[0].image[..3].to_vec());
        let by_caption: BTreeMap<_, _> = (0..59).map(|_| sample(source.next_batch().unwrap())).collect();
        // Rows of one picture are every seventh.
        assert_eq!(by_caption["picture 1"], by_caption["picture 57"]);
        assert_ne!(by_caption["picture 1"], by_caption["picture 2"]);
        assert!(source.fault_counts().skipped() <= 1, "nothing but the null caption");
    }
}

#[test]
fn tables() {
    let wanted = ["a dog on the sofa", "he said \"no\", twice\nin two lines", "three"];
    for name in ["open_clip.tsv", "plain.csv"] {
        assert_eq!(names(&recipe(golden(name)), 3), wanted, "{name}");
    }
    let given = Recipe { negatives: NegativeSource::Given, ..recipe(golden("negclip.tsv")) };
    let found = epoch(&given, 3);
    let mut first = found["a dog on the sofa"].clone();
    first.sort_unstable();
    assert_eq!(first, ["a dog's sofa", "a sofa on the dog"]);
    assert_eq!(found["three"], ["\"quoted\", with a comma"]);
}

#[test]
fn img2dataset_files_and_a_plain_folder() {
    let folder = Folder::new();
    for shard in 0..2u32 {
        for row in 0..2u32 {
            let name = |ending: &str| format!("{shard:05}/{:09}.{ending}", shard * 10_000 + row);
            folder.write(&name("jpg"), png(row));
            folder.write(&name("txt"), format!("file {shard} {row}"));
            folder.write(&name("json"), format!("{{\"top_caption\": \"top {shard} {row}\"}}"));
        }
        folder.write(&format!("{shard:05}.parquet"), "no images in here");
        folder.write(&format!("{shard:05}_stats.json"), "{\"successes\": 2}");
    }
    folder.write("_tmp/1.jpg", "left over");
    let plain = recipe(&folder.0);
    assert_eq!(names(&plain, 4), ["file 0 0", "file 0 1", "file 1 0", "file 1 1"]);
    assert_eq!(source(&plain).samples(), Some(4), "from the statistics");
    let top = Recipe { caption_key: "top_caption".to_owned(), ..recipe(folder.0.join("00001")) };
    assert_eq!(names(&top, 2), ["top 1 0", "top 1 1"]);
}

#[test]
fn coco_captions() {
    let folder = Folder::new();
    let file = folder.write(
        "annotations/captions_train2017.json",
        r#"{"info": {"year": 2017}, "annotations": [
            {"image_id": 9, "id": 1, "caption": "first of nine"}, {"image_id": 9, "id": 2, "caption": "second of nine"},
            {"image_id": 4, "id": 3, "caption": "only one of four ", "neg_caption": ["wrong"]},
            {"image_id": 5, "id": 4, "caption": "of no image"}, {"image_id": 4, "id": 5}],
           "images": [{"id": 4, "file_name": "000000000004.jpg", "license": 3}, {"id": 9, "file_name": "000000000009.jpg"}]}"#,
    );
    folder.write("train2017/000000000004.jpg", png(4));
    folder.write("train2017/000000000009.jpg", png(9));
    let given = Recipe { negatives: NegativeSource::Given, batch: 3, shuffle_buffer: 10, ..recipe(&file) };
    let mut source = source(&given);
    assert_eq!(source.samples(), Some(5));
    let mut batch = source.next_batch().unwrap();
    batch.sort_by_key(|sample| words(&sample.caption));
    assert_eq!(captions(&batch), ["first of nine", "only one of four", "second of nine"]);
    assert_eq!(words(&batch[1].negatives[0]), "wrong");
    assert_eq!([batch[0].image[0], batch[1].image[0], batch[2].image[0]], [9, 4, 9], "each with its image");
    source.next_batch().unwrap();
    let kinds: Vec<FaultKind> = source.fault_counts().faults.into_keys().collect();
    assert_eq!(kinds, [FaultKind::MissingImage, FaultKind::MissingCaption]);
}

#[test]
fn a_folder_with_captions_jsonl() {
    let folder = Folder::new();
    folder.write("photos/a.png", png(1));
    folder.write("b.png", png(2));
    let lines = [
        "{\"image\": \"photos/a.png\", \"caption\": \"a\", \"negatives\": [\"x\"], \"alt\": \"other a\"}",
        "",
        "{\"file_name\": \"b.png\", \"text\": \"b\", \"alt\": \"other b\"}",
    ];
    folder.write("captions.jsonl", lines.join("\r\n"));
    let given = Recipe { negatives: NegativeSource::Given, ..recipe(&folder.0) };
    let found = epoch(&given, 2);
    assert_eq!((&found["a"][..], found["b"].len()), (&["x".to_owned()][..], 0));
    assert_eq!(names(&Recipe { caption_key: "alt".to_owned(), ..given }, 2), ["other a", "other b"]);
}

#[test]
fn sources_by_brace_star_and_folder() {
    let folder = Folder::new();
    for shard in 0..3u32 {
        folder.write(&format!("{shard:05}.tar"), tar_with(shard * 2..shard * 2 + 2));
    }
    for pattern in ["{00000..00002}.tar", "*.tar", "0000?.tar", "", "{00000,00001,00002}.tar"] {
        let found = names(&recipe(folder.0.join(pattern)), 6);
        assert_eq!(found.len(), 6, "{pattern}");
    }
    for pattern in ["*.parquet", "nothing", "{7..9}.tar"] {
        let error = open(&recipe(folder.0.join(pattern)), Arc::new(Plain)).err().unwrap();
        assert!(matches!(error, SourceError::NoData(_)), "{error}");
    }
}

#[test]
fn negatives_are_written_anew_at_each_visit() {
    let folder = Folder::new();
    folder.write("0.png", png(0));
    folder.write("0.txt", "A man in a red shirt is sitting on a wooden bench near the street.");
    let written = Recipe { negatives: NegativeSource::Replace, negatives_per_caption: 2, ..recipe(&folder.0) };
    let mut all = source(&written);
    let visits: Vec<Vec<String>> = (0..6)
        .map(|_| all.next_batch().unwrap()[0].negatives.iter().map(|negative| words(negative)).collect())
        .collect();
    assert!(visits.iter().all(|negatives| negatives.len() == 2), "{visits:?}");
    assert!(visits.iter().any(|negatives| *negatives != visits[0]), "{visits:?}");
    assert_eq!(all.fault_counts().with_negative, 6);
    let none = source(&Recipe { negatives: NegativeSource::None, ..written }).next_batch().unwrap();
    assert!(none[0].negatives.is_empty());
}

#[test]
fn negatives_that_read_as_the_caption_are_dropped_and_counted() {
    let folder = Folder::new();
    folder.write("0.png", png(0));
    folder.write("captions.jsonl", r#"{"image": "0.png", "caption": "a b", "negatives": ["a b", "b a", "a b"]}"#);
    let given = Recipe { negatives: NegativeSource::Given, negatives_per_caption: 3, ..recipe(&folder.0) };
    let mut source = source(&given);
    let batch = source.next_batch().unwrap();
    assert_eq!(batch[0].negatives.iter().map(|ids| words(ids)).collect::<Vec<_>>(), ["b a"]);
    assert_eq!((source.fault_counts().equal_negatives, source.fault_counts().with_negative), (2, 1));
}

#[test]
fn a_description_is_a_quick_look() {
    let look = |path: PathBuf| describe(&recipe(path)).unwrap();
    let tar = look(golden("00000.tar"));
    assert_eq!((tar.form.as_str(), tar.shards, tar.samples), ("webdataset tars", 1, Count::About(4)));
    assert!(tar.captions[0].starts_with("a red mug") && tar.faults.is_empty());
    let table = look(golden("open_clip.tsv"));
    assert_eq!((table.form.as_str(), table.samples), ("CSV", Count::Known(3)));
    let wrong = Recipe { caption_key: "best".to_owned(), ..recipe(golden("00000.tar")) };
    let wrong = describe(&wrong).unwrap();
    assert!(wrong.captions.is_empty() && wrong.faults[0].kind == FaultKind::MissingCaption, "{wrong:?}");

    let folder = Folder::new();
    folder.write("0.png", png(0));
    let lines: String =
        (0..25_000).map(|n| format!("{{\"image\": \"0.png\", \"caption\": \"number {n:05}\"}}\n")).collect();
    folder.write("captions.jsonl", lines);
    let long = look(folder.0.clone());
    assert!(matches!(long.samples, Count::About(24_900..25_100)), "{:?}", long.samples);
    assert_eq!(source(&recipe(&folder.0)).samples(), Some(25_000));
}
