//! The plot itself: lines, intervals, marks that wear the colours of alpha, and what lies under the pointer.

use eframe::egui;
use eframe::egui::{Response, Ui, WidgetInfo};
use egui_plot::{AxisHints, GridInput, GridMark, Plot};

use super::brush::Brush;
use super::earlier::EarlierLine;
use super::state::View;
use crate::session::{Mark, Series};
use crate::tradeoff::{Point, Published};
use crate::ui::look;

/// One line of the plot.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it shows.
    pub series: Series,
    /// For people.
    pub title: String,
    /// Ascending in alpha.
    pub marks: Vec<Mark>,
}

/// Where the patch stands.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    /// The mark on the bold line.
    pub mark: Mark,
    /// Whether it is read off between two swept alphas rather than measured.
    pub between: bool,
}

/// Everything the plot draws.
pub struct Drawing<'a> {
    /// Lines, the bold one first.
    pub lines: &'a [Line],
    /// Where the patch stands.
    pub here: Option<Here>,
    /// How the sweep is drawn; small plots are not drawn here.
    pub view: View,
    /// Bounds of the x axis, and of the y axis.
    pub ranges: [[f64; 2]; 2],
    /// Labels of the axes.
    pub labels: [&'a str; 2],
    /// What a screen reader says.
    pub summary: &'a str,
    /// Whether each mark of the first line is in the Pareto set.
    pub pareto: Vec<bool>,
    /// The best alpha within the budget.
    pub best: Option<Point>,
    /// Points of x that it may lose.
    pub budget: Option<f64>,
    /// Published models.
    pub landmarks: &'a [Published],
    /// Finished curves of earlier pairs.
    pub earlier: &'a [EarlierLine],
}

/// What a person did in the plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Touch {
    /// Clicked a point, or stepped to it: patch there.
    Alpha(f64),
    /// Dragged the line of the budget: the best alpha may lose so many points of x.
    Budget(f64),
}

/// Draws, and returns what was done.
pub fn tradeoff_plot_ui(ui: &mut Ui, drawing: &Drawing) -> Option<Touch> {
    let [x_range, y_range] = drawing.ranges;
    let decimals = usize::from(drawing.view == View::OverAlpha);
    let axis = |hints: AxisHints<'static>, label: &str, decimals: usize| {
        hints
            .label(look::label(label))
            .label_spacing(20.0..=32.0)
            .formatter(move |mark, _| format!("{:.decimals$}", mark.value))
    };
    let plot = look::still(Plot::new("trade-off"), ui.visuals())
        .custom_x_axes(vec![axis(AxisHints::new_x(), drawing.labels[0], decimals)])
        .custom_y_axes(vec![axis(AxisHints::new_y(), drawing.labels[1], 0).min_thickness(28.0)])
        .grid_spacing(20.0..=60.0)
        .x_grid_spacer(move |input| grid(&input, if drawing.view == View::OverAlpha { 0.01 } else { 1.0 }))
        .y_grid_spacer(|input| grid(&input, 1.0))
        .sense(egui::Sense::click());
    let shown = plot.show(ui, |plot| {
        plot.set_plot_bounds_x(x_range[0]..=x_range[1]);
        plot.set_plot_bounds_y(y_range[0]..=y_range[1]);
    });
    let brush = Brush { painter: ui.painter().with_clip_rect(*shown.transform.frame()), to: &shown.transform, drawing };
    brush.draw(ui.visuals());
    let response = shown.response;
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, drawing.summary));
    let hovered = response.hover_pos().and_then(|pointer| brush.nearest(pointer));
    let budget = brush.budget_line_ui(ui);
    if let Some(landmark) = response.hover_pos().and_then(|pointer| brush.landmark(pointer)) {
        look::at_pointer(&response, |ui| landmark_ui(ui, landmark));
    } else if let Some((line, mark)) = hovered.filter(|_| budget.is_none()) {
        brush.ring(ui.visuals(), mark);
        look::at_pointer(&response, |ui| tooltip_ui(ui, drawing, line, mark));
    }
    let clicked = hovered.filter(|_| response.clicked()).map(|(_, mark)| mark.alpha);
    let alpha = clicked.or_else(|| by_keyboard(ui, &response, drawing));
    budget.map(Touch::Budget).or(alpha.map(Touch::Alpha))
}

