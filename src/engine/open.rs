//! Opening what commands name: pairs and folders of benchmarks.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;

use super::event::{Event, Failure, PairInfo};
use super::{Outbox, spawn};
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

/// Computes the hashes of weights that are in use already, where they are not known.
pub(super) fn hash(pair: Pair, info: Arc<PairInfo>, outbox: &Outbox) {
    if !info.base.sha256.is_empty() && !info.tuned.sha256.is_empty() {
        return;
    }
    let told = outbox.clone();
    spawn("clove-hash", outbox, move || {
        let (base, tuned) = (pair.base.sha256().to_owned(), pair.tuned.sha256().to_owned());
        told.send(Event::Hashed { pair: info, base, tuned });
    });
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
