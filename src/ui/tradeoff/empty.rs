//! What the panel says while there is nothing to draw, and what to do about it.

use eframe::egui::{RichText, Ui};

use crate::engine::End;
use crate::session::Session;
use crate::ui::ask::Ask;
use crate::ui::look;

/// Without a pair or data.
pub fn empty_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() / 2.0 - 60.0).max(8.0));
        if let Some(what) = &session.opening {
            ui.spinner();
            ui.label(RichText::new(format!("Opening {what}")).weak());
        } else if session.pair.is_none() {
            ui.label(RichText::new("Open a base and a tuned checkpoint").heading());
            ui.label(RichText::new("Their blend is scored at every alpha and drawn here").weak());
            ui.add_space(look::STEP);
            for (text, ask) in [
                ("Use the demo pair", Ask::DemoPair),
                ("Choose a base checkpoint…", Ask::ChooseEnd(End::Base)),
                ("Choose a tuned checkpoint…", Ask::ChooseEnd(End::Tuned)),
            ] {
                if ui.button(text).clicked() {
                    asks.push(ask);
                }
            }
        } else {
            ui.label(RichText::new("Open benchmarks to score the pair").heading());
            ui.add_space(look::STEP);
            if ui.button("Choose a data folder…").clicked() {
                asks.push(Ask::ChooseData);
            }
            if ui.button("Use the demo data").clicked() {
                asks.push(Ask::DemoData);
            }
        }
    });
}

/// While base and tuned are scored.
pub fn waiting_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() / 2.0 - 40.0).max(8.0));
        let held = session.progress.as_ref().is_some_and(|p| p.paused);
        let text = if held { "The sweep is held" } else { "Scoring base and tuned first" };
        ui.label(RichText::new(text).heading());
        let (done, total) = session.progress.as_ref().map_or((0, 0), |p| (p.done, p.total));
        if total > 0 {
            ui.label(RichText::new(format!("{done} of {total} alphas")).weak());
        }
        if held && ui.button("Go on with the sweep").clicked() {
            asks.push(Ask::Sweep(true));
        }
    });
}
