//! What each alpha gains in composition and costs in recognition.

use std::collections::BTreeSet;

use eframe::egui;
use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::{Button, Label, PopupCloseBehavior, RichText, Stroke, Ui};

use super::ask::Ask;
use super::look::{self, words};
use super::tradeoff_plot::{Drawing, Here, Line, View, series_color, shape_of, tradeoff_plot_ui};
use crate::engine::{DataInfo, End};
use crate::patch::{Alpha, AlphaMap};
use crate::session::{Mark, Series, Session};
use crate::tradeoff::{Measure, Point, Position};

/// The panel's own state.
#[derive(Clone, Debug, Default)]
pub struct TradeoffState {
    /// What is on the x axis.
    pub view: View,
    shown: Option<BTreeSet<Series>>,
    data: u64,
    lines: Vec<Line>,
    points: Vec<Point>,
    computed: Option<u64>,
    ranges: Option<[[f64; 2]; 2]>,
    ranged_for: View,
}

impl TradeoffState {
    /// The sweep as plain points, ascending in alpha.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Derives lines from the sweep; only when it has changed.
    pub fn refresh(&mut self, session: &Session) {
        if self.data != session.data_opened() {
            self.data = session.data_opened();
            self.shown = None;
            self.ranges = None;
        }
        if self.computed == Some(session.sweep_revision()) {
            return;
        }
        self.computed = Some(session.sweep_revision());
        self.points = session.points();
        self.lines = all_series(session.data.as_deref())
            .into_iter()
            .map(|(series, title)| Line { series, title, marks: session.curve(series) })
            .collect();
    }

    fn shown(&mut self, data: Option<&DataInfo>) -> &mut BTreeSet<Series> {
        self.shown.get_or_insert_with(|| default_series(data))
    }
}

/// Every line there could be, means first.
fn all_series(data: Option<&DataInfo>) -> Vec<(Series, String)> {
    let Some(data) = data else { return Vec::new() };
    let means = [(Series::Composition, "Composition mean".into()), (Series::Recognition, "Recognition mean".into())];
    let single = |(place, b): (usize, &crate::engine::BenchmarkInfo)| (Series::Benchmark(place), b.title.clone());
    means.into_iter().chain(data.benchmarks.iter().enumerate().map(single)).collect()
}

/// The mean and the tasks of the paper's figure 3: relation, attribution, order.
fn default_series(data: Option<&DataInfo>) -> BTreeSet<Series> {
    let figure = |b: &crate::engine::BenchmarkInfo| {
        let name = b.name.to_lowercase();
        !b.recognition && ["relation", "attribution", "order"].iter().any(|word| name.contains(word))
    };
    let benchmarks = data.map(|d| d.benchmarks.iter().enumerate()).into_iter().flatten();
    let tasks = benchmarks.filter(|(_, b)| figure(b)).map(|(place, _)| Series::Benchmark(place));
    std::iter::once(Series::Composition).chain(tasks.take(4)).collect()
}

/// Shows the trade-off panel.
pub fn tradeoff_panel_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState, asks: &mut Vec<Ask>) {
    state.refresh(session);
    if session.pair.is_none() || session.data.is_none() {
        empty_ui(ui, session, asks);
        return;
    }
    let here = here(session, &state.lines);
    headline_ui(ui, session, here.as_ref(), &state.points);
    legend_ui(ui, session, state);
    let visible = visible(session, state);
    if visible.first().is_none_or(|line| line.marks.is_empty()) {
        waiting_ui(ui, session, asks);
        return;
    }
    let ranges = ranges(state, &visible);
    let over_alpha = state.view == View::OverAlpha;
    let labels = if over_alpha { ["Alpha", "Score, %"] } else { ["Recognition, %", "Composition, %"] };
    let summary = summary(session, &state.points);
    let drawing = Drawing { lines: &visible, here, view: state.view, ranges, labels, summary: &summary };
    if let Some(alpha) = tradeoff_plot_ui(ui, &drawing) {
        asks.push(Ask::Alpha(AlphaMap::one(Alpha::clamped(alpha))));
    }
}

fn summary(session: &Session, points: &[Point]) -> String {
    let total = session.progress.as_ref().map_or(points.len(), |p| p.total);
    format!("Trade-off plot, {} of {total} alphas; the tasks table holds the same numbers", points.len())
}

fn empty_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
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

fn waiting_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
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

/// Where the patch stands on the mean's line: measured, or read off between its neighbours until it is.
fn here(session: &Session, lines: &[Line]) -> Option<Here> {
    let wanted = session.wanted();
    let alpha = wanted.mean().get();
    let (scores, stale) = session.current();
    let measured = || {
        let (x, _) = session.measure(Series::Recognition, &scores)?;
        let (y, scored) = session.measure(Series::Composition, &scores)?;
        Some(Mark { alpha, x, y, scored })
    };
    if !stale && let Some(mark) = measured() {
        return Some(Here { mark, between: false });
    }
    let on_line = wanted.is_linked().then(|| between(&lines.first()?.marks, alpha)).flatten();
    on_line.or_else(measured).map(|mark| Here { mark, between: true })
}

