//! What a run said: its warnings, the end of its log, and where its folder is.

use eframe::egui::{Label, RichText, ScrollArea, Sense, Ui, vec2};

use crate::jobs::JobView;
use crate::ui::look;

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
    ScrollArea::both().id_salt("log").auto_shrink([false, false]).stick_to_bottom(true).show(ui, |ui| {
        for warning in job.warnings.iter() {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
                look::caution_mark(ui.painter(), rect.center(), 5.0, ui.visuals().warn_fg_color);
                ui.label(RichText::new(warning).small().color(ui.visuals().warn_fg_color));
            });
        }
        if job.log_tail.is_empty() {
            if job.warnings.is_empty() {
                ui.label(look::label("Nothing was written yet"));
            }
            return;
        }
        ui.add(Label::new(look::digits(&*job.log_tail).small()).extend());
    });
}
