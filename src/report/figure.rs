//! The figure as a whole: title, plot, legend, and what it must say of itself.

use super::curves::{Curves, Mark};
use super::data::{Axis, Report, View};
use super::layout::{FRAME, LINE, MARGIN, SIZES, WIDTH, letters};
use super::legend::legend;
use super::palette::{self, hex};
use super::plot::Plot;
use super::svg::{Attribute, Svg, number};
use super::{raster::FONT, words};
use crate::tradeoff::{self, Point, Position, Published, pareto};

/// Ink, stepped-back ink, lines of the grid, and the ground, on a light page. Pages that are dark override them by class.
pub(super) const INK: &str = "#161616";
pub(super) const WEAK: &str = "#606060";
pub(super) const HAIR: &str = "#dedede";
pub(super) const GROUND: &str = "#ffffff";

/// A line of the figure.
pub(super) struct Line {
    pub axis: Axis,
    /// For people.
    pub title: String,
    /// What it is a mean over; empty for a task.
    pub made_of: String,
    /// Ascending in alpha.
    pub marks: Vec<Mark>,
    /// Decides colour and shape.
    pub place: usize,
}

/// Everything that is drawn, in values.
pub(super) struct Figure {
    /// Settled: its axes, alpha and budget are there.
    pub view: View,
    /// The bold line first.
    pub lines: Vec<Line>,
    /// Whether each mark of the bold line is in the Pareto set.
    pub pareto: Vec<bool>,
    pub best: Option<Point>,
    pub here: Option<Mark>,
    pub landmarks: Vec<Published>,
    pub axis_titles: [String; 2],
    /// Tells the parts of several figures on a page apart.
    pub prefix: &'static str,
}

impl Figure {
    pub(super) fn of(report: &Report, view: &View, prefix: &'static str) -> Self {
        let curves = Curves::of(report);
        let view = curves.settle(view);
        let mut axes = vec![view.y.clone()];
        if view.over_alpha && view.x != view.y {
            axes.push(view.x.clone());
        }
        axes.extend(view.lines.iter().filter(|axis| !axes.contains(axis)).cloned().collect::<Vec<_>>());
        // A mean over one task is that task: one line says it.
        let drawn = axes.clone();
        let twin = |axis: &Axis| drawn.iter().any(|other| other != axis && curves.is_mean_of_one(other, axis));
        axes.retain(|axis| *axis == view.y || !twin(axis));
        let place = |axis: &Axis| curves.tasks.iter().position(|task| task.axis() == *axis).unwrap_or(0);
        let lines = axes.into_iter().map(|axis| Line {
            title: curves.title(&axis),
            made_of: curves.made_of(&axis),
            marks: curves.line(&view.x, &axis),
            place: place(&axis),
            axis,
        });
        let lines: Vec<Line> = lines.collect();
        let points: Vec<Point> =
            lines.first().map(|bold| bold.marks.iter().map(Mark::point).collect()).unwrap_or_default();
        let best = view.budget.and_then(|budget| tradeoff::best_alpha(&points, budget));
        let here = view.alpha.and_then(|alpha| curves.mark(&view.x, &view.y, alpha));
        let axis_titles = [curves.title(&view.x), curves.title(&view.y)];
        let landmarks = if view.over_alpha { Vec::new() } else { curves.published(&view) };
        Self { pareto: pareto(&points), best, here, landmarks, axis_titles, prefix, lines, view }
    }

    pub(super) fn points(&self) -> Vec<Point> {
        self.lines.first().map(|bold| bold.marks.iter().map(Mark::point).collect()).unwrap_or_default()
    }

    pub(super) fn is_dominated(&self, place: usize) -> bool {
        !self.view.over_alpha && self.pareto.get(place) == Some(&false)
    }

    /// Whether a mark of the bold line is drawn open: base and tuned have shapes of their own.
    pub(super) fn is_open(&self, place: usize) -> bool {
        let mark = self.lines.first().and_then(|bold| bold.marks.get(place));
        self.is_dominated(place) && mark.is_some_and(|mark| end_shape(mark.alpha).is_none())
    }

