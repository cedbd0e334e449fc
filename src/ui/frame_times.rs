//! How long drawing takes: the probe behind "a drag never stutters".

use std::collections::VecDeque;
use std::time::Duration;

/// Frames that are remembered one by one.
const KEPT: usize = 240;

/// Durations of the latest `ui` calls.
#[derive(Clone, Debug, Default)]
pub struct FrameTimes {
    last: VecDeque<Duration>,
}

impl FrameTimes {
    /// Adds one frame.
    pub fn push(&mut self, took: Duration) {
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(took);
    }

    /// Forgets all frames, so that a measurement starts here.
    pub fn reset(&mut self) {
        self.last.clear();
    }

    /// Remembered frames, oldest first; at most 240.
    pub fn last(&self) -> impl Iterator<Item = Duration> + '_ {
        self.last.iter().copied()
    }

    /// The longest remembered frame.
    pub fn max(&self) -> Duration {
        self.last.iter().max().copied().unwrap_or_default()
    }

    /// The mean over the remembered frames.
    pub fn mean(&self) -> Duration {
        let count = u32::try_from(self.last.len()).unwrap_or(1).max(1);
        self.last.iter().sum::<Duration>() / count
    }
}
