//! `AdamW` with decay groups, as PyTorch computes it, and the global gradient norm.

mod norm;
mod update;

pub use norm::{clip_factor, global_norm};

use candle_core::{Device, Result, Tensor, Var};
use update::{Moments, Rates};

/// Settings of [`AdamW`] that stay the same over a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Decay per step of the running means of the gradient and of its square.
    pub betas: [f64; 2],
    /// Added to the root of the mean square after bias correction.
    pub eps: f64,
    /// Decoupled weight decay, of the parameters that [`decays`] names.
    pub weight_decay: f64,
}

/// Whether weight decay applies to a parameter: not to scalars and vectors, and to no name that contains `bn`, `ln`,
/// `bias` or `logit_scale` (the rule of `open_clip`, so token and positional embeddings do decay).
pub fn decays(name: &str, rank: usize) -> bool {
    rank >= 2 && !["bn", "ln", "bias", "logit_scale"].iter().any(|part| name.contains(part))
}

/// Parameters that cannot be optimized.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// Nothing to train.
    #[error("The model names no trainable parameter")]
    None,
    /// Two parameters of one name.
    #[error("Parameter `{0}` is named twice")]
    Repeated(String),
    /// A state that was saved for other parameters; the message names the first difference.
    #[error("The optimizer's state does not fit: {0}")]
    State(String),
    /// An operation on tensors failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// What [`AdamW`] remembers, for a checkpoint.
#[derive(Clone, Debug)]
pub struct State {
    /// Steps taken.
    pub steps: u64,
    /// One entry per parameter, sorted by name.
    pub moments: Vec<Moment>,
}

/// The running means of one parameter, on the CPU.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Name of the parameter.
    pub name: String,
    /// Mean of the gradient, in the parameter's shape.
    pub first: Tensor,
    /// Mean of the squared gradient, in the parameter's shape.
    pub second: Tensor,
}

/// Adam with decoupled weight decay (arXiv 1711.05101) over named parameters.
///
/// One step per parameter: `g ← factor·g`, `θ ← θ·(1 − lr·λ)`, `m ← m + (1 − β₁)(g − m)`, `v ← β₂v + (1 − β₂)g²`,
/// `θ ← θ − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)`. On the CPU in f32 that is one pass in place over θ, m and v.
#[derive(Debug)]
pub struct AdamW {
    settings: Settings,
    parameters: Vec<Parameter>,
    steps: u64,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    var: Var,
    decays: bool,
    moments: Moments,
}

impl AdamW {
    /// Optimizer of `parameters`, sorted by name, before its first step.
    ///
    /// # Errors
    /// No parameters, a name given twice, no memory for the running means.
    pub fn new(mut parameters: Vec<(String, Var)>, settings: Settings) -> std::result::Result<Self, ParameterError> {
        parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
        if parameters.is_empty() {
            return Err(ParameterError::None);
        }
        if let Some(pair) = parameters.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(ParameterError::Repeated(pair[0].0.clone()));
        }
        let parameter = |(name, var): (String, Var)| {
            let moments = Moments::zeros(&var)?;
            Ok(Parameter { decays: decays(&name, var.rank()), name, var, moments })
        };
        let parameters = parameters.into_iter().map(parameter).collect::<Result<_>>()?;
        Ok(Self { settings, parameters, steps: 0 })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The parameters in the order in which [`step`](Self::step) takes their gradients: by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.parameters.iter().map(|parameter| (parameter.name.as_str(), &parameter.var))
    }

    /// One step with learning rate `lr` along `factor * gradients`, one gradient per parameter in the order of
    /// [`parameters`](Self::parameters).
    ///
    /// # Errors
    /// Before anything changes: gradients whose number, shape or type is not the parameters'. Later: a failing device.
    pub fn step(&mut self, gradients: &[Tensor], lr: f64, factor: f64) -> Result<()> {
        if gradients.len() != self.parameters.len() {
            candle_core::bail!("{} gradients for {} parameters", gradients.len(), self.parameters.len());
        }
        for (Parameter { name, var, .. }, gradient) in self.parameters.iter().zip(gradients) {
            if gradient.shape() != var.shape() || gradient.dtype() != var.dtype() || !gradient.is_contiguous() {
                candle_core::bail!("gradient {gradient:?} of parameter `{name}` {var:?}");
            }
        }
        self.steps += 1;
        for (parameter, gradient) in self.parameters.iter_mut().zip(gradients) {
            let decay = if parameter.decays { self.settings.weight_decay } else { 0.0 };
            let rates = Rates::new(&self.settings, self.steps, lr, decay, factor);
            parameter.moments.update(&parameter.var, gradient, &rates)?;
        }
        Ok(())
    }

    /// A copy of the state.
    ///
    /// # Errors
    /// A device that cannot be read.
    pub fn export(&self) -> Result<State> {
        let moment = |parameter: &Parameter| {
            let [first, second] = parameter.moments.to_cpu(parameter.var.shape())?;
            Ok(Moment { name: parameter.name.clone(), first, second })
        };
        Ok(State { steps: self.steps, moments: self.parameters.iter().map(moment).collect::<Result<_>>()? })
    }

    /// Continues from `state`, to the bit.
    ///
    /// # Errors
    /// [`ParameterError::State`] when names or shapes are not those of the parameters; nothing has changed then.
    pub fn import(&mut self, state: &State) -> std::result::Result<(), ParameterError> {
        if state.moments.len() != self.parameters.len() {
            let (found, wanted) = (state.moments.len(), self.parameters.len());
            return Err(ParameterError::State(format!("{found} entries for {wanted} parameters")));
        }
        let restored = |(parameter, moment): (&Parameter, &Moment)| {
            let Parameter { name, var, .. } = parameter;
            if *name != moment.name {
                return Err(ParameterError::State(format!("`{}` in the place of `{name}`", moment.name)));
            }
            if [&moment.first, &moment.second].iter().any(|tensor| tensor.shape() != var.shape()) {
                return Err(ParameterError::State(format!("`{name}` has another shape than {:?}", var.dims())));
            }
            Ok(Moments::from_cpu(var, &moment.first, &moment.second)?)
        };
        let moments: Vec<Moments> =
            self.parameters.iter().zip(&state.moments).map(restored).collect::<std::result::Result<_, _>>()?;
        for (parameter, moments) in self.parameters.iter_mut().zip(moments) {
            parameter.moments = moments;
        }
        self.steps = state.steps;
        Ok(())
    }
}

/// The device on which exported state lies.
const HOST: Device = Device::Cpu;

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests;
