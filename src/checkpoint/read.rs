//! Opening a checkpoint: find its files, prove every tensor, copy it out as f32 under open_clip names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use rayon::prelude::*;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde::Serialize;
use sha2::Digest as _;

use super::architecture::Architecture;
use super::config::{self, Known};
use super::names::{self, Naming, Origin};
use super::{CheckpointError, mmap};
use crate::kernels::Activation;

/// The metadata key under which our own files carry their recipe and architecture.
pub(super) const METADATA_KEY: &str = "clove";

/// Largest configuration or tokenizer file that is read (a real `tokenizer.json` has 2 to 4 MB).
const MAX_SIDE_FILE: u64 = 64 << 20;

/// What the caller knows better than the files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Overrides the activation, for weights whose configuration is absent or wrong.
    pub activation: Option<Activation>,
}

/// Where weights came from, for records and for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provenance {
    /// As given by the user, or `demo:base`.
    pub path: PathBuf,
    /// File format.
    pub format: String,
    /// Naming of the tensors in the file.
    pub naming: Naming,
    /// Where the activation was learnt from.
    pub activation_source: String,
    /// Tensors in the file.
    pub tensors: usize,
    /// Element types in the file with their number of tensors.
    pub dtypes: BTreeMap<String, usize>,
    /// SHA-256 of the weights file, hexadecimal.
    pub sha256: String,
}

/// A complete CLIP model in memory: f32 tensors on the CPU under open_clip names.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Every tensor that [`Architecture::tensors`] lists, with that shape.
    pub tensors: BTreeMap<String, Tensor>,
    /// What the towers are.
    pub architecture: Architecture,
    /// Where it came from.
    pub provenance: Provenance,
    /// The bytes of `tokenizer.json` where one lies beside the weights.
    pub tokenizer: Option<Vec<u8>>,
}

/// A checkpoint's files as bytes, for weights that are embedded in the program.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// How messages call it.
    pub name: &'a str,
    /// A safetensors file.
    pub weights: &'a [u8],
    /// Hugging Face's `config.json`.
    pub config: &'a str,
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
}

impl Checkpoint {
    /// Opens a safetensors file, or a folder that holds one with its configuration.
    ///
    /// # Errors
    /// One sentence with the file: unreadable, truncated, not safetensors, not a CLIP model, a wrong shape (naming the
    /// first tensor that differs), values that are not finite, or an activation that nothing tells.
    pub fn open(path: &Path, options: Options) -> Result<Self, CheckpointError> {
        let weights_path = find_weights(path)?;
        let map = mmap::map(&weights_path)?;
        let config = beside(&weights_path, &["config.json", "open_clip_config.json"]);
        let tokenizer = match beside(&weights_path, &["tokenizer.json"]).pop() {
            Some(file) => Some(read_small(&file)?),
            None => None,
        };
        let own = own_metadata(&map);
        let mut checkpoint =
            Self::read(&weights_path, &map, |naming, file| known(own, naming, file, &config, &weights_path, options))?;
        checkpoint.provenance.path = path.to_owned();
        checkpoint.tokenizer = tokenizer;
        Ok(checkpoint)
    }

    /// Reads embedded files in Hugging Face layout.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn from_parts(parts: Parts<'_>) -> Result<Self, CheckpointError> {
        let path = Path::new(parts.name);
        let mut checkpoint = Self::read(path, parts.weights, |_, _| config::from_hf(parts.config, path))?;
        checkpoint.tokenizer = Some(parts.tokenizer.to_vec());
        Ok(checkpoint)
    }

    /// The SHA-256 of the weights file.
    pub fn sha256(&self) -> &str {
        &self.provenance.sha256
    }

    fn read(
        path: &Path,
        bytes: &[u8],
        known: impl FnOnce(Naming, &SafeTensors<'_>) -> Result<Known, CheckpointError>,
    ) -> Result<Self, CheckpointError> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| CheckpointError::format(path, broken(&e, bytes)))?;
        let naming = naming_of(&file).map_err(|reason| CheckpointError::weights(path, reason))?;
        let known = known(naming, &file)?;
        let fail = |reason| CheckpointError::weights(path, reason);
        refuse_unknown(&file, naming, &known.architecture).map_err(fail)?;
        let (tensors, sha256) = rayon::join(
            || read_all(&file, naming, &known.architecture),
            || sha2::Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")),
        );
        let mut dtypes = BTreeMap::new();
        for (_, view) in file.iter() {
            *dtypes.entry(format!("{:?}", view.dtype())).or_insert(0) += 1;
        }
        let provenance = Provenance {
            path: path.to_owned(),
            format: "safetensors".into(),
            naming,
            activation_source: known.activation_source,
            tensors: file.len(),
            dtypes,
            sha256,
        };
        Ok(Self { tensors: tensors.map_err(fail)?, architecture: known.architecture, provenance, tokenizer: None })
    }
}

