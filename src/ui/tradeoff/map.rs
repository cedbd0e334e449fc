//! The map: one score over the alpha of the image tower and the alpha of the text tower.

use eframe::egui;
use eframe::egui::{
    Align2, Button, Color32, FontId, Rect, RichText, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::state::TradeoffState;
use crate::patch::{Alpha, AlphaMap};
use crate::session::{Cell, Session};
use crate::tradeoff::ends;
use crate::ui::ask::Ask;
use crate::ui::look::{self, words};

/// Room for the labels of both axes.
const LABELS: f32 = 36.0;
/// Cells narrower than this carry no number.
const NUMBERED: f32 = 30.0;

/// Shows the map, or offers to score it.
pub fn map_ui(ui: &mut Ui, session: &Session, state: &TradeoffState, asks: &mut Vec<Ask>) {
    let Some(grid) = Grid::of(state.map()) else {
        offer_ui(ui, session, asks);
        return;
    };
    let best = best(state);
    legend_ui(ui, session, state, &grid, best.as_ref());
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click());
    let said = format!(
        "Map of {} pairs of alphas; best {}",
        grid.cells.len(),
        best.map_or("–".into(), |c| words::alpha(c.alpha))
    );
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &said));
    let drawing = Drawing::new(rect, &grid);
    drawing.draw(ui, session, state, best.as_ref());
    let Some(cell) = response.hover_pos().and_then(|pointer| drawing.at(pointer)) else { return };
    drawing.outline(ui, &cell, look::accent(ui.visuals()), 2.0);
    look::at_pointer(&response, |ui| tooltip_ui(ui, session, state, &cell));
    if response.clicked() {
        asks.push(Ask::Alpha(cell.alpha));
    }
}

fn offer_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() / 2.0 - 48.0).max(8.0));
        ui.label(RichText::new("Score every alpha of the image tower with every alpha of the text tower").heading());
        ui.label(look::label(
            "Each tower is encoded once per alpha, so the map costs the sum of its sides, not the product",
        ));
        ui.add_space(look::STEP);
        let ready = session.is_swept();
        let button = ui.add_enabled(ready, Button::new("Score the map"));
        if button.on_disabled_hover_text("The sweep comes first").clicked() {
            asks.push(Ask::Map);
        }
    });
}

/// The alphas of the sides and the cells that are scored.
struct Grid {
    side: Vec<Alpha>,
    cells: Vec<Cell>,
}

impl Grid {
    /// The alphas that occur away from the diagonal span the map; `None` before there are any.
    fn of(cells: &[Cell]) -> Option<Self> {
        let mut side: Vec<Alpha> =
            cells.iter().filter(|c| !c.alpha.is_linked()).flat_map(|c| [c.alpha.image(), c.alpha.text()]).collect();
        side.sort_by(|a, b| a.get().total_cmp(&b.get()));
        side.dedup();
        let on = |alpha: Alpha| side.contains(&alpha);
        let cells: Vec<Cell> = cells.iter().filter(|c| on(c.alpha.image()) && on(c.alpha.text())).copied().collect();
        (side.len() > 1).then_some(Self { side, cells })
    }

    fn range(&self) -> [f64; 2] {
        let values = self.cells.iter().map(|c| c.y.value);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        [low, high.max(low + 1.0)]
    }
}

/// The highest y of all cells within the budget.
fn best(state: &TradeoffState) -> Option<Cell> {
    let (base, _) = ends(state.points())?;
    let budget = state.budget()?;
    let fits = state.map().iter().filter(|cell| base.x - cell.x.value <= budget + 1e-9);
    fits.max_by(|a, b| a.y.value.total_cmp(&b.y.value)).copied()
}

fn legend_ui(ui: &mut Ui, session: &Session, state: &TradeoffState, grid: &Grid, best: Option<&Cell>) {
    let [low, high] = grid.range();
    ui.horizontal_wrapped(|ui| {
        ui.label(look::label(format!("{} {low:.0} %", session.series_title(state.axes[1]))));
        let (rect, _) = ui.allocate_exact_size(vec2(80.0, 8.0), Sense::hover());
        for piece in 0..40 {
            let t = piece as f32 / 40.0;
            let from = pos2(rect.left() + t * rect.width(), rect.top());
            let strip = Rect::from_min_size(from, vec2(rect.width() / 40.0 + 0.5, rect.height()));
            ui.painter().rect_filled(strip, 0.0, shade(t));
        }
        ui.label(look::label(format!("{high:.0} %")));
        if let (Some(best), Some(budget)) = (best, state.budget()) {
            let text = format!(
                "best within {budget:.1} points: image {:.2}, text {:.2}",
                best.alpha.image().get(),
                best.alpha.text().get()
            );
            ui.label(look::label(text))
                .on_hover_text("Dots mark pairs of alphas that lose more than the budget allows");
        }
    });
}

fn tooltip_ui(ui: &mut Ui, session: &Session, state: &TradeoffState, cell: &Cell) {
    let alphas = format!("image {:.2}, text {:.2}", cell.alpha.image().get(), cell.alpha.text().get());
    ui.label(RichText::new(alphas).strong());
    for (series, m) in [(state.axes[1], cell.y), (state.axes[0], cell.x)] {
        ui.label(format!("{}: {:.1} % [{:.1}, {:.1}]", session.series_title(series), m.value, m.low, m.high));
    }
    let count = words::count(cell.scored);
    ui.label(look::label(format!("{count} examples · 95 % interval · click to patch here")));
}

struct Drawing<'a> {
    plot: Rect,
    grid: &'a Grid,
}

