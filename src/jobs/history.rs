//! What a job's events add up to, in bounded memory.

use std::collections::VecDeque;
use std::sync::Arc;

use clove_training::run_directory::{Line, RunEvent};

use super::curve::Curve;
use super::{Evaluation, MOST_WARNINGS, StepPoint};

/// Most scores kept of a job; a curve of every 100 steps over a million of them fits.
const MOST_EVALUATIONS: usize = 30_000;
/// Longest text kept of an event, in bytes.
const LONGEST_TEXT: usize = 2_000;

/// How the events end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// No worker ever wrote one.
    #[default]
    Unbegun,
    /// With something after which there should be more.
    Open,
    /// With `stopped`.
    Stopped,
    /// With `failed`.
    Failed,
}

/// Grows by one event at a time.
#[derive(Debug, Default)]
pub struct History {
    /// Loss and its like over steps.
    pub curve: Curve,
    /// Scores, in order of arrival.
    pub evaluations: Arc<Vec<Evaluation>>,
    /// Why the last worker gave up; nothing once another one started.
    pub failure: Option<String>,
    /// As the last worker named it.
    pub device: String,
    /// Finished steps.
    pub step: u64,
    /// Steps of the run, once a worker has said.
    pub steps: Option<u64>,
    /// As the worker estimated at its last step.
    pub seconds_left: Option<f64>,
    /// Process of the last worker.
    pub pid: Option<u32>,
    /// When it began, in Unix seconds.
    pub started_at: f64,
    /// What the last event that is no warning was.
    pub ending: Ending,
    warnings: VecDeque<String>,
    warnings_dropped: usize,
}

impl History {
    /// Takes the next line.
    pub fn apply(&mut self, line: Line) {
        let Line { time, event } = line;
        self.ending = match &event {
            RunEvent::Warning { .. } => self.ending,
            RunEvent::Stopped { .. } => Ending::Stopped,
            RunEvent::Failed { .. } => Ending::Failed,
            _ => Ending::Open,
        };
        match event {
            RunEvent::Started { step, steps, pid, device, .. } => {
                self.restart(step, steps, pid, device);
                self.started_at = time;
            }
            RunEvent::Step { step, loss, lr, negatives_share, pairs_per_s, memory_bytes, seconds_left, .. } => {
                self.curve.push(StepPoint { step, loss, lr, pairs_per_s, negatives_share, memory_bytes });
                self.step = step;
                self.seconds_left = Some(seconds_left).filter(|seconds| seconds.is_finite());
            }
            RunEvent::Evaluated { step, alpha, benchmark, task, metric, value, interval, scored, .. } => {
                self.evaluated(Evaluation { step, alpha, benchmark, task, metric, value, interval, scored });
            }
            RunEvent::Warning { message } => self.warn(message),
            RunEvent::Failed { message } => self.failure = Some(shortened(message)),
            RunEvent::Stopped { step } | RunEvent::Done { step, .. } => self.step = step,
            // What is on disk tells which checkpoints there are.
            RunEvent::Checkpoint { .. } => {}
        }
    }

    /// The newest warnings; the first entry counts what was dropped.
    pub fn warnings(&self) -> Arc<Vec<String>> {
        let n = self.warnings_dropped;
        let dropped = (n > 0).then(|| format!("{n} earlier warnings are in events.jsonl"));
        Arc::new(dropped.into_iter().chain(self.warnings.iter().cloned()).collect())
    }

    /// Seconds that one step takes, from the newest.
    pub fn seconds_per_step(&self, batch: usize) -> Option<f64> {
        let pairs_per_s = self.curve.last()?.pairs_per_s;
        (pairs_per_s > 0.0).then(|| batch as f64 / pairs_per_s)
    }

    /// A worker goes on from `step`: what the one before did beyond it is lost and will come again.
    fn restart(&mut self, step: u64, steps: u64, pid: u32, device: String) {
        self.curve.cut(step);
        if self.evaluations.iter().any(|evaluation| evaluation.step > step) {
            Arc::make_mut(&mut self.evaluations).retain(|evaluation| evaluation.step <= step);
        }
        (self.step, self.steps, self.pid, self.device) = (step, Some(steps), Some(pid), shortened(device));
        (self.failure, self.seconds_left) = (None, None);
    }

