//! Stopping on request: the first Ctrl-C (or a cluster's SIGTERM) asks, a second one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What was asked for ended because somebody asked it to, with everything saved.
#[derive(Debug, thiserror::Error)]
#[error("stopped; what is done is saved, and the same command goes on from there (train: with --resume)")]
pub struct Stopped;

/// Whether somebody has asked.
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on signals ask instead of ending the process.
    pub fn on_signals() -> anyhow::Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::flag::{register, register_conditional_default};
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order, so that the first signal finds the flag down.
            register_conditional_default(signal, Arc::clone(&asked))?;
            register(signal, Arc::clone(&asked))?;
        }
        Ok(Self(asked))
    }

    /// Signals keep their meaning: there is nothing to save.
    pub fn never() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// Whether to stop.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
