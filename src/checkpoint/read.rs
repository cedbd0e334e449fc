//! Opening a checkpoint: find its files, prove every tensor, offer it as f32 under open_clip names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::architecture::Architecture;
use super::config::{self, Known};
use super::files::{self, Files};
use super::hash::Sha256;
use super::mmap::Mapped;
use super::names::{self, Naming};
use super::stored::Weights;
use super::weight::Weight;
use super::{CheckpointError, assemble, releases, safetensors_file, torch};
use crate::kernels::Activation;

/// What the caller knows better than the files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Overrides the activation, for weights whose configuration is absent or wrong.
    pub activation: Option<Activation>,
}

/// Where weights came from, for records and for people.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// As given by the user, or `demo:base`.
    pub path: PathBuf,
    /// File format: `safetensors`, `pytorch` (a pickle in a zip archive) or `torchscript`.
    pub format: String,
    /// Naming of the tensors in the file.
    pub naming: Naming,
    /// Where the activation was learnt from.
    pub activation_source: String,
    /// Tensors in the file.
    pub tensors: usize,
    /// Element types in the file with their number of tensors.
    pub dtypes: BTreeMap<String, usize>,
    /// SHA-256 of the weights file, hexadecimal; of its shards one after the other, in the order of their names.
    pub sha256: Sha256,
}

/// A complete CLIP model: f32 tensors under open_clip names.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Every tensor that [`Architecture::tensors`] lists, with that shape.
    pub weights: BTreeMap<String, Weight>,
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
    /// A weights file of any format.
    pub weights: &'a [u8],
    /// Hugging Face's `config.json`.
    pub config: &'a str,
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
}

/// A weights file: what messages call it, and its bytes.
type File<'a> = (&'a Path, &'a [u8]);

impl Checkpoint {
    /// Opens a weights file (safetensors, PyTorch or TorchScript), an index of shards, or a folder that holds one of
    /// them, with the configuration beside it.
    ///
    /// The activation comes from the options, else our own metadata, else the configuration, else from knowing the
    /// release; it is never guessed.
    ///
    /// # Errors
    /// One sentence with the file: unreadable, truncated, of another format, not a CLIP model or one that is not
    /// supported, a wrong shape (naming the first tensor that differs), values that are not finite, or an activation
    /// that nothing tells.
    pub fn open(path: &Path, options: Options) -> Result<Self, CheckpointError> {
        let files = Files::find(path)?;
        let maps: Result<Vec<_>, _> = files.weights.iter().map(|file| Mapped::open(file).map(Arc::new)).collect();
        let maps = maps?;
        let config = files.beside(&["config.json", "open_clip_config.json"]);
        let tokenizer = match files.beside(&["tokenizer.json"]).pop() {
            Some(file) => Some(files::read_small(&file)?),
            None => None,
        };
        let weights: Vec<_> =
            files.weights.iter().map(PathBuf::as_path).zip(maps.iter().map(|map| map.bytes())).collect();
        let mut checkpoint = Self::read(&files.main, (&weights, &maps), options, |naming| from_files(&config, naming))?;
        path.clone_into(&mut checkpoint.provenance.path);
        checkpoint.tokenizer = tokenizer;
        Ok(checkpoint)
    }

