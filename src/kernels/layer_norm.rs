//! Normalisation of rows, with the statistics kept for the backward pass.

use std::mem::MaybeUninit;
use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, D, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::linear::add_rows;
use super::math::{dot, sum};
use super::storage::{is_cpu_f32, rows_per_chunk, slice, tensor, tensor_slice, written_by};

/// `(x - mean) / sqrt(variance + eps) * weight + bias` over each row of `x` `[n, d]`; differentiable.
///
/// `weight` and `bias` are `[d]`. The variance (biased, as in PyTorch) is summed over the centred values in a second
/// pass: `E[x²]` - `E[x]`² loses digits on the outlier channels of CLIP's residual stream. Errors when shapes do not fit.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let d = x.dims2()?.1;
    if d == 0 || weight.dims() != [d] || bias.dims() != [d] {
        bail!("layer_norm: rows of {d}, weight {:?}, bias {:?}", weight.shape(), bias.shape());
    }
    if !is_cpu_f32(&[x, weight, bias]) {
        return composed(x, weight, bias, eps);
    }
    let tracked = x.track_op() || weight.track_op() || bias.track_op();
    x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, LayerNorm::new(eps, tracked))
}

/// The definition, in candle operations that all have a backward pass. Half formats are normalised in f32.
fn composed(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let dtype = x.dtype();
    let wide = if matches!(dtype, DType::F16 | DType::BF16) { DType::F32 } else { dtype };
    let x = x.to_dtype(wide)?;
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let normal = centred.broadcast_div(&variance.affine(1.0, eps)?.sqrt()?)?;
    normal.broadcast_mul(&weight.to_dtype(wide)?)?.broadcast_add(&bias.to_dtype(wide)?)?.to_dtype(dtype)
}

/// Partial sums along a row: a register of AVX-512, or four of SSE.
const SUMS: usize = 16;

/// Mean and reciprocal standard deviation of a row.
pub(super) type Statistics = [f32; 2];

pub(super) struct LayerNorm {
    eps: f64,
    /// Present when a backward pass may follow.
    statistics: Option<OnceLock<Vec<Statistics>>>,
}

impl LayerNorm {
    pub(super) fn new(eps: f64, tracked: bool) -> Self {
        Self { eps, statistics: tracked.then(OnceLock::new) }
    }
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, x_layout)?;
        let (y, statistics) = forward(x, slice(weight, weight_layout)?, slice(bias, bias_layout)?, self.eps as f32);
        if let Some(kept) = &self.statistics {
            kept.get_or_init(|| statistics);
        }
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(statistics) = self.statistics.as_ref().and_then(OnceLock::get) else {
            bail!("layer_norm: backward of an untracked call");
        };
        let grad = grad.contiguous()?;
        let ((xs, xl), (ws, wl), (gs, gl)) =
            (x.storage_and_layout(), weight.storage_and_layout(), grad.storage_and_layout());
        let (values, grads) = (tensor_slice(&xs, xl)?, tensor_slice(&gs, gl)?);
        if grads.len() != values.len() {
            bail!("layer_norm: {} values but a gradient of {}", values.len(), grads.len());
        }
        let (dx, dweight, dbias) = backward(values, tensor_slice(&ws, wl)?, grads, statistics);
        // A tracked argument must get its gradient: candle panics on one that has none.
        Ok((
            x.track_op().then(|| tensor(dx, x.shape())).transpose()?,
            weight.track_op().then(|| tensor(dweight, weight.shape())).transpose()?,
            bias.track_op().then(|| tensor(dbias, bias.shape())).transpose()?,
        ))
    }
}

#[expect(unsafe_code, reason = "the result is written in parallel into fresh memory")]
fn forward(x: &[f32], weight: &[f32], bias: &[f32], eps: f32) -> (Vec<f32>, Vec<Statistics>) {
    let mut statistics = vec![[0.0; 2]; x.len() / weight.len()];
    // SAFETY: y is as long as x, and `forward_into` writes all of it.
    let y = unsafe { written_by(x.len(), |y| forward_into(x, weight, bias, eps, y, &mut statistics)) };
    (y, statistics)
}

