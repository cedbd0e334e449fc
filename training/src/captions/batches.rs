//! Batches from shards: good samples in the order's order, everything else counted.

use super::fault::{Fault, FaultCounts};
use super::maker::Maker;
use super::pipeline::{Output, Pipeline};
use super::plan::{Order, Place, Plan};
use super::source::{BatchSource, SourceError};
use crate::batches::Sample;
use crate::recipe::Sampling;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Faults kept between two calls of `take_faults`.
const KEPT_FAULTS: usize = 100;
/// Broken samples in a row after which a run ends.
const MOST_IN_A_ROW: u64 = 100_000;

/// Batches of a recipe's data.
pub(super) struct ShardBatches {
    order: Order,
    maker: Arc<Maker>,
    batch: usize,
    workers: usize,
    samples: Option<u64>,
    identity: String,
    state: State,
    pipeline: Option<Pipeline>,
    faults: Vec<Fault>,
}

/// Where the run is after the last batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    place: Place,
    /// Batches of the current epoch.
    batches: u64,
    counts: FaultCounts,
}

/// [`State`] as it is written.
#[derive(Serialize, Deserialize)]
struct Position {
    /// Tells other data and other orders.
    data: String,
    #[serde(flatten)]
    state: State,
}

/// Faults since the last good sample.
#[derive(Default)]
struct Row {
    samples: u64,
    shards: u64,
    last: Option<Fault>,
}

impl ShardBatches {
    pub fn new(order: Order, maker: Maker, batch: usize, workers: usize, samples: Option<u64>) -> Self {
        let identity = identity(&order);
        let (state, maker) = (State::default(), Arc::new(maker));
        Self { order, maker, batch, workers, samples, identity, state, pipeline: None, faults: Vec::new() }
    }

    /// The running threads; started at the first batch, so that a seek before it costs nothing.
    fn pipeline(&mut self) -> Result<&mut Pipeline, SourceError> {
        if self.pipeline.is_none() {
            let plan = Plan::new(self.order.clone(), self.state.place);
            let ahead = self.batch.saturating_add(4 * self.workers).min(1 << 16);
            let started = Pipeline::start(plan, &self.maker, self.workers, ahead);
            self.pipeline = Some(started.map_err(|error| SourceError::Workers(error.to_string()))?);
        }
        self.pipeline.as_mut().ok_or_else(|| SourceError::Workers("no thread runs".to_owned()))
    }

    fn note(&mut self, state: &mut State, row: &mut Row, fault: Fault) {
        *state.counts.faults.entry(fault.kind).or_default() += 1;
        if fault.kind.is_shard() {
            row.shards += 1;
        } else {
            row.samples += 1;
        }
        if self.faults.len() < KEPT_FAULTS {
            self.faults.push(fault.clone());
        }
        row.last = Some(fault);
    }

    /// An endless row of faults: with replacement no epoch's end would tell.
    fn is_hopeless(&self, row: &Row) -> bool {
        let draws = 100 + 4 * self.order.shards.len() as u64;
        row.samples >= MOST_IN_A_ROW || self.order.sampling == Sampling::Replacement && row.shards >= draws
    }
}

impl BatchSource for ShardBatches {
    fn next_batch(&mut self) -> Result<Vec<Sample>, SourceError> {
        let (mut state, mut row, mut batch) = (self.state.clone(), Row::default(), Vec::new());
        while batch.len() < self.batch {
            let gone = || SourceError::Workers("a thread is gone".to_owned());
            let (output, place) = self.pipeline()?.next().ok_or_else(gone)?;
            state.place = place;
            match output {
                Output::Sample(Ok(made)) => {
                    state.counts.samples += 1;
                    state.counts.with_negative += u64::from(!made.sample.negatives.is_empty());
                    state.counts.equal_negatives += made.equal_negatives;
                    row = Row::default();
                    batch.push(made.sample);
                }
                Output::Sample(Err(fault)) => {
                    state.counts.samples += 1;
                    self.note(&mut state, &mut row, fault);
                }
                Output::Fault(fault) => self.note(&mut state, &mut row, fault),
                Output::EpochEnd if state.batches == 0 && !batch.is_empty() => {
                    return Err(self.failed(SourceError::TooFew { batch: self.batch, length: batch.len() as u64 }));
                }
                Output::EpochEnd if state.batches == 0 => return Err(self.failed(row.all_broken())),
                // What fills no batch is left: with samples of the next epoch a batch could hold one twice.
                Output::EpochEnd => {
                    state.batches = 0;
                    batch.clear();
                }
            }
            if self.is_hopeless(&row) {
                return Err(self.failed(row.all_broken()));
            }
        }
        state.batches += 1;
        self.state = state;
        Ok(batch)
    }

    fn position(&self) -> Value {
        let position = Position { data: self.identity.clone(), state: self.state.clone() };
        // Numbers and short texts: nothing in it can fail to be written.
        serde_json::to_value(position).unwrap_or_default()
    }

    fn seek(&mut self, position: &Value) -> Result<(), SourceError> {
        let position = Position::deserialize(position)
            .map_err(|error| SourceError::Position(format!("the saved place in the data cannot be read: {error}")))?;
        if position.data != self.identity {
            let what = "the shards, the seed, the sampling or the shuffle buffer are not those that it was saved with";
            return Err(SourceError::Position(what.to_owned()));
        }
        self.pipeline = None;
        self.state = position.state;
        Ok(())
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    fn fault_counts(&self) -> FaultCounts {
        self.state.counts.clone()
    }

    fn samples(&self) -> Option<u64> {
        self.samples
    }
}

impl ShardBatches {
    /// The threads are past the place that the state tells: the next batch starts them anew.
    fn failed(&mut self, error: SourceError) -> SourceError {
        self.pipeline = None;
        error
    }
}

impl Row {
    fn all_broken(self) -> SourceError {
        let last = self.last.map_or_else(|| "there are no samples".to_owned(), |fault| fault.to_string());
        SourceError::AllBroken { skipped: self.samples, shards: self.shards, last }
    }
}

/// FNV-1a of everything that the order depends on.
fn identity(order: &Order) -> String {
    let shuffled = format!("{} {:?} {}", order.seed, order.sampling, order.buffer);
    let shards = order.shards.iter().map(super::listing::ShardSource::identity);
    let hash = std::iter::once(shuffled).chain(shards).fold(0xcbf2_9ce4_8422_2325_u64, |hash, text| {
        let bytes = text.bytes().chain([0xff]);
        bytes.fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    });
    format!("{hash:016x}")
}
