//! What one benchmark gave at one alpha, example by example.

use serde::{Deserialize, Serialize};

use super::super::file::{Column, Stored, counts, floats};
use crate::benchmark::Outcome;

/// Options of an example beyond which only the right one and the best others are kept.
const MANY_OPTIONS: usize = 64;
/// How many best others are kept of many: what top-5 needs.
const BEST_OTHERS: usize = 5;

const JUDGED: u8 = 1;
const RIGHT: u8 = 2;
const TIED: u8 = 4;
const IN_TOP5: u8 = 8;

/// An example that could not be scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The example and its image.
    pub item: String,
    /// One sentence.
    pub reason: String,
}

/// Verdicts, margins and similarities of all examples of a benchmark, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerExample {
    /// `None` for an example that was not judged.
    pub outcomes: Vec<Option<Outcome>>,
    /// Examples that could not be scored, with reasons.
    pub unreadable: Vec<Unreadable>,
    /// Where each example's similarities end.
    ends: Vec<usize>,
    options: Vec<u32>,
    similarities: Vec<f32>,
}

impl PerExample {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next example with the similarities of its options in file order (none where it was not judged). Of more
    /// than 64 options, the one at `right` and the five best others are kept.
    pub fn push(&mut self, outcome: Option<Outcome>, similarities: &[f32], right: Option<usize>) {
        self.outcomes.push(outcome);
        let mut kept: Vec<usize> = (0..similarities.len()).collect();
        if similarities.len() > MANY_OPTIONS {
            let best_first = |a: &usize, b: &usize| similarities[*b].total_cmp(&similarities[*a]).then(a.cmp(b));
            kept.retain(|i| Some(*i) != right);
            kept.select_nth_unstable_by(BEST_OTHERS, best_first);
            kept.truncate(BEST_OTHERS);
            kept.extend(right.filter(|right| *right < similarities.len()));
            kept.sort_unstable();
        }
        self.options.extend(kept.iter().map(|i| *i as u32));
        self.similarities.extend(kept.iter().map(|i| similarities[*i]));
        self.ends.push(self.options.len());
    }

    /// An example's options (by their place in file order) with their cosines; empty where it was not judged.
    pub fn similarities(&self, example: usize) -> impl Iterator<Item = (usize, f32)> {
        let start = example.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let range = start..self.ends.get(example).copied().unwrap_or(start);
        let options = self.options.get(range.clone()).unwrap_or_default();
        let similarities = self.similarities.get(range).unwrap_or_default();
        options.iter().map(|option| *option as usize).zip(similarities.iter().copied())
    }

    pub(super) fn columns(&self) -> Vec<Column> {
        let flags = self.outcomes.iter().map(|outcome| {
            let bit = |set: bool, bit: u8| if set { bit } else { 0 };
            outcome.map_or(0, |o| JUDGED | bit(o.right, RIGHT) | bit(o.tied, TIED) | bit(o.in_top5, IN_TOP5))
        });
        let ranks = self.outcomes.iter().map(|outcome| outcome.map_or(0, |o| o.rank));
        let equal = self.outcomes.iter().map(|outcome| outcome.map_or(0, |o| o.equal));
        let margins = self.outcomes.iter().map(|outcome| outcome.map_or(0.0, |o| o.margin));
        let n = self.outcomes.len();
        vec![
            Column::bytes("flags", vec![n], flags.collect()),
            Column::floats("margins", vec![n], margins),
            Column::counts("ranks", ranks),
            Column::counts("equal", equal),
            Column::counts("ends", self.ends.iter().map(|end| *end as u32)),
            Column::counts("options", self.options.iter().copied()),
            Column::floats("similarities", vec![self.similarities.len()], self.similarities.iter().copied()),
        ]
    }

    pub(super) fn read(stored: &Stored, unreadable: Vec<Unreadable>) -> Result<Self, String> {
        let columns = stored.columns(&["flags", "margins", "ranks", "equal", "ends", "options", "similarities"])?;
        let [flags, margins, ranks, equal, ends, options, similarities] = columns[..] else {
            return Err("columns are missing".into());
        };
        let (margins, options, similarities) = (floats(margins), counts(options), floats(similarities));
        let (ranks, equal) = (counts(ranks), counts(equal));
        let ends: Vec<usize> = counts(ends).into_iter().map(|end| end as usize).collect();
        let lengths_agree = flags.len() == margins.len()
            && flags.len() == ends.len()
            && flags.len() == ranks.len()
            && flags.len() == equal.len()
            && options.len() == similarities.len()
            && ends.is_sorted()
            && ends.last().is_none_or(|last| *last == options.len());
        if !lengths_agree {
            return Err("its columns do not fit together".into());
        }
        let outcome = |(((flags, margin), rank), equal): (((&u8, f32), u32), u32)| {
            let has = |bit: u8| flags & bit != 0;
            has(JUDGED).then(|| Outcome {
                right: has(RIGHT),
                tied: has(TIED),
                margin,
                in_top5: has(IN_TOP5),
                rank,
                equal,
            })
        };
        let outcomes = flags.iter().zip(margins).zip(ranks).zip(equal).map(outcome).collect();
        Ok(Self { outcomes, unreadable, ends, options, similarities })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_options_the_right_one_and_the_best_stay() {
        let mut per_example = PerExample::new();
        let outcome = Outcome { right: true, tied: false, margin: 0.5, in_top5: true, rank: 0, equal: 0 };
        per_example.push(Some(outcome), &[0.25, 0.75], Some(1));
        per_example.push(None, &[], None);
        // 100 classes with the similarity (7·i mod 100)/100: the best others are 57, 14, 71, 28 and 85.
        let many: Vec<f32> = (0..100).map(|i| (7 * i % 100) as f32 / 100.0).collect();
        per_example.push(Some(outcome), &many, Some(3));
        let told = |example| per_example.similarities(example).collect::<Vec<_>>();
        assert_eq!(told(0), [(0, 0.25), (1, 0.75)]);
        assert_eq!(told(1), []);
        assert_eq!(told(2), [(3, 0.21), (14, 0.98), (28, 0.96), (57, 0.99), (71, 0.97), (85, 0.95)]);
        assert_eq!(told(3), []);
    }
}
