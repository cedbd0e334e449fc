//! Which examples are listed, and how many there are of each verdict. Kept until something it depends on changes.

use crate::engine::{ExampleId, ExampleInfo};
use crate::session::{Paired, Session, Verdict};

/// All verdicts, in the order of the chips. "Before" is the alpha compared with.
pub const VERDICTS: [(Verdict, &str, &str); 7] = [
    (Verdict::All, "All", "Every example that fits the filters"),
    (Verdict::Right, "Right", "Right at the current alpha"),
    (Verdict::Wrong, "Wrong", "Wrong at the current alpha"),
    (Verdict::Fixed, "Fixed", "Wrong at the alpha compared with, right now"),
    (Verdict::Broken, "Broken", "Right at the alpha compared with, wrong now"),
    (Verdict::Both, "Both", "Right at the alpha compared with and now"),
    (Verdict::Neither, "Neither", "Wrong at the alpha compared with and now"),
];

/// Examples in a random sample.
pub const SAMPLE: usize = 48;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// One benchmark, or all.
    pub benchmark: Option<usize>,
    /// One verdict.
    pub verdict: Verdict,
    /// Words that must stand in a caption or a tag, in any case.
    pub text: String,
    /// A tag that must be there as it is; in recognition the class.
    pub tag: Option<String>,
    /// Only examples with a hard negative of the same words in another order.
    pub same_words: bool,
    /// Only a sample of [`SAMPLE`], drawn with this seed from all that fit.
    pub sample: Option<u64>,
}

/// What the matching examples depend on.
type MatchKey = (u64, Filter);

/// The answer to a [`Filter`].
#[derive(Clone, Debug, Default)]
pub struct ExampleList {
    /// Examples in the order of the data.
    pub ids: Vec<ExampleId>,
    /// Examples per verdict, in the order of [`VERDICTS`], among those that fit the other filters.
    pub counts: [usize; VERDICTS.len()],
    /// What changed among the same examples.
    pub paired: Paired,
    matching: Vec<ExampleId>,
    matched_for: Option<MatchKey>,
    listed_for: Option<(u64, Verdict, Option<u64>)>,
}

impl ExampleList {
    /// Brings the list up to date.
    pub fn refresh(&mut self, session: &Session, filter: &Filter) {
        // The verdict and the sample choose among what matches.
        let text = filter.text.to_lowercase();
        let wanted = Filter { text, verdict: Verdict::All, sample: None, ..filter.clone() };
        let key = (session.data_opened(), wanted);
        if self.matched_for.as_ref() != Some(&key) {
            self.matching = matching(session, &key.1);
            self.matched_for = Some(key);
            self.listed_for = None;
        }
        let key = (session.revision(), filter.verdict, filter.sample);
        if self.listed_for != Some(key) {
            self.listed_for = Some(key);
            self.list(session, filter);
        }
    }

    fn list(&mut self, session: &Session, filter: &Filter) {
        let verdicts = session.verdicts();
        (self.counts, self.paired) = ([0; VERDICTS.len()], Paired::default());
        self.ids.clear();
        for id in &self.matching {
            let sides = verdicts.before_and_now(*id);
            if let (Some(before), Some(now)) = sides {
                self.paired.add(before, now);
            }
            for (count, (verdict, ..)) in self.counts.iter_mut().zip(VERDICTS) {
                *count += usize::from(verdict.fits(sides));
            }
            if filter.verdict.fits(sides) {
                self.ids.push(*id);
            }
        }
        if let Some(seed) = filter.sample.filter(|_| self.ids.len() > SAMPLE) {
            // The ones whose scrambled number is smallest: a sample without replacement that keeps the order.
            let mut ranked: Vec<(u64, ExampleId)> = self.ids.iter().map(|id| (scrambled(*id, seed), *id)).collect();
            ranked.select_nth_unstable(SAMPLE - 1);
            self.ids = ranked[..SAMPLE].iter().map(|(_, id)| *id).collect();
            self.ids.sort_unstable();
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

/// SplitMix64 of an example's number (Steele et al., 2014).
fn scrambled(id: ExampleId, seed: u64) -> u64 {
    let mut x = seed ^ ((id.benchmark as u64) << 40) ^ id.example as u64;
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn matching(session: &Session, filter: &Filter) -> Vec<ExampleId> {
    let Some(data) = &session.data else { return Vec::new() };
    let chosen = data.benchmarks.iter().enumerate().filter(|(place, _)| filter.benchmark.is_none_or(|b| b == *place));
    chosen
        .flat_map(|(benchmark, info)| {
            let fits = move |example: &ExampleInfo| {
                holds(example, &filter.text)
                    && filter.tag.as_ref().is_none_or(|tag| has_tag(example, tag, info.recognition))
                    && (!filter.same_words || has_reordered(example))
            };
            let examples = info.examples.iter().enumerate().filter(move |(_, example)| fits(example));
            examples.map(move |(example, _)| ExampleId { benchmark, example })
        })
        .collect()
}

fn holds(example: &ExampleInfo, text: &str) -> bool {
    let all = || std::iter::once(&example.right).chain(&example.negatives).chain(&example.tags);
    text.is_empty() || text.split_whitespace().all(|word| all().any(|t| t.to_lowercase().contains(word)))
}

fn has_tag(example: &ExampleInfo, tag: &str, recognition: bool) -> bool {
    example.tags.iter().any(|t| t == tag) || recognition && example.right == tag
}

/// Whether a hard negative has the right caption's words in another order: what a bag of words cannot tell apart.
fn has_reordered(example: &ExampleInfo) -> bool {
    let words = |text: &str| -> Vec<String> {
        let split = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
        split.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let right = words(&example.right);
    let mut sorted = right.clone();
    sorted.sort_unstable();
    example.negatives.iter().any(|negative| {
        let mut negative = words(negative);
        let differs = negative != right;
        negative.sort_unstable();
        differs && negative == sorted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(right: &str, negative: &str) -> ExampleInfo {
        ExampleInfo { image: 0, right: right.into(), negatives: vec![negative.into()], tags: vec!["left of".into()] }
    }

    #[test]
    fn the_same_words_in_another_order_are_told_from_other_words() {
        assert!(has_reordered(&example("A dog chases a cat.", "a cat chases a dog")));
        assert!(!has_reordered(&example("a dog chases a cat", "a dog chases the cat")));
        assert!(!has_reordered(&example("A dog.", "a dog")), "the same order is no other one");
        assert!(!has_reordered(&example("a a dog", "a dog dog")), "counts matter");
    }

    #[test]
    fn tags_are_whole_and_classes_count_in_recognition() {
        let it = example("plain star", "x");
        assert!(has_tag(&it, "left of", false) && !has_tag(&it, "left", false));
        assert!(has_tag(&it, "plain star", true) && !has_tag(&it, "plain star", false));
    }

    #[test]
    fn samples_differ_by_seed() {
        let rank = |seed| {
            let mut ids: Vec<usize> = (0..500).collect();
            ids.sort_by_key(|example| scrambled(ExampleId { benchmark: 1, example: *example }, seed));
            ids
        };
        assert_ne!(rank(1)[..SAMPLE], rank(2)[..SAMPLE]);
        let mean = rank(3)[..SAMPLE].iter().sum::<usize>() / SAMPLE;
        assert!((150..350).contains(&mean), "spread over the whole list, mean {mean}");
    }
}
