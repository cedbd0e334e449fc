//! One attention head of one sequence, forward and backward, inside a thread's own scratch memory.

use super::math::{dot, exp, maximum, sum};
use super::tile::{Left, PAD, ROWS, Right, padded, product};

/// Sizes of one head.
#[derive(Clone, Copy)]
pub(super) struct HeadShape {
    /// Positions in the sequence, at least 1.
    pub(super) length: usize,
    /// Values per position in one head, at least 1.
    pub(super) dim: usize,
    /// Whether position i sees positions 0..=i only.
    pub(super) causal: bool,
}

impl HeadShape {
    /// Values in this head's probability matrix: `length` rows of `padded(length)`.
    pub(super) fn probabilities(self) -> usize {
        self.length * padded(self.length)
    }

    /// Softmax of the scores takes q * k / sqrt(dim).
    fn scale(self) -> f32 {
        (1.0 / (self.dim as f64).sqrt()) as f32
    }

    /// How many positions position `i` sees.
    fn seen(self, i: usize) -> usize {
        if self.causal { i + 1 } else { self.length }
    }
}

/// `length` rows of `dim` values inside a larger row-major matrix, the row length of which is `stride`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
}

/// Copies and intermediate rows of one head. Zero where nothing is written: the padding stays zero for good.
pub(super) struct Scratch {
    shape: HeadShape,
    /// q times the scale, `[length, padded dim]`.
    q: Vec<f32>,
    /// k forward, `[dim, padded length]`; backward, `[length, padded dim]`.
    k: Vec<f32>,
    /// v forward, `[length, padded dim]`; backward, `[dim, padded length]`.
    v: Vec<f32>,
    /// Backward only: the gradient of the output, `[length, padded dim]`.
    grad: Vec<f32>,
    /// Forward: [`ROWS`] rows of scores; backward: the gradient of all scores. Rows of padded length.
    scores: Vec<f32>,
    /// [`ROWS`] rows of a result, padded dim each.
    rows: Vec<f32>,
}

impl Scratch {
    pub(super) fn forward(shape: HeadShape) -> Self {
        let (length, dim) = (padded(shape.length), padded(shape.dim));
        Self {
            shape,
            q: vec![0.0; shape.length * dim],
            k: vec![0.0; shape.dim * length],
            v: vec![0.0; shape.length * dim],
            grad: Vec::new(),
            scores: vec![0.0; ROWS * length],
            rows: vec![0.0; ROWS * dim],
        }
    }

    pub(super) fn backward(shape: HeadShape) -> Self {
        let (length, dim) = (padded(shape.length), padded(shape.dim));
        Self {
            shape,
            q: vec![0.0; shape.length * dim],
            k: vec![0.0; shape.length * dim],
            v: vec![0.0; shape.dim * length],
            grad: vec![0.0; shape.length * dim],
            scores: vec![0.0; shape.length * length],
            rows: vec![0.0; ROWS * dim],
        }
    }
}

dispatch! {
    /// Writes the head's output through `write(row, values)`, and its probabilities to `saved` unless that is empty.
    pub(super) fn head_forward(
        q: Rows<'_>, k: Rows<'_>, v: Rows<'_>, scratch: &mut Scratch, saved: &mut [f32],
        write: &dyn Fn(usize, &[f32]),
    ) = forward_body;
}

dispatch! {
    /// Writes the gradients of q, k and v through `write(part, row, values)`, part 0, 1 or 2.
    pub(super) fn head_backward(
        q: Rows<'_>, k: Rows<'_>, v: Rows<'_>, grad: Rows<'_>, scratch: &mut Scratch, saved: &[f32],
        write: &dyn Fn(usize, usize, &[f32]),
    ) = backward_body;
}

#[inline(always)]
fn forward_body<const LANES: usize>(
    q: Rows<'_>,
    k: Rows<'_>,
    v: Rows<'_>,
    scratch: &mut Scratch,
    saved: &mut [f32],
    write: &dyn Fn(usize, &[f32]),
) {
    let shape = scratch.shape;
    let (wide, tall) = (padded(shape.dim), padded(shape.length));
    copy(shape, q, shape.scale(), &mut scratch.q);
    copy_transposed(shape, k, &mut scratch.k);
    copy(shape, v, 1.0, &mut scratch.v);
    let (keys, values) = (Right { values: &scratch.k, stride: tall }, Right { values: &scratch.v, stride: wide });
    for start in (0..shape.length).step_by(ROWS) {
        let rows = ROWS.min(shape.length - start);
        let seen = shape.seen(start + rows - 1);
        let scores = if saved.is_empty() { &mut scratch.scores[..] } else { &mut saved[start * tall..][..rows * tall] };
        let queries = Left { values: &scratch.q[start * wide..], row: wide, column: 1 };
        product::<LANES>((rows, padded(seen), shape.dim), queries, keys, scores, tall);
        for (i, row) in scores.chunks_exact_mut(tall).take(rows).enumerate() {
            softmax(row, shape.seen(start + i));
        }
        let weights = Left { values: scores, row: tall, column: 1 };
        product::<LANES>((rows, wide, seen), weights, values, &mut scratch.rows, wide);
        for (i, row) in scratch.rows.chunks_exact(wide).take(rows).enumerate() {
            write(start + i, &row[..shape.dim]);
        }
    }
}

