//! A whole transformer block on the CPU in f32, forward and backward, without a graph.
//!
//! Against one candle operation after another: gradients are added where they belong instead of to zeros elsewhere,
//! residuals are the start of the sums that are added to them, intermediate results reuse memory, and what is cheap is
//! computed again rather than kept: both layer norms' results, and the activation's in the pass of its derivative.

use candle_core::{Result, Tensor, bail};
use rayon::prelude::*;

use super::activation::{Activation, both_in_place, forward_into as activate_into};
use super::attention::{Attention, AttentionShape};
use super::layer_norm::{self, Statistics};
use super::linear::{Matrix, column_sums_onto, product_into, product_onto};
use super::storage::{Held, as_uninit, in_place, is_cpu_f32, rows_per_chunk, tensor};
use super::workspace::{Buffer, Workspace};

/// One thing for each tensor of a pre-norm block: weight, then bias.
///
/// Shapes, for width `w` and MLP width `f`: `ln_1`, `ln_2` `[w]`; `qkv` `[3w, w]`; `out` `[w, w]`; `fc` `[f, w]`; `proj`
/// `[w, f]`; a bias is as long as its weight has rows.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names of the tensors")]
pub struct BlockTensors<T> {
    pub ln_1: [T; 2],
    pub qkv: [T; 2],
    pub out: [T; 2],
    pub ln_2: [T; 2],
    pub fc: [T; 2],
    pub proj: [T; 2],
}

/// What a block is besides its weights.
#[derive(Clone, Copy, Debug)]
pub struct BlockKind {
    /// How its rows make sequences.
    pub attention: AttentionShape,
    /// Between the layers of the MLP.
    pub activation: Activation,
    /// Of both layer norms.
    pub eps: f64,
}

/// Where a gradient goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// Contiguous f32 on the CPU, in the weight's shape.
    pub tensor: Tensor,
    /// Whether to add to what it holds, or to write over it.
    pub is_sum: bool,
}

/// What a backward pass needs of the forward pass.
#[derive(Debug)]
pub struct BlockState {
    x: Tensor,
    pooled: Option<Vec<u32>>,
    statistics: [Vec<Statistics>; 2],
    qkv: Buffer,
    probabilities: Buffer,
    attended: Buffer,
    middle: Buffer,
    hidden: Buffer,
}

/// Whether operations without a graph take these: f32 on the CPU.
pub fn takes(tensors: &[&Tensor]) -> bool {
    is_cpu_f32(tensors)
}

/// Whether [`block_forward`] takes these.
pub fn takes_block(x: &Tensor, weights: &BlockTensors<&Tensor>) -> bool {
    let BlockTensors { ln_1, qkv, out, ln_2, fc, proj } = weights;
    let mut of_weights = [ln_1, qkv, out, ln_2, fc, proj].into_iter().flatten();
    is_cpu_f32(&[x]) && of_weights.all(|weight| is_cpu_f32(&[*weight]))
}

