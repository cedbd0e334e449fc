//! What a fine-tune needs of CLIP: base, data, the curve during the run, the result.
//!
//! [`run`] brings them to a run directory; `clove-training` knows the rest. [`trial`] takes a few steps to tell what a
//! run will cost.

mod card;
mod curve;
mod data;
mod error;
mod host;
mod memory;
mod model;

use std::time::Instant;

use candle_core::Device;
use clove_training::run_directory::Writer;
use clove_training::{Ending, Recipe, RunEvent, StepReport, Worker};
use serde_json::{Value, json};

pub use error::FineTuneError;
pub use memory::{peak, resident};

use crate::device;
use curve::Curve;
use data::Data;
use host::Program;

/// Trains what is left of the run that `writer` holds. `hear` is told every event, `stop` asked between steps.
///
/// # Errors
/// See [`FineTuneError`]; the caller writes the `failed` event.
pub fn run(
    writer: &mut Writer,
    device: &Device,
    hear: &mut dyn FnMut(&RunEvent),
    stop: &dyn Fn() -> bool,
) -> Result<Ending, FineTuneError> {
    let recipe = writer.run().recipe()?;
    let base = model::base(&recipe)?;
    let model = model::trainable(&base, &recipe, device)?;
    let curve = Curve::new(&recipe, &base, device)?;
    let Data { mut source, identity } = data::open(&recipe, &base)?;
    let record = json!({
        "made_by": concat!("clove ", env!("CARGO_PKG_VERSION")),
        "seed": recipe.seed,
        "device": device::describe(device),
        "base": { "path": base.provenance.path, "sha256": base.sha256() },
        "data": identity,
    });
    let changes = match writer.run().job()? {
        None => Vec::new(),
        Some(before) => changes(&before, &record),
    };
    for message in changes {
        let event = RunEvent::Warning { message };
        hear(&event);
        writer.tell(event);
    }
    writer.job(&record)?;
    let mut host = Program { base: &base, model: &model, recipe: &recipe, curve, record, hear };
    let worker =
        Worker { model: &model, source: &mut *source, host: &mut host, device: device::describe(device), stop };
    Ok(clove_training::run::run(worker, writer)?)
}

/// What is not as it was when the run began: the rest of the run then differs from an uninterrupted one.
fn changes(before: &Value, now: &Value) -> Vec<String> {
    let parts = [
        ("/made_by", "the program"),
        ("/device", "the device"),
        ("/base/sha256", "base"),
        ("/data/sha256", "the data"),
    ];
    let changed = parts.into_iter().filter(|(part, _)| before.pointer(part) != now.pointer(part));
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), |value| value.to_string().replace('"', ""));
    changed
        .map(|(part, what)| {
            let (was, is) = (shown(before.pointer(part)), shown(now.pointer(part)));
            format!("{what} changed since the run began, from {was} to {is}: the result will not be that of one run")
        })
        .collect()
}

/// What a trial found.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct TrialReport {
    /// Time of a step.
    pub seconds_per_step: f64,
    /// Time of all steps of the recipe, without evaluations.
    pub seconds_total: f64,
    /// Most memory the process has held; 0 where the system does not tell.
    pub peak_memory_bytes: u64,
    /// Image–caption pairs per second.
    pub pairs_per_s: f64,
    /// Time until the first step could begin.
    pub seconds_to_start: f64,
}

/// Takes `steps` steps of the run that `recipe` describes, tells `hear` each, and keeps nothing.
///
/// # Errors
/// See [`FineTuneError`].
pub fn trial(
    recipe: &Recipe,
    steps: u64,
    device: &Device,
    hear: &mut dyn FnMut(&StepReport),
) -> Result<TrialReport, FineTuneError> {
    let start = Instant::now();
    let base = model::base(recipe)?;
    let model = model::trainable(&base, recipe, device)?;
    let mut data = data::open(recipe, &base)?;
    let seconds_to_start = start.elapsed().as_secs_f64();
    let trial = clove_training::run::trial(&model, &mut *data.source, recipe, steps, hear)?;
    Ok(TrialReport {
        seconds_per_step: trial.seconds_per_step,
        seconds_total: trial.seconds_per_step * recipe.steps as f64,
        peak_memory_bytes: peak().unwrap_or(0),
        pairs_per_s: trial.pairs_per_s,
        seconds_to_start,
    })
}
