//! `clove evaluate`: score benchmarks at one alpha.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::model::{AlphaArgs, DeviceArgs, PairArgs, encoder, identity};
use super::output::{self, Progress};
use crate::benchmark::{self, Benchmark, Score, Ties};
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
    /// Names as `clove data` lists them, such as imagenet, aro-relation or sugarcrepe; may be given several times
    #[arg(long, value_name = "NAME", required = true, num_args = 1..)]
    pub benchmark: Vec<String>,
    /// Where the data lie, directly or one level down
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// A subset of so many examples per task, spread evenly
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Who wins a tie: reference (as each benchmark's reference has it), strict, first, random:SEED or half
    #[arg(long, value_name = "RULE", default_value = "reference")]
    pub ties: Ties,
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
    /// Percent right of a text-only model, for caption choices.
    blind: Option<f64>,
    /// What readers of the score must know: unreadable items, foils that no model can tell from the caption.
    remarks: Vec<String>,
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
    standing: Vec<Standing>,
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
            for benchmark in &mut benchmarks {
                benchmark::limit(benchmark, n as usize);
            }
        }
        for remark in &pair.remarks {
            output::note(remark);
        }
        for benchmark in &mut benchmarks {
            data.ties.apply(benchmark);
        }
        let encoder = encoder(pair, alpha, device)?;
        let corpus = Corpus::new(&benchmarks, encoder.tokenizer());
        let standing =
            benchmarks.iter().zip(&corpus.places).map(|(b, places)| Standing::of(b, &places.texts)).collect();
        let order = Arc::new(Order::new(&benchmarks, &corpus));
        let pixels = Pixels::new(corpus.images.len(), encoder.architecture().image_size, PIXELS_LIMIT);
        let scoring = Scoring::new(&benchmarks, &corpus, order, alpha);
        let identities = json!({ "base": identity(&pair.base), "tuned": identity(&pair.tuned) });
        Ok(Self { benchmarks, standing, encoder, corpus, pixels, scoring, identities })
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
        let scores = self.scoring.scores(&self.benchmarks);
        for ((benchmark, standing), scores) in self.benchmarks.iter().zip(&self.standing).zip(scores) {
            anyhow::ensure!(
                !scores.is_empty(),
                "no example of {} could be scored; none of its images can be read",
                benchmark.label()
            );
            rows.extend(scores.into_iter().map(|score| Row {
                benchmark: benchmark.name.clone(),
                task: benchmark.task.clone(),
                alpha: AlphaJson { image: alpha.image(), text: alpha.text() },
                blind: standing.blind,
                remarks: standing.remarks(benchmark, score.skipped),
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
        for (benchmark, standing) in self.benchmarks.iter().zip(&self.standing) {
            let equal = standing.equal_foils.iter().map(|e| (format!("example {e}"), EQUAL_FOIL.to_owned()));
            let equal: Vec<(String, String)> = equal.collect();
            note_items(&benchmark.label(), "cannot tell", equal.iter().map(|(item, reason)| (item, reason)));
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
                row.blind.map_or(String::new(), |blind| format!("{blind:.1} %")),
                row.remarks.join("; "),
            ]
        };
        let header = [
            "benchmark",
            "alpha",
            "metric",
            "value",
            "95 % interval",
            "correct",
            "ties",
            "skipped",
            "blind",
            "remarks",
        ];
        output::text(&output::table(&header, &rows.iter().map(cells).collect::<Vec<_>>()))
    }
}

const EQUAL_FOIL: &str = "a wrong caption has the token ids of the right one, so the tie rule decides";
/// Share of a benchmark's items in percent that may be missing without a mark on its result.
const MOST_UNREADABLE: f64 = 1.0;

/// What is known of a benchmark's scores whatever the model is.
struct Standing {
    blind: Option<f64>,
    equal_foils: Vec<usize>,
}

impl Standing {
    /// `texts` holds corpus texts per example: equal numbers are equal token ids.
    fn of(benchmark: &Benchmark, texts: &[Vec<usize>]) -> Self {
        Self { blind: benchmark::blind(benchmark), equal_foils: benchmark::equal_foils(benchmark, texts) }
    }

    fn remarks(&self, benchmark: &Benchmark, skipped: usize) -> Vec<String> {
        let share = 100.0 * skipped as f64 / benchmark.n_in_file.max(1) as f64;
        let unreadable = (share > MOST_UNREADABLE).then(|| format!("{share:.1} % of the items could not be read"));
        let n = self.equal_foils.len();
        let equal = (n > 0).then(|| format!("in {n} examples {EQUAL_FOIL}"));
        unreadable.into_iter().chain(equal).collect()
    }
}

/// Names the first few items that are not in a denominator.
fn note_left_out<'a>(label: &str, items: impl ExactSizeIterator<Item = (&'a String, &'a String)>) {
    note_items(label, "skipped", items);
}

fn note_items<'a>(label: &str, what: &str, items: impl ExactSizeIterator<Item = (&'a String, &'a String)>) {
    let n = items.len();
    for (item, reason) in items.take(5) {
        output::note(&format!("{label} {what} {item}: {reason}"));
    }
    if n > 5 {
        output::note(&format!("{label} {what} {} more", n - 5));
    }
}