fn find_weights(path: &Path) -> Result<PathBuf, CheckpointError> {
    let metadata = std::fs::metadata(path).map_err(|e| CheckpointError::io("open the checkpoint", path, e))?;
    if !metadata.is_dir() {
        return Ok(path.to_owned());
    }
    let names = ["model.safetensors", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors"];
    let found = names.iter().map(|name| path.join(name)).find(|file| file.is_file());
    found.ok_or_else(|| CheckpointError::NoWeights(path.to_owned()))
}

fn beside(weights: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| weights.with_file_name(name)).filter(|file| file.is_file()).collect()
}

fn read_small(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let fail = |e| CheckpointError::io("read the file beside the weights", path, e);
    let length = std::fs::metadata(path).map_err(fail)?.len();
    if length > MAX_SIDE_FILE {
        return Err(CheckpointError::format(path, format!("the file has {length} bytes, far more than it should")));
    }
    std::fs::read(path).map_err(fail)
}

/// Architecture and activation: from our own metadata, from the configuration that goes with the naming, or from
/// shapes and the caller's word.
fn known(
    own: Option<Architecture>,
    naming: Naming,
    file: &SafeTensors<'_>,
    config: &[PathBuf],
    weights: &Path,
    options: Options,
) -> Result<Known, CheckpointError> {
    let wanted = if naming == Naming::Hf { "config.json" } else { "open_clip_config.json" };
    let mut known = if let Some(architecture) = own {
        architecture.check().map_err(|reason| CheckpointError::weights(weights, reason))?;
        Known { architecture, activation_source: "the file's own metadata".into() }
    } else if let Some(path) = config.iter().find(|p| p.ends_with(wanted)).or(config.first()) {
        let text = String::from_utf8_lossy(&read_small(path)?).into_owned();
        let parse = if path.ends_with("config.json") { config::from_hf } else { config::from_open_clip };
        parse(&text, path)?
    } else {
        let activation = options.activation.ok_or_else(|| CheckpointError::UnknownActivation(weights.to_owned()))?;
        let shapes = open_clip_shapes(file, naming);
        let architecture =
            config::from_shapes(&shapes, activation).map_err(|reason| CheckpointError::weights(weights, reason))?;
        Known { architecture, activation_source: "--activation".into() }
    };
    if let Some(activation) = options.activation {
        known.architecture.activation = activation;
        known.activation_source = "--activation".into();
    }
    Ok(known)
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
    match error {
        SafeTensorError::MetadataIncompleteBuffer | SafeTensorError::InvalidHeaderLength => {
            if bytes.starts_with(b"PK\x03\x04") || bytes.first() == Some(&0x80) {
                "this is a PyTorch file, not safetensors; save it as safetensors first".into()
            } else if bytes.iter().take(64).all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
                "this is text, not a safetensors file".into()
            } else {
                format!("the file is truncated or damaged: its header promises more than its {} bytes", bytes.len())
            }
        }
        SafeTensorError::HeaderTooLarge | SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeader(_) => {
            if bytes.starts_with(b"PK\x03\x04") {
                "this is a PyTorch file, not safetensors; save it as safetensors first".into()
            } else if bytes.iter().take(64).all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
                "this is text, not a safetensors file".into()
            } else {
                "this is not a safetensors file".into()
            }
        }
        other => format!("this is not a valid safetensors file ({other})"),
    }
}

fn naming_of(file: &SafeTensors<'_>) -> Result<Naming, String> {
    let has = |name: &str| file.tensor(name).is_ok();
    let (vision_hf, text_hf) =
        (has("vision_model.embeddings.class_embedding"), has("text_model.embeddings.token_embedding.weight"));
    if vision_hf && text_hf {
        return Ok(Naming::Hf);
    }
    if vision_hf || text_hf {
        let found = if vision_hf { "image" } else { "text" };
        return Err(format!("the file holds only the {found} tower; both towers are needed"));
    }
    if has("visual.class_embedding") && has("token_embedding.weight") {
        return Ok(Naming::OpenClip);
    }
    let names = file.names();
    let any = |part: &str| names.iter().any(|n| n.contains(part));
    Err(if any("logit_bias") {
        "this is a SigLIP model, which is not supported".into()
    } else if any("visual.trunk.") {
        "the image tower is a timm model, which is not supported".into()
    } else if any("visual.layer1.") {
        "the image tower is a ResNet, which is not supported".into()
    } else if any("text.token_embedding.") {
        "this is an open_clip CustomTextCLIP file, which is not supported yet".into()
    } else {
        format!("this is not a CLIP model: none of its {} tensors is a CLIP tower's", names.len())
    })
}

