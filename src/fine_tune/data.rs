//! What a recipe trains on, and what it can be recognised by.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use clove_training::recipe::NegativeSource;
use clove_training::{BatchSource, Indexed, Recipe, Sample, Samples, captions};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::FineTuneError;
use crate::checkpoint::Checkpoint;
use crate::clip::preprocess::preprocess;
use crate::clip::{Preparation, Tokenizer};
use crate::demo::{FAMILY, SCENE_COUNT, SCENES, training_scene};
use crate::evaluate::tokenizer_of;

/// Bytes at a file's beginning that count for its identity: with its size, more than enough to tell shards apart.
const BEGINNING: u64 = 64 << 10;
/// Files of which beginnings are read.
const MOST_READ: usize = 4096;

/// Data at its start.
pub(super) struct Data {
    pub source: Box<dyn BatchSource>,
    /// For `job.json`.
    pub identity: Value,
}

/// Opens the recipe's data for models of base's kind.
pub(super) fn open(recipe: &Recipe, base: &Checkpoint) -> Result<Data, FineTuneError> {
    if recipe.data.is_empty() {
        return Err(FineTuneError::NoData);
    }
    if recipe.data.iter().any(|source| source == SCENES) {
        return if recipe.data.len() == 1 { scenes(recipe, base) } else { Err(FineTuneError::Mixed) };
    }
    files(recipe, base)
}

fn scenes(recipe: &Recipe, base: &Checkpoint) -> Result<Data, FineTuneError> {
    let with_negatives = match recipe.negatives {
        NegativeSource::Given => true,
        NegativeSource::None => false,
        _ => return Err(FineTuneError::SceneNegatives),
    };
    let scenes = Scenes {
        tokenizer: tokenizer_of(base)?,
        size: base.architecture.image_size as u32,
        seed: recipe.seed,
        with_negatives,
        kept: (0..SCENE_COUNT).map(|_| OnceLock::new()).collect(),
    };
    let source = Box::new(Indexed::new(scenes, recipe.seed, recipe.batch)?);
    let identity = json!({ "sources": recipe.data, "made_by": concat!("clove ", env!("CARGO_PKG_VERSION")) });
    Ok(Data { source, identity })
}

/// Scenes drawn at their first visit and kept as the model takes them.
struct Scenes {
    tokenizer: Tokenizer,
    size: u32,
    seed: u64,
    with_negatives: bool,
    kept: Vec<OnceLock<Sample>>,
}

impl Samples for Scenes {
    fn len(&self) -> usize {
        self.kept.len()
    }

    fn family(&self) -> usize {
        FAMILY
    }

    fn sample(&self, index: usize, _draw: &mut ChaCha8Rng) -> Sample {
        let make = || {
            let (image, caption, negatives) = training_scene(self.seed, index as u64);
            let ids = |text: &String| Arc::from(self.tokenizer.encode(text));
            let negatives = negatives.iter().filter(|_| self.with_negatives).map(ids).collect();
            Sample { image: preprocess(&image, self.size).into(), caption: ids(&caption), negatives }
        };
        self.kept[index].get_or_init(make).clone()
    }
}

fn files(recipe: &Recipe, base: &Checkpoint) -> Result<Data, FineTuneError> {
    let prepare = Preparation::new(base.architecture.image_size as u32, Arc::new(tokenizer_of(base)?));
    let source = captions::open(recipe, Arc::new(prepare))?;
    let mut identity = identity(&captions::files(recipe)?)?;
    identity["sources"] = json!(recipe.data);
    Ok(Data { source, identity })
}

/// Number, size and SHA-256 of files: over their names, sizes and the beginnings of the first few thousand, in the order
/// given. Reading all of a large set would take as long as an epoch.
fn identity(files: &[PathBuf]) -> Result<Value, FineTuneError> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    for (i, path) in files.iter().enumerate() {
        let length = if i < MOST_READ { BEGINNING } else { 0 };
        let size = add(&mut hash, path, length)
            .map_err(|source| FineTuneError::Data { path: path.display().to_string(), source })?;
        bytes += size;
    }
    let sha256 = hash.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    Ok(json!({ "files": files.len(), "bytes": bytes, "sha256": sha256 }))
}

fn add(hash: &mut Sha256, path: &Path, length: u64) -> io::Result<u64> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut beginning = Vec::new();
    file.take(length).read_to_end(&mut beginning)?;
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    for part in [name, &size.to_le_bytes(), &beginning] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sizes_and_beginnings_make_the_identity() {
        let room = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8]| {
            let path = room.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let long = vec![1u8; BEGINNING as usize + 2];
        let mut longer = long.clone();
        longer.push(1);
        let of = |files: &[PathBuf]| identity(files).unwrap();
        let (a, b) = (write("a.tar", &long), write("b.tar", b"b"));
        let whole = of(&[a.clone(), b.clone()]);
        assert_eq!((&whole["files"], &whole["bytes"]), (&2.into(), &(BEGINNING + 3).into()));
        assert_eq!(whole, of(&[a.clone(), b.clone()]));
        assert_ne!(whole["sha256"], of(&[b.clone(), a.clone()])["sha256"]);
        write("a.tar", &longer);
        assert_ne!(whole["sha256"], of(&[a.clone(), b.clone()])["sha256"], "the size counts");
        write("b.tar", b"c");
        write("a.tar", &long);
        assert_ne!(whole["sha256"], of(&[a, b])["sha256"], "the beginning counts");
        assert!(identity(&[room.path().join("none")]).unwrap_err().to_string().contains("none"));
    }
}
