//! Files dropped on the window.

use std::path::PathBuf;

use eframe::egui::Context;

use super::App;
use crate::ui::models_panel;

impl App {
    /// Two files at once are base and tuned; one goes to the card under the pointer.
    pub(super) fn take_dropped(&mut self, ctx: &Context) {
        let (paths, pointer) = ctx.input(|input| {
            let paths: Vec<PathBuf> = input.raw.dropped_files.iter().map(|f| f.path().to_path_buf()).collect();
            (paths, input.pointer.latest_pos())
        });
        match &paths[..] {
            [] => {}
            [path] => {
                let end = models_panel::dropped_on(&self.models, pointer, &self.session);
                self.take_end(end, path.clone());
            }
            [base, tuned, ..] => self.open_both(base.clone(), tuned.clone()),
        }
    }
}
