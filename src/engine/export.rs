//! What the sweep has found as a report, written to a file.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::command::Export;
use super::event::{CheckpointInfo, Event, Failure, PairInfo, Scores};
use crate::benchmark::{Benchmark, Outcome, scores, title};
use crate::evaluate::{self, Standing, statistics};
use crate::patch::AlphaMap;
use crate::report::{self, Axis, Chosen, Curves, Entry, Gallery, Made, Model, Picture, Report, View, describe, words};
use crate::store;

/// Everything that a report is made from, so that the engine can go on meanwhile.
pub(super) struct Material {
    pub pair: Arc<PairInfo>,
    pub benchmarks: Arc<Vec<Benchmark>>,
    /// Corpus texts of each benchmark: equal numbers are equal token ids.
    pub texts: Vec<Vec<Vec<usize>>>,
    /// Ascending in alpha.
    pub scores: Vec<Arc<Scores>>,
    pub device: String,
    /// The folder, or "scene world".
    pub source: String,
    /// Alphas done and alphas in all.
    pub swept: (usize, usize),
    /// Examples with the cosines of their options at the chosen alpha.
    pub chosen: Vec<(Chosen, Vec<(usize, f32)>)>,
    /// Counts, and what could not be scored.
    pub gallery: Gallery,
}

/// Makes and writes the report.
pub(super) fn write(export: &Export, material: Material) -> Event {
    let path = &export.path;
    let made = Made { date: now(), version: env!("CARGO_PKG_VERSION").into(), commands: vec![command(&material)] };
    let (report, view) = report(material, &export.view, made);
    let written = report::render(export.kind, &report, &view).map_err(|error| error.to_string());
    match written.and_then(|bytes| put(path, &bytes, export.replace)) {
        Ok(()) => Event::Exported { path: path.clone() },
        Err(reason) => {
            let summary = format!("the export was not written: {reason}: {}", path.display());
            Event::Failed(Failure::new(summary))
        }
    }
}

fn put(path: &Path, bytes: &[u8], replace: bool) -> Result<(), String> {
    let written = if replace { store::write(path, bytes) } else { store::write_new(path, bytes) };
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => "the file exists and is not overwritten; choose another name".to_owned(),
        _ => error.to_string(),
    })
}

fn now() -> String {
    words::date(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// The window that shows the same.
fn command(material: &Material) -> String {
    let (base, tuned) = (material.pair.base.path.display(), material.pair.tuned.path.display());
    let (base, tuned) = (words::shell(&base.to_string()), words::shell(&tuned.to_string()));
    // The demo's own data have no folder.
    let is_folder = Path::new(&material.source).is_dir();
    let data = if is_folder { format!(" --data {}", words::shell(&material.source)) } else { String::new() };
    format!("clove --base {base} --tuned {tuned}{data}")
}

fn report(material: Material, view: &View, made: Made) -> (Report, View) {
    let mut report = Report {
        base: model(&material.pair.base),
        tuned: model(&material.pair.tuned),
        entries: entries(&material),
        made,
        ..Report::default()
    };
    let (done, total) = material.swept;
    if done < total {
        report.remarks.push(format!("exported after {done} of {total} alphas of the sweep"));
    }
    report.remarks.extend(material.pair.remarks.iter().cloned());
    let view = Curves::of(&report).settle(view);
    let at = |alpha: AlphaMap| material.scores.iter().find(|scores| scores.alpha == alpha);
    let sides = at(AlphaMap::BASE).zip(view.alpha.and_then(at));
    if let Some((base, here)) = sides {
        let of_task = |(b, benchmark): (usize, &Benchmark)| {
            let axis = Axis::Task { benchmark: benchmark.name.clone(), task: benchmark.task.clone() };
            Some((axis, statistics::change(base.outcomes.get(b)?, here.outcomes.get(b)?)))
        };
        report.changes = material.benchmarks.iter().enumerate().filter_map(of_task).collect();
        let mut gallery = material.gallery;
        let told = material.chosen.iter();
        gallery.failures = told
            .filter_map(|(chosen, cosines)| failure(&material.benchmarks, [base, here], *chosen, cosines))
            .collect();
        report.gallery = Some(gallery);
    }
    (report, view)
}

fn model(info: &CheckpointInfo) -> Model {
    Model {
        name: info.name.clone(),
        path: info.path.display().to_string(),
        sha256: info.sha256.clone(),
        architecture: Some(info.architecture.clone()),
        activation: Some(format!("{} (from {})", info.activation, info.activation_source)),
    }
}

fn entries(material: &Material) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (b, benchmark) in material.benchmarks.iter().enumerate() {
        let standing = Standing::of(benchmark, material.texts.get(b).map(Vec::as_slice).unwrap_or_default());
        for at in &material.scores {
            let (Some(Some(first)), Some(outcomes)) = (at.benchmarks.get(b), at.outcomes.get(b)) else { continue };
            let unreadable = first.skipped.saturating_sub(benchmark.skipped.len());
            let rows = scores(benchmark, outcomes, unreadable);
            entries.extend(rows.iter().map(|score| Entry {
                row: standing.row(benchmark, at.alpha, score, None),
                data: String::new(),
                device: material.device.clone(),
                version: env!("CARGO_PKG_VERSION").into(),
            }));
        }
    }
    entries
}

fn failure(
    benchmarks: &[Benchmark],
    sides: [&Arc<Scores>; 2],
    chosen: Chosen,
    cosines: &[(usize, f32)],
) -> Option<report::Failure> {
    let benchmark = benchmarks.get(chosen.benchmark)?;
    let of = |scores: &Scores| scores.outcomes.get(chosen.benchmark)?.get(chosen.example).copied().flatten();
    let [before, after]: [Outcome; 2] = [of(sides[0])?, of(sides[1])?];
    let image = benchmark.images.get(benchmark.image_of(chosen.example));
    let picture = image.ok_or_else(|| "no picture".to_owned());
    let picture = picture.and_then(|image| Picture::of(&evaluate::load(image)?));
    let title = title(&benchmark.name, benchmark.task.as_deref());
    describe(benchmark, &title, chosen, [&before, &after], [&[], cosines], picture)
}
