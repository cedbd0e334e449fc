//! The lines of `events.jsonl`.

use serde::{Deserialize, Serialize};

/// One line: an event and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds since 1970, UTC.
    pub time: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: RunEvent,
}

/// What a worker tells. `step` counts finished steps: after the first step it is 1.
///
/// A run that was resumed has a second [`Started`](Self::Started), at the step of its checkpoint; what the lines before
/// it say of later steps is superseded by the lines after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// A worker began, or went on.
    Started {
        /// Steps done before.
        step: u64,
        /// Steps of the whole run.
        steps: u64,
        /// The worker's process.
        pid: u32,
        /// As people call it.
        device: String,
        /// Samples of the data, where known.
        samples: Option<u64>,
        /// Numbers in all parameters.
        parameters: u64,
        /// Numbers in the parameters that are trained.
        trained: u64,
    },
    /// A step was taken.
    Step {
        /// Steps done.
        step: u64,
        /// Loss of the batch before the step, in nats.
        loss: f64,
        /// Learning rate.
        lr: f64,
        /// Global norm of the gradient before clipping.
        grad_norm: f64,
        /// Natural logarithm of the logit scale after the step.
        logit_scale: f64,
        /// Image–caption pairs per second, the wait for data included.
        pairs_per_s: f64,
        /// Share of the batch's captions that have a hard negative, from 0 to 1.
        negatives_share: f64,
        /// Memory of the process, resident, where the system tells.
        memory_bytes: Option<u64>,
        /// Estimate to the end of the run.
        seconds_left: f64,
    },
    /// One score of a patch of base and the weights at this step.
    Evaluated {
        /// Steps done.
        step: u64,
        /// The patch: 0 is base, 1 the weights at this step.
        alpha: f64,
        /// As `--benchmark` names it.
        benchmark: String,
        /// As the published files name it.
        task: Option<String>,
        /// `accuracy`, `top1`, …
        metric: String,
        /// In percent.
        value: f64,
        /// 95 % interval, in percent.
        interval: [f64; 2],
        /// Right ones; a tie may count half.
        correct: f64,
        /// Examples judged.
        scored: u64,
        /// Examples left out.
        skipped: u64,
        /// Examples decided by the rule of ties.
        ties: u64,
    },
    /// A checkpoint is on the disk, whole.
    Checkpoint {
        /// Steps done.
        step: u64,
        /// Below the run directory.
        path: String,
        /// Size.
        bytes: u64,
    },
    /// Something to know that stops nothing, such as a broken sample.
    Warning {
        /// One sentence.
        message: String,
    },
    /// The worker gave up.
    Failed {
        /// One sentence: what, and what to do.
        message: String,
    },
    /// The worker was asked to stop and has saved.
    Stopped {
        /// Steps done.
        step: u64,
    },
    /// The run is complete.
    Done {
        /// Steps done.
        step: u64,
        /// Time of work, over all workers of the run.
        seconds: f64,
    },
}

impl RunEvent {
    /// Steps done, of the events that say it.
    pub fn step(&self) -> Option<u64> {
        match self {
            Self::Started { step, .. }
            | Self::Step { step, .. }
            | Self::Evaluated { step, .. }
            | Self::Checkpoint { step, .. }
            | Self::Stopped { step }
            | Self::Done { step, .. } => Some(*step),
            Self::Warning { .. } | Self::Failed { .. } => None,
        }
    }
}

/// The lines of a whole file without what a later [`RunEvent::Started`] supersedes.
pub fn without_superseded(lines: impl IntoIterator<Item = Line>) -> Vec<Line> {
    let mut kept: Vec<Line> = Vec::new();
    for line in lines {
        if let RunEvent::Started { step: resumed, .. } = line.event {
            let holds = |event: &RunEvent| match event {
                RunEvent::Step { step, .. } | RunEvent::Evaluated { step, .. } | RunEvent::Checkpoint { step, .. } => {
                    *step <= resumed
                }
                _ => true,
            };
            kept.retain(|line| holds(&line.event));
        }
        kept.push(line);
    }
    kept
}

/// Whole lines of `bytes`, and the number of bytes they take. What is no event of ours (a newer version's, or what a
/// crash tore) is passed over; what follows the last line break is left for later.
pub(super) fn parse(bytes: &[u8]) -> (Vec<Line>, usize) {
    let taken = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let lines = bytes.get(..taken).unwrap_or_default().split(|byte| *byte == b'\n');
    (lines.filter_map(|line| serde_json::from_slice(line).ok()).collect(), taken)
}
