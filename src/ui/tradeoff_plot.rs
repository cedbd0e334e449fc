//! The plot itself: lines, intervals, marks that wear the colours of alpha, and what lies under the pointer.

use eframe::egui;
use eframe::egui::{Align2, FontId, Painter, Pos2, Rect, Response, Shape, Stroke, Ui, Visuals, WidgetInfo, pos2, vec2};
use egui_plot::{AxisHints, GridInput, GridMark, Plot, PlotPoint, PlotTransform};

use super::look;
use crate::session::{Mark, Series};

/// How near the pointer must be to a point, in points.
const REACH: f32 = 28.0;

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

/// What is on the x axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum View {
    /// Recognition, as in the paper's figure 3.
    #[default]
    Tradeoff,
    /// Alpha.
    OverAlpha,
}

/// Where the patch stands.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    /// The mark on the mean's line.
    pub mark: Mark,
    /// Whether it is read off between two swept alphas rather than measured.
    pub between: bool,
}

/// Everything the plot draws.
pub struct Drawing<'a> {
    /// Lines, the mean first.
    pub lines: &'a [Line],
    /// Where the patch stands.
    pub here: Option<Here>,
    /// What is on the x axis.
    pub view: View,
    /// Bounds of the x axis, and of the y axis.
    pub ranges: [[f64; 2]; 2],
    /// Labels of the axes.
    pub labels: [&'a str; 2],
    /// What a screen reader says.
    pub summary: &'a str,
}

/// Draws, and returns the alpha of a clicked point.
pub fn tradeoff_plot_ui(ui: &mut Ui, drawing: &Drawing) -> Option<f64> {
    let [x_range, y_range] = drawing.ranges;
    let decimals = usize::from(drawing.view == View::OverAlpha);
    let axis = |hints: AxisHints<'static>, label: &str, decimals: usize| {
        hints
            .label(look::label(label))
            .label_spacing(20.0..=32.0)
            .formatter(move |mark, _| format!("{:.decimals$}", mark.value))
    };
    let plot = Plot::new("trade-off")
        .custom_x_axes(vec![axis(AxisHints::new_x(), drawing.labels[0], decimals)])
        .custom_y_axes(vec![axis(AxisHints::new_y(), drawing.labels[1], 0).min_thickness(28.0)])
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_crosshair(false)
        .grid_color(look::hairline(ui.visuals()))
        .grid_fade(0.0)
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
    if let Some((line, mark)) = hovered {
        brush.ring(ui.visuals(), mark);
        look::at_pointer(&response, |ui| tooltip_ui(ui, line, mark));
    }
    hovered.filter(|_| response.clicked()).map(|(_, mark)| mark.alpha).or_else(|| by_keyboard(ui, &response, drawing))
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

fn tooltip_ui(ui: &mut Ui, line: &Line, mark: &Mark) {
    ui.label(egui::RichText::new(format!("α {:.2}", mark.alpha)).strong());
    let row = |m: &crate::tradeoff::Measure| format!("{:.1} % [{:.1}, {:.1}]", m.value, m.low, m.high);
    ui.label(format!("{}: {}", line.title, row(&mark.y)));
    ui.label(format!("Recognition: {}", row(&mark.x)));
    ui.label(look::label(format!(
        "{} examples · 95 % interval · click to patch here",
        look::words::count(mark.scored)
    )));
}

struct Brush<'a> {
    painter: Painter,
    to: &'a PlotTransform,
    drawing: &'a Drawing<'a>,
}

