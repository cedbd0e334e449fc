//! Benchmarks and a pair, scored alpha by alpha in units that can be stored, shared out and taken up again.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;

use super::content;
use super::corpus::Corpus;
use super::encoder::{Encoder, EncoderError};
use super::pixels::Pixels;
use super::scoring::{Order, Scoring};
use super::units::{Side, Units};
use crate::benchmark::{Benchmark, Items, Score};
use crate::patch::{Alpha, AlphaMap, Pair};
use crate::store::pixels::PixelCache;
use crate::store::results::{Identity, PerExample, Unreadable};
use crate::store::{Embeddings, StoreError};

/// Images judged at a time.
const JUDGED_AT_ONCE: usize = 4096;

/// Why a workload stops short.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// The pair cannot be run.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// A tensor operation failed, for instance for want of memory on the device.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The disk refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a workload keeps what outlives an alpha, or the process.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// Root of the cache of pixels, and the bytes that it may hold; without one nothing is kept.
    pub pixels: Option<(&'a Path, u64)>,
    /// Root of the embeddings; without one an interrupted alpha starts again.
    pub embeddings: Option<&'a Path>,
}

/// What one benchmark gave at one alpha.
#[derive(Clone, Debug)]
pub struct Found {
    /// The published metric first.
    pub scores: Vec<Score>,
    /// Verdicts and similarities.
    pub per_example: PerExample,
}

/// Some benchmarks, a pair, and what both need once.
pub struct Workload {
    benchmarks: Vec<Benchmark>,
    encoder: Encoder,
    corpus: Corpus,
    pixels: Pixels,
    units: Units,
    scoring: Scoring,
    embeddings: Option<Embeddings>,
    model: String,
    data: Vec<String>,
}

impl Workload {
    /// Puts the pair on its device and finds out what every image is.
    ///
    /// # Errors
    /// See [`WorkloadError`].
    pub fn new(
        benchmarks: Vec<Benchmark>,
        pair: &Pair,
        device: &Device,
        places: Places<'_>,
    ) -> Result<Self, WorkloadError> {
        let encoder = Encoder::new(pair, device)?;
        let corpus = Corpus::new(&benchmarks, encoder.tokenizer());
        let size = encoder.architecture().image_size;
        let pixels = match places.pixels {
            Some((root, limit)) => Pixels::cached(&corpus, size, PixelCache::open(root, size, limit)?),
            None => Pixels::new(corpus.images.len(), size, 0),
        };
        let units = Units::new(&corpus, &pixels);
        let order = Arc::new(Order::new(&benchmarks, &corpus));
        let scoring = Scoring::new(&benchmarks, &corpus, order, AlphaMap::BASE);
        let data = benchmarks.iter().zip(&corpus.places).map(|(benchmark, of)| {
            content::benchmark(benchmark, of.images.iter().map(|image| pixels.key(*image).unwrap_or_default()))
        });
        let (data, model) = (data.collect(), content::model(pair));
        let embeddings = places.embeddings.map(Embeddings::below);
        Ok(Self { benchmarks, encoder, corpus, pixels, units, scoring, embeddings, model, data })
    }

    /// What is scored.
    pub fn benchmarks(&self) -> &[Benchmark] {
        &self.benchmarks
    }

    /// Corpus texts of each benchmark, per example, class or caption: equal numbers are equal token ids.
    pub fn texts(&self) -> impl Iterator<Item = &[Vec<usize>]> {
        self.corpus.places.iter().map(|places| places.texts.as_slice())
    }

    /// Images decoded (or drawn) so far.
    pub fn decoded(&self) -> usize {
        self.pixels.decoded()
    }

