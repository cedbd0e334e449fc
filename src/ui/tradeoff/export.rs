//! What the sweep has found, on its way out of the window.

use eframe::egui::Ui;

use super::state::{self, TradeoffState};
use crate::report::{Axis, Kind, View};
use crate::session::{Series, Session};
use crate::ui::ask::Ask;

/// Every kind with its words: what it is, and for whom.
const KINDS: [(Kind, &str, &str); 5] = [
    (Kind::Html, "Report as one HTML page…", "Figure, tables, protocol, hashes and failures, for people without clove"),
    (Kind::Svg, "Figure as SVG…", "As it is set up here, with its legend, to be drawn at any size"),
    (Kind::Png, "Figure as PNG…", "The same in pixels, at twice its size"),
    (Kind::Csv, "Scores as CSV…", "A row for every alpha, task and metric"),
    (Kind::Json, "Scores as JSON…", "The rows of clove sweep --json"),
];

/// A menu of the forms in which the sweep can be saved.
pub fn export_menu_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState, asks: &mut Vec<Ask>) {
    ui.add_enabled_ui(!session.sweep.is_empty(), |ui| {
        ui.menu_button("Export…", |ui| {
            for (kind, text, hover) in KINDS {
                if ui.button(text).on_hover_text(hover).clicked() {
                    asks.push(Ask::Export(kind, Box::new(view(session, state))));
                    ui.close();
                }
            }
        });
    });
}

/// What the panel shows, in the report's words.
pub fn view(session: &Session, state: &mut TradeoffState) -> View {
    let shown: Vec<Series> = state.shown(session.data.as_deref()).iter().copied().collect();
    let axis = |series: Series| match series {
        Series::Composition => Some(Axis::Composition),
        Series::Recognition => Some(Axis::Recognition),
        Series::Benchmark(place) => {
            let benchmark = session.data.as_ref()?.benchmarks.get(place)?;
            Some(Axis::Task { benchmark: benchmark.name.clone(), task: benchmark.task.clone() })
        }
    };
    let [x, y] = state.axes;
    View {
        x: axis(x).unwrap_or(Axis::Recognition),
        y: axis(y).unwrap_or(Axis::Composition),
        lines: shown.into_iter().filter_map(axis).collect(),
        over_alpha: matches!(state.view, state::View::OverAlpha | state::View::Multiples),
        alpha: Some(session.wanted()),
        budget: state.budget,
        published: state.published,
    }
}
