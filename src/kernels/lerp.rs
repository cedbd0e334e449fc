//! The blend of two weights, written in place.

use candle_core::{CpuStorage, DType, InplaceOp1, InplaceOp3, Layout, Result, Tensor, bail};
use rayon::prelude::*;

use super::storage::{is_cpu_f32, slice};

/// Values per parallel task: 256 KiB from each side.
const CHUNK: usize = 1 << 16;

/// `dst = (1 - alpha) * base + alpha * tuned`, in place and outside the gradient graph.
///
/// Two products and one sum in f32 (no fused multiply-add), the rounding of the reference's
/// `(1 - w) * a + w * b`. At alpha 0 `base` is copied bit for bit, at alpha 1 `tuned`. All three tensors must have
/// the same shape, dtype and device, be contiguous, and `dst` may share memory with neither of the others;
/// anything else is an error and leaves `dst` as it was. f64 tensors are blended in f64, half ones by way of f32.
pub fn lerp_into(dst: &Tensor, base: &Tensor, tuned: &Tensor, alpha: f64) -> Result<()> {
    check(dst, base, tuned, alpha)?;
    if is_cpu_f32(&[dst, base, tuned]) {
        return dst.inplace_op3(base, tuned, &Lerp { alpha });
    }
    let len = dst.elem_count();
    if len == 0 {
        return Ok(());
    }
    let blend = composed(&base.detach(), &tuned.detach(), alpha)?;
    dst.detach().reshape(len)?.slice_set(&blend.reshape(len)?, 0, 0)
}

/// As [`lerp_into`], for a contiguous f32 `dst` on the CPU and sides that lie anywhere in memory, each cut into pieces
/// of its own: the values of a mapped file need no copy to be blended.
pub fn blend_into(dst: &Tensor, base: &[&[f32]], tuned: &[&[f32]], alpha: f64) -> Result<()> {
    let len = dst.elem_count();
    for (name, side) in [("base", base), ("tuned", tuned)] {
        let n: usize = side.iter().map(|piece| piece.len()).sum();
        if n != len {
            bail!("blend: {name} has {n} values, the destination {len}");
        }
    }
    if !alpha.is_finite() {
        bail!("blend: alpha must be finite, got {alpha}");
    }
    dst.inplace_op1(&Blend { base, tuned, alpha })
}

struct Blend<'a> {
    base: &'a [&'a [f32]],
    tuned: &'a [&'a [f32]],
    alpha: f64,
}

impl InplaceOp1 for Blend<'_> {
    fn name(&self) -> &'static str {
        "blend"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(values) = dst else { bail!("blend: the destination is not f32") };
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("blend: destination not contiguous") };
        let mut rest = &mut values[start..end];
        for (base, tuned) in side_by_side(self.base, self.tuned) {
            let (own, after) = rest.split_at_mut(base.len());
            blend(own, base, tuned, self.alpha);
            rest = after;
        }
        Ok(())
    }
}

/// Two equally long rows of pieces, cut where either is cut: pairs of equal length. Ends with the shorter row.
pub fn side_by_side<'a>(a: &'a [&'a [f32]], b: &'a [&'a [f32]]) -> impl Iterator<Item = (&'a [f32], &'a [f32])> {
    let (mut a, mut b) = (a.iter().copied(), b.iter().copied());
    let (mut left, mut right): (&[f32], &[f32]) = (&[], &[]);
    std::iter::from_fn(move || {
        while left.is_empty() {
            left = a.next()?;
        }
        while right.is_empty() {
            right = b.next()?;
        }
        let n = left.len().min(right.len());
        let pair = (&left[..n], &right[..n]);
        (left, right) = (&left[n..], &right[n..]);
        Some(pair)
    })
}

fn check(dst: &Tensor, base: &Tensor, tuned: &Tensor, alpha: f64) -> Result<()> {
    if !alpha.is_finite() {
        bail!("lerp: alpha must be finite, got {alpha}");
    }
    for (name, other) in [("base", base), ("tuned", tuned)] {
        if other.shape() != dst.shape() {
            bail!("lerp: {name} has shape {:?}, the destination {:?}", other.shape(), dst.shape());
        }
        if other.dtype() != dst.dtype() {
            bail!("lerp: {name} is {:?}, the destination {:?}", other.dtype(), dst.dtype());
        }
        if !other.device().same_device(dst.device()) {
            bail!("lerp: {name} and the destination are on different devices");
        }
    }
    if !dst.dtype().is_float() {
        bail!("lerp: only float tensors blend, got {:?}", dst.dtype());
    }
    for (name, tensor) in [("the destination", dst), ("base", base), ("tuned", tuned)] {
        if !tensor.is_contiguous() {
            bail!("lerp: {name} is not contiguous");
        }
    }
    Ok(())
}

#[expect(clippy::float_cmp, reason = "exactly 1 is the promise, not about 1")]
fn composed(base: &Tensor, tuned: &Tensor, alpha: f64) -> Result<Tensor> {
    if alpha == 0.0 {
        return Ok(base.clone());
    }
    if alpha == 1.0 {
        return Ok(tuned.clone());
    }
    let dtype = if base.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let (base_part, tuned_part) = (base.to_dtype(dtype)?, tuned.to_dtype(dtype)?);
    let sum = (base_part.affine(1.0 - alpha, 0.0)? + tuned_part.affine(alpha, 0.0)?)?;
    sum.to_dtype(base.dtype())
}

struct Lerp {
    alpha: f64,
}

impl InplaceOp3 for Lerp {
    fn name(&self) -> &'static str {
        "lerp"
    }

    fn cpu_fwd(
        &self,
        dst: &mut CpuStorage,
        dst_layout: &Layout,
        base: &CpuStorage,
        base_layout: &Layout,
        tuned: &CpuStorage,
        tuned_layout: &Layout,
    ) -> Result<()> {
        let (base, tuned) = (slice(base, base_layout)?, slice(tuned, tuned_layout)?);
        let CpuStorage::F32(values) = dst else { bail!("lerp: the destination is not f32") };
        let Some((start, end)) = dst_layout.contiguous_offsets() else { bail!("lerp: destination not contiguous") };
        blend(&mut values[start..end], base, tuned, self.alpha);
        Ok(())
    }
}

#[expect(clippy::float_cmp, reason = "exactly 1 is the promise, not about 1")]
fn blend(dst: &mut [f32], base: &[f32], tuned: &[f32], alpha: f64) {
    let (w0, w1) = ((1.0 - alpha) as f32, alpha as f32);
    let parts = base.par_chunks(CHUNK).zip(tuned.par_chunks(CHUNK));
    dst.par_chunks_mut(CHUNK).zip(parts).for_each(|(d, (b, t))| {
        if alpha == 0.0 {
            d.copy_from_slice(b);
        } else if alpha == 1.0 {
            d.copy_from_slice(t);
        } else {
            for (d, (b, t)) in d.iter_mut().zip(b.iter().zip(t)) {
                *d = w0 * b + w1 * t;
            }
        }
    });
}
