//! `clove fetch`: download a checkpoint, because the user asks for it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::output::{self, Progress};
use super::stop::{Stop, Stopped};
use crate::fetch::{self, Advance, FetchError, Fetched, Source};

#[derive(Debug, Args)]
pub struct FetchArgs {
    /// hf:OWNER/NAME[@REVISION] for a model of the Hugging Face hub, or the address of a weights file
    #[arg(value_name = "SOURCE")]
    source: Source,
    /// Folder to put it in; without it the cache folder, where the same SOURCE then stands for CKPT
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What the file's SHA-256 must be (first digits are enough), where its address does not tell
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub fn run(args: &FetchArgs) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let mut progress: Option<(String, Progress)> = None;
    let mut go_on = |advance: &Advance<'_>| {
        if progress.as_ref().is_none_or(|(name, _)| name != advance.name) {
            let size = advance.total.map_or("of unknown size".into(), |total| format!("{:.1} MB", mb(total)));
            output::note(&format!("fetching {}, {size}", advance.name));
            progress = Some((advance.name.to_owned(), Progress::new(format!("fetching {}", advance.name))));
        }
        if let (Some((_, progress)), Some(total)) = (&mut progress, advance.total) {
            let (done, all) = (advance.done - advance.before, total - advance.before);
            let detail = format!(", {:.1} of {:.1} MB", mb(advance.done), mb(total));
            progress.at(done as f64 / all.max(1) as f64, &detail);
        }
        !stop.is_asked()
    };
    let fetched = match fetch::fetch(&args.source, args.out.as_deref(), args.sha256.as_deref(), &mut go_on) {
        Err(FetchError::Stopped) => return Err(Stopped.into()),
        other => other?,
    };
    if args.json {
        let Fetched { path, files, commit, was_there } = &fetched;
        return output::json(&json!({ "path": path, "commit": commit, "files": files, "was_there": was_there }));
    }
    for file in &fetched.files {
        let compared = if file.compared { "as published" } else { "none is published to compare with" };
        output::note(&format!("{}: {:.1} MB, SHA-256 {} ({compared})", file.name, mb(file.bytes), file.sha256));
    }
    let state = if fetched.was_there { "was there already" } else { "is there" };
    output::note(&format!("{} {state}: {}", args.source, fetched.path.display()));
    let name = if args.out.is_some() { fetched.path.display().to_string() } else { args.source.to_string() };
    output::text(&name)
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