impl<'a> Drawing<'a> {
    fn new(rect: Rect, grid: &'a Grid) -> Self {
        Self { plot: Rect::from_min_max(rect.min + vec2(LABELS, 4.0), rect.max - vec2(4.0, LABELS)), grid }
    }

    fn cell_rect(&self, alpha: AlphaMap) -> Option<Rect> {
        let place = |alpha: Alpha| self.grid.side.iter().position(|a| *a == alpha);
        let (row, column) = (place(alpha.image())?, place(alpha.text())?);
        let n = self.grid.side.len() as f32;
        let size = self.plot.size() / n;
        let min = pos2(self.plot.left() + column as f32 * size.x, self.plot.bottom() - (row + 1) as f32 * size.y);
        Some(Rect::from_min_size(min, size).shrink(0.5))
    }

    fn at(&self, pointer: egui::Pos2) -> Option<Cell> {
        let inside = |cell: &&Cell| self.cell_rect(cell.alpha).is_some_and(|rect| rect.contains(pointer));
        self.grid.cells.iter().find(inside).copied()
    }

    fn outline(&self, ui: &Ui, cell: &Cell, color: Color32, width: f32) {
        if let Some(rect) = self.cell_rect(cell.alpha) {
            ui.painter().rect_stroke(rect, 1.0, Stroke::new(width, color), StrokeKind::Inside);
        }
    }

    fn draw(&self, ui: &Ui, session: &Session, state: &TradeoffState, best: Option<&Cell>) {
        let [low, high] = self.grid.range();
        let base = ends(state.points()).map(|(base, _)| base.x);
        ui.painter().rect_filled(self.plot, 0.0, look::sunken(ui.visuals()));
        for cell in &self.grid.cells {
            let Some(rect) = self.cell_rect(cell.alpha) else { continue };
            let t = ((cell.y.value - low) / (high - low)) as f32;
            ui.painter().rect_filled(rect, 1.0, shade(t));
            let ink = if t > 0.55 { Color32::BLACK } else { Color32::WHITE };
            if rect.width() >= NUMBERED {
                let text = format!("{:.0}", cell.y.value);
                ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, FontId::proportional(11.0), ink);
            }
            let over = base.zip(state.budget()).is_some_and(|(base, budget)| base - cell.x.value > budget + 1e-9);
            if over {
                ui.painter().circle_filled(rect.right_top() + vec2(-5.0, 5.0), 1.8, ink);
            }
        }
        if let Some(best) = best {
            self.outline(ui, best, look::accent(ui.visuals()), 2.5);
        }
        self.here(ui, session.wanted());
        self.axes(ui);
    }

    /// A ring where the patch stands, also between cells.
    fn here(&self, ui: &Ui, alpha: AlphaMap) {
        let n = self.grid.side.len() as f32;
        let size = self.plot.size() / n;
        let along = |alpha: Alpha, size: f32| size / 2.0 + alpha.get() as f32 * size * (n - 1.0);
        let x = self.plot.left() + along(alpha.text(), size.x);
        let y = self.plot.bottom() - along(alpha.image(), size.y);
        ui.painter().circle_stroke(pos2(x, y), 8.0, Stroke::new(3.0, Color32::BLACK));
        ui.painter().circle_stroke(pos2(x, y), 8.0, Stroke::new(1.5, Color32::WHITE));
    }

    fn axes(&self, ui: &Ui) {
        let font = FontId::proportional(11.0);
        let weak = look::weak(ui.visuals());
        for alpha in &self.grid.side {
            // Tenths where they say it all.
            let tenths = (alpha.get() * 10.0).fract().abs() < 1e-9;
            let text = if tenths { format!("{:.1}", alpha.get()) } else { format!("{:.2}", alpha.get()) };
            if let Some(rect) = self.cell_rect(AlphaMap::towers(Alpha::BASE, *alpha)) {
                let at = pos2(rect.center().x, self.plot.bottom() + 3.0);
                ui.painter().text(at, Align2::CENTER_TOP, &text, font.clone(), weak);
            }
            if let Some(rect) = self.cell_rect(AlphaMap::towers(*alpha, Alpha::BASE)) {
                let at = pos2(self.plot.left() - 4.0, rect.center().y);
                ui.painter().text(at, Align2::RIGHT_CENTER, &text, font.clone(), weak);
            }
        }
        let below = pos2(self.plot.center().x, self.plot.bottom() + 18.0);
        ui.painter().text(below, Align2::CENTER_TOP, "Alpha of the text tower", font.clone(), weak);
        let galley = ui.painter().layout_no_wrap("Alpha of the image tower".into(), font, weak);
        let at = pos2(self.plot.left() - LABELS, self.plot.center().y + galley.size().x / 2.0);
        ui.painter().add(egui::epaint::TextShape::new(at, galley, weak).with_angle(-std::f32::consts::FRAC_PI_2));
    }
}

/// Dark violet over teal to yellow: lightness rises all the way, so that it reads without colour (after Viridis, by
/// Smith and van der Walt, CC0).
fn shade(t: f32) -> Color32 {
    const STOPS: [[f32; 3]; 5] =
        [[68.0, 1.0, 84.0], [59.0, 82.0, 139.0], [33.0, 145.0, 140.0], [94.0, 201.0, 98.0], [253.0, 231.0, 37.0]];
    let at = t.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let from = (at as usize).min(STOPS.len() - 2);
    let share = at - from as f32;
    let mix = |i: usize| (STOPS[from][i] + (STOPS[from + 1][i] - STOPS[from][i]) * share).round() as u8;
    Color32::from_rgb(mix(0), mix(1), mix(2))
}
