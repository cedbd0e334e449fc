//! Jobs for Slurm.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::output;
use crate::jobs::{self, Runs, Slurm};

#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// The recipe
    #[arg(value_name = "RECIPE.toml")]
    recipe: PathBuf,
    /// Print the script and submit nothing
    #[arg(long)]
    show: bool,
    /// sbatch, or a program that takes its place
    #[arg(long, value_name = "PROGRAM", default_value = "sbatch")]
    sbatch: PathBuf,
    /// Partition
    #[arg(long, default_value = "")]
    partition: String,
    /// Account
    #[arg(long, default_value = "")]
    account: String,
    /// Such as gpu:1
    #[arg(long, default_value = "")]
    gres: String,
    /// Time limit, such as 08:00:00; the job saves before it and goes on in another turn
    #[arg(long, default_value = "")]
    time: String,
    /// Another option of sbatch, such as --mem=32G; may be given several times
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    option: Vec<String>,
    /// A line of shell before the worker, such as 'module load cuda'; may be given several times
    #[arg(long, value_name = "LINE")]
    before: Vec<String>,
    /// clove as the nodes see it; this program when absent
    #[arg(long, value_name = "PROGRAM")]
    worker: Option<PathBuf>,
    /// Where the worker computes
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

pub fn run(runs: &Runs, args: &SubmitArgs, as_json: bool) -> anyhow::Result<()> {
    let recipe = jobs::read_recipe(&args.recipe)?;
    let worker = args.worker.clone().map_or_else(std::env::current_exe, Ok)?;
    let slurm = Slurm {
        sbatch: args.sbatch.clone(),
        partition: args.partition.clone(),
        account: args.account.clone(),
        gres: args.gres.clone(),
        time: args.time.clone(),
        options: args.option.clone(),
        before: args.before.clone(),
        worker,
        device: args.device.clone(),
    };
    if args.show {
        let script = slurm.script(&recipe.name, &runs.folder().join("RUN"))?;
        return output::text(script.trim_end());
    }
    let submitted = slurm.submit(runs, &recipe)?;
    if as_json {
        return output::json(&json!({ "id": submitted.id, "slurm_job": submitted.number }));
    }
    output::text(&format!("{} is job {} of Slurm", submitted.id, submitted.number))
}
