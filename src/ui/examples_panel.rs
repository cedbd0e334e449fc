//! The single examples behind every point: filters, a grid of small pictures, and the one in focus.

use eframe::egui;
use eframe::egui::{EventFilter, Id, Key, Painter, Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::ask::Ask;
use super::example_detail::example_detail_ui;
use super::example_filters::{comparison_ui, nothing_ui, task_ui, verdicts_ui};
use super::example_list::{ExampleList, Filter};
use super::look::{self, words};
use super::thumbnails::{Held, Pictures};
use crate::engine::{DataInfo, ExampleId, ImageId};
use crate::session::Session;

const GAP: f32 = 6.0;
const CELL: f32 = look::THUMBNAIL + GAP;
/// Height that the example in focus needs.
const DETAIL: f32 = 300.0;
/// Rows beyond the visible ones whose pictures are asked for too.
const AHEAD: usize = 1;

/// The panel's own state.
#[derive(Default)]
pub struct ExamplesState {
    /// What is listed.
    pub filter: Filter,
    /// The list.
    pub list: ExampleList,
    data: u64,
    scroll_to: Option<ExampleId>,
    offset: f32,
    height: f32,
    asked: (u64, Vec<ImageId>),
    asked_large: Option<(u64, ImageId)>,
}

impl ExamplesState {
    /// Brings the list up to date; new data starts with its first composition benchmark.
    pub fn refresh(&mut self, session: &Session) {
        if self.data != session.data_opened() {
            self.data = session.data_opened();
            let first = session.data.as_ref().and_then(|d| d.benchmarks.iter().position(|b| !b.recognition));
            self.filter = Filter { benchmark: first, ..Filter::default() };
        }
        self.list.refresh(session, &self.filter);
    }

    /// Whether every picture that was last asked for has come.
    pub fn has_pictures(&self, session: &Session, pictures: &Pictures) -> bool {
        let asked_now = self.asked.0 == session.generation() || self.list.ids.is_empty();
        asked_now && self.asked.1.iter().all(|image| pictures.small.has(*image))
    }

    /// Brings an example into view.
    pub fn reveal(&mut self, id: ExampleId) {
        self.scroll_to = Some(id);
    }
}

/// Shows the examples panel.
pub fn examples_panel_ui(
    ui: &mut Ui,
    session: &Session,
    state: &mut ExamplesState,
    pictures: &mut Pictures,
    asks: &mut Vec<Ask>,
) {
    let Some(data) = session.data.clone() else {
        ui.label(look::label("The pictures and captions behind every score stand here once data is open"));
        if ui.button("Use the demo data").clicked() {
            asks.push(Ask::DemoData);
        }
        return;
    };
    task_ui(ui, &data, &mut state.filter);
    comparison_ui(ui, session, &mut state.filter, asks);
    state.refresh(session);
    verdicts_ui(ui, session, &state.list, &mut state.filter);
    state.refresh(session);
    // Whole rows: half a picture at the edge says nothing.
    let room = (ui.available_height() * 0.45).min(ui.available_height() - DETAIL);
    let grid_height = (room / CELL).floor().clamp(1.0, 6.0) * CELL;
    let room = Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), grid_height));
    ui.scope_builder(egui::UiBuilder::new().max_rect(room).id_salt("grid"), |ui| {
        ui.set_min_size(room.size());
        if state.list.ids.is_empty() {
            nothing_ui(ui, &mut state.filter);
        } else {
            grid_ui(ui, session, &data, state, pictures, asks);
        }
    });
    ui.separator();
    detail_ui(ui, session, state, pictures, asks);
}

fn grid_ui(
    ui: &mut Ui,
    session: &Session,
    data: &DataInfo,
    state: &mut ExamplesState,
    pictures: &mut Pictures,
    asks: &mut Vec<Ask>,
) {
    let columns = (((ui.available_width() - 10.0) / CELL).floor() as usize).max(1);
    let rows = state.list.ids.len().div_ceil(columns);
    let focus_id = Id::unique("example-grid");
    let whole = ui.interact(ui.max_rect(), focus_id, Sense::focusable_noninteractive());
    whole.widget_info(|| {
        let count = words::plural(state.list.ids.len(), "example");
        WidgetInfo::labeled(egui::Role::ListGrid, true, format!("Examples, {count}"))
    });
    if whole.has_focus() {
        keyboard_ui(ui, focus_id, columns, session, state, asks);
    }
    ui.spacing_mut().item_spacing = vec2(GAP, GAP);
    let mut area = ScrollArea::vertical().id_salt("thumbnails").auto_shrink([false, false]);
    if let Some(offset) = scroll_offset(state, columns) {
        area = area.vertical_scroll_offset(offset);
    }
    let shown = area.show_rows(ui, look::THUMBNAIL, rows, |ui, visible| {
        let ahead = (visible.end + AHEAD).min(rows);
        for row in visible.clone() {
            ui.horizontal(|ui| {
                let last = ((row + 1) * columns).min(state.list.ids.len());
                for place in row * columns..last {
                    let id = state.list.ids[place];
                    if cell_ui(ui, session, data, id, pictures, whole.has_focus()) {
                        asks.push(Ask::Focus(id));
                        ui.memory_mut(|m| m.request_focus(focus_id));
                    }
                }
            });
        }
        visible.start * columns..(ahead * columns).min(state.list.ids.len())
    });
    (state.offset, state.height) = (shown.state.clamped_offset().y, shown.inner_rect.height());
    request(session, state, shown.inner, pictures, asks);
}

