//! One stream of chance per purpose and number: drawing more for one never shifts another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What chance is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// The order of an epoch's shards.
    Epoch,
    /// A shard drawn with replacement.
    Draw,
    /// The order of a filled buffer.
    Buffer,
    /// A visit's crop.
    Crop,
    /// A visit's choice among the negatives it was given.
    Given,
    /// The seed of the generator of negatives.
    Generator,
}

/// The stream of `purpose` and `number`: all three are the key, so no two streams overlap.
pub(super) fn stream(seed: u64, purpose: Purpose, number: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, value) in key.as_chunks_mut::<8>().0.iter_mut().zip([seed, purpose as u64, number]) {
        *part = value.to_le_bytes();
    }
    ChaCha8Rng::from_seed(key)
}

/// A number in 0..1 with 53 bits.
pub(super) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}
