//! The benchmarks that were found, and which of them are scored.

use eframe::egui::{Align, Button, DragValue, Key, Label, Layout, RichText, ScrollArea, TextEdit, Ui};
use egui_extras::{Column, TableBuilder, TableRow};

use super::ask::Ask;
use super::look::{self, words};
use super::skipped::skipped_ui;
use crate::engine::{DataInfo, FoundInfo};
use crate::session::Session;

/// Examples of each benchmark when a limit is switched on: an interval of about ±4 points.
const USUAL_LIMIT: usize = 500;
/// The narrowest table that is still read without guessing.
const NARROWEST: f32 = 360.0;

/// The panel's own state: a choice that is not applied yet.
#[derive(Debug, Default)]
pub struct DataState {
    chosen: Vec<bool>,
    limit: Option<usize>,
    /// A folder as typed.
    path: String,
    drafted_for: u64,
}

impl DataState {
    fn refresh(&mut self, session: &Session, data: &DataInfo) {
        if self.drafted_for != session.data_opened() {
            self.drafted_for = session.data_opened();
            self.chosen = data.found.iter().map(|found| found.chosen).collect();
            self.limit = data.limit;
        }
    }

    fn is_applied(&self, data: &DataInfo) -> bool {
        self.limit == data.limit && data.found.iter().map(|found| found.chosen).eq(self.chosen.iter().copied())
    }
}

/// Shows the data panel.
pub fn data_panel_ui(ui: &mut Ui, session: &Session, state: &mut DataState, asks: &mut Vec<Ask>) {
    ui.horizontal_wrapped(|ui| {
        match &session.data {
            Some(data) => {
                ui.add(Label::new(RichText::new(&data.source).strong()).truncate()).on_hover_text(&data.source)
            }
            None => ui.label(look::label("No benchmarks are open")),
        };
        let hover = "A folder that holds the published files of benchmarks, directly or one level down";
        if ui.button("Choose a data folder…").on_hover_text(hover).clicked() {
            asks.push(Ask::ChooseData);
        }
        if session.data.as_ref().is_none_or(|data| data.source != "scene world")
            && ui.button("Use the demo data").clicked()
        {
            asks.push(Ask::DemoData);
        }
        path_ui(ui, &mut state.path, asks);
    });
    let Some(data) = session.data.clone() else { return };
    state.refresh(session, &data);
    limit_ui(ui, &data, state, asks);
    ScrollArea::horizontal().auto_shrink([false, false]).show(ui, |ui| {
        ui.set_min_width(ui.available_width().max(NARROWEST));
        table_ui(ui, &data, state);
    });
}

fn path_ui(ui: &mut Ui, path: &mut String, asks: &mut Vec<Ask>) {
    let edit = TextEdit::singleline(path).hint_text("or type its path, then Enter").desired_width(180.0);
    let response = ui.add(edit).accessible_name("Path of the data folder");
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if entered && !path.trim().is_empty() {
        asks.push(Ask::TakeData(path.trim().to_owned()));
    }
}

/// How many examples of each, and the step that makes a choice real.
fn limit_ui(ui: &mut Ui, data: &DataInfo, state: &mut DataState, asks: &mut Vec<Ask>) {
    ui.horizontal(|ui| {
        let mut limited = state.limit.is_some();
        let hover = "Score an even spread over each benchmark instead of all of it; intervals widen, and every result \
                     says that it is a subset";
        if ui.checkbox(&mut limited, "At most").on_hover_text(hover).changed() {
            state.limit = limited.then_some(USUAL_LIMIT);
        }
        let mut n = state.limit.unwrap_or(USUAL_LIMIT);
        let drag = DragValue::new(&mut n).range(10..=1_000_000).speed(5.0).suffix(" examples each");
        let response = ui.add_enabled(limited, drag).accessible_name("Most examples of each benchmark");
        if response.changed() {
            state.limit = Some(n);
        }
        if state.is_applied(data) {
            return;
        }
        let any = state.chosen.contains(&true);
        let apply = ui.add_enabled(any, Button::new("Apply")).on_hover_text("The sweep starts again with this choice");
        if apply.on_disabled_hover_text("Choose at least one benchmark").clicked() {
            asks.push(Ask::UseData(state.chosen.clone(), state.limit));
        }
        if ui.button("Revert").on_hover_text("Back to what is scored now").clicked() {
            state.drafted_for = 0;
        }
    });
}

fn table_ui(ui: &mut Ui, data: &DataInfo, state: &mut DataState) {
    TableBuilder::new(ui)
        .id_salt("data")
        .striped(true)
        .cell_layout(Layout::right_to_left(Align::Center))
        .column(Column::remainder().at_least(140.0).clip(true))
        .column(Column::exact(76.0))
        .columns(Column::exact(58.0), 2)
        .auto_shrink([false, false])
        .header(look::ROW, |mut header| {
            let titles = [
                ("Benchmark", "Ticked ones are scored"),
                ("Axis", "Recognition is what fine-tuning costs, composition what it gains"),
                ("Examples", "In the file, before any limit"),
                ("Skipped", "Items that cannot be scored; click a count for their list"),
            ];
            for (place, (title, hover)) in titles.into_iter().enumerate() {
                header.col(|ui| {
                    let label = |ui: &mut Ui| drop(ui.label(look::label(title)).on_hover_text(hover));
                    if place == 0 {
                        ui.with_layout(Layout::left_to_right(Align::Center), label);
                    } else {
                        label(ui);
                    }
                });
            }
        })
        .body(|body| {
            body.rows(look::ROW, data.found.len(), |mut row| {
                let place = row.index();
                if let (Some(found), Some(chosen)) = (data.found.get(place), state.chosen.get_mut(place)) {
                    row_ui(&mut row, found, chosen);
                }
            });
        });
}

fn row_ui(row: &mut TableRow, found: &FoundInfo, chosen: &mut bool) {
    row.col(|ui| {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.checkbox(chosen, &found.title).on_hover_text(&found.protocol);
        });
    });
    row.col(|ui| {
        let axis = if found.recognition { "recognition" } else { "composition" };
        ui.label(look::label(axis));
    });
    row.col(|ui| drop(ui.label(look::digits(words::count(found.examples)).small())));
    row.col(|ui| skipped_ui(ui, &found.title, found.examples, &found.skipped));
}
