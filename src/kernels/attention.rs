//! Multi-head self-attention between the fused q, k, v projection and the output projection.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, D, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::head::{HeadShape, Rows, Scratch, head_backward, head_forward};
use super::storage::{is_cpu_f32, slice, tensor, tensor_slice};

/// How the rows and columns of a fused q, k, v matrix are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    /// Sequences, stacked along the rows.
    pub batch: usize,
    /// Rows per sequence.
    pub length: usize,
    /// Heads; must divide the width.
    pub heads: usize,
    /// Whether position i attends to positions 0..=i only (text towers), or to all (image towers).
    pub causal: bool,
}

/// `softmax(q kᵀ / sqrt(head_dim)) v` for every sequence and head; differentiable.
///
/// `qkv` is `[batch * length, 3 * width]`: columns q, k, v, each split into heads of `width / heads`.
/// The result is `[batch * length, width]`. The probabilities are kept for the backward pass only when `qkv` is
/// tracked. Errors when the sizes do not fit together.
pub fn attention(qkv: &Tensor, shape: AttentionShape) -> Result<Tensor> {
    let width = width(qkv, shape)?;
    if qkv.dim(0)? == 0 {
        return qkv.narrow(1, 0, width);
    }
    if is_cpu_f32(&[qkv]) {
        return qkv.contiguous()?.apply_op1(Attention::new(shape, width, qkv.track_op()));
    }
    composed(qkv, shape, width)
}

fn width(qkv: &Tensor, shape: AttentionShape) -> Result<usize> {
    let (rows, columns) = qkv.dims2()?;
    let AttentionShape { batch, length, heads, .. } = shape;
    if batch.checked_mul(length) != Some(rows) {
        bail!("attention: {batch} sequences of {length} do not make {rows} rows");
    }
    if heads == 0 || columns == 0 || !columns.is_multiple_of(3) || !(columns / 3).is_multiple_of(heads) {
        bail!("attention: {columns} columns do not split into q, k, v of {heads} heads");
    }
    Ok(columns / 3)
}

/// The definition, in candle operations that all have a backward pass. Half formats take the softmax in f32.
fn composed(qkv: &Tensor, shape: AttentionShape, width: usize) -> Result<Tensor> {
    let AttentionShape { batch, length, heads, causal } = shape;
    let dim = width / heads;
    let part = |index: usize| {
        qkv.narrow(1, index * width, width)?.reshape((batch, length, heads, dim))?.transpose(1, 2)?.contiguous()
    };
    let (q, k, v) = (part(0)?.affine((dim as f64).powf(-0.5), 0.0)?, part(1)?, part(2)?);
    let mut scores = q.matmul(&k.t()?.contiguous()?)?;
    let dtype = scores.dtype();
    if matches!(dtype, DType::F16 | DType::BF16) {
        scores = scores.to_dtype(DType::F32)?;
    }
    if causal {
        let mask = (0..length * length)
            .map(|i| if i % length > i / length { f32::NEG_INFINITY } else { 0.0 })
            .collect::<Vec<_>>();
        let mask = Tensor::from_vec(mask, (length, length), qkv.device())?.to_dtype(scores.dtype())?;
        scores = scores.broadcast_add(&mask)?;
    }
    let weights = candle_nn::ops::softmax(&scores, D::Minus1)?.to_dtype(dtype)?;
    weights.matmul(&v)?.transpose(1, 2)?.contiguous()?.reshape((batch * length, width))
}

pub(super) struct Attention {
    shape: AttentionShape,
    width: usize,
    /// Present when a backward pass may follow: the probabilities of every head, in order.
    saved: Option<OnceLock<Vec<f32>>>,
}

impl Attention {
    pub(super) fn new(shape: AttentionShape, width: usize, tracked: bool) -> Self {
        Self { shape, width, saved: tracked.then(OnceLock::new) }
    }

    fn head(&self) -> HeadShape {
        HeadShape { length: self.shape.length, dim: self.width / self.shape.heads, causal: self.shape.causal }
    }

    /// Where head number `index` (of all sequences) starts: its first row and its first column within q.
    fn origin(&self, index: usize) -> (usize, usize) {
        let (sequence, head) = (index / self.shape.heads, index % self.shape.heads);
        (sequence * self.shape.length, head * self.head().dim)
    }

