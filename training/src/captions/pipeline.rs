//! Threads between the order and the batches.
//!
//! One thread walks the order and hands each visit to the workers, together with the place for its answer in a queue
//! that keeps the order. That queue is bounded, so no more than `ahead` samples are ever prepared and not yet taken.

use super::fault::Fault;
use super::maker::{Made, Maker};
use super::plan::{Event, Place, Plan, Visit};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// What comes out, in order, with the place after it.
pub(super) enum Output {
    Sample(Result<Made, Fault>),
    Fault(Fault),
    EpochEnd,
}

enum Slot {
    Sample(Receiver<Result<Made, Fault>>),
    Fault(Fault),
    EpochEnd,
}

struct Job {
    visit: Visit,
    answer: SyncSender<Result<Made, Fault>>,
}

/// Running threads; dropping it stops them.
pub(super) struct Pipeline {
    /// Nothing once it is being dropped: a closed queue ends the walk, and that the workers.
    order: Option<Receiver<(Slot, Place)>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pipeline {
    /// Starts `workers` threads and the one that walks `plan`.
    pub fn start(plan: Plan, maker: &Arc<Maker>, workers: usize, ahead: usize) -> io::Result<Self> {
        let (jobs, queue) = sync_channel(ahead);
        let (slots, order) = sync_channel(ahead);
        let queue = Arc::new(Mutex::new(queue));
        let mut pipeline = Self { order: Some(order), threads: Vec::new() };
        for i in 0..workers.max(1) {
            let (maker, queue) = (maker.clone(), queue.clone());
            let worker = Builder::new().name(format!("loader {i}"));
            pipeline.threads.push(worker.spawn(move || work(&maker, &queue))?);
        }
        let walker = Builder::new().name("loader order".to_owned());
        pipeline.threads.push(walker.spawn(move || walk(plan, &jobs, &slots))?);
        Ok(pipeline)
    }

    /// The next output; nothing when a thread is gone.
    pub fn next(&mut self) -> Option<(Output, Place)> {
        let (slot, place) = self.order.as_ref()?.recv().ok()?;
        let output = match slot {
            Slot::Sample(answer) => Output::Sample(answer.recv().ok()?),
            Slot::Fault(fault) => Output::Fault(fault),
            Slot::EpochEnd => Output::EpochEnd,
        };
        Some((output, place))
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.order = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

fn walk(mut plan: Plan, jobs: &SyncSender<Job>, slots: &SyncSender<(Slot, Place)>) {
    loop {
        let (event, place) = plan.next();
        let slot = match event {
            Event::Visit(visit) => {
                let (answer, answered) = sync_channel(1);
                if jobs.send(Job { visit, answer }).is_err() {
                    return;
                }
                Slot::Sample(answered)
            }
            Event::Fault(fault) => Slot::Fault(fault),
            Event::EpochEnd => Slot::EpochEnd,
        };
        if slots.send((slot, place)).is_err() {
            return;
        }
    }
}

fn work(maker: &Maker, queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { visit, answer }) = job else { return };
        // Nobody waits for it when the run has been stopped or moved.
        let _ = answer.send(maker.make(&visit));
    }
}
