//! The L2 norm of all gradients together. Partial sums are added in one fixed order, in f64, so that the number of
//! threads does not show in the result.

use candle_core::{CpuStorage, DType, Result, Storage, Tensor};
use rayon::prelude::*;

/// Numbers summed by one thread at a time.
const CHUNK: usize = 1 << 14;
/// Independent sums within a chunk: lets the compiler use vector registers without reordering anything.
const LANES: usize = 16;

/// `√ Σ g²` over every number of every gradient.
///
/// # Errors
/// A device that cannot be read.
pub fn global_norm(gradients: &[Tensor]) -> Result<f64> {
    let mut total = 0.0;
    for gradient in gradients {
        total += sum_of_squares(gradient)?;
    }
    Ok(total.sqrt())
}

/// What gradients of global norm `norm` are multiplied with so that it becomes at most `longest`:
/// `min(1, longest / (norm + 1e-6))`, as PyTorch's `clip_grad_norm_`.
pub fn clip_factor(norm: f64, longest: f64) -> f64 {
    (longest / (norm + 1e-6)).min(1.0)
}

fn sum_of_squares(gradient: &Tensor) -> Result<f64> {
    {
        let (storage, layout) = gradient.storage_and_layout();
        if let (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) = (&*storage, layout.contiguous_offsets()) {
            let sums: Vec<f64> = values[start..end].par_chunks(CHUNK).map(sum_of_chunk).collect();
            return Ok(sums.iter().sum());
        }
    }
    if gradient.dtype() == DType::F64 {
        return gradient.sqr()?.sum_all()?.to_scalar();
    }
    Ok(gradient.to_dtype(DType::F32)?.sqr()?.sum_all()?.to_scalar::<f32>()?.into())
}

fn sum_of_chunk(chunk: &[f32]) -> f64 {
    let mut sums = [0f64; LANES];
    let (rows, rest) = chunk.as_chunks::<LANES>();
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    let rest: f64 = rest.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    sums.iter().sum::<f64>() + rest
}