    /// q (part 0), k (1) or v (2) of a head.
    fn part<'a>(&self, qkv: &'a [f32], index: usize, part: usize) -> Rows<'a> {
        let (row, column) = self.origin(index);
        let stride = 3 * self.width;
        Rows { values: &qkv[row * stride + part * self.width + column..], stride }
    }

    fn n_heads(&self) -> usize {
        self.shape.batch * self.shape.heads
    }

    /// Heads per task at least, so that a task outweighs its hand-over (about 100k multiplications).
    fn heads_per_task(&self) -> usize {
        let head = self.head();
        (100_000 / (2 * head.length * head.length * head.dim).max(1)).max(1)
    }

    /// Values of all probabilities.
    pub(super) fn probabilities(&self) -> usize {
        self.n_heads() * self.head().probabilities()
    }

    /// Writes `out`, `[batch * length, width]`, and `saved` unless that is empty.
    pub(super) fn forward(&self, qkv: &[f32], saved: &mut [f32], out: &mut [f32]) {
        let cells = Cells::new(out, self.width);
        let run = |scratch: &mut Scratch, index: usize, saved: &mut [f32]| {
            let [q, k, v] = [0, 1, 2].map(|part| self.part(qkv, index, part));
            let (first, column) = self.origin(index);
            // SAFETY: a head writes its own rows and columns only, `dim` values at a time.
            #[expect(unsafe_code, reason = "heads write disjoint columns of the same rows")]
            head_forward(q, k, v, scratch, saved, &|row, values| unsafe { cells.write(first + row, column, values) });
        };
        let (scratch, least) = (|| Scratch::forward(self.head()), self.heads_per_task());
        let heads = (0..self.n_heads()).into_par_iter().with_min_len(least);
        if saved.is_empty() {
            heads.for_each_init(scratch, |scratch, index| run(scratch, index, &mut []));
        } else {
            let saved = saved.par_chunks_exact_mut(self.head().probabilities());
            heads.zip(saved).for_each_init(scratch, |scratch, (index, saved)| run(scratch, index, saved));
        }
    }

    /// Writes the gradient of `qkv` to `out`, which is as long.
    pub(super) fn backward(&self, qkv: &[f32], grad: &[f32], saved: &[f32], out: &mut [f32]) {
        let cells = Cells::new(out, 3 * self.width);
        let probabilities = self.head().probabilities();
        (0..self.n_heads()).into_par_iter().with_min_len(self.heads_per_task()).for_each_init(
            || Scratch::backward(self.head()),
            |scratch, index| {
                let [q, k, v] = [0, 1, 2].map(|part| self.part(qkv, index, part));
                let (first, column) = self.origin(index);
                let grad = Rows { values: &grad[first * self.width + column..], stride: self.width };
                let saved = &saved[index * probabilities..][..probabilities];
                // SAFETY: a head writes its own rows and columns of each part only, `dim` values at a time.
                #[expect(unsafe_code, reason = "heads write disjoint columns of the same rows")]
                head_backward(q, k, v, grad, scratch, saved, &|part, row, values| unsafe {
                    cells.write(first + row, part * self.width + column, values);
                });
            },
        );
    }
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let qkv = slice(storage, layout)?;
        let mut probabilities = vec![0.0; if self.saved.is_some() { self.probabilities() } else { 0 }];
        let mut out = vec![0.0; self.shape.batch * self.shape.length * self.width];
        self.forward(qkv, &mut probabilities, &mut out);
        if let Some(saved) = &self.saved {
            saved.get_or_init(|| probabilities);
        }
        Ok((CpuStorage::F32(out), (self.shape.batch * self.shape.length, self.width).into()))
    }

    fn bwd(&self, qkv: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let Some(saved) = self.saved.as_ref().and_then(OnceLock::get) else {
            bail!("attention: backward of an untracked call");
        };
        let grad = grad.contiguous()?;
        let ((qkv_storage, layout), (grad_storage, grad_layout)) =
            (qkv.storage_and_layout(), grad.storage_and_layout());
        let grads = tensor_slice(&grad_storage, grad_layout)?;
        let mut out = vec![0.0; qkv.elem_count()];
        self.backward(tensor_slice(&qkv_storage, layout)?, grads, saved, &mut out);
        Ok(Some(tensor(out, qkv.shape())?))
    }
}

/// A row-major matrix that tasks write in parallel, each its own cells.
struct Cells {
    start: *mut f32,
    len: usize,
    stride: usize,
}

// SAFETY: `Cells` only hands out the unsafe `write`, whose callers promise disjoint cells.
#[expect(unsafe_code, reason = "shared by the tasks of one parallel loop")]
unsafe impl Sync for Cells {}

impl Cells {
    /// The matrix must outlive the result; both live within one function above.
    fn new(values: &mut [f32], stride: usize) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), stride }
    }

    /// Writes consecutive cells of one row.
    ///
    /// # Safety
    /// The matrix is alive, and nobody else touches these cells meanwhile.
    #[expect(unsafe_code, reason = "writes through a shared pointer")]
    unsafe fn write(&self, row: usize, column: usize, values: &[f32]) {
        let at = row * self.stride + column;
        assert!(at + values.len() <= self.len, "attention: cell out of range");
        // SAFETY: within bounds by the assertion; exclusive and alive by the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.start.add(at), values.len()) };
    }
}
