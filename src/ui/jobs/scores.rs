//! The patched curve during a run: base, the recipe's alpha, tuned.

use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui};
use egui_extras::{Column, TableBuilder};

use crate::jobs::{Evaluation, JobView};
use crate::session::jobs::{alphas, score_rows};
use crate::ui::look::{self, words};

/// Shows the table.
pub fn scores_ui(ui: &mut Ui, job: &JobView) {
    if job.evaluations.is_empty() {
        let text = if job.recipe.evaluate_benchmarks.is_empty() {
            "This recipe names no benchmark to score during the run; the sweep scores its weights once they are open"
        } else if job.recipe.evaluate_every == 0 {
            "Scored at the end of the run"
        } else {
            "Nothing is scored yet"
        };
        ui.add(Label::new(look::label(text)).wrap());
        return;
    }
    let (alphas, rows) = (alphas(&job.evaluations), score_rows(&job.evaluations));
    // A narrow panel leaves the intervals to the hover texts.
    let is_wide = ui.available_width() >= 190.0 + 92.0 * alphas.len() as f32;
    let column = if is_wide { 84.0 } else { 38.0 };
    let narrowest = 112.0 + (column + 4.0) * alphas.len() as f32;
    ScrollArea::horizontal().id_salt("scores").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_min_width(ui.available_width().max(narrowest));
        ui.spacing_mut().item_spacing.x = 4.0;
        TableBuilder::new(ui)
            .id_salt("scores")
            .striped(true)
            .cell_layout(Layout::right_to_left(Align::Center))
            .column(Column::remainder().at_least(66.0).clip(true))
            .column(Column::exact(38.0))
            .columns(Column::exact(column), alphas.len())
            .auto_shrink([false, false])
            .header(look::ROW, |mut header| {
                header.col(|ui| {
                    let title = |ui: &mut Ui| drop(ui.label(look::label("Benchmark, %")));
                    ui.with_layout(Layout::left_to_right(Align::Center), title);
                });
                header.col(|ui| drop(ui.label(look::label("Step"))));
                for alpha in &alphas {
                    header.col(|ui| {
                        let text = RichText::new(format!("α {alpha:.2}")).small();
                        ui.label(text.color(look::alpha_color(ui.visuals(), *alpha)))
                            .on_hover_text("Alpha of the patch: 0 is the base, 1 the weights of this step");
                    });
                }
            })
            .body(|body| {
                body.rows(look::ROW, rows.len(), |mut row| {
                    let Some(line) = rows.get(row.index()) else { return };
                    row.col(|ui| {
                        let title = |ui: &mut Ui| drop(ui.add(Label::new(&line.title).truncate()));
                        ui.with_layout(Layout::left_to_right(Align::Center), title);
                    });
                    row.col(|ui| drop(ui.label(look::digits(words::count(line.step as usize)).small())));
                    for evaluation in &line.at {
                        row.col(|ui| value_ui(ui, evaluation.as_ref(), is_wide));
                    }
                });
            });
    });
}

fn value_ui(ui: &mut Ui, evaluation: Option<&Evaluation>, is_wide: bool) {
    let Some(Evaluation { value, interval: [low, high], scored, .. }) = evaluation else {
        ui.label(look::digits("–").small().weak());
        return;
    };
    let half = (high - low) / 2.0;
    let hover =
        format!("{value:.2} %, 95 % interval {low:.2} to {high:.2} %\n{} examples", words::count(*scored as usize));
    let text = if is_wide { format!("{value:.1} ±{half:.1}") } else { format!("{value:.1}") };
    ui.label(look::digits(text).small()).on_hover_text(hover);
}
