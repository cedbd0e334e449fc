//! What the window knows, as plain data: [`Session::apply`] takes every event and nothing else changes facts. Pure.

mod curve;
mod draft;
mod earlier;
pub mod jobs;
mod notices;
mod slices;
mod standing;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::VecDeque;
use std::sync::Arc;

pub use curve::{Cell, Mark, Series, measure_of};
pub use draft::{Draft, PRESETS, Preset};
pub use earlier::Earlier;
pub use jobs::Jobs;
pub use notices::{Gravity, Notice, Notices};
pub use slices::{Slice, SliceIndex};
pub use standing::{Shown, Standing, outcome_in};
pub use verdict::{Paired, Verdict, Verdicts};

use crate::benchmark::Score;
use crate::engine::{
    DataInfo, Event, ExampleId, ExampleInfo, Failure, FetchProgress, FocusScore, ImageId, NegativesPreview, PairInfo,
    Picture, Scores, Status, SweepProgress,
};
use crate::patch::{Alpha, AlphaMap};

/// A picture on its way from the engine to a texture.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Whose.
    pub image: ImageId,
    /// Small or large.
    pub small: bool,
    /// The pixels, or why there are none.
    pub picture: Result<Picture, String>,
}

/// Everything the window knows.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The proven pair.
    pub pair: Option<Arc<PairInfo>>,
    /// What is being opened right now.
    pub opening: Option<String>,
    /// Why an end could not be opened: base, tuned.
    pub failed_ends: [Option<Failure>; 2],
    /// How far its download is: base, tuned.
    pub fetching: [Option<FetchProgress>; 2],
    /// The benchmarks at hand.
    pub data: Option<Arc<DataInfo>>,
    /// Scores at the wanted alpha, and the last ones behind them.
    pub standing: Standing,
    /// Complete scores, ascending in alpha, one per alpha map.
    pub sweep: Vec<Arc<Scores>>,
    /// How far the sweep is.
    pub progress: Option<SweepProgress>,
    /// The followed example.
    pub focused: Option<ExampleId>,
    /// Its last answer.
    pub focus: Option<Arc<FocusScore>>,
    /// Negatives of the caption that was asked about last and answered.
    pub negatives: Option<Arc<NegativesPreview>>,
    /// Fine-tunes.
    pub jobs: Jobs,
    /// The engine's pulse.
    pub status: Status,
    /// Failures and warnings.
    pub notices: Notices,
    /// Pictures that wait for the window to take them.
    pub arrived: VecDeque<Arrived>,
    wanted: Option<AlphaMap>,
    compared_with: Option<AlphaMap>,
    generation: u64,
    data_opened: u64,
    revision: u64,
    sweep_revision: u64,
    earlier: Vec<Earlier>,
    next_earlier: u64,
}

impl Session {
    /// Takes in one event. Facts of an earlier generation are dropped.
    pub fn apply(&mut self, event: Event) {
        if generation_of(&event).is_some_and(|generation| generation < self.generation) {
            return;
        }
        self.revision += 1;
        match event {
            Event::Opening { what } => {
                self.opening = Some(what);
                self.failed_ends = [None, None];
            }
            Event::PairOpened { generation, pair } => {
                self.keep_curve(&pair);
                self.restart(generation);
                self.pair = Some(pair);
                self.opening = None;
            }
            Event::Hashed { pair, base, tuned } => self.take_hashes(&pair, base, tuned),
            Event::DataOpened { generation, data } => {
                self.restart(generation);
                self.earlier.clear();
                self.data = Some(data);
                self.data_opened += 1;
                self.opening = None;
                self.focused = None;
                self.arrived.clear();
            }
            Event::Scored { scores, .. } => self.standing.take(scores),
            Event::FocusScored { focus, .. } => {
                if self.focused == Some(focus.id) {
                    self.focus = Some(focus);
                }
            }
            Event::SweepPointScored { scores, .. } => self.insert(scores),
            Event::SweepAdvanced { progress, .. } => self.progress = Some(progress),
            Event::ThumbnailLoaded { image, picture, .. } => self.arrive(image, true, Ok(picture)),
            Event::PictureLoaded { image, picture, .. } => self.arrive(image, false, Ok(picture)),
            Event::PictureFailed { image, reason, .. } => {
                self.arrive(image, true, Err(reason.clone()));
                self.arrive(image, false, Err(reason));
            }
            Event::FetchAdvanced { end, progress } => self.fetching[end.place()] = Some(progress),
            Event::FetchEnded { end, .. } => self.fetching[end.place()] = None,
            Event::NegativesPreviewed(preview) => self.negatives = Some(preview),
            Event::StatusChanged(status) => self.status = status,
            Event::Warned(failure) => self.notices.push(Gravity::Warning, failure),
            Event::Exported { path } => {
                self.notices.push(Gravity::News, Failure::new(format!("Saved {}", path.display())));
            }
            Event::Failed(failure) => self.fail(failure),
        }
    }

    /// The alpha that the person asked for; 0.5 before anyone did.
    pub fn wanted(&self) -> AlphaMap {
        self.wanted.unwrap_or_else(|| AlphaMap::one(Alpha::clamped(0.5)))
    }

    /// Sets the wanted alpha; answers at others are stale from now on.
    pub fn want(&mut self, alpha: AlphaMap) {
        self.wanted = Some(alpha);
        self.revision += 1;
    }

    /// The alpha against which examples are fixed or broken; base unless chosen otherwise.
    pub fn compared_with(&self) -> AlphaMap {
        self.compared_with.unwrap_or(AlphaMap::BASE)
    }

