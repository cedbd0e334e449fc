//! A few steps, to tell what a run will cost.

use std::time::Instant;

use super::RunFailure;
use crate::captions::BatchSource;
use crate::recipe::Recipe;
use crate::trainer::{StepReport, Trainer};
use crate::two_tower::TwoTower;

/// What some steps took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// Time of a step, the wait for its data included. The first step, which starts everything, counts only when it is
    /// the only one.
    pub seconds_per_step: f64,
    /// Image–caption pairs per second.
    pub pairs_per_s: f64,
}

/// Takes `steps` steps, at least one, of the run that `recipe` describes, and writes nothing; `hear` is told each.
///
/// # Errors
/// See [`RunFailure`].
pub fn trial<M: TwoTower + ?Sized>(
    model: &M,
    source: &mut dyn BatchSource,
    recipe: &Recipe,
    steps: u64,
    hear: &mut dyn FnMut(&StepReport),
) -> Result<Trial, RunFailure> {
    let mut trainer = Trainer::new(model, recipe.clone())?;
    let mut seconds = Vec::new();
    for _ in 0..steps.max(1) {
        let start = Instant::now();
        hear(&trainer.step(&source.next_batch()?)?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    let counted = if seconds.len() > 1 { &seconds[1..] } else { &seconds[..] };
    let seconds_per_step = counted.iter().sum::<f64>() / counted.len() as f64;
    Ok(Trial { seconds_per_step, pairs_per_s: recipe.batch as f64 / seconds_per_step.max(1e-9) })
}
