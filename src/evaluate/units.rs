//! The units of work of a sweep: some items through one tower at that tower's alpha.
//!
//! Which items make a unit depends on the benchmarks alone, and the batches within a unit on the unit alone: whoever
//! computes it, in whatever order, and after whatever interruption, gets the same vectors to the bit (on one kind of
//! processor with one number of threads).

use std::collections::BTreeMap;

use super::corpus::Corpus;
use super::pixels::Pixels;
use crate::patch::Alpha;
use crate::store::digest;

/// Images of a unit: one segment of the cache of pixels.
const IMAGES: usize = 128;
/// Texts of a unit.
const TEXTS: usize = 512;

/// One of the two towers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Images.
    Image,
    /// Texts.
    Text,
}

/// All units of a corpus, images first.
pub struct Units {
    /// Corpus images or texts of each unit. Of images with equal content the first stands for all.
    items: Vec<(Side, Vec<usize>)>,
    /// The other images with the content of one.
    copies: BTreeMap<usize, Vec<usize>>,
    keys: Vec<String>,
}

impl Units {
    /// Cuts a corpus into units. Texts of similar length go together.
    pub fn new(corpus: &Corpus, pixels: &Pixels) -> Self {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        let mut copies: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut images = Vec::new();
        for image in 0..corpus.images.len() {
            match pixels.key(image).map(|key| *first.entry(key).or_insert(image)) {
                Some(first) if first != image => copies.entry(first).or_default().push(image),
                _ => images.push(image),
            }
        }
        let mut texts: Vec<usize> = (0..corpus.texts.len()).collect();
        texts.sort_by_key(|text| (corpus.texts[*text].len(), *text));
        let images = images.chunks(IMAGES).map(|items| (Side::Image, items.to_vec()));
        let units: Vec<_> = images.chain(texts.chunks(TEXTS).map(|items| (Side::Text, items.to_vec()))).collect();
        let keys = units.iter().map(|(side, items)| content(*side, items, corpus, pixels)).collect();
        Self { items: units, copies, keys }
    }

    /// Number of units.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Tower and items of one.
    pub fn get(&self, unit: usize) -> (Side, &[usize]) {
        let (side, items) = &self.items[unit];
        (*side, items)
    }

    /// The images that have the content of this one.
    pub fn copies(&self, image: usize) -> &[usize] {
        self.copies.get(&image).map_or(&[], Vec::as_slice)
    }

    /// The name of a unit's embeddings under `model` at its tower's alpha.
    pub fn key(&self, unit: usize, model: &str, alpha: Alpha) -> String {
        let alpha = alpha.get().to_bits().to_le_bytes();
        digest([b"unit 1".as_slice(), model.as_bytes(), &alpha, self.keys[unit].as_bytes()])[..32].to_owned()
    }
}

/// Hash of what a unit's items are.
fn content(side: Side, items: &[usize], corpus: &Corpus, pixels: &Pixels) -> String {
    match side {
        Side::Image => digest(items.iter().map(|image| pixels.key(*image).unwrap_or_default().as_bytes())),
        Side::Text => {
            let rows = items.iter().map(|text| corpus.texts[*text].iter().flat_map(|id| id.to_le_bytes()).collect());
            digest(rows.collect::<Vec<Vec<u8>>>().iter().map(Vec::as_slice))
        }
    }
}