fn between(marks: &[Mark], alpha: f64) -> Option<Mark> {
    let after = marks.iter().position(|m| m.alpha >= alpha)?;
    let b = marks[after];
    let a = if after == 0 { b } else { marks[after - 1] };
    let t = if b.alpha > a.alpha { (alpha - a.alpha) / (b.alpha - a.alpha) } else { 1.0 };
    let mix = |p: f64, q: f64| p + (q - p) * t;
    let measure = |p: Measure, q: Measure| Measure {
        value: mix(p.value, q.value),
        low: mix(p.low, q.low),
        high: mix(p.high, q.high),
    };
    (a.alpha <= alpha).then(|| Mark { alpha, x: measure(a.x, b.x), y: measure(a.y, b.y), scored: b.scored })
}

/// One sentence that can be read aloud. Its room is kept while it is unknown.
fn headline_ui(ui: &mut Ui, session: &Session, here: Option<&Here>, points: &[Point]) {
    let text = here.map(|here| headline(session.wanted(), here, points));
    // Narrow panels get two lines always, so that nothing below moves while numbers change.
    let two_lines = ui.available_width() < 640.0;
    let text = text.map(|t| if two_lines { t.replace(" · ", "\n") } else { t });
    let blank = if two_lines { " \n " } else { " " };
    let color = look::strong(ui.visuals());
    ui.scope(|ui| {
        look::dim_if(ui, here.is_some_and(|h| h.between));
        let label = Label::new(RichText::new(text.unwrap_or_else(|| blank.into())).size(14.0).color(color)).extend();
        ui.add(label).on_hover_text(
            "Composition is the mean over benchmarks (the tasks of one benchmark are averaged first); recognition the \
             mean over classification sets. Gains and losses are against base; the second number is what tuned gains \
             or loses",
        );
    });
}

fn headline(wanted: AlphaMap, here: &Here, points: &[Point]) -> String {
    let (x, y) = (here.mark.x.value, here.mark.y.value);
    let approximately = if here.between { "about " } else { "" };
    let point = Point { alpha: here.mark.alpha, recognition: x, composition: y };
    let alpha = words::alpha(wanted);
    let Some(at) = Position::of(&point, points) else {
        return format!("{alpha}: composition {approximately}{y:.1} % · recognition {approximately}{x:.1} %");
    };
    let share = at.gain_share().map_or(String::new(), |s| format!(", {:.0} %", 100.0 * s));
    let gain = format!("{} of {} points{share}", words::signed(at.gain), words::signed(at.full_gain));
    let loss = format!("{} of {} points", words::signed(-at.loss), words::signed(-at.full_loss));
    format!("{alpha}: composition {approximately}{y:.1} % ({gain}) · recognition {approximately}{x:.1} % ({loss})")
}

fn legend_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState) {
    let all = all_series(session.data.as_deref());
    ui.horizontal_wrapped(|ui| {
        for (view, text, hover) in [
            (View::Tradeoff, "Trade-off", "Composition against recognition, a point for every alpha"),
            (View::OverAlpha, "Over alpha", "Every score against alpha"),
        ] {
            if ui.selectable_label(state.view == view, text).on_hover_text(hover).clicked() {
                state.view = view;
            }
        }
        lines_menu_ui(ui, session, state, &all);
        if let Some(progress) = session.progress.as_ref().filter(|p| p.done < p.total) {
            ui.label(look::label(format!("{} of {} alphas", progress.done, progress.total)));
        }
        ui.end_row();
        let shown = state.shown(session.data.as_deref()).clone();
        let over_alpha = state.view == View::OverAlpha;
        let always = |s: Series| s == Series::Composition || over_alpha && s == Series::Recognition;
        for (series, title) in all.iter().filter(|(s, _)| always(*s) || shown.contains(s)) {
            if chip_ui(ui, *series, title, always(*series)) {
                state.shown(None).remove(series);
            }
        }
    });
}

fn lines_menu_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState, all: &[(Series, String)]) {
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    MenuButton::new("Lines…").config(config).ui(ui, |ui| {
        for (series, title) in all.iter().filter(|(s, _)| *s != Series::Composition) {
            let shown = state.shown(session.data.as_deref());
            let mut on = shown.contains(series);
            if ui.checkbox(&mut on, title).changed() {
                if on {
                    shown.insert(*series)
                } else {
                    shown.remove(series)
                };
            }
        }
    });
}

/// A legend entry that hides its line when clicked, unless the line is always there.
fn chip_ui(ui: &mut Ui, series: Series, title: &str, always: bool) -> bool {
    let text = RichText::new(format!("            {title}")).small();
    let response = ui.add(Button::new(text).frame(false).small());
    let name = format!("Hide {title}");
    let said = if always { title } else { &name };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, said));
    let color = series_color(ui.visuals(), series);
    let center = response.rect.left_center() + egui::vec2(16.0, 0.0);
    let width = if series == Series::Composition { 2.5 } else { 1.2 };
    ui.painter().hline(center.x - 8.0..=center.x + 8.0, center.y, Stroke::new(width, color));
    look::shape_mark(ui.painter(), center, 3.0, shape_of(series), color, Stroke::NONE);
    let hover = if always { "Unweighted mean over benchmarks, always shown" } else { "Click to hide this line" };
    response.on_hover_text(hover).clicked() && !always
}

