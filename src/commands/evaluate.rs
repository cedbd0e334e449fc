//! `clove evaluate`: score benchmarks at one alpha.

use clap::Args;

use super::model::{AlphaArgs, DeviceArgs, PairArgs};
use super::output::Progress;
use super::scored::{DataArgs, Purpose, Run};

#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    pair: PairArgs,
    #[command(flatten)]
    alpha: AlphaArgs,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
}

pub fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let alpha = args.pair.alpha(&args.alpha)?;
    let mut run = Run::new(&args.pair, &args.device, &args.data, Purpose::One)?;
    let mut progress = Progress::new("evaluating");
    let rows = run.at(alpha, &mut |share| progress.at(share, ""))?;
    run.workload.forget(&[alpha]);
    run.print(&args.data, &rows)
}
