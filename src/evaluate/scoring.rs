//! Scoring benchmarks at one alpha, a slice at a time.
//!
//! Scores are pure functions of embeddings, and an embedding depends on its own tower's alpha alone: moving one tower
//! keeps everything that the other has embedded.

mod order;
mod prompts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

pub use order::Order;

use super::corpus::Corpus;
use super::encoder::Encoder;
use super::pixels::Pixels;
use super::similarity::cosine;
use crate::benchmark::{Benchmark, Cell, Direction, Items, Outcome, Score, scores};
use crate::patch::{Alpha, AlphaMap};

/// Embeddings of one tower at one alpha; empty vectors are not made yet.
struct Embedded {
    alpha: Alpha,
    vectors: Vec<Vec<f32>>,
}

/// What the text tower made: captions, and classes per benchmark.
struct TextSide {
    texts: Embedded,
    classes: Vec<Vec<Vec<f32>>>,
}

impl TextSide {
    fn empty(alpha: Alpha, n_texts: usize, n_benchmarks: usize) -> Self {
        Self { texts: Embedded { alpha, vectors: vec![Vec::new(); n_texts] }, classes: vec![Vec::new(); n_benchmarks] }
    }
}

/// What one step has done.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Images that were visited.
    pub images: usize,
    /// What there was to embed, in images: nothing where all of it was embedded before.
    pub work: f64,
}

/// Images to visit next.
struct Affordable {
    /// Behind the last of them.
    end: usize,
    /// What there is to embed, in images.
    work: f64,
    /// Texts among it.
    texts: BTreeSet<usize>,
}

/// Corpus texts that hang on an example. Class prompts do not: they come before the first image.
fn texts_of(benchmarks: &[Benchmark], corpus: &Corpus, (b, e): (usize, usize)) -> Vec<usize> {
    let texts = &corpus.places[b].texts;
    match &benchmarks[b].items {
        Items::Choices(_) | Items::Duels(_) => texts[e].clone(),
        Items::Retrieval(retrieval) => retrieval.captions_of(e).flat_map(|caption| &texts[caption]).copied().collect(),
        Items::Classes { .. } => Vec::new(),
    }
}

/// The work of scoring some benchmarks at one alpha, and what it has found so far.
pub struct Scoring {
    alpha: AlphaMap,
    images: Embedded,
    texts: TextSide,
    /// Text sides of other alphas, when they are kept.
    kept_texts: Option<BTreeMap<Alpha, TextSide>>,
    outcomes: Arc<Vec<Vec<Option<Outcome>>>>,
    unreadable: Vec<Vec<(String, String)>>,
    /// Why corpus images have no embedding.
    broken: BTreeMap<usize, String>,
    /// Class prompts embedded at this alpha.
    prompts: usize,
    next: usize,
    order: Arc<Order>,
}

impl Scoring {
    /// Nothing embedded yet.
    pub fn new(benchmarks: &[Benchmark], corpus: &Corpus, order: Arc<Order>, alpha: AlphaMap) -> Self {
        Self {
            alpha,
            images: Embedded { alpha: alpha.image(), vectors: vec![Vec::new(); corpus.images.len()] },
            texts: TextSide::empty(alpha.text(), corpus.texts.len(), benchmarks.len()),
            kept_texts: None,
            outcomes: Arc::new(benchmarks.iter().map(|b| vec![None; b.len()]).collect()),
            unreadable: vec![Vec::new(); benchmarks.len()],
            broken: BTreeMap::new(),
            prompts: 0,
            next: 0,
            order,
        }
    }

