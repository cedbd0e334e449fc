//! Parts of a benchmark with their scores: by relation, attribute, class and any other tag.

use eframe::egui::{self, Align, Button, Label, Layout, RichText, ScrollArea, Ui};
use egui_extras::{Column, TableBuilder, TableRow};

use super::ask::Ask;
use super::look::{self, words};
use crate::session::{Session, Slice, SliceIndex};
use crate::tradeoff::Measure;

/// The narrowest table that is still read without guessing; narrower panels scroll sideways.
const NARROWEST: f32 = 452.0;

/// Marks of [`look::shape_mark`] beside the title of the sorted column.
const UP: usize = 2;
const DOWN: usize = 4;

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Key {
    #[default]
    Name,
    Examples,
    Before,
    Now,
    Change,
    Fixed,
    Broken,
}

const COLUMNS: [(Key, &str, &str); 7] = [
    (Key::Name, "Slice", "A relation, an attribute, a class or another tag; click one to list its examples"),
    (Key::Examples, "n", "Examples of the slice"),
    (
        Key::Before,
        "Against",
        "Percent right at the alpha compared with (chosen above the examples), ± half a 95 % interval",
    ),
    (Key::Now, "Now, %", "Percent right at the current alpha"),
    (Key::Change, "Δ", "Now minus the alpha compared with, in points"),
    (Key::Fixed, "Fixed", "Wrong at the alpha compared with, right now"),
    (Key::Broken, "Broken", "Right at the alpha compared with, wrong now"),
];

/// The panel's own state.
#[derive(Debug, Default)]
pub struct SlicesState {
    sorted_by: Key,
    descending: bool,
    index: SliceIndex,
    indexed_for: Option<(u64, Option<usize>)>,
    rows: Vec<Slice>,
    computed_for: Option<u64>,
}

impl SlicesState {
    fn refresh(&mut self, session: &Session, benchmark: Option<usize>) {
        let key = (session.data_opened(), benchmark);
        if self.indexed_for != Some(key) {
            self.indexed_for = Some(key);
            self.index = SliceIndex::new(session, benchmark);
            self.computed_for = None;
        }
        if self.computed_for != Some(session.revision()) {
            self.computed_for = Some(session.revision());
            self.rows = self.index.scores(session);
            self.sort();
        }
    }

    fn sort(&mut self) {
        let key = self.sorted_by;
        // Unknown values stand last in either direction.
        let number = |slice: &Slice| match key {
            Key::Name => None,
            Key::Examples => Some(slice.examples as f64),
            Key::Before => slice.before.map(|m| m.value),
            Key::Now => slice.now.map(|m| m.value),
            Key::Change => change(slice),
            Key::Fixed => Some(slice.paired.fixed as f64),
            Key::Broken => Some(slice.paired.broken as f64),
        };
        let last = if self.descending { f64::NEG_INFINITY } else { f64::INFINITY };
        let value = |slice: &Slice| number(slice).unwrap_or(last);
        let descending = self.descending;
        self.rows.sort_by(|a, b| {
            let order = value(a).total_cmp(&value(b)).then_with(|| a.name.cmp(&b.name));
            if descending { order.reverse() } else { order }
        });
    }

    fn sort_by(&mut self, key: Key) {
        // Numbers are asked for largest first.
        self.descending = if self.sorted_by == key { !self.descending } else { key != Key::Name };
        self.sorted_by = key;
        self.sort();
    }
}

fn change(slice: &Slice) -> Option<f64> {
    Some(slice.now?.value - slice.before?.value)
}

/// Shows the slices of `benchmark`, or of all.
pub fn slices_panel_ui(
    ui: &mut Ui,
    session: &Session,
    benchmark: Option<usize>,
    state: &mut SlicesState,
    asks: &mut Vec<Ask>,
) {
    let Some(data) = &session.data else {
        ui.label(look::label("Scores by relation, attribute and class stand here once data is open"));
        if ui.button("Use the demo data").clicked() {
            asks.push(Ask::DemoData);
        }
        return;
    };
    state.refresh(session, benchmark);
    let title = benchmark.and_then(|place| data.benchmarks.get(place)).map_or("All tasks", |info| &info.title);
    ui.label(look::label(format!("{title} · {}", words::plural(state.rows.len(), "slice"))))
        .on_hover_text("The task is the one chosen above the examples");
    if state.rows.is_empty() {
        ui.label(look::label("These examples carry no tags; choose another task above the examples"));
        return;
    }
    ScrollArea::horizontal().auto_shrink([false, false]).show(ui, |ui| {
        ui.set_min_width(ui.available_width().max(NARROWEST));
        table_ui(ui, session, benchmark, state, asks);
    });
}

