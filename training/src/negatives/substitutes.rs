//! What may stand in a word's place, with weights: the walk through WordNet, remembered per word.
//!
//! * Antonyms of every lemma of every meaning.
//! * Co-hyponyms through the grandparent: hypernym, hypernym, hyponym, hyponym; siblings and cousins.
//! * For adjectives that walk begins at the nouns derived from them, and each noun found leads back to its adjectives.
//!   That is how a colour finds another colour.
//! * Whatever shares a meaning with the word is left out.
//!
//! A substitute weighs the sum of its hits, each SemCor's count and at least 1. As in the paper's release, the first
//! meaning met fixes a spelling's count; there for the life of the process, here for one word, so that the order of
//! captions cannot change a weight.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use rand_chacha::ChaCha8Rng;

use super::chance::below;
use super::lexicon::{Lexicon, Name, Pos, Synset};
use super::prepositions::PREPOSITIONS;

/// Most substitutes remembered over all words, 16 bytes each; then the memory starts afresh.
const MOST_REMEMBERED: usize = 12_000_000;

/// The word or words that take a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Lemma(Name),
    Preposition(u32),
}

/// How a substitute was found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Antonym,
    /// Under this grandparent.
    Cousin(Synset),
    /// As the adjective of a noun under this grandparent.
    Derived(Synset),
    Preposition,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Substitute {
    /// Of a name, or of a preposition where `found` says so.
    number: u32,
    /// Sum of the weights up to and with this one.
    end: u32,
    pub found: Found,
}

impl Substitute {
    pub fn word(&self) -> Word {
        if self.found == Found::Preposition {
            Word::Preposition(self.number)
        } else {
            Word::Lemma(Name::numbered(self.number))
        }
    }
}

/// The substitutes of one word.
#[derive(Debug, Default)]
pub(super) struct Substitutes(Vec<Substitute>);

impl Substitutes {
    pub fn rows(&self) -> &[Substitute] {
        &self.0
    }

    pub fn total(&self) -> u32 {
        self.0.last().map_or(0, |last| last.end)
    }

    pub fn weight(&self, row: usize) -> u32 {
        self.end(row) - self.start(row)
    }

    fn start(&self, row: usize) -> u32 {
        row.checked_sub(1).map_or(0, |before| self.end(before))
    }

    fn end(&self, row: usize) -> u32 {
        self.0.get(row).map_or(0, |row| row.end)
    }

    /// Up to two rows, by weight and without putting the first back.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> [Option<usize>; 2] {
        let total = self.total();
        if total == 0 {
            return [None, None];
        }
        let first = self.at(below(rng, u64::from(total)) as u32);
        let left = total - self.weight(first);
        if left == 0 {
            return [Some(first), None];
        }
        let point = below(rng, u64::from(left)) as u32;
        let skipped = if point < self.start(first) { point } else { point + self.weight(first) };
        [Some(first), Some(self.at(skipped))]
    }

    fn at(&self, point: u32) -> usize {
        self.0.partition_point(|row| row.end <= point)
    }

    fn push(&mut self, number: u32, found: Found, weight: u32) {
        let end = self.total().saturating_add(weight);
        self.0.push(Substitute { number, end, found });
    }

    /// All prepositions but `original`.
    fn prepositions(original: &str) -> Self {
        let mut all = Self::default();
        for (i, (word, weight)) in PREPOSITIONS.iter().enumerate() {
            if *word != original {
                all.push(i as u32, Found::Preposition, *weight);
            }
        }
        all
    }

    fn words(lexicon: &Lexicon, word: &str, pos: Pos) -> Self {
        let synsets = lexicon.synsets(word, pos);
        let mut walk = Walk { lexicon, rows: HashMap::default(), found: Vec::new() };
        for sense in synsets.iter().flat_map(|s| lexicon.senses(*s)) {
            walk.rows.insert(lexicon.name(sense), OWN);
        }
        for synset in synsets {
            walk.enter(synset, pos);
        }
        let mut all = Self(Vec::with_capacity(walk.found.len()));
        for hits in walk.found {
            all.push(hits.name.number(), hits.found, hits.weight);
        }
        all
    }
}

/// In the place of a row: a name that shares a meaning with the word.
const OWN: usize = usize::MAX;