/// `h = x + out(attention(qkv(ln_1(x))))`, then `h + proj(activation(fc(ln_2(h))))`, for `x` `[n, w]`.
///
/// With `pooled`, only these rows go past the attention, and the result has only them. The state, if asked for with
/// `keeps`, is for [`block_backward`].
///
/// # Errors
/// Shapes that do not fit together.
pub fn block_forward(
    x: &Tensor,
    weights: &BlockTensors<&Tensor>,
    kind: BlockKind,
    pooled: Option<&[u32]>,
    keeps: bool,
    workspace: &Workspace,
) -> Result<(Tensor, Option<BlockState>)> {
    let sizes = Sizes::new(x, weights, kind, pooled)?;
    let Sizes { rows, width, mlp, after } = sizes;
    let (held_x, take) = (Held::new(x)?, |len| workspace.take(len));
    let attention = Attention::new(kind.attention, width, keeps);
    let mut statistics = [vec![[0.0; 2]; rows], vec![[0.0; 2]; after]];

    let mut normal = take(rows * width);
    norm_forward(held_x.values(), weights.ln_1, kind.eps, &mut normal, &mut statistics[0])?;
    let mut qkv = take(rows * 3 * width);
    linear_forward(&normal, weights.qkv, &mut qkv)?;
    drop(normal);
    let mut probabilities = take(if keeps { attention.probabilities() } else { 0 });
    let mut attended = take(rows * width);
    attention.forward(&qkv, &mut probabilities, &mut attended);
    if let Some(pooled) = pooled {
        attended = gathered(&attended, pooled, width, workspace);
    }

    let mut middle = take(after * width);
    match pooled {
        Some(pooled) => {
            let x = gathered(held_x.values(), pooled, width, workspace);
            residual_forward(&x, &attended, weights.out, &mut middle)?;
        }
        None => residual_forward(held_x.values(), &attended, weights.out, &mut middle)?,
    }
    let mut normal = take(after * width);
    norm_forward(&middle, weights.ln_2, kind.eps, &mut normal, &mut statistics[1])?;
    let mut hidden = take(after * mlp);
    linear_forward(&normal, weights.fc, &mut hidden)?;
    drop(normal);
    let mut active = take(after * mlp);
    activate_into(kind.activation, &hidden, &mut active);
    let mut y = vec![0.0; after * width];
    residual_forward(&middle, &active, weights.proj, &mut y)?;
    drop(held_x);
    let y = tensor(y, (after, width))?;
    let (x, pooled) = (x.clone(), pooled.map(<[u32]>::to_vec));
    let state = BlockState { x, pooled, statistics, qkv, probabilities, attended, middle, hidden };
    Ok((y, keeps.then_some(state)))
}

/// Gradients of the weights, to `targets` where there are any, and of `x` if `needs_x`, given the gradient of the
/// result.
///
/// # Errors
/// A gradient of another shape than the result.
pub fn block_backward(
    state: BlockState,
    weights: &BlockTensors<&Tensor>,
    kind: BlockKind,
    grad: &Tensor,
    targets: &BlockTensors<Option<Target>>,
    needs_x: bool,
    workspace: &Workspace,
) -> Result<Option<Tensor>> {
    let Sizes { rows, width, mlp, after } = Sizes::new(&state.x, weights, kind, state.pooled.as_deref())?;
    if grad.dims() != [after, width] {
        bail!("block: a gradient {:?} of {after} rows of {width}", grad.shape());
    }
    let grad = grad.contiguous()?;
    let (grad, x) = (Held::new(&grad)?, Held::new(&state.x)?);
    let BlockState { pooled, statistics, qkv, probabilities, attended, middle, mut hidden, .. } = state;
    let take = |len| workspace.take(len);

    let mut dhidden = take(after * mlp);
    input_gradient(grad.values(), weights.proj[0], &mut dhidden)?;
    both_in_place(kind.activation, &mut hidden, &mut dhidden);
    linear_gradients(grad.values(), &hidden, &targets.proj)?;
    drop(hidden);
    let mut normal = take(after * width);
    norm_again(&middle, weights.ln_2, &statistics[1], &mut normal)?;
    linear_gradients(&dhidden, &normal, &targets.fc)?;
    let mut dnormal = normal;
    input_gradient(&dhidden, weights.fc[0], &mut dnormal)?;
    drop(dhidden);
    let mut dmiddle = take(after * width);
    norm_backward(&middle, weights.ln_2, &dnormal, &statistics[1], grad.values(), &mut dmiddle, &targets.ln_2)?;
    drop(middle);

    linear_gradients(&dmiddle, &attended, &targets.out)?;
    let mut dattended = dnormal;
    input_gradient(&dmiddle, weights.out[0], &mut dattended)?;
    if let Some(pooled) = &pooled {
        dattended = scattered(&dattended, pooled, rows, width, workspace);
        dmiddle = scattered(&dmiddle, pooled, rows, width, workspace);
    }
    drop(attended);
    let mut dqkv = take(rows * 3 * width);
    Attention::new(kind.attention, width, true).backward(&qkv, &dattended, &probabilities, &mut dqkv);
    drop((qkv, probabilities));
    let mut normal = dattended;
    norm_again(x.values(), weights.ln_1, &statistics[0], &mut normal)?;
    linear_gradients(&dqkv, &normal, &targets.qkv)?;
    if !needs_x && targets.ln_1.iter().all(Option::is_none) {
        return Ok(None);
    }
    let mut dnormal = normal;
    input_gradient(&dqkv, weights.qkv[0], &mut dnormal)?;
    drop(dqkv);
    let mut dx = vec![0.0; rows * width];
    norm_backward(x.values(), weights.ln_1, &dnormal, &statistics[0], &dmiddle, &mut dx, &targets.ln_1)?;
    Ok(Some(tensor(dx, (rows, width))?))
}

