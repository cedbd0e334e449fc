//! Progressive scoring: whatever the order of the work, the same verdicts, and nothing embedded twice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::Device;
use clove::benchmark::{
    Benchmark, Choice, ImageRef, Items, Metric, Outcome, Rendered, TieRule, judge_choice, judge_class,
};
use clove::checkpoint::{Architecture, Checkpoint};
use clove::evaluate::{Corpus, Encoder, EncoderError, Order, Pixels, Scoring};
use clove::patch::{Alpha, AlphaMap, Pair};
use image::{Rgb, RgbImage};

use super::models::{Draw, random, small};

/// A picture that counts how often it is drawn. Pixels are not kept here, so that is how often it is embedded.
#[derive(Debug)]
struct Counted {
    seed: u64,
    drawn: Arc<AtomicUsize>,
}

impl Rendered for Counted {
    fn render(&self) -> RgbImage {
        self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut draw = Draw(self.seed);
        let tint = [0; 3].map(|_: u8| draw.below(200) as u8);
        RgbImage::from_fn(20, 17, |x, y| Rgb(tint.map(|t| t.wrapping_add((x * 3 + y * 5) as u8 % 56))))
    }
}

/// Some benchmarks over shared pictures, and everything to score them with.
struct Room {
    benchmarks: Vec<Benchmark>,
    corpus: Corpus,
    order: Arc<Order>,
    encoder: Encoder,
    pixels: Pixels,
    drawn: Arc<AtomicUsize>,
}

fn at(image: f64, text: f64) -> AlphaMap {
    AlphaMap::towers(Alpha::new(image).unwrap(), Alpha::new(text).unwrap())
}

fn drawing(seed: u64, drawn: &Arc<AtomicUsize>) -> ImageRef {
    ImageRef::Drawn { name: format!("{seed}"), image: Arc::new(Counted { seed, drawn: Arc::clone(drawn) }) }
}

fn classes(images: Vec<ImageRef>) -> Benchmark {
    let labels = (0..images.len()).map(|i| i % 7).collect();
    Benchmark {
        name: "folder".into(),
        task: None,
        metric: Metric::TopK,
        ties: TieRule::First,
        n_in_file: images.len(),
        images,
        items: Items::Classes {
            classes: ["dog", "red", "house", "tree", "man", "sea", "car"].map(String::from).into(),
            templates: vec!["a photo of a {}.".into(), "the {} in a park".into()],
            labels,
        },
        skipped: Vec::new(),
        protocol: String::new(),
    }
}

fn choices(
    images: Vec<ImageRef>,
    captions: impl Fn(usize) -> Vec<String>,
    n: usize,
    metric: Metric,
    ties: TieRule,
) -> Benchmark {
    let item = |i: usize| Choice {
        image: i % images.len(),
        captions: captions(i),
        right: i % 2,
        group: Some(format!("group {}", i % 3)),
        tags: Vec::new(),
    };
    let items = Items::Choices((0..n).map(item).collect());
    let (name, task, protocol) = ("choices".into(), None, String::new());
    Benchmark { name, task, metric, ties, images, items, skipped: Vec::new(), protocol, n_in_file: n }
}

impl Room {
    fn new() -> Self {
        let drawn = Arc::new(AtomicUsize::new(0));
        let pictures = |seeds: std::ops::Range<u64>| seeds.map(|seed| drawing(seed, &drawn)).collect::<Vec<_>>();
        let words = ["a dog left of a man", "a man left of a dog", "the sea", "red car on a house", "no"];
        let captions = |i: usize| vec![words[i % 5].to_owned(), format!("{} {i}", words[(i + 2) % 5])];
        let equal = |i: usize| vec![words[i % 5].to_owned(), words[i % 5].to_uppercase()];
        let macro_mean = Metric::MacroAccuracy { min_count: 0 };
        let benchmarks = vec![
            classes(pictures(0..23)),
            choices(pictures(15..31), captions, 40, macro_mean, TieRule::First),
            choices(pictures(3..9), equal, 6, Metric::Accuracy, TieRule::Strict),
        ];
        Self::with(benchmarks, drawn)
    }