struct Hits {
    name: Name,
    found: Found,
    /// Of one hit, as the first meaning met has it.
    count: u32,
    weight: u32,
}

struct Walk<'a> {
    lexicon: &'a Lexicon,
    /// Row in `found` of each name.
    rows: HashMap<Name, usize, BuildHasherDefault<Spread>>,
    found: Vec<Hits>,
}

/// Spreads the numbers of names, which nobody outside chooses; several times faster than the standard hash.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

impl Walk<'_> {
    fn enter(&mut self, synset: Synset, pos: Pos) {
        let lexicon = self.lexicon;
        for antonym in lexicon.senses(synset).flat_map(|s| lexicon.antonyms(s)) {
            self.hit(antonym, Found::Antonym);
        }
        if pos == Pos::Adjective {
            return self.adjectives(synset);
        }
        cousins(lexicon, synset, |grandparent, cousin| {
            for sense in lexicon.senses(cousin) {
                self.hit(sense, Found::Cousin(grandparent));
            }
        });
    }

    fn adjectives(&mut self, synset: Synset) {
        let lexicon = self.lexicon;
        let mut nouns: Vec<Synset> = Vec::new();
        for derived in lexicon.senses(synset).flat_map(|s| lexicon.derivations(s)) {
            let noun = lexicon.synset(derived);
            if lexicon.pos(noun) == Pos::Noun && !nouns.contains(&noun) {
                nouns.push(noun);
            }
        }
        for noun in nouns {
            cousins(lexicon, noun, |grandparent, cousin| {
                for derived in lexicon.senses(cousin).flat_map(|s| lexicon.derivations(s)) {
                    let adjective = lexicon.synset(derived);
                    if lexicon.pos(adjective) == Pos::Adjective && adjective != synset {
                        self.hit(derived, Found::Derived(grandparent));
                    }
                }
            });
        }
    }

    fn hit(&mut self, sense: super::lexicon::Sense, found: Found) {
        let name = self.lexicon.name(sense);
        let row = *self.rows.entry(name).or_insert(self.found.len());
        if row == self.found.len() {
            let count = self.lexicon.count(sense).max(1);
            self.found.push(Hits { name, found, count, weight: count });
        } else if let Some(hits) = self.found.get_mut(row) {
            hits.weight += hits.count;
        }
    }
}

/// Grandchildren of each grandparent, without `synset` itself.
fn cousins(lexicon: &Lexicon, synset: Synset, mut visit: impl FnMut(Synset, Synset)) {
    for grandparent in lexicon.hypernyms(synset).flat_map(|parent| lexicon.hypernyms(parent)) {
        for cousin in lexicon.hyponyms(grandparent).flat_map(|uncle| lexicon.hyponyms(uncle)) {
            if cousin != synset {
                visit(grandparent, cousin);
            }
        }
    }
}

/// Substitutes of the words met so far; the last map holds prepositions.
#[derive(Default)]
pub(super) struct Memory {
    maps: [RwLock<HashMap<String, Arc<Substitutes>>>; 5],
    remembered: std::sync::atomic::AtomicUsize,
}

impl Memory {
    /// Substitutes of a lower-cased word in one class; `None` is a preposition.
    pub fn of(&self, lexicon: &Lexicon, word: &str, pos: Option<Pos>) -> Arc<Substitutes> {
        use std::sync::atomic::Ordering::Relaxed;
        let map = &self.maps[pos.map_or(4, |pos| pos as usize)];
        // A poisoned lock only means that another caption's thread died; what it guards is still whole.
        if let Some(known) = map.read().unwrap_or_else(PoisonError::into_inner).get(word) {
            return Arc::clone(known);
        }
        let new = Arc::new(match pos {
            Some(pos) => Substitutes::words(lexicon, word, pos),
            None => Substitutes::prepositions(word),
        });
        if self.remembered.fetch_add(new.rows().len() + 8, Relaxed) > MOST_REMEMBERED {
            self.maps.iter().for_each(|map| map.write().unwrap_or_else(PoisonError::into_inner).clear());
            self.remembered.store(0, Relaxed);
        }
        map.write().unwrap_or_else(PoisonError::into_inner).insert(word.to_owned(), Arc::clone(&new));
        new
    }
}
