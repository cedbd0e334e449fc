//! Hard negatives of one caption: what each style would write, and all that style replace chooses from.

use std::ops::Range;

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{
    self, Align, Button, Label, Layout, RichText, ScrollArea, Sense, Stroke, TextEdit, TextStyle, Ui, vec2,
};
use egui_extras::{Column, TableBody, TableBuilder};

use super::ask::Ask;
use super::look::{self, words};
use crate::engine::{Draw, NegativeInfo, NegativesPreview};
use crate::session::Session;

/// The narrowest table that is still read without guessing; narrower panels scroll sideways.
const NARROWEST: f32 = 560.0;
/// Letters around a change that a row shows.
const AROUND: usize = 22;

/// The panel's own state.
#[derive(Debug, Default)]
pub struct NegativesState {
    caption: String,
    /// Whether a person wrote the caption; before that it is the focused example's.
    written: bool,
    seed: u64,
    asked: Option<(String, u64, String)>,
}

impl NegativesState {
    fn refresh(&mut self, session: &Session, asks: &mut Vec<Ask>) {
        if !self.written {
            example(session).unwrap_or_default().clone_into(&mut self.caption);
        }
        if self.caption.trim().is_empty() {
            return;
        }
        // Another pair may read the same captions as other tokens.
        let pair = session.pair.as_ref().map(|pair| pair.base.path.display().to_string());
        let wish = (self.caption.clone(), self.seed, pair.unwrap_or_default());
        if self.asked.as_ref() != Some(&wish) {
            asks.push(Ask::Negatives { caption: wish.0.clone(), seed: wish.1 });
            self.asked = Some(wish);
        }
    }
}

/// The right caption of the focused example.
fn example(session: &Session) -> Option<&str> {
    session.example(session.focused?).map(|example| example.right.as_str())
}

/// Shows the panel.
pub fn negatives_panel_ui(ui: &mut Ui, session: &Session, state: &mut NegativesState, asks: &mut Vec<Ask>) {
    caption_ui(ui, session, state);
    state.refresh(session, asks);
    if state.caption.trim().is_empty() {
        empty_ui(ui, state);
        return;
    }
    let Some(preview) = &session.negatives else {
        ui.label(look::label("Reading the dictionary…"));
        return;
    };
    let stale = preview.caption != state.caption || preview.seed != state.seed;
    ui.scope(|ui| {
        look::dim_if(ui, stale);
        remark_ui(ui, preview);
    });
    ScrollArea::both().id_salt("negatives").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_min_width(ui.available_width().max(NARROWEST));
        look::dim_if(ui, stale);
        draws_ui(ui, preview);
        elements_ui(ui, preview);
    });
}

fn caption_ui(ui: &mut Ui, session: &Session, state: &mut NegativesState) {
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 220.0).max(140.0);
        let edit = TextEdit::singleline(&mut state.caption).hint_text("Type a caption").desired_width(room);
        let response = ui.add(edit).accessible_name("Caption to write negatives for");
        if response.changed() {
            state.written = true;
        }
        let from = example(session);
        let follow = ui.add_enabled(state.written && from.is_some(), Button::new("From example"));
        let hover = "Take the right caption of the focused example, and follow it";
        if follow.on_hover_text(hover).on_disabled_hover_text("This is the focused example's caption").clicked() {
            state.written = false;
        }
        let another = ui.add_enabled(!state.caption.trim().is_empty(), Button::new("Another draw"));
        let hover = format!("The next seed; this one is {}. A run draws anew at every visit", state.seed);
        if another.on_hover_text(hover).clicked() {
            state.seed += 1;
        }
    });
}

fn empty_ui(ui: &mut Ui, state: &mut NegativesState) {
    ui.add_space(look::STEP);
    ui.label("A hard negative is a caption that is almost right");
    ui.label(look::label("Type a caption above, or focus an example, to see what training would set against it"));
    let caption = "a black dog on a sofa";
    if ui.button(format!("Try “{caption}”")).clicked() {
        caption.clone_into(&mut state.caption);
        state.written = true;
    }
}

