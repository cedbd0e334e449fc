//! How soon a pair of checkpoints is ready, beside the plain reading of its files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;

use crate::checkpoint::{Checkpoint, Options};
use crate::commands::output;
use crate::demo;
use crate::device::{self, DeviceChoice};
use crate::evaluate::{Encoder, warm_tokenizer};
use crate::kernels::Activation;
use crate::patch::{Alpha, AlphaMap, Pair};

/// What `cat` reads at a time.
const CAT: usize = 128 << 10;
/// Pairs are opened so many times; the first is told apart.
const RUNS: usize = 5;

/// The pair to open, instead of the usual figures.
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// Measure how soon this pair is ready instead
    #[arg(long, value_name = "CKPT", requires = "tuned")]
    base: Option<PathBuf>,
    /// Its other end
    #[arg(long, value_name = "CKPT", requires = "base")]
    tuned: Option<PathBuf>,
    /// quick-gelu or gelu, where the files do not tell
    #[arg(long, requires = "base")]
    activation: Option<Activation>,
}

/// Seconds from the command to the event.
#[derive(Clone, Copy, Debug, serde::Serialize)]
struct Times {
    /// As `cat` does it.
    read: f64,
    /// Both models proven, with towers and tokenizer: the window offers them.
    ready: f64,
    /// And blended at alpha 0.5 for the first time.
    blended: f64,
    /// And both SHA-256 known.
    hashed: f64,
}

impl OpenArgs {
    /// Measures and prints, where a pair was given.
    pub fn run(&self, device: DeviceChoice, json: bool) -> Option<anyhow::Result<()>> {
        let (base, tuned) = self.base.as_ref().zip(self.tuned.as_ref())?;
        Some(measure((base, tuned), Options { activation: self.activation }, device, json))
    }
}

fn measure((base, tuned): (&Path, &Path), options: Options, device: DeviceChoice, json: bool) -> anyhow::Result<()> {
    let mut all = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        all.push(once((base, tuned), options, device)?);
    }
    let first = all[0];
    let least = |time: fn(&Times) -> f64| all.iter().map(time).fold(f64::INFINITY, f64::min);
    let best = Times {
        read: least(|t| t.read),
        ready: least(|t| t.ready),
        blended: least(|t| t.blended),
        hashed: least(|t| t.hashed),
    };
    if json {
        return output::json(&json!({ "first": first, "best": best, "runs": RUNS }));
    }
    let cells = |name: &str, t: Times| {
        let cell = |seconds: f64| format!("{seconds:.3} s");
        vec![name.to_owned(), cell(t.read), cell(t.ready), cell(t.blended), cell(t.hashed)]
    };
    let header = ["", "files read", "ready", "first blend", "hashed"];
    output::text(&output::table(&header, &[cells("first", first), cells("best of 5", best)]))
}

fn once((base, tuned): (&Path, &Path), options: Options, device: DeviceChoice) -> anyhow::Result<Times> {
    let start = Instant::now();
    for path in [base, tuned] {
        read(path)?;
    }
    let read = start.elapsed().as_secs_f64();
    let start = Instant::now();
    warm_tokenizer();
    let open = |path| demo::open(path, options);
    let (base, tuned) = rayon::join(|| open(base), || open(tuned));
    let pair = Pair::new(base?, tuned?)?;
    let mut encoder = Encoder::new(&pair, &device::open(device)?)?;
    let ready = start.elapsed().as_secs_f64();
    encoder.set(AlphaMap::one(Alpha::clamped(0.5)))?;
    let blended = start.elapsed().as_secs_f64();
    let hash = |checkpoint: &Checkpoint| checkpoint.sha256().len();
    rayon::join(|| hash(&pair.base), || hash(&pair.tuned));
    Ok(Times { read, ready, blended, hashed: start.elapsed().as_secs_f64() })
}

/// Reads the weights of a checkpoint once, as `cat` does.
fn read(path: &Path) -> anyhow::Result<()> {
    let mut buffer = vec![0; CAT];
    for file in crate::checkpoint::weight_files(path)? {
        let mut file = File::open(file)?;
        while file.read(&mut buffer)? > 0 {}
    }
    Ok(())
}
