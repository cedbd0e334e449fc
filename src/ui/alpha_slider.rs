//! One slider from base to tuned whose track wears the colours of alpha.

use eframe::egui;
use eframe::egui::{
    Align2, Color32, EventFilter, FontId, Key, Rect, Response, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::look;
use crate::patch::Alpha;

/// One press of an arrow key.
const STEP: f64 = 0.01;
/// One press of a page key, or of an arrow with Shift.
const BIG_STEP: f64 = 0.05;
const TRACK: f32 = 10.0;
const HANDLE: f32 = 9.0;

/// Shows a slider as wide as the room; marks are clickable ticks with their labels. Returns the new alpha if it moved.
/// Arrows step 0.01, with Shift or page keys 0.05; Home and End go to the ends; a double click asks for `home`.
pub fn alpha_slider_ui(ui: &mut Ui, name: &str, alpha: Alpha, marks: &[(Alpha, String)], home: Alpha) -> Option<Alpha> {
    let height = if marks.is_empty() { 28.0 } else { 46.0 };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click_and_drag());
    let track = Rect::from_min_size(
        pos2(rect.left() + HANDLE, rect.top() + 14.0 - TRACK / 2.0),
        vec2((rect.width() - 2.0 * HANDLE).max(1.0), TRACK),
    );
    let moved = by_pointer(&response, track, home).or_else(|| by_keyboard(ui, &response, alpha));
    let clicked = marks_ui(ui, track, marks);
    let now = clicked.or(moved).unwrap_or(alpha);
    declare(ui, &response, name, now);
    paint(ui, &response, track, now);
    let response = response.on_hover_text("Arrows 0.01 · Shift or page keys 0.05 · Home and End · double click: best");
    if response.drag_started() || response.clicked() {
        response.request_focus();
    }
    (now != alpha).then_some(now)
}

fn by_pointer(response: &Response, track: Rect, home: Alpha) -> Option<Alpha> {
    if response.double_clicked() {
        return Some(home);
    }
    let pointed = response.dragged() || response.clicked();
    let x = response.interact_pointer_pos().filter(|_| pointed)?.x;
    let t = f64::from((x - track.left()) / track.width());
    Some(Alpha::clamped((t * 100.0).round() / 100.0))
}

fn by_keyboard(ui: &Ui, response: &Response, alpha: Alpha) -> Option<Alpha> {
    let (mut steps, mut target) = (0.0, None);
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
        ui.input(|input| {
            let size = if input.modifiers.shift { BIG_STEP } else { STEP };
            let presses = |key| input.num_presses(key) as f64;
            steps += size * (presses(Key::ArrowRight) + presses(Key::ArrowUp));
            steps -= size * (presses(Key::ArrowLeft) + presses(Key::ArrowDown));
            steps += BIG_STEP * (presses(Key::PageUp) - presses(Key::PageDown));
            if input.key_pressed(Key::Home) {
                target = Some(Alpha::BASE);
            } else if input.key_pressed(Key::End) {
                target = Some(Alpha::TUNED);
            }
        });
    }
    ui.input(|input| {
        use egui::accesskit::{Action, ActionData};
        steps += STEP * input.num_accesskit_action_requests(response.id, Action::Increment) as f64;
        steps -= STEP * input.num_accesskit_action_requests(response.id, Action::Decrement) as f64;
        for request in input.accesskit_action_requests(response.id, Action::SetValue) {
            if let Some(ActionData::NumericValue(value)) = request.data {
                target = Some(Alpha::clamped(value));
            }
        }
    });
    target.or_else(|| (steps != 0.0).then(|| Alpha::clamped(((alpha.get() + steps) * 100.0).round() / 100.0)))
}

/// Ticks under the track; a click on one goes there.
fn marks_ui(ui: &Ui, track: Rect, marks: &[(Alpha, String)]) -> Option<Alpha> {
    let mut chosen = None;
    let mut taken = f32::NEG_INFINITY;
    for (alpha, text) in marks {
        let x = track.left() + track.width() * alpha.get() as f32;
        let font = FontId::proportional(11.0);
        let galley = ui.painter().layout_no_wrap(text.clone(), font, look::weak(ui.visuals()));
        let left = (x - galley.size().x / 2.0).clamp(track.left() - HANDLE, track.right() + HANDLE - galley.size().x);
        let rect = Rect::from_min_size(pos2(left, track.bottom() + 9.0), galley.size()).expand(2.0);
        let response = ui.interact(rect, ui.scope_id().with(("mark", text)), Sense::click());
        let color = if response.hovered() || response.has_focus() {
            look::strong(ui.visuals())
        } else {
            look::weak(ui.visuals())
        };
        let tick = [pos2(x, track.bottom() + 2.0), pos2(x, track.bottom() + 7.0)];
        ui.painter().line_segment(tick, Stroke::new(1.0, color));
        if rect.left() > taken {
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, FontId::proportional(11.0), color);
            taken = rect.right();
        }
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Go to {text}")));
        if response.clicked() {
            chosen = Some(*alpha);
        }
    }
    chosen
}

fn declare(ui: &Ui, response: &Response, name: &str, alpha: Alpha) {
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), alpha.get(), name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        use egui::accesskit::Action;
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(1.0);
        node.set_numeric_value_step(STEP);
        for action in [Action::SetValue, Action::Increment, Action::Decrement] {
            node.add_action(action);
        }
    });
}

fn paint(ui: &Ui, response: &Response, track: Rect, alpha: Alpha) {
    let visuals = ui.visuals();
    let painter = ui.painter();
    look::ramp(painter, visuals, track);
    let center = pos2(track.left() + track.width() * alpha.get() as f32, track.center().y);
    let ring = if response.has_focus() {
        Stroke::new(2.5, look::accent(visuals))
    } else {
        Stroke::new(2.0, look::strong(visuals))
    };
    let grown = if response.hovered() || response.dragged() { 1.0 } else { 0.0 };
    painter.circle(center, HANDLE + grown, look::alpha_color(visuals, alpha.get()), ring);
    painter.circle_filled(center, 2.0, Color32::WHITE);
}
