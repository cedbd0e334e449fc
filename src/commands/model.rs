//! The arguments that name a model, and how they become one.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::usage;
use crate::checkpoint::{Checkpoint, Options};
use crate::demo;
use crate::device::{self, DeviceChoice};
use crate::evaluate::{Encoder, warm_tokenizer};
use crate::kernels::Activation;
use crate::patch::{Alpha, AlphaMap, Pair};

/// One checkpoint, or two.
#[derive(Debug, Args)]
pub struct PairArgs {
    /// Pre-trained checkpoint (alpha 0)
    #[arg(long, value_name = "CKPT")]
    pub base: PathBuf,
    /// Fine-tuned checkpoint (alpha 1)
    #[arg(long, value_name = "CKPT")]
    pub tuned: Option<PathBuf>,
    /// quick-gelu or gelu, where the files do not tell
    #[arg(long)]
    pub activation: Option<Activation>,
}

/// Where between them.
#[derive(Debug, Args)]
pub struct AlphaArgs {
    /// 0 is base, 1 is tuned
    #[arg(long, value_name = "A")]
    pub alpha: Option<Alpha>,
    /// The image tower's own alpha
    #[arg(long, value_name = "A")]
    pub alpha_image: Option<Alpha>,
    /// The text tower's own alpha
    #[arg(long, value_name = "A")]
    pub alpha_text: Option<Alpha>,
}

/// On which device.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// auto, cpu, cuda or metal
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
}

impl PairArgs {
    /// Opens base, and tuned where it was given.
    pub fn open(&self) -> anyhow::Result<Pair> {
        warm_tokenizer();
        let options = Options { activation: self.activation };
        let open = |path: &PathBuf| demo::open(path, options);
        let Some(tuned) = &self.tuned else {
            return Ok(Pair::single(open(&self.base).context("base cannot be opened")?));
        };
        let (base, tuned) = rayon::join(|| open(&self.base), || open(tuned));
        let (base, tuned) = (base.context("base cannot be opened")?, tuned.context("tuned cannot be opened")?);
        Ok(Pair::new(base, tuned)?)
    }

    /// Refuses two checkpoints without an alpha, and an alpha without two checkpoints: neither has one obvious meaning.
    pub fn alpha(&self, args: &AlphaArgs) -> anyhow::Result<AlphaMap> {
        let given = args.alpha.or(args.alpha_image).or(args.alpha_text).is_some();
        match (&self.tuned, given) {
            (None, false) => Ok(AlphaMap::BASE),
            (None, true) => Err(usage("an alpha needs two checkpoints; add --tuned CKPT")),
            (Some(_), false) => Err(usage("two checkpoints need an alpha; add --alpha A (0 is base, 1 is tuned)")),
            (Some(_), true) => args.map(),
        }
    }
}

impl AlphaArgs {
    /// `--alpha` for both towers, each overridden by its own; one tower alone leaves the other undefined.
    fn map(&self) -> anyhow::Result<AlphaMap> {
        match (self.alpha_image.or(self.alpha), self.alpha_text.or(self.alpha)) {
            (Some(image), Some(text)) => Ok(AlphaMap::towers(image, text)),
            _ => Err(usage("say both --alpha-image and --alpha-text, or --alpha for the other tower")),
        }
    }
}

/// An encoder at this alpha.
pub fn encoder(pair: &Pair, alpha: AlphaMap, device: &DeviceArgs) -> anyhow::Result<Encoder> {
    let mut encoder = Encoder::new(pair, &device::open(device.device)?)?;
    encoder.set(alpha)?;
    Ok(encoder)
}

/// `{"image": …, "text": …}`.
pub fn alpha_json(alpha: AlphaMap) -> Value {
    json!({ "image": alpha.image(), "text": alpha.text() })
}

/// A checkpoint's identity for records.
pub fn identity(checkpoint: &Checkpoint) -> Value {
    json!({ "path": checkpoint.provenance.path, "sha256": checkpoint.sha256() })
}