    /// What the patch gains and costs at the chosen alpha, in one sentence.
    pub(super) fn headline(&self) -> String {
        let (Some(here), Some(alpha)) = (&self.here, self.view.alpha) else { return String::new() };
        let [x, y] = &self.axis_titles;
        let at = words::alpha(alpha);
        if self.view.x == self.view.y {
            return format!("{at}: {y} {:.1} %", here.y.value);
        }
        let Some(position) = Position::of(&here.point(), &self.points()) else {
            return format!("{at}: {y} {:.1} %, {x} {:.1} %", here.y.value, here.x.value);
        };
        let share = position.gain_share().map_or(String::new(), |share| format!(", {:.0} %", 100.0 * share));
        let gain = format!("{} of {} points{share}", words::signed(position.gain), words::signed(position.full_gain));
        let loss = format!("{} of {} points", words::signed(-position.loss), words::signed(-position.full_loss));
        format!("{at}: {y} {:.1} % ({gain}), {x} {:.1} % ({loss})", here.y.value, here.x.value)
    }

    fn title(&self) -> String {
        let [x, y] = &self.axis_titles;
        let x = if self.view.x == Axis::Recognition { x.to_lowercase() } else { x.clone() };
        if self.view.over_alpha { "Scores over alpha".into() } else { format!("{y} against {x}") }
    }
}

/// Base is a square, tuned a diamond.
pub(super) fn end_shape(alpha: f64) -> Option<usize> {
    if alpha < 1e-9 { Some(1) } else { (alpha > 1.0 - 1e-9).then_some(3) }
}

/// The figure as an SVG file.
pub fn figure_svg(report: &Report, view: &View) -> String {
    let figure = Figure::of(report, view, "f");
    let (body, height) = body(&figure, report, true);
    let mut svg = Svg::default();
    let (width, height) = (number(WIDTH), number(height));
    let attributes = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("width", width.as_str()),
        ("height", height.as_str()),
        ("viewBox", &format!("0 0 {width} {height}")),
        ("font-family", &fonts()),
        ("role", "img"),
    ];
    svg.group("svg", &attributes, |svg| svg.raw(&body));
    svg.finish()
}

/// The figure for a page: no namespace and no title of its own, which the page says.
pub(super) fn figure_inline(figure: &Figure, report: &Report) -> String {
    let (body, height) = body(figure, report, false);
    let mut svg = Svg::default();
    let (width, height) = (number(WIDTH), number(height));
    let view_box = format!("0 0 {width} {height}");
    let said = format!("{}. {}", figure.title(), figure.headline());
    let attributes = [("viewBox", view_box.as_str()), ("class", "figure"), ("role", "img"), ("aria-label", &said)];
    svg.group("svg", &attributes, |svg| svg.raw(&body));
    svg.finish()
}

fn fonts() -> String {
    format!("{FONT}, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif")
}

/// Everything inside the figure, and its height.
fn body(figure: &Figure, report: &Report, alone: bool) -> (Svg, f64) {
    let mut svg = Svg::default();
    let mut top = MARGIN;
    let head = if alone { head(figure, report) } else { Vec::new() };
    let notes = if alone { notes(figure, report) } else { Vec::new() };
    let mut text = Svg::default();
    for (place, said) in head.iter().enumerate() {
        let size = if place == 0 { SIZES[0] } else { SIZES[1] };
        top += if place == 0 { SIZES[0] } else { LINE + 2.0 };
        let weight = if place == 0 { "600" } else { "400" };
        small(&mut text, [MARGIN, top], said, &[("font-size", &number(size)), ("font-weight", weight)]);
    }
    top += if alone { 20.0 } else { 0.0 };
    let plot = Plot::of(figure, top);
    let legend_bottom = legend(&mut text, figure, top);
    let mut bottom = (top + FRAME[2] + 68.0).max(legend_bottom + 8.0);
    for said in &notes {
        small(
            &mut text,
            [MARGIN, bottom],
            said,
            &[("font-size", &number(SIZES[2])), ("fill", WEAK), ("class", "weak")],
        );
        bottom += LINE;
    }
    let height = if alone { bottom + MARGIN - LINE / 2.0 } else { bottom };
    let [width_, height_] = [number(WIDTH), number(height)];
    svg.element("rect", &[("width", &width_), ("height", &height_), ("fill", GROUND), ("class", "ground")]);
    plot.draw(&mut svg);
    svg.raw(&text);
    (svg, height)
}

