//! What of a recipe concerns the data.

use super::source::SourceError;
use crate::negatives::Style;

/// In which order shards come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// All shards, shuffled, again and again; each sample once per epoch.
    Epochs,
    /// Each shard drawn anew from all.
    Replacement,
}

/// Where hard negatives come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegativesFrom {
    /// Nowhere.
    Nothing,
    /// The data's own.
    Data,
    /// Written at each visit.
    Generator(Style),
}

/// What of a recipe concerns the data; the fields are the recipe's.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Seed of all chance.
    pub seed: u64,
    /// Samples per batch.
    pub batch: usize,
    /// Files, folders, globs and brace ranges; relative ones start at the process's folder.
    pub data: Vec<String>,
    /// Key of the JSON, column or annotation that holds the caption; empty: the form's own.
    pub caption_key: String,
    /// Order of the shards.
    pub sampling: Sampling,
    /// Samples that are shuffled together. Only their places are held, not their images.
    pub shuffle_buffer: usize,
    /// Threads that decode.
    pub workers: usize,
    /// Least and largest share of an image's area that a crop keeps.
    pub crop: [f64; 2],
    /// Where negatives come from.
    pub negatives: NegativesFrom,
    /// Most negatives per caption.
    pub negatives_per_caption: usize,
}

/// Most samples shuffled together: 16 bytes each.
const LARGEST_BUFFER: usize = 10_000_000;
/// Most threads.
const MOST_WORKERS: usize = 256;

impl Settings {
    /// Checks that every value is in its range.
    pub(super) fn check(&self) -> Result<(), SourceError> {
        let [least, most] = self.crop;
        let rules = [
            (self.batch > 0, "batch", "at least 1"),
            (!self.data.is_empty(), "data", "at least one source"),
            ((1..=LARGEST_BUFFER).contains(&self.shuffle_buffer), "shuffle_buffer", "from 1 to 10,000,000"),
            ((1..=MOST_WORKERS).contains(&self.workers), "workers", "from 1 to 256"),
            (0.0 < least && least <= most && most <= 1.0, "crop", "two shares of the area in order, above 0, at most 1"),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, field, wanted)) => Err(SourceError::Setting { field, wanted }),
            None => Ok(()),
        }
    }
}

impl std::str::FromStr for Sampling {
    type Err = SourceError;

    fn from_str(name: &str) -> Result<Self, SourceError> {
        match name {
            "epochs" => Ok(Self::Epochs),
            "replacement" => Ok(Self::Replacement),
            _ => Err(SourceError::Setting { field: "sampling", wanted: "\"epochs\" or \"replacement\"" }),
        }
    }
}

impl std::str::FromStr for NegativesFrom {
    type Err = SourceError;

    fn from_str(name: &str) -> Result<Self, SourceError> {
        let wanted = "\"none\", \"given\" or a style: replace, negclip, swap, shuffle, relation";
        match name {
            "none" => Ok(Self::Nothing),
            "given" => Ok(Self::Data),
            style => style
                .parse()
                .map(Self::Generator)
                .map_err(|_| SourceError::Setting { field: "negatives", wanted }),
        }
    }
}
