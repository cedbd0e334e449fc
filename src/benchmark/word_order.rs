//! ARO's four word orders of a caption, with the very streams of the two generators that drew the reference's.
//!
//! Seeded once, NumPy's generator moves nouns and adjectives, Python's moves trigrams
//! (`mertyg/vision-language-models-are-bows`, `dataset_zoo/perturbations.py`). Part-of-speech tags are an input: the
//! reference takes them from a model (spaCy's `en_core_web_sm`) that no other tagger equals.

use rand_mt::Mt;

use super::nltk::word_tokenize;

/// Most words of a caption that are kept, as in the reference.
pub(super) const MAX_WORDS: usize = 30;

/// A token of a caption with its Penn Treebank tag, such as `("dog", "NN")`.
pub type Tagged = (String, String);

/// What tags the words of a caption.
pub trait Tagger {
    /// The tokens of `caption` in order, each with its fine Penn Treebank tag. Punctuation is a token of its own.
    fn tag(&self, caption: &str) -> Vec<Tagged>;

    /// What it is, for the protocol of a result.
    fn name(&self) -> &str;
}

/// The two generators after one call of the reference's `seed_all`.
pub(super) struct WordOrders {
    numpy: Mt,
    python: Mt,
}

impl WordOrders {
    /// `seed` is 1 in the reference.
    pub(super) fn new(seed: u32) -> Self {
        Self { numpy: Mt::new(seed), python: Mt::new_with_key([seed]) }
    }

    /// The true caption and its four orders, cleaned: nouns and adjectives moved, all others moved, words moved within
    /// trigrams, trigrams moved. Orders are made of the raw caption and cleaned afterwards. Captions must come in the
    /// order of the file, as each draws from where the one before has stopped.
    pub(super) fn options(&mut self, caption: &str, tagged: &[Tagged]) -> Vec<String> {
        let tokens: Vec<&str> = tagged.iter().map(|(token, _)| token.as_str()).collect();
        let nouns: Vec<usize> = places(tagged, |tag| matches!(tag, "NN" | "NNS" | "NNP" | "NNPS"));
        let adjectives: Vec<usize> = places(tagged, |tag| matches!(tag, "JJ" | "JJR" | "JJS"));
        let others: Vec<usize> = (0..tokens.len()).filter(|i| !nouns.contains(i) && !adjectives.contains(i)).collect();

        let mut moved = tokens.clone();
        self.move_among(&mut moved, &nouns);
        self.move_among(&mut moved, &adjectives);
        let mut others_moved = tokens;
        self.move_among(&mut others_moved, &others);

        let words = word_tokenize(caption);
        let mut within: Vec<&str> = words.iter().map(String::as_str).collect();
        within.chunks_mut(3).for_each(|trigram| shuffle(&mut self.python, trigram));
        let mut trigrams: Vec<&[String]> = words.chunks(3).collect();
        shuffle(&mut self.python, &mut trigrams);

        let orders = [moved.join(" "), others_moved.join(" "), within.join(" "), trigrams.concat().join(" ")];
        std::iter::once(caption).chain(orders.iter().map(String::as_str)).map(|text| clean(text, MAX_WORDS)).collect()
    }

    /// `words[places] = np.random.permutation(words[places])`.
    fn move_among(&mut self, words: &mut [&str], places: &[usize]) {
        let mut own: Vec<&str> = places.iter().map(|&i| words[i]).collect();
        permute(&mut self.numpy, &mut own);
        places.iter().zip(own).for_each(|(&i, word)| words[i] = word);
    }
}

fn places(tagged: &[Tagged], is_wanted: impl Fn(&str) -> bool) -> Vec<usize> {
    (0..tagged.len()).filter(|&i| is_wanted(&tagged[i].1)).collect()
}

/// Python's `random.shuffle`: from the last place down, `randbelow(i + 1)` by rejection of the high bits.
fn shuffle<T>(generator: &mut Mt, items: &mut [T]) {
    for i in (1..items.len()).rev() {
        let below = (i + 1) as u32;
        let bits = 32 - below.leading_zeros();
        let drawn = std::iter::repeat_with(|| generator.next_u32() >> (32 - bits)).find(|drawn| *drawn < below);
        items.swap(i, drawn.unwrap_or(0) as usize);
    }
}

/// NumPy's legacy `permutation` of an array: from the last place down, by rejection of the low bits.
fn permute<T>(generator: &mut Mt, items: &mut [T]) {
    for i in (1..items.len()).rev() {
        let mask = (i as u32 + 1).next_power_of_two() - 1;
        let drawn = std::iter::repeat_with(|| generator.next_u32() & mask).find(|drawn| *drawn as usize <= i);
        items.swap(i, drawn.unwrap_or(0) as usize);
    }
}

/// The reference's `pre_caption`: lower case, some punctuation to spaces, runs of two and more whitespace characters to
/// one space, at most `max_words` words. A single tab or newline inside stays.
pub(super) fn clean(caption: &str, max_words: usize) -> String {
    let mut out = String::with_capacity(caption.len());
    let is_removed = |c: char| ".!\"()*#:;~".contains(c);
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        match run.chars().count() {
            0 => {}
            1 => out.push_str(run),
            _ => out.push(' '),
        }
        run.clear();
    };
    for c in caption.to_lowercase().chars().map(|c| if is_removed(c) { ' ' } else { c }) {
        if c.is_whitespace() {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    let text = out.trim_end_matches('\n').trim_matches(' ');
    text.split(' ').take(max_words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "word_order_tests.rs"]
mod tests;
