//! Every benchmark at base, here and at tuned: the numbers behind the plot as a table.

use eframe::egui;
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui};
use egui_extras::{Column, TableBuilder, TableRow};

use super::ask::Ask;
use super::look::{self, words};
use super::skipped;
use crate::benchmark::Score;
use crate::engine::BenchmarkInfo;
use crate::patch::AlphaMap;
use crate::session::{Series, Session, measure_of};
use crate::tradeoff::Measure;

/// The narrowest table that is still read without guessing; narrower panels scroll sideways.
const NARROWEST: f32 = 580.0;

/// One line of the table.
struct Row<'a> {
    title: String,
    series: Series,
    benchmark: Option<&'a BenchmarkInfo>,
    values: [Option<(Measure, usize)>; 3],
    stale: bool,
    score: Option<Score>,
}

/// Shows the tasks panel.
pub fn tasks_panel_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    let Some(data) = &session.data else {
        ui.label(look::label("Scores of every benchmark stand here once data is open"));
        if ui.button("Use the demo data").clicked() {
            asks.push(Ask::DemoData);
        }
        return;
    };
    let rows = rows(session, &data.benchmarks);
    ScrollArea::horizontal().auto_shrink([false, false]).show(ui, |ui| {
        let width = ui.available_width().max(NARROWEST);
        ui.set_min_width(width);
        table_ui(ui, session, &rows, asks);
    });
}

fn rows<'a>(session: &Session, benchmarks: &'a [BenchmarkInfo]) -> Vec<Row<'a>> {
    let (current, stale) = session.current();
    let ends = [AlphaMap::BASE, AlphaMap::TUNED].map(|alpha| session.swept(alpha));
    let row = |title: String, series, benchmark: Option<&'a BenchmarkInfo>| {
        let at = |end: usize| ends[end].and_then(|scores| session.measure(series, &scores.benchmarks));
        let (stale, score) = match series {
            Series::Benchmark(place) => {
                (session.score(place).is_some_and(|s| s.stale), current.get(place).cloned().flatten())
            }
            _ => (stale, None),
        };
        Row { title, series, benchmark, values: [at(0), session.measure(series, &current), at(1)], stale, score }
    };
    let means = [("Composition mean", Series::Composition), ("Recognition mean", Series::Recognition)];
    let means = means.map(|(title, series)| row(title.into(), series, None));
    let single = benchmarks.iter().enumerate().map(|(i, b)| row(b.title.clone(), Series::Benchmark(i), Some(b)));
    means.into_iter().chain(single).collect()
}

fn table_ui(ui: &mut Ui, session: &Session, rows: &[Row], asks: &mut Vec<Ask>) {
    let value = || Column::exact(76.0);
    TableBuilder::new(ui)
        .id_salt("tasks")
        .striped(true)
        .cell_layout(Layout::right_to_left(Align::Center))
        .column(Column::remainder().at_least(120.0).clip(true))
        .columns(value(), 3)
        .column(Column::exact(46.0))
        .column(Column::exact(46.0))
        .column(Column::exact(36.0))
        .column(Column::exact(52.0))
        .auto_shrink([false, false])
        .header(look::ROW, |mut header| {
            let here = words::alpha(session.wanted());
            let titles = [
                ("Task", "Click a task to list its examples"),
                ("Base, %", "Alpha 0 with the half-width of the 95 % interval"),
                (here.as_str(), "The patch, in percent; dimmed while its answer is coming"),
                ("Tuned, %", "Alpha 1"),
                ("Δ base", "The patch minus base, in points"),
                ("n", "Examples judged"),
                ("Ties", "Examples in which the right caption tied with another; the protocol says who wins"),
                ("Skipped", "Items of the file that cannot be scored"),
            ];
            for (place, (title, hover)) in titles.into_iter().enumerate() {
                header.col(|ui| {
                    let text = RichText::new(title).small().weak();
                    let label = |ui: &mut Ui| drop(ui.add(Label::new(text).truncate()).on_hover_text(hover));
                    if place == 0 {
                        ui.with_layout(Layout::left_to_right(Align::Center), label);
                    } else {
                        label(ui);
                    }
                });
            }
        })
        .body(|body| body.rows(look::ROW, rows.len(), |mut row| row_ui(&mut row, rows, asks)));
}

