//! From candle tensors to slices and back, and how rows are cut into chunks.

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::Mutex;

use candle_core::{CpuStorage, DType, Device, InplaceOp1, Layout, Result, Shape, Storage, Tensor, bail};

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

/// Memory to be written over, as kernels take it that write into fresh memory too.
#[expect(unsafe_code, reason = "initialised memory is seen as memory that may not be")]
pub(super) fn as_uninit(values: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    // SAFETY: same layout; kernels write numbers only, so what was initialised stays so.
    unsafe { &mut *(std::ptr::from_mut(values) as *mut [MaybeUninit<f32>]) }
}

/// A contiguous f32 tensor on the CPU, locked for reading.
pub(super) struct Held<'a> {
    /// candle does not name its guard.
    storage: Box<dyn Deref<Target = Storage> + 'a>,
    layout: &'a Layout,
}

impl<'a> Held<'a> {
    pub(super) fn new(tensor: &'a Tensor) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        tensor_slice(&storage, layout)?;
        Ok(Self { storage: Box::new(storage), layout })
    }

    pub(super) fn values(&self) -> &[f32] {
        // `new` has seen that it can be done.
        tensor_slice(&self.storage, self.layout).unwrap_or_default()
    }
}

/// Calls `write` on the values of a contiguous f32 tensor on the CPU, in place and outside the gradient graph.
pub(super) fn in_place(tensor: &Tensor, write: impl FnOnce(&mut [f32]) -> Result<()> + Send) -> Result<()> {
    struct Once<F>(Mutex<Option<F>>);

    impl<F: FnOnce(&mut [f32]) -> Result<()>> InplaceOp1 for Once<F> {
        fn name(&self) -> &'static str {
            "in-place"
        }

        fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
            let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
                bail!("kernels: a contiguous f32 tensor is required");
            };
            let write = self.0.lock().ok().and_then(|mut write| write.take());
            write.map_or(Ok(()), |write| write(&mut values[start..end]))
        }
    }
    tensor.inplace_op1(&Once(Mutex::new(Some(write))))
}
