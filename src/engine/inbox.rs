//! Where commands wait. Slots for what the newest request replaces, a queue for the rest.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Command, ExampleId};
use crate::patch::AlphaMap;

/// What the engine finds when it looks: at most one alpha and one focus, and the queued commands in order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mail {
    pub queue: VecDeque<Command>,
    pub alpha: Option<AlphaMap>,
    #[expect(clippy::option_option, reason = "the outer one says whether a wish arrived, the inner one what it is")]
    pub focus: Option<Option<ExampleId>>,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.alpha.is_none() && self.focus.is_none()
    }
}

/// Filled by the window, which never waits for more than the lock's few instructions.
#[derive(Default)]
pub(super) struct Inbox {
    mail: Mutex<Mail>,
    arrived: Condvar,
}

impl Inbox {
    pub fn put(&self, command: Command) {
        let mut mail = self.lock();
        match command {
            Command::SetAlpha(alpha) => mail.alpha = Some(alpha),
            Command::Focus(focus) => mail.focus = Some(focus),
            // What was asked about an earlier pair or data has no meaning for the next.
            Command::OpenPair { .. } | Command::OpenData { .. } => {
                mail.focus = None;
                mail.queue.push_back(command);
            }
            other => mail.queue.push_back(other),
        }
        self.arrived.notify_one();
    }

    /// Takes everything; waits for something when `wait` is set.
    pub fn take(&self, wait: bool) -> Mail {
        let mut mail = self.lock();
        while wait && mail.is_empty() {
            mail = self.arrived.wait(mail).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut mail)
    }

    // A thread that panicked while it held the lock left plain data behind.
    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::Alpha;

    #[test]
    fn the_newest_alpha_and_focus_win_and_the_rest_keeps_its_order() {
        let inbox = Inbox::default();
        for value in [0.1, 0.2, 0.3] {
            inbox.put(Command::SetAlpha(AlphaMap::one(Alpha::clamped(value))));
        }
        inbox.put(Command::Focus(Some(ExampleId { benchmark: 0, example: 1 })));
        inbox.put(Command::Focus(None));
        inbox.put(Command::RunSweep(false));
        inbox.put(Command::RunSweep(true));
        let mail = inbox.take(true);
        assert_eq!(mail.alpha, Some(AlphaMap::one(Alpha::clamped(0.3))));
        assert_eq!(mail.focus, Some(None));
        assert_eq!(mail.queue, [Command::RunSweep(false), Command::RunSweep(true)]);
        assert_eq!(inbox.take(false), Mail::default());
    }
}
