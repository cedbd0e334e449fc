//! One job: its figures, what can be done with it, and its parts.

use clove_training::Recipe;
use clove_training::recipe::FIELDS;
use eframe::egui::{self, Align, Grid, Label, Layout, RichText, ScrollArea, Ui, vec2};

use super::buttons::buttons_ui;
use super::checkpoints::checkpoints_ui;
use super::curves::curves_ui;
use super::list::sentence;
use super::log::log_ui;
use super::scores::scores_ui;
use super::state::{JobsState, Part};
use crate::jobs::{JobState, JobView};
use crate::session::Session;
use crate::ui::ask::{Ask, JobAsk};
use crate::ui::look::{self, words};

/// Shows the chosen job.
pub fn details_ui(ui: &mut Ui, session: &Session, state: &mut JobsState, asks: &mut Vec<Ask>) {
    let Some(job) = state.chosen(&session.jobs) else { return };
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            buttons_ui(ui, session, job, asks);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(&job.recipe.name).strong()).truncate())
                    .on_hover_text(job.folder.display().to_string());
            });
        });
    });
    figures_ui(ui, session, job, asks);
    if let Some(failure) = &job.failure {
        let text = RichText::new(failure).color(ui.visuals().error_fg_color);
        ui.add(Label::new(text).truncate()).on_hover_text(failure);
    }
    parts_ui(ui, job, state);
    match state.part {
        Part::Curves => curves_ui(ui, session, state),
        Part::Scores => scores_ui(ui, job),
        Part::Checkpoints => checkpoints_ui(ui, session, job, asks),
        Part::Log => log_ui(ui, job),
        Part::Recipe => recipe_ui(ui, &job.recipe, asks),
    }
}

/// How far it is, and what it did last; beside it, what happens at its end.
fn figures_ui(ui: &mut Ui, session: &Session, job: &JobView, asks: &mut Vec<Ask>) {
    let mut facts = vec![sentence(job)];
    if let Some(point) = job.points.last() {
        facts.push(format!("loss {:.3}", point.loss));
        if job.state.is_live() {
            facts.push(format!("{} pairs/s", words::count(point.pairs_per_s.round() as usize)));
        }
    }
    if !job.device.is_empty() {
        facts.push(job.device.clone());
    }
    let facts = facts.join(" · ");
    let row = vec2(ui.available_width(), 20.0);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        if job.state.is_live() || job.state == JobState::Queued {
            let mut open = session.jobs.opens_when_done(&job.id);
            let hover = "When it is done, its weights become tuned and the sweep starts; the curve of the pair before \
                         stays beside the new one";
            if ui.checkbox(&mut open, RichText::new("Open when done").small()).on_hover_text(hover).changed() {
                asks.push(Ask::Job(JobAsk::OpenWhenDone(job.id.clone(), open)));
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add(Label::new(look::digits(&facts).small()).truncate()).on_hover_text(&facts);
        });
    });
}

fn parts_ui(ui: &mut Ui, job: &JobView, state: &mut JobsState) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(1.0, 2.0);
        ui.spacing_mut().button_padding = vec2(5.0, 1.0);
        ui.spacing_mut().interact_size.y = 20.0;
        let counted = |text: &str, n: usize| if n == 0 { text.to_owned() } else { format!("{text} {n}") };
        for (part, text, hover) in [
            (Part::Curves, "Curves".to_owned(), "Loss, learning rate, speed, negatives and memory over the steps"),
            (Part::Scores, "Scores".to_owned(), "The patched curve on small benchmarks, measured during the run"),
            (Part::Checkpoints, counted("Checkpoints", job.checkpoints.len()), "What can be opened as tuned"),
            (Part::Log, counted("Log", job.warnings.len()), "Warnings and the end of the log"),
            (Part::Recipe, "Recipe".to_owned(), "The settings, frozen when the job was queued"),
        ] {
            let response = ui.selectable_label(state.part == part, RichText::new(text).small());
            if response.on_hover_text(hover).clicked() {
                state.part = part;
            }
        }
    });
}

/// The frozen recipe, and the way to another one like it.
fn recipe_ui(ui: &mut Ui, recipe: &Recipe, asks: &mut Vec<Ask>) {
    let hover = "Opens the form with these settings";
    if ui.small_button("Fine-tune with this recipe…").on_hover_text(hover).clicked() {
        asks.push(Ask::Job(JobAsk::Form(Some(Box::new(recipe.clone())))));
    }
    ScrollArea::vertical().id_salt("recipe").auto_shrink([false, false]).show(ui, |ui| {
        Grid::new("recipe").num_columns(2).spacing([16.0, 2.0]).striped(true).show(ui, |ui| {
            for field in FIELDS {
                let Some(value) = recipe.get(field.key) else { continue };
                ui.label(look::label(field.label)).on_hover_text(field.doc);
                let text = match value.as_str() {
                    Some(text) => text.to_owned(),
                    None => value.to_string(),
                };
                let text = format!("{text} {}", field.unit);
                ui.add(Label::new(look::digits(text).small()).wrap_mode(egui::TextWrapMode::Truncate));
                ui.end_row();
            }
        });
    });
}
