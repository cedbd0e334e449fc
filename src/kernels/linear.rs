//! Matrix products with weights, which compute a gradient only for what is trained.

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Storage, Tensor, bail};
use rayon::prelude::*;

use super::storage::{as_uninit, is_cpu_f32, rows_per_chunk, slice, tensor, tensor_slice, written_by};

/// `x · weightᵀ + bias`: `x` `[n, k]`, `weight` `[m, k]`, `bias` `[m]`, result `[n, m]`; differentiable.
///
/// Gradients are computed for tracked arguments only: frozen weights and pixels cost nothing backward, where candle's
/// own product computes both sides always. Errors when shapes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let ((_, k), (m, columns)) = (x.dims2()?, weight.dims2()?);
    if k != columns || bias.is_some_and(|bias| bias.dims() != [m]) {
        let bias = bias.map(Tensor::shape);
        bail!("linear: x {:?}, weight {:?}, bias {bias:?}", x.shape(), weight.shape());
    }
    let fused = is_cpu_f32(&[x, weight]) && bias.is_none_or(|bias| is_cpu_f32(&[bias]));
    match bias {
        Some(bias) if fused => x.apply_op3(weight, &bias.contiguous()?, Linear),
        None if fused => x.apply_op2(weight, Linear),
        _ => composed(x, weight, bias),
    }
}

/// `x · weight`: `x` `[n, k]`, `weight` `[k, m]`, result `[n, m]`; differentiable, with the care of [`linear`].
///
/// This is how open_clip stores the projections of both towers: transposed against a linear layer.
pub fn project(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    linear(x, &weight.t()?, None)
}

/// The definition, in candle operations that all have a backward pass.
fn composed(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let y = x.contiguous()?.matmul(&weight.t()?)?;
    bias.map_or(Ok(y.clone()), |bias| y.broadcast_add(bias))
}

pub(super) struct Linear;

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, weight: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        forward(Matrix::new(x, xl)?, Matrix::new(weight, wl)?, None)
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        backward(x, weight, grad)
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear-bias"
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
        let bias = slice(bias, bias_layout)?;
        forward(Matrix::new(x, x_layout)?, Matrix::new(weight, weight_layout)?, Some(bias))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dweight) = backward(x, weight, grad)?;
        if !bias.track_op() {
            return Ok((dx, dweight, None));
        }
        let grad = grad.contiguous()?;
        let (storage, layout) = grad.storage_and_layout();
        let sums = column_sums(tensor_slice(&storage, layout)?, bias.elem_count());
        Ok((dx, dweight, Some(tensor(sums, bias.shape())?)))
    }
}

fn forward(x: Matrix<'_>, weight: Matrix<'_>, bias: Option<&[f32]>) -> Result<(CpuStorage, Shape)> {
    let shape = (x.rows, weight.rows);
    Ok((CpuStorage::F32(product(x, weight.transposed(), bias)?), shape.into()))
}

/// dx = grad · weight and dweight = gradᵀ · x. A tracked argument must get its gradient: candle panics otherwise.
fn backward(x: &Tensor, weight: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let ((xs, xl), (ws, wl), (gs, gl)) =
        (x.storage_and_layout(), weight.storage_and_layout(), grad.storage_and_layout());
    let grads = Matrix::of(&gs, gl)?;
    let (mut dx, mut dweight) = (None, None);
    if x.track_op() {
        dx = Some(tensor(product(grads, Matrix::of(&ws, wl)?, None)?, x.shape())?);
    }
    if weight.track_op() {
        dweight = Some(tensor(product(grads.transposed(), Matrix::of(&xs, xl)?, None)?, weight.shape())?);
    }
    Ok((dx, dweight))
}

/// A matrix inside a storage: element (i, j) is `values[i * strides.0 + j * strides.1]`, all within bounds.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    strides: (usize, usize),
}

impl<'a> Matrix<'a> {
    /// Any strides will do, so neither a transposed weight nor a broadcast gradient is copied.
    fn new(storage: &'a CpuStorage, layout: &Layout) -> Result<Self> {
        let (rows, columns) = layout.shape().dims2()?;
        let strides = match layout.stride() {
            &[row, column] => (row, column),
            other => bail!("linear: strides {other:?} of a matrix"),
        };
        let values = storage.as_slice::<f32>()?.get(layout.start_offset()..).unwrap_or_default();
        let is_inside = rows == 0 || columns == 0 || (rows - 1) * strides.0 + (columns - 1) * strides.1 < values.len();
        if !is_inside {
            bail!("linear: a matrix reaches beyond its storage");
        }
        Ok(Self { values, rows, columns, strides })
    }

    /// The row-major matrix of `columns` that fills `values`.
    pub(super) fn whole(values: &'a [f32], columns: usize) -> Self {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        Self { values, rows, columns, strides: (columns, 1) }
    }

    fn of(storage: &'a Storage, layout: &Layout) -> Result<Self> {
        match storage {
            Storage::Cpu(storage) => Self::new(storage, layout),
            _ => bail!("linear: a tensor on the CPU is required"),
        }
    }

