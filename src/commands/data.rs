//! `clove data`: which benchmarks a folder holds, how many items, and where the others come from.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::output;
use crate::benchmark::{self, Benchmark, NAMES, chance, title, where_from};
use crate::evaluate;

#[derive(Debug, Args)]
pub struct DataArgs {
    /// Folder with benchmarks, directly or one level down
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

/// One task of a benchmark that was found.
#[derive(Serialize)]
struct Found {
    benchmark: String,
    task: Option<String>,
    title: String,
    examples: usize,
    images: usize,
    in_file: usize,
    skipped: usize,
    /// The first few skipped items with reasons.
    first_skipped: Vec<[String; 2]>,
    chance: f64,
    blind: Option<f64>,
    protocol: String,
}

/// A benchmark that is there but cannot be used.
#[derive(Serialize)]
struct Broken {
    benchmark: String,
    reason: String,
}

/// A benchmark that is not there.
#[derive(Serialize)]
struct Missing {
    benchmark: String,
    title: String,
    from: String,
}

pub fn run(args: &DataArgs) -> anyhow::Result<()> {
    anyhow::ensure!(args.data.is_dir(), "there is no such folder: {}", args.data.display());
    let names = benchmark::find(&args.data);
    let (mut found, mut broken) = (Vec::new(), Vec::new());
    for name in &names {
        match evaluate::read(name, &args.data) {
            Ok(benchmarks) => found.extend(benchmarks.iter().map(describe)),
            Err(error) => broken.push(Broken { benchmark: (*name).to_owned(), reason: error.to_string() }),
        }
    }
    let absent = NAMES.iter().filter(|name| !names.contains(name));
    let missing: Vec<Missing> = absent.map(|name| missing(name)).collect();
    if args.json {
        return output::json(&json!({ "found": found, "unusable": broken, "missing": missing }));
    }
    print(&found, &broken, &missing)
}

fn describe(benchmark: &Benchmark) -> Found {
    Found {
        benchmark: benchmark.name.clone(),
        task: benchmark.task.clone(),
        title: title(&benchmark.name, benchmark.task.as_deref()),
        examples: benchmark.len(),
        images: benchmark.images.len(),
        in_file: benchmark.n_in_file,
        skipped: benchmark.skipped.len(),
        first_skipped: benchmark.skipped.iter().take(5).map(|s| [s.item.clone(), s.reason.clone()]).collect(),
        chance: chance(benchmark),
        blind: benchmark::blind(benchmark),
        protocol: benchmark.protocol.clone(),
    }
}

fn missing(name: &str) -> Missing {
    Missing { benchmark: name.to_owned(), title: title(name, None), from: where_from(name).to_owned() }
}

fn print(found: &[Found], broken: &[Broken], missing: &[Missing]) -> anyhow::Result<()> {
    let cells = |found: &Found| {
        let task = found.task.as_ref().map_or(String::new(), |task| format!("/{task}"));
        vec![
            format!("{}{task}", found.benchmark),
            found.examples.to_string(),
            found.images.to_string(),
            found.skipped.to_string(),
            format!("{:.2} %", found.chance),
            found.blind.map_or(String::new(), |blind| format!("{blind:.1} %")),
        ]
    };
    let mut parts = Vec::new();
    if found.is_empty() {
        parts.push("no benchmark was found".to_owned());
    } else {
        let header = ["found", "examples", "images", "skipped", "chance", "blind"];
        parts.push(output::table(&header, &found.iter().map(cells).collect::<Vec<_>>()));
    }
    let skipped = found.iter().filter_map(|found| Some((found, found.first_skipped.first()?)));
    let skipped: Vec<String> = skipped
        .map(|(found, [item, reason])| {
            format!("{}: {} skipped, the first is {item}: {reason}", found.title, found.skipped)
        })
        .collect();
    let broken = broken.iter().map(|broken| format!("{} cannot be used: {}", broken.benchmark, broken.reason));
    parts.push(skipped.into_iter().chain(broken).collect::<Vec<_>>().join("\n"));
    let missing = missing.iter().map(|missing| format!("{:<18} {}", missing.benchmark, missing.from));
    let missing: Vec<String> = missing.collect();
    if !missing.is_empty() {
        parts.push(format!("missing, and what to fetch:\n{}", missing.join("\n")));
    }
    parts.retain(|part| !part.is_empty());
    output::text(&parts.join("\n\n"))
}
