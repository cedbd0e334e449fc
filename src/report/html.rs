//! One page for people without the program: it opens without a network and without scripts, in light and in dark, and
//! prints.

use super::curves::{Curves, Task};
use super::data::{Axis, Entry, Model, Report, View};
use super::failures::failures;
use super::figure::{Figure, figure_inline};
use super::page::Page;
use super::svg::escape;
use super::words;
use crate::evaluate::statistics::Change;
use crate::patch::AlphaMap;
use crate::store::results::Row;
use crate::tradeoff::Position;

/// Forbids what the page does not need: scripts, and every request.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// Items that could not be scored, named at most.
const NAMED: usize = 50;

/// Sections by the names of links to them.
const SECTIONS: [(&str, &str); 6] = [
    ("models", "Models"),
    ("figure", "Figure"),
    ("tasks", "Tasks"),
    ("failures", "Failures"),
    ("protocol", "Protocol"),
    ("origin", "Origin"),
];

/// The report as one file.
pub fn html(report: &Report, view: &View) -> String {
    let figure = Figure::of(report, &View { over_alpha: false, ..view.clone() }, "t");
    let curves = Curves::of(report);
    let mut page = Page::default();
    page.within("main", "", |page| {
        head(page, report, &figure);
        page.links(&SECTIONS);
        models(page, report);
        figures(page, report, &figure, &curves);
        tasks(page, report, &figure, &curves);
        best(page, &figure);
        let alpha = figure.view.alpha.map(words::alpha).unwrap_or_default();
        failures(page, report.gallery.as_ref(), &alpha);
        protocols(page, report, &curves);
        origin(page, report);
    });
    let title = escape(&format!("{} patched with {}", report.base.name, report.tuned.name));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"{POLICY}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}\
         </title>\n<style>\n{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        include_str!("style.css"),
        page.finish()
    )
}

fn head(page: &mut Page, report: &Report, figure: &Figure) {
    page.say("h1", "", &format!("{} patched with {}", report.base.name, report.tuned.name));
    page.say("p", "weak", &format!("Made by clove {} on {}", report.made.version, report.made.date));
    page.say("p", "lead", &lead(figure));
    page.say(
        "p",
        "",
        "A patch blends the weights of two CLIP models. Alpha says how far it lies from the pre-trained base (0) towards \
         the fine-tuned model (1). Fine-tuning gains composition, which is telling a right caption from one with the \
         same words in another order or with one word changed, and costs recognition, which is naming what is in a \
         picture. Gains and losses below are in points against base; the second number is what the tuned model gains or \
         loses.",
    );
}

/// What the patch takes of the gain and for which part of the loss; the plain headline where there are no such shares.
fn lead(figure: &Figure) -> String {
    let position = figure.here.as_ref().and_then(|here| Position::of(&here.point(), &figure.points()));
    let shares = position.as_ref().and_then(|at| Some((at.gain_share()?, at.loss_share()?)));
    let (Some((gain, loss)), Some(position), Some(here)) = (shares, &position, &figure.here) else {
        return figure.headline();
    };
    let [x, y] = &figure.axis_titles;
    let end = |value: f64, points: f64, full: f64| {
        format!("{value:.1} %, {} of {} points", words::signed(points), words::signed(full))
    };
    format!(
        "At {} the patch has {:.0} % of the gain in {} ({}) for {:.0} % of the loss in {} ({})",
        figure.view.alpha.map(words::alpha).unwrap_or_default(),
        100.0 * gain,
        in_sentence(&figure.view.y, y),
        end(here.y.value, position.gain, position.full_gain),
        100.0 * loss,
        in_sentence(&figure.view.x, x),
        end(here.x.value, -position.loss, -position.full_loss)
    )
}

/// A mean's name inside a sentence; a benchmark keeps its capitals.
fn in_sentence(axis: &Axis, title: &str) -> String {
    if matches!(axis, Axis::Task { .. }) { title.to_owned() } else { title.to_lowercase() }
}

fn models(page: &mut Page, report: &Report) {
    page.section("models", "What was compared", |page| {
        page.within("div", "pair", |page| {
            for (end, model) in [("Base, alpha 0", &report.base), ("Tuned, alpha 1", &report.tuned)] {
                page.within("div", "card", |page| card(page, end, model));
            }
        });
    });
}

fn card(page: &mut Page, end: &str, model: &Model) {
    let known = |fact: &Option<String>| fact.clone().unwrap_or_else(|| "not stored with the results".into());
    page.say("h3", "", &model.name);
    page.facts(&[
        ("End", end.into()),
        ("Path", model.path.clone()),
        ("Architecture", known(&model.architecture)),
        ("Activation", known(&model.activation)),
        ("SHA-256", model.sha256.clone()),
    ]);
}

