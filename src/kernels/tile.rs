//! Small matrix products held in registers, for attention heads.
//!
//! A head's products are too small for `gemm`: allocation and packing cost as much as the arithmetic, and a causal
//! mask would be computed in full. Here the right side always has rows of consecutive values (padded to a multiple
//! of [`PAD`]) and the left side is read one value at a time, so either may be a transpose without a copy.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64 as arch;

use super::vector::{Four, Vector};

/// Row lengths of a right side and of an output are multiples of this.
pub(super) const PAD: usize = 16;

/// Rows of an output computed together.
pub(super) const ROWS: usize = 4;

/// `n` rounded up to a multiple of [`PAD`].
pub(super) const fn padded(n: usize) -> usize {
    n.next_multiple_of(PAD)
}

/// The left side of a product: element (i, p) is `values[i * row + p * column]`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) values: &'a [f32],
    pub(super) row: usize,
    pub(super) column: usize,
}

/// Rows of consecutive values, `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
}

/// `out[i, j] = sum over p < depth of left[i, p] * right[p, j]` for i < rows <= [`ROWS`] and j < columns, a multiple
/// of [`PAD`]. Rows of `out` are `stride` apart. Each sum runs over p in order.
#[inline(always)]
pub(super) fn product<const LANES: usize>(
    (rows, columns, depth): (usize, usize, usize),
    left: Left<'_>,
    right: Right<'_>,
    out: &mut [f32],
    stride: usize,
) {
    match rows {
        4 => row_block::<4, LANES>(columns, depth, left, right, out, stride),
        3 => row_block::<3, LANES>(columns, depth, left, right, out, stride),
        2 => row_block::<2, LANES>(columns, depth, left, right, out, stride),
        _ => row_block::<1, LANES>(columns, depth, left, right, out, stride),
    }
}

/// Walks the columns in the widest tiles that fit: the sums of a tile fill up to half of the registers.
#[inline(always)]
fn row_block<const R: usize, const LANES: usize>(
    columns: usize,
    depth: usize,
    left: Left<'_>,
    right: Right<'_>,
    out: &mut [f32],
    stride: usize,
) {
    let mut j = 0;
    #[cfg(target_arch = "x86_64")]
    if LANES == 16 {
        while j + 32 <= columns {
            tile::<R, 2, arch::__m512>(depth, left, right, out, stride, j);
            j += 32;
        }
        if j < columns {
            tile::<R, 1, arch::__m512>(depth, left, right, out, stride, j);
        }
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if LANES == 8 {
        while j < columns {
            tile::<R, 2, arch::__m256>(depth, left, right, out, stride, j);
            j += 16;
        }
        return;
    }
    while j < columns {
        tile::<R, 2, Four>(depth, left, right, out, stride, j);
        j += 8;
    }
}

/// `R` rows by `N` registers of columns from column `j`.
#[inline(always)]
fn tile<const R: usize, const N: usize, V: Vector>(
    depth: usize,
    left: Left<'_>,
    right: Right<'_>,
    out: &mut [f32],
    stride: usize,
    j: usize,
) {
    let mut sums = [[V::splat(0.0); N]; R];
    let lefts: [&[f32]; R] = std::array::from_fn(|i| &left.values[i * left.row..]);
    let mut at = 0;
    for right in right.values.chunks_exact(right.stride).take(depth) {
        let right = &right[j..];
        let b: [V; N] = std::array::from_fn(|n| V::load(&right[n * V::LANES..]));
        for (row, left) in sums.iter_mut().zip(&lefts) {
            let a = V::splat(left[at]);
            for (sum, &b) in row.iter_mut().zip(&b) {
                *sum = sum.plus_product(a, b);
            }
        }
        at += left.column;
    }
    for (i, row) in sums.iter().enumerate() {
        for (n, &sum) in row.iter().enumerate() {
            sum.store(&mut out[i * stride + j + n * V::LANES..]);
        }
    }
}
