//! `clove patch`: blend two checkpoints into one.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::model::{AlphaArgs, PairArgs, alpha_json, identity};
use super::{output, usage};
use crate::checkpoint::{self, Naming, Output};
use crate::device::{self, DeviceChoice};
use crate::patch::Patch;

#[derive(Debug, Args)]
pub struct PatchArgs {
    #[command(flatten)]
    pair: PairArgs,
    #[command(flatten)]
    alpha: AlphaArgs,
    /// A .safetensors file, or a folder to make with weights, configuration and tokenizer
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,
    /// Whose names the tensors get; base's own when absent
    #[arg(long)]
    naming: Option<NamingArg>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NamingArg {
    Hf,
    OpenClip,
}

pub fn run(args: &PatchArgs) -> anyhow::Result<()> {
    if args.pair.tuned.is_none() {
        return Err(usage("a patch needs two checkpoints; add --tuned CKPT"));
    }
    let alpha = args.pair.alpha(&args.alpha)?;
    let pair = args.pair.open()?;
    let mut patch = Patch::new(&pair, &device::open(DeviceChoice::Cpu)?)?;
    patch.set(alpha)?;
    let naming = match args.naming {
        Some(NamingArg::Hf) => Naming::Hf,
        Some(NamingArg::OpenClip) => Naming::OpenClip,
        None => pair.base.provenance.naming,
    };
    let record = json!({
        "made_by": concat!("clove ", env!("CARGO_PKG_VERSION")), "operation": "patch", "alpha": alpha_json(alpha),
        "base": identity(&pair.base), "tuned": identity(&pair.tuned),
    });
    let (tensors, tokenizer) = (patch.tensors(), pair.base.tokenizer.as_deref());
    let (architecture, record) = (patch.architecture(), &record);
    checkpoint::write(&args.out, Output { tensors: &tensors, architecture, naming, record, tokenizer })?;
    for remark in &pair.remarks {
        output::note(remark);
    }
    output::note(&format!("wrote the patch at alpha {alpha} ({naming}): {}", args.out.display()));
    Ok(())
}