/// Why there is little to see, and what would be seen by mistake.
fn remark_ui(ui: &mut Ui, preview: &NegativesPreview) {
    if let Some(refusal) = &preview.refusal {
        let text = format!("Style replace writes nothing: {}", lower_first(refusal));
        caution_ui(ui, &text);
    }
    let draws = preview.draws.iter().filter_map(|draw| draw.negative.as_ref());
    let all = draws.chain(preview.elements.iter().flat_map(|e| &e.candidates));
    let same = all.filter(|negative| negative.same_tokens).count();
    if same > 0 {
        let which = if same == 1 { "1 negative reads" } else { &format!("{} negatives read", words::count(same)) };
        let text = format!("{which} the same as the caption to {}: training on it would teach nothing", {
            &preview.tokenizer
        });
        caution_ui(ui, &text);
    }
}

fn caution_ui(ui: &mut Ui, text: &str) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
        let color = ui.visuals().warn_fg_color;
        look::caution_mark(ui.painter(), rect.center(), 6.0, color);
        ui.add(Label::new(RichText::new(text).color(color)).wrap());
    });
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn draws_ui(ui: &mut Ui, preview: &NegativesPreview) {
    let hover = "One draw of each style; the recipe names the style of a run";
    ui.label(look::label(format!("A draw of each style, seed {}", preview.seed))).on_hover_text(hover);
    egui::Grid::new("draws").num_columns(3).spacing([16.0, 2.0]).min_row_height(20.0).show(ui, |ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        for draw in &preview.draws {
            draw_ui(ui, draw, preview);
            ui.end_row();
        }
    });
    ui.add_space(look::STEP);
}

fn draw_ui(ui: &mut Ui, draw: &Draw, preview: &NegativesPreview) {
    ui.label(RichText::new(draw.style).strong()).on_hover_text(draw.about);
    let Some(negative) = &draw.negative else {
        ui.label(look::label("nothing to change"));
        return;
    };
    sentence_ui(ui, negative, None, preview);
    ui.label(look::label(negative.what));
}

fn elements_ui(ui: &mut Ui, preview: &NegativesPreview) {
    if preview.elements.is_empty() {
        return;
    }
    let hover = "The heaviest substitutes of each element. A run draws two of each by weight, and keeps one sentence of \
                 all at random";
    ui.label(look::label("What style replace chooses from")).on_hover_text(hover);
    TableBuilder::new(ui)
        .id_salt("candidates")
        .striped(true)
        .vscroll(false)
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::exact(128.0).clip(true))
        .column(Column::remainder().at_least(180.0).clip(true))
        .columns(Column::exact(56.0), 2)
        .column(Column::exact(196.0).clip(true))
        .header(look::ROW, |mut header| {
            let titles = [
                ("Element", "Words of the caption: entities, then modifiers, then relations"),
                ("Negative", "The sentence around the change, which is underlined; hover for the whole"),
                ("Share", "How likely this substitute is among those of its element"),
                ("Weight", "How often the word was counted in SemCor; prepositions by their frequency"),
                ("Why", "How WordNet led there"),
            ];
            for (title, hover) in titles {
                header.col(|ui| drop(ui.label(look::label(title)).on_hover_text(hover)));
            }
        })
        .body(|body| rows_ui(body, preview));
}

fn rows_ui(mut body: TableBody, preview: &NegativesPreview) {
    for element in &preview.elements {
        for (place, candidate) in element.candidates.iter().enumerate() {
            body.row(20.0, |mut row| {
                row.col(|ui| {
                    if place == 0 {
                        ui.spacing_mut().item_spacing.x = 6.0;
                        ui.label(RichText::new(&element.words).strong());
                        ui.label(look::label(element.kind));
                    }
                });
                row.col(|ui| sentence_ui(ui, candidate, Some(AROUND), preview));
                row.col(|ui| {
                    ui.label(look::digits(format!("{:>4.1} %", 100.0 * candidate.share)).small());
                });
                row.col(|ui| {
                    ui.label(look::digits(format!("{:>5}", words::count(candidate.weight as usize))).small());
                });
                row.col(|ui| drop(ui.add(Label::new(look::label(&candidate.reason)).truncate())));
            });
        }
    }
}

