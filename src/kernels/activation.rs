//! The two nonlinearities of CLIP models.

use std::fmt;
use std::mem::MaybeUninit;
use std::str::FromStr;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::math::{exp, normal_below};
use super::storage::{as_uninit, is_cpu_f32, slice, tensor, tensor_slice, written_by};

/// Values per parallel task: 64 KiB in, 64 KiB out, which stay in the second-level cache.
const CHUNK: usize = 1 << 14;

/// The nonlinearity between the two layers of an MLP. A property of the checkpoint that its weights do not show:
/// the wrong one loads cleanly and costs accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// x * sigmoid(1.702 x): OpenAI's models and what was tuned from them (`NegCLIP`, CLoVe).
    QuickGelu,
    /// x/2 * (1 + erf(x / sqrt 2)), the exact GELU: LAION and `DataComp` models.
    Gelu,
}

/// A name that is neither `quick-gelu` nor `gelu`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown activation {0:?}, expected quick-gelu or gelu")]
pub struct UnknownActivation(pub String);

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QuickGelu => "quick-gelu",
            Self::Gelu => "gelu",
        })
    }
}

impl FromStr for Activation {
    type Err = UnknownActivation;

    fn from_str(name: &str) -> std::result::Result<Self, UnknownActivation> {
        match name {
            "quick-gelu" => Ok(Self::QuickGelu),
            "gelu" => Ok(Self::Gelu),
            _ => Err(UnknownActivation(name.to_owned())),
        }
    }
}

/// Applies `kind` to every value of `x`, any shape; differentiable.
///
/// On the CPU in f32 values and derivatives are within 1e-6 (of the larger of 1 and |value|) of the exact function.
pub fn activate(x: &Tensor, kind: Activation) -> Result<Tensor> {
    if is_cpu_f32(&[x]) {
        return x.contiguous()?.apply_op1(Activate(kind));
    }
    match kind {
        Activation::QuickGelu => x * candle_nn::ops::sigmoid(&x.affine(1.702, 0.0)?)?,
        // candle's half formats round the constants; the exact form is worth the two casts.
        Activation::Gelu if matches!(x.dtype(), DType::F16 | DType::BF16) => {
            x.to_dtype(DType::F32)?.gelu_erf()?.to_dtype(x.dtype())
        }
        Activation::Gelu => x.gelu_erf(),
    }
}

pub(super) struct Activate(pub(super) Activation);

impl CustomOp1 for Activate {
    fn name(&self) -> &'static str {
        "activate"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = forward(self.0, slice(storage, layout)?);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let ((xs, xl), (gs, gl)) = (x.storage_and_layout(), grad.storage_and_layout());
        let (xs, gs) = (tensor_slice(&xs, xl)?, tensor_slice(&gs, gl)?);
        if xs.len() != gs.len() {
            bail!("activate: {} values but a gradient of {}", xs.len(), gs.len());
        }
        let dx = backward(self.0, xs, gs);
        Ok(Some(tensor(dx, x.shape())?))
    }
}

#[expect(unsafe_code, reason = "the result is written in parallel into fresh memory")]
fn forward(kind: Activation, x: &[f32]) -> Vec<f32> {
    let kernel = match kind {
        Activation::QuickGelu => quick_gelu,
        Activation::Gelu => gelu,
    };
    // SAFETY: both sides have x.len() values cut alike, and a kernel writes one value for each it reads.
    unsafe {
        written_by(x.len(), |y| {
            y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| kernel(x, y));
        })
    }
}

#[expect(unsafe_code, reason = "the result is written in parallel into fresh memory")]
fn backward(kind: Activation, x: &[f32], grad: &[f32]) -> Vec<f32> {
    let kernel = match kind {
        Activation::QuickGelu => quick_gelu_backward,
        Activation::Gelu => gelu_backward,
    };
    // SAFETY: all three have x.len() values (the caller compared) cut alike, and a kernel writes one for each it reads.
    unsafe {
        written_by(x.len(), |dx| {
            let parts = x.par_chunks(CHUNK).zip(grad.par_chunks(CHUNK));
            dx.par_chunks_mut(CHUNK).zip(parts).for_each(|(dx, (x, g))| kernel(x, g, dx));
        })
    }
}

