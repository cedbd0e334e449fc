//! In which order samples are visited: a pure function of the seed and the position.
//!
//! Shards come in an order of their own. Their samples fill a buffer of `shuffle_buffer` places, which is shuffled,
//! visited to its end and filled anew. So a position is the buffer's first sample and the number of visits in it, and to
//! continue is to fill one buffer: it costs the headers of the shards that it spans.

use super::chance::{Purpose, stream};
use super::fault::{Fault, FaultKind};
use super::listing::ShardSource;
use super::record::Keys;
use super::shard::{Opened, Shard};
use crate::negatives::chance::{below, shuffle};
use crate::recipe::Sampling;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How the order is made.
#[derive(Clone)]
pub(super) struct Order {
    pub shards: Arc<Vec<ShardSource>>,
    pub keys: Arc<Keys>,
    pub seed: u64,
    pub sampling: Sampling,
    pub buffer: usize,
}

/// A place in the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Epochs finished; 0 with replacement.
    pub epoch: u64,
    /// The buffer's first shard: its place in the epoch's order, or the number of its draw.
    pub shard: u64,
    /// The buffer's first sample in that shard.
    pub sample: u64,
    /// Visits made in the buffer.
    pub within: u64,
    /// Visits made since the start of the run.
    pub visits: u64,
}

/// What comes next.
pub(super) enum Event {
    /// A sample is visited.
    Visit(Visit),
    /// A shard could not be used, or not whole.
    Fault(Fault),
    /// All shards have been visited.
    EpochEnd,
}

/// A visit of a sample.
pub(super) struct Visit {
    /// Its number in the run, from 0.
    pub number: u64,
    pub shard: Arc<dyn Shard>,
    pub sample: u32,
}

/// The order, from a place on.
pub(super) struct Plan {
    order: Order,
    /// The epoch's shards, shuffled; empty with replacement.
    shuffled: Vec<u32>,
    place: Place,
    /// What the buffer holds; visited from `place.within` on once `filled`.
    buffer: Vec<(Arc<dyn Shard>, u32)>,
    filled: bool,
    /// Where the buffer is filled from.
    next_shard: u64,
    next_sample: u64,
    open: Option<Arc<dyn Shard>>,
    faults: VecDeque<Fault>,
    /// Faults of the first buffer were told before the run was interrupted.
    quiet: bool,
}

impl Plan {
    pub fn new(order: Order, place: Place) -> Self {
        let mut plan = Self {
            order,
            shuffled: Vec::new(),
            place,
            buffer: Vec::new(),
            filled: false,
            next_shard: place.shard,
            next_sample: place.sample,
            open: None,
            faults: VecDeque::new(),
            quiet: place.within > 0,
        };
        plan.shuffle_shards();
        plan
    }

    fn shuffle_shards(&mut self) {
        if self.order.sampling == Sampling::Epochs {
            self.shuffled = (0..self.order.shards.len() as u32).collect();
            shuffle(&mut stream(self.order.seed, Purpose::Epoch, self.place.epoch), &mut self.shuffled);
        }
    }

    /// The next event, and the place after it. Never ends.
    pub fn next(&mut self) -> (Event, Place) {
        loop {
            if let Some(fault) = self.faults.pop_front() {
                return (Event::Fault(fault), self.place);
            }
            if !self.filled {
                self.fill();
                continue;
            }
            if let Some((shard, sample)) = self.buffer.get(self.place.within as usize).cloned() {
                let number = self.place.visits;
                self.place.within += 1;
                self.place.visits += 1;
                if self.place.within as usize >= self.buffer.len() {
                    self.start_buffer();
                }
                return (Event::Visit(Visit { number, shard, sample }), self.place);
            }
            self.start_buffer();
            if self.order.sampling == Sampling::Epochs && self.next_shard >= self.shuffled.len() as u64 {
                self.place = Place { epoch: self.place.epoch + 1, shard: 0, sample: 0, ..self.place };
                (self.next_shard, self.next_sample, self.open) = (0, 0, None);
                self.shuffle_shards();
                return (Event::EpochEnd, self.place);
            }
        }
    }

    /// The next buffer begins where this one ended.
    fn start_buffer(&mut self) {
        self.buffer.clear();
        self.filled = false;
        (self.place.shard, self.place.sample, self.place.within) = (self.next_shard, self.next_sample, 0);
    }

    /// Takes samples of one shard into the buffer, and shuffles it once it is full or the epoch is over.
    fn fill(&mut self) {
        let room = self.order.buffer - self.buffer.len();
        let Some(source) = self.source(self.next_shard).filter(|_| room > 0) else {
            // Each buffer has a stream of its own: the number of its first visit.
            let first = self.place.visits - self.place.within;
            shuffle(&mut stream(self.order.seed, Purpose::Buffer, first), &mut self.buffer);
            (self.filled, self.quiet) = (true, false);
            return;
        };
        let shard = match self.open.take() {
            Some(shard) => shard,
            None => match open(&self.order.shards[source], &self.order.keys) {
                Ok(opened) => {
                    self.tell(opened.faults);
                    opened.shard
                }
                Err(fault) => {
                    self.tell(vec![fault]);
                    (self.next_shard, self.next_sample) = (self.next_shard + 1, 0);
                    return;
                }
            },
        };
        let from = usize::try_from(self.next_sample).unwrap_or(usize::MAX);
        let end = shard.len().min(from.saturating_add(room));
        self.buffer.extend((from..end).map(|sample| (shard.clone(), sample as u32)));
        if end < shard.len() {
            (self.next_sample, self.open) = (end as u64, Some(shard));
        } else {
            (self.next_shard, self.next_sample) = (self.next_shard + 1, 0);
        }
    }

    /// A shard whose first samples went into the buffer before is opened again only when a run is continued.
    fn tell(&mut self, faults: Vec<Fault>) {
        if !self.quiet && self.next_sample == 0 {
            self.faults.extend(faults);
        }
    }

    /// Which shard stands at a place of the order; nothing at an epoch's end.
    fn source(&self, place: u64) -> Option<usize> {
        match self.order.sampling {
            Sampling::Epochs => self.shuffled.get(usize::try_from(place).ok()?).map(|shard| *shard as usize),
            Sampling::Replacement => {
                let mut draw = stream(self.order.seed, Purpose::Draw, place);
                Some(below(&mut draw, self.order.shards.len() as u64) as usize)
            }
        }
    }
}

/// Opens a shard, whatever its file does to the decoder.
pub(super) fn open(source: &ShardSource, keys: &Arc<Keys>) -> Result<Opened, Fault> {
    catch_unwind(AssertUnwindSafe(|| source.open(keys))).unwrap_or_else(|_| {
        let reason = "The shard cannot be read: its decoder gave up";
        Err(Fault::new(FaultKind::BrokenShard, source.path().display().to_string(), reason))
    })
}