/// The sentence with its changed words underlined; a part of it where `around` letters beside them must do.
fn sentence_ui(ui: &mut Ui, negative: &NegativeInfo, around: Option<usize>, preview: &NegativesPreview) {
    ui.horizontal(|ui| {
        if negative.same_tokens {
            let (rect, mark) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
            let said = format!("The same tokens as the caption to {}", preview.tokenizer);
            mark.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &said));
            look::caution_mark(ui.painter(), rect.center(), 6.0, ui.visuals().warn_fg_color);
            mark.on_hover_text(said);
        }
        let job = marked(ui, negative, around);
        let label = if around.is_some() { Label::new(job).truncate() } else { Label::new(job).extend() };
        let response = ui.add(label);
        if around.is_some() {
            response.on_hover_ui(|ui| drop(ui.label(marked(ui, negative, None))));
        }
    });
}

fn marked(ui: &Ui, negative: &NegativeInfo, around: Option<usize>) -> LayoutJob {
    let font_id = TextStyle::Body.resolve(ui.style());
    let visuals = ui.visuals();
    let plain = TextFormat { font_id: font_id.clone(), color: visuals.text_color(), ..TextFormat::default() };
    let strong = look::strong(visuals);
    let changed =
        TextFormat { font_id, color: strong, underline: Stroke::new(1.5, look::accent(visuals)), ..plain.clone() };
    let text = &negative.caption;
    let window = around.map_or(0..text.len(), |letters| excerpt(text, &negative.changed, letters));
    let mut job = LayoutJob::default();
    if window.start > 0 {
        job.append("… ", 0.0, plain.clone());
    }
    let mut at = window.start;
    for range in negative.changed.iter().filter(|r| r.start >= window.start && r.end <= window.end) {
        job.append(text.get(at..range.start).unwrap_or(""), 0.0, plain.clone());
        job.append(text.get(range.clone()).unwrap_or(""), 0.0, changed.clone());
        at = range.end;
    }
    job.append(text.get(at..window.end).unwrap_or(""), 0.0, plain.clone());
    if window.end < text.len() {
        job.append(" …", 0.0, plain);
    }
    job
}

/// Bytes from some letters before the first change to some after the last, cut between words.
fn excerpt(text: &str, changed: &[Range<usize>], letters: usize) -> Range<usize> {
    let (Some(first), Some(last)) = (changed.first(), changed.last()) else { return 0..text.len() };
    let before = text.get(..first.start).unwrap_or("");
    let from = before.char_indices().rev().nth(letters).map_or(0, |(at, _)| at);
    let start = if from == 0 { 0 } else { before[from..].find(' ').map_or(first.start, |space| from + space + 1) };
    let after = text.get(last.end..).unwrap_or("");
    let to = after.char_indices().nth(letters).map_or(after.len(), |(at, _)| at);
    // A word that ends where the excerpt ends is whole.
    let cut = if after[to..].starts_with(' ') { to } else { after[..to].rfind(' ').unwrap_or(0) };
    let end = if to == after.len() { to } else { cut };
    start..last.end + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_is_cut_between_words_around_its_change() {
        let text = "a very long story about a cat that sleeps on the warm roof of an old and quiet house";
        let cat = text.find("cat").unwrap();
        let window = excerpt(text, std::slice::from_ref(&(cat..cat + 3)), 12);
        assert_eq!(&text[window], "about a cat that sleeps");
        assert_eq!(excerpt("a cat", std::slice::from_ref(&(2..5)), 12), 0..5);
        assert_eq!(excerpt("äöü", &[], 1), 0.."äöü".len());
        let umlauts = "ä ö ü x ä ö ü";
        let at = umlauts.find('x').unwrap();
        assert_eq!(&umlauts[excerpt(umlauts, std::slice::from_ref(&(at..at + 1)), 2)], "ü x ä");
    }
}