    /// Starts again at another alpha, keeping the embeddings of a tower that stays.
    pub fn restart(&mut self, alpha: AlphaMap) {
        if self.images.alpha != alpha.image() {
            self.images.alpha = alpha.image();
            self.images.vectors.iter_mut().for_each(Vec::clear);
        }
        if self.texts.texts.alpha != alpha.text() {
            let fresh = TextSide::empty(alpha.text(), self.texts.texts.vectors.len(), self.texts.classes.len());
            let kept = self.kept_texts.as_mut().and_then(|kept| kept.remove(&alpha.text()));
            let before = std::mem::replace(&mut self.texts, kept.unwrap_or(fresh));
            if let Some(kept) = &mut self.kept_texts {
                kept.insert(before.texts.alpha, before);
            }
        }
        self.outcomes = Arc::new(self.outcomes.iter().map(|o| vec![None; o.len()]).collect());
        self.unreadable.iter_mut().for_each(Vec::clear);
        self.broken.clear();
        self.prompts = 0;
        self.next = 0;
        self.alpha = alpha;
    }

    /// The same over other images and examples.
    pub fn restart_over(&mut self, alpha: AlphaMap, order: Arc<Order>) {
        self.order = order;
        self.restart(alpha);
    }

    /// Embeddings at this alpha by corpus image and corpus text, empty where not made yet. What is put there is not
    /// embedded again.
    pub fn embeddings(&mut self) -> (&mut [Vec<f32>], &mut [Vec<f32>]) {
        (&mut self.images.vectors, &mut self.texts.texts.vectors)
    }

    /// From now on keeps what the text tower made at every alpha, so that a grid costs the sum of its sides.
    pub fn keep_texts(&mut self) {
        self.kept_texts.get_or_insert_default();
    }

    /// The alpha that is being scored.
    pub fn alpha(&self) -> AlphaMap {
        self.alpha
    }

    /// Whether every image has been visited and every query judged.
    pub fn is_done(&self) -> bool {
        self.next >= self.order.images.len() + self.order.queries.len()
    }

    /// Embedded prompts, visited images and judged queries over all.
    pub fn share(&self) -> f64 {
        let (prompts, all_prompts) = self.prompt_work();
        let all = all_prompts + (self.order.images.len() + self.order.queries.len()) as f64;
        if all == 0.0 { 1.0 } else { (prompts + self.next as f64) / all }
    }

    /// Outcomes so far, per benchmark and example.
    pub fn outcomes(&self) -> &Arc<Vec<Vec<Option<Outcome>>>> {
        &self.outcomes
    }

    /// Rows of scores per benchmark over what has been judged so far.
    pub fn scores(&self, benchmarks: &[Benchmark]) -> Vec<Vec<Score>> {
        let rows = benchmarks.iter().zip(self.outcomes.iter()).zip(&self.unreadable);
        rows.map(|((benchmark, outcomes), unreadable)| scores(benchmark, outcomes, unreadable.len())).collect()
    }

    /// Images that could not be read, per benchmark: (image, reason).
    pub fn unreadable(&self) -> &[Vec<(String, String)>] {
        &self.unreadable
    }

    /// Embeds and judges the next images with everything that hangs on them, at most `n` and about the work of `n` images
    /// alone; before the first image class prompts, as much work.
    pub fn step(
        &mut self,
        encoder: &mut Encoder,
        benchmarks: &[Benchmark],
        corpus: &Corpus,
        pixels: &mut Pixels,
        n: usize,
    ) -> candle_core::Result<Step> {
        encoder.set(self.alpha)?;
        if let Some(step) = self.embed_prompts(encoder, corpus, n)? {
            return Ok(step);
        }
        let mut step = Step { images: 0, work: 0.0 };
        let order = Arc::clone(&self.order);
        let n_images = order.images.len();
        let due: Vec<(usize, usize)> = if let Some(rest) = self.next.checked_sub(n_images) {
            let end = (rest + n).min(order.queries.len());
            self.next = n_images + end;
            order.queries[rest..end].to_vec()
        } else {
            let affordable = self.affordable(encoder, benchmarks, corpus, n);
            let visited = &order.images[self.next..affordable.end];
            step = Step { images: visited.len(), work: affordable.work };
            self.next = affordable.end;
            self.embed_images(encoder, corpus, pixels, visited)?;
            self.embed_rows(encoder, corpus, affordable.texts)?;
            let hanging = visited.iter().flat_map(|i| order.examples[*i].iter().copied());
            let alone = |(b, _): &(usize, usize)| !matches!(benchmarks[*b].items, Items::Retrieval(_));
            hanging.filter(alone).collect()
        };
        let judged: Vec<Option<Outcome>> =
            due.par_iter().map(|(b, e)| self.judge(&benchmarks[*b], corpus, *b, *e)).collect();
        let outcomes = Arc::make_mut(&mut self.outcomes);
        for ((b, e), outcome) in due.iter().zip(&judged) {
            outcomes[*b][*e] = *outcome;
        }
        for ((b, e), _) in due.into_iter().zip(&judged).filter(|(_, outcome)| outcome.is_none()) {
            self.note_unreadable(&benchmarks[b], corpus, b, e);
        }
        Ok(step)
    }

