//! What our safetensors files share: one JSON record in the header, and a checksum of everything.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{StoreError, aside};
use crate::checkpoint::map_file;

/// The header's key for our record.
const RECORD: &str = "clove";
/// The header's key for the checksum.
const CHECKSUM: &str = "sha256";

/// The SHA-256 of some parts, hexadecimal; parts are told apart by their lengths.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// A tensor to write: name, shape, little-endian bytes.
pub(super) struct Column {
    pub name: &'static str,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Column {
    pub fn bytes(name: &'static str, shape: Vec<usize>, bytes: Vec<u8>) -> Self {
        Self { name, dtype: Dtype::U8, shape, bytes }
    }

    pub fn floats(name: &'static str, shape: Vec<usize>, values: impl IntoIterator<Item = f32>) -> Self {
        let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
        Self { name, dtype: Dtype::F32, shape, bytes }
    }

    pub fn counts(name: &'static str, values: impl IntoIterator<Item = u32>) -> Self {
        let bytes: Vec<u8> = values.into_iter().flat_map(u32::to_le_bytes).collect();
        Self { name, dtype: Dtype::U32, shape: vec![bytes.len() / 4], bytes }
    }
}

impl View for &Column {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes a whole file with its record.
pub(super) fn write(path: &Path, record: &impl Serialize, columns: &[Column]) -> Result<(), StoreError> {
    let record = serde_json::to_string(record)?;
    let checksum = checksum(&record, columns.iter().map(|c| (c.name, c.bytes.as_slice())));
    // One key, or their order would be random.
    let header = serde_json::json!({ RECORD: record, CHECKSUM: checksum }).to_string();
    let metadata = HashMap::from([(RECORD.to_owned(), header)]);
    let bytes = safetensors::serialize(columns.iter().map(|c| (c.name, c)), Some(metadata));
    let bytes = bytes.map_err(|e| StoreError::io("store", path)(std::io::Error::other(e)))?;
    aside::write(path, &bytes).map_err(StoreError::io("store", path))
}

fn checksum<'a>(record: &str, columns: impl Iterator<Item = (&'static str, &'a [u8])>) -> String {
    digest(std::iter::once(record.as_bytes()).chain(columns.flat_map(|(name, bytes)| [name.as_bytes(), bytes])))
}

/// A file of ours in memory.
pub(super) struct Stored {
    map: memmap2::Mmap,
}

impl Stored {
    /// Maps it; `None` when there is none.
    pub fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let fail = StoreError::io("read", path);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error)),
        };
        map_file(&file).map(|map| Some(Self { map })).map_err(fail)
    }

    /// The record, from the header alone; the reason when the file is not one of ours or was cut.
    pub fn record<R: DeserializeOwned>(&self) -> Result<R, String> {
        serde_json::from_str(&self.header()?.0).map_err(|e| e.to_string())
    }

    /// Record and checksum.
    fn header(&self) -> Result<(String, String), String> {
        let (_, metadata) = SafeTensors::read_metadata(&self.map).map_err(|e| e.to_string())?;
        let header = metadata.metadata().as_ref().and_then(|map| map.get(RECORD)).ok_or("it has no record of ours")?;
        let header: serde_json::Value = serde_json::from_str(header).map_err(|e| e.to_string())?;
        let text = |key: &str| header[key].as_str().map(str::to_owned).ok_or(format!("its record has no {key}"));
        Ok((text(RECORD)?, text(CHECKSUM)?))
    }

    /// The tensors `names`, proven by the checksum.
    pub fn columns(&self, names: &[&'static str]) -> Result<Vec<&[u8]>, String> {
        let (record, expected) = self.header()?;
        let file = SafeTensors::deserialize(&self.map).map_err(|e| e.to_string())?;
        let column = |name: &&'static str| file.tensor(name).map(|view| view.data()).map_err(|e| e.to_string());
        let columns: Vec<&[u8]> = names.iter().map(column).collect::<Result<_, _>>()?;
        if checksum(&record, names.iter().copied().zip(columns.iter().copied())) != expected {
            return Err("its checksum differs".into());
        }
        Ok(columns)
    }

    /// Where tensor `name` lies in [`Stored::bytes`].
    pub fn range(&self, name: &str) -> Result<std::ops::Range<usize>, String> {
        let (header, metadata) = SafeTensors::read_metadata(&self.map).map_err(|e| e.to_string())?;
        let info = metadata.info(name).ok_or_else(|| format!("it has no {name}"))?;
        let start = header + 8;
        Ok(start + info.data_offsets.0..start + info.data_offsets.1)
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}

/// Little-endian floats.
pub(super) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// Little-endian counts.
pub(super) fn counts(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect()
}
