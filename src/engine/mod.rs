//! One named thread that owns the device: [`Command`] in, [`Event`] out.

mod command;
mod describe;
mod downloads;
mod event;
mod export;
mod focus;
mod found;
mod inbox;
mod link;
mod negatives;
mod open;
mod pictures;
mod preview;
mod pulse;
mod snapshot;
mod sweep;
#[cfg(test)]
mod tests;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

pub use command::{Command, End, ExampleId, Export, ImageId};
pub use event::{
    BenchmarkInfo, CheckpointInfo, DataInfo, Event, ExampleInfo, Failure, FetchProgress, FocusScore, FoundInfo,
    OptionScore, PairInfo, Picture, Remedy, Scores, Status, SweepProgress,
};
pub use link::Link;
pub use preview::{Draw, Element, NegativeInfo, NegativesPreview};

use crate::checkpoint::Options;
use crate::device::{self, DeviceChoice};
use crate::evaluate::warm_tokenizer;
use downloads::Downloads;
use inbox::Inbox;
use negatives::Negatives;
use pictures::Pictures;
use worker::Worker;

/// Where events leave: a channel, and a call that wakes the window.
#[derive(Clone)]
struct Outbox {
    events: Sender<Event>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Outbox {
    fn send(&self, event: Event) {
        // The window may be gone already; nobody is left to be told then.
        if self.events.send(event).is_ok() {
            (self.wake)();
        }
    }

    fn fail(&self, summary: String) {
        self.send(Event::Failed(Failure::new(summary)));
    }
}

/// Starts the engine: one thread that owns the device, one that loads pictures, one that writes negatives, and one per
/// download that was asked for. `wake` is called after each event.
/// A system that has no thread to give is told as [`Event::Failed`].
pub fn start(choice: DeviceChoice, options: Options, wake: Arc<dyn Fn() + Send + Sync>) -> Link {
    let (events, received) = channel();
    let outbox = Outbox { events, wake };
    let (inbox, pictures) = (Arc::new(Inbox::default()), Arc::new(Pictures::default()));
    let negatives = Arc::new(Negatives::default());
    spawn("clove-pictures", &outbox, {
        let (pictures, outbox) = (Arc::clone(&pictures), outbox.clone());
        move || pictures.serve(&outbox)
    });
    spawn("clove-negatives", &outbox, {
        let (negatives, outbox) = (Arc::clone(&negatives), outbox.clone());
        move || negatives.serve(&outbox)
    });
    let downloads = Downloads::new(outbox.clone(), None);
    spawn("clove-engine", &outbox, {
        let (inbox, outbox) = (Arc::clone(&inbox), outbox.clone());
        let aside = (Arc::clone(&pictures), Arc::clone(&negatives));
        move || match device::open(choice).inspect(|_| warm_tokenizer()) {
            Ok(device) => {
                let name = device::describe(&device);
                Worker::new((device, name), inbox, aside, outbox, options).run();
            }
            Err(error) => outbox.fail(error.to_string()),
        }
    });
    let send = move |command| {
        let rest = pictures.put(command).and_then(|command| negatives.put(command));
        if let Some(command) = rest.and_then(|command| downloads.put(command)) {
            inbox.put(command);
        }
    };
    Link::new(send, received)
}

/// A named thread whose panic, should a dependency have one, reaches the window as a sentence.
fn spawn(name: &'static str, outbox: &Outbox, work: impl FnOnce() + Send + 'static) {
    let told = outbox.clone();
    let guarded = move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            let cause = panic.downcast_ref::<String>().cloned();
            let cause = cause.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
            told.fail(format!("the thread {name} stopped unexpectedly; restart clove and report this: {cause}"));
        }
    };
    if let Err(error) = std::thread::Builder::new().name(name.into()).spawn(guarded) {
        outbox.fail(format!("the thread {name} cannot be started; close other programs and try again: {error}"));
    }
}
