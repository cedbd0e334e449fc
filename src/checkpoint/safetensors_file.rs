//! Tensors of a safetensors file.

use std::collections::BTreeMap;

use safetensors::tensor::{SafeTensorError, SafeTensors};

use super::architecture::Architecture;
use super::stored::{Stored, Weights};

/// The metadata key under which our own files carry their recipe and architecture.
pub(super) const METADATA_KEY: &str = "clove";

/// Bytes of header that any file may have (a model of 302 tensors has 30,000), to which a 64th of the file is added.
/// Parsing hostile JSON costs up to 30 times its length.
const HEADER: usize = 1 << 20;

/// Reads the header and finds the tensors behind it.
pub(super) fn read(bytes: &[u8]) -> Result<Weights<'_>, String> {
    if let Some(header) = bytes.first_chunk::<8>() {
        let header = usize::try_from(u64::from_le_bytes(*header)).unwrap_or(usize::MAX);
        if header > HEADER + bytes.len() / 64 && header < bytes.len() {
            return Err(format!(
                "the file's header takes {header} of its {} bytes, which no model's does",
                bytes.len()
            ));
        }
    }
    let file = SafeTensors::deserialize(bytes).map_err(|error| broken(&error, bytes))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let stored = Stored { dtype: view.dtype(), shape: view.shape().to_vec(), strides: None, data: view.data() };
        tensors.insert(name.to_owned(), stored);
    }
    Ok(Weights { format: "safetensors", tensors, own: own_metadata(bytes), is_openai: false })
}

/// The architecture that our own files carry in their header.
fn own_metadata(bytes: &[u8]) -> Option<Architecture> {
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    let record = header.metadata().as_ref()?.get(METADATA_KEY)?;
    let record: serde_json::Value = serde_json::from_str(record).ok()?;
    serde_json::from_value(record.get("architecture")?.clone()).ok()
}

/// A sentence for each way in which a safetensors file can be broken.
fn broken(error: &SafeTensorError, bytes: &[u8]) -> String {
    use SafeTensorError as E;
    let is_cut = matches!(error, E::MetadataIncompleteBuffer | E::InvalidHeaderLength);
    if !is_cut && !matches!(error, E::HeaderTooLarge | E::HeaderTooSmall | E::InvalidHeader(_)) {
        return format!("this is not a valid safetensors file ({})", error.to_string().escape_debug());
    }
    // A pickle's first byte may also begin a short header's length; a pickle read as a length is always too large.
    if bytes.first() == Some(&0x80) && matches!(error, E::HeaderTooLarge) {
        "this is a file of PyTorch before 1.6, a bare pickle; open it in PyTorch and save it again with torch.save"
            .into()
    } else if bytes.iter().take(64).all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        "this is text, not a safetensors or PyTorch file".into()
    } else if is_cut {
        format!("the file is truncated or damaged: its header promises more than its {} bytes", bytes.len())
    } else {
        "this is not a safetensors or PyTorch file".into()
    }
}
