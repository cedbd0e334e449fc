//! A path typed into a small window, where no file dialog can be opened.

use eframe::egui::{self, Align2, Context, Key, Label, RichText, TextEdit};

use super::chooser::Choice;
use super::look;

/// A path that is being typed.
#[derive(Debug)]
pub struct TypedPath {
    choice: Choice,
    path: String,
    began: bool,
}

impl TypedPath {
    /// For an export its usual name stands there already.
    pub fn new(choice: Choice) -> Self {
        let path = if let Choice::Export(kind) = choice { kind.file_name() } else { "" };
        Self { choice, path: path.to_owned(), began: false }
    }

    fn title(&self) -> &'static str {
        match self.choice {
            Choice::Export(_) => "Save as",
            Choice::Data | Choice::FieldFolder(_) => "Path of the folder",
            Choice::Checkpoint(_) | Choice::Recipe | Choice::FieldFile(_) => "Path of the file",
        }
    }
}

/// Shows the window while there is something to type; gives what was typed once it is accepted.
pub fn typed_path_ui(ctx: &Context, state: &mut Option<TypedPath>) -> Option<(Choice, String)> {
    let typed = state.as_mut()?;
    let (mut open, mut accepted, mut cancelled) = (true, false, false);
    let window = egui::Window::new(typed.title()).open(&mut open).collapsible(false).resizable(false);
    window.pivot(Align2::CENTER_CENTER).default_pos(ctx.content_rect().center()).show(ctx, |ui| {
        ui.set_width(420.0);
        let why = "No file dialog could be opened: it takes a desktop portal or zenity. A path does as well.";
        ui.add(Label::new(look::label(why)).wrap());
        let edit = TextEdit::singleline(&mut typed.path).desired_width(f32::INFINITY);
        let field = ui.add(edit).accessible_name("Path");
        if !std::mem::replace(&mut typed.began, true) {
            field.request_focus();
        }
        if let Choice::Export(_) = typed.choice {
            let folder = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
            ui.add(Label::new(RichText::new(format!("In {folder} unless it begins with /")).small().weak()).truncate());
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.horizontal(|ui| {
            let name = if matches!(typed.choice, Choice::Export(_)) { "Save" } else { "Open" };
            let ready = !typed.path.trim().is_empty();
            accepted = ui.add_enabled(ready, egui::Button::new(name)).clicked() || entered && ready;
            cancelled = ui.button("Cancel").clicked() || ui.input(|input| input.key_pressed(Key::Escape));
        });
    });
    if !accepted && !cancelled && open {
        return None;
    }
    let typed = state.take()?;
    (accepted && !cancelled).then(|| (typed.choice, typed.path.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Kind;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    type State = (Option<TypedPath>, Option<(Choice, String)>);

    fn window(choice: Choice) -> Harness<'static, State> {
        let show = |ui: &mut egui::Ui, state: &mut State| {
            if let Some(answer) = typed_path_ui(ui.ctx(), &mut state.0) {
                state.1 = Some(answer);
            }
        };
        Harness::new_ui_state(show, (Some(TypedPath::new(choice)), None))
    }

    #[test]
    fn an_export_has_a_name_that_can_be_changed() {
        let mut window = window(Choice::Export(Kind::Svg));
        window.get_by_label("Path").type_text("/tmp/");
        window.run();
        window.get_by_label("Save").click();
        window.run();
        let (open, answer) = window.state();
        assert!(open.is_none());
        let (choice, path) = answer.clone().unwrap();
        assert_eq!(choice, Choice::Export(Kind::Svg));
        assert!(path.contains("figure.svg") && path.contains("/tmp/"), "{path}");
    }

    #[test]
    fn nothing_is_opened_without_a_path_or_after_cancel() {
        let mut window = window(Choice::Data);
        window.get_by_label("Open").click();
        window.run();
        assert!(window.state().0.is_some(), "an empty path is none");
        window.get_by_label("Cancel").click();
        window.run();
        assert!(window.state().0.is_none() && window.state().1.is_none());
    }
}