fn row_ui(row: &mut TableRow, rows: &[Row], asks: &mut Vec<Ask>) {
    let line = &rows[row.index()];
    row.col(|ui| {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| title_ui(ui, line, asks));
    });
    for (place, value) in line.values.iter().enumerate() {
        row.col(|ui| {
            look::dim_if(ui, place == 1 && line.stale);
            value_ui(ui, value.as_ref(), if place == 1 { line.score.as_ref() } else { None });
        });
    }
    row.col(|ui| {
        look::dim_if(ui, line.stale);
        let delta = line.values[1].zip(line.values[0]).map(|(now, base)| words::signed(now.0.value - base.0.value));
        ui.label(look::digits(delta.unwrap_or_else(|| "–".into())).small());
    });
    let score = line.score.as_ref();
    let scored = line.values.iter().flatten().map(|(_, n)| *n).next();
    row.col(|ui| drop(ui.label(look::digits(scored.map_or("–".into(), words::count)).small())));
    row.col(|ui| drop(ui.label(look::digits(score.map_or("–".into(), |s| words::count(s.ties))).small())));
    row.col(|ui| skipped_ui(ui, line));
}

fn title_ui(ui: &mut Ui, line: &Row, asks: &mut Vec<Ask>) {
    let Some(benchmark) = line.benchmark else {
        ui.add(Label::new(RichText::new(&line.title).strong()).truncate())
            .on_hover_text("Unweighted; the tasks of one benchmark are averaged first");
        return;
    };
    let response = ui.add(egui::Button::new(&line.title).frame(false).truncate());
    let hover = format!("{}\nA guess is right {:.1} % of the time", benchmark.protocol, benchmark.chance);
    if response.on_hover_text(hover).clicked()
        && let Series::Benchmark(place) = line.series
    {
        asks.push(Ask::ShowBenchmark(place));
    }
}

fn value_ui(ui: &mut Ui, value: Option<&(Measure, usize)>, score: Option<&Score>) {
    let Some((measure, n)) = value else {
        ui.label(look::digits("–").small().weak()).on_hover_text("Not scored yet");
        return;
    };
    let text = format!("{:.1} ±{:.1}", measure.value, measure.half_width());
    let counts = score.map_or_else(
        || format!("{} examples", words::count(*n)),
        |s| format!("{} of {} right, {:?}", words::count(s.correct), words::count(s.scored), s.metric),
    );
    let exact = score.map_or(*measure, measure_of);
    let hover = format!("{:.2} %, 95 % interval {:.2} to {:.2} %\n{counts}", exact.value, exact.low, exact.high);
    ui.label(look::digits(text).small()).on_hover_text(hover);
}

fn skipped_ui(ui: &mut Ui, line: &Row) {
    let Some(benchmark) = line.benchmark else {
        ui.label(look::digits("–").small());
        return;
    };
    // A score also counts the images that turned out not to decode.
    let count = line.score.as_ref().map_or(0, |score| score.skipped).max(benchmark.skipped.len());
    let scored = benchmark.examples.len();
    let response = ui.label(skipped::count_text(ui, scored, count));
    if count > 0 {
        response.on_hover_ui(|ui| {
            ui.label(skipped::hover(scored, count));
            for (item, reason) in benchmark.skipped.iter().take(12) {
                ui.label(format!("{item}: {reason}"));
            }
            if count > 12 {
                ui.label(format!("and {} more, listed in the data panel", words::count(count - 12)));
            }
        });
    }
}
