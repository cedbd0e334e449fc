//! The recipe form: presets above, fields on the left, checks and the way out on the right.

use std::path::Path;

use clove_training::Recipe;
use clove_training::recipe::{FIELDS, Group};
use eframe::egui::{
    self, Align2, CollapsingHeader, Context, Key, Modifiers, Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2,
};

use super::checks::checks_ui;
use super::field::field_ui;
use crate::jobs::{JobId, JobsCommand};
use crate::session::jobs::Trial;
use crate::session::{Draft, PRESETS, Session};
use crate::ui::ask::{Ask, JobAsk};
use crate::ui::look::{self, words};

const SIZE: egui::Vec2 = vec2(800.0, 620.0);
/// Width of the right side.
const ASIDE: f32 = 268.0;
/// Seconds without a change before a recipe is checked.
const PAUSE: f64 = 0.3;

const GROUPS: [Group; 7] =
    [Group::Run, Group::Data, Group::Negatives, Group::Optimizer, Group::Model, Group::Evaluation, Group::Checkpoints];

/// The form, while it is open.
#[derive(Debug, Default)]
pub struct FormState(Option<Form>);

/// An open form.
#[derive(Debug)]
pub(super) struct Form {
    pub draft: Draft,
    /// The queued job whose recipe is changed; a new job without.
    pub editing: Option<JobId>,
    pub open_when_done: bool,
    /// What was sent to be checked last.
    pub asked: Option<Recipe>,
    changed: Option<f64>,
}

impl FormState {
    /// Shows a recipe: for a new job, or to change a job that waits.
    pub fn open(&mut self, recipe: Recipe, editing: Option<JobId>) {
        let draft = Draft::new(recipe);
        self.0 = Some(Form { draft, editing, open_when_done: true, asked: None, changed: None });
    }

    /// A recipe that was read from a file takes the place of what the form holds.
    pub fn take(&mut self, recipe: Recipe) {
        match &mut self.0 {
            Some(form) => form.draft = Draft::new(recipe),
            None => self.open(recipe, None),
        }
    }

    /// A chosen path goes into a field; a list gets one more.
    pub fn choose(&mut self, key: &str, path: &Path) {
        let Some(form) = &mut self.0 else { return };
        let mut text = path.display().to_string();
        if key == "data" && !form.draft.text(key).trim().is_empty() {
            text = format!("{}\n{text}", form.draft.text(key).trim_end());
        }
        form.draft.set(key, text);
    }
}

/// Shows the form while it is open.
pub fn form_window_ui(ctx: &Context, session: &Session, state: &mut FormState, asks: &mut Vec<Ask>) {
    let Some(form) = &mut state.0 else { return };
    form.ask(ctx, asks);
    let title = match &form.editing {
        Some(id) => format!("Recipe of {id}"),
        None => "Fine-tune".to_owned(),
    };
    let size = SIZE.min(ctx.content_rect().size() - vec2(64.0, 88.0));
    let (mut open, mut done) = (true, false);
    let window = egui::Window::new(title).id(egui::Id::unique("fine-tune")).open(&mut open).collapsible(false);
    let window = window.resizable(false).pivot(Align2::CENTER_CENTER).default_pos(ctx.content_rect().center());
    window.fixed_size(size).show(ctx, |ui| {
        ui.set_min_size(ui.max_rect().size());
        // Boxes must stand out from a window's ground too.
        ui.visuals_mut().text_edit_bg_color = Some(look::sunken(ui.visuals()));
        let room = ui.max_rect();
        presets_ui(ui, form, asks);
        let room = Rect::from_min_max(pos2(room.left(), ui.cursor().top()), room.max);
        let middle = room.right() - ASIDE;
        let left = Rect::from_min_max(room.min, pos2(middle - look::STEP, room.bottom()));
        let right = Rect::from_min_max(pos2(middle + look::STEP, room.top()), room.max);
        ui.painter().vline(middle, room.y_range(), egui::Stroke::new(1.0, look::hairline(ui.visuals())));
        ui.scope_builder(UiBuilder::new().max_rect(left).id_salt("fields"), |ui| fields_ui(ui, form, asks));
        let aside = UiBuilder::new().max_rect(right).id_salt("checks");
        done = ui.scope_builder(aside, |ui| checks_ui(ui, session, form, asks)).inner;
    });
    let escaped = !ctx.text_edit_focused() && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    if !open || done || escaped {
        if session.jobs.trial == Trial::Running {
            asks.push(Ask::Job(JobAsk::Send(JobsCommand::CancelTrial)));
        }
        state.0 = None;
    }
}

impl Form {
    /// Has the recipe checked once nothing has changed for a moment.
    fn ask(&mut self, ctx: &Context, asks: &mut Vec<Ask>) {
        let Some(recipe) = self.draft.recipe().filter(|recipe| self.asked.as_ref() != Some(recipe)) else {
            self.changed = None;
            return;
        };
        let now = ctx.time();
        let since = *self.changed.get_or_insert(now);
        if self.asked.is_none() || now - since >= PAUSE {
            asks.push(Ask::Job(JobAsk::Send(JobsCommand::Check(Box::new(recipe.clone())))));
            self.asked = Some(recipe.clone());
            self.changed = None;
        } else {
            ctx.request_repaint_after_secs(PAUSE as f32);
        }
    }
}

fn presets_ui(ui: &mut Ui, form: &mut Form, asks: &mut Vec<Ask>) {
    ui.horizontal(|ui| {
        ui.label(look::label("Begin with"));
        for preset in PRESETS {
            if ui.button(preset.label).on_hover_text(preset.about).clicked() {
                match preset.recipe() {
                    Ok(recipe) => form.draft = Draft::new(recipe),
                    Err(error) => asks.push(Ask::Complain(error.to_string())),
                }
            }
        }
        let hover = "A recipe in TOML, as clove train takes it; every run folder holds its own";
        if ui.button("From a file…").on_hover_text(hover).clicked() {
            asks.push(Ask::Job(JobAsk::ChooseRecipe));
        }
    });
    ui.separator();
}

fn fields_ui(ui: &mut Ui, form: &mut Form, asks: &mut Vec<Ask>) {
    ScrollArea::vertical().id_salt("recipe form").auto_shrink([false, false]).show(ui, |ui| {
        ui.add_space(2.0);
        for group in GROUPS {
            group_ui(ui, group, form, asks);
        }
    });
}

fn group_ui(ui: &mut Ui, group: Group, form: &mut Form, asks: &mut Vec<Ask>) {
    let fields = || FIELDS.iter().filter(|field| field.group == group);
    let wrong = fields().filter(|field| form.draft.error(field.key).is_some()).count();
    let changed = fields().filter(|field| form.draft.is_changed(field.key)).count();
    let title = match (wrong, changed) {
        (0, 0) => group.label().to_owned(),
        (0, n) => format!("{} · {n} changed", group.label()),
        (n, _) => format!("{} · {} to correct", group.label(), words::plural(n, "field")),
    };
    let color = if wrong > 0 { ui.visuals().error_fg_color } else { look::strong(ui.visuals()) };
    let header = CollapsingHeader::new(RichText::new(title).strong().color(color)).id_salt(group.label());
    let header = header.default_open(matches!(group, Group::Run | Group::Data | Group::Negatives));
    // A mistake must not hide.
    header.open((wrong > 0).then_some(true)).show(ui, |ui| {
        for field in fields() {
            field_ui(ui, field, &mut form.draft, asks);
        }
    });
}
