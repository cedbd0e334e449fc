//! Hard negatives: captions that are almost right.
//!
//! The paper's method (arXiv 2402.15021, style [`Style::Replace`]) reads a caption's entities, modifiers and relations,
//! asks WordNet what could stand in the place of one, and keeps one of the sentences at random. The other styles move
//! the caption's own words.
//!
//! * [`lexicon`]: WordNet 3.0. [`Scene`]: what a caption says, with the differences from the paper's parser.
//! * [`made_elsewhere`]: negatives that other programs wrote.
//!
//! Chance depends on the seed and the caption's number alone: the same on any number of threads.

pub(crate) mod chance;
mod edit;
pub mod lexicon;
pub mod made_elsewhere;
mod phrases;
mod prepositions;
mod rearrange;
mod relations;
mod replace;
mod scene;
mod substitutes;
mod tagger;
mod tokens;
mod vocabulary;
mod words;
mod written;

use std::sync::Arc;

use rayon::prelude::*;

pub use edit::Kind;
pub use phrases::Entity;
pub use relations::Relation;
pub use scene::Scene;
pub use tagger::LONGEST_CAPTION;
pub use tokens::{Tag, Token};
pub use written::{Negative, equal_by_tokens};

use edit::Edit;
use lexicon::{Lexicon, LexiconError, Pos};
use substitutes::{Memory, Substitutes};
use words::Readings;

/// Which negatives are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// One word or preposition gives way to another from WordNet; the released model's
    #[default]
    Replace,
    /// Two phrases of one class, such as two plural nouns, change places
    Negclip,
    /// Two entities, or the modifiers of two, change places
    Swap,
    /// The words in another order
    Shuffle,
    /// The two ends of a relation change places
    Relation,
}

impl Style {
    /// All, in the order of their documentation.
    pub const ALL: [Self; 5] = [Self::Replace, Self::Negclip, Self::Swap, Self::Shuffle, Self::Relation];

    /// As written in recipes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Negclip => "negclip",
            Self::Swap => "swap",
            Self::Shuffle => "shuffle",
            Self::Relation => "relation",
        }
    }
}

impl std::str::FromStr for Style {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|s| s.name() == name)
            .ok_or_else(|| format!("unknown style '{name}', please choose one of {}", known()))
    }
}

/// Reads captions and writes hard negatives for them. It remembers words, so keep one and share it between threads.
pub struct Generator {
    lexicon: &'static Lexicon,
    readings: Readings,
    memory: Memory,
}

impl Generator {
    /// With the embedded lexicon, unpacked by the first generator of the process (some tenths of a second).
    ///
    /// # Errors
    /// When the build embedded a damaged lexicon.
    pub fn new() -> Result<Self, LexiconError> {
        Ok(Self { lexicon: Lexicon::embedded()?, readings: Readings::default(), memory: Memory::default() })
    }

    /// Words and marks of a caption with Penn's tags; at most [`LONGEST_CAPTION`] bytes are read.
    pub fn tag(&self, caption: &str) -> Vec<Token> {
        tagger::tag(self.lexicon, &self.readings, caption)
    }

    /// Entities, modifiers and relations of a caption.
    pub fn scene(&self, caption: &str) -> Scene {
        Scene::read(self.lexicon, &self.readings, caption)
    }

    /// What style `replace` chooses from: per element the `most` heaviest substitutes, entities first, then modifiers,
    /// then relations. Empty for a caption that the filter turns away. Chance plays no part.
    pub fn candidates(&self, caption: &str, most: usize) -> Vec<Negative> {
        let scene = self.scene(caption);
        let elements = replace::elements(self, &scene, false);
        elements.iter().flat_map(|e| e.heaviest(most)).filter_map(|edit| self.write(caption, &edit)).collect()
    }

    /// Substitutes of one word alone, as the dictionary spells them, with their weights.
    pub fn word_candidates(&self, word: &str, pos: Pos) -> Vec<(String, u32)> {
        let all = self.substitutes(&word.to_lowercase(), Some(pos));
        let spelled = |row: usize| match all.rows().get(row)?.word() {
            substitutes::Word::Lemma(name) => Some((self.lexicon.spelling(name).to_owned(), all.weight(row))),
            substitutes::Word::Preposition(_) => None,
        };
        (0..all.rows().len()).filter_map(spelled).collect()
    }

    /// Up to `per_caption` different negatives of the caption with number `index`, none equal to it. One: drawn evenly
    /// from all that the style offers. More: of different kinds as far as these go.
    pub fn negatives(&self, caption: &str, style: Style, per_caption: usize, seed: u64, index: u64) -> Vec<Negative> {
        if caption.len() > LONGEST_CAPTION {
            return Vec::new();
        }
        let mut rng = chance::stream(seed, index);
        let scene = self.scene(caption);
        let mut pool = match style {
            Style::Replace => replace::pool(self, &scene, &mut rng),
            Style::Negclip => rearrange::negclip(caption, &scene, &mut rng),
            Style::Swap => rearrange::swap(caption, &scene),
            Style::Shuffle => rearrange::shuffles(caption, &scene, &mut rng),
            Style::Relation => rearrange::relation(caption, &scene),
        };
        chance::shuffle(&mut rng, &mut pool);
        self.choose(caption, pool, per_caption)
    }

    /// [`Self::negatives`] of many captions on all threads, in their order; the first has the number `first`.
    pub fn batch<S: AsRef<str> + Sync>(
        &self,
        captions: &[S],
        style: Style,
        per_caption: usize,
        seed: u64,
        first: u64,
    ) -> Vec<Vec<Negative>> {
        let numbered = captions.par_iter().enumerate().with_min_len(16);
        numbered
            .map(|(i, caption)| self.negatives(caption.as_ref(), style, per_caption, seed, first + i as u64))
            .collect()
    }

    /// Takes kinds not taken yet first, then whatever comes.
    fn choose(&self, caption: &str, mut pool: Vec<Edit>, per_caption: usize) -> Vec<Negative> {
        let mut chosen: Vec<Negative> = Vec::new();
        for new_kinds_only in [true, false] {
            let mut left = Vec::new();
            for edit in pool {
                let known = chosen.iter().any(|n| n.kind == edit.kind());
                if chosen.len() == per_caption || known && new_kinds_only {
                    left.push(edit);
                } else if let Some(negative) = self.write(caption, &edit)
                    && chosen.iter().all(|n| n.caption != negative.caption)
                {
                    chosen.push(negative);
                }
            }
            pool = left;
        }
        chosen
    }

    fn substitutes(&self, word: &str, pos: Option<Pos>) -> Arc<Substitutes> {
        self.memory.of(self.lexicon, word, pos)
    }
}
