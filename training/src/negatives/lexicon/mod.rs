//! WordNet 3.0 without its glosses, as NLTK's reader answers, from a file embedded in the program.

mod decode;
mod inflect;
mod morphy;

use std::collections::HashMap;
use std::io::Read as _;
use std::ops::Range;
use std::sync::OnceLock;

pub use decode::LexiconError;
pub use inflect::Form;

/// Written by `training/reference/lexicon.py`, which documents the layout.
static EMBEDDED: &[u8] = include_bytes!("../../../../assets/lexicon.bin.gz");

/// Most bytes that the embedded file may unpack to; it has 4 MB.
const MOST_BYTES: u64 = 64 << 20;

/// A part of speech that WordNet covers. Adjectives include WordNet's adjective satellites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pos {
    /// `n`
    Noun,
    /// `v`
    Verb,
    /// `a` and `s`
    Adjective,
    /// `r`
    Adverb,
}

impl Pos {
    /// All, in NLTK's order.
    pub const ALL: [Self; 4] = [Self::Noun, Self::Verb, Self::Adjective, Self::Adverb];
}

/// A meaning: a set of lemmas that share it. Numbered in the order of NLTK's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Synset(u32);

/// A lemma in one of its meanings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sense(u32);

/// The spelling of a lemma; two senses have the same one exactly when their lemmas are equal to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(u32);

impl Name {
    pub(super) fn number(self) -> u32 {
        self.0
    }

    pub(super) fn numbered(number: u32) -> Self {
        Self(number)
    }
}

/// The words, meanings and pointers of WordNet 3.0, with the counts of SemCor. About 12 MB in memory.
pub struct Lexicon {
    names: Names,
    /// `n v a r s` of each synset.
    kinds: Vec<u8>,
    /// First sense of each synset, and the number of senses at the end.
    first_sense: Vec<u32>,
    senses: Vec<SenseRow>,
    /// Synsets by lower-cased name and part of speech, in sense order: row 4 · name + part of speech.
    index: Lists,
    hypernyms: Lists,
    hyponyms: Lists,
    similar: Lists,
    antonyms: Lists,
    derivations: Lists,
    /// Irregular form → lemmas, by part of speech.
    exceptions: [HashMap<String, Vec<String>>; 4],
    /// Lemma → irregular forms, in alphabetic order, by part of speech.
    irregular: [HashMap<String, Vec<String>>; 4],
}

#[derive(Clone, Copy)]
struct SenseRow {
    synset: u32,
    name: u32,
    count: u32,
}

