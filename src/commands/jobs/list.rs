//! Jobs and checks as tables and as JSON.

use serde_json::{Value, json};

use super::super::output;
use crate::jobs::{CheckReport, JobState, JobView, Runs, TrialReport, Verdict};

pub fn run(runs: &Runs, as_json: bool) -> anyhow::Result<()> {
    let (jobs, unreadable) = runs.jobs();
    if as_json {
        let unreadable: Vec<Value> =
            unreadable.iter().map(|(folder, reason)| json!({ "folder": folder, "reason": reason })).collect();
        let jobs: Vec<Value> = jobs.iter().map(document).collect();
        return output::json(&json!({ "runs": runs.folder(), "jobs": jobs, "unreadable": unreadable }));
    }
    for (folder, reason) in &unreadable {
        output::note(&format!("clove: {folder} is left out: {reason}"));
    }
    if jobs.is_empty() {
        return output::text(&format!("no jobs; clove jobs queue RECIPE.toml makes one: {}", runs.folder().display()));
    }
    let header = ["job", "state", "step", "loss", "pairs/s", "time left"];
    output::text(&output::table(&header, &jobs.iter().map(row).collect::<Vec<_>>()))?;
    for job in jobs.iter() {
        if let Some(failure) = &job.failure {
            output::text(&format!("{} failed: {failure}", job.id))?;
        }
    }
    Ok(())
}

fn row(job: &JobView) -> Vec<String> {
    let last = job.points.last();
    let state = match job.place {
        Some(place) if job.state == JobState::Queued => format!("queued, {}.", place + 1),
        _ => job.state.name().to_owned(),
    };
    vec![
        job.id.0.clone(),
        state,
        format!("{}/{}", job.step, job.steps),
        last.map_or_else(String::new, |point| format!("{:.4}", point.loss)),
        last.filter(|_| job.state.is_live()).map_or_else(String::new, |point| format!("{:.1}", point.pairs_per_s)),
        job.seconds_left.map_or_else(String::new, output::duration),
    ]
}

fn document(job: &JobView) -> Value {
    let last = job.points.last();
    json!({
        "id": job.id, "name": job.recipe.name, "state": job.state, "place": job.place, "folder": job.folder,
        "step": job.step, "steps": job.steps, "loss": last.map(|point| point.loss), "lr": last.map(|point| point.lr),
        "pairs_per_s": last.map(|point| point.pairs_per_s), "memory_bytes": last.and_then(|point| point.memory_bytes),
        "seconds_left": job.seconds_left, "device": job.device, "failure": job.failure, "warnings": *job.warnings,
        "checkpoints": *job.checkpoints, "evaluations": *job.evaluations, "weights": job.weights,
    })
}

/// One line per thing looked at.
pub fn report(report: &CheckReport) -> String {
    let line = |what: &str, mark: &str, says: &str| format!("{mark} {what:<11} {says}");
    let mark = |verdict| match verdict {
        Verdict::Fine => "✓",
        Verdict::Warning => "!",
        Verdict::Blocking => "✗",
    };
    let lines = report.items.iter().map(|item| line(item.what, mark(item.verdict), &item.says));
    lines.collect::<Vec<_>>().join("\n")
}

/// In the manner of [`report`].
pub fn trial(trial: &TrialReport) -> String {
    let memory = match trial.peak_memory_bytes {
        0 => String::new(),
        bytes => format!(", {:.2} GB of memory", bytes as f64 / 1e9),
    };
    format!(
        "✓ {:<11} {} in all, {:.2} s per step, {:.1} pairs/s{memory}, from three steps",
        "Time",
        output::duration(trial.seconds_total),
        trial.seconds_per_step,
        trial.pairs_per_s
    )
}
