//! How rows enter a tower on the CPU in f32, and the gradients of the tables they come from, without a graph.

use candle_core::{Result, Tensor, bail};
use rayon::prelude::*;

use super::block::Target;
use super::linear::{Matrix, add_rows, column_sums_onto, product_onto};
use super::storage::{Held, in_place, tensor};

/// `[batch * length, width]`: for each sequence the row `class`, then its rows of `x` `[batch * (length - 1), width]`,
/// plus `positions` `[length, width]`.
///
/// # Errors
/// Shapes that do not fit together.
pub fn class_and_positions(x: &Tensor, class: &Tensor, positions: &Tensor) -> Result<Tensor> {
    let (length, width) = positions.dims2()?;
    let (rows, columns) = x.dims2()?;
    if length < 2 || width == 0 || columns != width || class.dims() != [width] || !rows.is_multiple_of(length - 1) {
        bail!("class_and_positions: {:?}, {:?} and {:?}", x.shape(), class.shape(), positions.shape());
    }
    let (x, class, positions) = (Held::new(x)?, Held::new(class)?, Held::new(positions)?);
    let (x, class, positions) = (x.values(), class.values(), positions.values());
    let batch = rows / (length - 1);
    let mut y = vec![0.0; batch * length * width];
    y.par_chunks_mut(length * width).zip(x.par_chunks((length - 1) * width)).for_each(|(y, x)| {
        y.copy_from_slice(positions);
        y[..width].iter_mut().zip(class).for_each(|(y, class)| *y += class);
        y[width..].iter_mut().zip(x).for_each(|(y, x)| *y += x);
    });
    tensor(y, (batch * length, width))
}

/// Gradients of the patch embedding, of `class` and of `positions`, given the gradient of [`class_and_positions`];
/// `patches` `[batch * (length - 1), k]` is what the embedding was multiplied with.
///
/// # Errors
/// Shapes that do not fit together.
pub fn patch_gradients(
    grad: &Tensor,
    length: usize,
    patches: &Tensor,
    [embedding, class, positions]: [Option<Target>; 3],
) -> Result<()> {
    let (rows, width) = grad.dims2()?;
    let columns = patches.dims2()?.1;
    if length < 2 || !rows.is_multiple_of(length) || patches.dim(0)? != rows / length * (length - 1) {
        bail!("patch_gradients: {:?} and {:?} in sequences of {length}", grad.shape(), patches.shape());
    }
    let (grad, patches) = (Held::new(grad)?, Held::new(patches)?);
    let mut sums = vec![0.0; length * width];
    column_sums_onto(grad.values(), &mut sums);
    add_to(class.as_ref(), &sums[..width])?;
    add_to(positions.as_ref(), &sums)?;
    let Some(Target { tensor, is_sum }) = embedding else { return Ok(()) };
    let own: Vec<f32> =
        grad.values().chunks_exact(length * width).flat_map(|rows| rows[width..].iter().copied()).collect();
    let (own, patches) = (Matrix::whole(&own, width), Matrix::whole(patches.values(), columns));
    in_place(&tensor, |values| product_onto(own.transposed(), patches, values, is_sum))
}

/// `[ids.len(), width]`: rows of `table` `[vocabulary, width]` plus the first `length` of `positions` over and over.
///
/// # Errors
/// An id outside the table, more positions than there are.
pub fn rows_and_positions(table: &Tensor, ids: &[u32], positions: &Tensor, length: usize) -> Result<Tensor> {
    let (vocabulary, width) = table.dims2()?;
    check(ids, vocabulary, length, positions.dims2()?, width)?;
    let (table, positions) = (Held::new(table)?, Held::new(positions)?);
    let (table, positions) = (table.values(), positions.values());
    let mut y = vec![0.0; ids.len() * width];
    y.par_chunks_mut(length * width).zip(ids.par_chunks(length)).for_each(|(y, ids)| {
        let rows = y.chunks_exact_mut(width).zip(ids).zip(positions.chunks_exact(width));
        for ((y, &id), position) in rows {
            let row = &table[id as usize * width..][..width];
            y.iter_mut().zip(row.iter().zip(position)).for_each(|(y, (row, position))| *y = row + position);
        }
    });
    tensor(y, (ids.len(), width))
}

/// Gradients of the table and of the positions, given the gradient of [`rows_and_positions`].
///
/// # Errors
/// As there.
pub fn row_gradients(grad: &Tensor, ids: &[u32], length: usize, [table, positions]: [Option<Target>; 2]) -> Result<()> {
    let (rows, width) = grad.dims2()?;
    if rows != ids.len() {
        bail!("row_gradients: {rows} rows of {} ids", ids.len());
    }
    let grad = Held::new(grad)?;
    let grads = grad.values();
    if let Some(Target { tensor, is_sum }) = &table {
        check(ids, tensor.dim(0)?, length, (length, width), tensor.dim(1)?)?;
        in_place(tensor, |values| {
            if !is_sum {
                values.par_chunks_mut(1 << 16).for_each(|values| values.fill(0.0));
            }
            // One after another: two places of the batch may hold one id, and the order of a sum shows in its bits.
            for (&id, grad) in ids.iter().zip(grads.chunks_exact(width)) {
                add_rows(grad, &mut values[id as usize * width..][..width]);
            }
            Ok(())
        })?;
    }
    let mut sums = vec![0.0; length * width];
    column_sums_onto(grads, &mut sums);
    add_to(positions.as_ref(), &sums)
}

fn check(ids: &[u32], vocabulary: usize, length: usize, positions: (usize, usize), width: usize) -> Result<()> {
    let is_known = |id: &u32| (*id as usize) < vocabulary;
    if length == 0 || width == 0 || positions.0 < length || positions.1 != width || !ids.len().is_multiple_of(length) {
        bail!("{} ids in sequences of {length} with {positions:?} positions and rows of {width}", ids.len());
    }
    if let Some(id) = ids.iter().find(|id| !is_known(id)) {
        bail!("token id {id} is outside the table of {vocabulary} rows");
    }
    Ok(())
}

/// Writes or adds `sums` to the beginning of a target; what follows is zero or stays.
fn add_to(target: Option<&Target>, sums: &[f32]) -> Result<()> {
    let Some(Target { tensor, is_sum }) = target else { return Ok(()) };
    in_place(tensor, |values| {
        if sums.len() > values.len() {
            bail!("{} sums for {} values", sums.len(), values.len());
        }
        if !is_sum {
            values.fill(0.0);
        }
        values.iter_mut().zip(sums).for_each(|(value, sum)| *value += sum);
        Ok(())
    })
}
