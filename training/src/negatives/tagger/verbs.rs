//! Verb or not: participles, the past and the present tense.

use super::super::tokens::Tag;
use super::super::vocabulary as words;
use super::super::words::Reading;
use super::Context;

/// Forms in -ing that name a place or a tool with the noun after them, even after another noun.
const PLACES: [&str; 8] = ["parking", "dining", "living", "cutting", "swimming", "shopping", "frying", "baking"];

impl Context<'_> {
    /// Participles, and the past tense.
    pub(super) fn verb_form(&self, word: &str, read: Reading) -> Option<Tag> {
        if !read.ing && !read.past {
            return None;
        }
        let describes = (self.inside_phrase() || self.opens_phrase()) && self.phrase_goes_on();
        if read.ing {
            return Some(self.ing_form(word, read, describes));
        }
        if read.noun > 0 && !read.regular_past && (self.inside_phrase() || words::is_noun_first(word)) {
            return None;
        }
        if describes {
            return Some(if read.adjective > 0 { Tag::Jj } else { Tag::Vbn });
        }
        if read.adjective > 0 && self.inside_phrase() && read.noun == 0 {
            return Some(Tag::Jj);
        }
        let base = read.base_verb && !read.regular_past;
        if base && !self.after_be() {
            return None;
        }
        let object = self.determiner_follows() && !self.after_be();
        Some(if object { Tag::Vbd } else { Tag::Vbn })
    }

    fn ing_form(&self, word: &str, read: Reading, describes: bool) -> Tag {
        let after_be = self.after_be();
        let after_noun = self.previous().is_some_and(|t| t.is_noun() || t == Tag::Prp) || after_be;
        if words::is_ing_noun(word) {
            return if after_noun && self.determiner_follows() { Tag::Vbg } else { Tag::Nn };
        }
        // "a city parking lot", but "a man riding horses".
        let place = self.previous() == Some(Tag::Nn) && !after_be && PLACES.contains(&word);
        if words::is_ing_compound(word) && self.noun_follows() && (!after_noun || place) {
            return Tag::Nn;
        }
        match (describes && read.adjective > 0, self.inside_phrase() && !self.phrase_goes_on() && read.noun > 0) {
            (true, _) => Tag::Jj,
            (_, true) => Tag::Nn,
            _ => Tag::Vbg,
        }
    }

    fn determiner_follows(&self) -> bool {
        matches!(words::closed(self.word_at(1)), Some(Tag::Dt | Tag::PrpS | Tag::Cd | Tag::Prp))
    }

    /// Nothing, a preposition, a conjunction or a verb comes before: a phrase without article may begin.
    fn opens_phrase(&self) -> bool {
        self.previous()
            .is_none_or(|t| matches!(t, Tag::In | Tag::Cc | Tag::Punct | Tag::To) || t.is_verb() && !self.after_be())
    }

    /// Present tense or bare verb, where the neighbours allow it.
    pub(super) fn plain_verb(&self, word: &str, read: Reading) -> Option<Tag> {
        if read.verb == 0 || self.inside_phrase() {
            return None;
        }
        let subject = self.before.iter().rev().find(|t| t.tag != Tag::Rb && t.tag != Tag::Punct).map(|t| t.tag);
        let mostly = read.verb > read.noun && !words::is_noun_first(word);
        match subject {
            Some(Tag::To | Tag::Md) if read.base_verb && (mostly || self.determiner_follows() || read.noun == 0) => {
                Some(Tag::Vb)
            }
            Some(Tag::Nn | Tag::Nnp | Tag::Wdt | Tag::Wp | Tag::Prp | Tag::Cc | Tag::Rp)
                if read.third_person && self.verb_may_stand(mostly, subject) =>
            {
                Some(Tag::Vbz)
            }
            Some(Tag::Nns | Tag::Wdt | Tag::Wp | Tag::Prp | Tag::Cc)
                if read.base_verb && !read.third_person && self.verb_may_stand(mostly, subject) && !read.plural =>
            {
                Some(Tag::Vbp)
            }
            _ if read.noun == 0 && read.adjective == 0 && read.adverb == 0 => {
                Some(if read.third_person { Tag::Vbz } else { Tag::Vb })
            }
            _ => None,
        }
    }

    fn verb_may_stand(&self, mostly: bool, subject: Option<Tag>) -> bool {
        let finite =
            self.before.iter().rev().take_while(|t| !matches!(t.tag, Tag::Cc | Tag::Wdt | Tag::Wp) && t.lower != ",");
        let clause_has_verb = finite.into_iter().any(|t| t.tag.is_finite());
        let goes_on = matches!(
            words::closed(self.word_at(1)),
            Some(Tag::Dt | Tag::PrpS | Tag::In | Tag::To | Tag::Cd | Tag::Prp | Tag::Rb)
        );
        let joined = subject == Some(Tag::Cc);
        let opened = joined && self.before.iter().any(|t| t.tag.is_verb());
        !clause_has_verb
            && (!joined || opened)
            && (mostly || goes_on && self.determiner_follows() && !self.noun_before_is_compound())
    }

    fn noun_before_is_compound(&self) -> bool {
        words::is_noun_first(self.word()) || words::is_noun_before_noun(self.before_word())
    }
}
