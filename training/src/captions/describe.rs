//! A look at the data before a run: found, of which form, how much, and whether the first samples can be read.

use super::fault::Fault;
use super::listing::{self, ShardSource};
use super::plan::open;
use super::record::Keys;
use super::sizes;
use super::source::SourceError;
use crate::recipe::Recipe;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Shards and samples that are looked at.
const LOOKED_AT: usize = 3;

/// How many samples there are, broken ones included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// This many.
    Known(u64),
    /// About this many, from the sizes of files.
    About(u64),
    /// Nobody knows before they are read.
    Unknown,
}

/// What the data are, from a quick look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// In words, such as "webdataset tars".
    pub form: String,
    /// Shards; of a long table only the first part is counted.
    pub shards: usize,
    /// Samples.
    pub samples: Count,
    /// The first captions, as training would use them.
    pub captions: Vec<String>,
    /// What is wrong with the first shards and samples.
    pub faults: Vec<Fault>,
}

/// Looks at a recipe's data: lists the shards, opens the first few and reads their first samples.
///
/// # Errors
/// [`SourceError::NoData`], `Io` and `Recipe`.
pub fn describe(recipe: &Recipe) -> Result<Description, SourceError> {
    let keys = Arc::new(super::keys(recipe)?);
    let listing = listing::shards(&recipe.data, &keys, 1)?;
    let forms: BTreeSet<&str> = listing.shards.iter().take(1024).map(ShardSource::form).collect();
    let mut look = Look::default();
    listing.shards.iter().take(LOOKED_AT).for_each(|shard| look.at(shard, &keys));
    let samples = match sizes::known(&listing.shards) {
        Some(known) if listing.unread == 0 => Count::Known(known),
        Some(known) => Count::About(known + listing.unread),
        None => look.estimate(&listing.shards),
    };
    Ok(Description {
        form: forms.into_iter().collect::<Vec<_>>().join(", "),
        shards: listing.shards.len(),
        samples,
        captions: look.captions,
        faults: look.faults,
    })
}

#[derive(Default)]
struct Look {
    shards: usize,
    samples: u64,
    bytes: u64,
    captions: Vec<String>,
    faults: Vec<Fault>,
}

impl Look {
    fn at(&mut self, source: &ShardSource, keys: &Arc<Keys>) {
        match open(source, keys) {
            Err(fault) => self.faults.push(fault),
            Ok(opened) => {
                self.shards += 1;
                self.samples += opened.shard.len() as u64;
                self.bytes += size(source);
                self.faults.extend(opened.faults);
                for sample in 0..opened.shard.len().min(LOOKED_AT) {
                    match opened.shard.read(sample) {
                        Ok(raw) => self.captions.push(raw.caption),
                        Err(fault) => self.faults.push(fault),
                    }
                }
            }
        }
    }

    /// By the bytes of tars, or by the number of folders, whose sizes say nothing.
    fn estimate(&self, shards: &[ShardSource]) -> Count {
        if self.shards == 0 {
            return Count::Unknown;
        }
        // Of very many shards every so many tells enough.
        let step = shards.len().div_ceil(4096);
        let all: u64 = shards.iter().step_by(step).map(size).sum::<u64>() * step as u64;
        let share = if self.bytes == 0 || all == 0 {
            shards.len() as f64 / self.shards as f64
        } else {
            all as f64 / self.bytes as f64
        };
        Count::About((self.samples as f64 * share).round() as u64)
    }
}

/// Bytes of an archive.
fn size(source: &ShardSource) -> u64 {
    match source {
        ShardSource::Archive(path) => path.metadata().map_or(0, |about| about.len()),
        _ => 0,
    }
}
