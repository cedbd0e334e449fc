//! The update of one parameter: fused and in place on the CPU in f32, composed of tensor operations elsewhere.

use super::{HOST, Settings};
use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Result, Shape, Tensor, Var, bail};
use rayon::prelude::*;
use std::sync::Mutex;

/// Numbers updated by one thread at a time: four streams of 64 KiB.
const CHUNK: usize = 1 << 14;

/// The factors of one step, computed once in f64.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates<T> {
    gradient: T,
    keep: T,
    first: T,
    second_keep: T,
    second: T,
    step: T,
    root: T,
    eps: T,
}

impl Rates<f64> {
    /// `step` counts from 1.
    pub(super) fn new(settings: &Settings, step: u64, lr: f64, weight_decay: f64, factor: f64) -> Self {
        let [beta1, beta2] = settings.betas;
        let correction = |beta: f64| 1.0 - beta.powf(step as f64);
        Self {
            gradient: factor,
            keep: 1.0 - lr * weight_decay,
            first: 1.0 - beta1,
            second_keep: beta2,
            second: 1.0 - beta2,
            step: lr / correction(beta1),
            root: correction(beta2).sqrt(),
            eps: settings.eps,
        }
    }

    fn narrowed(&self) -> Rates<f32> {
        Rates {
            gradient: self.gradient as f32,
            keep: self.keep as f32,
            first: self.first as f32,
            second_keep: self.second_keep as f32,
            second: self.second as f32,
            step: self.step as f32,
            root: self.root as f32,
            eps: self.eps as f32,
        }
    }
}

/// The running means of one parameter.
#[derive(Debug)]
pub(super) enum Moments {
    /// For f32 parameters on the CPU.
    Host { first: Vec<f32>, second: Vec<f32> },
    /// For all others: on the parameter's device, in f64 for f64 parameters and else in f32.
    Device { first: Tensor, second: Tensor },
}

impl Moments {
    pub(super) fn zeros(var: &Var) -> Result<Self> {
        if is_host(var) {
            return Ok(Self::Host { first: vec![0.0; var.elem_count()], second: vec![0.0; var.elem_count()] });
        }
        let zeros = || Tensor::zeros(var.shape(), moment_type(var), var.device());
        Ok(Self::Device { first: zeros()?, second: zeros()? })
    }

    pub(super) fn from_cpu(var: &Var, first: &Tensor, second: &Tensor) -> Result<Self> {
        if is_host(var) {
            let values = |tensor: &Tensor| tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1();
            return Ok(Self::Host { first: values(first)?, second: values(second)? });
        }
        let moved = |tensor: &Tensor| tensor.detach().to_dtype(moment_type(var))?.to_device(var.device());
        Ok(Self::Device { first: moved(first)?, second: moved(second)? })
    }

    pub(super) fn to_cpu(&self, shape: &Shape) -> Result<[Tensor; 2]> {
        match self {
            Self::Host { first, second } => {
                Ok([Tensor::from_slice(first, shape, &HOST)?, Tensor::from_slice(second, shape, &HOST)?])
            }
            Self::Device { first, second } => Ok([first.to_device(&HOST)?, second.to_device(&HOST)?]),
        }
    }

    pub(super) fn update(&mut self, var: &Var, gradient: &Tensor, rates: &Rates<f64>) -> Result<()> {
        match self {
            Self::Host { first, second } => {
                let fused = Fused { rates: rates.narrowed(), moments: Mutex::new((first, second)) };
                var.as_tensor().inplace_op2(gradient, &fused)
            }
            Self::Device { first, second } => composed(var, gradient, first, second, rates),
        }
    }
}

fn is_host(var: &Var) -> bool {
    var.device().is_cpu() && var.dtype() == DType::F32
}

fn moment_type(var: &Var) -> DType {
    if var.dtype() == DType::F64 { DType::F64 } else { DType::F32 }
}

fn composed(var: &Var, gradient: &Tensor, first: &mut Tensor, second: &mut Tensor, rates: &Rates<f64>) -> Result<()> {
    let gradient = (gradient.to_dtype(first.dtype())? * rates.gradient)?;
    *first = (&*first + ((&gradient - &*first)? * rates.first)?)?;
    *second = ((&*second * rates.second_keep)? + (gradient.sqr()? * rates.second)?)?;
    let root = ((second.sqrt()? / rates.root)? + rates.eps)?;
    let change = ((&*first / root)? * rates.step)?;
    let value = ((var.as_detached_tensor().to_dtype(first.dtype())? * rates.keep)? - change)?;
    var.set(&value.to_dtype(var.dtype())?)
}

/// One pass over parameter, gradient and both means. The means are lent to the operation by the optimizer, since
/// candle gives an in-place operation mutable access to its first tensor only.
struct Fused<'a> {
    rates: Rates<f32>,
    moments: Mutex<(&'a mut Vec<f32>, &'a mut Vec<f32>)>,
}

impl InplaceOp2 for Fused<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, values: &mut CpuStorage, to: &Layout, gradient: &CpuStorage, from: &Layout) -> Result<()> {
        let (CpuStorage::F32(values), CpuStorage::F32(gradient)) = (values, gradient) else {
            bail!("adamw: f32 parameters only");
        };
        let (Some(to), Some(from)) = (to.contiguous_offsets(), from.contiguous_offsets()) else {
            bail!("adamw: contiguous parameters only");
        };
        let Ok(mut moments) = self.moments.lock() else { bail!("adamw: an earlier update panicked") };
        let (first, second) = &mut *moments;
        let chunks = values[to.0..to.1].par_chunks_mut(CHUNK).zip(gradient[from.0..from.1].par_chunks(CHUNK));
        let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        chunks.zip(moments).for_each(|((values, gradient), (first, second))| {
            update_chunk(&self.rates, values, gradient, first, second);
        });
        Ok(())
    }
}

fn update_chunk(rates: &Rates<f32>, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
    let moments = first.iter_mut().zip(second);
    for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
        let gradient = gradient * rates.gradient;
        *first += (gradient - *first) * rates.first;
        *second = *second * rates.second_keep + gradient * gradient * rates.second;
        *value = *value * rates.keep - rates.step * *first / (second.sqrt() / rates.root + rates.eps);
    }
}
