//! The list on the left, the chosen job on the right.

use eframe::egui::{self, Button, Label, Rect, RichText, Ui, UiBuilder, pos2};

use super::details::details_ui;
use super::list::list_ui;
use super::state::JobsState;
use crate::jobs::JobsCommand;
use crate::session::{PRESETS, Session};
use crate::ui::ask::{Ask, JobAsk};
use crate::ui::look;

/// Shows the panel.
pub fn jobs_panel_ui(ui: &mut Ui, session: &Session, state: &mut JobsState, asks: &mut Vec<Ask>) {
    if session.jobs.list.is_empty() {
        empty_ui(ui, session, state, asks);
        return;
    }
    undo_ui(ui, session, asks);
    let room = ui.available_rect_before_wrap();
    let width = (room.width() * 0.36).clamp(190.0, 300.0);
    let middle = room.left() + width;
    let left = Rect::from_min_max(room.min, pos2(middle, room.bottom()));
    let right = Rect::from_min_max(pos2(middle + 12.0, room.top()), room.max);
    ui.painter().vline(middle + 5.0, room.y_range(), egui::Stroke::new(1.0, look::hairline(ui.visuals())));
    ui.scope_builder(UiBuilder::new().max_rect(left).id_salt("jobs list"), |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
            start_ui(ui, asks);
        });
        list_ui(ui, session, state);
    });
    ui.scope_builder(UiBuilder::new().max_rect(right).id_salt("job"), |ui| details_ui(ui, session, state, asks));
}

/// What starts a job.
fn start_ui(ui: &mut Ui, asks: &mut Vec<Ask>) {
    let hover = format!("{}. The slider stays live meanwhile", PRESETS[0].about);
    if ui.button("Fine-tune the demo").on_hover_text(hover).clicked() {
        match PRESETS[0].recipe() {
            Ok(recipe) => asks.push(Ask::Job(JobAsk::Start { recipe: Box::new(recipe), open_when_done: true })),
            Err(error) => asks.push(Ask::Complain(error.to_string())),
        }
    }
    let hover = "Choose a recipe, change it, check it, start it";
    if ui.button("Fine-tune…").on_hover_text(hover).clicked() {
        asks.push(Ask::Job(JobAsk::Form(None)));
    }
}

/// The runs folder; a click copies its path.
pub(super) fn runs_ui(ui: &mut Ui, state: &JobsState) {
    let path = state.runs.display().to_string();
    let hover = format!("{path}\nEvery job is a folder in it; clove jobs shows the same list. Click to copy the path");
    let text = RichText::new(&path).small().weak();
    let copy = ui.add(Button::new(text).frame(false).truncate());
    copy.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Copy the path of the runs folder"));
    if copy.on_hover_text(hover).clicked() {
        ui.ctx().copy_text(path);
    }
}

fn undo_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    let gone = session.jobs.removed.as_ref().filter(|(id, _)| session.jobs.get(id).is_none());
    let Some((id, name)) = gone else { return };
    ui.horizontal(|ui| {
        ui.add(Label::new(look::label(format!("{name} was moved to .removed in the runs folder"))).truncate());
        if ui.small_button("Undo").on_hover_text("Bring it back").clicked() {
            asks.push(Ask::Job(JobAsk::Send(JobsCommand::Restore(id.clone()))));
        }
    });
}

fn empty_ui(ui: &mut Ui, session: &Session, state: &JobsState, asks: &mut Vec<Ask>) {
    undo_ui(ui, session, asks);
    if !session.jobs.known {
        ui.label(look::label("Looking for fine-tunes…"));
        return;
    }
    ui.add_space(look::STEP);
    ui.label(RichText::new("No fine-tune yet").strong());
    ui.add(
        Label::new(look::label(
            "A fine-tune teaches a checkpoint to tell captions from their hard negatives. It runs in a process of its \
             own: the slider stays live, and the run goes on when this window closes",
        ))
        .wrap(),
    );
    ui.add_space(look::STEP);
    ui.horizontal(|ui| start_ui(ui, asks));
    ui.add_space(look::STEP);
    ui.horizontal(|ui| {
        ui.label(look::label("Runs are kept in"));
        runs_ui(ui, state);
    });
}