struct Sizes {
    rows: usize,
    width: usize,
    mlp: usize,
    /// Rows past the attention.
    after: usize,
}

impl Sizes {
    fn new(x: &Tensor, weights: &BlockTensors<&Tensor>, kind: BlockKind, pooled: Option<&[u32]>) -> Result<Self> {
        let (rows, width) = x.dims2()?;
        let mlp = weights.fc[0].dim(0)?;
        let linears = [
            (weights.qkv, [3 * width, width]),
            (weights.out, [width, width]),
            (weights.fc, [mlp, width]),
            (weights.proj, [width, mlp]),
        ];
        let linears_fit =
            linears.iter().all(|([weight, bias], dims)| weight.dims() == dims && bias.dims() == &dims[..1]);
        let norms_fit = weights.ln_1.iter().chain(&weights.ln_2).all(|norm| norm.dims() == [width]);
        let AttentionShape { batch, length, heads, .. } = kind.attention;
        let rows_fit = batch.checked_mul(length) == Some(rows) && heads > 0 && width.is_multiple_of(heads);
        let pooled_fit = pooled.is_none_or(|pooled| pooled.iter().all(|row| (*row as usize) < rows));
        if width == 0 || rows == 0 || !(linears_fit && norms_fit && rows_fit && pooled_fit) {
            bail!("block: {rows} rows of {width} for {:?} and {:?}", kind.attention, weights);
        }
        Ok(Self { rows, width, mlp, after: pooled.map_or(rows, <[u32]>::len) })
    }
}

fn norm_forward(x: &[f32], norm: [&Tensor; 2], eps: f64, y: &mut [f32], statistics: &mut [Statistics]) -> Result<()> {
    let [weight, bias] = [Held::new(norm[0])?, Held::new(norm[1])?];
    layer_norm::forward_into(x, weight.values(), bias.values(), eps as f32, as_uninit(y), statistics);
    Ok(())
}

fn norm_again(x: &[f32], norm: [&Tensor; 2], statistics: &[Statistics], y: &mut [f32]) -> Result<()> {
    let [weight, bias] = [Held::new(norm[0])?, Held::new(norm[1])?];
    layer_norm::again_into(x, weight.values(), bias.values(), statistics, y);
    Ok(())
}