#[inline(always)]
fn backward_body<const LANES: usize>(
    q: Rows<'_>,
    k: Rows<'_>,
    v: Rows<'_>,
    grad: Rows<'_>,
    scratch: &mut Scratch,
    saved: &[f32],
    write: &dyn Fn(usize, usize, &[f32]),
) {
    let shape = scratch.shape;
    copy(shape, q, shape.scale(), &mut scratch.q);
    copy(shape, k, 1.0, &mut scratch.k);
    copy_transposed(shape, v, &mut scratch.v);
    copy(shape, grad, 1.0, &mut scratch.grad);
    for start in (0..shape.length).step_by(ROWS) {
        query_rows::<LANES>(start, scratch, saved, &|row, values| write(0, row, values));
    }
    for start in (0..shape.length).step_by(ROWS) {
        key_rows::<LANES>(start, scratch, saved, write);
    }
}

/// Gradient of the scores (kept in the scratch) and of q, for the rows from `start`.
#[inline(always)]
fn query_rows<const LANES: usize>(start: usize, scratch: &mut Scratch, saved: &[f32], write: &dyn Fn(usize, &[f32])) {
    let shape = scratch.shape;
    let (wide, tall) = (padded(shape.dim), padded(shape.length));
    let rows = ROWS.min(shape.length - start);
    let seen = shape.seen(start + rows - 1);
    let scores = &mut scratch.scores[start * tall..][..rows * tall];
    let grads = Left { values: &scratch.grad[start * wide..], row: wide, column: 1 };
    let values = Right { values: &scratch.v, stride: tall };
    product::<LANES>((rows, padded(seen), shape.dim), grads, values, scores, tall);
    for (i, row) in scores.chunks_exact_mut(tall).enumerate() {
        let seen = shape.seen(start + i);
        softmax_backward(&mut row[..padded(seen)], &saved[(start + i) * tall..][..padded(seen)]);
        row[seen..].fill(0.0);
    }
    let weights = Left { values: scores, row: tall, column: 1 };
    let keys = Right { values: &scratch.k, stride: wide };
    product::<LANES>((rows, wide, seen), weights, keys, &mut scratch.rows, wide);
    for (i, row) in scratch.rows.chunks_exact_mut(wide).take(rows).enumerate() {
        scale(row, shape.scale());
        write(start + i, &row[..shape.dim]);
    }
}

/// Gradients of k and v for the rows from `start`; a causal mask leaves only queries from `start` on.
#[inline(always)]
fn key_rows<const LANES: usize>(
    start: usize,
    scratch: &mut Scratch,
    saved: &[f32],
    write: &dyn Fn(usize, usize, &[f32]),
) {
    let shape = scratch.shape;
    let (wide, tall) = (padded(shape.dim), padded(shape.length));
    let rows = ROWS.min(shape.length - start);
    let first = if shape.causal { start } else { 0 };
    let extent = (rows, wide, shape.length - first);
    // q already carries the scale.
    let sides = [(&scratch.scores[..], &scratch.q), (saved, &scratch.grad)];
    for (part, (weights, rights)) in sides.into_iter().enumerate() {
        let weights = Left { values: &weights[first * tall + start..], row: 1, column: tall };
        let rights = Right { values: &rights[first * wide..], stride: wide };
        product::<LANES>(extent, weights, rights, &mut scratch.rows, wide);
        for (i, row) in scratch.rows.chunks_exact(wide).take(rows).enumerate() {
            write(part + 1, start + i, &row[..shape.dim]);
        }
    }
}

/// Softmax of the first `seen` values of a padded row; the rest becomes zero.
#[inline(always)]
fn softmax(row: &mut [f32], seen: usize) {
    let (row, unseen) = row.split_at_mut(padded(seen));
    unseen.fill(0.0);
    row[seen..].fill(f32::NEG_INFINITY);
    let peak = maximum::<PAD>(row);
    for chunk in row.as_chunks_mut::<PAD>().0 {
        for value in chunk {
            *value = exp(*value - peak);
        }
    }
    row[seen..].fill(0.0);
    let inverse = 1.0 / sum::<PAD>(row, |value| value);
    scale(row, inverse);
}

/// Turns a padded row of dp into ds = p * (dp - sum(p * dp)).
#[inline(always)]
fn softmax_backward(row: &mut [f32], probabilities: &[f32]) {
    let mean = dot::<PAD>(row, probabilities);
    for (d, p) in row.iter_mut().zip(probabilities) {
        *d = p * (*d - mean);
    }
}

/// Multiplies a padded row.
#[inline(always)]
fn scale(row: &mut [f32], factor: f32) {
    for value in row {
        *value *= factor;
    }
}

#[inline(always)]
fn copy(shape: HeadShape, from: Rows<'_>, factor: f32, to: &mut [f32]) {
    for (row, to) in to.chunks_exact_mut(padded(shape.dim)).enumerate() {
        to[..shape.dim].copy_from_slice(&from.values[row * from.stride..][..shape.dim]);
        scale(to, factor);
    }
}

/// Reads along rows and writes across them: the rows of a wide matrix often share a few cache sets.
#[inline(always)]
fn copy_transposed(shape: HeadShape, from: Rows<'_>, to: &mut [f32]) {
    let tall = padded(shape.length);
    for row in 0..shape.length {
        let values = &from.values[row * from.stride..][..shape.dim];
        for (to, &value) in to[row..].iter_mut().step_by(tall).zip(values) {
            *to = value;
        }
    }
}