    /// A score that comes again replaces the one there was.
    fn evaluated(&mut self, mut new: Evaluation) {
        (new.benchmark, new.metric) = (shortened(new.benchmark), shortened(new.metric));
        let same = |old: &Evaluation| {
            (old.step, &old.benchmark, &old.task, &old.metric) == (new.step, &new.benchmark, &new.task, &new.metric)
                && old.alpha == new.alpha
        };
        let evaluations = Arc::make_mut(&mut self.evaluations);
        evaluations.retain(|old| !same(old));
        if evaluations.len() >= MOST_EVALUATIONS {
            evaluations.drain(..MOST_EVALUATIONS / 10);
        }
        evaluations.push(new);
    }

    fn warn(&mut self, message: String) {
        if self.warnings.len() == MOST_WARNINGS {
            self.warnings.pop_front();
            self.warnings_dropped += 1;
        }
        self.warnings.push_back(shortened(message));
    }
}

/// Cut to the length that is kept.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(history: &mut History, event: RunEvent) {
        history.apply(Line { time: 1.0, event });
    }

    fn started(step: u64) -> RunEvent {
        RunEvent::Started { step, steps: 100, pid: 7, device: "CPU".into(), samples: None, parameters: 10, trained: 10 }
    }

    fn stepped(step: u64) -> RunEvent {
        RunEvent::Step {
            step,
            loss: 1.0,
            lr: 1e-3,
            grad_norm: 1.0,
            logit_scale: 10.0,
            pairs_per_s: 8.0,
            negatives_share: 1.0,
            memory_bytes: None,
            seconds_left: 5.0,
        }
    }

    fn evaluated(step: u64, value: f64) -> RunEvent {
        RunEvent::Evaluated {
            step,
            alpha: 0.6,
            benchmark: "folder".into(),
            task: None,
            metric: "top1".into(),
            value,
            interval: [0.0, 100.0],
            correct: 1.0,
            scored: 2,
            skipped: 0,
            ties: 0,
        }
    }

    #[test]
    fn a_resumed_worker_takes_back_what_was_lost() {
        let mut history = History::default();
        tell(&mut history, started(0));
        (1..=8).for_each(|step| tell(&mut history, stepped(step)));
        tell(&mut history, evaluated(4, 10.0));
        tell(&mut history, evaluated(8, 20.0));
        tell(&mut history, RunEvent::Failed { message: "out of memory".into() });
        tell(&mut history, RunEvent::Warning { message: "late".into() });
        assert_eq!((history.step, history.failure.as_deref()), (8, Some("out of memory")));
        assert_eq!(history.ending, Ending::Failed);
        tell(&mut history, started(5));
        assert_eq!(history.ending, Ending::Open);
        assert_eq!((history.step, &history.failure, history.seconds_left), (5, &None, None));
        assert_eq!(history.curve.last().unwrap().step, 5);
        tell(&mut history, evaluated(4, 11.0));
        let values: Vec<f64> = history.evaluations.iter().map(|evaluation| evaluation.value).collect();
        assert_eq!(values, [11.0]);
        assert_eq!(history.seconds_per_step(16), Some(2.0));
    }

    #[test]
    fn warnings_are_bounded_and_the_rest_is_counted() {
        let mut history = History::default();
        for n in 0..MOST_WARNINGS + 5 {
            tell(&mut history, RunEvent::Warning { message: format!("{n} {}", "ä".repeat(3_000)) });
        }
        let warnings = history.warnings();
        assert_eq!(
            (warnings.len(), warnings[0].as_str()),
            (MOST_WARNINGS + 1, "5 earlier warnings are in events.jsonl")
        );
        assert!(warnings[1].starts_with("5 ") && warnings[1].len() <= LONGEST_TEXT + 3);
    }
}
