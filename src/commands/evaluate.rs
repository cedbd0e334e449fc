//! `clove evaluate`: score benchmarks at one alpha.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::model::{AlphaArgs, DeviceArgs, PairArgs, encoder, identity};
use super::output::{self, Progress};
use crate::benchmark::{self, Benchmark, Score};
use crate::evaluate::{Corpus, Encoder, Order, Pixels, Scoring};
use crate::patch::{Alpha, AlphaMap, Pair};
use crate::store;

/// Images encoded between two looks at the clock.
const IMAGES_PER_SLICE: usize = 64;
/// Memory for preprocessed images.
const PIXELS_LIMIT: usize = 8 << 30;

/// Which benchmarks, from where.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// folder, aro-relation, aro-attribution, aro-coco-order, sugarcrepe; may be given several times
    #[arg(long, value_name = "NAME", required = true, num_args = 1..)]
    pub benchmark: Vec<String>,
    /// Where the data lie, directly or one level down
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// A subset of so many examples per task, spread evenly
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Append every row to DIR/results.jsonl
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    pub json: bool,
}

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

/// One score, as printed and as stored.
#[derive(Debug, Serialize)]
pub struct Row {
    benchmark: String,
    task: Option<String>,
    alpha: AlphaJson,
    #[serde(flatten)]
    score: Score,
    seconds: f64,
    protocol: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct AlphaJson {
    image: Alpha,
    text: Alpha,
}

pub fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let alpha = args.pair.alpha(&args.alpha)?;
    let mut run = Run::new(&args.pair.open()?, alpha, &args.device, &args.data)?;
    let mut progress = Progress::new("evaluating");
    let rows = run.at(alpha, &mut |share| progress.at(share, ""))?;
    run.finish(&args.data, &rows)
}

/// Benchmarks, a model, and the work that both need once.
pub struct Run {
    benchmarks: Vec<Benchmark>,
    encoder: Encoder,
    corpus: Corpus,
    pixels: Pixels,
    scoring: Scoring,
    identities: serde_json::Value,
}

impl Run {
    /// Reads the benchmarks and puts the model on its device.
    pub fn new(pair: &Pair, alpha: AlphaMap, device: &DeviceArgs, data: &DataArgs) -> anyhow::Result<Self> {
        let mut benchmarks = Vec::new();
        for name in &data.benchmark {
            benchmarks.extend(benchmark::read(name, &data.data)?);
        }
        if let Some(n) = data.limit {
            benchmarks.iter_mut().for_each(|b| benchmark::limit(b, n as usize));
        }
        for remark in &pair.remarks {
            output::note(remark);
        }
        let encoder = encoder(pair, alpha, device)?;
        let corpus = Corpus::new(&benchmarks, encoder.tokenizer());
        let order = Arc::new(Order::new(&benchmarks, &corpus));
        let pixels = Pixels::new(corpus.images.len(), encoder.architecture().image_size, PIXELS_LIMIT);
        let scoring = Scoring::new(&benchmarks, &corpus, order, alpha);
        let identities = json!({ "base": identity(&pair.base), "tuned": identity(&pair.tuned) });
        Ok(Self { benchmarks, encoder, corpus, pixels, scoring, identities })
    }

    /// Keeps the text tower's embeddings of every alpha, for grids.
    pub fn keep_texts(&mut self) {
        self.scoring.keep_texts();
    }

    /// All rows at one alpha. `progress` hears the share done.
    pub fn at(&mut self, alpha: AlphaMap, progress: &mut dyn FnMut(f64)) -> anyhow::Result<Vec<Row>> {
        let start = Instant::now();
        self.scoring.restart(alpha);
        while !self.scoring.is_done() {
            self.scoring.step(&mut self.encoder, &self.benchmarks, &self.corpus, &mut self.pixels, IMAGES_PER_SLICE)?;
            progress(self.scoring.share());
        }
        let seconds = start.elapsed().as_secs_f64();
        let mut rows = Vec::new();
        for (benchmark, scores) in self.benchmarks.iter().zip(self.scoring.scores(&self.benchmarks)) {
            anyhow::ensure!(
                !scores.is_empty(),
                "no example of {} could be scored; none of its images can be read",
                benchmark.label()
            );
            rows.extend(scores.into_iter().map(|score| Row {
                benchmark: benchmark.name.clone(),
                task: benchmark.task.clone(),
                alpha: AlphaJson { image: alpha.image(), text: alpha.text() },
                score,
                seconds,
                protocol: benchmark.protocol.clone(),
            }));
        }
        Ok(rows)
    }

    /// Stores rows, when asked.
    pub fn store(&self, data: &DataArgs, rows: &[Row]) -> anyhow::Result<()> {
        if let Some(folder) = &data.results {
            store::append_results(folder, &self.identities, rows)?;
        }
        Ok(())
    }

    /// Stores and prints the rows of one alpha.
    fn finish(&self, data: &DataArgs, rows: &[Row]) -> anyhow::Result<()> {
        self.store(data, rows)?;
        self.print(data, rows)
    }

    /// Prints rows, and on standard error what was left out.
    pub fn print(&self, data: &DataArgs, rows: &[Row]) -> anyhow::Result<()> {
        for benchmark in &self.benchmarks {
            note_left_out(&benchmark.label(), benchmark.skipped.iter().map(|s| (&s.item, &s.reason)));
        }
        for (benchmark, unreadable) in self.benchmarks.iter().zip(self.scoring.unreadable()) {
            note_left_out(&benchmark.label(), unreadable.iter().map(|(item, reason)| (item, reason)));
        }
        if data.json {
            return output::json(&json!({ "results": rows }));
        }
        let cells = |row: &Row| {
            let task = row.task.as_ref().map_or(String::new(), |task| format!("/{task}"));
            let alpha = AlphaMap::towers(row.alpha.image, row.alpha.text);
            let score = &row.score;
            vec![
                format!("{}{task}", row.benchmark),
                alpha.to_string(),
                serde_json::to_string(&score.metric).unwrap_or_default().trim_matches('"').to_owned(),
                format!("{:.2} %", score.value),
                format!("{:.2}–{:.2}", score.interval[0], score.interval[1]),
                format!("{}/{}", score.correct, score.scored),
                score.ties.to_string(),
                score.skipped.to_string(),
            ]
        };
        let header = ["benchmark", "alpha", "metric", "value", "95 % interval", "correct", "ties", "skipped"];
        output::text(&output::table(&header, &rows.iter().map(cells).collect::<Vec<_>>()))
    }
}

/// Names the first few items that are not in a denominator.
fn note_left_out<'a>(label: &str, items: impl ExactSizeIterator<Item = (&'a String, &'a String)>) {
    let n = items.len();
    for (item, reason) in items.take(5) {
        output::note(&format!("{label} skipped {item}: {reason}"));
    }
    if n > 5 {
        output::note(&format!("{label} skipped {} more", n - 5));
    }
}
