//! Samples that can be visited in any order, as what a run trains on.

use crate::batches::{BatchError, Sample, Sampler, Samples};
use crate::captions::{BatchSource, Fault, FaultCounts, SourceError};
use serde::{Deserialize, Serialize};

/// Shuffled epochs over [`Samples`]. Nothing in them can be broken.
#[derive(Debug)]
pub struct Indexed<S> {
    samples: S,
    sampler: Sampler,
    place: Place,
}

/// The whole state: with the recipe's seed, the batches taken decide everything that comes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    batches: u64,
    seed: u64,
    batch: usize,
    samples: usize,
    with_negative: u64,
}

impl<S: Samples> Indexed<S> {
    /// `samples` from the start, `batch` at a time.
    ///
    /// # Errors
    /// [`BatchError`] unless there are enough for one batch.
    pub fn new(samples: S, seed: u64, batch: usize) -> Result<Self, BatchError> {
        let sampler = Sampler::new(seed, batch, samples.len())?;
        let place = Place { batches: 0, seed, batch, samples: samples.len(), with_negative: 0 };
        Ok(Self { samples, sampler, place })
    }
}

impl<S: Samples + Send + Sync> BatchSource for Indexed<S> {
    fn next_batch(&mut self) -> Result<Vec<Sample>, SourceError> {
        let batch = self.sampler.next_batch(&self.samples);
        self.place.batches = self.sampler.position();
        self.place.with_negative += batch.iter().filter(|sample| !sample.negatives.is_empty()).count() as u64;
        Ok(batch)
    }

    fn position(&self) -> serde_json::Value {
        // A struct of numbers is always JSON.
        serde_json::to_value(&self.place).unwrap_or_default()
    }

    fn seek(&mut self, position: &serde_json::Value) -> Result<(), SourceError> {
        let place: Place =
            serde_json::from_value(position.clone()).map_err(|error| SourceError::Position(error.to_string()))?;
        let same = |place: &Place| (place.seed, place.batch, place.samples);
        if same(&place) != same(&self.place) {
            return Err(SourceError::Position("it was another order of samples".to_owned()));
        }
        self.sampler.seek(place.batches);
        self.place = place;
        Ok(())
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        Vec::new()
    }

    fn fault_counts(&self) -> FaultCounts {
        let samples = self.place.batches * self.place.batch as u64;
        FaultCounts { samples, with_negative: self.place.with_negative, ..FaultCounts::default() }
    }

    fn samples(&self) -> Option<u64> {
        Some(self.place.samples as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiny::Twins;

    #[test]
    fn a_position_continues_the_order_and_the_counts() {
        let source = || Indexed::new(Twins, 3, 4).unwrap();
        let mut whole = source();
        whole.next_batch().unwrap();
        let position = whole.position();
        let wanted: Vec<_> = (0..3).map(|_| whole.next_batch().unwrap()).collect();
        let mut resumed = source();
        resumed.seek(&position).unwrap();
        let found: Vec<_> = (0..3).map(|_| resumed.next_batch().unwrap()).collect();
        assert_eq!(found, wanted);
        assert_eq!(resumed.fault_counts(), whole.fault_counts());
        assert_eq!((whole.fault_counts().samples, whole.fault_counts().with_negative), (16, 16));
    }

    #[test]
    fn a_position_of_another_order_is_refused() {
        let mut source = Indexed::new(Twins, 3, 4).unwrap();
        for other in [Indexed::new(Twins, 4, 4), Indexed::new(Twins, 3, 2)] {
            let refused = source.seek(&other.unwrap().position());
            assert!(matches!(refused, Err(SourceError::Position(_))), "{refused:?}");
        }
        assert!(source.seek(&serde_json::Value::Null).is_err());
        assert!(Indexed::new(Twins, 3, 7).is_err());
    }
}
