//! Toasts for what just happened, and the list of everything that did.

use std::collections::BTreeMap;

use eframe::egui;
use eframe::egui::{Align2, Area, Context, Frame, Id, Order, RichText, ScrollArea, Ui, vec2};

use super::look;
use crate::session::{Gravity, Notice, Notices};

/// Seconds for which a toast stays.
const STAYS: f64 = 8.0;
/// Toasts at a time.
const AT_ONCE: usize = 3;

/// The window's view of the notices.
#[derive(Clone, Debug, Default)]
pub struct NoticesState {
    /// Whether the list is open.
    pub open: bool,
    since: BTreeMap<u64, f64>,
    dismissed_below: u64,
}

/// Shows the newest notices for a few seconds each.
pub fn toasts_ui(ctx: &Context, notices: &Notices, state: &mut NoticesState) {
    if state.open {
        return;
    }
    let now = ctx.time();
    let fresh: Vec<&Notice> = notices.list().iter().filter(|n| n.id >= state.dismissed_below).collect();
    let mut bottom = -40.0;
    for notice in fresh.into_iter().rev().take(AT_ONCE) {
        let since = *state.since.entry(notice.id).or_insert(now);
        let left = since + STAYS - now;
        if left <= 0.0 {
            state.dismissed_below = state.dismissed_below.max(notice.id + 1);
            continue;
        }
        ctx.request_repaint_after_secs(left as f32);
        let area = Area::new(Id::unique(("toast", notice.id))).order(Order::Foreground);
        let area = area.anchor(Align2::RIGHT_BOTTOM, vec2(-12.0, bottom)).accessible_name("Notice");
        let shown = area.show(ctx, |ui| toast_ui(ui, notice, state));
        bottom -= shown.response.rect.height() + look::STEP;
    }
    state.since.retain(|id, _| *id >= state.dismissed_below);
}

fn toast_ui(ui: &mut Ui, notice: &Notice, state: &mut NoticesState) {
    Frame::popup(ui.style()).inner_margin(10.0).show(ui, |ui| {
        ui.set_max_width(340.0);
        summary_ui(ui, notice);
        ui.horizontal(|ui| {
            if ui.small_button("Details").clicked() {
                state.open = true;
            }
            if ui.small_button("Dismiss").clicked() {
                state.dismissed_below = notice.id + 1;
            }
        });
    });
}

/// Shows the list window while it is open.
pub fn notices_window_ui(ctx: &Context, notices: &mut Notices, state: &mut NoticesState) {
    if !state.open {
        return;
    }
    notices.unread = 0;
    state.dismissed_below = notices.list().last().map_or(0, |n| n.id + 1);
    let mut open = true;
    let window = egui::Window::new("Notices").open(&mut open).default_size([480.0, 320.0]).collapsible(false);
    window.pivot(Align2::CENTER_CENTER).default_pos(ctx.content_rect().center()).show(ctx, |ui| {
        if notices.list().is_empty() {
            ui.label(RichText::new("Nothing to report").weak());
            return;
        }
        let mut clear = false;
        ScrollArea::vertical().auto_shrink([false, true]).max_height(320.0).show(ui, |ui| {
            for notice in notices.list().iter().rev() {
                entry_ui(ui, notice);
                ui.separator();
            }
        });
        clear |= ui.button("Clear").clicked();
        if clear {
            notices.clear();
        }
    });
    state.open = open;
}

fn entry_ui(ui: &mut Ui, notice: &Notice) {
    summary_ui(ui, notice);
    ui.horizontal(|ui| {
        if notice.times > 1 {
            ui.label(look::label(format!("{} times", notice.times)));
        }
        let copy = ui.small_button("Copy");
        let name = format!("Copy the details of: {}", notice.summary);
        copy.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        if copy.clicked() {
            ui.ctx().copy_text(format!("{}\n{}", notice.summary, notice.details).trim_end().to_owned());
        }
    });
    if !notice.details.is_empty() {
        ui.label(look::digits(&notice.details).small().weak());
    }
}

fn summary_ui(ui: &mut Ui, notice: &Notice) {
    let color = match notice.gravity {
        Gravity::Failure => ui.visuals().error_fg_color,
        Gravity::Warning => ui.visuals().warn_fg_color,
        Gravity::News => look::accent(ui.visuals()),
    };
    let word = match notice.gravity {
        Gravity::Failure => "Failed",
        Gravity::Warning => "Warning",
        Gravity::News => "Done",
    };
    ui.label(RichText::new(word).small().color(color));
    ui.label(&notice.summary);
}
