//! A caption to tokens with their places and Penn's part-of-speech tags.

use std::ops::Range;

/// A tag of the Penn treebank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are Penn's; `penn` spells them")]
pub enum Tag {
    Nn,
    Nns,
    Nnp,
    Jj,
    Jjr,
    Jjs,
    Vb,
    Vbd,
    Vbg,
    Vbn,
    Vbp,
    Vbz,
    Md,
    Rb,
    Rp,
    Dt,
    Cd,
    In,
    To,
    Cc,
    Prp,
    PrpS,
    Wdt,
    Wp,
    Wrb,
    Ex,
    Pos,
    Uh,
    Sym,
    Punct,
}

impl Tag {
    /// Penn's spelling: `NN`, `PRP$`, `.` for punctuation.
    pub fn penn(self) -> &'static str {
        match self {
            Self::Nn => "NN",
            Self::Nns => "NNS",
            Self::Nnp => "NNP",
            Self::Jj => "JJ",
            Self::Jjr => "JJR",
            Self::Jjs => "JJS",
            Self::Vb => "VB",
            Self::Vbd => "VBD",
            Self::Vbg => "VBG",
            Self::Vbn => "VBN",
            Self::Vbp => "VBP",
            Self::Vbz => "VBZ",
            Self::Md => "MD",
            Self::Rb => "RB",
            Self::Rp => "RP",
            Self::Dt => "DT",
            Self::Cd => "CD",
            Self::In => "IN",
            Self::To => "TO",
            Self::Cc => "CC",
            Self::Prp => "PRP",
            Self::PrpS => "PRP$",
            Self::Wdt => "WDT",
            Self::Wp => "WP",
            Self::Wrb => "WRB",
            Self::Ex => "EX",
            Self::Pos => "POS",
            Self::Uh => "UH",
            Self::Sym => "SYM",
            Self::Punct => ".",
        }
    }

    /// Common and proper nouns, not pronouns.
    pub fn is_noun(self) -> bool {
        matches!(self, Self::Nn | Self::Nns | Self::Nnp)
    }

    /// Adjectives of any degree.
    pub fn is_adjective(self) -> bool {
        matches!(self, Self::Jj | Self::Jjr | Self::Jjs)
    }

    /// Verbs in any form, auxiliaries included, modals not.
    pub fn is_verb(self) -> bool {
        self.is_finite() || matches!(self, Self::Vb | Self::Vbg | Self::Vbn)
    }

    /// Past and present tense.
    pub fn is_finite(self) -> bool {
        matches!(self, Self::Vbd | Self::Vbp | Self::Vbz)
    }
}

/// A word or a mark of punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its bytes in the caption.
    pub span: Range<usize>,
    /// Lower-cased.
    pub lower: String,
    /// What it does in the sentence.
    pub tag: Tag,
    /// A form of be, have or do that is no main verb, as far as the tagger can tell.
    pub auxiliary: bool,
}

/// The pieces of a caption: words with their inner hyphens, apostrophes and points, `'s` on its own, and each other mark
/// on its own.
pub(super) fn pieces(caption: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(c) = caption.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &caption[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
        } else if c.is_alphanumeric() {
            let length = word_length(rest);
            let word = &rest[..length];
            let clitic = ["'s", "’s", "'S"].iter().find(|end| word.ends_with(**end) && word.len() > end.len());
            let stem = length - clitic.map_or(0, |end| end.len());
            pieces.push(at..at + stem);
            if stem < length {
                pieces.push(at + stem..at + length);
            }
            at += length;
        } else {
            pieces.push(at..at + c.len_utf8());
            at += c.len_utf8();
        }
    }
    pieces
}

fn word_length(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins = "-'’.,/&".contains(c) && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        // A point or a comma joins digits only: 2.5, 1,000.
        let number = text.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
        let digit_next = chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        if !(c.is_alphanumeric() || joins && (!".,".contains(c) || number && digit_next)) {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_words_and_marks() {
        let of = |caption: &str| pieces(caption).into_iter().map(|span| caption[span].to_owned()).collect::<Vec<_>>();
        assert_eq!(of("A man's 2.5-foot t-shirt, red."), ["A", "man", "'s", "2.5-foot", "t-shirt", ",", "red", "."]);
        assert_eq!(of("naïve «Äpfel»"), ["naïve", "«", "Äpfel", "»"]);
        assert_eq!(of("don't 's - x-"), ["don't", "'", "s", "-", "x", "-"]);
        assert_eq!(of(" "), Vec::<String>::new());
    }
}