fn figures(page: &mut Page, report: &Report, figure: &Figure, curves: &Curves<'_>) {
    page.section("figure", "What each alpha gains and costs", |page| {
        if figure.view.over_alpha {
            page.say("p", "weak", "There are no two scores to set against each other");
        } else {
            let caption = "A point for every alpha. Rest the pointer on a mark for its numbers; the tables below hold \
                           the same numbers.";
            page.figure(&figure_inline(figure, report), caption);
        }
        let lines: Vec<Axis> = curves.tasks.iter().map(Task::axis).collect();
        let view = View { over_alpha: true, lines, ..figure.view.clone() };
        page.details("Every score over alpha", figure.view.over_alpha, |page| {
            let over_alpha = Figure::of(report, &view, "a");
            page.figure(&figure_inline(&over_alpha, report), "The upright line is this report's alpha.");
        });
    });
}

fn plain(said: impl Into<String>) -> (String, String) {
    (said.into(), String::new())
}

fn cell(row: Option<&Row>) -> (String, String) {
    row.map_or_else(
        || plain("–"),
        |row| {
            let [low, high] = row.interval;
            (
                format!("{:.1} %", row.value),
                format!("{low:.1}–{high:.1}, {}/{}", words::count(row.correct), words::count(row.scored)),
            )
        },
    )
}

fn tasks(page: &mut Page, report: &Report, figure: &Figure, curves: &Curves<'_>) {
    let alpha = figure.view.alpha.unwrap_or(AlphaMap::BASE);
    page.section("tasks", "Every task", |page| {
        let here = words::alpha(alpha);
        let head = ["Task", "Base", here.as_str(), "Tuned", "Fixed, broken", "Ties", "Skipped", "Blind"];
        let rows: Vec<Vec<(String, String)>> = curves.tasks.iter().map(|task| task_row(report, task, alpha)).collect();
        page.table(&head, &rows);
        page.say(
            "p",
            "weak",
            "Percent right, with the 95 % interval and the counts of examples below. Fixed and broken are the examples \
             whose verdict changed from base to this report's alpha, with the exact McNemar test. A tie is an example in \
             which the right answer shared the highest similarity with another, at this report's alpha; skipped items \
             could not be scored. Blind is what a model of captions gets that never sees the picture.",
        );
        page.details("Means that stand on the axes, at every alpha", false, |page| means(page, figure));
        if curves.alphas().len() > 3 {
            page.details("Every task at every alpha", false, |page| every(page, curves));
        }
    });
}

fn task_row(report: &Report, task: &Task<'_>, alpha: AlphaMap) -> Vec<(String, String)> {
    let at = |alpha: &AlphaMap| task.rows.get(alpha).copied();
    let here = at(&alpha);
    let name = (task.title.clone(), here.or(task.any()).map_or(String::new(), |row| row.metric.replace('-', " ")));
    let change = report.changes.iter().find(|(axis, _)| *axis == task.axis()).map(|(_, change)| change);
    let count = |of: fn(&Row) -> usize| plain(here.map_or_else(|| "–".into(), |row| words::count(of(row))));
    let blind = here.or(task.any()).and_then(|row| row.blind);
    vec![
        name,
        cell(at(&AlphaMap::BASE)),
        cell(here),
        cell(at(&AlphaMap::TUNED)),
        change.map_or_else(|| plain("–"), moved),
        count(|row| row.ties),
        count(|row| row.skipped),
        plain(blind.map_or_else(|| "–".into(), |blind| format!("{blind:.1} %"))),
    ]
}

fn moved(change: &Change) -> (String, String) {
    (format!("{}, {}", words::count(change.fixed), words::count(change.broken)), words::p_value(change.p_value))
}

/// The bold line as numbers.
fn means(page: &mut Page, figure: &Figure) {
    let points = figure.points();
    let [x, y] = &figure.axis_titles;
    let bold = figure.lines.first().map(|line| &line.marks[..]).unwrap_or_default();
    let rows = bold.iter().enumerate().map(|(place, mark)| {
        let measure =
            |m: &crate::tradeoff::Measure| (format!("{:.1} %", m.value), format!("{:.1}–{:.1}", m.low, m.high));
        let position = Position::of(&mark.point(), &points);
        let signed =
            |of: fn(&Position) -> f64| plain(position.as_ref().map_or_else(|| "–".into(), |p| words::signed(of(p))));
        vec![
            plain(format!("{:.2}", mark.alpha)),
            measure(&mark.x),
            measure(&mark.y),
            signed(|p| p.gain),
            signed(|p| -p.loss),
            plain(if figure.is_dominated(place) { "no" } else { "yes" }),
        ]
    });
    page.table(&["Alpha", x, y, "Gain", "Loss", "Pareto set"], &rows.collect::<Vec<_>>());
}

