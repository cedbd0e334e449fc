//! Which examples are listed: task, words, verdicts, the alpha compared with, and what changed against it.

use eframe::egui::{self, Button, ComboBox, RichText, TextEdit, Ui, WidgetInfo};

use super::ask::Ask;
use super::example_list::{ExampleList, Filter, SAMPLE, VERDICTS};
use super::look::{self, words};
use crate::engine::DataInfo;
use crate::patch::AlphaMap;
use crate::session::{Session, Verdict};

/// Task and search.
pub fn task_ui(ui: &mut Ui, data: &DataInfo, filter: &mut Filter) {
    let before = filter.benchmark;
    ui.horizontal(|ui| {
        let title = |place: Option<usize>| match place.and_then(|p| data.benchmarks.get(p)) {
            Some(b) => b.title.clone(),
            None => "All tasks".to_string(),
        };
        let width = ((ui.available_width() - look::STEP) * 0.55).max(80.0);
        let combo = ComboBox::from_id_salt("task").width(width - 8.0).truncate();
        let shown = combo.selected_text(title(filter.benchmark)).height(360.0).show_ui(ui, |ui| {
            ui.selectable_value(&mut filter.benchmark, None, title(None));
            for place in 0..data.benchmarks.len() {
                ui.selectable_value(&mut filter.benchmark, Some(place), title(Some(place)));
            }
        });
        shown.response.accessible_name("Task");
        let edit = TextEdit::singleline(&mut filter.text).hint_text("Search captions");
        ui.add(edit.desired_width(f32::INFINITY)).accessible_name("Search captions");
    });
    if filter.benchmark != before {
        // Another task has other slices.
        filter.tag = None;
    }
}

/// The alpha compared with, and filters that few need.
pub fn comparison_ui(ui: &mut Ui, session: &Session, filter: &mut Filter, asks: &mut Vec<Ask>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.label(look::label("Against"));
        compared_with_ui(ui, session, asks);
        let same = Button::selectable(filter.same_words, RichText::new("Same words").small());
        let hover = "Only examples with a hard negative of the same words in another order: a bag of words cannot tell \
                     these apart";
        if ui.add(same).on_hover_text(hover).clicked() {
            filter.same_words = !filter.same_words;
        }
        sample_ui(ui, filter);
        if let Some(tag) = filter.tag.clone() {
            let chip = Button::selectable(true, RichText::new(format!("{tag}  ×")).small());
            let response = ui.add(chip);
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Show more than {tag}")));
            if response.on_hover_text("Only examples of this slice; click to show all").clicked() {
                filter.tag = None;
            }
        }
    });
}

fn compared_with_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    let name = |alpha: AlphaMap| match alpha {
        AlphaMap::BASE => "base".to_owned(),
        AlphaMap::TUNED => "tuned".to_owned(),
        other => words::alpha(other),
    };
    let chosen = session.compared_with();
    let combo = ComboBox::from_id_salt("compared with").width(64.0).selected_text(name(chosen)).height(320.0);
    let shown = combo.show_ui(ui, |ui| {
        for scores in &session.sweep {
            if ui.selectable_label(scores.alpha == chosen, name(scores.alpha)).clicked() {
                asks.push(Ask::CompareWith(scores.alpha));
            }
        }
    });
    let response = shown.response.accessible_name("Alpha compared with");
    response.on_hover_text("Fixed and broken are told against this alpha; every alpha of the sweep can be chosen");
}

fn sample_ui(ui: &mut Ui, filter: &mut Filter) {
    let button = Button::selectable(filter.sample.is_some(), RichText::new("Sample").small());
    let hover = format!("A random {SAMPLE} of what fits, another at every click");
    if ui.add(button).on_hover_text(hover).clicked() {
        filter.sample = Some(filter.sample.map_or(1, |seed| seed + 1));
    }
    if filter.sample.is_some() {
        let response = ui.add(Button::new(RichText::new("All").small()).frame(false));
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "Show all instead of a sample"));
        if response.on_hover_text("Show all that fit again").clicked() {
            filter.sample = None;
        }
    }
}

/// A chip per verdict with its count, and the paired test.
pub fn verdicts_ui(ui: &mut Ui, session: &Session, list: &ExampleList, filter: &mut Filter) {
    let stale = session.current().1;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding.x = 6.0;
        for (place, (verdict, name, hover)) in VERDICTS.into_iter().enumerate() {
            let count = words::count(list.counts[place]);
            let text = RichText::new(format!("{name} {count}")).small();
            let text = if stale && verdict != Verdict::All { text.weak() } else { text };
            let chosen = filter.verdict == verdict;
            let response = ui.add(Button::selectable(chosen, text));
            response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, chosen, format!("{name}, {count}")));
            if response.on_hover_text(hover).clicked() {
                filter.verdict = verdict;
            }
        }
        let paired = &list.paired;
        if paired.compared() > 0 {
            let hover = format!(
                "Exact McNemar test over {} examples judged at both alphas: were both equally good, {} fixed against \
                 {} broken, or more unequal, would come up so often by chance",
                words::count(paired.compared()),
                words::count(paired.fixed),
                words::count(paired.broken)
            );
            ui.label(look::label(words::p_value(paired.p_value()))).on_hover_text(hover);
        }
    });
}

/// What to do when nothing fits.
pub fn nothing_ui(ui: &mut Ui, filter: &mut Filter) {
    ui.vertical_centered(|ui| {
        ui.add_space(look::STEP);
        ui.label(RichText::new("No example fits the filter").weak());
        if ui.button("Show all").clicked() {
            *filter = Filter { benchmark: filter.benchmark, ..Filter::default() };
        }
    });
}
