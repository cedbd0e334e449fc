//! From the wish for an export to the command.

use std::path::PathBuf;

use eframe::egui::Context;

use super::App;
use crate::engine::{Command, Export};
use crate::report::{Kind, View};
use crate::ui::chooser::Choice;

impl App {
    pub(super) fn choose_export(&mut self, ctx: &Context, kind: Kind, view: Box<View>) {
        self.export_view = Some(view);
        self.choose(ctx, Choice::Export(kind));
    }

    /// A dialog asked about a file that is there, unless its name was typed without its ending.
    pub(super) fn export(&mut self, kind: Kind, path: PathBuf, by_dialog: bool) {
        let Some(view) = self.export_view.take() else { return };
        let is_whole = Kind::of(&path) == Some(kind);
        let replace = is_whole && by_dialog;
        let path = if is_whole { path } else { format!("{}.{}", path.display(), kind.extension()).into() };
        self.link.send(Command::Export(Box::new(Export { path, kind, view: *view, replace })));
    }
}
