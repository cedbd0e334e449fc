//! How the plot is drawn: lines, intervals, marks that wear the colours of alpha, and the lines that bound a choice.

use eframe::egui::{self, Align2, FontId, Painter, Pos2, Rect, Shape, Stroke, Ui, Visuals, WidgetInfo, pos2, vec2};
use egui_plot::{PlotPoint, PlotTransform};

use super::plot::{Drawing, Here, Line};
use super::state::View;
use crate::session::{Mark, Series};
use crate::tradeoff::Published;
use crate::ui::look;

/// How near the pointer must be to a point, in points.
const REACH: f32 = 28.0;

/// Draws into a plot's frame.
pub struct Brush<'a> {
    /// Clipped to the frame.
    pub painter: Painter,
    /// From values to points of the screen.
    pub to: &'a PlotTransform,
    /// What to draw.
    pub drawing: &'a Drawing<'a>,
}

impl Brush<'_> {
    fn x(&self, mark: &Mark) -> f64 {
        if self.drawing.view == View::Tradeoff { mark.x.value } else { mark.alpha }
    }

    fn at(&self, x: f64, y: f64) -> Pos2 {
        self.to.position_from_point(&PlotPoint::new(x, y))
    }

    pub fn place(&self, mark: &Mark) -> Pos2 {
        self.at(self.x(mark), mark.y.value)
    }

    pub fn nearest(&self, pointer: Pos2) -> Option<(&Line, &Mark)> {
        let all = self.drawing.lines.iter().flat_map(|line| line.marks.iter().map(move |mark| (line, mark)));
        let distance = |mark: &Mark| self.place(mark).distance(pointer);
        let near = all.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))?;
        (distance(near.1) <= REACH).then_some(near)
    }

    pub fn draw(&self, visuals: &Visuals) {
        if self.drawing.view == View::OverAlpha
            && let Some(here) = &self.drawing.here
        {
            let x = self.at(here.mark.alpha, 0.0).x;
            self.painter.vline(x, self.to.frame().y_range(), Stroke::new(1.0, look::weak(visuals)));
        }
        if self.drawing.view == View::Tradeoff {
            self.no_trade_off(visuals);
            self.landmarks(visuals);
        }
        self.earlier(visuals);
        for (place, line) in self.drawing.lines.iter().enumerate().rev() {
            if place == 0 {
                self.bold(visuals, line);
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

    /// Base's x and tuned's y, dashed: a patch above and right of both pays nothing for its gain (the box of PAINT's
    /// figures, arXiv 2208.05592).
    fn no_trade_off(&self, visuals: &Visuals) {
        let Some((base, tuned)) = self.drawing.ends() else { return };
        let corner = self.at(base.x.value, tuned.y.value);
        let frame = self.to.frame();
        let stroke = Stroke::new(1.0, look::weak(visuals).gamma_multiply(0.6));
        let across = [pos2(frame.left(), corner.y), pos2(frame.right(), corner.y)];
        let upright = [pos2(corner.x, frame.top()), pos2(corner.x, frame.bottom())];
        for ends in [across, upright] {
            self.painter.extend(Shape::dashed_line(&ends, stroke, 3.0, 4.0));
        }
        let free = Rect::from_min_max(pos2(corner.x, frame.top()), pos2(frame.right(), corner.y));
        if free.is_positive() {
            self.painter.rect_filled(free, 0.0, look::right(visuals).gamma_multiply(0.08));
        }
    }

    /// Published models: open triangles with their names.
    fn landmarks(&self, visuals: &Visuals) {
        let color = look::weak(visuals);
        for landmark in self.drawing.landmarks {
            let center = self.at(landmark.x, landmark.y);
            look::shape_mark(&self.painter, center, 4.5, 4, look::sunken(visuals), Stroke::new(1.5, color));
            self.text(visuals, center, 7.0, &landmark.method, color);
        }
    }

    /// The published model under the pointer.
    pub fn landmark(&self, pointer: Pos2) -> Option<&Published> {
        let distance = |landmark: &Published| self.at(landmark.x, landmark.y).distance(pointer);
        let near = self.drawing.landmarks.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(near) <= 8.0).then_some(near)
    }

    /// The line that the best alpha may not cross; returns the points that it was dragged to.
    pub fn budget_line_ui(&self, ui: &Ui) -> Option<f64> {
        let (base, _) = self.drawing.ends().filter(|_| self.drawing.view == View::Tradeoff)?;
        let budget = self.drawing.budget?;
        let frame = *self.to.frame();
        let x = self.at(base.x.value - budget, 0.0).x.clamp(frame.left() + 2.0, frame.right() - 2.0);
        let strip = Rect::from_x_y_ranges(x - 5.0..=x + 5.0, frame.y_range());
        let response = ui.interact(strip, ui.scope_id().with("budget"), egui::Sense::drag());
        let said = format!("Line of the best alpha: loses at most {budget:.1} points");
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Splitter, true, &said));
        let active = response.hovered() || response.dragged();
        let color = if active { look::accent(ui.visuals()) } else { look::accent(ui.visuals()).gamma_multiply(0.6) };
        let ends = [pos2(x, frame.top()), pos2(x, frame.bottom())];
        self.painter.extend(Shape::dashed_line(&ends, Stroke::new(if active { 2.0 } else { 1.2 }, color), 6.0, 4.0));
        if active {
            ui.set_cursor_icon(egui::CursorIcon::ResizeHorizontal);
            self.text(
                ui.visuals(),
                pos2(x, frame.top() + 20.0),
                6.0,
                &format!("loses at most {budget:.1} points"),
                color,
            );
        }
        let pointer = response.dragged().then(|| response.interact_pointer_pos()).flatten()?;
        Some((base.x.value - self.to.value_from_position(pointer).x).clamp(0.0, 100.0))
    }

    /// The bold line, its 95 % band, and a whisker in both directions at every alpha. Marks outside the Pareto set are
    /// open.
    fn bold(&self, visuals: &Visuals, line: &Line) {
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
            if self.drawing.is_dominated(line, mark) {
                self.painter.circle(self.place(mark), 3.2, look::sunken(visuals), Stroke::new(1.4, color));
            } else {
                self.painter.circle_filled(self.place(mark), 4.0, color);
            }
        }
        self.best(visuals, line);
    }

    /// A ring around the best alpha.
    fn best(&self, visuals: &Visuals, line: &Line) {
        let best = self.drawing.best.and_then(|best| line.marks.iter().find(|m| m.alpha == best.alpha));
        if let Some(mark) = best {
            self.painter.circle_stroke(self.place(mark), 7.0, Stroke::new(1.5, look::accent(visuals)));
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

    pub fn ring(&self, visuals: &Visuals, mark: &Mark) {
        self.painter.circle_stroke(self.place(mark), 8.0, Stroke::new(1.5, look::accent(visuals)));
    }

    /// Text beside a mark, on the side where there is room, on a ground that keeps it legible over lines.
    pub fn text(&self, visuals: &Visuals, center: Pos2, gap: f32, text: &str, color: egui::Color32) {
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