    /// Compares with another alpha.
    pub fn compare_with(&mut self, alpha: AlphaMap) {
        self.compared_with = Some(alpha);
        self.revision += 1;
    }

    /// Follows another example; the old answer is void.
    pub fn follow(&mut self, id: Option<ExampleId>) {
        if self.focused != id {
            self.focused = id;
            self.focus = None;
        }
    }

    /// The pair and data that facts must belong to.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Grows with every new set of benchmarks, whose pictures replace the old ones.
    pub fn data_opened(&self) -> u64 {
        self.data_opened
    }

    /// Grows with every change, so that what is derived can be kept.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows whenever the sweep's points change.
    pub fn sweep_revision(&self) -> u64 {
        self.sweep_revision
    }

    /// The complete scores of one alpha map, once the sweep has them.
    pub fn swept(&self, alpha: AlphaMap) -> Option<&Arc<Scores>> {
        self.sweep.iter().find(|scores| scores.alpha == alpha)
    }

    /// One benchmark's score at the wanted alpha: the sweep's where it has one, or else the last answer.
    pub fn score(&self, benchmark: usize) -> Option<Shown<&Score>> {
        let swept = self.swept(self.wanted()).and_then(|s| s.benchmarks.get(benchmark)?.as_ref());
        match swept {
            Some(value) => Some(Shown { value, stale: false }),
            None => self.standing.score(benchmark, self.wanted()),
        }
    }

    /// Scores at the wanted alpha, benchmark by benchmark, and whether any of them is of another alpha or incomplete.
    pub fn current(&self) -> (Vec<Option<Score>>, bool) {
        if let Some(scores) = self.swept(self.wanted()) {
            return (scores.benchmarks.clone(), false);
        }
        let count = self.data.as_ref().map_or(0, |data| data.benchmarks.len());
        let complete = self.standing.newest().is_some_and(|s| s.alpha == self.wanted() && s.is_complete());
        ((0..count).map(|place| self.score(place).map(|shown| shown.value.clone())).collect(), !complete)
    }

    /// An example's margin (cosine of the right caption minus the best wrong one) at every swept alpha, ascending.
    pub fn margins(&self, id: ExampleId) -> Vec<(f64, f32)> {
        let linked = self.sweep.iter().filter(|scores| scores.alpha.is_linked());
        linked.filter_map(|scores| Some((scores.alpha.mean().get(), outcome_in(scores, id)?.margin))).collect()
    }

    /// What an example asks.
    pub fn example(&self, id: ExampleId) -> Option<&ExampleInfo> {
        self.data.as_ref()?.benchmarks.get(id.benchmark)?.examples.get(id.example)
    }

    /// The image of an example.
    pub fn image_of(&self, id: ExampleId) -> Option<ImageId> {
        Some(ImageId { benchmark: id.benchmark, image: self.example(id)?.image })
    }

    /// Whether the followed example's answer belongs to the wanted alpha.
    pub fn focus_is_stale(&self) -> bool {
        self.focus.as_ref().is_none_or(|focus| focus.alpha != self.wanted())
    }

    /// Whether the sweep has come to its end.
    pub fn is_swept(&self) -> bool {
        self.progress.as_ref().is_some_and(|p| p.total > 0 && p.done >= p.total)
    }

    /// Hashes of an earlier pair are dropped.
    fn take_hashes(&mut self, of: &Arc<PairInfo>, base: String, tuned: String) {
        if let Some(pair) = self.pair.as_mut().filter(|pair| Arc::ptr_eq(pair, of)) {
            let mut hashed = PairInfo::clone(pair);
            (hashed.base.sha256, hashed.tuned.sha256) = (base, tuned);
            *pair = Arc::new(hashed);
        }
    }

    fn restart(&mut self, generation: u64) {
        self.generation = generation;
        self.standing = Standing::default();
        self.sweep.clear();
        self.sweep_revision += 1;
        self.progress = None;
        self.focus = None;
    }

    fn insert(&mut self, scores: Arc<Scores>) {
        self.sweep_revision += 1;
        match self.sweep.binary_search_by(|old| old.alpha.cmp(&scores.alpha)) {
            Ok(place) => self.sweep[place] = scores,
            Err(place) => self.sweep.insert(place, scores),
        }
    }

    fn arrive(&mut self, image: ImageId, small: bool, picture: Result<Picture, String>) {
        self.arrived.push_back(Arrived { image, small, picture });
    }

    fn fail(&mut self, failure: Failure) {
        self.opening = None;
        if let Some(end) = failure.end {
            self.failed_ends[end.place()] = Some(failure.clone());
        }
        self.notices.push(Gravity::Failure, failure);
    }
}

/// The generation of events that belong to one.
fn generation_of(event: &Event) -> Option<u64> {
    match event {
        Event::PairOpened { generation, .. }
        | Event::DataOpened { generation, .. }
        | Event::Scored { generation, .. }
        | Event::FocusScored { generation, .. }
        | Event::SweepPointScored { generation, .. }
        | Event::SweepAdvanced { generation, .. }
        | Event::ThumbnailLoaded { generation, .. }
        | Event::PictureLoaded { generation, .. }
        | Event::PictureFailed { generation, .. } => Some(*generation),
        Event::Opening { .. }
        | Event::FetchAdvanced { .. }
        | Event::FetchEnded { .. }
        | Event::NegativesPreviewed(_)
        | Event::Hashed { .. }
        | Event::Exported { .. }
        | Event::StatusChanged(_)
        | Event::Warned(_)
        | Event::Failed(_) => None,
    }
}
