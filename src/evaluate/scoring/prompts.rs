//! Class prompts, embedded in slices before the first image is visited: ImageNet has 80,000 of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Scoring, Step};
use crate::evaluate::corpus::Corpus;
use crate::evaluate::encoder::Encoder;
use crate::evaluate::similarity::cosine;

/// Prompts that take about as long as an image, for the time left.
const PER_IMAGE: usize = 8;
/// Prompts that one example may have embedded ahead of their turn.
const AHEAD: usize = 512;

impl Scoring {
    /// Embeds prompts that are still missing, the work of `n` images, and returns how much of that there was; `None`
    /// when no prompt was missing.
    pub(super) fn embed_prompts(
        &mut self,
        encoder: &Encoder,
        corpus: &Corpus,
        n: usize,
    ) -> candle_core::Result<Option<Step>> {
        let order = Arc::clone(&self.order);
        for b in order.classes.iter().copied().filter(|b| self.texts.classes[*b].is_empty()).collect::<Vec<_>>() {
            let work = |t: &usize| encoder.text_work(corpus.texts[*t].len()) / encoder.image_work();
            let longest = corpus.places[b].texts.iter().flatten().map(work).fold(0.0, f64::max);
            let missing = self.missing_prompts(corpus, b, (n.max(1) as f64 / longest).ceil() as usize);
            if !missing.is_empty() {
                self.prompts += missing.len();
                let work = missing.iter().map(work).sum();
                self.embed_rows(encoder, corpus, missing)?;
                return Ok(Some(Step { images: 0, work }));
            }
            self.classify(corpus, b);
        }
        self.prompts = order.prompts;
        Ok(None)
    }

    /// Whether the classes of a benchmark can be compared with, after embedding the prompts that are missing where they
    /// are few.
    pub(super) fn has_classes(&mut self, encoder: &Encoder, corpus: &Corpus, b: usize) -> candle_core::Result<bool> {
        if self.texts.classes[b].is_empty() {
            let missing = self.missing_prompts(corpus, b, AHEAD + 1);
            if missing.len() > AHEAD {
                return Ok(false);
            }
            self.embed_rows(encoder, corpus, missing)?;
            self.classify(corpus, b);
        }
        Ok(true)
    }

    /// Whether every class can be compared with.
    pub fn has_all_classes(&self) -> bool {
        self.order.classes.iter().all(|b| !self.texts.classes[*b].is_empty())
    }

    /// Work done and in all, in images.
    pub(super) fn prompt_work(&self) -> (f64, f64) {
        let in_images = |prompts: usize| prompts as f64 / PER_IMAGE as f64;
        (in_images(self.prompts.min(self.order.prompts)), in_images(self.order.prompts))
    }

    /// The first `most` texts of a benchmark's prompts that are not embedded, each once.
    fn missing_prompts(&self, corpus: &Corpus, b: usize, most: usize) -> BTreeSet<usize> {
        corpus.places[b].texts.iter().flatten().copied().filter(|t| self.is_missing(*t)).take(most).collect()
    }

    /// The classes of a benchmark whose prompts are all embedded.
    fn classify(&mut self, corpus: &Corpus, b: usize) {
        self.texts.classes[b] = corpus.places[b].texts.iter().map(|prompts| self.class_vector(prompts)).collect();
    }

    /// A class is the normalised mean of its prompts' unit vectors (open_clip `build_zero_shot_classifier`).
    fn class_vector(&self, prompts: &[usize]) -> Vec<f32> {
        let dim = prompts.first().map_or(0, |t| self.texts.texts.vectors[*t].len());
        let mut sum = vec![0.0f32; dim];
        for text in prompts {
            sum.iter_mut().zip(&self.texts.texts.vectors[*text]).for_each(|(s, v)| *s += v);
        }
        let norm = cosine(&sum, &sum).sqrt().max(1e-12);
        sum.into_iter().map(|s| s / norm).collect()
    }
}
