//! `clove demo data` and `clove demo train`: the scene world on disk, and the pair that is trained on it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;

use super::model::DeviceArgs;
use super::output::{self, Progress};
use crate::demo::render::DEFAULT_SIZE;
use crate::demo::sets::Sets;
use crate::demo::{self, Advance, Plan};
use crate::device;

#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Write the scene world's evaluation sets in the published formats
    Data {
        /// A folder to make
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// The smaller sets for choosing training settings, drawn apart from the evaluation sets
        #[arg(long)]
        validation: bool,
    },
    /// Train both checkpoints of the pair from nothing; finished parts in DIR are kept
    Train {
        /// Folder that gets base/, stage-1/ and so on, and tuned/
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Both recipes as TOML, instead of those that made the embedded pair
        #[arg(long, value_name = "FILE.toml")]
        plan: Option<PathBuf>,
        #[command(flatten)]
        device: DeviceArgs,
    },
}

pub fn run(command: &DemoCommand) -> anyhow::Result<()> {
    match command {
        DemoCommand::Data { out, validation } => {
            let sets = if *validation { Sets::validation() } else { Sets::evaluation() };
            let mut progress = Progress::new("drawing scenes");
            demo::write::write(out, &sets, DEFAULT_SIZE, &mut |done, total| {
                progress.at(done as f64 / total as f64, "");
                true
            })?;
            output::note(&format!(
                "wrote {} scenes; try: clove evaluate --base demo:base --benchmark folder --data {}",
                sets.scenes.len(),
                out.display()
            ));
            Ok(())
        }
        DemoCommand::Train { out, plan, device } => {
            let plan = match plan {
                Some(path) => {
                    let text = std::fs::read_to_string(path)
                        .with_context(|| format!("cannot read the plan: {}", path.display()))?;
                    toml::from_str(&text).with_context(|| format!("the plan cannot be used: {}", path.display()))?
                }
                None => Plan::embedded()?,
            };
            let mut progress = Progress::new("training base");
            demo::train(out, &plan, &device::open(device.device)?, &mut |advance: &Advance<'_>| {
                if advance.step == 1 {
                    progress = Progress::new(format!("training {}", advance.phase));
                }
                let detail = format!(
                    ", step {} of {}, loss {:.3}, {:.2} s a step",
                    advance.step,
                    advance.steps,
                    advance.loss,
                    advance.seconds / advance.step as f64
                );
                progress.at(advance.step as f64 / advance.steps as f64, &detail);
                true
            })?;
            output::note(&format!("wrote the pair: {}", out.display()));
            Ok(())
        }
    }
}
