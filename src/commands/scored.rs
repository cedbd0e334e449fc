//! What `evaluate` and `sweep` share: benchmarks scored alpha by alpha, stored when asked, printed.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::model::{DeviceArgs, PairArgs};
use super::output;
use super::stop::{Stop, Stopped};
use crate::benchmark::{self, Benchmark, MetricName, Score, Ties};
use crate::checkpoint::Checkpoint;
use crate::device;
use crate::evaluate::{self, Found, Places, Standing, Workload, benchmark_scores, statistics};
use crate::patch::AlphaMap;
use crate::store::results::{Bootstrap, End, Line, PerExample, Results, Row, Unreadable, Writer};

/// Disk that decoded images may take.
const PIXELS_LIMIT: u64 = 32 << 30;
/// Resamples of a bootstrap interval, and their seed.
const BOOTSTRAP: (usize, u64) = (2000, 0);

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
    /// Keep every score with its examples in DIR, and compute nothing that is there already
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    pub json: bool,
}

impl DataArgs {
    fn read(&self) -> anyhow::Result<Vec<Benchmark>> {
        let mut benchmarks = Vec::new();
        for name in &self.benchmark {
            benchmarks.extend(evaluate::read(name, &self.data)?);
        }
        if let Some(n) = self.limit {
            for benchmark in &mut benchmarks {
                benchmark::limit(benchmark, n as usize);
            }
        }
        for benchmark in &mut benchmarks {
            self.ties.apply(benchmark);
        }
        Ok(benchmarks)
    }
}

/// What a run is for, and so what it may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// One alpha.
    One,
    /// Many alphas.
    Many,
    /// A part of the work of many alphas, to be merged later.
    Shard,
}

/// One score, as printed.
#[derive(Debug, Serialize)]
pub struct Printed {
    #[serde(flatten)]
    row: Row,
    /// Spent on its alpha by this run; 0 where the results had it already.
    seconds: f64,
}

impl Printed {
    /// Whether this run computed it.
    pub fn is_new(&self) -> bool {
        self.seconds > 0.0
    }
}

/// A workload, and where its results go.
pub struct Run {
    pub workload: Workload,
    pub stop: Stop,
    writer: Option<Writer>,
    base: End,
    tuned: End,
    device: String,
    standing: Vec<Standing>,
    unreadable: Vec<Vec<Unreadable>>,
    /// Decoded images of a sweep that stores nothing; removed at the end.
    _scratch: Option<tempfile::TempDir>,
}

impl Run {
    /// Takes the folder of results, opens the models, reads the benchmarks.
    pub fn new(pair: &PairArgs, device: &DeviceArgs, data: &DataArgs, purpose: Purpose) -> anyhow::Result<Self> {
        let results = data.results.as_deref();
        let writer = results.filter(|_| purpose != Purpose::Shard).map(Writer::open).transpose()?;
        let benchmarks = data.read()?;
        let pair = pair.open()?;
        for remark in &pair.remarks {
            output::note(remark);
        }
        let scratch = match (results, purpose) {
            (None, Purpose::Many) => Some(tempfile::Builder::new().prefix("clove-pixels-").tempdir()?),
            _ => None,
        };
        let root: Option<&Path> = results.or(scratch.as_ref().map(tempfile::TempDir::path));
        let places = Places { pixels: root.map(|root| (root, PIXELS_LIMIT)), embeddings: results };
        let device = device::open(device.device)?;
        let unreadable = vec![Vec::new(); benchmarks.len()];
        let workload = Workload::new(benchmarks, &pair, &device, places)?;
        let standing = workload.benchmarks().iter().zip(workload.texts()).map(|(b, texts)| Standing::of(b, texts));
        Ok(Self {
            standing: standing.collect(),
            workload,
            // A scratch folder has to be removed.
            stop: if root.is_some() { Stop::on_signals()? } else { Stop::never() },
            writer,
            base: end(&pair.base),
            tuned: end(&pair.tuned),
            device: device::describe(&device),
            unreadable,
            _scratch: scratch,
        })
    }

    /// How many of these alphas lack a result.
    pub fn count_open(&self, data: &DataArgs, alphas: &[AlphaMap]) -> anyhow::Result<usize> {
        let Some(folder) = &data.results else { return Ok(alphas.len()) };
        let keys = Results::of(folder).keys()?;
        let is_there = |b: usize, alpha: AlphaMap| keys.contains(&self.workload.identity(b, alpha).key());
        let is_open = |alpha: &&AlphaMap| !(0..self.workload.benchmarks().len()).all(|b| is_there(b, **alpha));
        Ok(alphas.iter().filter(is_open).count())
    }

