//! One named thread that owns the device: [`Command`] in, [`Event`] out.

mod command;
mod event;
mod link;

pub use command::{Command, End, ExampleId, ImageId};
pub use event::{
    BenchmarkInfo, CheckpointInfo, DataInfo, Event, ExampleInfo, Failure, FocusScore, OptionScore, PairInfo, Picture,
    Scores, Status, SweepProgress,
};
pub use link::Link;
