//! Scores as lines over alpha.

use std::collections::BTreeMap;

use super::data::{Axis, Report, View};
use crate::benchmark::title;
use crate::patch::AlphaMap;
use crate::store::results::Row;
use crate::tradeoff::{self, Key, Measure, Point, Published, published};

/// One task with its published metric at every alpha.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// Name of `--benchmark`.
    pub benchmark: &'a str,
    /// Published task where there are several.
    pub task: Option<&'a str>,
    /// For people.
    pub title: String,
    /// Whether it stands on the recognition axis.
    pub recognition: bool,
    /// The published metric's row at every alpha.
    pub rows: BTreeMap<AlphaMap, &'a Row>,
}

impl Task<'_> {
    /// The task as an axis.
    pub fn axis(&self) -> Axis {
        Axis::Task { benchmark: self.benchmark.to_owned(), task: self.task.map(str::to_owned) }
    }

    /// Any row of the task: what does not depend on alpha.
    pub fn any(&self) -> Option<&Row> {
        self.rows.values().next().copied()
    }
}

/// One alpha of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// 0 is base, 1 is tuned.
    pub alpha: f64,
    /// The score on the x axis at this alpha.
    pub x: Measure,
    /// The line's value.
    pub y: Measure,
    /// Examples behind `y`.
    pub scored: usize,
}

impl Mark {
    /// Without its intervals.
    pub fn point(&self) -> Point {
        Point { alpha: self.alpha, x: self.x.value, y: self.y.value }
    }
}

/// Every task of a report.
#[derive(Clone, Debug)]
pub struct Curves<'a> {
    /// In the report's order.
    pub tasks: Vec<Task<'a>>,
}

impl<'a> Curves<'a> {
    /// Those of a report.
    pub fn of(report: &'a Report) -> Self {
        let mut tasks: Vec<Task<'a>> = Vec::new();
        for row in report.entries.iter().map(|entry| &entry.row) {
            let key = (row.benchmark.as_str(), row.task.as_deref());
            let place = tasks.iter().position(|task| (task.benchmark, task.task) == key).unwrap_or_else(|| {
                tasks.push(Task {
                    benchmark: key.0,
                    task: key.1,
                    title: title(key.0, key.1),
                    recognition: row.metric.starts_with("top"),
                    rows: BTreeMap::new(),
                });
                tasks.len() - 1
            });
            // The published metric comes first.
            tasks[place].rows.entry(row.alpha).or_insert(row);
        }
        Self { tasks }
    }