/// Normalises the rows of `x` into `y`, which is as long, and keeps what each row was normalised with.
pub(super) fn forward_into(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
    y: &mut [MaybeUninit<f32>],
    statistics: &mut [Statistics],
) {
    let d = weight.len();
    let rows = rows_per_chunk(x.len() / d);
    let inputs = x.par_chunks(rows * d).zip(statistics.par_chunks_mut(rows));
    y.par_chunks_mut(rows * d)
        .zip(inputs)
        .for_each(|(y, (x, statistics))| normalize(x, weight, bias, eps, y, statistics));
}

/// The same result again, from the statistics that were kept.
pub(super) fn again_into(x: &[f32], weight: &[f32], bias: &[f32], statistics: &[Statistics], y: &mut [f32]) {
    let d = weight.len();
    let rows = rows_per_chunk(x.len() / d);
    let inputs = x.par_chunks(rows * d).zip(statistics.par_chunks(rows));
    y.par_chunks_mut(rows * d).zip(inputs).for_each(|(y, (x, statistics))| apply(x, weight, bias, statistics, y));
}

/// Gradients of x, weight and bias.
#[expect(unsafe_code, reason = "the result is written in parallel into fresh memory")]
fn backward(x: &[f32], weight: &[f32], grad: &[f32], statistics: &[Statistics]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (mut dweight, mut dbias) = (vec![0.0; weight.len()], vec![0.0; weight.len()]);
    // SAFETY: dx is as long as x, and `backward_into` writes all of it.
    let dx = unsafe {
        written_by(x.len(), |dx| {
            let sums = backward_into(x, weight, grad, statistics, None, dx);
            sums.add_to(&mut dweight, &mut dbias);
        })
    };
    (dx, dweight, dbias)
}

/// Sums over chunks of rows: for weight, then for bias, chunk after chunk.
pub(super) struct Sums(Vec<f32>);

impl Sums {
    /// Adds them up in order.
    pub(super) fn add_to(&self, dweight: &mut [f32], dbias: &mut [f32]) {
        let d = dweight.len();
        for sums in self.0.chunks_exact(2 * d) {
            let (of_weight, of_bias) = sums.split_at(d);
            add_rows(of_weight, dweight);
            add_rows(of_bias, dbias);
        }
    }
}

/// Writes the gradient of x, plus `residual` where there is one; all slices but `weight` and `statistics` are as long
/// as x.
pub(super) fn backward_into(
    x: &[f32],
    weight: &[f32],
    grad: &[f32],
    statistics: &[Statistics],
    residual: Option<&[f32]>,
    dx: &mut [MaybeUninit<f32>],
) -> Sums {
    let (d, n) = (weight.len(), x.len() / weight.len());
    let rows = rows_per_chunk(n);
    let mut partial = vec![0.0; n.div_ceil(rows) * 2 * d];
    let inputs = x.par_chunks(rows * d).zip(grad.par_chunks(rows * d)).zip(statistics.par_chunks(rows));
    let outputs = dx.par_chunks_mut(rows * d).zip(partial.par_chunks_mut(2 * d)).enumerate();
    outputs.zip(inputs).for_each(|((chunk, (dx, sums)), ((x, grad), statistics))| {
        let residual = residual.map(|residual| &residual[chunk * rows * d..][..x.len()]);
        chunk_backward(x, weight, grad, statistics, residual, dx, sums);
    });
    Sums(partial)
}

dispatch! {
    fn normalize(
        x: &[f32], weight: &[f32], bias: &[f32], eps: f32, y: &mut [MaybeUninit<f32>], statistics: &mut [Statistics],
    ) = normalize_body;
}