/// `y = kind(x)`, as long as x.
pub(super) fn forward_into(kind: Activation, x: &[f32], y: &mut [f32]) {
    let kernel = match kind {
        Activation::QuickGelu => quick_gelu,
        Activation::Gelu => gelu,
    };
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| kernel(x, as_uninit(y)));
}

/// In one pass, `x` becomes `kind(x)` and `grad` the gradient of x: one exponential serves both.
pub(super) fn both_in_place(kind: Activation, x: &mut [f32], grad: &mut [f32]) {
    let kernel = match kind {
        Activation::QuickGelu => quick_gelu_both,
        Activation::Gelu => gelu_both,
    };
    x.par_chunks_mut(CHUNK).zip(grad.par_chunks_mut(CHUNK)).for_each(|(x, grad)| kernel(x, grad));
}

dispatch! { fn quick_gelu_both(x: &mut [f32], grad: &mut [f32]) = quick_gelu_both_body; }
dispatch! { fn gelu_both(x: &mut [f32], grad: &mut [f32]) = gelu_both_body; }
dispatch! { fn quick_gelu(x: &[f32], y: &mut [MaybeUninit<f32>]) = quick_gelu_body; }
dispatch! { fn gelu(x: &[f32], y: &mut [MaybeUninit<f32>]) = gelu_body; }
dispatch! { fn quick_gelu_backward(x: &[f32], grad: &[f32], dx: &mut [MaybeUninit<f32>]) = quick_gelu_backward_body; }
dispatch! { fn gelu_backward(x: &[f32], grad: &[f32], dx: &mut [MaybeUninit<f32>]) = gelu_backward_body; }

#[inline(always)]
fn quick_gelu_body<const LANES: usize>(x: &[f32], y: &mut [MaybeUninit<f32>]) {
    for (y, &x) in y.iter_mut().zip(x) {
        y.write(x / (1.0 + exp(-1.702 * x)));
    }
}

#[inline(always)]
fn gelu_body<const LANES: usize>(x: &[f32], y: &mut [MaybeUninit<f32>]) {
    for (y, &x) in y.iter_mut().zip(x) {
        y.write(x * normal_below(x, exp(-0.5 * x * x)));
    }
}

#[inline(always)]
fn quick_gelu_backward_body<const LANES: usize>(x: &[f32], grad: &[f32], dx: &mut [MaybeUninit<f32>]) {
    for (dx, (&x, &g)) in dx.iter_mut().zip(x.iter().zip(grad)) {
        let z = 1.702 * x;
        let s = 1.0 / (1.0 + exp(-z));
        dx.write(g * s * (1.0 + z * (1.0 - s)));
    }
}

/// 1 / sqrt(2 pi)
const DENSITY_AT_0: f32 = 0.398_942_3;

#[inline(always)]
fn gelu_backward_body<const LANES: usize>(x: &[f32], grad: &[f32], dx: &mut [MaybeUninit<f32>]) {
    for (dx, (&x, &g)) in dx.iter_mut().zip(x.iter().zip(grad)) {
        let bell = exp(-0.5 * x * x);
        dx.write(g * (normal_below(x, bell) + x * DENSITY_AT_0 * bell));
    }
}

#[inline(always)]
fn quick_gelu_both_body<const LANES: usize>(x: &mut [f32], grad: &mut [f32]) {
    for (x, g) in x.iter_mut().zip(grad) {
        let z = 1.702 * *x;
        let s = 1.0 / (1.0 + exp(-z));
        *g *= s * (1.0 + z * (1.0 - s));
        *x *= s;
    }
}

#[inline(always)]
fn gelu_both_body<const LANES: usize>(x: &mut [f32], grad: &mut [f32]) {
    for (x, g) in x.iter_mut().zip(grad) {
        let bell = exp(-0.5 * *x * *x);
        let below = normal_below(*x, bell);
        *g *= below + *x * DENSITY_AT_0 * bell;
        *x *= below;
    }
}
