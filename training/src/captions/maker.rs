//! One visit: bytes to a sample that a model can take.

use super::chance::{Purpose, stream};
use super::crop::{Chance, crop_box};
use super::fault::{Fault, FaultKind};
use super::plan::Visit;
use super::shard::Raw;
use super::source::{DecodeError, Prepare, SourceError};
use crate::batches::Sample;
use crate::negatives::chance::shuffle;
use crate::negatives::{Generator, Style};
use crate::recipe::{NegativeSource, Recipe};
use rand_chacha::rand_core::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A sample, and how many of its negatives were dropped because they read as the caption.
pub(super) struct Made {
    pub sample: Sample,
    pub equal_negatives: u64,
}

/// Makes samples; shared by the workers.
pub(super) struct Maker {
    prepare: Arc<dyn Prepare + Send + Sync>,
    seed: u64,
    crop: [f64; 2],
    negatives: Negatives,
    per_caption: usize,
}

enum Negatives {
    None,
    Given,
    Written { generator: Box<Generator>, style: Style, seed: u64 },
}

impl Maker {
    pub fn new(recipe: &Recipe, prepare: Arc<dyn Prepare + Send + Sync>) -> Result<Self, SourceError> {
        let written = |style| -> Result<Negatives, SourceError> {
            let generator = Generator::new().map_err(|error| SourceError::Workers(error.to_string()))?;
            // Another seed than the crops': the generator numbers its streams by visit as well.
            let seed = stream(recipe.seed, Purpose::Generator, 0).next_u64();
            Ok(Negatives::Written { generator: Box::new(generator), style, seed })
        };
        let negatives = match recipe.negatives {
            _ if recipe.negatives_per_caption == 0 => Negatives::None,
            NegativeSource::None => Negatives::None,
            NegativeSource::Given => Negatives::Given,
            NegativeSource::Replace => written(Style::Replace)?,
            NegativeSource::Negclip => written(Style::Negclip)?,
            NegativeSource::Swap => written(Style::Swap)?,
            NegativeSource::Shuffle => written(Style::Shuffle)?,
            NegativeSource::Relation => written(Style::Relation)?,
        };
        let per_caption = recipe.negatives_per_caption;
        Ok(Self { prepare, seed: recipe.seed, crop: recipe.crop, negatives, per_caption })
    }

    /// Reads and prepares a sample. A decoder that panics on a file makes it a broken one.
    pub fn make(&self, visit: &Visit) -> Result<Made, Fault> {
        let raw = visit.shard.read(visit.sample as usize)?;
        catch_unwind(AssertUnwindSafe(|| self.prepared(&raw, visit.number))).unwrap_or_else(|_| {
            Err(Fault::new(FaultKind::BrokenImage, raw.place, "The image cannot be decoded: its decoder gave up"))
        })
    }

    fn prepared(&self, raw: &Raw, visit: u64) -> Result<Made, Fault> {
        let image = self.prepare.decode(&raw.image).map_err(|error| match error {
            DecodeError::TooLarge(reason) => Fault::new(FaultKind::HugeImage, raw.place.clone(), reason),
            DecodeError::Broken(reason) => Fault::new(FaultKind::BrokenImage, raw.place.clone(), reason),
        })?;
        if image.width() == 0 || image.height() == 0 {
            return Err(Fault::new(FaultKind::BrokenImage, raw.place.clone(), "The image has no pixels"));
        }
        let rng = &mut stream(self.seed, Purpose::Crop, visit);
        let crop = crop_box(image.width(), image.height(), &mut Chance { rng, area: self.crop });
        let pixels = self.prepare.image(&image, crop);
        let caption = self.prepare.tokens(&raw.caption);
        let all: Vec<Vec<u32>> = self.negatives(raw, visit).iter().map(|text| self.prepare.tokens(text)).collect();
        let count = all.len();
        let negatives: Vec<Arc<[u32]>> = all.into_iter().filter(|ids| *ids != caption).map(Into::into).collect();
        let equal_negatives = (count - negatives.len()) as u64;
        Ok(Made { sample: Sample { image: pixels.into(), caption: caption.into(), negatives }, equal_negatives })
    }

    fn negatives(&self, raw: &Raw, visit: u64) -> Vec<String> {
        match &self.negatives {
            Negatives::None => Vec::new(),
            Negatives::Given => {
                let mut given = raw.negatives.clone();
                shuffle(&mut stream(self.seed, Purpose::Given, visit), &mut given);
                given.truncate(self.per_caption);
                given
            }
            Negatives::Written { generator, style, seed } => {
                let negatives = generator.negatives(&raw.caption, *style, self.per_caption, *seed, visit);
                negatives.into_iter().map(|negative| negative.caption).collect()
            }
        }
    }
}