/// `dx = residual` plus the gradient through the norm, and the gradients of its weight and bias.
fn norm_backward(
    x: &[f32],
    norm: [&Tensor; 2],
    grad: &[f32],
    statistics: &[Statistics],
    residual: &[f32],
    dx: &mut [f32],
    targets: &[Option<Target>; 2],
) -> Result<()> {
    let weight = Held::new(norm[0])?;
    let sums = layer_norm::backward_into(x, weight.values(), grad, statistics, Some(residual), as_uninit(dx));
    let width = weight.values().len();
    let (mut dweight, mut dbias) = (vec![0.0; width], vec![0.0; width]);
    sums.add_to(&mut dweight, &mut dbias);
    for (target, sums) in targets.iter().zip([dweight, dbias]) {
        write(target.as_ref(), |values, is_sum| {
            for (value, sum) in values.iter_mut().zip(&sums) {
                *value = if is_sum { *value + sum } else { *sum };
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn linear_forward(x: &[f32], [weight, bias]: [&Tensor; 2], y: &mut [f32]) -> Result<()> {
    let columns = weight.dim(1)?;
    let (weight, bias) = (Held::new(weight)?, Held::new(bias)?);
    product_into(
        Matrix::whole(x, columns),
        Matrix::whole(weight.values(), columns).transposed(),
        Some(bias.values()),
        y,
    )
}

/// `y = residual + x · weightᵀ + bias`.
fn residual_forward(residual: &[f32], x: &[f32], [weight, bias]: [&Tensor; 2], y: &mut [f32]) -> Result<()> {
    let columns = weight.dim(1)?;
    let (weight, bias) = (Held::new(weight)?, Held::new(bias)?);
    let bias = bias.values();
    let rows = rows_per_chunk(residual.len() / bias.len()) * bias.len();
    let chunks = y.par_chunks_mut(rows).zip(residual.par_chunks(rows));
    chunks.for_each(|(y, residual)| biased(residual, bias, y));
    product_onto(Matrix::whole(x, columns), Matrix::whole(weight.values(), columns).transposed(), y, true)
}

dispatch! { fn biased(x: &[f32], bias: &[f32], y: &mut [f32]) = biased_body; }

#[inline(always)]
fn biased_body<const LANES: usize>(x: &[f32], bias: &[f32], y: &mut [f32]) {
    for (y, x) in y.chunks_exact_mut(bias.len()).zip(x.chunks_exact(bias.len())) {
        for ((y, x), b) in y.iter_mut().zip(x).zip(bias) {
            *y = x + b;
        }
    }
}

/// `dx = grad · weight`.
fn input_gradient(grad: &[f32], weight: &Tensor, dx: &mut [f32]) -> Result<()> {
    let (rows, columns) = weight.dims2()?;
    let weight = Held::new(weight)?;
    product_onto(Matrix::whole(grad, rows), Matrix::whole(weight.values(), columns), dx, false)
}

/// `dweight = gradᵀ · x` and `dbias = sum of grad's rows`.
fn linear_gradients(grad: &[f32], x: &[f32], [weight, bias]: &[Option<Target>; 2]) -> Result<()> {
    write(weight.as_ref(), |values, is_sum| {
        let shape = weight.as_ref().map_or(&[][..], |target| target.tensor.dims());
        let &[rows, columns] = shape else { bail!("block: a weight of shape {shape:?}") };
        product_onto(Matrix::whole(grad, rows).transposed(), Matrix::whole(x, columns), values, is_sum)
    })?;
    write(bias.as_ref(), |values, is_sum| {
        if !is_sum {
            values.fill(0.0);
        }
        column_sums_onto(grad, values);
        Ok(())
    })
}

fn write(target: Option<&Target>, write: impl FnOnce(&mut [f32], bool) -> Result<()> + Send) -> Result<()> {
    let Some(Target { tensor, is_sum }) = target else { return Ok(()) };
    in_place(tensor, |values| write(values, *is_sum))
}

/// The named rows of a row-major matrix.
fn gathered(values: &[f32], rows: &[u32], width: usize, workspace: &Workspace) -> Buffer {
    let mut some = workspace.take(rows.len() * width);
    for (to, &row) in some.chunks_exact_mut(width).zip(rows) {
        to.copy_from_slice(&values[row as usize * width..][..width]);
    }
    some
}

/// A matrix of `count` rows that is zero but for the named ones.
fn scattered(some: &[f32], rows: &[u32], count: usize, width: usize, workspace: &Workspace) -> Buffer {
    let mut all = workspace.take(count * width);
    all.fill(0.0);
    for (from, &row) in some.chunks_exact(width).zip(rows) {
        let to = &mut all[row as usize * width..][..width];
        to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
    }
    all
}
