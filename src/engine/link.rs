//! The window's end of the engine: a place to put commands and a place to take events from. Neither waits.

use std::sync::mpsc::Receiver;

use super::{Command, Event};

/// Connects a window with an engine, or with a script that plays one in tests.
pub struct Link {
    send: Box<dyn Fn(Command) + Send>,
    events: Receiver<Event>,
}

impl Link {
    /// `send` must return at once.
    pub fn new(send: impl Fn(Command) + Send + 'static, events: Receiver<Event>) -> Self {
        Self { send: Box::new(send), events }
    }

    /// Asks the engine for something; returns at once.
    pub fn send(&self, command: Command) {
        (self.send)(command);
    }

    /// The events that have arrived, oldest first, without waiting.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        self.events.try_iter()
    }
}