fn every(page: &mut Page, curves: &Curves<'_>) {
    let (alphas, apart): (Vec<AlphaMap>, Vec<AlphaMap>) = curves.alphas().into_iter().partition(AlphaMap::is_linked);
    if !apart.is_empty() {
        let n = words::count(apart.len());
        page.say("p", "weak", &format!("{n} more combinations of image alpha and text alpha are in CSV and JSON"));
    }
    let titles: Vec<String> = alphas.iter().map(ToString::to_string).collect();
    let head: Vec<&str> = std::iter::once("Task").chain(titles.iter().map(String::as_str)).collect();
    let row = |task: &Task<'_>| -> Vec<(String, String)> {
        let value = |alpha| task.rows.get(alpha).map_or_else(|| plain("–"), |row| plain(format!("{:.1}", row.value)));
        std::iter::once(plain(task.title.clone())).chain(alphas.iter().map(value)).collect()
    };
    page.table(&head, &curves.tasks.iter().map(row).collect::<Vec<_>>());
}

fn best(page: &mut Page, figure: &Figure) {
    let points = figure.points();
    let (Some(best), Some(budget)) = (figure.best, figure.view.budget) else { return };
    let Some(position) = Position::of(&best, &points) else { return };
    let [x, y] = &figure.axis_titles;
    page.section("best", "The best alpha within the limit", |page| {
        let share = position.loss_share().map_or(String::new(), |share| format!(", {:.0} % of it", 100.0 * share));
        page.facts(&[
            ("Limit", format!("lose at most {budget:.1} points of {}", in_sentence(&figure.view.x, x))),
            ("Best alpha", format!("{:.2}", best.alpha)),
            (
                y,
                format!(
                    "{:.1} % ({} of {} points)",
                    best.y,
                    words::signed(position.gain),
                    words::signed(position.full_gain)
                ),
            ),
            (
                x,
                format!(
                    "{:.1} % ({} of {} points{share})",
                    best.x,
                    words::signed(-position.loss),
                    words::signed(-position.full_loss)
                ),
            ),
        ]);
        page.say(
            "p",
            "weak",
            "The alpha with the highest gain among those that were scored and lose no more than the limit, which is a \
             third of what the tuned model loses unless another one was set. It is chosen on these examples: expect a \
             little less on others.",
        );
    });
}

fn protocols(page: &mut Page, report: &Report, curves: &Curves<'_>) {
    page.section("protocol", "Protocol and remarks", |page| {
        let rows: Vec<Vec<(String, String)>> = curves
            .tasks
            .iter()
            .filter_map(|task| {
                let row = task.any()?;
                Some(vec![plain(task.title.clone()), plain(row.protocol.clone()), plain(row.remarks.join("; "))])
            })
            .collect();
        page.within("div", "words", |page| page.table(&["Task", "Protocol", "Remarks"], &rows));
        page.list(&report.remarks);
        let unreadable = report.gallery.as_ref().map(|gallery| &gallery.unreadable[..]).unwrap_or_default();
        if !unreadable.is_empty() {
            page.details(&format!("{} items could not be scored", words::count(unreadable.len())), false, |page| {
                let mut named: Vec<String> =
                    unreadable.iter().take(NAMED).map(|(item, reason)| format!("{item}: {reason}")).collect();
                if unreadable.len() > NAMED {
                    named.push(format!("and {} more", words::count(unreadable.len() - NAMED)));
                }
                page.list(&named);
            });
        }
    });
}

fn origin(page: &mut Page, report: &Report) {
    page.section("origin", "Where the numbers come from", |page| {
        let distinct = |of: fn(&Entry) -> &str| {
            let mut all: Vec<&str> = report.entries.iter().map(of).filter(|said| !said.is_empty()).collect();
            all.sort_unstable();
            all.dedup();
            all.join(", ")
        };
        page.facts(&[
            ("Computed by", format!("clove {}", distinct(|entry| &entry.version))),
            ("Device", distinct(|entry| &entry.device)),
            ("Report", format!("clove {}, {}", report.made.version, report.made.date)),
            ("SHA-256 of base", report.base.sha256.clone()),
            ("SHA-256 of tuned", report.tuned.sha256.clone()),
        ]);
        let mut hashes: Vec<Vec<(String, String)>> = Vec::new();
        for entry in report.entries.iter().filter(|entry| !entry.data.is_empty()) {
            let title = crate::benchmark::title(&entry.row.benchmark, entry.row.task.as_deref());
            let row = vec![plain(title), plain(entry.data.clone())];
            if !hashes.contains(&row) {
                hashes.push(row);
            }
        }
        if !hashes.is_empty() {
            page.details("Hashes of the data", false, |page| {
                page.table(&["Task", "Question, images, protocol, subset"], &hashes);
            });
        }
        if !report.made.commands.is_empty() {
            page.say("p", "", "To make it again:");
            page.say("pre", "", &report.made.commands.join("\n"));
        }
    });
}
