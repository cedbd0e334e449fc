//! Verdicts against the references' own rules, and whole evaluations against plain loops over embeddings.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Device;
use clove::benchmark::{
    Benchmark, Cell, Direction, Duel, Items, Metric, Outcome, Retrieval, TieRule, Ties, Win, judge_choice, read, scores,
};
use clove::clip::preprocess;
use clove::evaluate::{Corpus, Encoder, Order, Pixels, Scoring, load};
use clove::patch::{AlphaMap, Pair};
use serde::Deserialize;

use super::benchmarks_sets::write_all;
use super::models::{golden_root, random, small};

#[derive(Deserialize)]
struct Verdicts {
    aro_vg: Vec<(Vec<f32>, bool)>,
    aro_order: Vec<(Vec<f32>, bool)>,
    sugarcrepe: Vec<(Vec<f32>, bool)>,
    winoground: Vec<([[f32; 2]; 2], [bool; 3])>,
    winoground_first: Vec<([[f32; 2]; 2], [bool; 3])>,
    cola: Vec<([[f32; 2]; 2], bool)>,
}

#[derive(Deserialize)]
struct Recall {
    image_of: Vec<usize>,
    /// By image and caption.
    scores: Vec<Vec<f32>>,
    #[serde(rename = "recall")]
    hits: BTreeMap<String, BTreeMap<String, f64>>,
}

#[derive(Deserialize)]
struct Golden {
    verdicts: Verdicts,
    retrieval: Recall,
}

fn golden() -> Golden {
    serde_json::from_slice(&std::fs::read(golden_root().join("benchmarks.json")).unwrap()).unwrap()
}

/// The tasks of a set, without examples.
fn tasks(name: &str) -> Vec<Benchmark> {
    let data = tempfile::tempdir().unwrap();
    write_all(data.path());
    read(name, data.path()).unwrap()
}

#[test]
fn choices_are_judged_as_numpy_and_the_references_do() {
    let golden = golden().verdicts;
    for (name, rows, right) in [
        ("aro-relation", &golden.aro_vg, 1),
        ("aro-flickr-order", &golden.aro_order, 0),
        ("sugarcrepe", &golden.sugarcrepe, 0),
    ] {
        let ties = tasks(name)[0].ties;
        for (similarities, expected) in rows {
            assert_eq!(judge_choice(similarities, right, ties).right, *expected, "{name}: {similarities:?}");
        }
    }
}

fn cells(duel: &Duel, s: [[f32; 2]; 2]) -> Vec<f32> {
    let cell = |cell| match cell {
        Cell::Image(image, caption) => s[image][caption],
        Cell::Texts(..) => panic!("no texts are compared"),
    };
    duel.cells().map(cell).collect()
}

#[test]
fn crossed_pairs_are_judged_as_the_references_do() {
    let golden = golden().verdicts;
    let mut winoground = tasks("winoground");
    let verdict = |benchmark: &Benchmark, s: [[f32; 2]; 2]| {
        let Items::Duels(duels) = &benchmark.items else { panic!("not duels") };
        benchmark.judge(0, &cells(&duels[0], s)).right
    };
    for (s, expected) in &golden.winoground {
        let got: Vec<_> = winoground.iter().map(|task| verdict(task, *s)).collect();
        assert_eq!(got, expected, "{s:?}");
    }
    // CLIP_benchmark takes the first of equal maxima instead.
    for task in &mut winoground {
        "first".parse::<Ties>().unwrap().apply(task);
    }
    for (s, expected) in &golden.winoground_first {
        let got: Vec<_> = winoground.iter().map(|task| verdict(task, *s)).collect();
        assert_eq!(got, expected, "{s:?}");
    }
    let cola = &tasks("cola")[0];
    for (s, expected) in &golden.cola {
        assert_eq!(verdict(cola, *s), *expected, "{s:?}");
    }
}

#[test]
fn recall_equals_clip_benchmarks() {
    let Recall { image_of, scores: table, hits } = golden().retrieval;
    for direction in [Direction::ImageToText, Direction::TextToImage] {
        let captions: Vec<String> = (0..image_of.len()).map(|i| i.to_string()).collect();
        let benchmark = Benchmark {
            name: "retrieval".into(),
            task: None,
            metric: Metric::Recall,
            ties: TieRule::First,
            images: tasks("cola")[0].images.iter().take(1).cycle().take(12).cloned().collect(),
            items: Items::Retrieval(Retrieval { captions, image_of: image_of.clone(), direction }),
            skipped: Vec::new(),
            protocol: String::new(),
            n_in_file: 12,
        };
        let similarities = |example: usize| match direction {
            Direction::ImageToText => table[example].clone(),
            Direction::TextToImage => table.iter().map(|row| row[example]).collect(),
        };
        let outcomes: Vec<_> = (0..benchmark.len()).map(|e| Some(benchmark.judge(e, &similarities(e)))).collect();
        let found = scores(&benchmark, &outcomes, 0);
        for (score, k) in found.iter().zip(["1", "5", "10"]) {
            let expected = 100.0 * hits[k][direction.task()];
            assert!((score.value - expected).abs() < 1e-4, "{direction:?} at {k}: {} {expected}", score.value);
            assert_eq!(serde_json::to_value(score.metric).unwrap(), format!("recall@{k}"));
        }
        assert_eq!(found.len(), 3);
    }
}