    /// All rows at one alpha, from the results or computed and stored. `progress` hears the share done.
    pub fn at(&mut self, alpha: AlphaMap, progress: &mut dyn FnMut(f64)) -> anyhow::Result<Vec<Printed>> {
        let start = Instant::now();
        let mut all: Vec<Option<Found>> = (0..self.unreadable.len()).map(|b| self.stored(b, alpha)).collect();
        let wanted: Vec<bool> = all.iter().map(Option::is_none).collect();
        let mut rows = vec![Vec::new(); all.len()];
        if wanted.contains(&true) {
            let stop = &self.stop;
            let mut go_on = |share| {
                progress(share);
                !stop.is_asked()
            };
            let found = self.workload.score(alpha, &wanted, &mut go_on)?;
            let found = found.ok_or_else(|| self.stopped())?;
            for (b, found) in found.into_iter().enumerate() {
                if let Some(found) = found {
                    rows[b] = self.store(b, alpha, &found)?;
                    all[b] = Some(found);
                }
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let mut printed = Vec::new();
        for (b, found) in all.into_iter().enumerate() {
            let Some(found) = found else { continue };
            let seconds = if wanted[b] { seconds } else { 0.0 };
            let rows = if wanted[b] { std::mem::take(&mut rows[b]) } else { self.rows(b, alpha, &found) };
            printed.extend(rows.into_iter().map(|row| Printed { row, seconds }));
            self.unreadable[b] = found.per_example.unreadable;
        }
        Ok(printed)
    }

    fn stored(&self, b: usize, alpha: AlphaMap) -> Option<Found> {
        let per_example = self.writer.as_ref()?.find(&self.workload.identity(b, alpha).key())?;
        let benchmark = &self.workload.benchmarks()[b];
        let is_whole = per_example.outcomes.len() == benchmark.len();
        is_whole.then(|| Found { scores: benchmark_scores(benchmark, &per_example), per_example })
    }

    /// The rows of what was found, stored when asked.
    fn store(&mut self, b: usize, alpha: AlphaMap, found: &Found) -> anyhow::Result<Vec<Row>> {
        let label = self.workload.benchmarks()[b].label();
        anyhow::ensure!(
            !found.scores.is_empty(),
            "no example of {label} could be scored; none of its images can be read"
        );
        let rows = self.rows(b, alpha, found);
        let identity = self.workload.identity(b, alpha);
        let Some(writer) = &mut self.writer else { return Ok(rows) };
        let line = |row: &Row| Line {
            row: row.clone(),
            key: identity.key(),
            base: self.base.clone(),
            tuned: self.tuned.clone(),
            data: identity.data.to_owned(),
            device: self.device.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        writer.put(&identity.key(), &rows.iter().map(line).collect::<Vec<_>>(), &found.per_example)?;
        Ok(rows)
    }

    fn stopped(&self) -> anyhow::Error {
        match self.writer {
            Some(_) => Stopped.into(),
            None => anyhow::anyhow!("stopped, and nothing is kept; --results DIR keeps what is done"),
        }
    }

    fn rows(&self, b: usize, alpha: AlphaMap, found: &Found) -> Vec<Row> {
        let benchmark = &self.workload.benchmarks()[b];
        let standing = &self.standing[b];
        found.scores.iter().map(|score| row(benchmark, standing, alpha, score, &found.per_example)).collect()
    }

    /// Prints rows, and on standard error what was left out.
    pub fn print(&self, data: &DataArgs, rows: &[Printed]) -> anyhow::Result<()> {
        for (benchmark, unreadable) in self.workload.benchmarks().iter().zip(&self.unreadable) {
            note_items(&benchmark.label(), "skipped", benchmark.skipped.iter().map(|s| (&s.item, &s.reason)));
            note_items(&benchmark.label(), "skipped", unreadable.iter().map(|u| (&u.item, &u.reason)));
        }
        for (benchmark, standing) in self.workload.benchmarks().iter().zip(&self.standing) {
            let equal: Vec<(String, String)> = standing.equal_foils().collect();
            note_items(&benchmark.label(), "cannot tell", equal.iter().map(|(item, reason)| (item, reason)));
        }
        if data.json {
            return output::json(&json!({ "results": rows }));
        }
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
        output::text(&output::table(&header, &rows.iter().map(|printed| cells(&printed.row)).collect::<Vec<_>>()))
    }
}

fn end(checkpoint: &Checkpoint) -> End {
    let (architecture, provenance) = (&checkpoint.architecture, &checkpoint.provenance);
    End {
        path: provenance.path.clone(),
        sha256: checkpoint.sha256().to_owned(),
        architecture: Some(architecture.summary()),
        activation: Some(format!("{} (from {})", architecture.activation, provenance.activation_source)),
    }
}

fn row(benchmark: &Benchmark, standing: &Standing, alpha: AlphaMap, score: &Score, per_example: &PerExample) -> Row {
    let (resamples, seed) = BOOTSTRAP;
    let is_macro = score.metric == MetricName::MacroAccuracy;
    let interval = is_macro.then(|| statistics::bootstrap(benchmark, &per_example.outcomes, resamples, seed)).flatten();
    standing.row(benchmark, alpha, score, interval.map(|interval| Bootstrap { interval, resamples, seed }))
}

fn cells(row: &Row) -> Vec<String> {
    let task = row.task.as_ref().map_or(String::new(), |task| format!("/{task}"));
    vec![
        format!("{}{task}", row.benchmark),
        row.alpha.to_string(),
        row.metric.clone(),
        format!("{:.2} %", row.value),
        format!("{:.2}–{:.2}", row.interval[0], row.interval[1]),
        format!("{}/{}", row.correct, row.scored),
        row.ties.to_string(),
        row.skipped.to_string(),
        row.blind.map_or(String::new(), |blind| format!("{blind:.1} %")),
        row.remarks.join("; "),
    ]
}

/// Names the first few items of a list.
fn note_items<'a>(label: &str, what: &str, items: impl ExactSizeIterator<Item = (&'a String, &'a String)>) {
    let n = items.len();
    for (item, reason) in items.take(5) {
        output::note(&format!("{label} {what} {item}: {reason}"));
    }
    if n > 5 {
        output::note(&format!("{label} {what} {} more", n - 5));
    }
}
