//! Which examples are listed, and how many there are of each verdict. Kept until something it depends on changes.

use crate::engine::{ExampleId, ExampleInfo};
use crate::session::{Session, Verdict};

/// All verdicts, in the order of the chips.
pub const VERDICTS: [(Verdict, &str, &str); 5] = [
    (Verdict::All, "All", "Every example of the task"),
    (Verdict::Right, "Right", "Right at the current alpha"),
    (Verdict::Wrong, "Wrong", "Wrong at the current alpha"),
    (Verdict::Fixed, "Fixed", "Wrong at base, right now"),
    (Verdict::Broken, "Broken", "Right at base, wrong now"),
];

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// One benchmark, or all.
    pub benchmark: Option<usize>,
    /// One verdict.
    pub verdict: Verdict,
    /// Words that must stand in a caption or a tag, in any case.
    pub text: String,
}

/// The answer to a [`Filter`].
#[derive(Clone, Debug, Default)]
pub struct ExampleList {
    /// Examples in the order of the data.
    pub ids: Vec<ExampleId>,
    /// Examples per verdict, in the order of [`VERDICTS`], among those of the benchmark and the text.
    pub counts: [usize; 5],
    matching: Vec<ExampleId>,
    matched_for: Option<(u64, Option<usize>, String)>,
    listed_for: Option<(u64, Verdict)>,
}

impl ExampleList {
    /// Brings the list up to date.
    pub fn refresh(&mut self, session: &Session, filter: &Filter) {
        let key = (session.data_opened(), filter.benchmark, filter.text.to_lowercase());
        if self.matched_for.as_ref() != Some(&key) {
            self.matching = matching(session, filter.benchmark, &key.2);
            self.matched_for = Some(key);
            self.listed_for = None;
        }
        let key = (session.revision(), filter.verdict);
        if self.listed_for == Some(key) {
            return;
        }
        self.listed_for = Some(key);
        let verdicts = session.verdicts();
        self.counts = [0; 5];
        self.ids.clear();
        for id in &self.matching {
            for (place, (verdict, ..)) in VERDICTS.iter().enumerate() {
                if verdicts.is(*id, *verdict) {
                    self.counts[place] += 1;
                    if *verdict == filter.verdict {
                        self.ids.push(*id);
                    }
                }
            }
        }
    }

    /// The place of an example in the list.
    pub fn place(&self, id: ExampleId) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// The next example after `from` that is wrong now, round the end.
    pub fn next_wrong(&self, session: &Session, from: Option<ExampleId>) -> Option<ExampleId> {
        let after = from.map_or(0, |id| self.ids.partition_point(|other| *other <= id));
        let verdicts = session.verdicts();
        let (before, behind) = self.ids.split_at(after);
        behind.iter().chain(before).find(|id| verdicts.is(**id, Verdict::Wrong)).copied()
    }
}

fn matching(session: &Session, benchmark: Option<usize>, text: &str) -> Vec<ExampleId> {
    let Some(data) = &session.data else { return Vec::new() };
    let chosen = data.benchmarks.iter().enumerate().filter(|(place, _)| benchmark.is_none_or(|b| b == *place));
    chosen
        .flat_map(|(benchmark, info)| {
            let fits = info.examples.iter().enumerate().filter(|(_, example)| holds(example, text));
            fits.map(move |(example, _)| ExampleId { benchmark, example })
        })
        .collect()
}

fn holds(example: &ExampleInfo, text: &str) -> bool {
    let all = || std::iter::once(&example.right).chain(&example.negatives).chain(&example.tags);
    text.is_empty() || text.split_whitespace().all(|word| all().any(|t| t.to_lowercase().contains(word)))
}