impl Lexicon {
    /// The embedded WordNet, unpacked on the first call (some tenths of a second).
    ///
    /// # Errors
    /// When the file in the program is not one that `lexicon.py` wrote, each time the same.
    pub fn embedded() -> Result<&'static Self, LexiconError> {
        static LEXICON: OnceLock<Result<Lexicon, LexiconError>> = OnceLock::new();
        LEXICON.get_or_init(|| Self::unpack(EMBEDDED)).as_ref().map_err(Clone::clone)
    }

    /// Reads a packed lexicon.
    pub(super) fn unpack(packed: &[u8]) -> Result<Self, LexiconError> {
        let mut bytes = Vec::new();
        let read = flate2::read::GzDecoder::new(packed).take(MOST_BYTES).read_to_end(&mut bytes);
        read.map_err(|e| LexiconError(e.to_string()))?;
        decode::lexicon(&bytes)
    }

    /// Meanings of a word in any of its inflections, the most frequent first; NLTK's `synsets(word, pos)`. Spaces are
    /// written as `_`, case does not matter.
    pub fn synsets(&self, word: &str, pos: Pos) -> Vec<Synset> {
        let forms = self.lemmas_of(word, pos);
        forms.iter().flat_map(|name| self.meanings(*name, pos)).collect()
    }

    /// Whether a lower-cased lemma is in the dictionary as it stands.
    pub fn knows(&self, lemma: &str, pos: Pos) -> bool {
        self.names.find(lemma).is_some_and(|name| self.meanings(name, pos).next().is_some())
    }

    /// Meanings of a lower-cased lemma as it stands.
    pub(super) fn meanings(&self, name: Name, pos: Pos) -> impl Iterator<Item = Synset> + '_ {
        self.index.of(4 * name.0 + pos as u32).iter().map(|i| Synset(*i))
    }

    /// NLTK's name of a meaning, such as `dog.n.01`.
    pub fn synset_name(&self, synset: Synset) -> String {
        let kind = self.kinds.get(synset.0 as usize).map_or('?', |kind| char::from(*kind));
        let lemma = self.senses(synset).next().map_or("", |sense| self.lemma(sense)).to_lowercase();
        let number = self.names.find(&lemma).and_then(|name| {
            let mut meanings = self.meanings(name, self.pos(synset));
            meanings.position(|other| other == synset)
        });
        format!("{lemma}.{kind}.{:02}", number.map_or(0, |n| n + 1))
    }

    /// The part of speech of a meaning.
    pub fn pos(&self, synset: Synset) -> Pos {
        match self.kinds.get(synset.0 as usize) {
            Some(b'n') => Pos::Noun,
            Some(b'v') => Pos::Verb,
            Some(b'r') => Pos::Adverb,
            _ => Pos::Adjective,
        }
    }

    /// The lemmas of a meaning, in the database's order.
    pub fn senses(&self, synset: Synset) -> impl Iterator<Item = Sense> + use<> {
        let at = synset.0 as usize;
        let range = self.first_sense.get(at..at + 2).map_or(0..0, |pair| pair[0]..pair[1]);
        range.map(Sense)
    }

    /// The meaning that a sense belongs to.
    pub fn synset(&self, sense: Sense) -> Synset {
        Synset(self.row(sense).synset)
    }

    /// The spelling of a sense's lemma, with `_` for spaces: `hot_dog`.
    pub fn lemma(&self, sense: Sense) -> &str {
        self.names.get(self.row(sense).name)
    }

    /// The same as a number, to compare and to keep.
    pub fn name(&self, sense: Sense) -> Name {
        Name(self.row(sense).name)
    }

    /// What a number from [`Self::name`] spells.
    pub fn spelling(&self, name: Name) -> &str {
        self.names.get(name.0)
    }

    /// How often SemCor's annotators met the lemma in this meaning.
    pub fn count(&self, sense: Sense) -> u32 {
        self.row(sense).count
    }

    /// Meanings one step more general; instances have none.
    pub fn hypernyms(&self, synset: Synset) -> impl Iterator<Item = Synset> + '_ {
        self.hypernyms.of(synset.0).iter().map(|i| Synset(*i))
    }

    /// Meanings one step more special, without instances.
    pub fn hyponyms(&self, synset: Synset) -> impl Iterator<Item = Synset> + '_ {
        self.hyponyms.of(synset.0).iter().map(|i| Synset(*i))
    }

    /// Adjectives of similar meaning: a cluster's head and its satellites.
    pub fn similar(&self, synset: Synset) -> impl Iterator<Item = Synset> + '_ {
        self.similar.of(synset.0).iter().map(|i| Synset(*i))
    }

    /// Lemmas of the opposite meaning.
    pub fn antonyms(&self, sense: Sense) -> impl Iterator<Item = Sense> + '_ {
        self.antonyms.of(sense.0).iter().map(|i| Sense(*i))
    }

    /// Lemmas derived from this one or from which it is derived, of any part of speech.
    pub fn derivations(&self, sense: Sense) -> impl Iterator<Item = Sense> + '_ {
        self.derivations.of(sense.0).iter().map(|i| Sense(*i))
    }

    /// SemCor's count of a word over all meanings of one part of speech, each at least 1; 0 for an unknown word.
    pub fn frequency(&self, word: &str, pos: Pos) -> u32 {
        let lemmas = self.lemmas_of(word, pos);
        let of = |name: &Name| {
            let meanings = self.meanings(*name, pos);
            meanings
                .map(|synset| self.senses(synset).find(|s| self.lower_is(*s, *name)).map_or(1, |s| self.count(s) + 1))
                .sum::<u32>()
        };
        lemmas.iter().map(of).sum()
    }

    fn lower_is(&self, sense: Sense, name: Name) -> bool {
        self.lemma(sense).eq_ignore_ascii_case(self.spelling(name))
    }

    fn row(&self, sense: Sense) -> SenseRow {
        // Every stored sense was checked when the file was read.
        self.senses.get(sense.0 as usize).copied().unwrap_or(SenseRow { synset: 0, name: 0, count: 0 })
    }
}

/// Sorted strings in one buffer.
struct Names {
    bytes: String,
    ends: Vec<u32>,
}

impl Names {
    fn range(&self, i: usize) -> Range<usize> {
        let start = if i == 0 { 0 } else { self.ends.get(i - 1).map_or(0, |end| *end as usize) };
        start..self.ends.get(i).map_or(start, |end| *end as usize)
    }

    fn get(&self, i: u32) -> &str {
        self.bytes.get(self.range(i as usize)).unwrap_or("")
    }

    fn find(&self, name: &str) -> Option<Name> {
        let (mut low, mut high) = (0, self.ends.len() as u32);
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(Name(middle)),
            }
        }
        None
    }
}

/// A list of numbers per row.
struct Lists {
    /// Where each row begins, and the end of the last.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn of(&self, row: u32) -> &[u32] {
        let at = row as usize;
        let Some([start, end]) = self.starts.get(at..at + 2) else { return &[] };
        self.items.get(*start as usize..*end as usize).unwrap_or(&[])
    }

    /// From pairs of row and item; items keep their order within a row.
    fn from_pairs(rows: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0_u32; rows + 1];
        for (row, _) in pairs {
            if let Some(next) = starts.get_mut(*row as usize + 1) {
                *next += 1;
            }
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut free = starts.clone();
        let mut items = vec![0; pairs.len()];
        for (row, item) in pairs {
            if let Some(at) = free.get_mut(*row as usize) {
                items[*at as usize] = *item;
                *at += 1;
            }
        }
        Self { starts, items }
    }
}
