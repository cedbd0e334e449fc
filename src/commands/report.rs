//! `clove report`: stored results as a figure, tables and one page, without computing anything.

mod examples;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use super::{output, usage};
use crate::patch::{Alpha, AlphaMap};
use crate::report::{self, Axis, Curves, Kind, Made, Report, Stored, View, words};
use crate::store::results::{End, Line, Results};
use crate::store::{StoreError, write_new};

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Where a sweep or an evaluation kept its scores
    #[arg(long, value_name = "DIR")]
    results: PathBuf,
    /// A file of the kind that its name says (html, svg, png, csv, json), or a folder for all of them
    #[arg(long, value_name = "FILE|FOLDER")]
    out: PathBuf,
    /// Where the benchmarks lie, for the pictures and captions of the failures
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Of several pairs, the one with this base: its path, or how its SHA-256 begins
    #[arg(long, value_name = "CKPT|HASH")]
    base: Option<String>,
    /// Of several pairs, the one with this fine-tuned checkpoint
    #[arg(long, value_name = "CKPT|HASH")]
    tuned: Option<String>,
    /// The alpha that the report is about; the best one within the limit when absent
    #[arg(long, value_name = "A")]
    alpha: Option<Alpha>,
    /// Points of the x axis that the best alpha may lose; a third of what tuned loses when absent
    #[arg(long, value_name = "POINTS")]
    max_loss: Option<f64>,
    /// recognition, composition, or a benchmark such as aro-relation or sugarcrepe/add_att
    #[arg(long, value_name = "SCORE", default_value = "recognition")]
    x: Axis,
    /// As --x: the bold line
    #[arg(long, value_name = "SCORE", default_value = "composition")]
    y: Axis,
    /// Scores drawn beside it; relation, attribution and order when absent
    #[arg(long, value_name = "SCORE", num_args = 1..)]
    lines: Option<Vec<Axis>>,
    /// Draw scores over alpha rather than one against another
    #[arg(long)]
    over_alpha: bool,
    /// Set published models beside the curve
    #[arg(long)]
    published: bool,
    /// Examples shown of each kind: broken, still wrong, fixed
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(0..=200))]
    failures: u16,
}