fn table_ui(ui: &mut Ui, session: &Session, benchmark: Option<usize>, state: &mut SlicesState, asks: &mut Vec<Ask>) {
    let stale = session.current().1;
    let mut clicked = None;
    TableBuilder::new(ui)
        .id_salt("slices")
        .striped(true)
        .cell_layout(Layout::right_to_left(Align::Center))
        .column(Column::remainder().at_least(84.0).clip(true))
        .column(Column::exact(40.0))
        .columns(Column::exact(74.0), 2)
        .columns(Column::exact(44.0), 3)
        .auto_shrink([false, false])
        .header(look::ROW, |mut header| {
            for (place, (key, title, hover)) in COLUMNS.into_iter().enumerate() {
                header.col(|ui| {
                    let mut show = |ui: &mut Ui| {
                        let response = ui.add(Button::new(RichText::new(title).small().weak()).frame(false));
                        let said = format!("Sort slices by {}", title.trim_end_matches(", %"));
                        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &said));
                        if state.sorted_by == key {
                            let center = if place == 0 {
                                response.rect.right_center() + egui::vec2(6.0, 0.0)
                            } else {
                                response.rect.left_center() - egui::vec2(6.0, 0.0)
                            };
                            let shape = if state.descending { DOWN } else { UP };
                            let color = look::weak(ui.visuals());
                            look::shape_mark(ui.painter(), center, 2.6, shape, color, egui::Stroke::NONE);
                        }
                        if response.on_hover_text(format!("{hover}\nClick to sort")).clicked() {
                            clicked = Some(key);
                        }
                    };
                    if place == 0 {
                        ui.with_layout(Layout::left_to_right(Align::Center), show);
                    } else {
                        show(ui);
                    }
                });
            }
        })
        .body(|body| {
            body.rows(look::ROW, state.rows.len(), |mut row| {
                let slice = &state.rows[row.index()];
                row_ui(&mut row, slice, stale, benchmark, asks);
            });
        });
    if let Some(key) = clicked {
        state.sort_by(key);
    }
}

fn row_ui(row: &mut TableRow, slice: &Slice, stale: bool, benchmark: Option<usize>, asks: &mut Vec<Ask>) {
    row.col(|ui| {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let response = ui.add(Button::new(&slice.name).frame(false).truncate());
            if response.on_hover_text("Click to list these examples").clicked() {
                asks.push(Ask::ShowSlice(benchmark, slice.name.clone()));
            }
        });
    });
    let number = |ui: &mut Ui, text: String| drop(ui.add(Label::new(look::digits(text).small())));
    row.col(|ui| number(ui, words::count(slice.examples)));
    row.col(|ui| measure_ui(ui, slice.before.as_ref()));
    row.col(|ui| {
        look::dim_if(ui, stale);
        measure_ui(ui, slice.now.as_ref());
    });
    row.col(|ui| {
        look::dim_if(ui, stale);
        let p = words::p_value(slice.paired.p_value());
        let text = change(slice).map_or("–".into(), words::signed);
        ui.label(look::digits(text).small()).on_hover_text(format!("Exact McNemar test: {p}"));
    });
    for count in [slice.paired.fixed, slice.paired.broken] {
        row.col(|ui| {
            look::dim_if(ui, stale);
            number(ui, words::count(count));
        });
    }
}

fn measure_ui(ui: &mut Ui, measure: Option<&Measure>) {
    let text = measure.map_or("–".into(), |m| format!("{:.1} ±{:.1}", m.value, m.half_width()));
    let response = ui.label(look::digits(text).small());
    if let Some(m) = measure {
        response.on_hover_text(format!("{:.2} %, 95 % interval {:.2} to {:.2} %", m.value, m.low, m.high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Paired;

    fn slice(name: &str, now: Option<f64>) -> Slice {
        let measure = |value| Measure { value, low: value, high: value };
        let before = Some(measure(50.0));
        Slice { name: name.into(), examples: 4, before, now: now.map(measure), paired: Paired::default() }
    }

    #[test]
    fn a_second_click_turns_the_order_and_the_unknown_stands_last() {
        let rows = vec![slice("a", Some(40.0)), slice("b", None), slice("c", Some(90.0))];
        let mut state = SlicesState { rows, ..SlicesState::default() };
        let names = |state: &SlicesState| state.rows.iter().map(|row| row.name.clone()).collect::<String>();
        state.sort_by(Key::Now);
        assert_eq!(names(&state), "cab");
        state.sort_by(Key::Now);
        assert_eq!(names(&state), "acb");
        state.sort_by(Key::Name);
        assert_eq!(names(&state), "abc");
    }
}
