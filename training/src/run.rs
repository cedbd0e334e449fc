//! A fine-tune from its first step, or from its last checkpoint, to its result: the trainer, the data and the run
//! directory brought together.
//!
//! All chance of a run comes from the recipe's seed and from the position in the data, so a checkpoint is the weights,
//! the optimizer's moments, the number of steps and that position: a run that goes on from it gives the bytes of one
//! that was never interrupted.

mod saved;
mod telling;
mod trial;

pub use trial::{Trial, trial};

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Instant;

use crate::batches::Sample;
use crate::captions::{BatchSource, SourceError};
use crate::recipe::Recipe;
use crate::run_directory::{CheckpointFolder, Control, RunError, RunEvent, RunResult, Writer};
use crate::trainer::{StepReport, TrainError, Trainer};
use crate::two_tower::TwoTower;
use saved::Saved;

/// What went wrong on the program's side.
pub type HostError = Box<dyn Error + Send + Sync>;

/// Faults named one by one by a worker; more are only counted.
const NAMED_FAULTS: usize = 100;

/// What a run asks of the program around it, which knows the model, its files and its benchmarks.
pub trait Host {
    /// Writes the model's current weights into an empty folder, so that the folder opens as a model.
    ///
    /// # Errors
    /// A full disk, mostly.
    fn save(&self, folder: &Path) -> Result<(), HostError>;

    /// Sets the model's parameters to the weights in a folder that [`save`](Self::save) wrote, to the bit.
    ///
    /// # Errors
    /// Files that are not whole, or of another model.
    fn load(&self, folder: &Path) -> Result<(), HostError>;

    /// Scores the patched curve: [`RunEvent::Evaluated`] for each score; `None` when `go_on`, asked often, said no.
    ///
    /// # Errors
    /// Anything; the run goes on without this evaluation.
    fn evaluate(&mut self, step: u64, go_on: &mut dyn FnMut() -> bool) -> Result<Option<Vec<RunEvent>>, HostError>;

    /// Writes the final weights and what goes with them.
    ///
    /// # Errors
    /// A full disk, mostly.
    fn finish(&mut self, writer: &Writer, summary: &Summary) -> Result<RunResult, HostError>;

    /// Numbers in all parameters of the model, trained or not.
    fn parameters(&self) -> u64;

    /// Resident memory of the process, in bytes.
    fn memory(&self) -> Option<u64>;

    /// Hears every event, for people who watch.
    fn hear(&mut self, _event: &RunEvent) {}
}

/// What a complete run was.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Steps taken.
    pub steps: u64,
    /// Time of work, over all workers of the run.
    pub seconds: f64,
    /// Samples seen and skipped.
    pub counts: crate::captions::FaultCounts,
}

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Complete: the result is written.
    Done,
    /// Stopped on request, with everything saved.
    Stopped,
}

/// Why a run failed; what its checkpoints hold is safe.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum RunFailure {
    /// The run directory cannot be used.
    #[error(transparent)]
    Directory(#[from] RunError),
    /// No data.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A step could not be taken.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Infinite, or not a number.
    #[error(
        "the {quantity} of step {step} is {value} (data position {place}); {checkpoint}; lower lr, or leave that data \
         out, in a new run"
    )]
    NotFinite { quantity: &'static str, step: u64, value: f64, place: String, checkpoint: String },
    /// Checkpoints that cannot be read.
    #[error("no checkpoint of this run can be read ({reason}); start a new run: {path}")]
    NoCheckpoint { reason: String, path: String },
    /// The final weights could not be written.
    #[error("the run is complete but its result cannot be written; make room and resume: {0}")]
    Finish(HostError),
    /// The host failed.
    #[error("{what}: {source}")]
    Host { what: &'static str, source: HostError },
}

/// What a worker brings to a run.
pub struct Worker<'a, M: ?Sized> {
    /// What is trained; its parameters are base's.
    pub model: &'a M,
    /// What it is trained on, at its start.
    pub source: &'a mut dyn BatchSource,
    /// The program.
    pub host: &'a mut dyn Host,
    /// As people call it.
    pub device: String,
    /// Whether a signal asks to stop.
    pub stop: &'a dyn Fn() -> bool,
}

/// Trains what is left of the run: from its newest checkpoint that can be read, or from the start where there is none.
///
/// # Errors
/// See [`RunFailure`]. The caller writes the `failed` event, as it does for what fails before.
pub fn run<M: TwoTower + ?Sized>(worker: Worker<'_, M>, writer: &mut Writer) -> Result<Ending, RunFailure> {
    match Run::prepare(worker, writer)?.go()? {
        Some(result) => {
            writer.finish(&result)?;
            Ok(Ending::Done)
        }
        None => Ok(Ending::Stopped),
    }
}

