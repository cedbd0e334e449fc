//! Every reader on its published format, whole and damaged.

use std::path::Path;

use clove::benchmark::{Benchmark, ImageRef, Items, NAMES, find, limit, read, where_from};
use clove::evaluate::load;

use super::benchmarks_sets::{Set, picture, write_all};
use super::models::{Draw, golden_root};

#[test]
fn every_published_format_is_found_and_read() {
    let data = tempfile::tempdir().unwrap();
    let sets = write_all(data.path());
    let names: Vec<_> = NAMES.iter().copied().filter(|name| *name != "folder").collect();
    assert_eq!(sets.iter().map(|set| set.name).collect::<Vec<_>>(), names, "a set for every name");
    assert_eq!(find(data.path()), names);
    let expected = [
        ("imagenet", 1, 5),
        ("imagenet-v2", 1, 3),
        ("cifar10", 1, 4),
        ("cifar100", 1, 4),
        ("webdataset", 3, 3),
        // 10 of each of three relations, of which `near` is excluded.
        ("aro-relation", 1, 20),
        ("aro-attribution", 1, 30),
        ("aro-coco-order", 1, 30),
        ("aro-flickr-order", 1, 4),
        ("sugarcrepe", 1, 5),
        ("sugarcrepe-pp", 2, 8),
        ("svo-probes", 3, 3),
        ("winoground", 3, 6),
        ("cola", 1, 6),
        ("colorswap", 3, 6),
        ("pairs", 1, 5),
        ("retrieval-coco", 2, 6),
        ("retrieval-flickr", 2, 6),
    ];
    for (name, tasks, examples) in expected {
        let read = read(name, data.path()).unwrap();
        assert_eq!((read.len(), read[0].len()), (tasks, examples), "{name}");
        for benchmark in &read {
            assert_eq!((benchmark.name.as_str(), benchmark.skipped.len()), (name, 0));
            assert!(!benchmark.protocol.is_empty() && !where_from(name).is_empty());
            check(benchmark);
            benchmark.images.iter().for_each(|image| assert!(load(image).is_ok(), "{name}: {}", image.name()));
        }
    }
}

/// What scoring relies on: every index leads somewhere.
fn check(benchmark: &Benchmark) {
    let n_images = benchmark.images.len();
    assert!(!benchmark.is_empty(), "{}", benchmark.label());
    for example in 0..benchmark.len() {
        assert!(benchmark.images_of(example).iter().all(|image| *image < n_images), "{}", benchmark.label());
    }
    match &benchmark.items {
        Items::Choices(choices) => {
            assert!(choices.iter().all(|choice| choice.right < choice.captions.len() && choice.captions.len() > 1));
        }
        Items::Classes { classes, templates, labels } => {
            assert!(labels.iter().all(|label| *label < classes.len()));
            assert!(!templates.is_empty() && templates.iter().all(|template| template.contains("{}")));
        }
        Items::Duels(duels) => assert!(duels.iter().all(|duel| !duel.wins.is_empty() && !duel.captions.is_empty())),
        Items::Retrieval(retrieval) => {
            assert_eq!(retrieval.captions.len(), retrieval.image_of.len());
            assert!((0..n_images).all(|image| retrieval.image_of.contains(&image)), "every image has a caption");
        }
    }
}

/// Reads a set whose file is damaged: an error, or a benchmark that holds together.
fn survive(name: &str, data: &Path) -> usize {
    let Ok(mut read) = read(name, data) else { return 0 };
    for benchmark in &mut read {
        check(benchmark);
        for image in benchmark.images.iter().filter(|image| matches!(image, ImageRef::Stored { .. })) {
            // Whatever the archive says now, this is a picture or one sentence.
            let _ = load(image).map_err(|sentence| assert!(sentence.contains(".tar")));
        }
        limit(benchmark, 3);
        check(benchmark);
    }
    read.iter().map(Benchmark::len).sum()
}

#[test]
fn no_reader_falls_over_a_damaged_file() {
    let data = tempfile::tempdir().unwrap();
    let sets = write_all(data.path());
    let mut draw = Draw(11);
    for Set { name, files } in &sets {
        for file in files {
            let path = data.path().join(file);
            let whole = std::fs::read(&path).unwrap();
            let mut survived = 0;
            let mut damaged = |bytes: &[u8]| {
                std::fs::write(&path, bytes).unwrap();
                survived += usize::from(survive(name, data.path()) > 0);
            };
            let step = (whole.len() / 40).max(1);
            (0..whole.len()).step_by(step).for_each(|cut| damaged(&whole[..cut]));
            for _ in 0..80 {
                let mut bytes = whole.clone();
                for _ in 0..=draw.below(4) {
                    let at = draw.below(bytes.len());
                    match draw.below(4) {
                        0 => bytes[at] ^= 1 << draw.below(8),
                        1 => bytes[at] = b"\"\\{}[],:\n0\xff"[draw.below(11)],
                        2 => drop(bytes.drain(at..(at + 1 + draw.below(40)).min(bytes.len()))),
                        _ => {
                            let from = draw.below(bytes.len());
                            let piece = bytes[from..(from + 30).min(bytes.len())].to_vec();
                            bytes.splice(at..at, piece);
                        }
                    }
                    if bytes.is_empty() {
                        break;
                    }
                }
                damaged(&bytes);
            }
            std::fs::write(&path, &whole).unwrap();
            assert!(survive(name, data.path()) > 0, "{name}: whole again");
            assert!(survived > 0, "{name}: {} never survives any damage", file.display());
        }
    }
}

#[test]
fn matlab_files_survive_damage() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    picture(&data.join("val/1.png"), 1);
    std::fs::rename(data.join("val/1.png"), data.join("val/ILSVRC2012_val_00000001.JPEG")).unwrap();
    std::fs::write(data.join("ILSVRC2012_validation_ground_truth.txt"), "490\n").unwrap();
    let mut draw = Draw(12);
    for file in ["meta.mat", "meta_plain.mat"] {
        let whole = std::fs::read(golden_root().join("benchmarks").join(file)).unwrap();
        let read_with = |bytes: &[u8]| {
            std::fs::write(data.join("meta.mat"), bytes).unwrap();
            read("imagenet", data).is_ok()
        };
        assert!(read_with(&whole));
        for cut in 0..whole.len() {
            read_with(&whole[..cut]);
        }
        for _ in 0..2000 {
            let mut bytes = whole.clone();
            for _ in 0..=draw.below(3) {
                let at = draw.below(bytes.len());
                bytes[at] = [0, 1, 0x7f, 0x80, 0xff, draw.below(256) as u8][draw.below(6)];
            }
            read_with(&bytes);
        }
    }
}
