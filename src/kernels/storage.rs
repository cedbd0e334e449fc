//! From candle tensors to slices and back, and how rows are cut into chunks.

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, DType, Device, Layout, Result, Shape, Storage, Tensor, bail};

/// Whether all of these lie on the CPU as f32, so that our own kernels apply.
pub(super) fn is_cpu_f32(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|t| t.device().is_cpu() && t.dtype() == DType::F32)
}

/// The values of a contiguous f32 storage.
pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else { bail!("kernels: a contiguous tensor is required") };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// The values of a contiguous f32 tensor, whose storage the caller holds with `storage_and_layout`.
pub(super) fn tensor_slice<'a>(storage: &'a Storage, layout: &Layout) -> Result<&'a [f32]> {
    match storage {
        Storage::Cpu(storage) => slice(storage, layout),
        _ => bail!("kernels: a tensor on the CPU is required"),
    }
}

/// An untracked CPU tensor that owns `values`.
pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &Device::Cpu)
}

/// A vector of `len` values, all written by `fill`; saves the serial pass of zeros that costs as much as a kernel.
///
/// # Safety
/// `fill` must write every element of the slice it is given.
#[expect(unsafe_code, reason = "memory is handed out before it is written")]
pub(super) unsafe fn written_by(len: usize, fill: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    fill(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: capacity is at least `len`, and the caller promises that `fill` wrote all of it.
    unsafe { values.set_len(len) };
    values
}

/// Rows per chunk when `rows` rows are shared out: a function of the shape only, never of the number of threads,
/// so that partial sums over chunks always add up in the same way. At most 64 chunks, of 8 rows or more.
pub(super) fn rows_per_chunk(rows: usize) -> usize {
    rows.div_ceil(64).max(8)
}