struct Run<'a, 'w, M: ?Sized> {
    worker: Worker<'a, M>,
    writer: &'w mut Writer,
    trainer: Trainer<'a, M>,
    recipe: Recipe,
    start: Instant,
    /// Seconds of work by earlier workers.
    before: f64,
    /// Smoothed seconds per step.
    pace: Option<f64>,
    /// Step of the newest checkpoint.
    saved: Option<u64>,
    /// Step of the last evaluation.
    evaluated: Option<u64>,
    is_stop_asked: bool,
    named_faults: usize,
    skipped: u64,
}

impl<'a, 'w, M: TwoTower + ?Sized> Run<'a, 'w, M> {
    fn prepare(worker: Worker<'a, M>, writer: &'w mut Writer) -> Result<Self, RunFailure> {
        let recipe = writer.run().recipe()?;
        let trainer = Trainer::new(worker.model, recipe.clone())?;
        let mut run = Self {
            worker,
            writer,
            trainer,
            recipe,
            start: Instant::now(),
            before: 0.0,
            pace: None,
            saved: None,
            evaluated: None,
            is_stop_asked: false,
            named_faults: 0,
            skipped: 0,
        };
        run.restore()?;
        let trained = run.trainer.optimizer().parameters().map(|(_, var)| var.elem_count() as u64).sum();
        let event = RunEvent::Started {
            step: run.trainer.next_step(),
            steps: run.recipe.steps,
            pid: std::process::id(),
            device: run.worker.device.clone(),
            samples: run.worker.source.samples(),
            parameters: run.worker.host.parameters(),
            trained,
        };
        run.tell(event);
        Ok(run)
    }

    /// The result, or `None` when the run was stopped.
    fn go(mut self) -> Result<Option<RunResult>, RunFailure> {
        loop {
            let step = self.trainer.next_step();
            if self.is_evaluation_due(step) && !self.evaluate(step) {
                return self.stop(step);
            }
            let is_last = self.trainer.is_done();
            if self.saved != Some(step) && (is_last || (step > 0 && step.is_multiple_of(self.recipe.checkpoint_every)))
            {
                self.save_or_warn(step);
            }
            if is_last {
                return self.finish(step).map(Some);
            }
            if self.asked_to_stop() {
                return self.stop(step);
            }
            if self.writer.take(Control::Save) && self.saved != Some(step) {
                self.save_or_warn(step);
            }
            self.step()?;
        }
    }

    fn step(&mut self) -> Result<(), RunFailure> {
        let start = Instant::now();
        let batch = self.worker.source.next_batch()?;
        self.warn_of_faults();
        let report = self.trainer.step(&batch).map_err(|error| self.explain(error))?;
        let seconds = start.elapsed().as_secs_f64();
        let pace = self.pace.map_or(seconds, |pace| 0.9 * pace + 0.1 * seconds);
        self.pace = Some(pace);
        let event = self.step_event(&report, &batch, seconds, pace);
        self.tell(event);
        Ok(())
    }

    fn step_event(&self, report: &StepReport, batch: &[Sample], seconds: f64, pace: f64) -> RunEvent {
        let step = report.step + 1;
        let with_negative = batch.iter().filter(|sample| !sample.negatives.is_empty()).count();
        let with_negative = if self.recipe.negatives_per_caption == 0 { 0 } else { with_negative };
        RunEvent::Step {
            step,
            loss: report.loss,
            lr: report.lr,
            grad_norm: report.grad_norm,
            logit_scale: report.logit_scale,
            pairs_per_s: batch.len() as f64 / seconds.max(1e-9),
            negatives_share: with_negative as f64 / batch.len().max(1) as f64,
            memory_bytes: self.worker.host.memory(),
            seconds_left: pace * self.recipe.steps.saturating_sub(step) as f64,
        }
    }

    /// Names the data and the way back.
    fn explain(&self, error: TrainError) -> RunFailure {
        let TrainError::NotFinite { step, quantity, value } = error else { return error.into() };
        let checkpoint = match self.writer.run().checkpoints().unwrap_or_default().pop() {
            Some(CheckpointFolder { path, .. }) => format!("the last good checkpoint is {}", path.display()),
            None => "there is no checkpoint yet".to_owned(),
        };
        let place = self.worker.source.position().to_string();
        RunFailure::NotFinite { quantity, step: step + 1, value, place, checkpoint }
    }

