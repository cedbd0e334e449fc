//! What the dictionary says about a word's classes, remembered.

use std::collections::HashMap;
use std::sync::RwLock;

use super::lexicon::{Lexicon, Name, Pos};
use super::tokens::Tag;

/// Most words remembered; then the memory starts afresh.
const MOST_WORDS: usize = 200_000;

/// Plurals that are lemmas of their own.
const ALWAYS_PLURAL: [&str; 3] = ["people", "police", "cattle"];

/// Frequencies of a word's readings (SemCor counts, 1 more per meaning; 0: no such reading) and its endings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is an independent fact about a spelling")]
pub(super) struct Reading {
    pub noun: u32,
    pub verb: u32,
    pub adjective: u32,
    pub adverb: u32,
    /// As a noun, a plural.
    pub plural: bool,
    /// As a verb, a form in -ing.
    pub ing: bool,
    /// As a verb, past tense or participle.
    pub past: bool,
    /// The same, in -ed.
    pub regular_past: bool,
    /// As a verb, third person singular.
    pub third_person: bool,
    /// As a verb, the lemma itself.
    pub base_verb: bool,
    pub comparative: bool,
    pub superlative: bool,
    /// Some lemma of it is written in lower case.
    pub common: bool,
    /// Some lemma of it begins with a capital.
    pub proper: bool,
}

impl Reading {
    pub fn known(&self) -> bool {
        self.noun + self.verb + self.adjective + self.adverb > 0
    }

    pub fn only_adverb(&self) -> bool {
        self.adverb > 0 && self.noun + self.verb + self.adjective == 0
    }

    pub fn degree(&self) -> Tag {
        match (self.comparative, self.superlative) {
            (true, _) => Tag::Jjr,
            (_, true) => Tag::Jjs,
            _ => Tag::Jj,
        }
    }

    fn new(lexicon: &Lexicon, word: &str) -> Self {
        let lemmas = |pos| lexicon.lemmas_of(word, pos);
        let lemma_is = |name: &Name| lexicon.spelling(*name) == word;
        let (nouns, verbs, adjectives) = (lemmas(Pos::Noun), lemmas(Pos::Verb), lemmas(Pos::Adjective));
        let inflected = verbs.iter().any(|name| !lemma_is(name));
        let base_adjective = adjectives.iter().any(lemma_is);
        let ends = |end: &str| inflected && word.ends_with(end);
        let cases = Self::cases(lexicon, word);
        Self {
            noun: lexicon.frequency(word, Pos::Noun),
            verb: lexicon.frequency(word, Pos::Verb),
            adjective: lexicon.frequency(word, Pos::Adjective),
            adverb: lexicon.frequency(word, Pos::Adverb),
            plural: nouns.iter().any(|name| !lemma_is(name)) && !word.ends_with("ss") || ALWAYS_PLURAL.contains(&word),
            ing: ends("ing"),
            past: inflected && !ends("ing") && (!ends("s") || ends("ss")),
            regular_past: ends("ed"),
            third_person: ends("s") && !ends("ss"),
            base_verb: verbs.iter().any(lemma_is),
            comparative: !base_adjective && word.ends_with('r') || word == "better" || word == "worse",
            superlative: !base_adjective && word.ends_with("st"),
            common: cases.0,
            proper: cases.1,
        }
    }

    fn cases(lexicon: &Lexicon, word: &str) -> (bool, bool) {
        let (mut common, mut proper) = (false, false);
        for synset in Pos::ALL.into_iter().flat_map(|pos| lexicon.synsets(word, pos)) {
            for lemma in lexicon.senses(synset).map(|s| lexicon.lemma(s)).filter(|l| l.eq_ignore_ascii_case(word)) {
                let capital = lemma.starts_with(char::is_uppercase);
                proper |= capital;
                common |= !capital;
            }
        }
        (common, proper)
    }
}

/// Readings of words met so far.
#[derive(Default)]
pub(super) struct Readings(RwLock<HashMap<String, Reading>>);

impl Readings {
    pub fn of(&self, lexicon: &Lexicon, word: &str) -> Reading {
        // A poisoned lock only means that another caption's thread died; what it guards is still whole.
        if let Some(reading) = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(word) {
            return *reading;
        }
        let reading = Reading::new(lexicon, word);
        let mut known = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() >= MOST_WORDS {
            known.clear();
        }
        known.insert(word.to_owned(), reading);
        reading
    }
}
