//! The patched curve during a run: alpha 0, the recipe's alpha and 1 on the recipe's benchmarks.

use std::path::Path;

use candle_core::Device;
use clove_training::{Recipe, RunEvent};

use super::FineTuneError;
use crate::benchmark::{self, Benchmark, Score};
use crate::checkpoint::Checkpoint;
use crate::demo;
use crate::evaluate::{self, Places, Workload, WorkloadError};
use crate::patch::{Alpha, AlphaMap, Pair, PairError};

/// Disk that decoded images may take.
const PIXELS_LIMIT: u64 = 32 << 30;

/// Why a curve could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(super) enum CurveError {
    #[error(transparent)]
    Pair(#[from] PairError),
    #[error(transparent)]
    Workload(#[from] WorkloadError),
}

/// Benchmarks that are scored again and again while one end of the pair moves.
pub(super) struct Curve {
    base: Checkpoint,
    benchmarks: Vec<Benchmark>,
    alphas: Vec<Alpha>,
    device: Device,
    /// Decoded images, which never change; gone with the worker.
    scratch: Option<tempfile::TempDir>,
    /// Scores of base, which does not move either.
    at_base: Option<Vec<RunEvent>>,
}

impl Curve {
    /// Reads the benchmarks; `None` where the recipe names none.
    pub fn new(recipe: &Recipe, base: &Checkpoint, device: &Device) -> Result<Option<Self>, FineTuneError> {
        if recipe.evaluate_benchmarks.is_empty() {
            return Ok(None);
        }
        let is_scenes = recipe.evaluate_data.is_empty();
        let mut benchmarks = if is_scenes { scenes(recipe)? } else { files(recipe)? };
        if let Some(limit) = recipe.evaluate_limit {
            benchmarks.iter_mut().for_each(|benchmark| benchmark::limit(benchmark, limit));
        }
        let mut alphas = vec![Alpha::BASE, Alpha::clamped(recipe.alpha), Alpha::TUNED];
        alphas.dedup();
        // Scenes are drawn faster than they are read. Without a folder for pixels they are decoded again every time.
        let scratch = if is_scenes { None } else { tempfile::Builder::new().prefix("clove-pixels-").tempdir().ok() };
        Ok(Some(Self { base: base.clone(), benchmarks, alphas, device: device.clone(), scratch, at_base: None }))
    }

    /// Scores at all alphas, `tuned` being the weights after `step` steps; `None` when `go_on` said no.
    pub fn at(
        &mut self,
        step: u64,
        tuned: Checkpoint,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<RunEvent>>, CurveError> {
        let pair = Pair::new(self.base.clone(), tuned)?;
        let pixels = self.scratch.as_ref().map(|folder| (folder.path(), PIXELS_LIMIT));
        let places = Places { pixels, embeddings: None };
        let mut workload = Workload::new(self.benchmarks.clone(), &pair, &self.device, places)?;
        let wanted = vec![true; workload.benchmarks().len()];
        let mut scores = Vec::new();
        for alpha in self.alphas.clone() {
            if alpha == Alpha::BASE
                && let Some(known) = &self.at_base
            {
                scores.extend(known.iter().cloned().map(|event| at_step(event, step)));
                continue;
            }
            let found = workload.score(AlphaMap::one(alpha), &wanted, &mut |_| go_on())?;
            let Some(found) = found else { return Ok(None) };
            let of = workload.benchmarks().iter().zip(found.into_iter().flatten());
            let rows: Vec<RunEvent> = of
                .flat_map(|(benchmark, found)| {
                    found.scores.into_iter().map(move |score| event(step, alpha, benchmark, &score))
                })
                .collect();
            if alpha == Alpha::BASE {
                self.at_base = Some(rows.clone());
            }
            scores.extend(rows);
        }
        Ok(Some(scores))
    }
}

fn scenes(recipe: &Recipe) -> Result<Vec<Benchmark>, FineTuneError> {
    let all = demo::evaluation();
    let mut known: Vec<&str> = all.iter().map(|benchmark| benchmark.name.as_str()).collect();
    known.dedup();
    if let Some(name) = recipe.evaluate_benchmarks.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(FineTuneError::NoSceneBenchmark { name: name.clone(), known: known.join(", ") });
    }
    Ok(all.into_iter().filter(|benchmark| recipe.evaluate_benchmarks.contains(&benchmark.name)).collect())
}

fn files(recipe: &Recipe) -> Result<Vec<Benchmark>, FineTuneError> {
    let mut all = Vec::new();
    for name in &recipe.evaluate_benchmarks {
        all.extend(evaluate::read(name, Path::new(&recipe.evaluate_data))?);
    }
    Ok(all)
}

fn event(step: u64, alpha: Alpha, benchmark: &Benchmark, score: &Score) -> RunEvent {
    RunEvent::Evaluated {
        step,
        alpha: alpha.get(),
        benchmark: benchmark.name.clone(),
        task: benchmark.task.clone(),
        metric: serde_json::to_string(&score.metric).unwrap_or_default().trim_matches('"').to_owned(),
        value: score.value,
        interval: score.interval,
        correct: score.correct as f64,
        scored: score.scored as u64,
        skipped: score.skipped as u64,
        ties: score.ties as u64,
    }
}

fn at_step(mut event: RunEvent, now: u64) -> RunEvent {
    if let RunEvent::Evaluated { step, .. } = &mut event {
        *step = now;
    }
    event
}
