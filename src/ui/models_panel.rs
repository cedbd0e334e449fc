//! Both checkpoints: what they are, where they come from, whether they fit.

use eframe::egui;
use eframe::egui::{Align, Button, Frame, Key, Label, Layout, Rect, RichText, Stroke, TextEdit, Ui};

use super::ask::Ask;
use super::chooser::Choice;
use super::look;
use crate::engine::{CheckpointInfo, End, Failure};
use crate::session::Session;

/// The panel's own state.
#[derive(Clone, Debug, Default)]
pub struct ModelsState {
    /// Paths as typed: base, tuned.
    pub paths: [String; 2],
    /// Where the cards lie, for files that are dropped on them.
    pub cards: [Option<Rect>; 2],
}

/// Shows the models panel.
pub fn models_panel_ui(
    ui: &mut Ui,
    session: &Session,
    open: Option<Choice>,
    state: &mut ModelsState,
    asks: &mut Vec<Ask>,
) {
    for (place, end) in [End::Base, End::Tuned].into_iter().enumerate() {
        let info = session.pair.as_ref().map(|pair| if end == End::Base { &pair.base } else { &pair.tuned });
        let card = Card { end, info, failed: session.failed_ends[place].as_ref(), choosing: is_choosing(open, end) };
        let path = &mut state.paths[place];
        let frame = Frame::new().fill(look::sunken(ui.visuals())).corner_radius(look::corners());
        let shown = frame.inner_margin(8.0).show(ui, |ui| card_ui(ui, &card, path, asks));
        state.cards[place] = Some(shown.response.rect);
        ui.add_space(2.0);
    }
    verdict_ui(ui, session, asks);
}

fn is_choosing(open: Option<Choice>, end: End) -> bool {
    open == Some(Choice::Checkpoint(end))
}

struct Card<'a> {
    end: End,
    info: Option<&'a CheckpointInfo>,
    failed: Option<&'a Failure>,
    choosing: bool,
}

impl Card<'_> {
    fn name(&self) -> &'static str {
        if self.end == End::Base { "Base" } else { "Tuned" }
    }

    fn alpha(&self) -> f64 {
        if self.end == End::Base { 0.0 } else { 1.0 }
    }
}

fn card_ui(ui: &mut Ui, card: &Card, path: &mut String, asks: &mut Vec<Ask>) {
    ui.set_width(ui.available_width());
    ui.spacing_mut().item_spacing.y = 3.0;
    let color = look::alpha_color(ui.visuals(), card.alpha());
    ui.horizontal(|ui| {
        ui.label(RichText::new(card.name()).small().color(color));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let name = format!("Open {}…", card.name().to_lowercase());
            let button = ui.add(Button::new("Open…").small());
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            if button
                .on_hover_text("A safetensors file; its configuration and tokenizer are looked for beside it")
                .clicked()
            {
                asks.push(Ask::ChooseEnd(card.end));
            }
            if card.choosing {
                ui.label(look::label("choosing…"));
            }
        });
    });
    match card.info {
        Some(info) => facts_ui(ui, card, info),
        None => {
            ui.label(look::label("Nothing open: choose a file, drop one here, or type a path"));
        }
    }
    path_ui(ui, card, path, asks);
    if let Some(failure) = card.failed {
        let text = RichText::new(&failure.summary).color(ui.visuals().error_fg_color);
        ui.label(text).on_hover_text(&failure.details);
    }
}

fn facts_ui(ui: &mut Ui, card: &Card, info: &CheckpointInfo) {
    let title = RichText::new(&info.name).strong();
    ui.add(Label::new(title).truncate()).on_hover_text(info.path.display().to_string());
    ui.add(Label::new(look::label(&info.architecture)).wrap()).on_hover_text(&info.format);
    let size = format!("{:.1} M parameters · {} tokens", info.parameters as f64 / 1e6, info.context_length);
    ui.add(Label::new(look::label(size)).truncate()).on_hover_text("Parameters of both towers · longest caption");
    let activation = format!("{} · from {}", info.activation, info.activation_source);
    ui.add(Label::new(look::label(activation)).truncate())
        .on_hover_text("A model run with the wrong activation still works, only worse, so its source is shown");
    ui.horizontal(|ui| {
        if info.sha256.is_empty() {
            let waiting = ui.label(look::digits("hashing…").small().weak());
            waiting.on_hover_text("The SHA-256 of the weights file is being computed; the model is ready meanwhile");
            return;
        }
        let short: String = info.sha256.chars().take(12).collect();
        ui.label(look::digits(short).small().weak()).on_hover_text(format!("SHA-256 {}", info.sha256));
        let copy = ui.add(Button::new(look::label("Copy")).small());
        let name = format!("Copy the hash of {}", card.name().to_lowercase());
        copy.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        if copy.clicked() {
            ui.ctx().copy_text(info.sha256.clone());
        }
    });
}

fn path_ui(ui: &mut Ui, card: &Card, path: &mut String, asks: &mut Vec<Ask>) {
    let hint = card.info.map_or_else(|| "Path, then Enter".to_string(), |i| i.path.display().to_string());
    let edit = TextEdit::singleline(path).hint_text(hint).desired_width(f32::INFINITY).font(egui::TextStyle::Small);
    let response = ui.add(edit).accessible_name(format!("Path of {}", card.name().to_lowercase()));
    let response =
        response.on_hover_text("A file, a folder, or hf:OWNER/NAME of a model that was fetched with `clove fetch`");
    let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    if entered && !path.trim().is_empty() {
        asks.push(Ask::TakeEnd(card.end, path.trim().to_string()));
    }
}

/// Whether the ends fit, and what was adapted; before that, the next step.
fn verdict_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    if let Some(what) = &session.opening {
        ui.horizontal(|ui| {
            ui.spinner();
            ui.add(Label::new(format!("Opening {what}")).truncate());
        });
    } else if let Some(pair) = &session.pair {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(egui::vec2(12.0, 12.0), egui::Sense::hover());
            let color = look::right(ui.visuals());
            look::verdict_mark(ui.painter(), rect.center(), 6.0, true, color);
            ui.add(Label::new(RichText::new(&pair.verdict).small()).wrap());
        });
        for remark in &pair.remarks {
            ui.add(Label::new(look::label(remark)).wrap());
        }
    }
    let is_demo = session.pair.as_ref().is_some_and(|p| p.base.path.as_os_str() == "demo:base");
    if !is_demo {
        let text = if session.pair.is_some() { "Back to the demo pair" } else { "Use the demo pair" };
        let hover = "A small pair that comes with clove; it needs no files";
        if ui.button(text).on_hover_text(hover).clicked() {
            asks.push(Ask::DemoPair);
        }
    }
}

/// A dashed invitation around the card that a dragged file would land in.
pub fn drop_target_ui(ui: &Ui, state: &ModelsState, target: End) {
    let place = usize::from(target == End::Tuned);
    if let Some(rect) = state.cards[place] {
        let stroke = Stroke::new(2.0, look::accent(ui.visuals()));
        ui.painter().rect_stroke(rect, look::corners(), stroke, egui::StrokeKind::Outside);
    }
}

/// The end on which a file is dropped: the card under the pointer, or else the first end that is not open.
pub fn dropped_on(state: &ModelsState, pointer: Option<egui::Pos2>, session: &Session) -> End {
    let over = |place: usize| pointer.zip(state.cards[place]).is_some_and(|(p, card)| card.contains(p));
    if over(0) || !over(1) && session.pair.is_none() && state.paths[0].is_empty() { End::Base } else { End::Tuned }
}
