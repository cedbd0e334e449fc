//! The line at the bottom: what runs, how fast, how long still, and how to stop it.

use eframe::egui;
use eframe::egui::{Align, Layout, ProgressBar, RichText, Ui};

use super::ask::Ask;
use super::jobs::status_ui;
use super::look::{self, words};
use crate::session::Session;

/// Shows the status line.
pub fn status_line_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    let status = &session.status;
    ui.horizontal_centered(|ui| {
        let activity = session.opening.as_deref().unwrap_or(match status.activity.as_str() {
            "" => "idle",
            activity => activity,
        });
        ui.label(RichText::new(activity).small()).on_hover_text("What the engine does right now");
        if let Some(rate) = status.images_per_second {
            let text = format!("{} img/s", words::count(rate.round() as usize));
            ui.label(look::digits(text).small().weak()).on_hover_text("Images encoded per second, lately");
        }
        sweep_ui(ui, session, asks);
        status_ui(ui, session, asks);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = words::plural(session.notices.list().len(), "notice");
            let text = if session.notices.unread > 0 {
                RichText::new(text).color(ui.visuals().warn_fg_color)
            } else {
                RichText::new(text).weak()
            };
            if ui.button(text.small()).on_hover_text("Failures and warnings of this session").clicked() {
                asks.push(Ask::Notices);
            }
            if let Some(bytes) = status.memory_bytes {
                ui.label(look::digits(words::bytes(bytes)).small().weak()).on_hover_text("Memory of this process");
            }
        });
    });
}

fn sweep_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    let Some(progress) = &session.progress else { return };
    let bar = ProgressBar::new(progress.share.clamp(0.0, 1.0) as f32).desired_width(96.0).desired_height(6.0);
    let response = ui
        .add(bar.fill(look::accent(ui.visuals())))
        .on_hover_text("The sweep scores every benchmark at every alpha: the ends first, then the middle, then halves");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, "Sweep"));
    let done = format!("{} of {} alphas", progress.done, progress.total);
    ui.label(look::digits(done).small());
    if session.is_swept() {
        ui.label(look::label("sweep complete"));
        return;
    }
    let (text, hover) = if progress.paused {
        ("Resume sweep", "Go on where it was held")
    } else {
        ("Pause sweep", "Hold the sweep; the slider stays live")
    };
    if ui.add(egui::Button::new(RichText::new(text).small())).on_hover_text(hover).clicked() {
        asks.push(Ask::Sweep(progress.paused));
    }
    match progress.seconds_left {
        Some(_) if progress.paused => drop(ui.label(look::label("held"))),
        Some(seconds) => drop(ui.label(look::label(words::left(seconds)))),
        None => {}
    }
}
