//! Which checkpoints are base and tuned, and asking for them.

use std::path::PathBuf;

use super::App;
use crate::engine::{Command, End};

impl App {
    /// What the command line names; without, the embedded pair.
    pub(super) fn name_ends(&mut self, base: Option<PathBuf>, tuned: Option<PathBuf>) {
        if base.is_none() && tuned.is_none() {
            self.name_end(End::Base, "demo:base".into());
            self.name_end(End::Tuned, "demo:tuned".into());
        }
        for (end, path) in [(End::Base, base), (End::Tuned, tuned)] {
            if let Some(path) = path {
                self.name_end(end, path);
            }
        }
    }

    pub(super) fn take_end(&mut self, end: End, path: PathBuf) {
        self.name_end(end, path);
        self.open_pair();
    }

    /// Another file: what was chosen for the one before does not hold for it.
    fn name_end(&mut self, end: End, path: PathBuf) {
        let place = end.place();
        let is_demo = path.starts_with("demo:base") || path.starts_with("demo:tuned");
        self.models.paths[place] = if is_demo { String::new() } else { path.display().to_string() };
        if self.ends[place].as_ref() != Some(&path) {
            self.models.activations[place] = None;
        }
        self.ends[place] = Some(path);
    }

    pub(super) fn open_both(&mut self, base: PathBuf, tuned: PathBuf) {
        self.name_end(End::Base, base);
        self.take_end(End::Tuned, tuned);
    }

    /// A download is there: the pair is opened, unless its end has got another name meanwhile.
    pub(super) fn take_fetched(&mut self, end: End, name: &str) {
        if self.ends[end.place()].as_ref().is_some_and(|path| path.as_os_str() == name) {
            self.open_pair();
        }
    }

    pub(super) fn open_pair(&mut self) {
        if let [Some(base), Some(tuned)] = &self.ends {
            self.link.send(Command::UseActivations(self.models.activations));
            self.link.send(Command::OpenPair { base: base.clone(), tuned: tuned.clone() });
        }
    }
}