    /// Tasks that an axis stands for.
    fn parts(&self, axis: &Axis) -> impl Iterator<Item = &Task<'a>> {
        self.tasks.iter().filter(move |task| match axis {
            Axis::Composition => !task.recognition,
            Axis::Recognition => task.recognition,
            Axis::Task { benchmark, task: name } => task.benchmark == benchmark && task.task == name.as_deref(),
        })
    }

    /// Whether an axis has any score.
    pub fn has(&self, axis: &Axis) -> bool {
        self.parts(axis).next().is_some()
    }

    /// Whether `mean` stands for the task `axis` and for no other.
    pub fn is_mean_of_one(&self, mean: &Axis, axis: &Axis) -> bool {
        let is_mean = matches!(mean, Axis::Composition | Axis::Recognition);
        is_mean && self.parts(mean).count() == 1 && self.parts(mean).all(|task| task.axis() == *axis)
    }

    /// What an axis is called.
    pub fn title(&self, axis: &Axis) -> String {
        match axis {
            Axis::Composition => "Composition".into(),
            Axis::Recognition => "Recognition".into(),
            Axis::Task { benchmark, task } => title(benchmark, task.as_deref()),
        }
    }

    /// What a mean is over, in words: "mean of 7 tasks in 2 benchmarks"; empty for a single task.
    pub fn made_of(&self, axis: &Axis) -> String {
        let tasks = self.parts(axis).count();
        if matches!(axis, Axis::Task { .. }) || tasks < 2 {
            return String::new();
        }
        let benchmarks: std::collections::BTreeSet<&str> = self.parts(axis).map(|task| task.benchmark).collect();
        let n = benchmarks.len();
        if n == tasks { format!("mean of {n} benchmarks") } else { format!("mean of {tasks} tasks in {n} benchmarks") }
    }

    /// An axis' value and examples at one alpha; `None` while a part of it is missing, so that a mean is never over a
    /// subset.
    pub fn measure(&self, axis: &Axis, alpha: AlphaMap) -> Option<(Measure, usize)> {
        let mut scored = 0;
        let mut parts = Vec::new();
        for task in self.parts(axis) {
            let row = task.rows.get(&alpha)?;
            scored += row.scored;
            parts.push((task.benchmark, Measure { value: row.value, low: row.interval[0], high: row.interval[1] }));
        }
        Some((tradeoff::mean_of_families(parts.into_iter())?, scored))
    }

    /// Every alpha map at which something was scored, ascending.
    pub fn alphas(&self) -> Vec<AlphaMap> {
        let mut all: Vec<AlphaMap> = self.tasks.iter().flat_map(|task| task.rows.keys().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// `y` against `x` over the alphas at which both towers stand alike, ascending.
    pub fn line(&self, x: &Axis, y: &Axis) -> Vec<Mark> {
        let linked = self.alphas().into_iter().filter(AlphaMap::is_linked);
        linked.filter_map(|alpha| self.mark(x, y, alpha)).collect()
    }

    /// `y` against `x` at one alpha.
    pub fn mark(&self, x: &Axis, y: &Axis, alpha: AlphaMap) -> Option<Mark> {
        let (x, _) = self.measure(x, alpha)?;
        let (y, scored) = self.measure(y, alpha)?;
        Some(Mark { alpha: alpha.mean().get(), x, y, scored })
    }

    /// Published models with a score on both axes.
    pub fn published(&self, view: &View) -> Vec<Published> {
        let keys = |axis: &Axis| -> Vec<Vec<Key<'_>>> {
            let mut families: BTreeMap<&str, Vec<Key<'_>>> = BTreeMap::new();
            for task in self.parts(axis) {
                families.entry(task.benchmark).or_default().push((task.benchmark, task.task));
            }
            families.into_values().collect()
        };
        if view.published { published(&keys(&view.x), &keys(&view.y)) } else { Vec::new() }
    }

    /// A view of what is there: an axis without scores gives way to the other one, which then is drawn over alpha.
    pub fn settle(&self, view: &View) -> View {
        let mut view = view.clone();
        let there = [&view.x, &view.y].map(|axis| self.has(axis));
        match (there, self.tasks.first().map(Task::axis)) {
            ([true, true], _) | ([false, false], None) => {}
            ([false, true], _) => view.x = view.y.clone(),
            ([true, false], _) => view.y = view.x.clone(),
            ([false, false], Some(first)) => (view.x, view.y) = (first.clone(), first),
        }
        view.over_alpha |= view.x == view.y;
        view.lines.retain(|axis| self.has(axis) && *axis != view.y);
        let points: Vec<Point> = self.line(&view.x, &view.y).iter().map(Mark::point).collect();
        view.budget = view.budget.or_else(|| tradeoff::default_budget(&points));
        if view.alpha.is_none_or(|alpha| self.mark(&view.x, &view.y, alpha).is_none()) {
            let best = view.budget.and_then(|budget| tradeoff::best_alpha(&points, budget));
            let near = best.map(|best| AlphaMap::one(crate::patch::Alpha::clamped(best.alpha)));
            view.alpha = near.or_else(|| self.alphas().last().copied());
        }
        view
    }

    /// The lines that stand beside the bold one unless told otherwise: relation, attribution and order, as in CLoVe's
    /// figure 3.
    pub fn default_lines(&self) -> Vec<Axis> {
        let figure = |task: &&Task<'_>| {
            !task.recognition && ["relation", "attribution", "order"].iter().any(|word| task.benchmark.contains(word))
        };
        self.tasks.iter().filter(figure).take(4).map(Task::axis).collect()
    }
}
