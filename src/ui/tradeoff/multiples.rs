//! A small plot over alpha for every task: where each task gains, and at which alpha.

use eframe::egui::{self, Pos2, Rect, ScrollArea, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::plot::Line;
use crate::session::{Mark, Session};
use crate::ui::look;

const WIDTH: f32 = 168.0;
const HEIGHT: f32 = 112.0;
const TITLE: f32 = 30.0;

/// Draws one cell per line, and returns the alpha of a clicked point.
pub fn multiples_ui(ui: &mut Ui, session: &Session, lines: &[Line]) -> Option<f64> {
    let mut chosen = None;
    ScrollArea::vertical().id_salt("multiples").auto_shrink([false, false]).show(ui, |ui| {
        let gap = look::STEP;
        let columns = ((ui.available_width() + gap) / (WIDTH + gap)).floor().max(1.0);
        let width = (ui.available_width() - gap * (columns - 1.0)) / columns;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(gap, gap);
            for line in lines {
                chosen = chosen.or(cell_ui(ui, session, line, vec2(width.floor(), HEIGHT)));
            }
        });
    });
    chosen
}

fn cell_ui(ui: &mut Ui, session: &Session, line: &Line, size: egui::Vec2) -> Option<f64> {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let told = |m: &Mark| format!("{:.2}: {:.1} %", m.alpha, m.y.value);
    let said = || line.marks.iter().map(told).collect::<Vec<_>>().join(", ");
    response
        .widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("{} over alpha: {}", line.title, said())));
    if !ui.is_rect_visible(rect) {
        return None;
    }
    let cell = Cell::new(rect, line);
    cell.draw(ui, session.wanted().mean().get());
    let pointer = response.hover_pos()?;
    let nearest = cell.nearest(pointer)?;
    ui.painter().circle_stroke(cell.place(nearest), 5.0, Stroke::new(1.5, look::accent(ui.visuals())));
    let text = format!(
        "{}\nα {:.2}: {:.1} % [{:.1}, {:.1}]\n{} examples · click to patch here",
        line.title,
        nearest.alpha,
        nearest.y.value,
        nearest.y.low,
        nearest.y.high,
        look::words::count(nearest.scored)
    );
    look::at_pointer(&response, |ui| drop(ui.label(text)));
    response.clicked().then_some(nearest.alpha)
}

struct Cell<'a> {
    plot: Rect,
    whole: Rect,
    line: &'a Line,
    low: f64,
    high: f64,
}

impl<'a> Cell<'a> {
    /// At least 20 points high, so that noise does not fill a cell.
    fn new(whole: Rect, line: &'a Line) -> Self {
        let plot = Rect::from_min_max(whole.min + vec2(4.0, TITLE), whole.max - vec2(4.0, 4.0));
        let all = line.marks.iter().flat_map(|m| [m.y.low, m.y.high]);
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let middle = f64::midpoint(low, high);
        let half = ((high - low) / 2.0).max(10.0);
        Self { plot, whole, line, low: middle - half, high: middle + half }
    }

    fn at(&self, alpha: f64, value: f64) -> Pos2 {
        let share = ((value - self.low) / (self.high - self.low)) as f32;
        pos2(self.plot.left() + alpha as f32 * self.plot.width(), self.plot.bottom() - share * self.plot.height())
    }

    fn place(&self, mark: &Mark) -> Pos2 {
        self.at(mark.alpha, mark.y.value)
    }

    fn nearest(&self, pointer: Pos2) -> Option<&Mark> {
        let distance = |m: &Mark| (self.place(m).x - pointer.x).abs();
        self.line.marks.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    fn draw(&self, ui: &Ui, here: f64) {
        let visuals = ui.visuals();
        let painter = ui.painter().with_clip_rect(self.whole);
        painter.rect_filled(self.whole, look::corners(), look::sunken(visuals));
        let font = egui::FontId::proportional(11.0);
        let title =
            painter.layout(self.line.title.clone(), font.clone(), look::strong(visuals), self.whole.width() - 8.0);
        painter.galley(self.whole.min + vec2(6.0, 3.0), title, look::strong(visuals));
        let (Some(first), Some(last)) = (self.line.marks.first(), self.line.marks.last()) else { return };
        let ends = format!("{:.0} to {:.0} %", first.y.value, last.y.value);
        let anchor = pos2(self.whole.left() + 6.0, self.whole.top() + 16.0);
        painter.text(anchor, egui::Align2::LEFT_TOP, ends, font, look::weak(visuals));
        painter.vline(self.at(here, 0.0).x, self.plot.y_range(), Stroke::new(1.0, look::weak(visuals)));
        for pair in self.line.marks.windows(2) {
            let [a, b] = [&pair[0], &pair[1]];
            let corners = vec![
                self.at(a.alpha, a.y.low),
                self.at(a.alpha, a.y.high),
                self.at(b.alpha, b.y.high),
                self.at(b.alpha, b.y.low),
            ];
            painter.add(Shape::convex_polygon(corners, look::band(visuals), Stroke::NONE));
        }
        painter.line(self.line.marks.iter().map(|m| self.place(m)).collect(), Stroke::new(1.2, look::weak(visuals)));
        for mark in &self.line.marks {
            painter.circle_filled(self.place(mark), 2.2, look::alpha_color(visuals, mark.alpha));
        }
    }
}