    fn with(benchmarks: Vec<Benchmark>, drawn: Arc<AtomicUsize>) -> Self {
        let pair = Pair::new(random(small(), 1), random(small(), 2)).unwrap();
        let encoder = Encoder::new(&pair, &Device::Cpu).unwrap();
        let corpus = Corpus::new(&benchmarks, encoder.tokenizer());
        let order = Arc::new(Order::new(&benchmarks, &corpus));
        let pixels = Pixels::new(corpus.images.len(), 16, 0);
        Self { benchmarks, corpus, order, encoder, pixels, drawn }
    }

    fn scoring(&self, alpha: AlphaMap) -> Scoring {
        Scoring::new(&self.benchmarks, &self.corpus, Arc::clone(&self.order), alpha)
    }

    fn finish(&mut self, scoring: &mut Scoring, slice: usize) -> Vec<Vec<Option<Outcome>>> {
        let mut share = scoring.share();
        while !scoring.is_done() {
            scoring.step(&mut self.encoder, &self.benchmarks, &self.corpus, &mut self.pixels, slice).unwrap();
            assert!(scoring.share() > share, "a step moves on");
            share = scoring.share();
        }
        assert_eq!(share, 1.0);
        scoring.outcomes().to_vec()
    }

    fn visit(&mut self, scoring: &mut Scoring, place: (usize, usize)) -> Option<Vec<f32>> {
        scoring.visit(&mut self.encoder, &self.benchmarks, &self.corpus, &mut self.pixels, place).unwrap()
    }

    /// Pictures drawn since the last call.
    fn drawn(&self) -> usize {
        self.drawn.swap(0, Ordering::Relaxed)
    }
}

/// Equal verdicts, and margins as equal as batches of other sizes allow.
fn assert_alike(found: &[Vec<Option<Outcome>>], wanted: &[Vec<Option<Outcome>>]) {
    for (b, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert_eq!(found.len(), wanted.len());
        for (e, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let (Some(f), Some(w)) = (found, wanted) else { panic!("benchmark {b} example {e} is not judged") };
            let what = format!("benchmark {b} example {e}: {f:?} and {w:?}");
            assert_eq!((f.right, f.tied, f.in_top5), (w.right, w.tied, w.in_top5), "{what}");
            assert!((f.margin - w.margin).abs() <= 2e-6, "{what}");
        }
    }
}

#[test]
fn the_size_of_slices_changes_nothing() {
    let mut room = Room::new();
    let mut scoring = room.scoring(at(0.3, 0.3));
    let whole = room.finish(&mut scoring, usize::MAX >> 1);
    let scores = scoring.scores(&room.benchmarks);
    assert_eq!(room.drawn(), 31, "every distinct picture is embedded once");
    for slice in [1, 7] {
        let mut scoring = room.scoring(at(0.3, 0.3));
        assert_alike(&room.finish(&mut scoring, slice), &whole);
        assert_eq!(scoring.scores(&room.benchmarks), scores);
    }
    // The setting can tell right from wrong: neither all nor none, and ties where captions are equal.
    let accuracy = &scores[1][1];
    assert!(accuracy.correct > 0 && accuracy.correct < accuracy.scored, "{accuracy:?}");
    assert_eq!((scores[2][0].ties, scores[2][0].correct, scores[2][0].scored), (6, 0, 6));
    assert_eq!(scores[0].len(), 2, "top 1 and top 5");
}

#[test]
fn scores_on_the_way_count_what_is_judged() {
    let mut room = Room::new();
    let mut scoring = room.scoring(AlphaMap::BASE);
    assert!(scoring.scores(&room.benchmarks).iter().all(Vec::is_empty));
    let judged = |scoring: &Scoring| scoring.outcomes().iter().flatten().flatten().count();
    let mut steps = 0;
    while judged(&scoring) == 0 {
        let step = scoring.step(&mut room.encoder, &room.benchmarks, &room.corpus, &mut room.pixels, 10).unwrap();
        assert!(step.images <= 10 && step.work > 0.0 && step.work < 12.0, "the work of 10 images: {step:?}");
        steps += 1;
    }
    let again = room.finish(&mut scoring, 10);
    assert!(again.iter().all(|rows| !rows.is_empty()));
    scoring.restart(AlphaMap::BASE);
    let step = scoring.step(&mut room.encoder, &room.benchmarks, &room.corpus, &mut room.pixels, 10).unwrap();
    assert_eq!((step.images, step.work), (10, 0.0), "all of it is embedded");
    assert!(steps > 1 && scoring.has_all_classes(), "prompts come before the first image, in slices");
    let judged = judged(&scoring);
    let scored: usize = scoring.scores(&room.benchmarks).iter().filter_map(|rows| rows.first()).map(|s| s.scored).sum();
    assert_eq!(judged, scored);
    assert!(judged >= 10 && judged < room.order.total());
}

