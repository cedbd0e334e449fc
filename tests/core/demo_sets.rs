//! The scene world in memory and on disk: the same examples, the same verdicts.

use std::sync::Arc;

use candle_core::Device;
use clove::benchmark::{self, Benchmark, Items, Metric, Outcome, Score};
use clove::checkpoint::Architecture;
use clove::demo::render::DEFAULT_SIZE;
use clove::demo::sets::Sets;
use clove::demo::{self, write};
use clove::evaluate::{Corpus, Encoder, Order, Pixels, Scoring};
use clove::patch::{AlphaMap, Pair};

use super::models::{random, small};

/// Some pictures of every kind. Of attribution whole groups stay, for small ones do not enter ARO's mean.
fn sets() -> Sets {
    let mut sets = Sets::evaluation();
    let recognition = std::mem::take(&mut sets.recognition.images);
    sets.recognition.images = recognition.into_iter().step_by(12).collect();
    sets.relation.truncate(32);
    sets.order.truncate(32);
    sets.attribution.retain(|example| example.group.starts_with("red_") || example.group == "pink_black");
    for (_, examples) in &mut sets.sugarcrepe {
        examples.truncate(15);
    }
    sets
}

fn read_all(data: &std::path::Path) -> Vec<Benchmark> {
    let names = ["folder", "aro-relation", "aro-attribution", "aro-coco-order", "sugarcrepe"];
    assert_eq!(benchmark::find(data), names);
    names.iter().flat_map(|name| benchmark::read(name, data).unwrap()).collect()
}

fn sorted(mut benchmarks: Vec<Benchmark>) -> Vec<Benchmark> {
    benchmarks.sort_by_key(Benchmark::label);
    benchmarks
}

/// No group is empty, so a minimum of none is a minimum of one.
fn metric(benchmark: &Benchmark) -> Metric {
    match benchmark.metric {
        Metric::MacroAccuracy { min_count } => Metric::MacroAccuracy { min_count: min_count.max(1) },
        ref other => other.clone(),
    }
}

fn assert_same_question(drawn: &Benchmark, read: &Benchmark) {
    let label = drawn.label();
    assert_eq!(label, read.label());
    assert_eq!((metric(drawn), drawn.ties), (metric(read), read.ties), "{label}");
    assert_eq!((drawn.len(), drawn.images.len()), (read.len(), read.images.len()), "{label}");
    assert!(read.skipped.is_empty(), "{label}: {:?}", read.skipped);
    match (&drawn.items, &read.items) {
        (Items::Choices(drawn), Items::Choices(read)) => {
            for (d, r) in drawn.iter().zip(read) {
                assert_eq!(
                    (&d.captions, d.right, &d.group, d.image),
                    (&r.captions, r.right, &r.group, r.image),
                    "{label}"
                );
            }
        }
        (
            Items::Classes { classes, templates, labels },
            Items::Classes { classes: read_classes, templates: read_templates, labels: read_labels },
        ) => assert_eq!((classes, templates, labels), (read_classes, read_templates, read_labels), "{label}"),
        _ => panic!("{label} asks something else"),
    }
}

/// Verdicts and scores of a small random model.
fn scored(benchmarks: &[Benchmark]) -> (Vec<Vec<Option<Outcome>>>, Vec<Vec<Score>>) {
    // Captions of the scene world have up to 60 tokens in this tokenizer.
    let model = random(Architecture { context_length: 77, ..small() }, 21);
    let mut encoder = Encoder::new(&Pair::single(model), &Device::Cpu).unwrap();
    let corpus = Corpus::new(benchmarks, encoder.tokenizer());
    let mut pixels = Pixels::new(corpus.images.len(), 16, usize::MAX);
    let order = Arc::new(Order::new(benchmarks, &corpus));
    let mut scoring = Scoring::new(benchmarks, &corpus, order, AlphaMap::BASE);
    while !scoring.is_done() {
        scoring.step(&mut encoder, benchmarks, &corpus, &mut pixels, 64).unwrap();
    }
    assert!(scoring.unreadable().iter().all(Vec::is_empty));
    (scoring.outcomes().to_vec(), scoring.scores(benchmarks))
}

#[test]
fn memory_and_disk_agree() {
    let room = tempfile::tempdir().unwrap();
    let (data, sets) = (room.path().join("data"), sets());
    write::write(&data, &sets, DEFAULT_SIZE, &mut |_, _| true).unwrap();
    let (mut drawn, mut read) = (sorted(demo::benchmarks(&sets)), sorted(read_all(&data)));
    assert_eq!((drawn.len(), read.len()), (11, 11));
    for (drawn, read) in drawn.iter().zip(&read) {
        assert_same_question(drawn, read);
    }
    for benchmarks in [&mut drawn, &mut read] {
        for benchmark in benchmarks.iter_mut() {
            benchmark::limit(benchmark, 12);
        }
    }
    let ((of_drawn, drawn_scores), (of_read, read_scores)) = (scored(&drawn), scored(&read));
    assert_eq!(drawn_scores, read_scores);
    assert!(drawn_scores.iter().all(|rows| rows[0].scored == 12));
    let mut right = 0;
    for ((benchmark, d), r) in drawn.iter().zip(&of_drawn).zip(&of_read) {
        assert_eq!(d.len(), 12, "{}", benchmark.label());
        for (d, r) in d.iter().zip(r) {
            let (d, r) = (d.unwrap(), r.unwrap());
            assert_eq!((d.right, d.tied, d.in_top5), (r.right, r.tied, r.in_top5), "{}", benchmark.label());
            assert!((d.margin - r.margin).abs() <= 2e-6, "{}: {d:?} {r:?}", benchmark.label());
            right += usize::from(d.right);
        }
    }
    assert!((10..122).contains(&right), "a random model is right on {right} of 132");
}
