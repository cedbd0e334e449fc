//! Before a launch: what was looked at, how long it would take, and the button.

use eframe::egui::{self, Align, Button, Label, Layout, RichText, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use super::form::Form;
use crate::jobs::{CheckItem, CheckReport, JobsCommand, TrialReport, Verdict};
use crate::session::Session;
use crate::session::jobs::Trial;
use crate::ui::ask::{Ask, JobAsk};
use crate::ui::look::{self, words};

/// Room for the buttons at the bottom.
const BOTTOM: f32 = 64.0;

/// Shows the right side of the form; returns whether the form is done with.
pub(super) fn checks_ui(ui: &mut Ui, session: &Session, form: &mut Form, asks: &mut Vec<Ask>) -> bool {
    let height = ui.available_height() - BOTTOM;
    ScrollArea::vertical().id_salt("checks").max_height(height).auto_shrink([false, false]).show(ui, |ui| {
        ui.label(RichText::new("Before the start").strong());
        report_ui(ui, session, form);
        ui.add_space(look::STEP);
        ui.label(RichText::new("Time").strong());
        trial_ui(ui, session, form, asks);
    });
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        let done = buttons_ui(ui, session, form, asks);
        if form.editing.is_none() {
            let hover = "When it is done, its weights become tuned and the sweep starts";
            ui.checkbox(&mut form.open_when_done, "Open as tuned when done").on_hover_text(hover);
        }
        done
    })
    .inner
}

/// The report about this very recipe, if it has come.
fn report<'a>(session: &'a Session, form: &Form) -> Option<&'a CheckReport> {
    let report = session.jobs.checked.as_deref()?;
    (form.draft.recipe() == Some(&*report.recipe)).then_some(report)
}

fn report_ui(ui: &mut Ui, session: &Session, form: &Form) {
    if form.draft.recipe().is_none() {
        let text = format!("{} to correct first", words::plural(form.draft.errors(), "field"));
        item_ui(ui, &CheckItem { what: "Recipe", verdict: Verdict::Blocking, says: text });
        return;
    }
    // The last answer stays, dimmed, until the new one lands.
    let fresh = report(session, form);
    match fresh.or(session.jobs.checked.as_deref()) {
        Some(shown) => {
            ui.scope(|ui| {
                look::dim_if(ui, fresh.is_none());
                for item in &shown.items {
                    item_ui(ui, item);
                }
            });
        }
        None => drop(ui.label(look::label("Looking…"))),
    }
}

fn item_ui(ui: &mut Ui, item: &CheckItem) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let (rect, mark) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
        let (word, color) = match item.verdict {
            Verdict::Fine => ("Fine", look::right(ui.visuals())),
            Verdict::Warning => ("Caution", ui.visuals().warn_fg_color),
            Verdict::Blocking => ("In the way", look::wrong(ui.visuals())),
        };
        match item.verdict {
            Verdict::Warning => look::caution_mark(ui.painter(), rect.center(), 5.5, color),
            verdict => look::verdict_mark(ui.painter(), rect.center(), 5.5, verdict == Verdict::Fine, color),
        }
        mark.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("{}: {word}", item.what)));
        mark.on_hover_text(word);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(item.what);
            ui.add(Label::new(look::label(&item.says)).wrap());
        });
    });
}

fn trial_ui(ui: &mut Ui, session: &Session, form: &Form, asks: &mut Vec<Ask>) {
    let hover = "Takes three steps in a process of its own and throws them away";
    let ready = report(session, form).is_some_and(CheckReport::can_start);
    match &session.jobs.trial {
        Trial::Running => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Taking three steps…");
                if ui.small_button("Cancel trial").clicked() {
                    asks.push(Ask::Job(JobAsk::Send(JobsCommand::CancelTrial)));
                }
            });
            return;
        }
        Trial::Done(report) => {
            let stale = form.draft.recipe() != Some(&*report.recipe);
            ui.scope(|ui| {
                look::dim_if(ui, stale);
                estimate_ui(ui, report);
            });
        }
        Trial::Failed(why) => {
            ui.add(Label::new(RichText::new(why).small().color(ui.visuals().error_fg_color)).wrap());
        }
        Trial::None => drop(ui.label(look::label("Unknown until three steps were taken"))),
    }
    let button = ui.add_enabled(ready, Button::new("Time three steps"));
    let response = button.on_hover_text(hover).on_disabled_hover_text("Once nothing stands in the way");
    if let Some(recipe) = form.draft.recipe().filter(|_| response.clicked()) {
        asks.push(Ask::Job(JobAsk::Send(JobsCommand::Trial(Box::new(recipe.clone())))));
    }
}

fn estimate_ui(ui: &mut Ui, report: &TrialReport) {
    let whole = words::left(report.seconds_total);
    ui.label(RichText::new(format!("About {}", whole.trim_end_matches(" left"))).strong())
        .on_hover_text("For all steps, without evaluations");
    let memory = match report.peak_memory_bytes {
        0 => String::new(),
        bytes => format!(" · {} at most", words::bytes(bytes)),
    };
    let speed = words::count(report.pairs_per_s.round() as usize);
    let text = format!("{:.2} s a step · {speed} pairs/s{memory}", report.seconds_per_step);
    ui.add(Label::new(look::digits(text).small()).wrap());
}

fn buttons_ui(ui: &mut Ui, session: &Session, form: &mut Form, asks: &mut Vec<Ask>) -> bool {
    let mut done = false;
    ui.horizontal(|ui| {
        let can_start = report(session, form).is_some_and(CheckReport::can_start);
        let (text, hover) = match &form.editing {
            Some(_) => ("Save recipe", "The job keeps its place in the queue"),
            None if session.jobs.running().is_some() || session.jobs.queued() > 0 => {
                ("Queue", "One job runs at a time; this one waits its turn")
            }
            None => ("Start", "Runs in a process of its own: the slider stays live, and it goes on without the window"),
        };
        let button = ui.add_enabled(can_start, Button::new(RichText::new(text).strong()));
        let response = button.on_hover_text(hover).on_disabled_hover_text("Once nothing stands in the way");
        if let Some(recipe) = form.draft.recipe().filter(|_| response.clicked()) {
            let recipe = Box::new(recipe.clone());
            asks.push(match form.editing.clone() {
                Some(id) => Ask::Job(JobAsk::Send(JobsCommand::Edit(id, recipe))),
                None => Ask::Job(JobAsk::Start { recipe, open_when_done: form.open_when_done }),
            });
            done = true;
        }
        done |= ui.button("Cancel").clicked();
    });
    done
}
