//! A change to a caption that has not been written out yet.

use std::ops::Range;

use super::substitutes::{Found, Word};
use super::tokens::Tag;

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A noun, for another noun (style replace)
    ReplaceEntity,
    /// An adjective or participle, for another (style replace)
    ReplaceModifier,
    /// A preposition or verb, for another (style replace)
    ReplaceRelation,
    /// Two noun phrases of more than two tokens change places (style negclip)
    NounPhrases,
    /// Two verb phrases (style negclip)
    VerbPhrases,
    /// Two singular nouns (style negclip)
    Nouns,
    /// Two plural nouns (style negclip)
    PluralNouns,
    /// Two adverbs (style negclip)
    Adverbs,
    /// Two adjectives (style negclip)
    Adjectives,
    /// Two noun phrases of any length, as in SugarCrepe's swap_obj (style swap)
    SwapEntities,
    /// Two modifiers of different nouns, as in SugarCrepe's swap_att and ARO's VG-Attribution (style swap)
    SwapModifiers,
    /// The two ends of a relation, as in ARO's VG-Relation (style relation)
    SwapEnds,
    /// Nouns among themselves and adjectives among themselves, as in ARO's Order (style shuffle)
    ShuffleNounsAdjectives,
    /// All other words among themselves (style shuffle)
    ShuffleOthers,
    /// Words within groups of three (style shuffle)
    ShuffleWithinTrigrams,
    /// The groups of three (style shuffle)
    ShuffleTrigrams,
}

#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// Another word, in the form of the first token's tag.
    Replace { kind: Kind, span: Range<usize>, tag: Tag, word: Word, found: Found, weight: u32, share: f64 },
    /// Two places, the first before the second.
    Exchange { kind: Kind, first: Range<usize>, second: Range<usize> },
    /// The whole caption, rewritten.
    Rewrite { kind: Kind, caption: String },
}

impl Edit {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Replace { kind, .. } | Self::Exchange { kind, .. } | Self::Rewrite { kind, .. } => *kind,
        }
    }
}

/// Two spans change places. Where the first opens the caption with a capital, the capital stays in front.
pub(super) fn exchange(caption: &str, first: &Range<usize>, second: &Range<usize>) -> String {
    let text = |range: Range<usize>| caption.get(range).unwrap_or("");
    let (mut a, mut b) = (text(first.clone()).to_owned(), text(second.clone()).to_owned());
    let opens = text(0..first.start).trim().is_empty();
    let rest_is_small = a.chars().skip(1).all(|c| !c.is_uppercase());
    if opens && rest_is_small && a.starts_with(char::is_uppercase) && b.starts_with(char::is_lowercase) {
        a = a.to_lowercase();
        b = capitalised(&b);
    }
    [text(0..first.start), &b, text(first.end..second.start), &a, text(second.end..caption.len())].concat()
}

/// The first letter as a capital.
pub(super) fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// All capitals, or one in front, as `original` has them.
pub(super) fn cased_as(original: &str, word: String) -> String {
    let letters = original.chars().filter(|c| c.is_alphabetic());
    let upper = letters.clone().all(char::is_uppercase) && letters.clone().count() > 1;
    match () {
        () if upper => word.to_uppercase(),
        () if original.starts_with(char::is_uppercase) => capitalised(&word),
        () => word,
    }
}
