//! Scores of parts of a benchmark: by relation, attribute, class or any other tag.

use std::collections::BTreeMap;

use super::Session;
use super::verdict::Paired;
use crate::benchmark::wilson;
use crate::engine::ExampleId;
use crate::tradeoff::Measure;

/// Which examples belong to which slice; built once for a choice of benchmarks.
#[derive(Clone, Debug, Default)]
pub struct SliceIndex {
    names: Vec<String>,
    sizes: Vec<usize>,
    members: Vec<(ExampleId, usize)>,
}

/// One slice at the alpha compared with and now.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// The tag, or the class in recognition.
    pub name: String,
    /// Its examples, judged or not.
    pub examples: usize,
    /// Percent right at the alpha compared with, with Wilson's interval; `None` until something is judged there.
    pub before: Option<Measure>,
    /// Percent right now.
    pub now: Option<Measure>,
    /// What changed.
    pub paired: Paired,
}

impl SliceIndex {
    /// Slices of one benchmark, or of all together; in recognition an example's class is its tag. By name.
    pub fn new(session: &Session, benchmark: Option<usize>) -> Self {
        let Some(data) = &session.data else { return Self::default() };
        let mut by_name: BTreeMap<&str, Vec<ExampleId>> = BTreeMap::new();
        for (place, info) in data.benchmarks.iter().enumerate() {
            if benchmark.is_some_and(|wanted| wanted != place) {
                continue;
            }
            for (example, it) in info.examples.iter().enumerate() {
                let id = ExampleId { benchmark: place, example };
                let class = info.recognition.then_some(&it.right);
                for tag in it.tags.iter().chain(class) {
                    by_name.entry(tag).or_default().push(id);
                }
            }
        }
        let mut index = Self::default();
        for (slice, (name, mut ids)) in by_name.into_iter().enumerate() {
            ids.dedup();
            index.names.push(name.to_owned());
            index.sizes.push(ids.len());
            index.members.extend(ids.into_iter().map(|id| (id, slice)));
        }
        index
    }

    /// Scores of every slice.
    pub fn scores(&self, session: &Session) -> Vec<Slice> {
        let verdicts = session.verdicts();
        let mut tallies = vec![Tally::default(); self.names.len()];
        for (id, slice) in &self.members {
            tallies[*slice].add(verdicts.before_and_now(*id));
        }
        let slice = |((name, examples), tally): ((&String, &usize), Tally)| Slice {
            name: name.clone(),
            examples: *examples,
            before: tally.before.measure(),
            now: tally.now.measure(),
            paired: tally.paired,
        };
        self.names.iter().zip(&self.sizes).zip(tallies).map(slice).collect()
    }
}

#[derive(Clone, Copy, Default)]
struct Rate {
    right: usize,
    judged: usize,
}

impl Rate {
    fn add(&mut self, right: bool) {
        self.right += usize::from(right);
        self.judged += 1;
    }

    fn measure(self) -> Option<Measure> {
        let [low, high] = wilson(self.right, self.judged).map(|share| 100.0 * share);
        let value = 100.0 * self.right as f64 / self.judged as f64;
        (self.judged > 0).then_some(Measure { value, low, high })
    }
}

#[derive(Clone, Copy, Default)]
struct Tally {
    before: Rate,
    now: Rate,
    paired: Paired,
}

impl Tally {
    fn add(&mut self, (before, now): (Option<bool>, Option<bool>)) {
        for (rate, side) in [(&mut self.before, before), (&mut self.now, now)] {
            if let Some(right) = side {
                rate.add(right);
            }
        }
        if let (Some(before), Some(now)) = (before, now) {
            self.paired.add(before, now);
        }
    }
}
