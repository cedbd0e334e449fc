//! The alpha of the patch: one slider, or one per tower.

use eframe::egui;
use eframe::egui::{RichText, Ui};

use super::alpha_slider::alpha_slider_ui;
use super::ask::Ask;
use super::look;
use crate::patch::{Alpha, AlphaMap};
use crate::session::Session;
use crate::tradeoff::{self, Point};

/// The panel's own state.
#[derive(Clone, Debug, Default)]
pub struct AlphaState {
    /// Whether each tower has its own slider.
    pub split: bool,
}

/// Shows the alpha panel.
pub fn alpha_panel_ui(ui: &mut Ui, session: &Session, points: &[Point], state: &mut AlphaState, asks: &mut Vec<Ask>) {
    let Some(pair) = &session.pair else {
        ui.label(look::label("Alpha blends two checkpoints: 0 is base, 1 is tuned"));
        ui.add_enabled(false, egui::Button::new("Open a pair first"));
        return;
    };
    let wanted = session.wanted();
    let best = tradeoff::best_alpha(points, tradeoff::LOSS_SHARE).map(|p| Alpha::clamped(p.alpha));
    value_ui(ui, wanted);
    let home = best.unwrap_or(Alpha::clamped(0.5));
    let new = if state.split {
        towers_ui(ui, wanted, home)
    } else {
        let marks = marks(best);
        alpha_slider_ui(ui, "Alpha", wanted.mean(), &marks, home).map(AlphaMap::one)
    };
    ends_ui(ui, &pair.base.name, &pair.tuned.name);
    ui.add_space(4.0);
    let chosen = buttons_ui(ui, state, wanted, best);
    if let Some(alpha) = new.or(chosen) {
        asks.push(Ask::Alpha(alpha));
    }
}

fn value_ui(ui: &mut Ui, wanted: AlphaMap) {
    let text = if wanted.is_linked() {
        format!("{:.2}", wanted.mean().get())
    } else {
        format!("{:.2} {:.2}", wanted.image().get(), wanted.text().get())
    };
    ui.horizontal(|ui| {
        let color = look::alpha_color(ui.visuals(), wanted.mean().get());
        ui.label(look::large(text).color(color)).on_hover_text(
            "Share of the tuned weights in the patch: weights = (1 − α) · base + α · tuned, for every parameter",
        );
    });
}

fn marks(best: Option<Alpha>) -> Vec<(Alpha, String)> {
    let mut marks = vec![(Alpha::BASE, "0".to_string())];
    if let Some(best) = best.filter(|b| *b != Alpha::BASE && *b != Alpha::TUNED) {
        marks.push((best, format!("{:.2} best", best.get())));
    }
    marks.push((Alpha::TUNED, "1".to_string()));
    marks
}

fn towers_ui(ui: &mut Ui, wanted: AlphaMap, home: Alpha) -> Option<AlphaMap> {
    ui.label(look::label("Image tower"));
    let image = alpha_slider_ui(ui, "Alpha of the image tower", wanted.image(), &[], home);
    ui.label(look::label("Text tower"));
    let text = alpha_slider_ui(ui, "Alpha of the text tower", wanted.text(), &[], home);
    match (image, text) {
        (None, None) => None,
        (image, text) => Some(AlphaMap::towers(image.unwrap_or(wanted.image()), text.unwrap_or(wanted.text()))),
    }
}

/// Names both ends of the slider.
fn ends_ui(ui: &mut Ui, base: &str, tuned: &str) {
    let half = (ui.available_width() - look::STEP) / 2.0;
    ui.horizontal(|ui| {
        for (name, alpha, align) in [(base, 0.0, egui::Align::Min), (tuned, 1.0, egui::Align::Max)] {
            let color = look::alpha_color(ui.visuals(), alpha);
            let size = egui::vec2(half, 16.0);
            let layout = egui::Layout::left_to_right(egui::Align::Center).with_main_align(align);
            ui.allocate_ui_with_layout(size, layout.with_main_justify(true), |ui| {
                let text = RichText::new(name).small().color(color);
                ui.add(egui::Label::new(text).truncate().halign(align));
            });
        }
    });
}

fn buttons_ui(ui: &mut Ui, state: &mut AlphaState, wanted: AlphaMap, best: Option<Alpha>) -> Option<AlphaMap> {
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        let split = ui
            .selectable_label(state.split, "Split towers")
            .on_hover_text("Give the image tower and the text tower an alpha of their own; their mean moves the scale");
        if split.clicked() {
            state.split = !state.split;
            if !state.split && !wanted.is_linked() {
                chosen = Some(AlphaMap::one(wanted.mean()));
            }
        }
        let button = ui.add_enabled(best.is_some(), egui::Button::new("Best"));
        let button = button
            .on_hover_text("The highest composition that loses at most a third of what tuned loses in recognition")
            .on_disabled_hover_text("Known once the sweep has both ends");
        if button.clicked() {
            chosen = best.map(AlphaMap::one);
        }
        if ui.button("Reset").on_hover_text("Back to 0.50 in both towers").clicked() {
            state.split = false;
            chosen = Some(AlphaMap::one(Alpha::clamped(0.5)));
        }
    });
    chosen
}
