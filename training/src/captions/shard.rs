//! What a shard is, whatever its form: numbered samples that are read one at a time.

use super::fault::{Fault, FaultKind};
use super::record::{Keys, Wrong};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// Largest image file.
pub(super) const LARGEST_IMAGE: u64 = 64 << 20;
/// Largest caption, JSON or row.
pub(super) const LARGEST_TEXT: u64 = 1 << 20;
/// Most samples in a shard that are used.
pub(super) const MOST_SAMPLES: usize = 1 << 20;

/// A sample before any model sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raw {
    /// The shard, and what in it.
    pub place: String,
    /// Bytes of the image's file.
    pub image: Vec<u8>,
    /// Not blank, without space around.
    pub caption: String,
    /// As the data give them.
    pub negatives: Vec<String>,
}

/// An opened shard: what it takes to read any of its samples, not the samples.
pub(super) trait Shard: Send + Sync {
    /// Number of samples, broken ones included.
    fn len(&self) -> usize;

    /// Sample `index < len()`.
    fn read(&self, index: usize) -> Result<Raw, Fault>;
}

/// A shard, and what was wrong with it as a whole.
pub(super) struct Opened {
    pub shard: Arc<dyn Shard>,
    pub faults: Vec<Fault>,
}

impl Opened {
    pub fn new(shard: impl Shard + 'static, faults: Vec<Fault>) -> Self {
        Self { shard: Arc::new(shard), faults }
    }
}

/// The caption as it is used.
pub(super) fn usable(caption: &str) -> Result<String, Wrong> {
    match caption.trim() {
        "" => Err((FaultKind::EmptyCaption, "The caption is blank".to_owned())),
        text => Ok(text.to_owned()),
    }
}

/// Text of a caption's bytes.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Wrong> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes)
        .map_err(|error| (FaultKind::CaptionNotText, format!("The caption is not UTF-8: {error}")))
}

/// Opens a file for reading, nothing but a file: a pipe would block, a device would not end.
pub(super) fn open_file(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    Ok((file, about.len()))
}

/// `size` bytes of a file from `offset`.
pub(super) fn read_span(path: &Path, offset: u64, size: u64) -> Result<Vec<u8>, Wrong> {
    let read = || -> io::Result<Vec<u8>> {
        let (mut file, _) = open_file(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(size).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Err(error) => Err((FaultKind::UnreadableSample, format!("The shard cannot be read: {error}"))),
        Ok(bytes) if (bytes.len() as u64) < size => Err(cut()),
        Ok(bytes) => Ok(bytes),
    }
}

/// A member that reaches beyond its archive.
pub(super) fn cut() -> Wrong {
    (FaultKind::CutMember, "The archive ends within the sample".to_owned())
}

/// A member that is larger than `limit`.
pub(super) fn huge(what: &str, size: u64, limit: u64) -> Wrong {
    (FaultKind::HugeMember, format!("The {what} of {size} bytes is larger than {} MiB", limit >> 20))
}

/// A whole file of at most `limit` bytes, which is the sample's `what`.
pub(super) fn read_file(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>, Wrong> {
    let read = || -> io::Result<(u64, Vec<u8>)> {
        let (file, size) = open_file(path)?;
        let mut bytes = Vec::new();
        if size <= limit {
            file.take(limit).read_to_end(&mut bytes)?;
        }
        Ok((size, bytes))
    };
    match read() {
        Ok((size, _)) if size > limit => Err(huge(what, size, limit)),
        Ok((_, bytes)) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound && what == "image" => {
            Err((FaultKind::MissingImage, "The image is not there".to_owned()))
        }
        Err(error) => Err((FaultKind::UnreadableSample, format!("The {what} cannot be read: {error}"))),
    }
}

/// What a shard's reader needs to know besides the file.
pub(super) type Wanted = Arc<Keys>;
