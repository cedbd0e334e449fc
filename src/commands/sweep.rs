//! `clove sweep`: score benchmarks over alpha.

use clap::Args;

use super::evaluate::{DataArgs, Run};
use super::model::{DeviceArgs, PairArgs};
use super::output::Progress;
use super::usage;
use crate::evaluate::{AlphaRange, coarse_to_fine};
use crate::patch::AlphaMap;

#[derive(Debug, Args)]
pub struct SweepArgs {
    #[command(flatten)]
    pair: PairArgs,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
    /// from:to:step, or a list
    #[arg(long, value_name = "RANGE", default_value = "0:1:0.05")]
    alphas: AlphaRange,
    /// Every alpha of the image tower with every alpha of the text tower
    #[arg(long)]
    grid: bool,
}

pub fn run(args: &SweepArgs) -> anyhow::Result<()> {
    if args.pair.tuned.is_none() {
        return Err(usage("a sweep needs two checkpoints; add --tuned CKPT"));
    }
    let order = visits(args);
    let mut run = Run::new(&args.pair.open()?, AlphaMap::BASE, &args.device, &args.data)?;
    if args.grid {
        run.keep_texts();
    }
    let mut progress = Progress::new("sweeping");
    let mut rows = Vec::new();
    for (done, alpha) in order.iter().enumerate() {
        let detail = format!(", {done} of {} alphas done", order.len());
        let visited = run.at(*alpha, &mut |share| progress.at((done as f64 + share) / order.len() as f64, &detail))?;
        run.store(&args.data, &visited)?;
        rows.push((*alpha, visited));
    }
    rows.sort_by_key(|(alpha, _)| *alpha);
    let rows: Vec<_> = rows.into_iter().flat_map(|(_, rows)| rows).collect();
    run.print(&args.data, &rows)
}

/// Coarse to fine; in a grid, all text alphas for one image alpha, whose embeddings then stay.
fn visits(args: &SweepArgs) -> Vec<AlphaMap> {
    let line = coarse_to_fine(&args.alphas.0);
    if !args.grid {
        return line.into_iter().map(AlphaMap::one).collect();
    }
    line.iter().flat_map(|image| line.iter().map(|text| AlphaMap::towers(*image, *text))).collect()
}
