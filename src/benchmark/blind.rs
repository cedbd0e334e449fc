//! How far a model gets that never sees the image. Pure.

use std::collections::{HashMap, HashSet};

use super::{Benchmark, Cell, Choice, Items};

/// What is added to every count of a word pair, so that unseen pairs are unlikely but possible.
const SMOOTHING: f64 = 0.1;

/// Percent right of a text-only model, for caption choices with at least two examples: captions compete by their mean
/// log-likelihood per word pair under a bigram model of the right captions of the *other* half of the examples, halves
/// being made of whole images. A tie of k counts 1/k. Far above [`super::chance`], the wrong captions can be told
/// without looking (Hsieh et al., 2023, §3).
pub fn blind(benchmark: &Benchmark) -> Option<f64> {
    let Items::Choices(choices) = &benchmark.items else { return None };
    let halves = [0, 1].map(|half| Bigrams::of(choices.iter().filter(|choice| choice.image % 2 == half)));
    if halves.iter().any(|half| half.pairs.is_empty()) {
        return None;
    }
    let share: f64 = choices.iter().map(|choice| share(choice, &halves[1 - choice.image % 2])).sum();
    Some(100.0 * share / choices.len() as f64)
}

fn share(choice: &Choice, model: &Bigrams) -> f64 {
    let scores: Vec<f64> = choice.captions.iter().map(|caption| model.score(caption)).collect();
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Scores of the same words in the same pairs may differ in their last bits by the order of the sum.
    let tied = scores.iter().filter(|score| best - **score < 1e-9).count();
    if scores.get(choice.right).is_some_and(|score| best - score < 1e-9) { 1.0 / tied as f64 } else { 0.0 }
}

#[derive(Default)]
struct Bigrams {
    first: HashMap<String, f64>,
    pairs: HashMap<(String, String), f64>,
    vocabulary: f64,
}

impl Bigrams {
    fn of<'a>(choices: impl Iterator<Item = &'a Choice>) -> Self {
        let mut model = Self::default();
        let (mut seen, mut words) = (HashSet::new(), HashSet::new());
        for caption in choices.filter_map(|choice| choice.captions.get(choice.right)) {
            // A caption counts once, however many foils it has.
            if !seen.insert(caption) {
                continue;
            }
            for (a, b) in pairs(caption) {
                *model.first.entry(a.clone()).or_default() += 1.0;
                words.insert(b.clone());
                *model.pairs.entry((a, b)).or_default() += 1.0;
            }
        }
        model.vocabulary = words.len() as f64 + 1.0;
        model
    }

    /// Mean log-probability of a caption's word pairs.
    fn score(&self, caption: &str) -> f64 {
        let (mut sum, mut n) = (0.0, 0.0);
        for (a, b) in pairs(caption) {
            let first = self.first.get(&a).copied().unwrap_or(0.0);
            let pair = self.pairs.get(&(a, b)).copied().unwrap_or(0.0);
            sum += ((pair + SMOOTHING) / (first + SMOOTHING * self.vocabulary)).ln();
            n += 1.0;
        }
        sum / n
    }
}

/// Neighbouring words, with an empty one before the first and after the last.
fn pairs(caption: &str) -> Vec<(String, String)> {
    let lower = caption.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let framed: Vec<&str> = std::iter::once("").chain(words).chain(std::iter::once("")).collect();
    framed.windows(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
}

/// Examples in which a wrong caption is the right one to the model, as both have the same token ids: no model can tell
/// them apart, so the tie rule alone decides. `texts` holds for each example and caption a number that is equal for
/// equal ids.
pub fn equal_foils(benchmark: &Benchmark, texts: &[Vec<usize>]) -> Vec<usize> {
    let is_equal = |example: usize| {
        let Some(ids) = texts.get(example) else { return false };
        match &benchmark.items {
            Items::Choices(choices) => {
                let right = ids.get(choices[example].right);
                ids.iter().enumerate().any(|(i, id)| i != choices[example].right && Some(id) == right)
            }
            Items::Duels(duels) => {
                let own = |cell| match cell {
                    Cell::Image(image, caption) => (image, ids.get(caption)),
                    Cell::Texts(first, second) => (ids.get(first).copied().unwrap_or_default(), ids.get(second)),
                };
                duels[example].wins.iter().any(|win| own(win.ahead) == own(win.behind))
            }
            Items::Classes { .. } | Items::Retrieval(_) => false,
        }
    };
    (0..benchmark.len()).filter(|&example| is_equal(example)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::{Metric, TieRule};

    fn benchmark(captions: &[[&str; 2]]) -> Benchmark {
        let choice = |(image, captions): (usize, &[&str; 2])| Choice {
            image,
            captions: captions.map(str::to_owned).to_vec(),
            right: 0,
            group: None,
            tags: Vec::new(),
        };
        Benchmark {
            name: "test".to_owned(),
            task: None,
            metric: Metric::Accuracy,
            ties: TieRule::Strict,
            images: Vec::new(),
            items: Items::Choices(captions.iter().enumerate().map(choice).collect()),
            skipped: Vec::new(),
            protocol: String::new(),
            n_in_file: captions.len(),
        }
    }

    #[test]
    fn word_order_that_gives_the_answer_away_is_found_blind() {
        let plain: Vec<[&str; 2]> =
            ["the cup is on the desk", "the cat is on the sofa", "the dog is on the bed", "the hat is on the head"]
                .into_iter()
                .zip([
                    "on is the cup desk the",
                    "the the on sofa is cat",
                    "bed the dog on the is",
                    "is head on the hat the",
                ])
                .map(|(right, wrong)| [right, wrong])
                .collect();
        assert_eq!(blind(&benchmark(&plain)), Some(100.0));
    }

    #[test]
    fn equal_captions_share_and_one_image_says_nothing() {
        assert_eq!(blind(&benchmark(&[["a b", "a b"], ["c d", "C  d."]])), Some(50.0));
        assert_eq!(blind(&benchmark(&[["a b", "b a"]])), None);
    }

    #[test]
    fn foils_are_compared_by_ids() {
        let own = benchmark(&[["a dog", "A dog ."], ["a", "b"], ["c", "d"]]);
        assert_eq!(equal_foils(&own, &[vec![5, 5], vec![1, 2], vec![0, 0]]), [0, 2]);
        assert_eq!(equal_foils(&own, &[]), Vec::<usize>::new());
    }
}
