//! `clove inspect`: what a checkpoint is.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::output;
use crate::checkpoint::Options;
use crate::demo;
use crate::kernels::Activation;

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// File, folder, demo:base or demo:tuned
    #[arg(value_name = "CKPT")]
    checkpoint: PathBuf,
    /// quick-gelu or gelu, where the files do not tell
    #[arg(long)]
    activation: Option<Activation>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let checkpoint = demo::open(&args.checkpoint, Options { activation: args.activation })?;
    let (a, p) = (&checkpoint.architecture, &checkpoint.provenance);
    if args.json {
        let tower = |t: &crate::checkpoint::Tower| json!({ "width": t.width, "layers": t.layers, "heads": t.heads });
        return output::json(&json!({
            "format": p.format, "naming": p.naming, "activation": a.activation,
            "activation_source": p.activation_source, "image_size": a.image_size, "patch_size": a.patch_size,
            "context_length": a.context_length, "embed_dim": a.embed_dim, "vision": tower(&a.vision),
            "text": tower(&a.text), "parameters": a.parameters(), "tensors": p.tensors, "dtypes": p.dtypes,
            "sha256": p.sha256.get(),
        }));
    }
    let dtypes: Vec<String> = p.dtypes.iter().map(|(dtype, n)| format!("{n} {dtype}")).collect();
    let lines = [
        ("file", p.path.display().to_string()),
        ("format", format!("{}, {}", p.format, p.naming)),
        ("architecture", a.summary()),
        ("heads", format!("{} image, {} text", a.vision.heads, a.text.heads)),
        ("activation", format!("{} (from {})", a.activation, p.activation_source)),
        ("context", format!("{} tokens", a.context_length)),
        ("vocabulary", format!("{} tokens", a.vocab_size)),
        ("parameters", a.parameters().to_string()),
        ("tensors", format!("{} ({})", p.tensors, dtypes.join(", "))),
        ("sha256", p.sha256.get().to_owned()),
    ];
    let lines = lines.map(|(name, value)| format!("{name:<13} {value}"));
    output::text(&lines.join("\n"))
}
