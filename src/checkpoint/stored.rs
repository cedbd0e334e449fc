//! Tensors as they lie in a file, before they become f32.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;
use safetensors::tensor::Dtype;

use super::architecture::Architecture;
use super::mmap;
use crate::kernels::count_not_finite;

/// Values per parallel task.
const CHUNK: usize = 1 << 18;

/// One tensor of a mapped file.
#[derive(Clone, Debug)]
pub(super) struct Stored<'a> {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// In elements; `None` where the values lie in row-major order without gaps.
    pub(super) strides: Option<Vec<usize>>,
    /// From the first element on. Whoever makes a `Stored` proves that every element lies inside.
    pub(super) data: &'a [u8],
}

/// Every tensor of a checkpoint's files, by the file's own names.
#[derive(Debug)]
pub(super) struct Weights<'a> {
    /// For people and records: `safetensors`, `pytorch`, `torchscript`.
    pub(super) format: &'static str,
    pub(super) tensors: BTreeMap<String, Stored<'a>>,
    /// The architecture that our own files carry in their header.
    pub(super) own: Option<Architecture>,
    /// Whether this is an archive as OpenAI released theirs.
    pub(super) is_openai: bool,
}

impl Stored<'_> {
    /// Elements; zero where the product would overflow, which no checked tensor's does.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().try_fold(1usize, |product, side| product.checked_mul(*side)).unwrap_or(0)
    }

    /// Widens to f32 (exact for F16 and BF16) in row-major order and refuses what is not finite.
    pub(super) fn floats(&self, name: &str, into: &mut [f32]) -> Result<(), String> {
        let data = self.contiguous()?;
        let not_finite = match self.dtype {
            Dtype::F32 => convert(&data, into, f32::from_le_bytes),
            Dtype::F16 => convert(&data, into, |b| half::f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => convert(&data, into, |b| half::bf16::from_le_bytes(b).to_f32()),
            other => {
                return Err(format!("the tensor '{name}' is stored as {other:?}; F32, F16 and BF16 are supported"));
            }
        };
        refuse_not_finite(name, not_finite)
    }

    /// The bytes of f32 values that this machine can read where they lie.
    pub(super) fn as_bytes_of_floats(&self) -> Option<&[u8]> {
        if self.dtype != Dtype::F32 || self.strides.is_some() {
            return None;
        }
        let bytes = self.data.get(..self.len().checked_mul(size_of::<f32>())?)?;
        mmap::as_floats(bytes).map(|_| bytes)
    }

    /// Refuses f32 values that are not finite, where they lie.
    pub(super) fn check_finite(&self, name: &str) -> Result<(), String> {
        let values = self.as_bytes_of_floats().and_then(mmap::as_floats).unwrap_or_default();
        let n = values.par_chunks(CHUNK).map(|chunk| count_not_finite(chunk) as usize).sum();
        refuse_not_finite(name, n)
    }

    /// The elements' bytes in row-major order.
    fn contiguous(&self) -> Result<Cow<'_, [u8]>, String> {
        let outside = || "a tensor reaches beyond its data".to_owned();
        let (width, length) = (self.dtype.bitsize() / 8, self.len());
        let Some(strides) = &self.strides else {
            return length.checked_mul(width).and_then(|n| self.data.get(..n)).map(Cow::Borrowed).ok_or_else(outside);
        };
        let mut bytes = Vec::with_capacity(length * width);
        let mut place = vec![0; self.shape.len()];
        for _ in 0..length {
            let start = width * place.iter().zip(strides).map(|(i, stride)| i * stride).sum::<usize>();
            bytes.extend_from_slice(self.data.get(start..start + width).ok_or_else(outside)?);
            for (i, side) in place.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < *side {
                    break;
                }
                *i = 0;
            }
        }
        Ok(Cow::Owned(bytes))
    }
}

fn refuse_not_finite(name: &str, n: usize) -> Result<(), String> {
    match n {
        0 => Ok(()),
        n => Err(format!("the tensor '{name}' holds {n} values that are not finite (NaN or infinite)")),
    }
}

/// Converts in parallel and counts what is not finite.
fn convert<const N: usize>(data: &[u8], into: &mut [f32], one: impl Fn([u8; N]) -> f32 + Sync) -> usize {
    let chunks = into.par_chunks_mut(CHUNK).zip(data.as_chunks::<N>().0.par_chunks(CHUNK));
    let counted = chunks.map(|(into, from)| {
        let mut not_finite = 0;
        for (value, bytes) in into.iter_mut().zip(from) {
            *value = one(*bytes);
            not_finite += usize::from(!value.is_finite());
        }
        not_finite
    });
    counted.sum()
}
