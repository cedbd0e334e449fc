//! Captions and images on disk to batches, in a seeded order that can be continued exactly.
//!
//! | form | told by |
//! |---|---|
//! | webdataset tars of img2dataset | content; `.tar`, or a folder of them |
//! | Parquet files with the images | content; `.parquet`, or a folder of them |
//! | img2dataset's `files`, a folder of images with `.txt` and `.json` beside them | names |
//! | a folder of images with `captions.jsonl`, `{"image": …, "caption": …, "negatives": […]}` | the file's name |
//! | CSV and TSV with a header, as open_clip's (`filepath`, `title`) and NegCLIP's (`neg_caption`) | content |
//! | COCO's captions | content |
//!
//! Relative images of CSV, JSON lines and COCO start at the file's folder.
//!
//! **Memory.** A shard is its index: about 150 bytes a sample, a million samples at most; a table's part has 16 MiB at
//! most. Of Parquet 64 MiB of decoded rows are kept per open file. `batch + 4 * workers` prepared samples wait at most.
//! Each worker holds one file (64 MiB) and its pixels (as [`Prepare::decode`] limits them).
//!
//! **Faults.** A broken sample or shard is skipped, counted and named. What is whole in a damaged archive is used.
//! [`SourceError::AllBroken`] ends a run in which nothing is good.

mod archive;
mod batches;
mod chance;
mod coco;
mod crop;
mod describe;
mod fault;
mod folder;
mod group;
mod lines;
mod listing;
mod maker;
mod parquet;
mod patterns;
mod pipeline;
mod plan;
mod record;
mod rows;
mod shard;
mod sizes;
mod source;
mod table;
mod webdataset;

pub use describe::{Count, Description, describe};
pub use fault::{Fault, FaultCounts, FaultKind};
pub use source::{BatchSource, CropBox, DecodeError, Prepare, SourceError};

use crate::recipe::{NegativeSource, Recipe};
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the data that a recipe names; relative paths start at the process's folder.
///
/// Tables and JSON lines are read once to find their parts, COCO's captions are kept; archives wait for their turn.
///
/// # Errors
/// [`SourceError`]: a recipe out of range, or sources that name nothing.
pub fn open(recipe: &Recipe, prepare: Arc<dyn Prepare + Send + Sync>) -> Result<Box<dyn BatchSource>, SourceError> {
    let keys = Arc::new(keys(recipe)?);
    let listing = listing::shards(&recipe.data, &keys, usize::MAX)?;
    let samples = sizes::known(&listing.shards);
    let (seed, sampling, buffer) = (recipe.seed, recipe.sampling, recipe.shuffle_buffer);
    let order = plan::Order { shards: Arc::new(listing.shards), keys, seed, sampling, buffer };
    let maker = maker::Maker::new(recipe, prepare)?;
    Ok(Box::new(batches::ShardBatches::new(order, maker, recipe.batch, recipe.workers, samples)))
}

/// The files of a recipe's data, in their order, those of folders with all that lies below: what the data can be
/// recognised by. Files that a brace names and that are not there are left out.
///
/// # Errors
/// [`SourceError`]: sources that name nothing, folders that cannot be listed.
pub fn files(recipe: &Recipe) -> Result<Vec<PathBuf>, SourceError> {
    let mut files = Vec::new();
    for pattern in &recipe.data {
        let mut open: Vec<PathBuf> = patterns::expand(pattern)?.into_iter().rev().collect();
        while let Some(path) = open.pop() {
            if path.is_dir() {
                let below = patterns::list(&path)?.into_iter().rev().map(|name| path.join(name));
                // A link may lead to where it lies.
                open.extend(below.filter(|path| !(path.is_dir() && path.is_symlink())));
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// What of each sample is read.
fn keys(recipe: &Recipe) -> Result<record::Keys, SourceError> {
    recipe.check()?;
    Ok(record::Keys {
        caption: recipe.caption_key.clone(),
        negatives: recipe.negatives == NegativeSource::Given && recipe.negatives_per_caption > 0,
    })
}

#[cfg(test)]
mod tests;
