//! What is drawn: the view, the axes, the lines, and what the best alpha may lose.

use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::{self, Button, Checkbox, DragValue, PopupCloseBehavior, RichText, ScrollArea, Stroke, Ui};

use super::brush::{series_color, shape_of};
use super::earlier::earlier_legend_ui;
use super::export::export_menu_ui;
use super::state::{TradeoffState, View, all_series};
use crate::session::{Series, Session};
use crate::ui::ask::Ask;
use crate::ui::look;

/// Shows the controls and, where lines share a plot, the legend.
pub fn controls_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState, asks: &mut Vec<Ask>) {
    ui.horizontal_wrapped(|ui| {
        for (view, text, hover) in [
            (View::Tradeoff, "Trade-off", "One score against another, a point for every alpha"),
            (View::OverAlpha, "Over alpha", "Scores against alpha in one plot"),
            (View::Multiples, "Tasks over alpha", "A small plot for every task"),
            (View::Map, "Map", "The alpha of the image tower against that of the text tower"),
        ] {
            if ui.selectable_label(state.view == view, text).on_hover_text(hover).clicked() {
                state.view = view;
            }
        }
        if state.view != View::Multiples {
            view_menu_ui(ui, session, state);
        }
        export_menu_ui(ui, session, state, asks);
        if let Some(progress) = session.progress.as_ref().filter(|p| p.done < p.total) {
            ui.label(look::label(format!("{} of {} alphas", progress.done, progress.total)));
        }
    });
    if matches!(state.view, View::Tradeoff | View::OverAlpha) {
        legend_ui(ui, session, state, asks);
    }
}

/// Axes, lines and the budget: what is set once and then left alone.
fn view_menu_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState) {
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    MenuButton::new("Axes and lines…").config(config).ui(ui, |ui| {
        ui.set_min_width(280.0);
        axis_ui(ui, session, state, 1, "Gain on y");
        axis_ui(ui, session, state, 0, "Cost on x");
        budget_ui(ui, state);
        published_ui(ui, state);
        ui.separator();
        lines_ui(ui, session, state);
    });
}

fn axis_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState, axis: usize, label: &str) {
    let chosen = state.axes[axis];
    // A combo box would close the menu that it stands in.
    ui.menu_button(format!("{label}: {}", session.series_title(chosen)), |ui| {
        ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
            for series in all_series(session.data.as_deref()) {
                if ui.selectable_label(series == chosen, session.series_title(series)).clicked() {
                    state.set_axis(axis, series);
                    ui.close();
                }
            }
        });
    });
}

fn budget_ui(ui: &mut Ui, state: &mut TradeoffState) {
    let Some(budget) = state.budget() else { return };
    ui.horizontal(|ui| {
        ui.label("Best may lose");
        let mut value = budget;
        let drag = DragValue::new(&mut value).range(0.0..=100.0).speed(0.1).fixed_decimals(1).suffix(" points");
        let response = ui.add(drag);
        response.widget_info(|| egui::WidgetInfo::drag_value(true, budget));
        let response = response.accessible_name("Points of x that the best alpha may lose");
        let hover = "The best alpha has the highest y of those that lose at most so many points of x against base; the \
                     dashed line in the plot can be dragged as well";
        if response.on_hover_text(hover).changed() {
            state.budget = Some(value);
        }
        if state.budget.is_some() && ui.button("A third of tuned's").clicked() {
            state.budget = None;
        }
    });
}

fn published_ui(ui: &mut Ui, state: &mut TradeoffState) {
    let any = !state.landmarks().is_empty();
    let mut on = state.published;
    let response = ui.add_enabled(any, Checkbox::new(&mut on, "Published models"));
    let hover = "Scores of other models on ImageNet and the real benchmarks, each with its source: a landmark, no \
                 comparison, beside other data";
    if response.on_hover_text(hover).on_disabled_hover_text("No published model has both scores").changed() {
        state.published = on;
        state.ranges = None;
    }
}

fn lines_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState) {
    let bold = state.axes[1];
    ScrollArea::vertical().max_height(280.0).show(ui, |ui| {
        for series in all_series(session.data.as_deref()).into_iter().filter(|series| *series != bold) {
            let shown = state.shown(session.data.as_deref());
            let mut on = shown.contains(&series);
            if ui.checkbox(&mut on, session.series_title(series)).changed() {
                if on {
                    shown.insert(series);
                } else {
                    shown.remove(&series);
                }
            }
        }
    });
}

/// Names the lines; all but the bold one hide when clicked.
fn legend_ui(ui: &mut Ui, session: &Session, state: &mut TradeoffState, asks: &mut Vec<Ask>) {
    ui.horizontal_wrapped(|ui| {
        let [x, y] = state.axes;
        chip_ui(ui, session, y, true);
        let against_alpha = state.view == View::OverAlpha;
        if against_alpha && x != y {
            chip_ui(ui, session, x, true);
        }
        let shown: Vec<Series> = state.shown(session.data.as_deref()).iter().copied().collect();
        for series in shown.into_iter().filter(|series| *series != y && !(against_alpha && *series == x)) {
            if chip_ui(ui, session, series, false) {
                state.shown(None).remove(&series);
            }
        }
        earlier_legend_ui(ui, session, asks);
    });
}

/// A legend entry; true when its line is to be hidden. Lines of the axes always stay.
fn chip_ui(ui: &mut Ui, session: &Session, series: Series, stays: bool) -> bool {
    let title = session.series_title(series);
    let text = RichText::new(format!("            {title}")).small();
    let response = ui.add(Button::new(text).frame(false).small());
    let name = if stays { title.to_owned() } else { format!("Hide {title}") };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    let color = series_color(ui.visuals(), series);
    let center = response.rect.left_center() + egui::vec2(16.0, 0.0);
    let width = if stays { 2.5 } else { 1.2 };
    ui.painter().hline(center.x - 8.0..=center.x + 8.0, center.y, Stroke::new(width, color));
    look::shape_mark(ui.painter(), center, 3.0, shape_of(series), color, Stroke::NONE);
    let hover = if stays { "The score of an axis; choose it under Axes and lines" } else { "Click to hide this line" };
    response.on_hover_text(hover).clicked() && !stays
}
