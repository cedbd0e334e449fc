//! What can be done with a job, in the state in which it is.

use eframe::egui::{self, Button, Ui, WidgetInfo};

use crate::jobs::{JobState, JobView, JobsCommand};
use crate::session::Session;
use crate::ui::ask::{Ask, JobAsk};

/// Shows the buttons.
pub fn buttons_ui(ui: &mut Ui, session: &Session, job: &JobView, asks: &mut Vec<Ask>) {
    let id = || job.id.clone();
    match job.state {
        JobState::Queued => queued_ui(ui, session, job, asks),
        JobState::Running => {
            let hover = "Saves, then ends; it can be resumed";
            command_ui(ui, "Stop", hover, JobsCommand::Stop(id()), asks);
            command_ui(ui, "Save now", "Writes a checkpoint and goes on", JobsCommand::Save(id()), asks);
        }
        JobState::Stopping => {
            ui.add_enabled(false, Button::new("Stopping…")).on_disabled_hover_text("Saves, then ends");
        }
        JobState::Interrupted | JobState::Stopped | JobState::Failed => {
            let hover = "Back into the queue, to go on from its last checkpoint";
            command_ui(ui, "Resume", hover, JobsCommand::Resume(id()), asks);
        }
        JobState::Done => {
            if let Some(weights) = &job.weights {
                let hover = "Open its weights as tuned, and the checkpoint that it started from as base";
                if ui.button("Use as tuned").on_hover_text(hover).clicked() {
                    asks.push(Ask::Job(JobAsk::Use { base: job.recipe.base.clone().into(), tuned: weights.clone() }));
                }
            }
        }
    }
    if !job.state.is_live() {
        let hover = "Out of the list, into .removed in the runs folder; nothing is deleted";
        if ui.button("Remove").on_hover_text(hover).clicked() {
            asks.push(Ask::Job(JobAsk::Remove(id())));
        }
    }
}

fn queued_ui(ui: &mut Ui, session: &Session, job: &JobView, asks: &mut Vec<Ask>) {
    let place = job.place.unwrap_or(0);
    let id = || job.id.clone();
    let moves = [
        ("Up", "Earlier in the queue", place > 0, JobsCommand::MoveUp(id())),
        ("Down", "Later in the queue", place + 1 < session.jobs.queued(), JobsCommand::MoveDown(id())),
    ];
    for (sign, name, enabled, command) in moves {
        let response = ui.add_enabled(enabled, Button::new(sign));
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, enabled, name));
        if response.on_hover_text(name).clicked() {
            asks.push(Ask::Job(JobAsk::Send(command)));
        }
    }
    if ui.button("Edit…").on_hover_text("Change its recipe while it waits").clicked() {
        asks.push(Ask::Job(JobAsk::Edit(id())));
    }
    let hover = "Takes it out of the queue; it can be put back with Resume";
    command_ui(ui, "Hold", hover, JobsCommand::Stop(id()), asks);
}

fn command_ui(ui: &mut Ui, text: &str, hover: &str, command: JobsCommand, asks: &mut Vec<Ask>) {
    if ui.button(text).on_hover_text(hover).clicked() {
        asks.push(Ask::Job(JobAsk::Send(command)));
    }
}