    /// The next images that together take about the work of `n`: at least one, at most `n`.
    fn affordable(&self, encoder: &Encoder, benchmarks: &[Benchmark], corpus: &Corpus, n: usize) -> Affordable {
        let mut so_far = Affordable { end: self.next, work: 0.0, texts: BTreeSet::new() };
        let most = (self.next + n.max(1)).min(self.order.images.len());
        while so_far.end < most {
            let image = self.order.images[so_far.end];
            let examples = self.order.examples[image].iter();
            let own: BTreeSet<usize> = examples
                .flat_map(|(b, e)| texts_of(benchmarks, corpus, (*b, *e)))
                .filter(|t| self.is_missing(*t) && !so_far.texts.contains(t))
                .collect();
            let of_texts: f64 = own.iter().map(|t| encoder.text_work(corpus.texts[*t].len())).sum();
            let of_image = if self.images.vectors[image].is_empty() { 1.0 } else { 0.0 };
            let work = so_far.work + of_image + of_texts / encoder.image_work();
            if so_far.end > self.next && work > n as f64 {
                break;
            }
            so_far.texts.extend(own);
            (so_far.end, so_far.work) = (so_far.end + 1, work);
        }
        so_far
    }

    /// Embeds one example's image and texts ahead of their turn, and returns its similarities in file order; `None`
    /// when its image cannot be read, or when it needs the prompts of many classes first. What it embeds is not embedded again.
    pub fn visit(
        &mut self,
        encoder: &mut Encoder,
        benchmarks: &[Benchmark],
        corpus: &Corpus,
        pixels: &mut Pixels,
        (b, example): (usize, usize),
    ) -> candle_core::Result<Option<Vec<f32>>> {
        encoder.set(self.alpha)?;
        let is_class = matches!(benchmarks[b].items, Items::Classes { .. });
        if is_class && !self.has_classes(encoder, corpus, b)? {
            return Ok(None);
        }
        for image in benchmarks[b].images_of(example).into_iter().map(|image| corpus.places[b].images[image]) {
            if self.images.vectors[image].is_empty() {
                match pixels.get(corpus, &[image]).pop() {
                    Some(Ok(bytes)) => {
                        self.images.vectors[image] = encoder.images(&[bytes.as_ref()])?.pop().unwrap_or_default();
                    }
                    _ => return Ok(None),
                }
            }
        }
        let texts = texts_of(benchmarks, corpus, (b, example)).into_iter();
        let missing: BTreeSet<usize> = texts.filter(|t| self.is_missing(*t)).collect();
        self.embed_rows(encoder, corpus, missing)?;
        Ok(self.similarities(&benchmarks[b], corpus, b, example))
    }

    fn embed_images(
        &mut self,
        encoder: &Encoder,
        corpus: &Corpus,
        pixels: &mut Pixels,
        visited: &[usize],
    ) -> candle_core::Result<()> {
        let missing: Vec<usize> = visited.iter().copied().filter(|i| self.images.vectors[*i].is_empty()).collect();
        let mut readable = Vec::new();
        let mut bytes = Vec::new();
        for (image, loaded) in missing.iter().zip(pixels.get(corpus, &missing)) {
            match loaded {
                Ok(loaded) => {
                    readable.push(*image);
                    bytes.push(loaded);
                }
                Err(reason) => {
                    self.broken.insert(*image, reason);
                }
            }
        }
        let rows: Vec<&[u8]> = bytes.iter().map(AsRef::as_ref).collect();
        for (image, vector) in readable.into_iter().zip(encoder.images(&rows)?) {
            self.images.vectors[image] = vector;
        }
        Ok(())
    }

