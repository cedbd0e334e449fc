//! What images, benchmarks and models are, by content: the names of results.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use super::corpus::{Corpus, load};
use super::pixels::Pixels;
use crate::benchmark::{Benchmark, ImageRef};
use crate::patch::Pair;
use crate::store::digest;

/// Changes when the same inputs would give other numbers.
const NUMERICS: &str = "1";

/// An image by content.
pub struct Name {
    /// Hash of the file's bytes and the crop, or of the drawn pixels.
    pub key: String,
    /// Path, length, time of change and crop, where it is a file.
    pub seen: Option<String>,
}

impl Name {
    /// Reads the image's bytes, unless `known` tells the key of a file that did not change since.
    pub fn of<'a>(image: &ImageRef, known: impl Fn(&str) -> Option<&'a str>) -> Self {
        let seen = seen(image);
        let key = seen.as_deref().and_then(known).map(str::to_owned);
        Self { key: key.unwrap_or_else(|| key_of(image)), seen }
    }
}

/// What `make` goes by, too: a file with the same path, length and time of change has the same content.
fn seen(image: &ImageRef) -> Option<String> {
    let ImageRef::File { path, crop } = image else { return None };
    let metadata = std::fs::metadata(path).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    let path = std::path::absolute(path).ok()?;
    Some(format!("{}|{}|{modified}|{crop:?}", path.display(), metadata.len()))
}

/// What cannot be read has a name as well: its results say so and hold until it can be.
fn key_of(image: &ImageRef) -> String {
    let content = if let ImageRef::File { path, crop } = image {
        hash_file(path).map(|hash| (hash, format!("{crop:?}"))).ok()
    } else {
        load(image).ok().map(|image| (digest([image.as_raw().as_slice()]), format!("{:?}", image.dimensions())))
    };
    match content {
        Some((hash, shape)) => digest([hash.as_bytes(), shape.as_bytes()]),
        None => digest([b"unreadable", image.name().as_bytes()]),
    }
}

fn hash_file(path: &std::path::Path) -> std::io::Result<String> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hash.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")));
        }
        hash.update(buffer.get(..n).unwrap_or_default());
    }
}

/// A benchmark by content: question, images in order, protocol (which says the subset), tie rule, what was skipped.
pub fn benchmark<'a>(benchmark: &Benchmark, images: impl Iterator<Item = &'a str>) -> String {
    let mut text = Hashed(Sha256::new());
    // Writing into a hash cannot fail.
    let _ = write!(
        text,
        "{:?}|{:?}|{:?}|{:?}|{}|{}|{:?}|{:?}",
        benchmark.name,
        benchmark.task,
        benchmark.metric,
        benchmark.ties,
        benchmark.protocol,
        benchmark.n_in_file,
        benchmark.skipped,
        benchmark.items,
    );
    for image in images {
        let _ = write!(text, "|{image}");
    }
    text.0.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// The same, for images that are known by content: `None` where they are not.
pub fn benchmark_hash(of: &Benchmark, b: usize, corpus: &Corpus, pixels: &Pixels) -> Option<String> {
    let images = &corpus.places.get(b)?.images;
    let keys: Vec<&str> = images.iter().map(|image| pixels.key(*image)).collect::<Option<_>>()?;
    Some(benchmark(of, keys.into_iter()))
}

/// A hash that takes text without holding it.
struct Hashed(Sha256);

impl std::fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// A pair by content: weights, and what decides how they are used (activation, context, tokenizer).
pub fn model(pair: &Pair) -> String {
    let architecture = format!("{:?}", pair.base.architecture);
    let tokenizer = pair.base.tokenizer.as_deref().unwrap_or_default();
    let (base, tuned) = rayon::join(|| pair.base.sha256(), || pair.tuned.sha256());
    digest([NUMERICS.as_bytes(), base.as_bytes(), tuned.as_bytes(), architecture.as_bytes(), tokenizer])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_by_content_and_crop() {
        let room = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8], crop| {
            let path = room.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Name::of(&ImageRef::File { path, crop }, |_| None)
        };
        let (a, b) = (file("a", b"same", None), file("b", b"same", None));
        assert_eq!(a.key, b.key);
        assert_ne!(a.seen, b.seen);
        assert_ne!(a.key, file("c", b"other", None).key);
        let cropped = file("d", b"same", Some([0.0, 0.0, 1.0, 1.0]));
        assert_ne!(a.key, cropped.key);
        let known = Name::of(&ImageRef::File { path: room.path().join("a"), crop: None }, |seen| {
            (a.seen.as_deref() == Some(seen)).then_some("known")
        });
        assert_eq!(known.key, "known");
        std::fs::write(room.path().join("a"), "longer").unwrap();
        let changed = Name::of(&ImageRef::File { path: room.path().join("a"), crop: None }, |seen| {
            (a.seen.as_deref() == Some(seen)).then_some("known")
        });
        assert_ne!(changed.key, "known");
    }
}
