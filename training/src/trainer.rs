//! One batch, one step.

mod batch;

use crate::batches::Sample;
use crate::gradients::Gradients;
use crate::optimizer::{AdamW, ParameterError, clip_factor, global_norm};
use crate::recipe::{Recipe, RecipeError};
use crate::schedule::learning_rate;
use crate::two_tower::{Backward, TwoTower, is_frozen};
use batch::{Micro, embeddings_gradient};
use candle_core::{DType, Tensor, Var};
use std::time::Instant;

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Number of the step, from 0.
    pub step: u64,
    /// Loss of the batch before the step, in nats.
    pub loss: f64,
    /// Learning rate of the step.
    pub lr: f64,
    /// Global L2 norm of the gradient before clipping.
    pub grad_norm: f64,
    /// Natural logarithm of the logit scale after the step.
    pub logit_scale: f64,
    /// Wall time of the step.
    pub seconds: f64,
}

/// A step that was not taken: the weights and the optimizer are as before it, unless the case says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The recipe's values cannot be used.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The model's list of parameters cannot be trained.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// A batch without samples.
    #[error("The batch of step {step} is empty")]
    EmptyBatch {
        /// Number of the step.
        step: u64,
    },
    /// The loss does not depend on a trainable parameter: the model cuts a gradient.
    #[error("Parameter `{name}` has no gradient")]
    NoGradient {
        /// The parameter.
        name: String,
    },
    /// The loss or the gradient is infinite or not a number.
    #[error("The {quantity} of step {step} is {value}")]
    NotFinite {
        /// Number of the step.
        step: u64,
        /// `loss` or `gradient norm`.
        quantity: &'static str,
        /// Its value.
        value: f64,
    },
    /// An operation on tensors failed. When it failed in the update itself (memory, device), weights may be half
    /// updated: go back to the last checkpoint.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// A fine-tune in memory: the model's parameters, the optimizer and the number of the next step.
///
/// Same model, recipe and batches give the same bytes, whatever rayon's number of threads, as far as the model's own
/// operations do.
#[derive(Debug)]
pub struct Trainer<'m, M: ?Sized> {
    model: &'m M,
    recipe: Recipe,
    optimizer: AdamW,
    gradients: Gradients,
    scale: Option<Var>,
}

impl<'m, M: TwoTower + ?Sized> Trainer<'m, M> {
    /// Trainer of `model` before its first step. What the recipe freezes is left alone even where the model would train
    /// it; a model that knows does not compute the gradients either.
    ///
    /// # Errors
    /// A recipe value out of range, no or repeated parameters, no memory for the optimizer.
    pub fn new(model: &'m M, recipe: Recipe) -> Result<Self, TrainError> {
        recipe.check()?;
        let mut parameters = model.trainable();
        parameters.retain(|(name, _)| !is_frozen(name, &recipe.frozen));
        let is_scale = |name: &str| name.rsplit('.').next() == Some("logit_scale");
        let scale = parameters.iter().find(|(name, _)| is_scale(name)).map(|(_, var)| var.clone());
        let gradients = Gradients::new(parameters.clone());
        let optimizer = AdamW::new(parameters, recipe.optimizer())?;
        Ok(Self { model, recipe, optimizer, gradients, scale })
    }

    /// The recipe this run follows.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Number of the next step, from 0; also the number of steps taken.
    pub fn next_step(&self) -> u64 {
        self.optimizer.steps()
    }

    /// Whether the recipe's steps are all taken. Further steps have a learning rate of zero.
    pub fn is_done(&self) -> bool {
        self.next_step() >= self.recipe.steps
    }

    /// The optimizer, whose state belongs into a checkpoint.
    pub fn optimizer(&self) -> &AdamW {
        &self.optimizer
    }

    /// The optimizer, to restore its state.
    pub fn optimizer_mut(&mut self) -> &mut AdamW {
        &mut self.optimizer
    }

