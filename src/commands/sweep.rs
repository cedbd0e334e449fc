//! `clove sweep`: score benchmarks over alpha, at once or in the shards of a cluster's job array.

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::model::{DeviceArgs, PairArgs};
use super::output::{self, Progress};
use super::scored::{DataArgs, Printed, Purpose, Run};
use super::stop::Stopped;
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
    /// Do the K-th of N parts, any number at a time, and store what --merge needs
    #[arg(long, value_name = "K/N", requires = "results")]
    shard: Option<Shard>,
    /// Score what all shards stored; refuse while something is missing
    #[arg(long, requires = "results", conflicts_with = "shard")]
    merge: bool,
}

/// `K/N`: the part and the number of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shard {
    k: usize,
    n: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((k, n)) if (1..=n).contains(&k) => Ok(Self { k, n }),
            _ => Err(format!("'{text}' is no part of a whole; write K/N with K from 1 to N, such as 3/8")),
        }
    }
}

pub fn run(args: &SweepArgs) -> anyhow::Result<()> {
    if args.pair.tuned.is_none() {
        return Err(usage("a sweep needs two checkpoints; add --tuned CKPT"));
    }
    let alphas = visits(args);
    if let Some(shard) = args.shard {
        return run_shard(args, shard, &alphas);
    }
    let mut run = Run::new(&args.pair, &args.device, &args.data, Purpose::Many)?;
    let open = run.count_open(&args.data, &alphas)?;
    if args.merge && open > 0 {
        let (missing, all) = run.workload.missing(&alphas);
        anyhow::ensure!(missing == 0, "{missing} of {all} parts are missing; run every shard to its end, then merge");
    }
    if args.grid {
        run.workload.keep_texts();
    }
    let mut progress = Progress::new("sweeping");
    let (mut rows, mut done) = (Vec::new(), 0.0);
    for alpha in &alphas {
        let (detail, whole) = (format!(", {done} of {open} alphas done"), open.max(1) as f64);
        let visited = run.at(*alpha, &mut |share| progress.at((done + share) / whole, &detail))?;
        done += f64::from(u8::from(visited.iter().any(Printed::is_new)));
        if !args.grid {
            run.workload.forget(&[*alpha]);
        }
        rows.push((*alpha, visited));
    }
    run.workload.forget(&alphas);
    rows.sort_by_key(|(alpha, _)| *alpha);
    let rows: Vec<_> = rows.into_iter().flat_map(|(_, rows)| rows).collect();
    run.print(&args.data, &rows)
}

fn run_shard(args: &SweepArgs, shard: Shard, alphas: &[AlphaMap]) -> anyhow::Result<()> {
    let mut run = Run::new(&args.pair, &args.device, &args.data, Purpose::Shard)?;
    let (Shard { k, n }, mut progress) = (shard, Progress::new(format!("shard {}/{}", shard.k, shard.n)));
    let stop = run.stop;
    let mut go_on = |share| {
        progress.at(share, "");
        !stop.is_asked()
    };
    let units = run.workload.embed_shard(alphas, (k - 1, n), &mut go_on)?.ok_or(Stopped)?;
    let (missing, all) = run.workload.missing(alphas);
    let next = if missing == 0 { "all parts are there: the same command with --merge scores them" } else { "" };
    output::note(&format!("shard {k}/{n} stored {units} parts, {} of {all} are there; {next}", all - missing));
    if args.data.json {
        output::json(&json!({ "shard": format!("{k}/{n}"), "stored": units, "missing": missing, "all": all }))
            .context("the summary cannot be printed")?;
    }
    Ok(())
}

/// Coarse to fine; in a grid, all text alphas for one image alpha, whose embeddings then stay.
fn visits(args: &SweepArgs) -> Vec<AlphaMap> {
    let line = coarse_to_fine(&args.alphas.0);
    if !args.grid {
        return line.into_iter().map(AlphaMap::one).collect();
    }
    line.iter().flat_map(|image| line.iter().map(|text| AlphaMap::towers(*image, *text))).collect()
}
