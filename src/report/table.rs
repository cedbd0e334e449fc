//! The scores as CSV and as JSON.

use serde::Serialize;

use super::data::{Entry, Model, Report};
use crate::store::results::Row;

const COLUMNS: [&str; 26] = [
    "benchmark",
    "task",
    "alpha_image",
    "alpha_text",
    "metric",
    "value",
    "interval_low",
    "interval_high",
    "correct",
    "scored",
    "skipped",
    "ties",
    "blind",
    "bootstrap_low",
    "bootstrap_high",
    "bootstrap_resamples",
    "remarks",
    "protocol",
    "base",
    "base_sha256",
    "tuned",
    "tuned_sha256",
    "data_hash",
    "device",
    "version",
    "exported",
];

/// One row per alpha, benchmark, task and metric; percent for values, counts of examples beside them.
pub fn csv(report: &Report) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory cannot fail, and every record has the columns of the first.
    let _ = writer.write_record(COLUMNS);
    for entry in &report.entries {
        let _ = writer.write_record(record(report, entry));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

fn record(report: &Report, Entry { row, data, device, version }: &Entry) -> [String; COLUMNS.len()] {
    let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let bootstrap = row.bootstrap.as_ref();
    [
        row.benchmark.clone(),
        row.task.clone().unwrap_or_default(),
        row.alpha.image().get().to_string(),
        row.alpha.text().get().to_string(),
        row.metric.clone(),
        row.value.to_string(),
        row.interval[0].to_string(),
        row.interval[1].to_string(),
        row.correct.to_string(),
        row.scored.to_string(),
        row.skipped.to_string(),
        row.ties.to_string(),
        optional(row.blind),
        optional(bootstrap.map(|b| b.interval[0])),
        optional(bootstrap.map(|b| b.interval[1])),
        bootstrap.map_or(String::new(), |b| b.resamples.to_string()),
        row.remarks.join("; "),
        row.protocol.clone(),
        report.base.path.clone(),
        report.base.sha256.clone(),
        report.tuned.path.clone(),
        report.tuned.sha256.clone(),
        data.clone(),
        device.clone(),
        version.clone(),
        report.made.date.clone(),
    ]
}

/// One JSON document; its `results` are the rows of `sweep --json`.
pub fn json(report: &Report) -> String {
    let document = Document {
        base: End::of(&report.base),
        tuned: End::of(&report.tuned),
        exported: &report.made.date,
        version: &report.made.version,
        remarks: &report.remarks,
        results: report.entries.iter().map(Printed::of).collect(),
    };
    // Scores come from JSON or from counts: all of them are numbers.
    serde_json::to_string_pretty(&document).map(|text| text + "\n").unwrap_or_default()
}

#[derive(Serialize)]
struct Document<'a> {
    base: End<'a>,
    tuned: End<'a>,
    exported: &'a str,
    version: &'a str,
    remarks: &'a [String],
    results: Vec<Printed<'a>>,
}

#[derive(Serialize)]
struct End<'a> {
    path: &'a str,
    sha256: &'a str,
    architecture: Option<&'a str>,
    activation: Option<&'a str>,
}

impl<'a> End<'a> {
    fn of(model: &'a Model) -> Self {
        let (architecture, activation) = (model.architecture.as_deref(), model.activation.as_deref());
        Self { path: &model.path, sha256: &model.sha256, architecture, activation }
    }
}

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    row: &'a Row,
    /// As for every score that was not computed by the command that prints it.
    seconds: f64,
    data: &'a str,
    device: &'a str,
    version: &'a str,
}

impl<'a> Printed<'a> {
    fn of(Entry { row, data, device, version }: &'a Entry) -> Self {
        Self { row, seconds: 0.0, data, device, version }
    }
}