    /// Names an example that has no verdict by its image that cannot be read.
    fn note_unreadable(&mut self, benchmark: &Benchmark, corpus: &Corpus, b: usize, e: usize) {
        let mut shown = benchmark.images_of(e).into_iter().map(|image| corpus.places[b].images[image]);
        let broken = shown.find_map(|image| self.broken.get(&image).map(|reason| (image, reason)));
        if let Some((image, reason)) = broken {
            let name = corpus.images[image].name();
            self.unreadable[b].push((format!("{} example {e} ({name})", benchmark.label()), reason.clone()));
        }
    }

    /// Whether a text is not embedded at this alpha.
    fn is_missing(&self, text: usize) -> bool {
        self.texts.texts.vectors[text].is_empty()
    }

    /// Embeds distinct texts, in ascending order: equal sets make equal batches.
    fn embed_rows(&mut self, encoder: &Encoder, corpus: &Corpus, texts: BTreeSet<usize>) -> candle_core::Result<()> {
        let rows: Vec<&[u32]> = texts.iter().map(|t| corpus.texts[*t].as_slice()).collect();
        for (text, vector) in texts.into_iter().zip(encoder.texts(&rows)?) {
            self.texts.texts.vectors[text] = vector;
        }
        Ok(())
    }

    /// Similarities of an example's options, in the order that [`Benchmark::judge`] expects; `None` when an image could
    /// not be read, or when images or texts are not embedded at this alpha. An image that could not be read is no answer
    /// to a caption (−1, the least a cosine can be).
    pub fn similarities(&self, benchmark: &Benchmark, corpus: &Corpus, b: usize, example: usize) -> Option<Vec<f32>> {
        let places = &corpus.places[b];
        let image = |i: usize| Some(&self.images.vectors[places.images[i]]).filter(|v| !v.is_empty());
        let text = |t: usize| Some(&self.texts.texts.vectors[t]).filter(|v| !v.is_empty());
        let similar = |a: Option<&Vec<f32>>, b: Option<&Vec<f32>>| Some(cosine(a?, b?));
        match &benchmark.items {
            Items::Choices(choices) => {
                let own = image(choices[example].image);
                places.texts[example].iter().map(|t| similar(own, text(*t))).collect()
            }
            Items::Classes { .. } => {
                let own = image(example)?;
                let classes = &self.texts.classes[b];
                (!classes.is_empty()).then(|| classes.iter().map(|class| cosine(own, class)).collect())
            }
            Items::Duels(duels) => {
                let (duel, texts) = (&duels[example], &places.texts[example]);
                let cell = |cell| match cell {
                    Cell::Image(i, c) => similar(image(duel.images[i]), text(texts[c])),
                    Cell::Texts(first, second) => similar(text(texts[first]), text(texts[second])),
                };
                duel.cells().map(cell).collect()
            }
            Items::Retrieval(retrieval) if self.next >= self.order.images.len() => match retrieval.direction {
                Direction::ImageToText => {
                    let own = image(example);
                    places.texts.iter().map(|t| similar(own, text(*t.first()?))).collect()
                }
                Direction::TextToImage => {
                    let own = text(*places.texts[example].first()?)?;
                    image(retrieval.image_of[example])?;
                    let answers = (0..places.images.len()).map(|i| image(i).map_or(-1.0, |v| cosine(own, v)));
                    Some(answers.collect())
                }
            },
            Items::Retrieval(_) => None,
        }
    }

    fn judge(&self, benchmark: &Benchmark, corpus: &Corpus, b: usize, example: usize) -> Option<Outcome> {
        Some(benchmark.judge(example, &self.similarities(benchmark, corpus, b, example)?))
    }
}
