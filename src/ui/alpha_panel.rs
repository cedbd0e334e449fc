//! The alpha of the patch: one slider, or one per tower.

use eframe::egui;
use eframe::egui::{RichText, Ui};

use super::alpha_slider::alpha_slider_ui;
use super::ask::Ask;
use super::look;
use crate::patch::{Alpha, AlphaMap};
use crate::session::Session;
use crate::tradeoff::Point;

/// The panel's own state.
#[derive(Clone, Debug, Default)]
pub struct AlphaState {
    /// Whether each tower has its own slider.
    pub split: bool,
}

/// Shows the alpha panel.
pub fn alpha_panel_ui(
    ui: &mut Ui,
    session: &Session,
    best: Option<Point>,
    state: &mut AlphaState,
    asks: &mut Vec<Ask>,
) {
    let Some(pair) = &session.pair else {
        ui.label(look::label("Alpha blends two checkpoints: 0 is base, 1 is tuned"));
        ui.add_enabled(false, egui::Button::new("Open a pair first"));
        return;
    };
    let wanted = session.wanted();
    let best = best.map(|point| Alpha::clamped(point.alpha));
    let chosen = value_ui(ui, state, wanted, best);
    let joined = split_ui(ui, state, wanted);
    let home = best.unwrap_or(Alpha::clamped(0.5));
    let new = if state.split {
        towers_ui(ui, wanted, home)
    } else {
        let marks = marks(best);
        alpha_slider_ui(ui, "Alpha of the patch", wanted.mean(), &marks, home).map(AlphaMap::one)
    };
    ends_ui(ui, &pair.base.name, &pair.tuned.name);
    if let Some(alpha) = new.or(chosen).or(joined) {
        asks.push(Ask::Alpha(alpha));
    }
}

/// The value, large, and the two places worth going to.
fn value_ui(ui: &mut Ui, state: &mut AlphaState, wanted: AlphaMap, best: Option<Alpha>) -> Option<AlphaMap> {
    let mut chosen = None;
    ui.horizontal(|ui| {
        let color = look::alpha_color(ui.visuals(), wanted.mean().get());
        let text = look::large(format!("{:.2}", wanted.mean().get()));
        let hover = "Share of tuned in the patch: weights = (1 − α) · base + α · tuned, for every parameter; with split towers, their mean";
        ui.label(text.color(color)).on_hover_text(hover);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let reset = ui.add(egui::Button::new("Reset").small()).on_hover_text("Back to 0.50 in both towers");
            if reset.clicked() {
                state.split = false;
                chosen = Some(AlphaMap::one(Alpha::clamped(0.5)));
            }
            let button = ui.add_enabled(best.is_some(), egui::Button::new("Best").small());
            let button = button
                .on_hover_text("The highest gain within the loss allowed in the trade-off: a third of what tuned loses, unless set")
                .on_disabled_hover_text("Known once the sweep has both ends");
            if button.clicked() {
                chosen = best.map(AlphaMap::one);
            }
        });
    });
    chosen
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
    ui.label(look::label(format!("Image tower {:.2}", wanted.image().get())));
    let image = alpha_slider_ui(ui, "Alpha of the image tower", wanted.image(), &[], home);
    ui.label(look::label(format!("Text tower {:.2}", wanted.text().get())));
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

fn split_ui(ui: &mut Ui, state: &mut AlphaState, wanted: AlphaMap) -> Option<AlphaMap> {
    let before = state.split;
    let hover = "Give the image tower and the text tower an alpha of their own; the logit scale follows their mean";
    ui.checkbox(&mut state.split, "Split towers").on_hover_text(hover);
    (before && !state.split && !wanted.is_linked()).then(|| AlphaMap::one(wanted.mean()))
}
