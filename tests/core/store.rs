//! What the store promises to those who compute: equal content once, no decoding twice, damage noticed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::Device;
use clove::benchmark::{Benchmark, ImageRef, Items, Metric, Rendered, TieRule};
use clove::evaluate::{Places, Workload};
use clove::patch::{Alpha, AlphaMap, Pair};
use image::{Rgb, RgbImage};

use super::cli_data::picture;
use super::models::{random, small};

/// A picture that counts how often it is drawn; half of them look alike.
#[derive(Debug)]
struct Counted {
    seed: usize,
    drawn: Arc<AtomicUsize>,
}

impl Rendered for Counted {
    fn render(&self) -> RgbImage {
        self.drawn.fetch_add(1, Ordering::Relaxed);
        RgbImage::from_fn(20, 20, |x, y| Rgb([(x * 9) as u8, (y * 11) as u8, (self.seed / 2 * 16) as u8]))
    }
}

fn classes(images: Vec<ImageRef>) -> Benchmark {
    let n = images.len();
    Benchmark {
        name: "folder".into(),
        task: None,
        metric: Metric::TopK,
        ties: TieRule::First,
        images,
        items: Items::Classes {
            classes: ["dog", "red", "house"].map(String::from).into(),
            templates: vec!["a photo of a {}.".into()],
            labels: (0..n).map(|i| i % 3).collect(),
        },
        skipped: Vec::new(),
        protocol: "all".into(),
        n_in_file: n,
    }
}

fn workload(benchmarks: Vec<Benchmark>, root: &Path) -> Workload {
    let pair = Pair::new(random(small(), 1), random(small(), 2)).unwrap();
    let places = Places { pixels: Some((root, 1 << 30)), embeddings: Some(root) };
    Workload::new(benchmarks, &pair, &Device::Cpu, places).unwrap()
}

fn at(alpha: f64) -> AlphaMap {
    AlphaMap::one(Alpha::new(alpha).unwrap())
}

#[test]
fn the_second_alpha_and_the_second_run_decode_nothing() {
    let room = tempfile::tempdir().unwrap();
    let drawn = Arc::new(AtomicUsize::new(0));
    let image = |seed: usize| ImageRef::Drawn {
        name: format!("{seed}"),
        image: Arc::new(Counted { seed, drawn: Arc::clone(&drawn) }),
    };
    let benchmark = || classes((0..20).map(image).collect());
    let mut first = workload(vec![benchmark()], room.path());
    let drawn_to_know_them = drawn.load(Ordering::Relaxed);
    let mut found = Vec::new();
    for (alpha, decoded) in [(0.0, 10), (0.5, 10), (1.0, 10)] {
        let scored = first.score(at(alpha), &[true], &mut |_| true).unwrap().unwrap();
        assert_eq!(first.decoded(), decoded, "of 20 images, 10 differ; alpha {alpha}");
        found.push(scored[0].clone().unwrap().per_example);
    }
    assert_eq!(drawn.load(Ordering::Relaxed), drawn_to_know_them + 10);
    assert_eq!(found[0].outcomes.len(), 20);
    for pair in 0..10 {
        let same = |i: usize| found[1].similarities(i).collect::<Vec<_>>();
        assert_eq!(same(2 * pair), same(2 * pair + 1), "alike");
    }
    let mut second = workload(vec![benchmark()], room.path());
    let again = second.score(at(0.5), &[true], &mut |_| true).unwrap().unwrap();
    assert_eq!(second.decoded(), 0);
    assert_eq!(again[0].clone().unwrap().per_example, found[1]);
    // Without what the first run embedded, from its pixels alone.
    second.forget(&[at(0.5)]);
    let again = workload(vec![benchmark()], room.path()).score(at(0.5), &[true], &mut |_| true).unwrap().unwrap();
    assert_eq!(again[0].clone().unwrap().per_example, found[1]);
}

#[test]
fn damaged_pixels_are_decoded_again() {
    let (room, pictures) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = |i: u64| pictures.path().join(format!("{i}.png"));
    (0..12).for_each(|i| picture(&path(i), i));
    let benchmark = || classes((0..12).map(|i| ImageRef::File { path: path(i), crop: None }).collect());
    let score = |workload: &mut Workload| {
        let found = workload.score(at(0.5), &[true], &mut |_| true).unwrap().unwrap();
        workload.forget(&[at(0.5)]);
        found[0].clone().unwrap().per_example
    };
    let mut first = workload(vec![benchmark()], room.path());
    let expected = score(&mut first);
    let folder = room.path().join("pixels").join(small().image_size.to_string());
    let segment = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    for decoded in [12, 0] {
        let mut next = workload(vec![benchmark()], room.path());
        assert_eq!((score(&mut next), next.decoded()), (expected.clone(), decoded));
    }
}

#[test]
fn a_grid_costs_the_sum_of_its_sides() {
    let room = tempfile::tempdir().unwrap();
    let benchmark = classes(
        (0..4)
            .map(|i| {
                let path = room.path().join(format!("{i}.png"));
                picture(&path, i);
                ImageRef::File { path, crop: None }
            })
            .collect(),
    );
    let mut grid = workload(vec![benchmark], room.path());
    let line = [0.0, 0.5, 1.0].map(|a| Alpha::new(a).unwrap());
    let all: Vec<AlphaMap> = line.iter().flat_map(|i| line.iter().map(|t| AlphaMap::towers(*i, *t))).collect();
    assert_eq!(grid.missing(&all), (6, 6), "one unit of images and one of texts at three alphas each");
    grid.score(all[1], &[true], &mut |_| true).unwrap().unwrap();
    assert_eq!(grid.missing(&all), (4, 6));
    for alpha in &all {
        grid.score(*alpha, &[true], &mut |_| true).unwrap().unwrap();
    }
    assert_eq!(grid.missing(&all), (0, 6));
    let mut asked = 0;
    let stopped = grid.score(all[0], &[true], &mut |_| {
        asked += 1;
        asked < 2
    });
    assert!(stopped.unwrap().is_none() && asked == 2, "asked before every batch");
    grid.forget(&all);
    assert_eq!(grid.missing(&all), (6, 6));
}
