//! The sweep as lines: one per benchmark, and the means that stand on the axes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Session;
use crate::benchmark::Score;
use crate::engine::{BenchmarkInfo, Scores};
use crate::patch::AlphaMap;
use crate::tradeoff::{Key, Measure, Point, Published, mean_of_families, published};

/// What a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Series {
    /// Mean over composition benchmarks; tasks of one benchmark are averaged first.
    Composition,
    /// Mean over recognition benchmarks.
    Recognition,
    /// One benchmark, by its place in the data.
    Benchmark(usize),
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

/// One pair of alphas of the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Image tower's and text tower's.
    pub alpha: AlphaMap,
    /// The score on the x axis.
    pub x: Measure,
    /// The score on the y axis.
    pub y: Measure,
    /// Examples behind `y`.
    pub scored: usize,
}

impl Session {
    /// `y` against `x` over the alphas of the sweep, ascending; alphas at which something they need is missing are left
    /// out, so that a mean is never over a subset.
    pub fn curve(&self, x: Series, y: Series) -> Vec<Mark> {
        self.curve_of(&self.sweep, x, y)
    }

    pub(super) fn curve_of(&self, sweep: &[Arc<Scores>], x: Series, y: Series) -> Vec<Mark> {
        sweep
            .iter()
            .filter(|scores| scores.alpha.is_linked())
            .filter_map(|scores| {
                let (x, _) = self.measure(x, &scores.benchmarks)?;
                let (y, scored) = self.measure(y, &scores.benchmarks)?;
                Some(Mark { alpha: scores.alpha.mean().get(), x, y, scored })
            })
            .collect()
    }

    /// `x` and `y` wherever both towers' alphas were scored, by image alpha, then text alpha.
    pub fn map(&self, x: Series, y: Series) -> Vec<Cell> {
        self.sweep
            .iter()
            .filter_map(|scores| {
                let (x, _) = self.measure(x, &scores.benchmarks)?;
                let (y, scored) = self.measure(y, &scores.benchmarks)?;
                Some(Cell { alpha: scores.alpha, x, y, scored })
            })
            .collect()
    }

    /// Published models that have a score on both axes.
    pub fn published(&self, x: Series, y: Series) -> Vec<Published> {
        let Some(data) = &self.data else { return Vec::new() };
        let keys = |series: Series| -> Vec<Vec<Key<'_>>> {
            let belongs = |(place, b): (usize, &BenchmarkInfo)| match series {
                Series::Composition => !b.recognition,
                Series::Recognition => b.recognition,
                Series::Benchmark(wanted) => place == wanted,
            };
            let mut families: BTreeMap<&str, Vec<Key<'_>>> = BTreeMap::new();
            for (_, b) in data.benchmarks.iter().enumerate().filter(|at| belongs(*at)) {
                families.entry(&b.name).or_default().push((&b.name, b.task.as_deref()));
            }
            families.into_values().collect()
        };
        published(&keys(x), &keys(y))
    }

    /// What a series is called.
    pub fn series_title(&self, series: Series) -> &str {
        let info = |place: usize| self.data.as_ref()?.benchmarks.get(place);
        match series {
            Series::Composition => "Composition",
            Series::Recognition => "Recognition",
            Series::Benchmark(place) => info(place).map_or("", |benchmark| benchmark.title.as_str()),
        }
    }

    /// A series' value and examples in one answer; `None` while a part of it is missing.
    pub fn measure(&self, series: Series, scores: &[Option<Score>]) -> Option<(Measure, usize)> {
        let data = self.data.as_ref()?;
        if let Series::Benchmark(place) = series {
            let score = scores.get(place)?.as_ref()?;
            return Some((measure_of(score), score.scored));
        }
        let wanted = |b: &BenchmarkInfo| b.recognition == (series == Series::Recognition);
        let mut parts = Vec::new();
        let mut scored = 0;
        for (place, benchmark) in data.benchmarks.iter().enumerate().filter(|(_, b)| wanted(b)) {
            let score = scores.get(place)?.as_ref()?;
            parts.push((benchmark.name.as_str(), measure_of(score)));
            scored += score.scored;
        }
        Some((mean_of_families(parts.into_iter())?, scored))
    }
}

impl Mark {
    /// The mark without its intervals.
    pub fn point(&self) -> Point {
        Point { alpha: self.alpha, x: self.x.value, y: self.y.value }
    }
}

/// A score as a measure.
pub fn measure_of(score: &Score) -> Measure {
    Measure { value: score.value, low: score.interval[0], high: score.interval[1] }
}
