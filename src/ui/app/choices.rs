//! What a person chooses in a file dialog, or types where none can be opened.

use std::path::PathBuf;

use eframe::egui::Context;

use super::App;
use crate::engine::{Command, Failure};
use crate::jobs::JobsCommand;
use crate::session::Gravity;
use crate::ui::chooser::{Answer, Choice};
use crate::ui::typed_path::TypedPath;

impl App {
    pub(super) fn choose(&mut self, ctx: &Context, choice: Choice) {
        self.typed_path = None;
        if let Err(e) = self.chooser.ask(choice, ctx) {
            let failure = Failure { details: e.to_string(), ..Failure::new("Cannot open a file dialog") };
            self.session.notices.push(Gravity::Warning, failure);
            self.typed_path = Some(TypedPath::new(choice));
        }
    }

    pub(super) fn take_choice(&mut self) {
        match self.chooser.answer() {
            Some(Answer::Chosen(choice, path)) => self.take(choice, path, true),
            Some(Answer::NoDialog(choice)) => self.typed_path = Some(TypedPath::new(choice)),
            None => {}
        }
    }

    /// `by_dialog`: one of the system's, which asks before it gives the name of a file that is there.
    pub(super) fn take(&mut self, choice: Choice, path: PathBuf, by_dialog: bool) {
        match choice {
            Choice::Checkpoint(end) => self.take_end(end, path),
            Choice::Data => self.link.send(Command::OpenData { folder: Some(path) }),
            Choice::Recipe => self.jobs_link.send(JobsCommand::ReadRecipe(path)),
            Choice::FieldFile(key) | Choice::FieldFolder(key) => self.form.choose(key, &path),
            Choice::Export(kind) => self.export(kind, path, by_dialog),
        }
    }
}
