//! The window's end of the jobs: a place to put commands and a place to take events from. Neither waits.

use std::sync::mpsc::Receiver;

use super::{JobsCommand, JobsEvent};

/// Connects a window with the jobs, or with a script that plays them in tests.
pub struct Link {
    send: Box<dyn Fn(JobsCommand) + Send>,
    events: Receiver<JobsEvent>,
}

impl Link {
    /// `send` must return at once.
    pub fn new(send: impl Fn(JobsCommand) + Send + 'static, events: Receiver<JobsEvent>) -> Self {
        Self { send: Box::new(send), events }
    }

    /// Asks for something; returns at once.
    pub fn send(&self, command: JobsCommand) {
        (self.send)(command);
    }

    /// The events that have arrived, oldest first, without waiting.
    pub fn events(&self) -> impl Iterator<Item = JobsEvent> + '_ {
        self.events.try_iter()
    }
}