    /// What a benchmark's result at an alpha depends on. Meaningless without a cache of pixels, which knows the content
    /// of images.
    pub fn identity(&self, benchmark: usize, alpha: AlphaMap) -> Identity<'_> {
        Identity { model: &self.model, alpha, data: &self.data[benchmark] }
    }

    /// Where the embeddings are not stored, keeps those of texts in memory, so that a grid costs the sum of its sides.
    pub fn keep_texts(&mut self) {
        if self.embeddings.is_none() {
            self.scoring.keep_texts();
        }
    }

    /// Scores the `wanted` benchmarks at one alpha: `None` for the others, and for all when `go_on`, which hears the
    /// share done before every batch, says no. What was embedded until then is stored, where there is a place for it.
    ///
    /// # Errors
    /// See [`WorkloadError`].
    pub fn score(
        &mut self,
        alpha: AlphaMap,
        wanted: &[bool],
        go_on: &mut dyn FnMut(f64) -> bool,
    ) -> Result<Option<Vec<Option<Found>>>, WorkloadError> {
        let order = Order::over(&self.benchmarks, &self.corpus, wanted);
        self.scoring.restart_over(alpha, Arc::new(order));
        let due = self.due(wanted);
        let whole: f64 = due.iter().map(|unit| self.cost(*unit)).sum();
        let mut done = 0.0;
        for unit in due {
            if !self.is_kept(unit) {
                let vectors = self.embed(unit, alpha, &mut || go_on(done / whole))?;
                let Some(vectors) = vectors else { return Ok(None) };
                self.fill(unit, vectors);
            }
            done += self.cost(unit);
        }
        self.pixels.flush();
        while !self.scoring.is_done() {
            let (encoder, pixels) = (&mut self.encoder, &mut self.pixels);
            self.scoring.step(encoder, &self.benchmarks, &self.corpus, pixels, JUDGED_AT_ONCE)?;
        }
        Ok(Some((0..wanted.len()).map(|b| wanted[b].then(|| self.found(b))).collect()))
    }

    /// Units with an item that a wanted benchmark needs.
    fn due(&self, wanted: &[bool]) -> Vec<usize> {
        let (mut images, mut texts) = (vec![false; self.corpus.images.len()], vec![false; self.corpus.texts.len()]);
        for (places, _) in self.corpus.places.iter().zip(wanted).filter(|(_, wanted)| **wanted) {
            places.images.iter().for_each(|image| images[*image] = true);
            places.texts.iter().flatten().for_each(|text| texts[*text] = true);
        }
        let is_due = |unit: &usize| match self.units.get(*unit) {
            (Side::Image, items) => {
                items.iter().any(|i| images[*i] || self.units.copies(*i).iter().any(|copy| images[*copy]))
            }
            (Side::Text, items) => items.iter().any(|text| texts[*text]),
        };
        (0..self.units.len()).filter(is_due).collect()
    }

    /// Multiplications of a unit, roughly: for the time left.
    fn cost(&self, unit: usize) -> f64 {
        match self.units.get(unit) {
            (Side::Image, items) => items.len() as f64 * self.encoder.image_work(),
            (Side::Text, items) => items.iter().map(|t| self.encoder.text_work(self.corpus.texts[*t].len())).sum(),
        }
    }

    fn alpha_of(&self, unit: usize, alpha: AlphaMap) -> Alpha {
        match self.units.get(unit).0 {
            Side::Image => alpha.image(),
            Side::Text => alpha.text(),
        }
    }

    /// A unit's vectors in the order of its items, empty for images that cannot be read: from the store, or made and
    /// stored; `None` when `go_on`, asked before every batch, said no.
    fn embed(
        &mut self,
        unit: usize,
        alpha: AlphaMap,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<Vec<f32>>>, WorkloadError> {
        if !go_on() {
            self.pixels.flush();
            return Ok(None);
        }
        let key = self.units.key(unit, &self.model, self.alpha_of(unit, alpha));
        let n = self.units.get(unit).1.len();
        if let Some(stored) = self.embeddings.as_ref().and_then(|store| store.read(&key, n)) {
            return Ok(Some(stored));
        }
        let Some(vectors) = self.make(unit, alpha, go_on)? else {
            self.pixels.flush();
            return Ok(None);
        };
        if let Some(store) = &self.embeddings {
            store.write(&key, &vectors, self.encoder.architecture().embed_dim)?;
        }
        Ok(Some(vectors))
    }

    /// Whether a unit is in memory, because its tower has not moved since. Units are filled whole; only images that
    /// cannot be read stay empty.
    fn is_kept(&mut self, unit: usize) -> bool {
        let (side, items) = self.units.get(unit);
        let (images, texts) = self.scoring.embeddings();
        let vectors = if side == Side::Image { images } else { texts };
        items.iter().any(|item| !vectors[*item].is_empty())
    }

    fn make(
        &mut self,
        unit: usize,
        alpha: AlphaMap,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<Vec<f32>>>, WorkloadError> {
        // The other tower stays where it is: moving it would cost a blend.
        let at = self.encoder.alpha();
        let (side, items) = self.units.get(unit);
        if side == Side::Text {
            self.encoder.set(AlphaMap::towers(at.image(), alpha.text()))?;
            let rows: Vec<&[u32]> = items.iter().map(|text| self.corpus.texts[*text].as_slice()).collect();
            return Ok(Some(self.encoder.texts(&rows)?));
        }
        self.encoder.set(AlphaMap::towers(alpha.image(), at.text()))?;
        let loaded = self.pixels.get(&self.corpus, items);
        let readable: Vec<&[u8]> = loaded.iter().flatten().map(AsRef::as_ref).collect();
        let mut vectors = Vec::with_capacity(readable.len());
        for (i, batch) in readable.chunks(self.encoder.images_at_once()).enumerate() {
            if i > 0 && !go_on() {
                return Ok(None);
            }
            vectors.extend(self.encoder.images(batch)?);
        }
        let mut vectors = vectors.into_iter();
        let in_order = loaded.iter().map(|loaded| if loaded.is_ok() { vectors.next() } else { None });
        Ok(Some(in_order.map(Option::unwrap_or_default).collect()))
    }

    fn fill(&mut self, unit: usize, vectors: Vec<Vec<f32>>) {
        let (side, items) = self.units.get(unit);
        let (images, texts) = self.scoring.embeddings();
        for (item, vector) in items.iter().zip(vectors) {
            if side == Side::Image {
                self.units.copies(*item).iter().for_each(|copy| images[*copy].clone_from(&vector));
                images[*item] = vector;
            } else {
                texts[*item] = vector;
            }
        }
    }

    fn found(&self, b: usize) -> Found {
        let benchmark = &self.benchmarks[b];
        let mut per_example = PerExample::new();
        for (example, outcome) in self.scoring.outcomes()[b].iter().enumerate() {
            let similarities = self.scoring.similarities(benchmark, &self.corpus, b, example).unwrap_or_default();
            per_example.push(*outcome, &similarities, right(benchmark, example));
        }
        let unreadable = self.scoring.unreadable()[b].iter().cloned();
        per_example.unreadable = unreadable.map(|(item, reason)| Unreadable { item, reason }).collect();
        Found { scores: benchmark_scores(benchmark, &per_example), per_example }
    }

    /// Embeds and stores every `n`th unit from the `k`th (from 0) at each alpha; the count of units done, or `None` when
    /// `go_on` said no.
    ///
    /// # Errors
    /// See [`WorkloadError`].
    pub fn embed_shard(
        &mut self,
        alphas: &[AlphaMap],
        (k, n): (usize, usize),
        go_on: &mut dyn FnMut(f64) -> bool,
    ) -> Result<Option<usize>, WorkloadError> {
        let is_mine = |(unit, alpha): &(usize, AlphaMap)| unit % n == k && self.is_missing(*unit, *alpha);
        let work: Vec<(usize, AlphaMap)> = self.work(alphas).into_iter().filter(is_mine).collect();
        let whole: f64 = work.iter().map(|(unit, _)| self.cost(*unit)).sum();
        let (mut done, total) = (0.0, work.len());
        for (unit, alpha) in work {
            if self.embed(unit, alpha, &mut || go_on(done / whole))?.is_none() {
                return Ok(None);
            }
            done += self.cost(unit);
        }
        self.pixels.flush();
        Ok(Some(total))
    }

    /// Every unit at every alpha of its tower, once.
    fn work(&self, alphas: &[AlphaMap]) -> Vec<(usize, AlphaMap)> {
        let mut work = Vec::new();
        let (mut images, mut texts) = (Vec::new(), Vec::new());
        for alpha in alphas {
            let is_new = |seen: &mut Vec<Alpha>, alpha: Alpha| {
                let is_new = !seen.contains(&alpha);
                seen.push(alpha);
                is_new
            };
            let (image, text) = (is_new(&mut images, alpha.image()), is_new(&mut texts, alpha.text()));
            let units = (0..self.units.len()).filter(|unit| match self.units.get(*unit).0 {
                Side::Image => image,
                Side::Text => text,
            });
            work.extend(units.map(|unit| (unit, *alpha)));
        }
        work
    }

    fn is_missing(&self, unit: usize, alpha: AlphaMap) -> bool {
        let key = self.units.key(unit, &self.model, self.alpha_of(unit, alpha));
        !self.embeddings.as_ref().is_some_and(|store| store.has(&key))
    }

    /// Units at these alphas that are not stored yet, and all units.
    pub fn missing(&self, alphas: &[AlphaMap]) -> (usize, usize) {
        let work = self.work(alphas);
        (work.iter().filter(|(unit, alpha)| self.is_missing(*unit, *alpha)).count(), work.len())
    }

    /// Removes the stored units at these alphas: their scores are stored.
    pub fn forget(&self, alphas: &[AlphaMap]) {
        let Some(store) = &self.embeddings else { return };
        for (unit, alpha) in self.work(alphas) {
            store.remove(&self.units.key(unit, &self.model, self.alpha_of(unit, alpha)));
        }
    }
}

/// The scores of stored examples: the same as when they were computed.
pub fn benchmark_scores(benchmark: &Benchmark, per_example: &PerExample) -> Vec<Score> {
    crate::benchmark::scores(benchmark, &per_example.outcomes, per_example.unreadable.len())
}

/// The option that is kept of many whatever its similarity; none where several are right.
fn right(benchmark: &Benchmark, example: usize) -> Option<usize> {
    if let Items::Choices(choices) = &benchmark.items {
        return choices.get(example).map(|choice| choice.right);
    }
    if let Items::Classes { labels, .. } = &benchmark.items {
        return labels.get(example).copied();
    }
    None
}
