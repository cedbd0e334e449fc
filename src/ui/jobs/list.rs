//! All jobs, one row each: state by shape and colour, how far, how long still.

use eframe::egui::{
    self, Checkbox, Color32, Painter, Pos2, Rect, RichText, ScrollArea, Sense, Stroke, TextStyle, TextWrapMode, Ui,
    UiBuilder, Visuals, WidgetInfo, WidgetText, pos2, vec2,
};

use super::panel::runs_ui;
use super::state::JobsState;
use crate::jobs::{JobState, JobView};
use crate::session::Session;
use crate::ui::ask::{Ask, JobAsk};
use crate::ui::look::{self, words};

const HEIGHT: f32 = 44.0;

/// Shows the list.
pub fn list_ui(ui: &mut Ui, session: &Session, state: &mut JobsState) {
    ScrollArea::vertical().id_salt("jobs").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let chosen = state.chosen(&session.jobs).map(|job| job.id.clone());
        for job in session.jobs.list.iter() {
            row_ui(ui, job, chosen.as_ref() == Some(&job.id), state);
        }
        ui.add_space(look::STEP);
        runs_ui(ui, state);
    });
}

fn row_ui(ui: &mut Ui, job: &JobView, is_chosen: bool, state: &mut JobsState) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click());
    let said = format!("{}, {}", job.recipe.name, sentence(job));
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, is_chosen, &said));
    let visuals = ui.visuals();
    if is_chosen {
        ui.painter().rect_filled(rect, look::corners(), visuals.selection.bg_fill);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, look::corners(), visuals.faint_bg_color);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, look::corners(), visuals.selection.stroke, egui::StrokeKind::Inside);
    }
    state_mark(ui.painter(), visuals, pos2(rect.left() + 13.0, rect.top() + 14.0), 5.5, job.state);
    let left = rect.left() + 28.0;
    let width = rect.right() - left - 30.0;
    let line = |text: RichText, style: TextStyle, top: f32, color: Color32| {
        let galley = WidgetText::from(text).into_galley(ui, Some(TextWrapMode::Truncate), width, style);
        ui.painter().galley(pos2(left, rect.top() + top), galley, color);
    };
    line(RichText::new(&job.recipe.name), TextStyle::Body, 5.0, look::strong(visuals));
    line(RichText::new(sentence(job)), TextStyle::Small, 22.0, look::weak(visuals));
    let bar = Rect::from_min_max(pos2(left, rect.bottom() - 6.0), pos2(rect.right() - 8.0, rect.bottom() - 3.0));
    bar_ui(ui.painter(), visuals, bar, job);
    if response.on_hover_text(job.folder.display().to_string()).clicked() {
        state.choose(job.id.clone());
    }
    if !is_chosen {
        compare_ui(ui, rect, job, state);
    }
}

/// The box that draws a job's curves beside those of the chosen one.
fn compare_ui(ui: &mut Ui, row: Rect, job: &JobView, state: &mut JobsState) {
    let place = Rect::from_center_size(pos2(row.right() - 16.0, row.top() + 18.0), vec2(18.0, 18.0));
    let mut on = state.is_compared(&job.id);
    // A row of its own: what is put into it must not move the next one.
    let mut corner = ui.new_child(UiBuilder::new().max_rect(place).id_salt(&job.id.0));
    let response = corner.add(Checkbox::without_text(&mut on));
    let name = format!("Compare {}", job.recipe.name);
    response.widget_info(|| WidgetInfo::selected(egui::Role::CheckBox, true, on, &name));
    if response.on_hover_text("Draw its curves beside those of the chosen job").changed() {
        state.compare(&job.id, on);
    }
}

fn bar_ui(painter: &Painter, visuals: &Visuals, bar: Rect, job: &JobView) {
    painter.rect_filled(bar, 1.5, look::hairline(visuals));
    let share = (job.step as f32 / job.steps.max(1) as f32).clamp(0.0, 1.0);
    if share > 0.0 {
        let color = if job.state.is_live() { look::accent(visuals) } else { look::weak(visuals) };
        let filled = Rect::from_min_size(bar.min, vec2(bar.width() * share, bar.height()));
        painter.rect_filled(filled, 1.5, color);
    }
}

/// State, how far, how long still.
pub fn sentence(job: &JobView) -> String {
    let steps = format!("{} of {} steps", words::count(job.step as usize), words::count(job.steps as usize));
    match job.state {
        JobState::Queued => {
            let place = job.place.map_or(String::new(), |place| format!(", place {}", place + 1));
            format!("queued{place}")
        }
        JobState::Running if job.step == 0 => "starting…".to_owned(),
        JobState::Running => {
            let left = job.seconds_left.map(|seconds| format!("{} · ", words::left(seconds))).unwrap_or_default();
            format!("{left}{steps}")
        }
        JobState::Done => format!("done · {} steps", words::count(job.steps as usize)),
        state => format!("{} · {steps}", state.name()),
    }
}

/// A shape for every state, so that colour is not needed to tell them apart.
pub fn state_mark(painter: &Painter, visuals: &Visuals, center: Pos2, radius: f32, state: JobState) {
    let at = |x: f32, y: f32| center + vec2(x, y) * radius;
    let weak = look::weak(visuals);
    match state {
        JobState::Queued => {
            painter.circle_stroke(center, radius * 0.8, Stroke::new(1.4, weak));
        }
        JobState::Running => {
            let play = vec![at(-0.7, -0.9), at(0.9, 0.0), at(-0.7, 0.9)];
            painter.add(egui::Shape::convex_polygon(play, look::accent(visuals), Stroke::NONE));
        }
        JobState::Stopping => {
            let square = Rect::from_center_size(center, vec2(1.4, 1.4) * radius);
            painter.rect_stroke(square, 1.0, Stroke::new(1.4, look::accent(visuals)), egui::StrokeKind::Inside);
        }
        JobState::Stopped => {
            painter.rect_filled(Rect::from_center_size(center, vec2(1.4, 1.4) * radius), 1.0, weak);
        }
        JobState::Interrupted => look::caution_mark(painter, center, radius, visuals.warn_fg_color),
        JobState::Failed => look::verdict_mark(painter, center, radius, false, look::wrong(visuals)),
        JobState::Done => look::verdict_mark(painter, center, radius, true, look::right(visuals)),
    }
}

/// For the status line: the job that runs.
pub fn status_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    let Some(job) = session.jobs.running() else { return };
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
    state_mark(ui.painter(), ui.visuals(), rect.center(), 5.0, job.state);
    let text = format!("{} · {}", job.recipe.name, sentence(job));
    let button = egui::Button::new(RichText::new(text).small()).frame(false);
    let response = ui.add(button);
    if response.on_hover_text("A fine-tune runs in a process of its own; click to see it").clicked() {
        asks.push(Ask::Job(JobAsk::Show(job.id.clone())));
    }
}
