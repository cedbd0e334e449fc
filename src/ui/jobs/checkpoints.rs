//! What a run has saved, each ready to be opened, even while the run goes on.

use std::path::Path;

use eframe::egui::{self, Align, Button, Label, Layout, RichText, ScrollArea, Ui, WidgetInfo};

use crate::jobs::JobView;
use crate::session::Session;
use crate::ui::ask::{Ask, JobAsk};
use crate::ui::look::{self, words};

/// Shows the list, newest first.
pub fn checkpoints_ui(ui: &mut Ui, session: &Session, job: &JobView, asks: &mut Vec<Ask>) {
    if job.checkpoints.is_empty() && job.weights.is_none() {
        let every = words::count(job.recipe.checkpoint_every as usize);
        let text = format!("None yet: one is saved every {every} steps, and at once with Save now");
        ui.add(Label::new(look::label(text)).wrap());
        return;
    }
    ScrollArea::vertical().id_salt("checkpoints").auto_shrink([false, false]).show(ui, |ui| {
        if let Some(weights) = &job.weights {
            row_ui(ui, session, job, ("Result".to_owned(), "the result", None), weights, asks);
        }
        for checkpoint in job.checkpoints.iter().rev() {
            let step = words::count(checkpoint.step as usize);
            let said = format!("step {step}");
            let title = (format!("Step {step}"), said.as_str(), Some(checkpoint.bytes));
            row_ui(ui, session, job, title, &checkpoint.path, asks);
        }
    });
}

fn row_ui(
    ui: &mut Ui,
    session: &Session,
    job: &JobView,
    (title, said, bytes): (String, &str, Option<u64>),
    path: &Path,
    asks: &mut Vec<Ask>,
) {
    let is_open = session.pair.as_ref().is_some_and(|pair| pair.tuned.path == path);
    ui.horizontal(|ui| {
        ui.set_min_height(look::ROW);
        ui.label(if is_open { RichText::new(title).strong() } else { RichText::new(title) });
        if let Some(bytes) = bytes {
            ui.label(look::digits(words::bytes(bytes)).small().weak());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = path.display().to_string();
            let copy = ui.add(Button::new(look::label("Copy path")).small());
            let name = format!("Copy the path of {said}");
            copy.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &name));
            if copy.on_hover_text(&text).clicked() {
                ui.ctx().copy_text(text);
            }
            let button = ui.add_enabled(!is_open, Button::new("Use as tuned").small());
            let name = format!("Use {said} as tuned");
            button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, !is_open, &name));
            let hover = "Patch it with the checkpoint that this job started from; the sweep starts at once";
            if button.on_hover_text(hover).on_disabled_hover_text("This is tuned now").clicked() {
                asks.push(Ask::Job(JobAsk::Use { base: job.recipe.base.clone().into(), tuned: path.to_owned() }));
            }
        });
    });
}