fn head(figure: &Figure, report: &Report) -> Vec<String> {
    let mut head = vec![words::shorten(&figure.title(), letters(WIDTH - 2.0 * MARGIN, SIZES[0]))];
    let models = format!("{} (alpha 0) patched with {} (alpha 1)", report.base.name, report.tuned.name);
    let wide = letters(WIDTH - 2.0 * MARGIN, SIZES[1]);
    head.extend(words::wrap(&models, wide));
    head.extend(words::wrap(&figure.headline(), wide));
    head
}

/// Protocols of what is drawn, hashes, sources: what a figure that is passed on alone must say of itself.
fn notes(figure: &Figure, report: &Report) -> Vec<String> {
    const MOST: usize = 14;
    let curves = Curves::of(report);
    let mut said: Vec<String> = Vec::new();
    for task in &curves.tasks {
        let Some(row) = task.any() else { continue };
        let of = match curves.tasks.iter().filter(|other| other.benchmark == task.benchmark).count() {
            1 => task.title.clone(),
            n => format!("{} ({n} tasks)", crate::benchmark::title(task.benchmark, None)),
        };
        let line = format!("{of}: {}, n = {}", row.protocol, words::count(row.scored));
        if !said.iter().any(|old| old.starts_with(&format!("{of}: "))) {
            said.push(line);
        }
    }
    let mut sources: Vec<(&str, Vec<&str>)> = Vec::new();
    for landmark in &figure.landmarks {
        match sources.iter_mut().find(|(source, _)| *source == landmark.source) {
            Some((_, methods)) => methods.push(&landmark.method),
            None => sources.push((&landmark.source, vec![&landmark.method])),
        }
    }
    said.extend(sources.iter().map(|(source, methods)| format!("Published: {}: {source}", methods.join(", "))));
    said.extend(report.remarks.iter().cloned());
    let hash = |sha256: &str| sha256.chars().take(12).collect::<String>();
    let made = format!(
        "SHA-256 of base {}…, of tuned {}…; clove {}, {}",
        hash(&report.base.sha256),
        hash(&report.tuned.sha256),
        report.made.version,
        report.made.date
    );
    let wide = letters(WIDTH - 2.0 * MARGIN, SIZES[2]);
    let mut lines: Vec<String> = said.iter().flat_map(|text| words::wrap(text, wide)).collect();
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("… {more} more lines of protocol; the HTML report has them"));
    }
    lines.extend(words::wrap(&made, wide));
    lines
}

/// Text in the strongest ink unless told otherwise.
pub(super) fn small(svg: &mut Svg, [x, y]: [f64; 2], said: &str, attributes: &[Attribute<'_>]) {
    let (x, y) = (number(x), number(y));
    let mut all = vec![("x", x.as_str()), ("y", y.as_str())];
    all.extend_from_slice(attributes);
    if !attributes.iter().any(|(key, _)| *key == "fill") {
        all.extend([("fill", INK), ("class", "ink")]);
    }
    svg.text("text", &all, said);
}

/// The colour of a line: tasks have their own, means are ink.
pub(super) fn line_color(line: &Line) -> String {
    match line.axis {
        Axis::Composition => INK.into(),
        Axis::Recognition => WEAK.into(),
        Axis::Task { .. } => hex(palette::line(false, line.place)),
    }
}

pub(super) fn line_class(line: &Line) -> String {
    match line.axis {
        Axis::Composition => "stroke-ink".into(),
        Axis::Recognition => "stroke-weak".into(),
        Axis::Task { .. } => format!("line{}", line.place % 6),
    }
}

pub(super) fn line_shape(line: &Line) -> usize {
    match line.axis {
        Axis::Composition | Axis::Recognition => 0,
        Axis::Task { .. } => line.place % 5,
    }
}
