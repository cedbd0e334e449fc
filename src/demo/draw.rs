//! Random draws that stay the same on every platform and with every version of `rand`.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Which use a draw serves. The stream is the first byte of the generator's key, so two streams never share a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Base = 1,
    Tuned = 2,
    Evaluation = 3,
    Validation = 4,
    Negatives = 5,
    Way = 6,
}

/// One generator, keyed by (stream, seed, index).
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(stream: Stream, seed: u64, index: u64) -> Self {
        let mut key = [0; 32];
        key[0] = stream as u8;
        key[8..16].copy_from_slice(&seed.to_le_bytes());
        key[16..24].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    pub(super) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Uniform in `0..n`, with a bias below n / 2^32; 0 when `n` is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.bits()) * n as u64) >> 32) as usize
    }

    /// Uniform in `low..high`, in steps of the range / 2^24.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.bits() >> 8) as f32 / 16_777_216.0)
    }

    /// True in `percent` of 100 draws.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a fixed list.
    pub(super) fn pick<T: Copy, const N: usize>(&mut self, from: &[T; N]) -> T {
        from[self.below(N)]
    }

    /// One of a fixed list for which `fits` holds. The list must hold one, or this never returns.
    pub(super) fn pick_where<T: Copy, const N: usize>(&mut self, from: &[T; N], fits: impl Fn(T) -> bool) -> T {
        loop {
            let one = self.pick(from);
            if fits(one) {
                return one;
            }
        }
    }

    /// Fisher-Yates, from the end.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}
