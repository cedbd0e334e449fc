//! Preprocessed images: kept in memory up to a limit, or in a cache on disk, and made again beyond.

use std::sync::Arc;

use rayon::prelude::*;

use super::content;
use super::corpus::{Corpus, load};
use crate::clip::preprocess;
use crate::store::pixels::{Mapped, PixelCache};

/// One image's bytes (`[size, size, 3]`), or why there are none.
pub type Loaded = Result<Bytes, String>;

/// Bytes in memory or in a mapped file.
#[derive(Clone)]
pub struct Bytes(Place);

#[derive(Clone)]
enum Place {
    Kept(Arc<[u8]>),
    Mapped(Mapped),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Place::Kept(bytes) => bytes,
            Place::Mapped(mapped) => mapped.as_ref(),
        }
    }
}

/// The preprocessed images of a corpus.
pub struct Pixels {
    size: u32,
    kept: Vec<Option<Loaded>>,
    bytes_left: usize,
    cache: Option<Cache>,
    decoded: usize,
}

/// Images on disk.
struct Cache {
    store: PixelCache,
    /// What each corpus image is, by content.
    names: Vec<content::Name>,
    is_writable: bool,
}

impl Pixels {
    /// For `n` images at `size` pixels on a side, keeping at most `limit` bytes in memory.
    pub fn new(n: usize, size: usize, limit: usize) -> Self {
        Self { size: size as u32, kept: vec![None; n], bytes_left: limit, cache: None, decoded: 0 }
    }

    /// Kept in `store`, whose images have `size` pixels a side. Reads (but does not decode) every image that `store` has
    /// not seen, to know its content.
    pub fn cached(corpus: &Corpus, size: usize, store: PixelCache) -> Self {
        let names = corpus.images.par_iter().map(|image| content::Name::of(image, |seen| store.key_of(seen)));
        let names = names.collect();
        let cache = Some(Cache { store, names, is_writable: true });
        Self { cache, ..Self::new(corpus.images.len(), size, 0) }
    }

    /// The content key of a corpus image, where images are known by content.
    pub fn key(&self, image: usize) -> Option<&str> {
        self.cache.as_ref().and_then(|cache| cache.names.get(image)).map(|name| name.key.as_str())
    }

    /// Images decoded (or drawn) so far.
    pub fn decoded(&self) -> usize {
        self.decoded
    }

    /// Loads these corpus images, in parallel where they are not kept.
    pub fn get(&mut self, corpus: &Corpus, wanted: &[usize]) -> Vec<Loaded> {
        let found: Vec<Option<Loaded>> = wanted.iter().map(|image| self.find(*image)).collect();
        self.decoded += found.iter().filter(|found| found.is_none()).count();
        let size = self.size;
        let make = |image: usize| {
            let pixels = load(&corpus.images[image]).map(|image| preprocess::preprocess(&image, size));
            pixels.map(|pixels| Bytes(Place::Kept(pixels.into())))
        };
        let loaded: Vec<Loaded> =
            wanted.par_iter().zip(found).map(|(image, found)| found.unwrap_or_else(|| make(*image))).collect();
        for (image, loaded) in wanted.iter().zip(&loaded) {
            self.keep(*image, loaded);
        }
        loaded
    }

    fn find(&mut self, image: usize) -> Option<Loaded> {
        if let Some(kept) = &self.kept[image] {
            return Some(kept.clone());
        }
        let cache = self.cache.as_mut()?;
        let mapped = cache.store.get(&cache.names[image].key)?;
        Some(Ok(Bytes(Place::Mapped(mapped))))
    }

    fn keep(&mut self, image: usize, loaded: &Loaded) {
        let bytes = loaded.as_ref().map_or(&[][..], AsRef::as_ref);
        match &mut self.cache {
            Some(cache) if !matches!(loaded, Ok(Bytes(Place::Mapped(_)))) => cache.keep(image, bytes),
            None if self.kept[image].is_none() && bytes.len() <= self.bytes_left => {
                self.bytes_left -= bytes.len();
                self.kept[image] = Some(loaded.clone());
            }
            _ => {}
        }
    }

    /// Puts on disk what still waits for it.
    pub fn flush(&mut self) {
        if let Some(cache) = &mut self.cache {
            let flushed = cache.store.flush();
            cache.check(flushed);
        }
    }
}

impl Cache {
    fn keep(&mut self, image: usize, pixels: &[u8]) {
        if self.is_writable && !pixels.is_empty() {
            let name = &self.names[image];
            let put = self.store.put(&name.key, name.seen.as_deref(), pixels);
            self.check(put);
        }
    }

    /// A full disk makes everything slower and nothing wrong.
    fn check(&mut self, written: Result<(), crate::store::StoreError>) {
        if let Err(error) = written {
            tracing::warn!("decoded images are not kept, every alpha will decode them again: {error}");
            self.is_writable = false;
        }
    }
}
