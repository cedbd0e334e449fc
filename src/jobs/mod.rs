//! Fine-tunes as seen from outside: the queue, run directories, checks before a launch, launchers.
//!
//! A job is a run directory; whoever runs it writes there, whoever watches reads there.

mod view;

pub use view::{
    CheckItem, CheckReport, CheckpointView, Evaluation, JobId, JobState, JobView, JobsCommand, JobsEvent, LOG_BYTES,
    MOST_POINTS, MOST_WARNINGS, StepPoint, TrialReport, Verdict,
};
