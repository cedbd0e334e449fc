//! The order: fair, the same for any number of workers, and continued exactly.

use super::*;
use crate::recipe::Sampling;
use std::collections::BTreeSet;

/// Sources of every form with a broken sample here and there.
fn all_forms(folder: &Folder) -> Vec<Recipe> {
    let mut bad = tar_with(100..104);
    bad.truncate(bad.len() - 1600);
    folder.write("tars/00000.tar", tar_with(0..5));
    folder.write("tars/00001.tar", "no tar");
    folder.write("tars/00002.tar", bad);
    folder.write("tars/00003.tar", tar_with(5..12));
    let (mut table, mut lines) = ("filepath,title\n".to_owned(), String::new());
    let mut annotations = Vec::new();
    for n in 0..9 {
        let image = if n == 4 { "absent.png".to_owned() } else { format!("{n}.png") };
        folder.write(&format!("rows/{n}.png"), png(n));
        table += &format!("{image},row {n}\n");
        lines += &format!("{{\"image\": \"{image}\", \"caption\": \"A man sits on a red bench near tree {n}\"}}\n");
        annotations.push(format!("{{\"image_id\": {}, \"caption\": \"coco {n}\"}}", n % 5));
        folder.write(&format!("files/{:05}/{n:09}.png", n / 3), png(n));
        if n != 7 {
            folder.write(&format!("files/{:05}/{n:09}.txt", n / 3), format!("file {n}"));
        }
    }
    let images: Vec<String> = (0..4).map(|n| format!("{{\"id\": {n}, \"file_name\": \"{n}.png\"}}")).collect();
    let coco = format!("{{\"images\": [{}], \"annotations\": [{}]}}", images.join(","), annotations.join(","));
    let table = folder.write("rows/table.csv", table);
    let coco = folder.write("rows/coco.json", coco);
    folder.write("rows/captions.jsonl", lines);
    let data =
        [folder.0.join("tars"), folder.0.join("files"), folder.0.join("rows"), table, coco, golden("zstd.parquet")];
    data.iter()
        .map(|data| Recipe { batch: 3, shuffle_buffer: 4, negatives: NegativeSource::Replace, ..recipe(data) })
        .collect()
}

#[test]
fn interrupted_at_any_batch_and_continued_is_uninterrupted() {
    let folder = Folder::new();
    for recipe in all_forms(&folder) {
        for sampling in [Sampling::Epochs, Sampling::Replacement] {
            let recipe = Recipe { sampling, ..recipe.clone() };
            let mut whole = source(&recipe);
            let mut batches = Vec::new();
            for _ in 0..10 {
                let batch = whole.next_batch().unwrap();
                batches.push((batch, whole.position(), whole.fault_counts()));
            }
            for stop in 0..9 {
                // As a run does it: the place goes through text.
                let position = serde_json::from_str(&batches[stop].1.to_string()).unwrap();
                let mut rest = source(&Recipe { workers: 1 + stop % 3, ..recipe.clone() });
                rest.seek(&position).unwrap();
                assert_eq!(rest.fault_counts(), batches[stop].2);
                for (batch, place, counts) in &batches[stop + 1..] {
                    assert_eq!(rest.next_batch().unwrap(), *batch, "{:?} after {stop}", recipe.data);
                    assert_eq!((rest.position(), &rest.fault_counts()), (place.clone(), counts));
                }
            }
        }
    }
}

#[test]
fn the_number_of_workers_changes_nothing_and_the_seed_does() {
    let folder = Folder::new();
    folder.write("a.tar", tar_with(0..40));
    let run = |workers, seed| {
        let mut source = source(&Recipe { workers, seed, shuffle_buffer: 16, batch: 4, ..recipe(&folder.0) });
        (0..25).map(|_| source.next_batch().unwrap()).collect::<Vec<_>>()
    };
    let one = run(1, 1);
    assert_eq!(one, run(2, 1));
    assert_eq!(one, run(7, 1));
    assert_ne!(one, run(1, 2));
}

#[test]
fn an_epoch_visits_each_sample_once_and_the_next_in_another_order() {
    let folder = Folder::new();
    (0..4).for_each(|shard| drop(folder.write(&format!("{shard}.tar"), tar_with(shard * 5..shard * 5 + 5))));
    for buffer in [1, 3, 7, 20, 1000] {
        let mut source = source(&Recipe { shuffle_buffer: buffer, batch: 4, ..recipe(&folder.0) });
        let mut epoch = || (0..5).flat_map(|_| captions(&source.next_batch().unwrap())).collect::<Vec<_>>();
        let (first, second) = (epoch(), epoch());
        assert_ne!(first, second, "{buffer}");
        for epoch in [first, second] {
            assert_eq!(epoch.into_iter().collect::<BTreeSet<_>>().len(), 20, "{buffer}");
        }
    }
}

#[test]
fn what_fills_no_batch_is_left_and_no_batch_holds_a_sample_twice() {
    let folder = Folder::new();
    folder.write("a.tar", tar_with(0..10));
    let mut source = source(&Recipe { batch: 4, ..recipe(&folder.0) });
    for _ in 0..20 {
        let batch = captions(&source.next_batch().unwrap());
        assert_eq!(batch.iter().collect::<BTreeSet<_>>().len(), 4, "{batch:?}");
    }
    assert_eq!(source.fault_counts().samples, 20 / 2 * 10 - 2, "two batches an epoch, the tenth epoch's rest unseen");
}

#[test]
fn shards_come_again_with_replacement() {
    let folder = Folder::new();
    (0..5).for_each(|shard| drop(folder.write(&format!("{shard}.tar"), tar_with(shard..shard + 1))));
    let mut source = source(&Recipe { sampling: Sampling::Replacement, ..recipe(&folder.0) });
    let drawn: Vec<String> = (0..500).flat_map(|_| captions(&source.next_batch().unwrap())).collect();
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    drawn.iter().for_each(|caption| *counts.entry(caption.clone()).or_default() += 1);
    // 100 wanted of each, standard deviation 9.
    assert!(counts.len() == 5 && counts.values().all(|count| count.abs_diff(100) < 45), "{counts:?}");
    assert!(drawn.chunks(5).any(|five| five.iter().collect::<BTreeSet<_>>().len() < 5), "not epochs");
}

#[test]
fn positions_of_other_runs_are_refused() {
    let folder = Folder::new();
    folder.write("a.tar", tar_with(0..10));
    let plain = recipe(&folder.0);
    let mut run = source(&plain);
    run.next_batch().unwrap();
    let position = run.position();
    assert!(position.to_string().len() < 500, "{position}");
    for other in [Recipe { seed: 99, ..plain.clone() }, Recipe { shuffle_buffer: 9, ..plain.clone() }] {
        assert!(matches!(source(&other).seek(&position), Err(SourceError::Position(_))));
    }
    assert!(matches!(run.seek(&serde_json::json!({"place": 3})), Err(SourceError::Position(_))));
    folder.write("b.tar", tar_with(10..20));
    assert!(source(&plain).seek(&position).is_err(), "there are more shards");
}
