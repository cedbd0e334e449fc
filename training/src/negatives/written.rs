//! Edits written out.

use serde::Serialize;

use super::Generator;
use super::edit::{Edit, Kind, cased_as, exchange};
use super::lexicon::Form;
use super::prepositions::PREPOSITIONS;
use super::substitutes::{Found, Word};
use super::tagger::wordnet_class;
use super::tokens::Tag;

/// A caption that is almost right, and why it exists.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Negative {
    /// The whole sentence.
    pub caption: String,
    /// What was changed.
    pub kind: Kind,
    /// The words that went, or the first of two phrases that changed places; empty where all words moved.
    pub from: String,
    /// The words that came, or the second phrase; empty where all words moved.
    pub to: String,
    /// SemCor's count over the meanings found, or the preposition's weight; 1 where nothing was weighed.
    pub weight: u32,
    /// The share of this substitute in its element's weights, 0..=1; 1 where nothing was weighed.
    pub share: f64,
    /// How it was found, in words: `antonym`, `vehicle.n.01 covers both`.
    pub reason: String,
}

/// Places in `negatives` of those whose token ids equal the caption's: no model that reads these tokens can tell them
/// apart, so they teach it nothing that is true. `encode` is the tokenizer.
pub fn equal_by_tokens(caption: &str, negatives: &[Negative], encode: impl Fn(&str) -> Vec<u32>) -> Vec<usize> {
    let ids = encode(caption);
    (0..negatives.len()).filter(|i| encode(&negatives[*i].caption) == ids).collect()
}

impl Generator {
    /// Nothing where the edit changes nothing: a plural that equals its singular, words shuffled into their old order.
    pub(super) fn write(&self, caption: &str, edit: &Edit) -> Option<Negative> {
        let plain = |text: String, from: &str, to: &str, reason: &str| Negative {
            caption: text,
            kind: edit.kind(),
            from: from.to_owned(),
            to: to.to_owned(),
            weight: 1,
            share: 1.0,
            reason: reason.to_owned(),
        };
        let negative = match edit {
            Edit::Replace { span, tag, word, found, weight, share, .. } => {
                let from = caption.get(span.clone())?;
                let to = cased_as(from, self.inflected(*word, *tag));
                let text = [caption.get(..span.start)?, &to, caption.get(span.end..)?].concat();
                Negative { weight: *weight, share: *share, reason: self.reason(*found), ..plain(text, from, &to, "") }
            }
            Edit::Exchange { first, second, .. } => {
                let (from, to) = (caption.get(first.clone())?, caption.get(second.clone())?);
                plain(exchange(caption, first, second), from, to, "changed places")
            }
            Edit::Rewrite { caption, .. } => plain(caption.clone(), "", "", "another order"),
        };
        (!negative.caption.eq_ignore_ascii_case(caption)).then_some(negative)
    }

    fn inflected(&self, word: Word, tag: Tag) -> String {
        match word {
            Word::Preposition(i) => PREPOSITIONS.get(i as usize).map_or("", |(word, _)| word).to_owned(),
            Word::Lemma(name) => {
                let lemma = self.lexicon.spelling(name);
                wordnet_class(tag).map_or_else(|| lemma.to_owned(), |pos| self.lexicon.inflect(lemma, pos, form(tag)))
            }
        }
    }

    fn reason(&self, found: Found) -> String {
        match found {
            Found::Antonym => "antonym".to_owned(),
            Found::Cousin(grandparent) => format!("{} covers both", self.lexicon.synset_name(grandparent)),
            Found::Derived(grandparent) => {
                format!("{} covers the nouns of both", self.lexicon.synset_name(grandparent))
            }
            Found::Preposition => "preposition, by frequency".to_owned(),
        }
    }
}

fn form(tag: Tag) -> Form {
    match tag {
        Tag::Nns => Form::Plural,
        Tag::Vbz => Form::ThirdPerson,
        Tag::Vbg => Form::Ing,
        Tag::Vbd => Form::Past,
        Tag::Vbn => Form::Participle,
        Tag::Jjr => Form::Comparative,
        Tag::Jjs => Form::Superlative,
        _ => Form::Base,
    }
}
