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

    /// The dialog asked about a file that is there, unless its name was typed without its ending.
    pub(super) fn export(&mut self, kind: Kind, path: PathBuf) {
        let Some(view) = self.export_view.take() else { return };
        let replace = Kind::of(&path) == Some(kind);
        let path = if replace { path } else { format!("{}.{}", path.display(), kind.extension()).into() };
        self.link.send(Command::Export(Box::new(Export { path, kind, view: *view, replace })));
    }
}