dispatch! {
    /// `sums` receives the sums over these rows for weight, then bias.
    fn chunk_backward(
        x: &[f32], weight: &[f32], grad: &[f32], statistics: &[Statistics], residual: Option<&[f32]>,
        dx: &mut [MaybeUninit<f32>], sums: &mut [f32],
    ) = chunk_backward_body;
}

dispatch! { fn apply(x: &[f32], weight: &[f32], bias: &[f32], statistics: &[Statistics], y: &mut [f32]) = apply_body; }

#[inline(always)]
fn apply_body<const LANES: usize>(x: &[f32], weight: &[f32], bias: &[f32], statistics: &[Statistics], y: &mut [f32]) {
    let d = weight.len();
    for ((x, y), &[mean, inverse]) in x.chunks_exact(d).zip(y.chunks_exact_mut(d)).zip(statistics) {
        for ((y, &x), (&w, &b)) in y.iter_mut().zip(x).zip(weight.iter().zip(bias)) {
            *y = (x - mean) * inverse * w + b;
        }
    }
}

#[inline(always)]
fn normalize_body<const LANES: usize>(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
    y: &mut [MaybeUninit<f32>],
    statistics: &mut [Statistics],
) {
    let d = weight.len();
    for ((x, y), kept) in x.chunks_exact(d).zip(y.chunks_exact_mut(d)).zip(statistics) {
        let mean = sum::<SUMS>(x, |v| v) / d as f32;
        let variance = sum::<SUMS>(x, |v| (v - mean) * (v - mean)) / d as f32;
        let inverse = 1.0 / (variance + eps).sqrt();
        for ((y, &x), (&w, &b)) in y.iter_mut().zip(x).zip(weight.iter().zip(bias)) {
            y.write((x - mean) * inverse * w + b);
        }
        *kept = [mean, inverse];
    }
}

/// With h the normalised row and g = grad * weight: dx = (g - mean(g) - h * mean(g * h)) / deviation.
#[inline(always)]
fn chunk_backward_body<const LANES: usize>(
    x: &[f32],
    weight: &[f32],
    grad: &[f32],
    statistics: &[Statistics],
    residual: Option<&[f32]>,
    dx: &mut [MaybeUninit<f32>],
    sums: &mut [f32],
) {
    let d = weight.len();
    let mut residual = residual.map(|residual| residual.chunks_exact(d));
    let (dweight, dbias) = sums.split_at_mut(d);
    let mut scaled = vec![0.0; d];
    let mut normal = vec![0.0; d];
    let rows = x.chunks_exact(d).zip(grad.chunks_exact(d)).zip(dx.chunks_exact_mut(d));
    for (((x, grad), dx), &[mean, inverse]) in rows.zip(statistics) {
        for ((h, &x), (s, (&g, &w))) in normal.iter_mut().zip(x).zip(scaled.iter_mut().zip(grad.iter().zip(weight))) {
            *h = (x - mean) * inverse;
            *s = g * w;
        }
        for ((dw, db), (&g, &h)) in dweight.iter_mut().zip(dbias.iter_mut()).zip(grad.iter().zip(&normal)) {
            *dw += g * h;
            *db += g;
        }
        let mean_scaled = sum::<SUMS>(&scaled, |s| s) / d as f32;
        let mean_product = dot::<SUMS>(&scaled, &normal) / d as f32;
        if let Some(residual) = residual.as_mut().and_then(Iterator::next) {
            for ((dx, &r), (&s, &h)) in dx.iter_mut().zip(residual).zip(scaled.iter().zip(&normal)) {
                dx.write(r + (s - mean_scaled - h * mean_product) * inverse);
            }
        } else {
            for (dx, (&s, &h)) in dx.iter_mut().zip(scaled.iter().zip(&normal)) {
                dx.write((s - mean_scaled - h * mean_product) * inverse);
            }
        }
    }
}