#[test]
fn the_ends_of_a_pair_are_its_models() {
    let mut room = Room::new();
    for (alpha, seed) in [(AlphaMap::BASE, 1), (AlphaMap::TUNED, 2)] {
        let mut scoring = room.scoring(alpha);
        let of_pair = room.finish(&mut scoring, 8);
        let mut alone = Room::new();
        alone.encoder = Encoder::new(&Pair::single(random(small(), seed)), &Device::Cpu).unwrap();
        let mut scoring = alone.scoring(AlphaMap::BASE);
        assert!(alone.finish(&mut scoring, 8) == of_pair, "alpha {alpha}");
    }
}

#[test]
fn a_tower_that_stays_is_not_embedded_again() {
    let mut room = Room::new();
    let mut scoring = room.scoring(at(0.0, 0.0));
    room.finish(&mut scoring, 9);
    room.drawn();

    scoring.restart(at(0.0, 0.8));
    let mut fresh = room.scoring(at(0.0, 0.8));
    let moved_text = room.finish(&mut scoring, 9);
    assert_eq!(room.drawn(), 0, "images stay");
    assert_alike(&moved_text, &room.finish(&mut fresh, 9));

    // Examples 0 and 16 of the choices share their picture. Only 0 is visited: if 16 can be told too, its texts stayed.
    for (alpha, stays) in [(at(0.6, 0.8), true), (at(0.7, 0.1), false)] {
        scoring.restart(alpha);
        assert_eq!(room.benchmarks[1].image_of(0), room.benchmarks[1].image_of(16));
        assert_eq!(scoring.similarities(&room.benchmarks[1], &room.corpus, 1, 16), None, "the image tower moved");
        room.visit(&mut scoring, (1, 0)).unwrap();
        let told = scoring.similarities(&room.benchmarks[1], &room.corpus, 1, 16);
        assert_eq!(told.is_some(), stays, "{alpha}");
        if let Some(told) = told {
            let alone = room.visit(&mut room.scoring(alpha), (1, 16)).unwrap();
            assert!(told.iter().zip(&alone).all(|(t, a)| (t - a).abs() <= 2e-6), "{told:?} {alone:?}");
        }
    }
    let finished = room.finish(&mut scoring, 9);
    let mut fresh = room.scoring(scoring.alpha());
    assert_alike(&finished, &room.finish(&mut fresh, 9));
}

#[test]
fn a_grid_that_keeps_texts_equals_separate_runs() {
    let mut room = Room::new();
    let line = [0.0, 1.0, 0.45];
    let mut grid = room.scoring(at(0.0, 0.0));
    grid.keep_texts();
    room.drawn();
    let mut rows = Vec::new();
    for image in line {
        for text in line {
            grid.restart(at(image, text));
            if image != 0.0 {
                // Every text alpha has been visited: its texts are there before any step.
                room.visit(&mut grid, (1, 0)).unwrap();
                assert!(grid.similarities(&room.benchmarks[1], &room.corpus, 1, 16).is_some(), "{image} {text}");
            }
            rows.push((at(image, text), room.finish(&mut grid, 11)));
        }
    }
    assert_eq!(room.drawn(), 3 * 31, "images cost one side of the grid");
    for (alpha, outcomes) in rows {
        let mut alone = room.scoring(alpha);
        assert_alike(&outcomes, &room.finish(&mut alone, 11));
    }
}