/// Where to scroll so that an example asked for is in view; nothing if it already is.
fn scroll_offset(state: &mut ExamplesState, columns: usize) -> Option<f32> {
    let place = state.list.place(state.scroll_to.take()?)?;
    let top = (place / columns) as f32 * CELL;
    if top < state.offset {
        Some(top)
    } else if top + CELL > state.offset + state.height {
        Some((top + CELL - state.height).max(0.0))
    } else {
        None
    }
}

/// Asks for the visible pictures that are missing; once, until others are missing or an answer may have been dropped.
fn request(
    session: &Session,
    state: &mut ExamplesState,
    visible: std::ops::Range<usize>,
    pictures: &Pictures,
    asks: &mut Vec<Ask>,
) {
    let images = state.list.ids[visible].iter().filter_map(|id| session.image_of(*id));
    let mut missing: Vec<ImageId> = images.filter(|image| !pictures.small.has(*image)).collect();
    let mut seen = std::collections::HashSet::new();
    missing.retain(|image| seen.insert(*image));
    let (generation, asked) = &state.asked;
    let known = *generation == session.generation() && missing.iter().all(|image| asked.contains(image));
    if !missing.is_empty() && !known {
        state.asked = (session.generation(), missing.clone());
        asks.push(Ask::Thumbnails(missing));
    }
}

fn keyboard_ui(
    ui: &Ui,
    focus_id: Id,
    columns: usize,
    session: &Session,
    state: &mut ExamplesState,
    asks: &mut Vec<Ask>,
) {
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(focus_id, filter));
    let step: isize = ui.input(|input| {
        let presses = |key| isize::try_from(input.num_presses(key)).unwrap_or(0);
        let columns = isize::try_from(columns).unwrap_or(1);
        presses(Key::ArrowRight) - presses(Key::ArrowLeft) + columns * (presses(Key::ArrowDown) - presses(Key::ArrowUp))
    });
    if step == 0 {
        return;
    }
    let last = state.list.ids.len() - 1;
    let here = session.focused.and_then(|id| state.list.place(id));
    let place = here.map_or(0, |p| p.saturating_add_signed(step).min(last));
    let id = state.list.ids[place];
    state.reveal(id);
    asks.push(Ask::Focus(id));
}

fn cell_ui(
    ui: &mut Ui,
    session: &Session,
    data: &DataInfo,
    id: ExampleId,
    pictures: &mut Pictures,
    grid_focus: bool,
) -> bool {
    let side = look::THUMBNAIL;
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::CLICK);
    let outcome = session.outcome(id);
    let Some(example) = session.example(id) else { return false };
    let focused = session.focused == Some(id);
    response.widget_info(|| {
        let verdict = match outcome.map(|o| o.value.right) {
            Some(true) => "right",
            Some(false) => "wrong",
            None => "not judged",
        };
        let title = data.benchmarks.get(id.benchmark).map_or("", |b| b.title.as_str());
        let text = format!("{title} {}: {}, {verdict}", id.example + 1, example.right);
        WidgetInfo::selected(egui::Role::Button, true, focused, text)
    });
    if !ui.is_rect_visible(rect) {
        return response.clicked();
    }
    let painter = ui.painter();
    let image = ImageId { benchmark: id.benchmark, image: example.image };
    picture(painter, ui, rect, &pictures.small.get(image));
    if let Some(outcome) = outcome {
        let color = if outcome.value.right { look::right(ui.visuals()) } else { look::wrong(ui.visuals()) };
        let color = if outcome.stale { color.gamma_multiply(look::DIM) } else { color };
        let center = pos2(rect.right() - 9.0, rect.bottom() - 9.0);
        painter.circle_filled(center, 8.0, look::panel(ui.visuals()));
        look::verdict_mark(painter, center, 6.5, outcome.value.right, color);
    }
    if focused {
        let color = if grid_focus { look::accent(ui.visuals()) } else { look::strong(ui.visuals()) };
        painter.rect_stroke(rect, 3.0, Stroke::new(2.5, color), egui::StrokeKind::Inside);
    } else if response.hovered() {
        painter.rect_stroke(rect, 3.0, Stroke::new(1.0, look::weak(ui.visuals())), egui::StrokeKind::Inside);
    }
    response.on_hover_text(&example.right).clicked()
}

/// Paints a picture in its proportions, or the ground where it will be.
pub fn picture(painter: &Painter, ui: &Ui, rect: Rect, held: &Held) {
    painter.rect_filled(rect, 3.0, look::sunken(ui.visuals()));
    match held {
        Held::Missing => {}
        Held::Ready(texture) => {
            let size = texture.size_vec2();
            let scale = (rect.width() / size.x).min(rect.height() / size.y);
            let inner = Rect::from_center_size(rect.center(), size * scale);
            let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture.id(), inner, uv, egui::Color32::WHITE);
        }
        Held::Failed(_) => {
            let color = look::weak(ui.visuals());
            painter.text(
                rect.center(),
                egui::Align2::CENTER_CENTER,
                "no picture",
                egui::FontId::proportional(10.0),
                color,
            );
        }
    }
}

fn detail_ui(ui: &mut Ui, session: &Session, state: &mut ExamplesState, pictures: &mut Pictures, asks: &mut Vec<Ask>) {
    let Some((id, image)) = session.focused.and_then(|id| Some((id, session.image_of(id)?))) else {
        ui.label(look::label("Choose an example to see its captions scored"));
        return;
    };
    let key = (session.generation(), image);
    if !pictures.large.has(image) && state.asked_large != Some(key) {
        state.asked_large = Some(key);
        asks.push(Ask::Picture(image));
    }
    let area = ScrollArea::vertical().id_salt("detail").auto_shrink([false, false]);
    area.show(ui, |ui| example_detail_ui(ui, session, id, image, pictures));
}
