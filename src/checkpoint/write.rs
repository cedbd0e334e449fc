//! Writing weights: safetensors in either naming, aside first, then renamed; never over an existing file.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::Path;

use candle_core::Tensor;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::Value;

use super::architecture::Architecture;
use super::assemble::transpose;
use super::names::{self, Naming, Origin};
use super::safetensors_file::METADATA_KEY;
use super::{CheckpointError, config};

/// A model to write.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// f32 tensors under open_clip names.
    pub tensors: &'a BTreeMap<String, Tensor>,
    /// What the towers are.
    pub architecture: &'a Architecture,
    /// Names to write.
    pub naming: Naming,
    /// The recipe: how these weights came to be.
    pub record: &'a Value,
    /// `tokenizer.json` to put into a folder.
    pub tokenizer: Option<&'a [u8]>,
}

/// Writes `path`: a file when it ends in `.safetensors`, else a folder with weights, configuration and tokenizer that
/// transformers (`Hf`) or open_clip (`OpenClip`) opens as it is.
///
/// # Errors
/// [`CheckpointError::Exists`] rather than replace anything, and file system errors.
pub fn write(path: &Path, output: Output<'_>) -> Result<(), CheckpointError> {
    if path.exists() {
        return Err(CheckpointError::Exists(path.to_owned()));
    }
    if path.extension().is_some_and(|e| e == "safetensors") {
        return write_file(path, &weights(&output)?);
    }
    let parent = parent_of(path);
    let aside = shared(&mut tempfile::Builder::new(), 0o755).tempdir_in(parent);
    let aside = aside.map_err(|e| CheckpointError::io("make a folder in", parent, e))?;
    let (weights_name, config_name) = match output.naming {
        Naming::Hf => ("model.safetensors", "config.json"),
        Naming::OpenClip => ("open_clip_model.safetensors", "open_clip_config.json"),
    };
    write_file(&aside.path().join(weights_name), &weights(&output)?)?;
    let config = format!("{:#}\n", config::to_json(output.architecture, output.naming));
    write_file(&aside.path().join(config_name), config.as_bytes())?;
    if let Some(tokenizer) = output.tokenizer {
        write_file(&aside.path().join("tokenizer.json"), tokenizer)?;
    }
    std::fs::rename(aside.keep(), path).map_err(|e| CheckpointError::io("finish the folder", path, e))
}

/// Writes beside the target, syncs, and renames without replacing.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let fail = |e| CheckpointError::io("write the file", path, e);
    let mut aside = shared(&mut tempfile::Builder::new(), 0o644).tempfile_in(parent_of(path)).map_err(fail)?;
    aside.write_all(bytes).and_then(|()| aside.as_file().sync_all()).map_err(fail)?;
    aside.persist_noclobber(path).map_err(|e| match e.error.kind() {
        std::io::ErrorKind::AlreadyExists => CheckpointError::Exists(path.to_owned()),
        _ => fail(e.error),
    })?;
    Ok(())
}

/// Temporary files are private by default; what is renamed into place is not.
fn shared<'b, 'p, 's>(builder: &'b mut tempfile::Builder<'p, 's>, mode: u32) -> &'b mut tempfile::Builder<'p, 's> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder.prefix(".clove-")
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Shape and values of tensors by name.
pub type Named = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Writes plain f32 tensors with metadata as a safetensors file.
///
/// # Errors
/// As [`write()`].
pub fn write_tensors(
    path: &Path,
    tensors: &Named,
    metadata: impl IntoIterator<Item = (String, String)>,
) -> Result<(), CheckpointError> {
    write_file(path, &serialise(tensors, metadata)?)
}

/// The bytes of a model's safetensors file.
fn weights(output: &Output<'_>) -> Result<Vec<u8>, CheckpointError> {
    let mut parts = Named::new();
    for (name, tensor) in output.tensors {
        let shape = tensor.dims().to_vec();
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        match names::origin(name, output.naming) {
            Origin::Same(n) => drop(parts.insert(n, (shape, values))),
            Origin::Transposed(n) => {
                let turned = transpose(&values, shape[0], shape[1]);
                parts.insert(n, (vec![shape[1], shape[0]], turned));
            }
            Origin::Stacked(all) => {
                let mut third = shape.clone();
                third[0] /= 3;
                for (n, values) in all.into_iter().zip(values.chunks((values.len() / 3).max(1))) {
                    parts.insert(n, (third.clone(), values.to_vec()));
                }
            }
        }
    }
    // transformers reads files only with "format": "pt".
    serialise(&parts, [("format".to_owned(), "pt".to_owned()), (METADATA_KEY.to_owned(), record(output).to_string())])
}

fn serialise(
    tensors: &Named,
    metadata: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<u8>, CheckpointError> {
    let bytes: Vec<Vec<u8>> = tensors.values().map(|(_, values)| bytes(values)).collect();
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, (shape, _)), bytes)| TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name, view)))
        .collect();
    let metadata: HashMap<_, _> = metadata.into_iter().collect();
    let file = views.and_then(|views| safetensors::serialize(views, Some(metadata)));
    Ok(file.map_err(candle_core::Error::wrap).and_then(|file| sorted_header(&file))?)
}

/// Sorts the header's keys: the crate keeps the metadata in a hash map, and equal weights shall be equal files.
fn sorted_header(file: &[u8]) -> candle_core::Result<Vec<u8>> {
    let (data_start, header) =
        SafeTensors::read_metadata(file).map_err(candle_core::Error::wrap).and_then(|(length, _)| {
            let header = serde_json::from_slice::<Value>(&file[8..8 + length]).map_err(candle_core::Error::wrap)?;
            Ok((8 + length, header))
        })?;
    let mut header = header.to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut sorted = (header.len() as u64).to_le_bytes().to_vec();
    sorted.extend(header);
    sorted.extend(&file[data_start..]);
    Ok(sorted)
}

fn record(output: &Output<'_>) -> Value {
    let mut record = output.record.clone();
    if let Value::Object(map) = &mut record {
        map.insert("architecture".into(), serde_json::to_value(output.architecture).unwrap_or_default());
    }
    record
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}
