//! Samples, and the order in which a run visits them: a pure function of the seed and of the position.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use std::sync::Arc;

/// One image with its caption and hard negatives, ready for the towers. Cloning shares the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Preprocessed bytes, see [`TwoTower::preprocess`](crate::TwoTower::preprocess).
    pub image: Arc<[u8]>,
    /// Token ids of the right caption.
    pub caption: Arc<[u32]>,
    /// Token ids of captions that are nearly right; any number, also none.
    pub negatives: Vec<Arc<[u32]>>,
}

/// A set of samples that can be visited in any order.
pub trait Samples {
    /// Number of samples.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Consecutive samples that a batch holds together, counted from the first: a picture with its hard-negative
    /// pictures. Batches should be multiples of it.
    fn family(&self) -> usize {
        1
    }

    /// Sample `index < len()`. All chance (which caption, which negatives) comes from `draw`, which differs at every
    /// visit and is the same in every run with the same seed.
    fn sample(&self, index: usize, draw: &mut ChaCha8Rng) -> Sample;
}

/// No batch can be formed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("A batch of {batch} cannot be taken from {length} samples")]
pub struct BatchError {
    /// Samples asked for per batch.
    pub batch: usize,
    /// Samples there are.
    pub length: usize,
}

/// Epochs of shuffled indices, cut into full batches; what is left of an epoch after its last full batch is dropped,
/// so that no batch holds a sample twice.
#[derive(Clone, Debug)]
pub struct Sampler {
    seed: u64,
    batch: usize,
    length: usize,
    position: u64,
    /// The current epoch's number and order.
    shuffled: Option<(u64, Vec<usize>)>,
}

impl Sampler {
    /// Sampler at position 0 over `length` samples.
    ///
    /// # Errors
    /// [`BatchError`] unless `1 <= batch <= length`.
    pub fn new(seed: u64, batch: usize, length: usize) -> Result<Self, BatchError> {
        if batch == 0 || batch > length {
            return Err(BatchError { batch, length });
        }
        Ok(Self { seed, batch, length, position: 0, shuffled: None })
    }

    /// Batches taken so far. With the seed this is the whole state: see [`seek`](Self::seek).
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Continues as if `position` batches had been taken, at no cost.
    pub fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// Full batches per epoch.
    pub fn batches_per_epoch(&self) -> u64 {
        (self.length / self.batch) as u64
    }

    /// The next batch, its samples made in parallel. `samples` has the length this sampler was made for.
    pub fn next_batch<S: Samples + Sync + ?Sized>(&mut self, samples: &S) -> Vec<Sample> {
        let first_visit = self.position * self.batch as u64;
        let seed = self.seed;
        let indices = self.next_indices(samples.family().max(1));
        let visit = |(slot, &index): (usize, &usize)| {
            samples.sample(index, &mut rng(seed, Purpose::Visit(first_visit + slot as u64)))
        };
        indices.par_iter().enumerate().map(visit).collect()
    }

    /// Indices of the next batch, `family` neighbours always in a row.
    fn next_indices(&mut self, family: usize) -> &[usize] {
        let per_epoch = self.batches_per_epoch();
        let (epoch, within) = (self.position / per_epoch, (self.position % per_epoch) as usize);
        self.position += 1;
        let (seed, length) = (self.seed, self.length);
        if self.shuffled.as_ref().is_some_and(|(current, _)| *current != epoch) {
            self.shuffled = None;
        }
        let (_, order) =
            self.shuffled.get_or_insert_with(|| (epoch, in_families(family, length, |n| shuffled(seed, epoch, n))));
        &order[within * self.batch..][..self.batch]
    }
}

/// What a generator is for. Each purpose has its own stream, so drawing more for one never shifts another.
#[derive(Clone, Copy)]
enum Purpose {
    Epoch(u64),
    Visit(u64),
}

fn rng(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(match purpose {
        Purpose::Epoch(epoch) => epoch << 1,
        Purpose::Visit(visit) => visit << 1 | 1,
    });
    rng
}

/// An order of `0..length` in which families keep together; the last ones, too few for a family, come at the end.
fn in_families(family: usize, length: usize, shuffled: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let members = |first: usize| first * family..(first + 1) * family;
    let whole = length / family;
    shuffled(whole).into_iter().flat_map(members).chain(whole * family..length).collect()
}

