//! The order of the work of scoring.

use crate::benchmark::{Benchmark, Items};
use crate::evaluate::corpus::Corpus;

/// In which order images are visited, and what hangs on each: a spread over all benchmarks, so that early scores are
/// fair samples of the final ones.
pub struct Order {
    pub(super) images: Vec<usize>,
    /// Per corpus image: (benchmark, example), each example once, at the last visited of its images.
    pub(super) examples: Vec<Vec<(usize, usize)>>,
    /// Retrieval: every query competes with all others, so these are judged after the last image.
    pub(super) queries: Vec<(usize, usize)>,
    /// Benchmarks of classes: every image needs all of their prompts, so those come before the first image.
    pub(super) classes: Vec<usize>,
    /// Prompts of these.
    pub(super) prompts: usize,
    total: usize,
}

impl Order {
    /// Interleaves the benchmarks' images by a fixed stride.
    pub fn new(benchmarks: &[Benchmark], corpus: &Corpus) -> Self {
        Self::over(benchmarks, corpus, &vec![true; benchmarks.len()])
    }

    /// The same for the `wanted` benchmarks alone; the others' examples are not visited.
    pub fn over(benchmarks: &[Benchmark], corpus: &Corpus, wanted: &[bool]) -> Self {
        let mut used = vec![false; corpus.images.len()];
        let shown = corpus.places.iter().zip(wanted).filter(|(_, wanted)| **wanted);
        shown.flat_map(|(places, _)| &places.images).for_each(|image| used[*image] = true);
        // Fractions of the golden ratio spread any prefix evenly over the whole list (Weyl's sequence).
        let mut images: Vec<usize> = (0..corpus.images.len()).filter(|i| used[*i]).collect();
        images.sort_by(|a, b| spread(*a).total_cmp(&spread(*b)));
        let mut turn = vec![0; corpus.images.len()];
        images.iter().enumerate().for_each(|(i, image)| turn[*image] = i);

        let mut examples = vec![Vec::new(); corpus.images.len()];
        let (mut queries, mut classes, mut prompts, mut total) = (Vec::new(), Vec::new(), 0, 0);
        for (b, (benchmark, places)) in benchmarks.iter().zip(&corpus.places).enumerate() {
            if !wanted[b] {
                continue;
            }
            total += benchmark.len();
            if matches!(benchmark.items, Items::Classes { .. }) {
                classes.push(b);
                prompts += places.texts.iter().map(Vec::len).sum::<usize>();
            }
            for example in 0..benchmark.len() {
                let shown = benchmark.images_of(example).into_iter().map(|image| places.images[image]);
                // Examples without an image compare captions alone; they may come with any image.
                if let Some(last) = shown.max_by_key(|image| turn[*image]).or(images.first().copied()) {
                    examples[last].push((b, example));
                }
                if matches!(benchmark.items, Items::Retrieval(_)) {
                    queries.push((b, example));
                }
            }
        }
        Self { images, examples, queries, classes, prompts, total }
    }

    /// Examples in all benchmarks.
    pub fn total(&self) -> usize {
        self.total
    }
}

fn spread(i: usize) -> f64 {
    (i as f64 * 0.618_033_988_749_894_9).fract()
}
