//! Opening what commands name: pairs and folders of benchmarks.

use std::path::Path;

use candle_core::Device;

use super::event::Failure;
use crate::benchmark::{self, Benchmark};
use crate::checkpoint::Checkpoint;
use crate::evaluate::{self, Encoder};
use crate::patch::Pair;

/// Proves the pair and puts it on the device.
pub(super) fn prove(
    base: Checkpoint,
    tuned: Checkpoint,
    device: &Device,
) -> Result<(Pair, Encoder), Box<dyn std::error::Error>> {
    let pair = Pair::new(base, tuned)?;
    let encoder = Encoder::new(&pair, device)?;
    Ok((pair, encoder))
}

/// Reads every benchmark that the folder holds; what cannot be read is a warning unless nothing can.
pub(super) fn read_all(folder: &Path) -> Result<(Vec<Benchmark>, Vec<Failure>), Failure> {
    let found = benchmark::find(folder);
    let failure = |summary: String| Failure { details: summary.clone(), summary, end: None };
    if found.is_empty() {
        return Err(failure(format!(
            "no benchmark was found in it or one level below; `clove data` lists what is looked for: {}",
            folder.display()
        )));
    }
    let (mut benchmarks, mut failures) = (Vec::new(), Vec::new());
    for name in found {
        match evaluate::read(name, folder) {
            Ok(read) => benchmarks.extend(read),
            Err(error) => failures.push(failure(error.to_string())),
        }
    }
    match (benchmarks.is_empty(), failures.is_empty()) {
        (true, false) => Err(failures.remove(0)),
        _ => Ok((benchmarks, failures)),
    }
}