    fn is_evaluation_due(&self, step: u64) -> bool {
        let every = self.recipe.evaluate_every;
        let is_point = step > 0 && (step == self.recipe.steps || (every > 0 && step.is_multiple_of(every)));
        is_point && !self.recipe.evaluate_benchmarks.is_empty() && self.evaluated != Some(step)
    }

    /// Whether the evaluation ran to its end.
    fn evaluate(&mut self, step: u64) -> bool {
        let Worker { host, stop, .. } = &mut self.worker;
        let (writer, asked) = (&*self.writer, &mut self.is_stop_asked);
        let mut go_on = || {
            *asked |= stop() || writer.take(Control::Stop);
            !*asked
        };
        match host.evaluate(step, &mut go_on) {
            Ok(Some(scores)) => scores.into_iter().for_each(|score| self.tell(score)),
            Ok(None) => return false,
            Err(error) => self.warn(format!("the evaluation at step {step} failed: {error}")),
        }
        self.evaluated = Some(step);
        true
    }

    fn asked_to_stop(&mut self) -> bool {
        self.is_stop_asked |= (self.worker.stop)() || self.writer.take(Control::Stop);
        self.is_stop_asked
    }

    fn stop(mut self, step: u64) -> Result<Option<RunResult>, RunFailure> {
        if self.saved != Some(step) {
            self.save(step)?;
        }
        let event = RunEvent::Stopped { step };
        self.worker.host.hear(&event);
        self.writer.conclude(event)?;
        Ok(None)
    }

    fn finish(mut self, steps: u64) -> Result<RunResult, RunFailure> {
        let summary = Summary { steps, seconds: self.seconds(), counts: self.worker.source.fault_counts() };
        self.tell_skipped();
        let result = self.worker.host.finish(self.writer, &summary).map_err(RunFailure::Finish)?;
        let event = RunEvent::Done { step: steps, seconds: summary.seconds };
        self.worker.host.hear(&event);
        self.writer.conclude(event)?;
        Ok(result)
    }

    fn seconds(&self) -> f64 {
        self.before + self.start.elapsed().as_secs_f64()
    }

    /// A checkpoint that cannot be written costs nothing but itself: training goes on.
    fn save_or_warn(&mut self, step: u64) {
        self.tell_skipped();
        if let Err(error) = self.save(step) {
            self.warn(format!("training goes on without this checkpoint: {error}"));
        }
    }

    fn save(&mut self, step: u64) -> Result<(), RunFailure> {
        let state = Saved {
            step,
            position: self.worker.source.position(),
            seconds: self.seconds(),
            evaluated: self.evaluated == Some(step),
        };
        let (host, trainer) = (&*self.worker.host, &self.trainer);
        let fill = |folder: &Path| {
            host.save(folder).map_err(io::Error::other)?;
            state.write(folder, trainer.optimizer())
        };
        let CheckpointFolder { path, bytes, .. } = self.writer.checkpoint(step, self.recipe.checkpoints_kept, fill)?;
        self.saved = Some(step);
        let relative = path.strip_prefix(self.writer.run().path()).unwrap_or(&path);
        let path = relative.to_string_lossy().into_owned();
        self.tell(RunEvent::Checkpoint { step, path, bytes });
        Ok(())
    }

    fn restore(&mut self) -> Result<(), RunFailure> {
        let mut reason = None;
        for CheckpointFolder { path, .. } in self.writer.run().checkpoints()?.into_iter().rev() {
            match self.restore_from(&path) {
                Ok(state) => {
                    self.worker.source.seek(&state.position)?;
                    self.before = state.seconds;
                    self.saved = Some(state.step);
                    self.evaluated = state.evaluated.then_some(state.step);
                    self.skipped = self.worker.source.fault_counts().skipped();
                    self.writer.remove_oldest(self.recipe.checkpoints_kept, state.step)?;
                    return Ok(());
                }
                Err(error) => {
                    self.warn(format!(
                        "this checkpoint cannot be read, an earlier one is tried ({error}): {}",
                        path.display()
                    ));
                    reason = Some(error.to_string());
                }
            }
        }
        match reason {
            None => Ok(()),
            Some(reason) => {
                let path = self.writer.run().path().display().to_string();
                Err(RunFailure::NoCheckpoint { reason, path })
            }
        }
    }

    fn restore_from(&mut self, folder: &Path) -> Result<Saved, HostError> {
        let (state, moments) = Saved::read(folder, self.trainer.optimizer())?;
        self.worker.host.load(folder)?;
        self.trainer.optimizer_mut().import(&moments)?;
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
