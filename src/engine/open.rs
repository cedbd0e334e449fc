//! Opening what commands name: pairs and folders of benchmarks.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;

use super::event::{Event, Failure, PairInfo, Remedy};
use super::{End, Outbox, spawn};
use crate::benchmark::{self, Benchmark};
use crate::checkpoint::{Checkpoint, CheckpointError, Options};
use crate::demo;
use crate::evaluate::{self, Encoder};
use crate::kernels::Activation;
use crate::patch::Pair;

/// Proves the pair and puts it on the device.
pub(super) fn prove(base: Checkpoint, tuned: Checkpoint, device: &Device) -> Result<(Pair, Encoder), Failure> {
    let apart = |error: &dyn std::error::Error| Failure {
        end: Some(End::Tuned),
        ..Failure::of("the two checkpoints cannot be patched", error)
    };
    let pair = Pair::new(base, tuned).map_err(|error| apart(&error))?;
    let encoder = Encoder::new(&pair, device).map_err(|error| apart(&error))?;
    Ok((pair, encoder))
}

/// Reads one end, with the activation that the person chose for it, if any.
pub(super) fn read_end(
    end: End,
    path: &Path,
    chosen: Option<Activation>,
    options: Options,
) -> Result<Checkpoint, Failure> {
    let opened = demo::open(path, Options { activation: chosen.or(options.activation) });
    let mut checkpoint = opened.map_err(|error| {
        let what = if end == End::Base { "base cannot be opened" } else { "tuned cannot be opened" };
        Failure { end: Some(end), remedy: remedy(&error), ..Failure::of(what, &error) }
    })?;
    if chosen.is_some() {
        checkpoint.provenance.activation_source = "your choice".into();
    }
    Ok(checkpoint)
}

/// What helps against it, in the panel where it is shown.
fn remedy(error: &CheckpointError) -> Option<Remedy> {
    match error {
        CheckpointError::UnknownActivation(_) => Some(Remedy::Activation),
        CheckpointError::NotFetched { .. } => Some(Remedy::Fetch),
        _ => None,
    }
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
    if found.is_empty() {
        return Err(Failure::new(format!(
            "no benchmark was found in it or one level below; `clove data` lists what is looked for: {}",
            folder.display()
        )));
    }
    let (mut benchmarks, mut failures) = (Vec::new(), Vec::new());
    for name in found {
        match evaluate::read(name, folder) {
            Ok(read) => benchmarks.extend(read),
            Err(error) => failures.push(Failure::new(error.to_string())),
        }
    }
    match (benchmarks.is_empty(), failures.is_empty()) {
        (true, false) => Err(failures.remove(0)),
        _ => Ok((benchmarks, failures)),
    }
}
