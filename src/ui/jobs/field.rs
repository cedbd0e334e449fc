//! One field of the form: its name, its value, its unit, and what is wrong with it.

use clove_training::recipe::{Field, Kind};
use eframe::egui::{self, Align, ComboBox, Label, Layout, Response, RichText, Sense, TextEdit, Ui, WidgetInfo, vec2};

use crate::session::Draft;
use crate::ui::ask::{Ask, JobAsk};
use crate::ui::look;

/// Width of the names.
const NAME: f32 = 150.0;
/// Width of numbers and choices.
const NUMBER: f32 = 132.0;

/// Shows one field and writes what is typed into the draft.
pub fn field_ui(ui: &mut Ui, field: &Field, draft: &mut Draft, asks: &mut Vec<Ask>) {
    ui.horizontal(|ui| {
        name_ui(ui, field, draft.is_changed(field.key));
        let mut text = draft.text(field.key).to_owned();
        let response = value_ui(ui, field, &mut text, draft.error(field.key).is_some());
        if text != draft.text(field.key) {
            draft.set(field.key, text);
        }
        response.on_hover_text(field.doc);
        if !field.unit.is_empty() {
            ui.label(look::label(field.unit));
        }
        choose_ui(ui, field, asks);
    });
    if let Some(error) = draft.error(field.key) {
        ui.horizontal(|ui| {
            ui.add_space(NAME);
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            let color = ui.visuals().error_fg_color;
            look::verdict_mark(ui.painter(), rect.center(), 5.0, false, color);
            ui.add(Label::new(RichText::new(error).small().color(color)).wrap());
        });
    }
}

fn name_ui(ui: &mut Ui, field: &Field, is_changed: bool) {
    ui.allocate_ui_with_layout(vec2(NAME, 20.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(NAME);
        let name = RichText::new(field.label);
        let name = if is_changed { name.strong() } else { name };
        ui.add(Label::new(name).truncate()).on_hover_text(field.doc);
    });
}

fn value_ui(ui: &mut Ui, field: &Field, text: &mut String, is_wrong: bool) -> Response {
    let color = is_wrong.then(|| ui.visuals().error_fg_color);
    let room = (ui.available_width() - 92.0).clamp(120.0, 300.0);
    match field.kind {
        Kind::Flag => flag_ui(ui, field, text),
        Kind::Choice(choices) => choice_ui(ui, field, choices, text),
        Kind::Paths => {
            let edit = TextEdit::multiline(text).desired_rows(2).desired_width(room).hint_text("One a line");
            ui.add(edit.text_color_opt(color)).accessible_name(field.label)
        }
        kind => {
            let hint = match kind {
                Kind::OptionalWhole | Kind::OptionalNumber => "none",
                Kind::Words => "apart by commas",
                _ => "",
            };
            let is_number = !matches!(kind, Kind::Text | Kind::Path | Kind::Words);
            let width = if is_number { NUMBER } else { room };
            let edit = TextEdit::singleline(text).desired_width(width).hint_text(hint);
            ui.add(edit.text_color_opt(color)).accessible_name(field.label)
        }
    }
}

fn flag_ui(ui: &mut Ui, field: &Field, text: &mut String) -> Response {
    let mut on = text == "true";
    let response = ui.checkbox(&mut on, "");
    response.widget_info(|| WidgetInfo::selected(egui::Role::CheckBox, true, on, field.label));
    *text = on.to_string();
    response
}

fn choice_ui(ui: &mut Ui, field: &Field, choices: &[&str], text: &mut String) -> Response {
    let said = |choice: &str| if choice.is_empty() { "automatic".to_owned() } else { choice.to_owned() };
    let combo = ComboBox::from_id_salt(field.key).width(NUMBER).selected_text(said(text));
    let response = combo.show_ui(ui, |ui| {
        for choice in choices {
            if ui.selectable_label(text.as_str() == *choice, said(choice)).clicked() {
                (*choice).clone_into(text);
            }
        }
    });
    response.response.accessible_name(field.label)
}

/// A dialog for fields that take paths.
fn choose_ui(ui: &mut Ui, field: &Field, asks: &mut Vec<Ask>) {
    if !matches!(field.kind, Kind::Path | Kind::Paths) {
        return;
    }
    let response = ui.small_button("Choose…");
    let name = format!("Choose {}", field.label.to_lowercase());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &name));
    if response.clicked() {
        asks.push(Ask::Job(JobAsk::ChooseField { key: field.key, is_folder: field.key != "base" }));
    }
}
