//! One tensor's values in f32: in the mapped file, where they lie there as they are needed, else in memory of ours.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::CheckpointError;
use super::mmap::Mapped;

/// A tensor of a checkpoint. Clones share the values.
#[derive(Clone, Debug)]
pub struct Weight {
    shape: Vec<usize>,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    Own(Arc<Vec<f32>>),
    /// Stretches of f32 values that make the tensor one after the other.
    Mapped(Vec<(Arc<Mapped>, Range<usize>)>),
}

impl Weight {
    /// Row-major values in memory of ours.
    pub(super) fn own(shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self { shape, values: Values::Own(Arc::new(values)) }
    }

    /// Stretches of mapped files that make the tensor one after the other.
    pub(super) fn mapped(shape: Vec<usize>, pieces: Vec<(Arc<Mapped>, Range<usize>)>) -> Self {
        Self { shape, values: Values::Mapped(pieces) }
    }

    /// Copies a float tensor.
    ///
    /// # Errors
    /// The tensor's device.
    pub fn from_tensor(tensor: &Tensor) -> candle_core::Result<Self> {
        let values = tensor.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1()?;
        Ok(Self::own(tensor.dims().to_vec(), values))
    }

    /// Sides, outermost first; none for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values in row-major order, in as many pieces as the file has them in.
    pub fn pieces(&self) -> Vec<&[f32]> {
        match &self.values {
            Values::Own(values) => vec![values],
            Values::Mapped(pieces) => pieces.iter().map(|(file, place)| file.floats(place)).collect(),
        }
    }

    /// A copy on a device, in f32.
    ///
    /// # Errors
    /// The device's, such as want of memory.
    pub fn to_tensor(&self, device: &Device) -> candle_core::Result<Tensor> {
        Tensor::from_vec(self.pieces().concat(), self.shape.as_slice(), device)
    }

    /// The first `n` rows.
    #[must_use]
    pub fn first_rows(&self, n: usize) -> Self {
        let mut shape = self.shape.clone();
        if let Some(rows) = shape.first_mut() {
            *rows = n.min(*rows);
        }
        let mut values = self.pieces().concat();
        values.truncate(shape.iter().product());
        Self::own(shape, values)
    }

    /// Refuses values whose file was written to since it was opened. Ask before a reading that begins anew.
    ///
    /// # Errors
    /// One sentence with the file.
    pub fn check_unchanged(&self) -> Result<(), CheckpointError> {
        match &self.values {
            Values::Own(_) => Ok(()),
            Values::Mapped(pieces) => pieces.iter().try_for_each(|(file, _)| file.check_unchanged()),
        }
    }
}