impl Brush<'_> {
    fn x(&self, mark: &Mark) -> f64 {
        if self.drawing.view == View::Tradeoff { mark.x.value } else { mark.alpha }
    }

    fn at(&self, x: f64, y: f64) -> Pos2 {
        self.to.position_from_point(&PlotPoint::new(x, y))
    }

    fn place(&self, mark: &Mark) -> Pos2 {
        self.at(self.x(mark), mark.y.value)
    }

    fn nearest(&self, pointer: Pos2) -> Option<(&Line, &Mark)> {
        let all = self.drawing.lines.iter().flat_map(|line| line.marks.iter().map(move |mark| (line, mark)));
        let distance = |mark: &Mark| self.place(mark).distance(pointer);
        let near = all.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))?;
        (distance(near.1) <= REACH).then_some(near)
    }

    fn draw(&self, visuals: &Visuals) {
        if self.drawing.view == View::OverAlpha
            && let Some(here) = &self.drawing.here
        {
            let x = self.at(here.mark.alpha, 0.0).x;
            self.painter.vline(x, self.to.frame().y_range(), Stroke::new(1.0, look::weak(visuals)));
        }
        for (place, line) in self.drawing.lines.iter().enumerate().rev() {
            if place == 0 {
                self.mean(visuals, line);
            } else {
                self.task(visuals, line);
            }
        }
        if let Some(line) = self.drawing.lines.first() {
            self.ends(visuals, line);
        }
        if let Some(here) = &self.drawing.here {
            self.here(visuals, here);
        }
    }

    fn stroke(&self, line: &Line, stroke: Stroke) {
        let points: Vec<Pos2> = line.marks.iter().map(|m| self.place(m)).collect();
        self.painter.line(points, stroke);
    }

    /// A thin line whose marks differ in shape from those of other tasks.
    fn task(&self, visuals: &Visuals, line: &Line) {
        let color = series_color(visuals, line.series);
        self.stroke(line, Stroke::new(1.2, color.gamma_multiply(0.6)));
        for mark in &line.marks {
            let fill = look::alpha_color(visuals, mark.alpha);
            let stroke = Stroke::new(0.6, color);
            look::shape_mark(&self.painter, self.place(mark), 2.2, shape_of(line.series), fill, stroke);
        }
    }

    /// The bold line, its 95 % band, and a whisker in both directions at every alpha.
    fn mean(&self, visuals: &Visuals, line: &Line) {
        for pair in line.marks.windows(2) {
            let [a, b] = [&pair[0], &pair[1]];
            let corners = vec![
                self.at(self.x(a), a.y.low),
                self.at(self.x(a), a.y.high),
                self.at(self.x(b), b.y.high),
                self.at(self.x(b), b.y.low),
            ];
            self.painter.add(Shape::convex_polygon(corners, look::band(visuals), Stroke::NONE));
        }
        self.stroke(line, Stroke::new(2.0, look::strong(visuals).gamma_multiply(0.6)));
        for mark in &line.marks {
            let color = look::alpha_color(visuals, mark.alpha);
            let thin = Stroke::new(1.0, color.gamma_multiply(0.7));
            let x = self.x(mark);
            self.painter.line_segment([self.at(x, mark.y.low), self.at(x, mark.y.high)], thin);
            if self.drawing.view == View::Tradeoff {
                let y = mark.y.value;
                let is_end = mark.alpha < 1e-9 || mark.alpha > 1.0 - 1e-9;
                let faint = if is_end { thin } else { Stroke::new(1.0, color.gamma_multiply(0.18)) };
                self.painter.line_segment([self.at(mark.x.low, y), self.at(mark.x.high, y)], faint);
            }
            self.painter.circle_filled(self.place(mark), 4.0, color);
        }
    }

    /// Base is a square, tuned a diamond, both named.
    fn ends(&self, visuals: &Visuals, line: &Line) {
        for (alpha, shape, name) in [(0.0, 1, "base"), (1.0, 3, "tuned")] {
            let Some(mark) = line.marks.iter().find(|m| (m.alpha - alpha).abs() < 1e-9) else { continue };
            let color = look::alpha_color(visuals, alpha);
            let center = self.place(mark);
            let ring = Stroke::new(1.5, look::strong(visuals));
            look::shape_mark(&self.painter, center, 6.0, shape, color, ring);
            self.text(visuals, center, 10.0, name, color);
        }
    }

    fn here(&self, visuals: &Visuals, here: &Here) {
        let center = self.place(&here.mark);
        let color = look::alpha_color(visuals, here.mark.alpha);
        let fill = if here.between { look::sunken(visuals) } else { color };
        self.painter.circle(center, 6.0, fill, Stroke::new(2.0, color));
        self.painter.circle_stroke(center, 10.0, Stroke::new(2.0, look::strong(visuals)));
        let text = format!("α {:.2}", here.mark.alpha);
        self.text(visuals, center, 14.0, &text, look::strong(visuals));
    }

    fn ring(&self, visuals: &Visuals, mark: &Mark) {
        self.painter.circle_stroke(self.place(mark), 8.0, Stroke::new(1.5, look::accent(visuals)));
    }

    /// Text beside a mark, on the side where there is room, on a ground that keeps it legible over lines.
    fn text(&self, visuals: &Visuals, center: Pos2, gap: f32, text: &str, color: egui::Color32) {
        let galley = self.painter.layout_no_wrap(text.to_string(), FontId::proportional(12.0), color);
        let size = galley.size();
        let frame = self.to.frame();
        let fits_right = center.x + gap + size.x + 4.0 < frame.right();
        let x = if fits_right { center.x + gap } else { center.x - gap - size.x };
        let y = (center.y - size.y - 2.0).max(frame.top() + 2.0);
        let rect = Rect::from_min_size(pos2(x, y), size);
        let ground = look::sunken(visuals).gamma_multiply(0.8);
        self.painter.rect_filled(rect.expand2(vec2(3.0, 1.0)), 3.0, ground);
        self.painter.galley(Align2::LEFT_TOP.anchor_rect(rect).min, galley, color);
    }
}

/// The shape of a series' marks, also shown in its legend.
pub fn shape_of(series: Series) -> usize {
    match series {
        Series::Benchmark(place) => place % 5,
        Series::Composition | Series::Recognition => 0,
    }
}

/// The colour of a series' line.
pub fn series_color(visuals: &Visuals, series: Series) -> egui::Color32 {
    match series {
        Series::Benchmark(place) => look::line_color(visuals, place),
        Series::Composition => look::strong(visuals),
        Series::Recognition => look::weak(visuals),
    }
}
