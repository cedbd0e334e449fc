//! The files that make one checkpoint: weights in one piece or in shards, and what lies beside them.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::CheckpointError;

/// Largest configuration, index or tokenizer file that is read (a real `tokenizer.json` has 2 to 4 MB).
const MAX_SIDE_FILE: u64 = 64 << 20;

/// Names of weights in a folder, in the order in which they are looked for.
pub const WEIGHTS: [&str; 7] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "open_clip_pytorch_model.bin",
];

/// Files of one checkpoint.
#[derive(Debug)]
pub(super) struct Files {
    /// The weights, or the index of their shards: the file that messages name.
    pub(super) main: PathBuf,
    /// The weights, in the order of their names.
    pub(super) weights: Vec<PathBuf>,
}

impl Files {
    /// `path` is a weights file, an index of shards, or a folder with one of the two.
    pub(super) fn find(path: &Path) -> Result<Self, CheckpointError> {
        let metadata = std::fs::metadata(path).map_err(|e| CheckpointError::io("open the checkpoint", path, e))?;
        let main = if metadata.is_dir() {
            let found = WEIGHTS.iter().map(|name| path.join(name)).find(|file| file.is_file());
            found.ok_or_else(|| CheckpointError::NoWeights(path.to_owned()))?
        } else {
            path.to_owned()
        };
        let is_index = main.to_string_lossy().ends_with(".index.json");
        let weights = if is_index { shards(&main)? } else { vec![main.clone()] };
        Ok(Self { main, weights })
    }

    /// Those of `names` that lie beside the weights.
    pub(super) fn beside(&self, names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(|name| self.main.with_file_name(name)).filter(|file| file.is_file()).collect()
    }
}

/// The weights files of a checkpoint, in the order of their names.
///
/// # Errors
/// As [`super::Checkpoint::open`], where there are none.
pub fn weight_files(path: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    Files::find(path).map(|files| files.weights)
}

/// Reads a file beside the weights, of limited size.
pub(super) fn read_small(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let fail = |e| CheckpointError::io("read the file beside the weights", path, e);
    let length = std::fs::metadata(path).map_err(fail)?.len();
    if length > MAX_SIDE_FILE {
        return Err(CheckpointError::format(path, format!("the file has {length} bytes, far more than it should")));
    }
    std::fs::read(path).map_err(fail)
}

/// The files that transformers' index names: `{"weight_map": {tensor: file}}`.
fn shards(index: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let names = shard_names(&read_small(index)?).map_err(|reason| CheckpointError::config(index, reason))?;
    Ok(names.into_iter().map(|name| index.with_file_name(name)).collect())
}

/// File names of a shard index, sorted; the bytes are those of `*.index.json`.
///
/// # Errors
/// A clause: not JSON, no `weight_map`, or a name that leads out of the folder.
pub fn shard_names(index: &[u8]) -> Result<BTreeSet<String>, String> {
    let index: Value = serde_json::from_slice(index).map_err(|error| format!("it is not JSON ({error})"))?;
    let map = index.get("weight_map").and_then(Value::as_object).ok_or("it has no weight_map")?;
    let mut names = BTreeSet::new();
    for name in map.values() {
        let name = name.as_str().ok_or("its weight_map names something that is no file")?;
        let mut parts = Path::new(name).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(format!("its shard '{:.80}' is not beside it", name.escape_debug().to_string()));
        }
        names.insert(name.to_owned());
    }
    if names.is_empty() {
        return Err("its weight_map is empty".into());
    }
    Ok(names)
}