/// Round steps, at least 48 points apart: 1, 2, 5, 10, 20, 50 times `unit`.
fn grid(input: &GridInput, unit: f64) -> Vec<GridMark> {
    // The input's step is what covers the smallest spacing of the plot, 20 points.
    let wanted = input.base_step_size * 48.0 / 20.0;
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0].map(|step| step * unit);
    let step = steps.into_iter().find(|step| *step >= wanted).unwrap_or(100.0 * unit);
    let (low, high) = input.bounds;
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    let count = last.saturating_sub(first).clamp(-1, 200);
    (first..=first + count).map(|i| GridMark { value: i as f64 * step, step_size: step }).collect()
}

/// Left and right step through the swept alphas.
fn by_keyboard(ui: &Ui, response: &Response, drawing: &Drawing) -> Option<f64> {
    if response.clicked() {
        response.request_focus();
    }
    if !response.has_focus() {
        return None;
    }
    let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
    let (left, right) = ui.input(|i| (i.key_pressed(egui::Key::ArrowLeft), i.key_pressed(egui::Key::ArrowRight)));
    let marks = &drawing.lines.first()?.marks;
    let here = drawing.here.map_or(0.5, |h| h.mark.alpha);
    if right {
        marks.iter().map(|m| m.alpha).find(|a| *a > here + 1e-9)
    } else if left {
        marks.iter().rev().map(|m| m.alpha).find(|a| *a < here - 1e-9)
    } else {
        None
    }
}

fn tooltip_ui(ui: &mut Ui, drawing: &Drawing, line: &Line, mark: &Mark) {
    ui.label(egui::RichText::new(format!("α {:.2}", mark.alpha)).strong());
    let row = |m: &crate::tradeoff::Measure| format!("{:.1} % [{:.1}, {:.1}]", m.value, m.low, m.high);
    ui.label(format!("{}: {}", line.title, row(&mark.y)));
    if drawing.view == View::Tradeoff {
        ui.label(format!("{} {}", drawing.labels[0].replace(", %", ":"), row(&mark.x)));
    }
    if drawing.is_dominated(line, mark) {
        ui.label(look::label("Another alpha is at least as good on both axes"));
    }
    ui.label(look::label(format!(
        "{} examples · 95 % interval · click to patch here",
        look::words::count(mark.scored)
    )));
}

fn landmark_ui(ui: &mut Ui, landmark: &Published) {
    ui.label(egui::RichText::new(format!("{} (published)", landmark.method)).strong());
    ui.label(format!("from {}", landmark.base_model));
    ui.label(format!("y {:.1} %, x {:.1} % (ImageNet where the axis is recognition)", landmark.y, landmark.x));
    ui.label(look::label(&landmark.source));
}

impl Drawing<'_> {
    /// Whether a mark of the first line is outside the Pareto set.
    pub fn is_dominated(&self, line: &Line, mark: &Mark) -> bool {
        let first = self.lines.first().is_some_and(|first| first.series == line.series);
        let place = line.marks.iter().position(|other| other.alpha == mark.alpha);
        first && self.view == View::Tradeoff && place.and_then(|p| self.pareto.get(p)) == Some(&false)
    }

    /// The marks of base and tuned on the first line.
    pub fn ends(&self) -> Option<(&Mark, &Mark)> {
        let marks = &self.lines.first()?.marks;
        let at = |alpha: f64| marks.iter().find(|m| (m.alpha - alpha).abs() < 1e-9);
        Some((at(0.0)?, at(1.0)?))
    }
}
