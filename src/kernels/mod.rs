//! Fused tensor operations with a backward pass, and the blend of two weights in place.
//!
//! On the CPU in f32 each operation is one parallel pass of our own (matrix products by the `gemm` crate); every
//! other device or number format takes the composed, differentiable candle operations that define the result.
//! The same inputs give the same bytes whatever the number of threads: work is cut by the shape alone and partial
//! sums are added in a fixed order. candle's own fused layer norm and softmax have no backward pass and cut
//! gradients in silence, which is why they are not used here.

// A kernel's body has to inline into each of its instruction-set versions, see `dispatch`.
#![allow(clippy::inline_always)]

#[macro_use]
mod dispatch;

mod activation;
mod attention;
mod block;
mod finite;
mod head;
mod layer_norm;
mod lerp;
mod linear;
mod math;
mod stem;
mod storage;
#[cfg(test)]
mod tests;
mod threads;
mod tile;
mod vector;
mod workspace;

pub use activation::{Activation, UnknownActivation, activate};
pub use attention::{AttentionShape, attention};
pub use block::{BlockKind, BlockState, BlockTensors, Target, block_backward, block_forward, takes, takes_block};
pub use finite::count_not_finite;
pub use layer_norm::layer_norm;
pub use lerp::{blend_into, lerp_into, side_by_side};
pub use linear::{linear, project};
pub use stem::{class_and_positions, patch_gradients, row_gradients, rows_and_positions};
pub use threads::keep_candle_serial;
pub use workspace::Workspace;
