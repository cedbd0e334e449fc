//! Verdicts and examples of stored results, with pictures and captions where the data are at hand.

use std::path::Path;

use crate::benchmark::{self, Benchmark, ImageRef, Items, Outcome, title};
use crate::evaluate::{self, statistics};
use crate::patch::AlphaMap;
use crate::report::{Axis, Chosen, Failure, Gallery, Picture, Sides, Stored, TaskKey, choose, describe};
use crate::store::results::{PerExample, Results};

/// Options of an example beyond which only some are kept.
const MANY_OPTIONS: usize = 64;

/// What a report tells beyond scores.
#[derive(Default)]
pub struct Told {
    pub gallery: Option<Gallery>,
    pub changes: Vec<(Axis, statistics::Change)>,
    pub remarks: Vec<String>,
}

/// One task at base and at the chosen alpha.
struct Task {
    key: TaskKey,
    base: PerExample,
    here: PerExample,
}

/// Reads what was kept of every example at base and at `alpha`; captions and pictures come from `data`.
pub fn of(
    data: Option<&Path>,
    results: &Results,
    stored: &Stored,
    alpha: AlphaMap,
    most: usize,
) -> anyhow::Result<Told> {
    let mut told = Told::default();
    let tasks = tasks(results, stored, alpha)?;
    for Task { key: (benchmark, task), base, here } in &tasks {
        let axis = Axis::Task { benchmark: benchmark.clone(), task: task.clone() };
        told.changes.push((axis, statistics::change(&base.outcomes, &here.outcomes)));
    }
    let Some(data) = data else { return Ok(told) };
    let (known, remarks) = known(data, tasks);
    told.remarks = remarks;
    let sides: Vec<Sides<'_>> =
        known.iter().map(|(task, _)| (&task.base.outcomes[..], &task.here.outcomes[..])).collect();
    let (chosen, mut gallery) = choose(&sides, most);
    gallery.failures = chosen.into_iter().filter_map(|chosen| failure(&known, chosen)).collect();
    for (task, benchmark) in &known {
        gallery.unreadable.extend(benchmark.skipped.iter().map(|s| (s.item.clone(), s.reason.clone())));
        gallery.unreadable.extend(task.here.unreadable.iter().map(|u| (u.item.clone(), u.reason.clone())));
    }
    told.gallery = Some(gallery);
    Ok(told)
}

fn tasks(results: &Results, stored: &Stored, alpha: AlphaMap) -> anyhow::Result<Vec<Task>> {
    let mut tasks = Vec::new();
    let mut keys: Vec<TaskKey> = Vec::new();
    for entry in &stored.entries {
        let key = (entry.row.benchmark.clone(), entry.row.task.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    for key in keys {
        let at = |alpha: AlphaMap| match stored.keys.get(&(key.clone(), alpha)) {
            Some(file) => results.per_example(file),
            None => Ok(None),
        };
        if let (Some(base), Some(here)) = (at(AlphaMap::BASE)?, at(alpha)?) {
            tasks.push(Task { key, base, here });
        }
    }
    Ok(tasks)
}

/// The tasks whose questions are in `data`, and what is to be said of the others.
fn known(data: &Path, tasks: Vec<Task>) -> (Vec<(Task, Benchmark)>, Vec<String>) {
    let (mut known, mut remarks) = (Vec::new(), Vec::new());
    let mut read: Vec<(String, Result<Vec<Benchmark>, String>)> = Vec::new();
    for task in tasks {
        let (name, of) = &task.key;
        let place = read.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            read.push((name.clone(), evaluate::read(name, data).map_err(|error| error.to_string())));
            read.len() - 1
        });
        let title = title(name, of.as_deref());
        let found = match &read[place].1 {
            Ok(benchmarks) => benchmarks.iter().find(|benchmark| benchmark.task == *of),
            Err(error) => {
                let said = format!("the examples of {name} are not shown: {error}");
                if !remarks.contains(&said) {
                    remarks.push(said);
                }
                continue;
            }
        };
        let same = found.cloned().map(|mut benchmark| {
            benchmark::limit(&mut benchmark, task.base.outcomes.len());
            benchmark
        });
        match same.filter(|benchmark| fits(benchmark, &task.base) && fits(benchmark, &task.here)) {
            Some(benchmark) => known.push((task, benchmark)),
            None => remarks.push(format!(
                "the examples of {title} are not shown: the data at hand are not those that were scored"
            )),
        }
    }
    (known, remarks)
}

/// Whether these can be the questions that were answered: as many, with as many options each.
fn fits(benchmark: &Benchmark, of: &PerExample) -> bool {
    let options = |example: usize| of.similarities(example).count();
    let as_many = |example: usize| match &benchmark.items {
        Items::Choices(choices) => {
            let n = choices[example].captions.len();
            n > MANY_OPTIONS || [0, n].contains(&options(example))
        }
        Items::Duels(duels) => [0, 2 * duels[example].wins.len()].contains(&options(example)),
        Items::Classes { .. } | Items::Retrieval(_) => true,
    };
    benchmark.len() == of.outcomes.len() && (0..benchmark.len()).all(as_many)
}

fn failure(known: &[(Task, Benchmark)], chosen: Chosen) -> Option<Failure> {
    let (task, benchmark) = known.get(chosen.benchmark)?;
    let of = |side: &PerExample| side.outcomes.get(chosen.example).copied().flatten();
    let outcomes: [Outcome; 2] = [of(&task.base)?, of(&task.here)?];
    let cosines: [Vec<(usize, f32)>; 2] =
        [&task.base, &task.here].map(|side| side.similarities(chosen.example).collect());
    let image = benchmark.images.get(benchmark.image_of(chosen.example));
    let picture = image.ok_or_else(|| "no picture".to_owned()).and_then(picture);
    let [before, after] = &outcomes;
    let title = title(&benchmark.name, benchmark.task.as_deref());
    describe(benchmark, &title, chosen, [before, after], [&cosines[0], &cosines[1]], picture)
}

fn picture(image: &ImageRef) -> Result<Picture, String> {
    Picture::of(&evaluate::load(image)?)
}
