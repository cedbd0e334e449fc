//! What each alpha gains and costs.

use eframe::egui::Ui;

use super::controls::controls_ui;
use super::empty::{empty_ui, waiting_ui};
use super::headline::{headline_ui, here};
use super::map::map_ui;
use super::multiples::multiples_ui;
use super::plot::{Drawing, Line, Touch, tradeoff_plot_ui};
use super::ranges::ranges;
use super::state::{TradeoffState, View};
use crate::patch::{Alpha, AlphaMap};
use crate::session::{Series, Session};
use crate::tradeoff::{Point, pareto};
use crate::ui::ask::Ask;

/// Shows the trade-off panel.
pub fn tradeoff_panel_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState, asks: &mut Vec<Ask>) {
    state.refresh(session);
    if session.pair.is_none() || session.data.is_none() {
        empty_ui(ui, session, asks);
        return;
    }
    let here = here(session, state.axes, state.lines());
    headline_ui(ui, session, state.axes, here.as_ref(), state.points());
    controls_ui(ui, session, state, asks);
    state.refresh(session);
    let visible = visible(session, state);
    if visible.first().is_none_or(|line| line.marks.is_empty()) {
        waiting_ui(ui, session, asks);
        return;
    }
    if state.view == View::Map {
        map_ui(ui, session, state, asks);
        return;
    }
    let touched = if state.view == View::Multiples {
        multiples_ui(ui, session, state.lines()).map(Touch::Alpha)
    } else {
        let on = state.published && state.view == View::Tradeoff;
        let landmarks = if on { state.landmarks().to_vec() } else { Vec::new() };
        let earlier = state.earlier().to_vec();
        let marks = earlier.iter().flat_map(|line| line.marks.iter().map(|m| [m.x.value, m.y.value]));
        let beyond: Vec<[f64; 2]> = landmarks.iter().map(|p| [p.x, p.y]).chain(marks).collect();
        let ranges = ranges(state, &visible, &beyond);
        let labels = labels(session, state);
        let summary = summary(session, state.points());
        let drawing = Drawing {
            lines: &visible,
            here,
            view: state.view,
            ranges,
            labels: [&labels[0], &labels[1]],
            summary: &summary,
            pareto: pareto(state.points()),
            best: state.best(),
            budget: state.budget(),
            landmarks: &landmarks,
            earlier: &earlier,
        };
        tradeoff_plot_ui(ui, &drawing)
    };
    match touched {
        Some(Touch::Alpha(alpha)) => asks.push(Ask::Alpha(AlphaMap::one(Alpha::clamped(alpha)))),
        Some(Touch::Budget(points)) => state.budget = Some(points),
        None => {}
    }
}

fn labels(session: &Session, state: &TradeoffState) -> [String; 2] {
    let [x, y] = state.axes.map(|series| format!("{}, %", session.series_title(series)));
    if state.view == View::OverAlpha { ["Alpha".into(), "Score, %".into()] } else { [x, y] }
}

fn summary(session: &Session, points: &[Point]) -> String {
    let total = session.progress.as_ref().map_or(points.len(), |p| p.total);
    format!("Trade-off plot, {} of {total} alphas; the tasks table holds the same numbers", points.len())
}

/// The lines to draw, the bold one first; over alpha that of the x axis is there too, and no score lies against itself.
fn visible(session: &Session, state: &mut TradeoffState) -> Vec<Line> {
    let shown = state.shown(session.data.as_deref()).clone();
    let over_alpha = state.view == View::OverAlpha;
    let [x, y] = state.axes;
    let recognition = |series: Series| match series {
        Series::Recognition => true,
        Series::Composition => false,
        Series::Benchmark(place) => session.data.as_ref().is_some_and(|d| d.benchmarks[place].recognition),
    };
    let wanted = |line: &&Line| {
        let s = line.series;
        s == y || over_alpha && s == x || shown.contains(&s) && (over_alpha || s != x && !recognition(s))
    };
    state.lines().iter().filter(wanted).cloned().collect()
}
