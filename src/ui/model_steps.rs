//! What a card of the Models panel offers beyond a path: a download with its progress, and the choice of activation.

use eframe::egui::containers::menu::MenuButton;
use eframe::egui::{Align, Button, Label, Layout, ProgressBar, RichText, Ui};

use super::ask::Ask;
use super::look::{self, words};
use crate::engine::{CheckpointInfo, End, Failure, FetchProgress, Remedy};
use crate::kernels::Activation;

/// The activations, and whose weights use them.
const ACTIVATIONS: [(Activation, &str, &str); 2] =
    [(Activation::QuickGelu, "QuickGELU", "OpenAI, NegCLIP, CLoVe"), (Activation::Gelu, "GELU", "LAION, DataComp")];
const WHY: &str = "A model run with the wrong activation still works, only worse, so it is never guessed";

/// How far a download is, with a way to end it.
pub(super) fn fetching_ui(ui: &mut Ui, end: End, progress: &FetchProgress, asks: &mut Vec<Ask>) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let cancel = named(ui, "Cancel", &format!("Cancel the download of {}", name(end)));
            if cancel.on_hover_text("What has arrived is kept, and the next download goes on from there").clicked() {
                asks.push(Ask::StopFetch(end));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let label = Label::new(look::label(format!("Downloading {}", progress.file))).truncate();
                ui.add(label).on_hover_text(format!("From {}", progress.name));
            });
        });
    });
    let share = progress.total.map(|total| progress.done as f32 / total.max(1) as f32);
    let bar = ProgressBar::new(share.unwrap_or(0.0)).desired_width(ui.available_width()).desired_height(16.0);
    ui.add(bar.text(look::digits(amount(progress)).small()));
}

fn amount(progress: &FetchProgress) -> String {
    let done = words::bytes(progress.done);
    let of = progress.total.map_or(done.clone(), |total| format!("{done} of {}", words::bytes(total)));
    progress.seconds_left.map_or(of.clone(), |seconds| format!("{of} · {}", words::left(seconds)))
}

/// Why an end could not be opened, and what can be done about it right here.
pub(super) fn failed_ui(ui: &mut Ui, end: End, failure: &Failure, path: &str, asks: &mut Vec<Ask>) {
    let text = RichText::new(&failure.summary).small().color(ui.visuals().error_fg_color);
    let shown = ui.label(text);
    if !failure.details.is_empty() {
        shown.on_hover_text(&failure.details);
    }
    match failure.remedy {
        Some(Remedy::Activation) => {
            ui.horizontal_wrapped(|ui| {
                for (activation, title, whose) in ACTIVATIONS {
                    let button = named(ui, title, &format!("Run {} with {title}", name(end)));
                    if button.on_hover_text(format!("{title}, as {whose} use it. {WHY}")).clicked() {
                        asks.push(Ask::Activation(end, Some(activation)));
                    }
                }
            });
        }
        Some(Remedy::Fetch) if !path.is_empty() => {
            let button = named(ui, "Download", &format!("Download {}", name(end)));
            let hover = format!("Fetch {path} into the cache folder; nothing is downloaded without this");
            if button.on_hover_text(hover).clicked() {
                asks.push(Ask::Fetch(end, path.to_owned()));
            }
        }
        _ => {}
    }
}

/// The activation with its source, and the choice of another.
pub(super) fn activation_ui(
    ui: &mut Ui,
    end: End,
    info: &CheckpointInfo,
    chosen: Option<Activation>,
    asks: &mut Vec<Ask>,
) {
    ui.horizontal(|ui| {
        let title = look::label(format!("{} · from {}", info.activation, info.activation_source));
        let button = MenuButton::from_button(Button::new(title).small());
        let (menu, _) = button.ui(ui, |ui| menu_ui(ui, end, chosen, asks));
        menu.on_hover_text(format!("{WHY}. Click to choose another"))
            .widget_info(|| info_of(&format!("Activation of {}", name(end))));
    });
    if chosen.is_some() {
        let warning = "Check it against the model's source: with the wrong one it still runs, only worse.";
        ui.add(Label::new(RichText::new(warning).small().color(ui.visuals().warn_fg_color)).wrap());
    }
}

fn menu_ui(ui: &mut Ui, end: End, chosen: Option<Activation>, asks: &mut Vec<Ask>) {
    let mut option = |ui: &mut Ui, activation: Option<Activation>, title: &str| {
        if ui.radio(chosen == activation, title).clicked() {
            asks.push(Ask::Activation(end, activation));
            ui.close();
        }
    };
    option(ui, None, "What the files tell");
    for (activation, title, whose) in ACTIVATIONS {
        option(ui, Some(activation), &format!("{title} ({whose})"));
    }
}

/// "base" or "tuned".
pub(super) fn name(end: End) -> &'static str {
    if end == End::Base { "base" } else { "tuned" }
}

/// A small button whose accessible name says which card it is on.
pub(super) fn named(ui: &mut Ui, text: &str, name: &str) -> eframe::egui::Response {
    let button = ui.add(Button::new(text).small());
    button.widget_info(|| info_of(name));
    button
}

fn info_of(name: &str) -> eframe::egui::WidgetInfo {
    eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Button, true, name)
}
