//! What a run said: its warnings, the end of its log, and where its folder is.

use eframe::egui::{Label, RichText, ScrollArea, Sense, Ui, vec2};

use crate::jobs::JobView;
use crate::ui::look::{self, words};

/// Warnings shown at a time.
const SHOWN: usize = 2;

/// Shows warnings above the log.
pub fn log_ui(ui: &mut Ui, job: &JobView) {
    ui.horizontal(|ui| {
        if ui.small_button("Copy log").on_hover_text("Warnings, then the end of the log").clicked() {
            ui.ctx().copy_text(format!("{}\n{}", job.warnings.join("\n"), job.log_tail));
        }
        let path = job.folder.display().to_string();
        if ui.small_button("Copy folder path").on_hover_text(&path).clicked() {
            ui.ctx().copy_text(path.clone());
        }
        ui.add(Label::new(look::label(&path)).truncate());
    });
    warnings_ui(ui, job);
    ScrollArea::both().id_salt("log").auto_shrink([false, false]).stick_to_bottom(true).show(ui, |ui| {
        if job.log_tail.is_empty() {
            ui.label(look::label("The log is empty"));
            return;
        }
        ui.add(Label::new(look::digits(&*job.log_tail).small()).extend());
    });
}

/// The newest warnings; the rest is a hover away.
fn warnings_ui(ui: &mut Ui, job: &JobView) {
    let older = job.warnings.len().saturating_sub(SHOWN);
    for warning in job.warnings.iter().skip(older) {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            look::caution_mark(ui.painter(), rect.center(), 5.0, ui.visuals().warn_fg_color);
            let text = RichText::new(warning).small().color(ui.visuals().warn_fg_color);
            ui.add(Label::new(text).truncate()).on_hover_text(warning);
        });
    }
    if older > 0 {
        let text = format!("and {} before; Copy log takes all", words::plural(older, "warning"));
        ui.label(look::label(text)).on_hover_ui(|ui| {
            for warning in job.warnings.iter().take(older).rev().take(12) {
                ui.label(warning);
            }
        });
    }
}