/// The lines to draw, the mean first; recognition is a line of its own only over alpha.
fn visible(session: &Session, state: &mut TradeoffState) -> Vec<Line> {
    let shown = state.shown(session.data.as_deref()).clone();
    let over_alpha = state.view == View::OverAlpha;
    let is_recognition = |series: Series| match series {
        Series::Recognition => true,
        Series::Composition => false,
        Series::Benchmark(place) => session.data.as_ref().is_some_and(|d| d.benchmarks[place].recognition),
    };
    let wanted = |line: &&Line| {
        let always = over_alpha && line.series == Series::Recognition;
        always || shown.contains(&line.series) && (over_alpha || !is_recognition(line.series))
    };
    state.lines.iter().filter(wanted).cloned().collect()
}

/// Bounds that hold all intervals, rounded outwards to five. They grow at once and shrink only by ten or more, so that
/// nothing jumps while points arrive.
fn ranges(state: &mut TradeoffState, lines: &[Line]) -> [[f64; 2]; 2] {
    let over_alpha = state.view == View::OverAlpha;
    let marks = || lines.iter().flat_map(|line| &line.marks);
    let y = outwards(marks().flat_map(|m| [m.y.low, m.y.value, m.y.high]));
    let x = if over_alpha {
        [-0.02, 1.02]
    } else {
        let mean = lines.first().map(|line| &line.marks[..]).unwrap_or_default();
        outwards(mean.iter().flat_map(|m| [m.x.low, m.x.high]))
    };
    if state.ranged_for != state.view {
        state.ranged_for = state.view;
        state.ranges = None;
    }
    let old = state.ranges.unwrap_or([x, y]);
    let new = [settle(old[0], x), settle(old[1], y)];
    state.ranges = Some(new);
    new
}

fn outwards(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return [0.0, 100.0];
    }
    let (low, high) = (((low - 1.0) / 5.0).floor() * 5.0, ((high + 1.0) / 5.0).ceil() * 5.0);
    [low.max(-2.0), high.min(102.0)]
}

fn settle(old: [f64; 2], new: [f64; 2]) -> [f64; 2] {
    let low = if new[0] < old[0] || new[0] >= old[0] + 10.0 { new[0] } else { old[0] };
    let high = if new[1] > old[1] || new[1] <= old[1] - 10.0 { new[1] } else { old[1] };
    [low, high]
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact in binary")]
mod tests {
    use super::*;

    fn measure(value: f64) -> Measure {
        Measure { value, low: value - 1.0, high: value + 1.0 }
    }

    fn mark(alpha: f64, x: f64, y: f64) -> Mark {
        Mark { alpha, x: measure(x), y: measure(y), scored: 100 }
    }

    #[test]
    fn the_headline_tells_both_sides() {
        let points = [
            Point { alpha: 0.0, recognition: 75.3, composition: 54.2 },
            Point { alpha: 1.0, recognition: 58.0, composition: 89.3 },
        ];
        let alpha = AlphaMap::one(Alpha::clamped(0.5));
        let here = Here { mark: mark(0.5, 70.1, 81.2), between: false };
        let text = headline(alpha, &here, &points);
        assert_eq!(
            text,
            "α 0.50: composition 81.2 % (+27.0 of +35.1 points, 77 %) · recognition 70.1 % (−5.2 of −17.3 points)"
        );
        assert_eq!(headline(alpha, &here, &[]), "α 0.50: composition 81.2 % · recognition 70.1 %");
    }

    #[test]
    fn between_two_swept_alphas_the_mark_lies_on_the_line() {
        let marks = [mark(0.0, 70.0, 50.0), mark(1.0, 60.0, 90.0)];
        let quarter = between(&marks, 0.25).unwrap();
        assert_eq!((quarter.x.value, quarter.y.value), (67.5, 60.0));
        assert!(between(&marks[1..], 0.25).is_none(), "no point below: nothing to read off");
        assert!(between(&marks[..1], 0.25).is_none());
    }

    #[test]
    fn ranges_grow_at_once_and_shrink_late() {
        assert_eq!(outwards([52.0, 68.0].into_iter()), [50.0, 70.0]);
        assert_eq!(outwards([0.0, 100.0].into_iter()), [-2.0, 102.0]);
        assert_eq!(outwards(std::iter::empty()), [0.0, 100.0]);
        assert_eq!(settle([50.0, 70.0], [45.0, 75.0]), [45.0, 75.0]);
        assert_eq!(settle([50.0, 70.0], [55.0, 65.0]), [50.0, 70.0]);
        assert_eq!(settle([50.0, 90.0], [60.0, 70.0]), [60.0, 70.0]);
    }
}