    pub(super) fn transposed(self) -> Self {
        let Self { values, rows, columns, strides } = self;
        Self { values, rows: columns, columns: rows, strides: (strides.1, strides.0) }
    }
}

/// `a · b`, plus `bias` on every row, row-major.
#[expect(unsafe_code, reason = "the result is written into fresh memory")]
fn product(a: Matrix<'_>, b: Matrix<'_>, bias: Option<&[f32]>) -> Result<Vec<f32>> {
    if a.columns != b.rows || bias.is_some_and(|bias| bias.len() != b.columns) {
        bail!("linear: {} x {} by {} x {}", a.rows, a.columns, b.rows, b.columns);
    }
    let fill = |out: &mut [MaybeUninit<f32>]| {
        if let Some(bias) = bias {
            prefill(out, bias);
        }
        // SAFETY: the sizes fit, and with a bias every value of `out` was written just now.
        unsafe { multiply(a, b, out, bias.is_some()) };
    };
    // SAFETY: `multiply` writes every value.
    Ok(unsafe { written_by(a.rows * b.columns, fill) })
}

/// `out = a · b + bias`, row-major, in memory that holds other numbers.
pub(super) fn product_into(a: Matrix<'_>, b: Matrix<'_>, bias: Option<&[f32]>, out: &mut [f32]) -> Result<()> {
    if bias.is_some_and(|bias| bias.len() != b.columns) {
        bail!("linear: a bias for another width than {}", b.columns);
    }
    if let Some(bias) = bias {
        prefill(as_uninit(out), bias);
    }
    product_onto(a, b, out, bias.is_some())
}

/// `out = a · b`, or `out += a · b` where `is_sum`; row-major.
#[expect(unsafe_code, reason = "the inner product skips the checks that are made here")]
pub(super) fn product_onto(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32], is_sum: bool) -> Result<()> {
    if a.columns != b.rows || out.len() != a.rows * b.columns {
        bail!("linear: {} x {} by {} x {} into {}", a.rows, a.columns, b.rows, b.columns, out.len());
    }
    // SAFETY: the sizes fit, and a slice of f32 has been written.
    unsafe { multiply(a, b, as_uninit(out), is_sum) };
    Ok(())
}

/// Writes or adds `a · b`. `gemm` cuts its sums by shape and cache size alone, so the number of threads does not change
/// the result.
///
/// # Safety
/// `a.columns == b.rows`, `out` has `a.rows * b.columns` values, all of them written before if `is_sum`.
#[expect(unsafe_code, reason = "gemm takes pointers and writes into fresh memory")]
unsafe fn multiply(a: Matrix<'_>, b: Matrix<'_>, out: &mut [MaybeUninit<f32>], is_sum: bool) {
    // SAFETY: `Matrix` keeps all elements of a and b within bounds; `out` is as large as the caller promises and read
    // only where it has been written.
    unsafe {
        gemm::gemm::<f32>(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr().cast(),
            1,
            b.columns.cast_signed(),
            is_sum,
            a.values.as_ptr(),
            a.strides.1.cast_signed(),
            a.strides.0.cast_signed(),
            b.values.as_ptr(),
            b.strides.1.cast_signed(),
            b.strides.0.cast_signed(),
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    }
}

/// Copies `bias` to every row.
pub(super) fn prefill(out: &mut [MaybeUninit<f32>], bias: &[f32]) {
    let Some(rows) = (1 << 16usize).max(bias.len()).checked_div(bias.len()) else { return };
    out.par_chunks_mut(rows * bias.len()).for_each(|chunk| {
        for row in chunk.chunks_exact_mut(bias.len()) {
            row.write_copy_of_slice(bias);
        }
    });
}

/// Sum over the rows of a row-major matrix, see [`column_sums_onto`].
fn column_sums(values: &[f32], columns: usize) -> Vec<f32> {
    let mut total = vec![0.0; columns];
    column_sums_onto(values, &mut total);
    total
}

/// Adds all rows of a row-major matrix to `total`: per chunk of rows, then over chunks in order.
pub(super) fn column_sums_onto(values: &[f32], total: &mut [f32]) {
    let columns = total.len();
    if columns == 0 {
        return;
    }
    let rows = rows_per_chunk(values.len() / columns);
    let mut partial = vec![0.0; values.len().div_ceil(rows * columns) * columns];
    partial
        .par_chunks_mut(columns)
        .zip(values.par_chunks(rows * columns))
        .for_each(|(sums, chunk)| add_rows(chunk, sums));
    add_rows(&partial, total);
}

dispatch! {
    /// Adds each of `rows` to `sums`.
    pub(super) fn add_rows(rows: &[f32], sums: &mut [f32]) = add_rows_body;
}

#[inline(always)]
fn add_rows_body<const LANES: usize>(rows: &[f32], sums: &mut [f32]) {
    for row in rows.chunks_exact(sums.len()) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}