/// Fisher–Yates, written out: `rand` may change its shuffle between versions, and old runs must stay repeatable.
fn shuffled(seed: u64, epoch: u64, length: usize) -> Vec<usize> {
    let mut rng = rng(seed, Purpose::Epoch(epoch));
    let mut order: Vec<usize> = (0..length).collect();
    for last in (1..length).rev() {
        let drawn = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, drawn as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples that write down their index and what they drew.
    struct Echo(usize);

    impl Samples for Echo {
        fn len(&self) -> usize {
            self.0
        }

        fn sample(&self, index: usize, draw: &mut ChaCha8Rng) -> Sample {
            Sample { image: [].into(), caption: [index as u32, draw.next_u32()].into(), negatives: vec![] }
        }
    }

    fn captions(batch: &[Sample]) -> Vec<[u32; 2]> {
        batch.iter().map(|sample| [sample.caption[0], sample.caption[1]]).collect()
    }

    fn run(seed: u64, batches: usize) -> Vec<Vec<[u32; 2]>> {
        let mut sampler = Sampler::new(seed, 3, 10).unwrap();
        (0..batches).map(|_| captions(&sampler.next_batch(&Echo(10)))).collect()
    }

    #[test]
    fn an_epoch_visits_no_sample_twice_and_the_next_is_ordered_anew() {
        let batches = run(1, 6);
        let epoch = |range: std::ops::Range<usize>| -> Vec<u32> {
            batches[range].iter().flatten().map(|[index, _]| *index).collect()
        };
        for mut indices in [epoch(0..3), epoch(3..6)] {
            assert!(indices.iter().all(|index| *index < 10));
            indices.sort_unstable();
            indices.dedup();
            assert_eq!(indices.len(), 9);
        }
        assert_ne!(epoch(0..3), epoch(3..6));
    }

    #[test]
    fn shuffling_is_fair() {
        let mut at = [[0u32; 4]; 4];
        for epoch in 0..4_000 {
            shuffled(5, epoch, 4).into_iter().enumerate().for_each(|(place, index)| at[place][index] += 1);
        }
        // 1000 wanted in each cell, standard deviation 27: seven of them.
        assert!(at.iter().flatten().all(|count| count.abs_diff(1_000) < 190), "{at:?}");
    }

    #[test]
    fn the_seed_decides_order_and_draws() {
        assert_eq!(run(1, 6), run(1, 6));
        assert_ne!(run(1, 6), run(2, 6));
        let draws: std::collections::BTreeSet<u32> = run(1, 6).iter().flatten().map(|[_, drawn]| *drawn).collect();
        assert_eq!(draws.len(), 18, "every visit draws its own numbers");
    }

    /// As [`Echo`], in families of three.
    struct Families(Echo);

    impl Samples for Families {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn family(&self) -> usize {
            3
        }

        fn sample(&self, index: usize, draw: &mut ChaCha8Rng) -> Sample {
            self.0.sample(index, draw)
        }
    }

    #[test]
    fn families_keep_together_in_an_order_of_their_own() {
        let mut sampler = Sampler::new(1, 6, 20).unwrap();
        let mut orders = std::collections::BTreeSet::new();
        for _ in 0..8 {
            let epoch: Vec<u32> = (0..3)
                .flat_map(|_| captions(&sampler.next_batch(&Families(Echo(20)))).into_iter().map(|[index, _]| index))
                .collect();
            for family in epoch.chunks(3) {
                assert!(family[0] % 3 == 0 && family[1] == family[0] + 1 && family[2] == family[0] + 2, "{family:?}");
            }
            let mut sorted = epoch.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..18).collect::<Vec<_>>());
            orders.insert(epoch);
        }
        assert_eq!(orders.len(), 8);
    }

    #[test]
    fn a_position_is_enough_to_continue() {
        let wanted = run(9, 8);
        for position in [0, 1, 3, 5, 7] {
            let mut sampler = Sampler::new(9, 3, 10).unwrap();
            sampler.seek(position);
            assert_eq!(captions(&sampler.next_batch(&Echo(10))), wanted[position as usize]);
            assert_eq!(sampler.position(), position + 1);
        }
    }

    #[test]
    fn refuses_batches_that_cannot_be_filled() {
        assert_eq!(Sampler::new(0, 4, 3).unwrap_err(), BatchError { batch: 4, length: 3 });
        assert!(Sampler::new(0, 0, 3).is_err());
        assert!(Sampler::new(0, 0, 0).is_err());
        assert_eq!(Sampler::new(0, 3, 3).unwrap().batches_per_epoch(), 1);
    }
}