    /// Trains on one batch: encode, loss, backward, clip, update, then clamp the logit scale to
    /// `0..=logit_scale_max`.
    ///
    /// # Errors
    /// See [`TrainError`]; a loss or gradient that is not finite is refused before anything changes.
    pub fn step(&mut self, batch: &[Sample]) -> Result<StepReport, TrainError> {
        let start = Instant::now();
        let step = self.next_step();
        if batch.is_empty() {
            return Err(TrainError::EmptyBatch { step });
        }
        let (loss, gradients) = self.gradients(batch)?;
        let grad_norm = finite(global_norm(&gradients)?, "gradient norm", step)?;
        let factor = self.recipe.clip_norm.map_or(1.0, |longest| clip_factor(grad_norm, longest));
        let lr = learning_rate(step, &self.recipe.schedule());
        self.optimizer.step(&gradients, lr, factor)?;
        let logit_scale = self.clamp_scale()?;
        Ok(StepReport { step, loss, lr, grad_norm, logit_scale, seconds: start.elapsed().as_secs_f64() })
    }

    /// The loss and, in the order of the optimizer's parameters, its gradients.
    ///
    /// The loss needs the embeddings of the whole batch. So every micro-batch goes forward first, the loss is
    /// differentiated with respect to the embeddings, and each micro-batch goes backward from its own rows of that
    /// gradient: the chain rule cut at the embeddings, so the sum is the large batch's gradient (arXiv 2101.06983,
    /// section 3.2). What several micro-batches computed on the way is not kept but computed again.
    fn gradients(&mut self, batch: &[Sample]) -> Result<(f64, Vec<Tensor>), TrainError> {
        let (model, step) = (self.model, self.next_step());
        let micros = Micro::cut(batch, self.recipe.accumulate, self.recipe.negatives_per_caption);
        let inputs: Vec<_> = micros.iter().flat_map(Micro::inputs).collect();
        let (mut embeddings, mut kept): (Vec<Tensor>, Vec<Option<Backward<'_>>>) = (Vec::new(), Vec::new());
        for inputs in &inputs {
            if micros.len() == 1 && model.learns(*inputs) {
                let pass = model.pass(*inputs)?;
                embeddings.push(pass.embeddings);
                kept.push(Some(pass.backward));
            } else {
                embeddings.push(model.embed(*inputs)?);
                kept.push(None);
            }
        }
        self.gradients.clear();
        let loss = embeddings_gradient(&micros, &embeddings, &model.logit_scale()?, &mut self.gradients)?;
        let value = finite(loss.value, "loss", step)?;
        // The last to go forward is the first to free its memory.
        for ((inputs, kept), upstream) in inputs.iter().zip(kept).zip(&loss.upstream).rev() {
            if model.learns(*inputs) {
                let backward = kept.map_or_else(|| model.pass(*inputs).map(|pass| pass.backward), Ok)?;
                backward(upstream, &mut self.gradients)?;
            }
        }
        match self.gradients.sums() {
            Ok(sums) => Ok((value, sums)),
            Err(name) => Err(TrainError::NoGradient { name: name.to_owned() }),
        }
    }

    /// A scale that is not trained is left alone.
    fn clamp_scale(&self) -> Result<f64, TrainError> {
        let Some(scale) = &self.scale else { return Ok(scalar(&self.model.logit_scale()?)?) };
        let value = scalar(scale.as_tensor())?;
        let highest = self.recipe.logit_scale_max;
        if !(0.0..=highest).contains(&value) {
            scale.set(&scale.as_detached_tensor().clamp(0.0, highest)?)?;
        }
        Ok(value.clamp(0.0, highest))
    }
}

/// The one number in `tensor`, whatever its rank and type.
fn scalar(tensor: &Tensor) -> candle_core::Result<f64> {
    let tensor = tensor.reshape(())?;
    if tensor.dtype() == DType::F64 {
        tensor.to_scalar()
    } else {
        Ok(tensor.to_dtype(DType::F32)?.to_scalar::<f32>()?.into())
    }
}

fn finite(value: f64, quantity: &'static str, step: u64) -> Result<f64, TrainError> {
    if value.is_finite() { Ok(value) } else { Err(TrainError::NotFinite { step, quantity, value }) }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests;
