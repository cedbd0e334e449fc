//! What the trade-off panel was told, and what it derives from the sweep.

use std::collections::BTreeSet;

use super::earlier::{EarlierLine, earlier_lines};
use super::plot::Line;
use crate::engine::{BenchmarkInfo, DataInfo};
use crate::session::{Cell, Mark, Series, Session};
use crate::tradeoff::{self, Point, Published};

/// How the sweep is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum View {
    /// One score against another, as in the paper's figure 3.
    #[default]
    Tradeoff,
    /// Scores against alpha in one plot.
    OverAlpha,
    /// A small plot over alpha for every task.
    Multiples,
    /// Image alpha against text alpha.
    Map,
}

/// The panel's own state.
#[derive(Clone, Debug)]
pub struct TradeoffState {
    /// How the sweep is drawn.
    pub view: View,
    /// The score on the x axis and the bold one on the y axis.
    pub axes: [Series; 2],
    /// Points of x that the best alpha may lose; a third of tuned's loss unless set.
    pub budget: Option<f64>,
    /// Whether published models are drawn.
    pub published: bool,
    pub(super) ranges: Option<[[f64; 2]; 2]>,
    pub(super) ranged_for: View,
    shown: Option<BTreeSet<Series>>,
    data: u64,
    lines: Vec<Line>,
    landmarks: Vec<Published>,
    earlier: Vec<EarlierLine>,
    map: Vec<Cell>,
    points: Vec<Point>,
    computed: Option<(u64, [Series; 2])>,
}

/// Recognition against the mean of composition.
const FIGURE_3: [Series; 2] = [Series::Recognition, Series::Composition];

impl Default for TradeoffState {
    fn default() -> Self {
        Self {
            view: View::default(),
            axes: FIGURE_3,
            budget: None,
            published: false,
            landmarks: Vec::new(),
            earlier: Vec::new(),
            map: Vec::new(),
            ranges: None,
            ranged_for: View::default(),
            shown: None,
            data: 0,
            lines: Vec::new(),
            points: Vec::new(),
            computed: None,
        }
    }
}

impl TradeoffState {
    /// The bold line as plain points, ascending in alpha.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// All lines, the bold one first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Scores wherever both towers' alphas were scored.
    pub fn map(&self) -> &[Cell] {
        &self.map
    }

    /// Published models that can stand on these axes, shown or not.
    pub fn landmarks(&self) -> &[Published] {
        &self.landmarks
    }

    /// Finished curves of earlier pairs that are shown.
    pub fn earlier(&self) -> &[EarlierLine] {
        &self.earlier
    }

    /// Points of x that the best alpha may lose; `None` until both ends are known.
    pub fn budget(&self) -> Option<f64> {
        let default = tradeoff::default_budget(&self.points)?;
        Some(self.budget.unwrap_or(default))
    }

    /// The best alpha within the budget.
    pub fn best(&self) -> Option<Point> {
        tradeoff::best_alpha(&self.points, self.budget()?)
    }

    /// Derives lines from the sweep; only when it or the axes have changed.
    pub fn refresh(&mut self, session: &Session) {
        if self.data != session.data_opened() {
            self.data = session.data_opened();
            self.axes = FIGURE_3;
            self.budget = None;
            self.shown = None;
            self.ranges = None;
            self.computed = None;
        }
        let key = (session.sweep_revision(), self.axes);
        if self.computed == Some(key) {
            return;
        }
        // Published scores and bounds depend on the axes alone, not on the sweep.
        if self.computed.is_none_or(|(_, axes)| axes != self.axes) {
            self.ranges = None;
            self.landmarks = session.published(self.axes[0], self.axes[1]);
        }
        self.computed = Some(key);
        self.map = session.map(self.axes[0], self.axes[1]);
        self.earlier = earlier_lines(session, self.axes);
        let [x, y] = self.axes;
        let all = all_series(session.data.as_deref());
        let ordered = std::iter::once(y).chain(all.into_iter().filter(|series| *series != y));
        self.lines = ordered
            .map(|series| Line {
                series,
                title: session.series_title(series).to_owned(),
                marks: session.curve(x, series),
            })
            .collect();
        self.points = self.lines.first().map(|line| line.marks.iter().map(Mark::point).collect()).unwrap_or_default();
    }

    /// The lines that are drawn beside the bold one.
    pub fn shown(&mut self, data: Option<&DataInfo>) -> &mut BTreeSet<Series> {
        self.shown.get_or_insert_with(|| default_series(data))
    }

    /// Another score on an axis: 0 is x, 1 is y. The budget is in points of x.
    pub fn set_axis(&mut self, axis: usize, series: Series) {
        if axis == 0 {
            self.budget = None;
        }
        self.axes[axis] = series;
    }
}

/// Every line there could be, means first.
pub fn all_series(data: Option<&DataInfo>) -> Vec<Series> {
    let Some(data) = data else { return Vec::new() };
    let single = (0..data.benchmarks.len()).map(Series::Benchmark);
    [Series::Composition, Series::Recognition].into_iter().chain(single).collect()
}

/// The tasks of the paper's figure 3: relation, attribution, order.
fn default_series(data: Option<&DataInfo>) -> BTreeSet<Series> {
    let figure = |b: &BenchmarkInfo| {
        let name = b.name.to_lowercase();
        !b.recognition && ["relation", "attribution", "order"].iter().any(|word| name.contains(word))
    };
    let benchmarks = data.map(|d| d.benchmarks.iter().enumerate()).into_iter().flatten();
    benchmarks.filter(|(_, b)| figure(b)).map(|(place, _)| Series::Benchmark(place)).take(4).collect()
}