/// Names of the file that the architecture does not explain are refused: silently dropping weights changes numbers.
fn refuse_unknown(file: &SafeTensors<'_>, naming: Naming, architecture: &Architecture) -> Result<(), String> {
    let mut expected = std::collections::BTreeSet::new();
    for (name, _) in architecture.tensors() {
        match names::origin(&name, naming) {
            Origin::Same(n) | Origin::Transposed(n) => drop(expected.insert(n)),
            Origin::Stacked(all) => expected.extend(all),
        }
    }
    let mut unknown: Vec<_> =
        file.names().into_iter().filter(|n| !expected.contains(*n) && !names::is_ignored(n)).collect();
    unknown.sort_unstable();
    match unknown.first() {
        None => Ok(()),
        Some(first) => Err(format!(
            "the file holds {} tensors that its configuration does not explain, the first is '{first}'",
            unknown.len()
        )),
    }
}

/// Shapes by open_clip name as far as the file's names can be translated.
fn open_clip_shapes(file: &SafeTensors<'_>, naming: Naming) -> BTreeMap<String, Vec<usize>> {
    if naming == Naming::OpenClip {
        return file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec())).collect();
    }
    // Hugging Face names of a model without configuration: ask for every name that a model of many layers could have.
    let layers = file.names().len().min(256);
    let probe = super::Tower { width: 1, layers, heads: 1, mlp_width: 1 };
    let mut shapes = BTreeMap::new();
    let named = Architecture {
        image_size: 1,
        patch_size: 1,
        vision: probe,
        text: probe,
        context_length: 1,
        vocab_size: 1,
        embed_dim: 1,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
        end_of_text: 0,
    };
    for (name, _) in named.tensors() {
        let shape_of = |n: &str| file.tensor(n).ok().map(|view| view.shape().to_vec());
        let shape = match names::origin(&name, naming) {
            Origin::Same(n) => shape_of(&n),
            Origin::Transposed(n) => shape_of(&n).map(|s| s.into_iter().rev().collect()),
            Origin::Stacked([q, ..]) => shape_of(&q).map(|mut s| {
                if let Some(rows) = s.first_mut() {
                    *rows = rows.saturating_mul(3);
                }
                s
            }),
        };
        shapes.extend(shape.map(|shape| (name, shape)));
    }
    shapes
}

fn read_all(
    file: &SafeTensors<'_>,
    naming: Naming,
    architecture: &Architecture,
) -> Result<BTreeMap<String, Tensor>, String> {
    let read = |(name, shape): (String, Vec<usize>)| {
        let tensor = read_one(file, &names::origin(&name, naming), &shape)?;
        Ok((name, tensor))
    };
    architecture.tensors().into_par_iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn read_one(file: &SafeTensors<'_>, origin: &Origin, shape: &[usize]) -> Result<Tensor, String> {
    let part = |name: &str, shape: &[usize]| -> Result<Vec<f32>, String> {
        let view = file.tensor(name).map_err(|_| format!("the tensor '{name}' is missing"))?;
        // A logit scale may be stored as one number or as a list of one.
        let fits = view.shape() == shape || (shape.is_empty() && view.shape() == [1]);
        if !fits {
            return Err(format!("the tensor '{name}' has shape {:?} and should have {shape:?}", view.shape()));
        }
        floats(name, &view)
    };
    let values = match origin {
        Origin::Same(name) => part(name, shape)?,
        Origin::Transposed(name) => {
            let [rows, columns] = *shape else { return Err(format!("'{name}' should be a matrix")) };
            transpose(&part(name, &[columns, rows])?, columns, rows)
        }
        Origin::Stacked(all) => {
            let mut third = shape.to_vec();
            third[0] /= 3;
            let mut values = Vec::with_capacity(shape.iter().product());
            for name in all {
                values.extend(part(name, &third)?);
            }
            values
        }
    };
    Tensor::from_vec(values, shape, &Device::Cpu).map_err(|e| e.to_string())
}

/// Transposes a row-major `[rows, columns]` matrix.
pub(super) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| values[r * columns + c])).collect()
}

/// Widens to f32 (exact for F16 and BF16) and refuses what is not finite.
fn floats(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let data = view.data();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => data.as_chunks::<2>().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => data.as_chunks::<2>().0.iter().map(|b| half::bf16::from_le_bytes(*b).to_f32()).collect(),
        other => return Err(format!("the tensor '{name}' is stored as {other:?}; F32, F16 and BF16 are supported")),
    };
    match values.iter().filter(|v| !v.is_finite()).count() {
        0 => Ok(values),
        n => Err(format!("the tensor '{name}' holds {n} values that are not finite (NaN or infinite)")),
    }
}
