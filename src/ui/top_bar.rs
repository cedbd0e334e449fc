//! The line at the top: what is being patched, and the switches of the window.

use eframe::egui;
use eframe::egui::{Align, Layout, RichText, Sense, Ui, vec2};

use super::ask::Ask;
use super::look;
use crate::session::Session;

/// Shows the top bar.
pub fn top_bar_ui(ui: &mut Ui, session: &Session, device: &str, asks: &mut Vec<Ask>) {
    ui.horizontal_centered(|ui| {
        ui.label(RichText::new("clove").heading().strong());
        ui.add_space(look::STEP);
        match &session.pair {
            Some(pair) => {
                let (blue, orange) = (look::alpha_color(ui.visuals(), 0.0), look::alpha_color(ui.visuals(), 1.0));
                ui.label(RichText::new(&pair.base.name).color(blue));
                let (rect, _) = ui.allocate_exact_size(vec2(40.0, 4.0), Sense::hover());
                look::ramp(ui.painter(), ui.visuals(), rect);
                ui.label(RichText::new(&pair.tuned.name).color(orange));
            }
            None => {
                ui.label(RichText::new("no pair open").weak());
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("?").on_hover_text("Keyboard shortcuts (F1)").clicked() {
                asks.push(Ask::Shortcuts);
            }
            theme_ui(ui);
            let device = if session.status.device.is_empty() { device } else { &session.status.device };
            ui.label(RichText::new(device).weak()).on_hover_text("Where the towers run");
        });
    });
}

fn theme_ui(ui: &mut Ui) {
    let dark = ui.visuals().dark_mode;
    let text = if dark { "Light" } else { "Dark" };
    let name = format!("Switch to the {} theme", text.to_lowercase());
    let button = ui.button(text);
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    if button.on_hover_text(&name).clicked() {
        ui.ctx().set_theme(if dark { egui::Theme::Light } else { egui::Theme::Dark });
    }
}
