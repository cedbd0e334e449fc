//! Units of an unfinished sweep: some items through one tower at one alpha.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{self, Column, Stored};
use super::{StoreError, remove_leftovers};

/// How long an unfinished file must have rested before it counts as left behind: shards write at the same time.
const LEFTOVER_AGE: Duration = Duration::from_hours(1);

/// Embeddings below a folder of results, by key.
#[derive(Clone, Debug)]
pub struct Embeddings {
    folder: PathBuf,
}

impl Embeddings {
    /// Those below `results`; nothing is made before the first [`Embeddings::write`].
    pub fn below(results: &Path) -> Self {
        let folder = results.join("embeddings");
        remove_leftovers(&folder, LEFTOVER_AGE);
        Self { folder }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.safetensors"))
    }

    /// Whether a unit is there. Only [`Embeddings::read`] knows whether it is whole.
    pub fn has(&self, key: &str) -> bool {
        self.path(key).is_file()
    }

    /// A unit of `n` items, each with its vector, or an empty one where there is none (an image that cannot be read).
    /// `None` when it is not there or damaged, so that it is made anew.
    pub fn read(&self, key: &str, n: usize) -> Option<Vec<Vec<f32>>> {
        let stored = Stored::open(&self.path(key)).ok()??;
        let columns = stored.columns(&["present", "vectors"]).ok()?;
        let (present, vectors) = (columns.first()?, columns.get(1)?);
        let dim = vectors.len() / 4 / n.max(1);
        if present.len() != n || vectors.len() != 4 * n * dim {
            return None;
        }
        let row = |(i, present): (usize, &u8)| match present {
            0 => Vec::new(),
            _ => file::floats(&vectors[4 * i * dim..4 * (i + 1) * dim]),
        };
        Some(present.iter().enumerate().map(row).collect())
    }

    /// Stores a unit; `vectors` as [`Embeddings::read`] gives them, `dim` values each.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn write(&self, key: &str, vectors: &[Vec<f32>], dim: usize) -> Result<(), StoreError> {
        let n = vectors.len();
        let present = vectors.iter().map(|v| u8::from(v.len() == dim)).collect();
        let values = vectors.iter().flat_map(|v| {
            let missing = if v.len() == dim { 0 } else { dim };
            v.iter().copied().take(dim - missing).chain(std::iter::repeat_n(0.0, missing))
        });
        let columns = [Column::bytes("present", vec![n], present), Column::floats("vectors", vec![n, dim], values)];
        file::write(&self.path(key), &serde_json::json!({ "key": key }), &columns)
    }

    /// Removes a unit whose scores are stored. One that stays is only waste.
    pub fn remove(&self, key: &str) {
        let _ = std::fs::remove_file(self.path(key));
        // Refused while other units are there.
        let _ = std::fs::remove_dir(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_back_to_the_bit_or_not_at_all() {
        let room = tempfile::tempdir().unwrap();
        let store = Embeddings::below(room.path());
        let vectors = vec![vec![0.1, -2.5], vec![], vec![f32::MIN_POSITIVE, 1.0 / 3.0]];
        assert_eq!(store.read("a", 3), None);
        store.write("a", &vectors, 2).unwrap();
        assert_eq!(store.read("a", 3), Some(vectors));
        assert_eq!(store.read("a", 4), None, "another number of items");
        let whole = std::fs::read(store.path("a")).unwrap();
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(store.path("a"), &damaged).unwrap();
            assert_eq!(store.read("a", 3), None, "byte {place}");
            std::fs::write(store.path("a"), &whole[..place]).unwrap();
            assert_eq!(store.read("a", 3), None, "cut at {place}");
        }
        store.remove("a");
        assert!(!store.has("a") && !store.folder.exists());
    }
}