pub fn run(args: &ReportArgs) -> anyhow::Result<()> {
    if args.max_loss.is_some_and(|points| !(0.0..=100.0).contains(&points)) {
        return Err(usage("--max-loss is in points, from 0 to 100"));
    }
    let files = files(&args.out)?;
    let results = Results::of(&args.results);
    let lines = results.lines()?;
    let stored = choose(args, &lines)?;
    let (report, view) = assemble(args, &results, &stored)?;
    for remark in &report.remarks {
        output::note(remark);
    }
    for (path, kind) in files {
        let bytes = report::render(kind, &report, &view)?;
        write_new(&path, &bytes).map_err(|source| StoreError::Io {
            action: "write the report",
            path: path.clone(),
            source,
        })?;
        output::note(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// What is written where, none of which may be there.
fn files(out: &Path) -> anyhow::Result<Vec<(PathBuf, Kind)>> {
    let files = match (Kind::of(out), out.extension().is_some() && !out.is_dir()) {
        (Some(kind), _) => vec![(out.to_owned(), kind)],
        (None, true) => {
            let said = format!(
                "a report is html, svg, png, csv or json, or a folder for all of them; choose another name: {}",
                out.display()
            );
            anyhow::bail!(said)
        }
        (None, false) => Kind::ALL.into_iter().map(|kind| (out.join(kind.file_name()), kind)).collect(),
    };
    for (path, _) in &files {
        anyhow::ensure!(!path.exists(), "the file exists and is not overwritten; name another one: {}", path.display());
    }
    Ok(files)
}

fn choose(args: &ReportArgs, lines: &[Line]) -> anyhow::Result<Stored> {
    let place = args.results.display();
    anyhow::ensure!(!lines.is_empty(), "there are no results yet; run clove sweep with --results first: {place}");
    let is = |end: &End, wanted: &Option<String>| {
        wanted.as_ref().is_none_or(|wanted| {
            let is_hash = wanted.len() >= 6 && end.sha256.starts_with(&wanted.to_lowercase());
            is_hash || end.path == Path::new(wanted)
        })
    };
    let stored = report::latest(lines, |base, tuned| is(base, &args.base) && is(tuned, &args.tuned));
    stored.ok_or_else(|| {
        let mut pairs: Vec<String> = lines
            .iter()
            .map(|line| format!("{} and {}", line.base.path.display(), line.tuned.path.display()))
            .collect();
        pairs.sort();
        pairs.dedup();
        anyhow::anyhow!("no results of this pair; there are those of {}: {place}", pairs.join(", of "))
    })
}

fn assemble(args: &ReportArgs, results: &Results, stored: &Stored) -> anyhow::Result<(Report, View)> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut report = Report {
        base: stored.base.clone(),
        tuned: stored.tuned.clone(),
        entries: stored.entries.clone(),
        remarks: stored.remarks.clone(),
        made: Made {
            date: words::date(seconds),
            version: env!("CARGO_PKG_VERSION").into(),
            commands: commands(args, stored),
        },
        ..Report::default()
    };
    let curves = Curves::of(&report);
    let view = View {
        x: args.x.clone(),
        y: args.y.clone(),
        lines: args.lines.clone().unwrap_or_else(|| curves.default_lines()),
        over_alpha: args.over_alpha,
        alpha: args.alpha.map(AlphaMap::one),
        budget: args.max_loss,
        published: args.published,
    };
    check(args, &curves, &view)?;
    let view = curves.settle(&view);
    let alpha = view.alpha.unwrap_or(AlphaMap::BASE);
    let told = examples::of(args.data.as_deref(), results, stored, alpha, usize::from(args.failures))?;
    report.remarks.extend(told.remarks);
    (report.gallery, report.changes) = (told.gallery, told.changes);
    Ok((report, view))
}

/// Refuses what was asked for and is not there.
fn check(args: &ReportArgs, curves: &Curves<'_>, view: &View) -> anyhow::Result<()> {
    let asked = [&view.x, &view.y].into_iter().chain(args.lines.iter().flatten());
    for axis in asked.filter(|axis| matches!(axis, Axis::Task { .. })) {
        let there: Vec<String> = curves.tasks.iter().map(|task| task.axis().to_string()).collect();
        anyhow::ensure!(curves.has(axis), "there are no results of {axis}; there are those of {}", there.join(", "));
    }
    if let Some(alpha) = view.alpha {
        let there: Vec<String> = curves.alphas().iter().map(ToString::to_string).collect();
        let is_there = curves.alphas().contains(&alpha);
        anyhow::ensure!(is_there, "there are no results at alpha {alpha}; there are those at {}", there.join(", "));
    }
    Ok(())
}

/// What makes the report again: the sweep, and this command.
fn commands(args: &ReportArgs, stored: &Stored) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut alphas: Vec<AlphaMap> = Vec::new();
    for entry in &stored.entries {
        if !names.contains(&entry.row.benchmark.as_str()) {
            names.push(&entry.row.benchmark);
        }
        alphas.push(entry.row.alpha);
    }
    alphas.sort_unstable();
    alphas.dedup();
    let grid = if alphas.iter().all(AlphaMap::is_linked) { "" } else { " --grid" };
    let mut sides: Vec<String> = alphas.iter().map(|alpha| alpha.image().get().to_string()).collect();
    sides.dedup();
    let data = args.data.as_ref().map_or_else(|| "DIR".to_owned(), |data| words::shell(&data.display().to_string()));
    let sweep = format!(
        "clove sweep --base {} --tuned {} --alphas {}{grid} --benchmark {} --data {data} --results {}",
        words::shell(&stored.base.path),
        words::shell(&stored.tuned.path),
        sides.join(","),
        names.join(" "),
        words::shell(&args.results.display().to_string())
    );
    let own: Vec<String> = std::env::args().skip(1).map(|word| words::shell(&word)).collect();
    vec![sweep, format!("clove {}", own.join(" "))]
}