    /// Reads a weights file that is in memory already and has no configuration; `name` is what messages call it.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn from_bytes(name: &Path, bytes: &[u8], options: Options) -> Result<Self, CheckpointError> {
        Self::read(name, (&[(name, bytes)], &[]), options, |_| Ok(None))
    }

    /// Reads embedded files in Hugging Face layout.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn from_parts(parts: Parts<'_>) -> Result<Self, CheckpointError> {
        let path = Path::new(parts.name);
        let config = |_| config::from_json(parts.config, Naming::Hf, path).map(Some);
        let mut checkpoint = Self::read(path, (&[(path, parts.weights)], &[]), Options::default(), config)?;
        checkpoint.tokenizer = Some(parts.tokenizer.to_vec());
        Ok(checkpoint)
    }

    /// Keeps the first `context` text positions, of at least so many.
    pub fn cut_context(&mut self, context: usize) {
        if let Some(table) = self.weights.get_mut("positional_embedding") {
            *table = table.first_rows(context);
        }
        self.architecture.context_length = context;
    }

    /// The SHA-256 of the weights file; of a large one it takes a moment when it is first asked for.
    pub fn sha256(&self) -> &str {
        self.provenance.sha256.get()
    }

    /// Every tensor, copied to the CPU in f32.
    ///
    /// # Errors
    /// Want of memory.
    pub fn tensors(&self) -> candle_core::Result<BTreeMap<String, Tensor>> {
        let copy = |(name, weight): (&String, &Weight)| Ok((name.clone(), weight.to_tensor(&Device::Cpu)?));
        self.weights.par_iter().map(copy).collect::<Vec<_>>().into_iter().collect()
    }

    /// `main` is what messages name, `files` come with their maps where they are mapped; `config` finds the configuration
    /// for a naming.
    fn read(
        main: &Path,
        (files, maps): (&[File<'_>], &[Arc<Mapped>]),
        options: Options,
        config: impl FnOnce(Naming) -> Result<Option<Known>, CheckpointError>,
    ) -> Result<Self, CheckpointError> {
        let fail = |reason| CheckpointError::weights(main, reason);
        let mut weights = merge(files)?;
        let dtypes = dtypes(&weights);
        let tensors = weights.tensors.len();
        weights.tensors = names::unwrap(weights.tensors).map_err(fail)?;
        let naming = names::naming_of(&weights.tensors).map_err(fail)?;
        let (mut architecture, mut activation_source) = known(main, &weights, naming, config)?;
        let read = assemble::read_all((&weights.tensors, maps), naming, &architecture).map_err(fail)?;
        let sha256 = match files {
            [(_, bytes)] if maps.is_empty() => Sha256::of_bytes(bytes),
            _ => Sha256::of_files(maps.to_vec()),
        };
        if let Some(activation) = options.activation {
            (architecture.activation, activation_source) = (activation, Some("--activation".into()));
        } else if activation_source.is_none() {
            let file = main.file_name().unwrap_or_default().to_string_lossy();
            let found = releases::activation(sha256.get(), &file, &architecture).or_else(|| of_openai(&weights));
            let (activation, source) = found.ok_or_else(|| CheckpointError::UnknownActivation(main.to_owned()))?;
            (architecture.activation, activation_source) = (activation, Some(source));
        }
        let provenance = Provenance {
            path: main.to_owned(),
            format: weights.format.into(),
            naming,
            activation_source: activation_source.unwrap_or_default(),
            tensors,
            dtypes,
            sha256,
        };
        Ok(Self { weights: read, architecture, provenance, tokenizer: None })
    }
}

/// The tensors of every file, each by what its first bytes say it is.
fn merge<'a>(files: &[(&Path, &'a [u8])]) -> Result<Weights<'a>, CheckpointError> {
    let mut merged: Option<Weights<'a>> = None;
    for (path, bytes) in files {
        let read = if torch::is_zip(bytes) { torch::read(bytes) } else { safetensors_file::read(bytes) };
        let read = read.map_err(|reason| CheckpointError::format(path, reason))?;
        match &mut merged {
            None => merged = Some(read),
            Some(merged) => merged.tensors.extend(read.tensors),
        }
    }
    merged.ok_or_else(|| CheckpointError::NoWeights(PathBuf::new()))
}

fn dtypes(weights: &Weights<'_>) -> BTreeMap<String, usize> {
    let mut dtypes = BTreeMap::new();
    for tensor in weights.tensors.values() {
        *dtypes.entry(format!("{:?}", tensor.dtype)).or_insert(0) += 1;
    }
    dtypes
}

/// The configuration that goes with the naming. A `config.json` beside open_clip's names counts only where it is one of
/// transformers: timm's repositories have another file of that name.
fn from_files(config: &[PathBuf], naming: Naming) -> Result<Option<Known>, CheckpointError> {
    let text = |path: &Path| Ok::<_, CheckpointError>(String::from_utf8_lossy(&files::read_small(path)?).into_owned());
    let hf = config.iter().find(|path| path.ends_with("config.json"));
    let open_clip = config.iter().find(|path| path.ends_with("open_clip_config.json"));
    let (path, kind) = match (naming, hf, open_clip) {
        (Naming::OpenClip, _, Some(path)) | (Naming::Hf, None, Some(path)) => (path, Naming::OpenClip),
        (_, Some(path), _) => (path, Naming::Hf),
        (_, None, None) => return Ok(None),
    };
    let text = text(path)?;
    if naming == Naming::OpenClip && kind == Naming::Hf && !config::describes_hf(&text) {
        return Ok(None);
    }
    config::from_json(&text, kind, path).map(Some)
}

/// Architecture, and where its activation was learnt: from our own metadata, or from the configuration. From shapes
/// alone the activation stays open.
fn known(
    main: &Path,
    weights: &Weights<'_>,
    naming: Naming,
    config: impl FnOnce(Naming) -> Result<Option<Known>, CheckpointError>,
) -> Result<(Architecture, Option<String>), CheckpointError> {
    let fail = |reason| CheckpointError::weights(main, reason);
    if let Some(architecture) = weights.own {
        architecture.check().map_err(fail)?;
        return Ok((architecture, Some("the file's own metadata".into())));
    }
    if let Some(known) = config(naming)? {
        return Ok((known.architecture, Some(known.activation_source)));
    }
    let shapes = assemble::open_clip_shapes(&weights.tensors, naming);
    // Of the two, any: nothing but the caller's word or the release decides.
    let architecture = config::from_shapes(&shapes, Activation::QuickGelu).map_err(fail)?;
    Ok((architecture, None))
}

fn of_openai(weights: &Weights<'_>) -> Option<(Activation, String)> {
    let source = "the TorchScript archive of an OpenAI release".to_owned();
    weights.is_openai.then_some((Activation::QuickGelu, source))
}