#[test]
fn a_visit_tells_what_the_verdict_will_be() {
    let mut room = Room::new();
    let mut scoring = room.scoring(at(0.2, 0.9));
    let mut told = Vec::new();
    for b in 0..room.benchmarks.len() {
        for e in (0..room.benchmarks[b].len()).step_by(3) {
            let similarities = room.visit(&mut scoring, (b, e)).unwrap();
            let benchmark = &room.benchmarks[b];
            let outcome = match &benchmark.items {
                Items::Choices(choices) => judge_choice(&similarities, choices[e].right, benchmark.ties),
                Items::Classes { labels, .. } => judge_class(&similarities, labels[e]),
                other => panic!("not made here: {other:?}"),
            };
            told.push((b, e, outcome));
        }
    }
    assert!(scoring.outcomes().iter().flatten().all(Option::is_none), "a visit is no verdict");
    let outcomes = room.finish(&mut scoring, 5);
    assert_eq!(room.drawn(), 31, "what a visit embeds is not embedded again");
    for (b, e, outcome) in told {
        assert_eq!(outcomes[b][e], Some(outcome), "benchmark {b} example {e}");
    }
}

#[test]
fn images_that_cannot_be_read_are_counted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.png");
    std::fs::write(&broken, b"\x89PNG\r\n\x1a\n and no more").unwrap();
    let file = |path: &Path| ImageRef::File { path: path.to_owned(), crop: None };
    let drawn = Arc::new(AtomicUsize::new(0));
    let absent = file(&folder.path().join("absent.jpg"));
    let images = vec![drawing(1, &drawn), file(&broken), absent, drawing(2, &drawn)];
    let captions = |i: usize| vec![format!("one {i}"), format!("two {i}")];
    let of_choices = choices(images.clone(), captions, 8, Metric::Accuracy, TieRule::Strict);
    let mut room = Room::with(vec![classes(images), of_choices], drawn);
    let mut scoring = room.scoring(AlphaMap::BASE);
    for alpha in [AlphaMap::BASE, at(0.5, 0.5), at(0.5, 0.7)] {
        scoring.restart(alpha);
        assert_eq!(room.visit(&mut scoring, (0, 1)), None);
        let outcomes = room.finish(&mut scoring, 1);
        let judged = |b: usize| outcomes[b].iter().map(Option::is_some).collect::<Vec<_>>();
        assert_eq!(judged(0), [true, false, false, true]);
        assert_eq!(judged(1), [true, false, false, true, true, false, false, true]);
        let scores = scoring.scores(&room.benchmarks);
        assert_eq!((scores[0][0].scored, scores[0][0].skipped), (2, 2));
        assert_eq!((scores[1][0].scored, scores[1][0].skipped), (4, 4));
        assert_eq!(scoring.unreadable().iter().map(Vec::len).collect::<Vec<_>>(), [2, 4], "counted once per run");
        let all: Vec<String> = scoring.unreadable()[1].iter().map(|(item, why)| format!("{item}: {why}")).collect();
        for name in ["broken.png", "absent.jpg"] {
            assert_eq!(all.iter().filter(|line| line.contains(name)).count(), 2, "{all:?}");
        }
        assert!(all.iter().all(|line| line.starts_with("choices example ")), "{all:?}");
    }
}

#[test]
fn a_model_without_a_fitting_tokenizer_is_refused() {
    let refusal = |checkpoint: Checkpoint| match Encoder::new(&Pair::single(checkpoint), &Device::Cpu) {
        Ok(_) => panic!("it has no tokenizer that fits"),
        Err(error) => (error.to_string(), error),
    };
    let (said, error) = refusal(Checkpoint { tokenizer: None, ..random(small(), 1) });
    assert!(
        matches!(error, EncoderError::NoTokenizer { vocab: 1514, .. }) && said.contains("tokenizer.json"),
        "{said}"
    );
    let (said, error) = refusal(Checkpoint { tokenizer: Some(b"{}".to_vec()), ..random(small(), 1) });
    assert!(matches!(error, EncoderError::Tokenizer { .. }) && said.contains("random 1"), "{said}");
    let fewer = Architecture { vocab_size: 1500, end_of_text: 1499, ..small() };
    let (said, _) = refusal(random(fewer, 1));
    assert!(said.contains("1514") && said.contains("1500"), "{said}");
}
