//! Elementary functions and sums written so that the compiler turns a loop over them into vector instructions.
//!
//! No fused multiply-add on purpose: elementwise results are then the same on every processor.

/// e^x, relative error below 2e-7, clamped to the range of normal numbers (x in -87.3..88.3); NaN stays NaN.
///
/// Range reduction and polynomial of Cephes `expf` (Moshier, netlib.org/cephes, single/expf.c).
#[inline(always)]
#[expect(clippy::excessive_precision, reason = "constants as published")]
pub(super) fn exp(x: f32) -> f32 {
    /// 1.5 * 2^23: adding it rounds to an integer, which then sits in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // Comparisons rather than `clamp`: one instruction each, and NaN passes through.
    let x = if x < -87.336_54 { -87.336_54 } else { x };
    let x = if x > 88.376_26 { 88.376_26 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_375 + n * 2.121_944_40e-4;
    let p = 1.987_569_150_0e-4;
    let p = p * r + 1.398_199_950_7e-3;
    let p = p * r + 8.333_451_907_3e-3;
    let p = p * r + 4.166_579_589_4e-2;
    let p = p * r + 1.666_666_545_9e-1;
    let p = p * r + 5.000_000_120_1e-1;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (p * (r * r) + r + 1.0) * power
}

/// The normal distribution function, given `bell` = e^(-x²/2); absolute error below 2e-7, and smaller in the tails.
///
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26 (erfc as a polynomial times e^(-x²)). Its error
/// falls off with the bell, where a rational erf near -1 would leave 1e-6 of the GELU of large negative values.
#[inline(always)]
#[expect(clippy::excessive_precision, reason = "constants as published")]
pub(super) fn normal_below(x: f32, bell: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let p = 1.061_405_429;
    let p = p * t - 1.453_152_027;
    let p = p * t + 1.421_413_741;
    let p = p * t - 0.284_496_736;
    let p = p * t + 0.254_829_592;
    let tail = 0.5 * p * t * bell;
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Sum of `term(a[i])` in `N` interleaved partial sums, always in the same order.
#[inline(always)]
pub(super) fn sum<const N: usize>(a: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; N];
    let (whole, rest) = a.as_chunks::<N>();
    for chunk in whole {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += term(value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += term(value);
    }
    fold(lanes)
}

/// Sum of `a[i] * b[i]` over the shorter of the two, in `N` interleaved partial sums, always in the same order.
#[inline(always)]
pub(super) fn dot<const N: usize>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; N];
    let ((a_whole, a_rest), (b_whole, b_rest)) = (a.as_chunks::<N>(), b.as_chunks::<N>());
    for (p, q) in a_whole.iter().zip(b_whole) {
        for (lane, (x, y)) in lanes.iter_mut().zip(p.iter().zip(q)) {
            *lane += x * y;
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane += x * y;
    }
    fold(lanes)
}

/// The largest value; NaN is passed over, an empty slice gives minus infinity.
#[inline(always)]
pub(super) fn maximum<const N: usize>(a: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; N];
    let (whole, rest) = a.as_chunks::<N>();
    for chunk in whole {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, value);
        }
    }
    let best = lanes.into_iter().fold(f32::NEG_INFINITY, larger);
    rest.iter().copied().fold(best, larger)
}

/// Adds the lanes pairwise, halves on halves; `N` is a power of two.
#[inline(always)]
fn fold<const N: usize>(mut lanes: [f32; N]) -> f32 {
    let mut width = N / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}
