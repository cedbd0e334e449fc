//! Decoded and resized images on disk, in segments of some images each, by content.
//!
//! A segment is proven by its checksum when it is first mapped. One that is damaged is removed and counts as absent, so
//! that its images are decoded and stored again.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::file::{self, Column, Stored, digest};
use super::{StoreError, remove_leftovers};

/// Images per segment.
const SEGMENT: usize = 128;
/// Segments that stay mapped: bounds the address space and what counts as this process's memory.
const MAPPED: usize = 4;
/// How long an unfinished file must have rested before it counts as left behind.
const LEFTOVER_AGE: Duration = Duration::from_hours(1);

/// An image as its segment's header names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Hash of content and crop.
    key: String,
    /// Path, length, time of change and crop when it was read: whoever finds them unchanged need not read it again.
    seen: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    size: usize,
    images: Vec<Entry>,
}

/// The bytes of one image in a mapped segment.
#[derive(Clone)]
pub struct Mapped {
    stored: Arc<Stored>,
    range: std::ops::Range<usize>,
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.stored.bytes().get(self.range.clone()).unwrap_or_default()
    }
}

/// Images of one size below a folder.
pub struct PixelCache {
    folder: PathBuf,
    size: usize,
    limit: u64,
    bytes: u64,
    segments: Vec<PathBuf>,
    /// Segment and place in it by key.
    places: BTreeMap<String, (usize, usize)>,
    seen: BTreeMap<String, String>,
    /// Segment, its file, and where in it the first image begins.
    mapped: VecDeque<(usize, Arc<Stored>, usize)>,
    proven: Vec<bool>,
    /// Images that wait for a segment to be full.
    waiting: Vec<(Entry, Vec<u8>)>,
}

impl PixelCache {
    /// Images of `size` pixels a side below `root`, which may hold at most `limit` bytes of them.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the folder cannot be made or listed.
    pub fn open(root: &Path, size: usize, limit: u64) -> Result<Self, StoreError> {
        let folder = root.join("pixels").join(size.to_string());
        std::fs::create_dir_all(&folder).map_err(StoreError::io("make the folder of pixels", &folder))?;
        remove_leftovers(&folder, LEFTOVER_AGE);
        let entries = std::fs::read_dir(&folder).map_err(StoreError::io("list the pixels", &folder))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
        paths.sort();
        let mut cache = Self {
            folder,
            size,
            limit,
            bytes: 0,
            segments: Vec::new(),
            places: BTreeMap::new(),
            seen: BTreeMap::new(),
            mapped: VecDeque::new(),
            proven: Vec::new(),
            waiting: Vec::new(),
        };
        for path in paths {
            cache.enter(path);
        }
        Ok(cache)
    }

    /// Reads a segment's header; one that makes no sense is removed.
    fn enter(&mut self, path: PathBuf) {
        let Ok(Some(stored)) = Stored::open(&path) else { return remove(&path) };
        let row = 3 * self.size * self.size;
        let fits = |record: &Record| {
            record.size == self.size && stored.range("pixels").is_ok_and(|r| r.len() == record.images.len() * row)
        };
        let Some(record) = stored.record::<Record>().ok().filter(fits) else { return remove(&path) };
        self.bytes += stored.bytes().len() as u64;
        self.list(path, record.images);
    }

    fn list(&mut self, path: PathBuf, images: Vec<Entry>) {
        for (place, entry) in images.into_iter().enumerate() {
            if let Some(seen) = entry.seen {
                self.seen.insert(seen, entry.key.clone());
            }
            self.places.insert(entry.key, (self.segments.len(), place));
        }
        self.segments.push(path);
        self.proven.push(false);
    }

    /// The content key of an image that was seen before under this path, length, time and crop.
    pub fn key_of(&self, seen: &str) -> Option<&str> {
        self.seen.get(seen).map(String::as_str)
    }

    /// An image's `[size, size, 3]` bytes; `None` where they are not stored, or not as they were written.
    pub fn get(&mut self, key: &str) -> Option<Mapped> {
        let (segment, place) = *self.places.get(key)?;
        let row = 3 * self.size * self.size;
        let (stored, first) = self.map(segment)?;
        let start = first + place * row;
        Some(Mapped { stored, range: start..start + row })
    }

