//! The models that the tests share: the golden ones of `training/reference/towers.py`, and random ones made by code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use clove::checkpoint::{
    Architecture, Checkpoint, CheckpointError, Naming, Options, Output, Provenance, Tower, Weight, write,
};
use clove::clip::preprocess;
use clove::kernels::Activation;
use serde::Deserialize;
use serde_json::{Value, json};

/// What the reference computed for a golden folder.
#[derive(Deserialize)]
pub struct Golden {
    images: Vec<String>,
    pub tokens: Vec<Vec<u32>>,
    pub image_features: Vec<Vec<f32>>,
    pub text_features: Vec<Vec<f32>>,
    pub image_embeddings: Vec<Vec<f32>>,
    pub text_embeddings: Vec<Vec<f32>>,
    pub logit_scale: f32,
    pub logits_per_image: Vec<Vec<f32>>,
}

pub fn golden_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A folder of `tests/golden/towers`.
pub fn folder(name: &str) -> PathBuf {
    golden_root().join("towers").join(name)
}

pub fn open(name: &str) -> Checkpoint {
    Checkpoint::open(&folder(name), Options::default()).unwrap()
}

impl Golden {
    pub fn of(name: &str) -> Self {
        serde_json::from_slice(&std::fs::read(folder(name).join("golden.json")).unwrap()).unwrap()
    }

    pub fn image_paths(&self) -> Vec<PathBuf> {
        self.images.iter().map(|name| golden_root().join("images").join(name)).collect()
    }

    pub fn pixels(&self, size: usize) -> Vec<Vec<u8>> {
        let read = |path: &PathBuf| preprocess::preprocess(&preprocess::read(path).unwrap(), size as u32);
        self.image_paths().iter().map(read).collect()
    }
}

/// Slices of owned rows.
pub fn rows<T>(owned: &[Vec<T>]) -> Vec<&[T]> {
    owned.iter().map(Vec::as_slice).collect()
}

/// The smallest architecture that has everything; its vocabulary is that of [`tokenizer`].
pub fn small() -> Architecture {
    Architecture {
        image_size: 16,
        patch_size: 8,
        vision: Tower { width: 24, layers: 2, heads: 3, mlp_width: 48 },
        text: Tower { width: 16, layers: 2, heads: 2, mlp_width: 40 },
        context_length: 24,
        vocab_size: 1514,
        embed_dim: 12,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
        end_of_text: 1513,
    }
}

/// A `tokenizer.json` with OpenAI's first thousand merges.
pub fn tokenizer() -> Vec<u8> {
    std::fs::read(golden_root().join("small_tokenizer/tokenizer.json")).unwrap()
}

/// Random weights that differ by `seed`, off every default, with the tokenizer beside them.
pub fn random(architecture: Architecture, seed: u64) -> Checkpoint {
    architecture.check().unwrap();
    let mut draw = Draw(seed + 1);
    let mut weights = BTreeMap::new();
    for (name, shape) in architecture.tensors() {
        let n = shape.iter().product::<usize>();
        let (centre, spread) = match name.as_str() {
            "logit_scale" => (2.5, 0.2),
            n if n.contains("ln_") && n.ends_with("weight") => (1.0, 0.4),
            _ if shape.len() > 1 => (0.0, 2.0 / (n as f32 / shape[0] as f32).sqrt()),
            _ => (0.0, 0.5),
        };
        let values: Vec<f32> = (0..n).map(|_| centre + spread * (2.0 * draw.unit() - 1.0)).collect();
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        weights.insert(name, Weight::from_tensor(&tensor).unwrap());
    }
    let provenance = Provenance {
        path: format!("random {seed}").into(),
        format: "random".into(),
        naming: Naming::OpenClip,
        activation_source: "chosen".into(),
        tensors: weights.len(),
        dtypes: BTreeMap::new(),
        sha256: format!("{seed}").into(),
    };
    Checkpoint { weights, architecture, provenance, tokenizer: Some(tokenizer()) }
}

/// Writes a checkpoint, a folder or a file, as `write` does.
pub fn save(checkpoint: &Checkpoint, path: &Path, naming: Naming) {
    try_save(checkpoint, path, naming, &json!({ "operation": "test" })).unwrap();
}

pub fn try_save(checkpoint: &Checkpoint, path: &Path, naming: Naming, record: &Value) -> Result<(), CheckpointError> {
    let (tensors, architecture) = (&checkpoint.tensors()?, &checkpoint.architecture);
    write(path, Output { tensors, architecture, naming, record, tokenizer: checkpoint.tokenizer.as_deref() })
}

/// A tensor's values.
pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// A tensor's values as bits: what equality means where it must be exact.
pub fn bits(tensor: &Tensor) -> Vec<u32> {
    values(tensor).into_iter().map(f32::to_bits).collect()
}

/// Fails with the first tensor whose name, shape or bits differ.
pub fn assert_same_tensors(left: &BTreeMap<String, Tensor>, right: &BTreeMap<String, Tensor>) {
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (name, tensor) in left {
        assert_eq!(tensor.dims(), right[name].dims(), "{name}");
        assert!(bits(tensor) == bits(&right[name]), "{name} differs");
    }
}

/// Splitmix64: reproducible draws without a crate's version in them.
pub struct Draw(pub u64);

impl Draw {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }
}