/// Embeddings made one by one, and similarities by hand.
struct Plain {
    encoder: Encoder,
    images: BTreeMap<String, Vec<f32>>,
    texts: BTreeMap<String, Vec<f32>>,
}

impl Plain {
    fn image(&mut self, benchmark: &Benchmark, place: usize) -> Vec<f32> {
        let image = &benchmark.images[place];
        let encoder = &self.encoder;
        let embed = || {
            let pixels = preprocess::preprocess(&load(image).unwrap(), encoder.architecture().image_size as u32);
            encoder.images(&[&pixels]).unwrap().remove(0)
        };
        self.images.entry(image.key()).or_insert_with(embed).clone()
    }

    fn text(&mut self, text: &str) -> Vec<f32> {
        let encoder = &self.encoder;
        let embed = || encoder.texts(&[&encoder.tokenizer().encode(text)]).unwrap().remove(0);
        self.texts.entry(text.to_owned()).or_insert_with(embed).clone()
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Margins between right and wrong as each protocol words them; the smallest of several.
fn plain_margins(plain: &mut Plain, benchmark: &Benchmark) -> Vec<f64> {
    let task = benchmark.task.clone().unwrap_or_default();
    match &benchmark.items {
        Items::Duels(duels) => duels
            .iter()
            .map(|duel| {
                let i: Vec<_> = duel.images.iter().map(|&image| plain.image(benchmark, image)).collect();
                let c: Vec<_> = duel.captions.iter().map(|caption| plain.text(caption)).collect();
                let s = |image: usize, caption: usize| dot(&i[image], &c[caption]);
                let margins = match task.as_str() {
                    "subject" | "verb" | "object" => vec![s(0, 0) - s(1, 0)],
                    "text" => vec![s(0, 0) - s(0, 1), s(1, 1) - s(1, 0)],
                    "image" | "" => vec![s(0, 0) - s(1, 0), s(1, 1) - s(0, 1)],
                    "group" => vec![s(0, 0) - s(0, 1), s(1, 1) - s(1, 0), s(0, 0) - s(1, 0), s(1, 1) - s(0, 1)],
                    "swap_obj-itt" => vec![s(0, 0) - s(0, 2), s(0, 1) - s(0, 2)],
                    "swap_obj-tot" => {
                        vec![dot(&c[0], &c[1]) - dot(&c[0], &c[2]), dot(&c[0], &c[1]) - dot(&c[1], &c[2])]
                    }
                    other => panic!("{other}"),
                };
                margins.into_iter().fold(f64::INFINITY, f64::min)
            })
            .collect(),
        Items::Retrieval(retrieval) => {
            let images: Vec<_> = (0..benchmark.images.len()).map(|image| plain.image(benchmark, image)).collect();
            let texts: Vec<_> = retrieval.captions.iter().map(|caption| plain.text(caption)).collect();
            let best = |of: Vec<f64>| of.into_iter().fold(f64::NEG_INFINITY, f64::max);
            let by_image = |image: usize, own: bool| {
                let of =
                    |(text, owner): (&Vec<f32>, &usize)| ((*owner == image) == own).then(|| dot(&images[image], text));
                best(texts.iter().zip(&retrieval.image_of).filter_map(of).collect())
            };
            let by_text = |text: usize, own: bool| {
                let of = |(i, image): (usize, &Vec<f32>)| {
                    ((retrieval.image_of[text] == i) == own).then(|| dot(image, &texts[text]))
                };
                best(images.iter().enumerate().filter_map(of).collect())
            };
            match retrieval.direction {
                Direction::ImageToText => (0..images.len()).map(|i| by_image(i, true) - by_image(i, false)).collect(),
                Direction::TextToImage => (0..texts.len()).map(|t| by_text(t, true) - by_text(t, false)).collect(),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn evaluated(benchmarks: &[Benchmark], slice: usize) -> (Encoder, Scoring) {
    let pair = Pair::new(random(small(), 1), random(small(), 2)).unwrap();
    let mut encoder = Encoder::new(&pair, &Device::Cpu).unwrap();
    let corpus = Corpus::new(benchmarks, encoder.tokenizer());
    let order = Arc::new(Order::new(benchmarks, &corpus));
    let mut pixels = Pixels::new(corpus.images.len(), encoder.architecture().image_size, 1 << 20);
    let mut scoring = Scoring::new(benchmarks, &corpus, order, AlphaMap::BASE);
    let mut share = 0.0;
    while !scoring.is_done() {
        scoring.step(&mut encoder, benchmarks, &corpus, &mut pixels, slice).unwrap();
        assert!(scoring.share() > share, "every step gets on");
        share = scoring.share();
    }
    assert_eq!(share, 1.0);
    (encoder, scoring)
}

#[test]
fn whole_evaluations_equal_plain_loops() {
    let data = tempfile::tempdir().unwrap();
    write_all(data.path());
    let names =
        ["svo-probes", "winoground", "cola", "colorswap", "sugarcrepe-pp", "retrieval-coco", "retrieval-flickr"];
    let benchmarks: Vec<Benchmark> = names.iter().flat_map(|name| read(name, data.path()).unwrap()).collect();
    let (encoder, scoring) = evaluated(&benchmarks, 7);
    let (_, again) = evaluated(&benchmarks, 1000);
    // Batches of another size differ in their last bits.
    for (one, other) in scoring.outcomes().iter().flatten().zip(again.outcomes().iter().flatten()) {
        let (one, other) = (one.unwrap().margin, other.unwrap().margin);
        assert!((one - other).abs() < 1e-5, "slices do not matter: {one} {other}");
    }
    let mut plain = Plain { encoder, images: BTreeMap::new(), texts: BTreeMap::new() };
    for (benchmark, outcomes) in benchmarks.iter().zip(scoring.outcomes().iter()) {
        let margins = plain_margins(&mut plain, benchmark);
        assert_eq!(outcomes.len(), margins.len());
        let mut clear = 0;
        for (example, (outcome, margin)) in outcomes.iter().zip(&margins).enumerate() {
            let outcome = outcome.unwrap_or_else(|| panic!("{} {example} was not judged", benchmark.label()));
            let label = benchmark.label();
            assert!((f64::from(outcome.margin) - margin).abs() < 2e-5, "{label} {example}: {outcome:?} {margin}");
            if margin.abs() > 1e-5 {
                assert_eq!(outcome.right, *margin > 0.0, "{label} {example}: {outcome:?} {margin}");
                clear += 1;
            }
        }
        assert!(2 * clear > margins.len(), "{}: {clear} of {} are not ties", benchmark.label(), margins.len());
    }
}

#[test]
fn classes_out_of_archives_and_binaries_are_scored() {
    let data = tempfile::tempdir().unwrap();
    write_all(data.path());
    let names = ["webdataset", "cifar10", "cifar100", "imagenet-v2"];
    let mut benchmarks: Vec<Benchmark> = names.iter().flat_map(|name| read(name, data.path()).unwrap()).collect();
    for benchmark in &mut benchmarks {
        // 1,000 classes are many for a test.
        if let Items::Classes { templates, .. } = &mut benchmark.items {
            templates.truncate(1);
        }
    }
    let (_, scoring) = evaluated(&benchmarks, 9);
    let scores = scoring.scores(&benchmarks);
    assert_eq!(scores.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2, 2, 2, 2]);
    assert!(scoring.outcomes().iter().flatten().all(Option::is_some));
}

#[test]
fn a_broken_image_takes_its_examples_along_once_each() {
    let data = tempfile::tempdir().unwrap();
    write_all(data.path());
    std::fs::write(data.path().join("winoground/images/ex_2_img_1.png"), b"\x89PNG\r\n\x1a\n cut").unwrap();
    std::fs::write(data.path().join("coco/val2014/COCO_val2014_000000000003.jpg"), "no image").unwrap();
    let names = ["winoground", "retrieval-coco"];
    let benchmarks: Vec<Benchmark> = names.iter().flat_map(|name| read(name, data.path()).unwrap()).collect();
    let (_, scoring) = evaluated(&benchmarks, 5);
    let scores = scoring.scores(&benchmarks);
    for (task, benchmark) in benchmarks.iter().enumerate() {
        let lost = if benchmark.name == "winoground" || benchmark.len() == 6 { 1 } else { 5 };
        assert_eq!(scoring.unreadable()[task].len(), lost, "{}", benchmark.label());
        assert_eq!((scores[task][0].scored, scores[task][0].skipped), (benchmark.len() - lost, lost));
        let (item, reason) = &scoring.unreadable()[task][0];
        assert!(item.contains("example") && item.contains(['2', '3']) && !reason.is_empty(), "{item} {reason}");
    }
}

#[test]
fn a_duel_without_images_compares_captions() {
    let win = Win { ahead: Cell::Texts(0, 1), behind: Cell::Texts(0, 2) };
    let duel = Duel {
        images: Vec::new(),
        captions: ["a dog", "the dog", "sea house"].map(String::from).into(),
        wins: vec![win],
        tags: Vec::new(),
    };
    let mut benchmarks = tasks("cola");
    let mut alone = benchmarks[0].clone();
    alone.items = Items::Duels(vec![duel]);
    alone.images.clear();
    let data = tempfile::tempdir().unwrap();
    write_all(data.path());
    benchmarks = read("cola", data.path()).unwrap();
    benchmarks.push(alone);
    let (_, scoring) = evaluated(&benchmarks, 3);
    assert!(matches!(scoring.outcomes()[1][0], Some(Outcome { .. })));
}
