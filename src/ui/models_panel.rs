//! Both checkpoints: what they are, where they come from, whether they fit.

use eframe::egui;
use eframe::egui::{Align, Frame, Key, Label, Layout, Rect, RichText, Stroke, TextEdit, Ui};

use super::ask::Ask;
use super::chooser::Choice;
use super::look;
use super::model_steps::{activation_ui, failed_ui, fetching_ui, name, named};
use crate::engine::{CheckpointInfo, End, Failure, FetchProgress};
use crate::kernels::Activation;
use crate::session::Session;

/// The panel's own state.
#[derive(Clone, Debug, Default)]
pub struct ModelsState {
    /// Paths as typed: base, tuned.
    pub paths: [String; 2],
    /// Activations chosen by hand: base, tuned.
    pub activations: [Option<Activation>; 2],
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
    for end in [End::Base, End::Tuned] {
        let place = end.place();
        let info = session.pair.as_ref().map(|pair| if end == End::Base { &pair.base } else { &pair.tuned });
        let card = Card {
            end,
            info,
            failed: session.failed_ends[place].as_ref(),
            fetching: session.fetching[place].as_ref(),
            activation: state.activations[place],
            choosing: open == Some(Choice::Checkpoint(end)),
        };
        let path = &mut state.paths[place];
        let frame = Frame::new().fill(look::sunken(ui.visuals())).corner_radius(look::corners());
        let shown = frame.inner_margin(8.0).show(ui, |ui| card_ui(ui, &card, path, asks));
        state.cards[place] = Some(shown.response.rect);
        ui.add_space(2.0);
    }
    verdict_ui(ui, session, asks);
}

struct Card<'a> {
    end: End,
    info: Option<&'a CheckpointInfo>,
    failed: Option<&'a Failure>,
    fetching: Option<&'a FetchProgress>,
    /// Chosen by hand.
    activation: Option<Activation>,
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
            let button = named(ui, "Open…", &format!("Open {}…", name(card.end)));
            let hover = "A safetensors, pt or bin file; its configuration and tokenizer are looked for beside it";
            if button.on_hover_text(hover).clicked() {
                asks.push(Ask::ChooseEnd(card.end));
            }
            if card.choosing {
                ui.label(look::label("choosing…"));
            }
        });
    });
    match card.info {
        Some(info) => facts_ui(ui, card, info, asks),
        None => {
            ui.label(look::label("Nothing open: choose a file, drop one here, or type a path"));
        }
    }
    path_ui(ui, card, path, asks);
    match (card.fetching, card.failed) {
        (Some(progress), _) => fetching_ui(ui, card.end, progress, asks),
        (None, Some(failure)) => failed_ui(ui, card.end, failure, path.trim(), asks),
        (None, None) => {}
    }
}

fn facts_ui(ui: &mut Ui, card: &Card, info: &CheckpointInfo, asks: &mut Vec<Ask>) {
    let title = RichText::new(&info.name).strong();
    ui.add(Label::new(title).truncate()).on_hover_text(info.path.display().to_string());
    ui.add(Label::new(look::label(&info.architecture)).wrap()).on_hover_text(&info.format);
    let size = format!("{:.1} M parameters · {} tokens", info.parameters as f64 / 1e6, info.context_length);
    ui.add(Label::new(look::label(size)).truncate()).on_hover_text("Parameters of both towers · longest caption");
    activation_ui(ui, card.end, info, card.activation, asks);
    ui.horizontal(|ui| {
        if info.sha256.is_empty() {
            let waiting = ui.label(look::digits("hashing…").small().weak());
            waiting.on_hover_text("The SHA-256 of the weights file is being computed; the model is ready meanwhile");
            return;
        }
        let short: String = info.sha256.chars().take(12).collect();
        ui.label(look::digits(short).small().weak()).on_hover_text(format!("SHA-256 {}", info.sha256));
        if named(ui, "Copy", &format!("Copy the hash of {}", name(card.end))).clicked() {
            ui.ctx().copy_text(info.sha256.clone());
        }
    });
}

fn path_ui(ui: &mut Ui, card: &Card, path: &mut String, asks: &mut Vec<Ask>) {
    let hint = card.info.map_or_else(|| "Path, then Enter".to_string(), |i| i.path.display().to_string());
    let edit = TextEdit::singleline(path).hint_text(hint).desired_width(f32::INFINITY).font(egui::TextStyle::Small);
    let response = ui.add(edit).accessible_name(format!("Path of {}", name(card.end)));
    let response = response.on_hover_text(
        "A file, a folder, hf:OWNER/NAME of a model of the Hugging Face hub, or the https address of a weights file",
    );
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