    fn map(&mut self, segment: usize) -> Option<(Arc<Stored>, usize)> {
        if let Some((_, stored, first)) = self.mapped.iter().find(|(mapped, ..)| *mapped == segment) {
            return Some((Arc::clone(stored), *first));
        }
        let path = self.segments.get(segment)?;
        let proven = self.proven.get(segment).copied().unwrap_or(false);
        let stored = Stored::open(path).ok().flatten();
        let stored = stored.filter(|stored| proven || stored.columns(&["pixels"]).is_ok());
        let found = stored.and_then(|stored| stored.range("pixels").ok().map(|range| (stored, range.start)));
        let Some((stored, first)) = found else {
            remove(path);
            self.places.retain(|_, (of, _)| *of != segment);
            return None;
        };
        if let Some(proven) = self.proven.get_mut(segment) {
            *proven = true;
        }
        let stored = Arc::new(stored);
        self.mapped.push_back((segment, Arc::clone(&stored), first));
        if self.mapped.len() > MAPPED {
            self.mapped.pop_front();
        }
        Some((stored, first))
    }

    /// Stores an image, soon; `seen` as for [`PixelCache::key_of`]. Nothing happens beyond the limit.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn put(&mut self, key: &str, seen: Option<&str>, pixels: &[u8]) -> Result<(), StoreError> {
        let waiting: u64 = self.waiting.iter().map(|(_, pixels)| pixels.len() as u64).sum();
        if self.places.contains_key(key) || self.bytes + waiting + pixels.len() as u64 > self.limit {
            return Ok(());
        }
        if !self.waiting.iter().any(|(entry, _)| entry.key == key) {
            let entry = Entry { key: key.to_owned(), seen: seen.map(str::to_owned) };
            self.waiting.push((entry, pixels.to_vec()));
        }
        if self.waiting.len() >= SEGMENT { self.flush() } else { Ok(()) }
    }

    /// Stores what still waits.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let (images, pixels): (Vec<Entry>, Vec<Vec<u8>>) = std::mem::take(&mut self.waiting).into_iter().unzip();
        let name = digest(images.iter().flat_map(|e| [e.key.as_bytes(), e.seen.as_deref().unwrap_or("").as_bytes()]));
        let path = self.folder.join(format!("{}.safetensors", &name[..32]));
        let shape = vec![pixels.len(), self.size, self.size, 3];
        let columns = [Column::bytes("pixels", shape, pixels.concat())];
        let record = Record { size: self.size, images };
        file::write(&path, &record, &columns)?;
        self.bytes += columns[0].bytes.len() as u64;
        self.list(path, record.images);
        Ok(())
    }
}

/// What cannot be removed stays and is passed over again.
fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 4;

    fn image(seed: usize) -> Vec<u8> {
        (0..3 * SIZE * SIZE).map(|i| (i * 7 + seed * 13) as u8).collect()
    }

    fn open(root: &Path) -> PixelCache {
        PixelCache::open(root, SIZE, 1 << 20).unwrap()
    }

    fn fill(cache: &mut PixelCache, n: usize) {
        for i in 0..n {
            cache.put(&format!("key {i}"), Some(&format!("seen {i}")), &image(i)).unwrap();
        }
        cache.flush().unwrap();
    }

    #[test]
    fn images_come_back_across_segments_and_runs() {
        let room = tempfile::tempdir().unwrap();
        let n = 10 * SEGMENT + 3;
        fill(&mut open(room.path()), n);
        let mut cache = open(room.path());
        assert_eq!(cache.segments.len(), 11);
        for i in 0..n {
            assert_eq!(cache.get(&format!("key {i}")).unwrap().as_ref(), image(i));
            assert_eq!(cache.key_of(&format!("seen {i}")), Some(format!("key {i}").as_str()));
        }
        assert!(cache.mapped.len() <= MAPPED);
        assert!(cache.get("key -1").is_none());
        assert!(PixelCache::open(room.path(), SIZE + 1, 1 << 20).unwrap().get("key 0").is_none(), "another size");
    }

    #[test]
    fn a_damaged_segment_counts_as_absent_and_is_made_anew() {
        let room = tempfile::tempdir().unwrap();
        fill(&mut open(room.path()), 3);
        let path = open(room.path()).segments[0].clone();
        let whole = std::fs::read(&path).unwrap();
        for place in [0, 9, 40, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x11;
            for bytes in [&damaged[..], &whole[..place]] {
                std::fs::write(&path, bytes).unwrap();
                let mut cache = open(room.path());
                assert!(cache.get("key 1").is_none(), "byte {place} of {}", bytes.len());
                fill(&mut cache, 3);
                assert_eq!(open(room.path()).get("key 1").unwrap().as_ref(), image(1));
            }
        }
    }

    #[test]
    fn the_limit_holds() {
        let room = tempfile::tempdir().unwrap();
        let mut cache = PixelCache::open(room.path(), SIZE, 5 * 48).unwrap();
        fill(&mut cache, 20);
        assert_eq!(cache.places.len(), 5);
    }
}
