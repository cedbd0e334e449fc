//! The keyboard: one table that both acts and explains.

use eframe::egui;
use eframe::egui::{Context, Grid, Key, KeyboardShortcut, Modifiers, RichText};

use super::look;

/// What a shortcut does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    OpenBase,
    OpenTuned,
    OpenData,
    FineTune,
    NextFailure,
    Best,
    Base,
    Tuned,
    Sweep,
    Notices,
    Help,
}

const fn key(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

const SHIFT_COMMAND: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// All shortcuts. Those with more modifiers stand first: egui consumes the first that fits.
const ALL: [(Action, KeyboardShortcut, &str); 11] = [
    (Action::OpenTuned, key(SHIFT_COMMAND, Key::O), "Open a tuned checkpoint…"),
    (Action::OpenBase, key(Modifiers::COMMAND, Key::O), "Open a base checkpoint…"),
    (Action::OpenData, key(Modifiers::COMMAND, Key::D), "Open data…"),
    (Action::FineTune, key(Modifiers::COMMAND, Key::T), "Fine-tune…"),
    (Action::NextFailure, key(Modifiers::NONE, Key::N), "Next example that is wrong"),
    (Action::Best, key(Modifiers::NONE, Key::B), "Best alpha"),
    (Action::Base, key(Modifiers::NONE, Key::Num0), "Alpha 0, base"),
    (Action::Tuned, key(Modifiers::NONE, Key::Num1), "Alpha 1, tuned"),
    (Action::Sweep, key(Modifiers::NONE, Key::P), "Pause or resume the sweep"),
    (Action::Notices, key(Modifiers::COMMAND, Key::J), "Notices"),
    (Action::Help, key(Modifiers::NONE, Key::F1), "This list"),
];

/// What works inside one panel only.
const PLACES: [(&str, &str); 6] = [
    ("Arrows on a slider", "0.01, with Shift or page keys 0.05"),
    ("Home, End on a slider", "Base, tuned"),
    ("Arrows in the examples", "Move the focus"),
    ("Left, right on the trade-off", "Step through the sweep"),
    ("Escape in the recipe form", "Close it"),
    ("Tab", "Next control"),
];

/// The actions asked for in this frame. Bare letters stay with a text field that has the focus.
pub fn pressed(ctx: &Context) -> Vec<Action> {
    let writing = ctx.text_edit_focused();
    let mut actions = Vec::new();
    for (action, shortcut, _) in ALL {
        if writing && shortcut.modifiers.is_none() && shortcut.logical_key != Key::F1 {
            continue;
        }
        if ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
            actions.push(action);
        }
    }
    let asked = |e: &egui::Event| matches!(e, egui::Event::Text(text) if text == "?");
    if !writing && ctx.input(|input| input.events.iter().any(asked)) {
        actions.push(Action::Help);
    }
    actions
}

/// Shows the list while it is open. Returns whether the panels should go back to their places.
pub fn shortcuts_window_ui(ctx: &Context, open: &mut bool) -> bool {
    let mut reset = false;
    let window = egui::Window::new("Keyboard shortcuts").open(open).collapsible(false).resizable(false);
    window.pivot(egui::Align2::CENTER_CENTER).default_pos(ctx.content_rect().center()).show(ctx, |ui| {
        Grid::new("shortcuts").num_columns(2).spacing([24.0, 4.0]).show(ui, |ui| {
            for (_, shortcut, text) in ALL {
                ui.label(look::digits(ui.ctx().format_shortcut(&shortcut)));
                ui.label(text);
                ui.end_row();
            }
            for (keys, text) in PLACES {
                ui.label(RichText::new(keys).weak());
                ui.label(text);
                ui.end_row();
            }
        });
        ui.add_space(look::STEP);
        ui.label(look::label("Panels can be dragged by their titles"));
        reset = ui.button("Put the panels back").clicked();
    });
    reset
}
