//! Part-of-speech tags for captions: a dictionary's counts first, then the neighbours.
//!
//! WordNet says which classes a word may have and SemCor how often; closed classes come from
//! [`vocabulary`](super::vocabulary). What is left open is decided from left to right by the neighbours, with rules for the
//! English of captions: mostly noun phrases, participles and the present tense. It is no parser and no model of prose.
//!
//! The trained tagger of `harper-brill` 3 was weighed instead. It brings the neural framework `burn` with 150 crates, and
//! on the labelled captions of `tests/golden/negatives` it calls 9 % of the phrases' head nouns something else (and 9 %
//! of the modifiers, 4 % of the relations' words), which no rule after it can mend.

mod verbs;

use super::lexicon::{Lexicon, Pos};
use super::tokens::{Tag, Token, pieces};
use super::vocabulary as words;
use super::words::{Reading, Readings};

/// Longest caption that is read, in bytes; what follows is cut off at a character. CLIP's 77 tokens have about 400.
pub const LONGEST_CAPTION: usize = 1024;

/// Words and marks of a caption with their tags.
pub(super) fn tag(lexicon: &Lexicon, readings: &Readings, caption: &str) -> Vec<Token> {
    let end = caption.floor_char_boundary(LONGEST_CAPTION);
    let caption = caption.get(..end).unwrap_or("");
    let spans = pieces(caption);
    let lowered: Vec<String> = spans.iter().map(|span| caption[span.clone()].to_lowercase()).collect();
    let read: Vec<Reading> = lowered.iter().map(|word| readings.of(lexicon, word)).collect();
    let titled = is_titled(caption, &spans);
    let mut tokens: Vec<Token> = Vec::with_capacity(spans.len());
    for (i, span) in spans.iter().enumerate() {
        let capital = i > 0 && !titled && caption[span.clone()].starts_with(char::is_uppercase);
        let context = Context { before: &tokens, lowered: &lowered, read: &read, at: i, capital };
        let tag = context.tag();
        let auxiliary = words::is_form_of_be(&lowered[i]) && tag.is_verb();
        tokens.push(Token { span: span.clone(), lower: lowered[i].clone(), tag, auxiliary });
    }
    mark_auxiliaries(&mut tokens);
    mark_phrasal_prepositions(&mut tokens);
    tokens
}

/// The nouns of "in front of" and its like are no things.
fn mark_phrasal_prepositions(tokens: &mut [Token]) {
    for phrase in words::PHRASAL_PREPOSITIONS {
        let is_phrase = |at: usize, tokens: &[Token]| {
            tokens.get(at..at + phrase.len()).is_some_and(|t| t.iter().zip(*phrase).all(|(t, word)| t.lower == *word))
        };
        for at in 0..tokens.len() {
            if is_phrase(at, tokens) {
                tokens[at..at + phrase.len()].iter_mut().for_each(|t| t.tag = Tag::In);
            }
        }
    }
}

/// Most longer words begin with a capital, as in the title of a shop's page: capitals tell nothing then.
fn is_titled(caption: &str, spans: &[std::ops::Range<usize>]) -> bool {
    let words =
        spans.iter().map(|span| &caption[span.clone()]).filter(|w| w.len() > 3 && w.starts_with(char::is_alphabetic));
    let (capitals, all) =
        words.skip(1).fold((0, 0), |(c, n), w| (c + usize::from(w.starts_with(char::is_uppercase)), n + 1));
    2 * capitals > all
}

/// A form of have or do before another verb helps it.
fn mark_auxiliaries(tokens: &mut [Token]) {
    for i in 0..tokens.len() {
        let helps = ["has", "have", "had", "do", "does", "did"].contains(&tokens[i].lower.as_str());
        let next = tokens.iter().skip(i + 1).find(|t| t.tag != Tag::Rb);
        if helps && next.is_some_and(|t| matches!(t.tag, Tag::Vbn | Tag::Vb)) {
            tokens[i].auxiliary = true;
        }
    }
}

/// A word between those already tagged and those that still have all their readings.
struct Context<'a> {
    before: &'a [Token],
    lowered: &'a [String],
    read: &'a [Reading],
    at: usize,
    capital: bool,
}

impl Context<'_> {
    fn tag(&self) -> Tag {
        let word = self.word();
        if !word.starts_with(char::is_alphanumeric) && !["'s", "’s", "&"].contains(&word) {
            return Tag::Punct;
        }
        if let Some(tag) = self.closed(word) {
            return tag;
        }
        if word == "hot" && ["dog", "dogs"].contains(&self.word_at(1)) {
            return Tag::Nn;
        }
        let read = self.read[self.at];
        if word.starts_with(|c: char| c.is_ascii_digit()) && read.adjective == 0 {
            return if word.contains('-') && self.noun_follows() { Tag::Jj } else { Tag::Cd };
        }
        if self.capital && (!read.known() || read.proper && !read.common) {
            return Tag::Nnp;
        }
        if !read.known() {
            return self.unknown(word);
        }
        self.open(word, read)
    }

    fn word(&self) -> &str {
        &self.lowered[self.at]
    }

    fn word_at(&self, ahead: usize) -> &str {
        self.lowered.get(self.at + ahead).map_or("", String::as_str)
    }

    fn previous(&self) -> Option<Tag> {
        self.before.last().map(|t| t.tag)
    }

    fn before_word(&self) -> &str {
        self.before.last().map_or("", |t| t.lower.as_str())
    }

    /// What stands inside a noun phrase to the left of its noun.
    fn inside_phrase(&self) -> bool {
        let determines = |t: Tag| t.is_adjective() || matches!(t, Tag::Dt | Tag::PrpS | Tag::Cd | Tag::Pos);
        self.previous().is_some_and(determines)
    }

    fn closed(&self, word: &str) -> Option<Tag> {
        let phrase_next = self.phrase_starts(1);
        let after_noun = self.previous().is_some_and(Tag::is_noun);
        match word {
            "that" if after_noun => Some(Tag::Wdt),
            "that" => Some(Tag::Dt),
            "'s" | "’s" if !after_noun || !self.noun_or_adjective_ahead(1) => Some(Tag::Vbz),
            "'s" | "’s" => Some(Tag::Pos),
            "can" if self.inside_phrase() => Some(Tag::Nn),
            "like" if matches!(self.previous(), Some(Tag::Prp | Tag::Md | Tag::To)) => Some(Tag::Vb),
            "no" if self.word_at(1).is_empty() => Some(Tag::Uh),
            "past" | "inside" | "outside" if self.inside_phrase() && !phrase_next => Some(Tag::Nn),
            "inside" | "outside" | "nearby" | "opposite" | "near" => Some(self.place(word, phrase_next)),
            "her" if !self.noun_or_adjective_ahead(1) => Some(Tag::Prp),
            "in" | "on" | "up" | "down" | "off" | "out" | "over" | "around" | "by" | "through" | "along" | "past"
            | "across" | "about"
                if !phrase_next && words::is_particle(word) =>
            {
                let particle = self.before.last().is_some_and(|t| t.tag.is_verb() && !t.auxiliary);
                Some(if particle {
                    Tag::Rp
                } else if words::is_preposition(self.word_at(1)) {
                    Tag::Rb
                } else {
                    Tag::In
                })
            }
            "all" | "both" | "half" | "each" if !phrase_next && !self.noun_or_adjective_ahead(1) => Some(Tag::Rb),
            _ => words::closed(word),
        }
    }

    fn place(&self, word: &str, phrase_next: bool) -> Tag {
        let preposition = phrase_next && words::preposition_before_noun(word) && word != "nearby" || word == "near";
        let describes = word == "nearby" && self.inside_phrase();
        match (describes, preposition) {
            (true, _) => Tag::Jj,
            (_, true) => Tag::In,
            _ => Tag::Rb,
        }
    }

    /// Whether a noun phrase may begin `ahead` words from here.
    fn phrase_starts(&self, ahead: usize) -> bool {
        let word = self.word_at(ahead);
        match words::closed(word) {
            Some(Tag::Dt | Tag::PrpS | Tag::Prp | Tag::Cd | Tag::Jj) => true,
            Some(_) => ["that", "what"].contains(&word),
            None => self
                .read
                .get(self.at + ahead)
                .is_some_and(|r| word.starts_with(char::is_alphanumeric) && !r.only_adverb()),
        }
    }

    fn noun_or_adjective_ahead(&self, ahead: usize) -> bool {
        let word = self.word_at(ahead);
        let open = word.starts_with(char::is_alphanumeric)
            && words::closed(word).is_none_or(|t| matches!(t, Tag::Cd | Tag::Jj));
        open && self.read.get(self.at + ahead).is_some_and(|r| r.noun > 0 || r.adjective > 0 || !r.known())
    }

    /// The next word is most likely a noun.
    fn noun_follows(&self) -> bool {
        let word = self.word_at(1);
        if !word.starts_with(char::is_alphanumeric) || words::closed(word).is_some() {
            return false;
        }
        self.read.get(self.at + 1).is_some_and(|r| {
            let ing = word.ends_with("ing") && !words::is_ing_noun(word) && r.verb > 0;
            let verb = r.verb > r.noun && !words::is_noun_first(word);
            let mostly_verb = verb && (!r.plural || r.third_person && r.verb > 2 * r.noun);
            !r.known() || r.noun > 0 && !ing && !mostly_verb
        })
    }

    /// A noun or another word that describes one comes next: still to the left of the head.
    fn phrase_goes_on(&self) -> bool {
        let read = self.read.get(self.at + 1).copied().unwrap_or_default();
        let word = self.word_at(1);
        let describes = (read.adjective > 0 && read.adjective >= read.verb || words::is_colour(word))
            && words::closed(word).is_none();
        self.noun_follows() || describes && !word.is_empty()
    }

    fn unknown(&self, word: &str) -> Tag {
        if word.contains('-') && self.phrase_goes_on() {
            return Tag::Jj;
        }
        if self.capital {
            return Tag::Nnp;
        }
        let ends = |ends: &[&str]| ends.iter().any(|end| word.ends_with(end));
        if word.ends_with("ly") {
            return Tag::Rb;
        }
        if word.contains('-') && ends(&["ed", "ing", "style", "sized", "shaped", "free"]) {
            return Tag::Jj;
        }
        if ends(&["ing"]) {
            return Tag::Vbg;
        }
        if ends(&["ed"]) {
            return Tag::Vbn;
        }
        if ends(&["ful", "ous", "ish", "less"]) && self.phrase_goes_on() {
            return Tag::Jj;
        }
        if word.ends_with('s') && !ends(&["ss", "us"]) { Tag::Nns } else { Tag::Nn }
    }

    fn open(&self, word: &str, read: Reading) -> Tag {
        if words::is_colour(word) {
            let noun = !self.phrase_goes_on()
                && !self.noun_or_adjective_ahead(1)
                && !self.coordinated_colour()
                && !self.after_be();
            return if noun { Tag::Nn } else { Tag::Jj };
        }
        if read.only_adverb() {
            return Tag::Rb;
        }
        if let Some(tag) = self.verb_form(word, read) {
            return tag;
        }
        let noun = if read.plural { Tag::Nns } else { Tag::Nn };
        if read.noun == 0 && read.adjective == 0 && read.verb == 0 {
            return Tag::Rb;
        }
        if let Some(tag) = self.plain_verb(word, read) {
            return tag;
        }
        if self.is_adjective(word, read) {
            return read.degree();
        }
        if read.noun == 0 && read.adverb > 0 {
            return Tag::Rb;
        }
        if read.noun == 0 && read.adjective > 0 { read.degree() } else { noun }
    }

    /// "red and white" before a noun.
    fn coordinated_colour(&self) -> bool {
        let joined = ["and", ",", "&", "or"].contains(&self.word_at(1));
        joined
            && (words::is_colour(self.word_at(2)) || self.read.get(self.at + 2).is_some_and(|r| r.adjective > r.noun))
    }

    fn after_be(&self) -> bool {
        self.before.iter().rev().find(|t| t.tag != Tag::Rb).is_some_and(|t| t.auxiliary)
    }

    fn is_adjective(&self, word: &str, read: Reading) -> bool {
        if read.adjective == 0 || words::is_noun_before_noun(word) {
            return false;
        }
        if self.phrase_goes_on() {
            return read.noun == 0 || !read.plural && !words::is_noun_first(word) && 2 * read.adjective >= read.noun;
        }
        let predicate = self.after_be() || self.coordinated_colour();
        let listed = self.word_at(1) == "," && self.inside_phrase() && read.noun == 0;
        read.noun == 0 || predicate && read.adjective >= read.noun || listed
    }
}

/// The class of WordNet in which a word with this tag is looked up.
pub(super) fn wordnet_class(tag: Tag) -> Option<Pos> {
    match tag {
        Tag::Nn | Tag::Nns | Tag::Nnp => Some(Pos::Noun),
        Tag::Vb | Tag::Vbd | Tag::Vbg | Tag::Vbn | Tag::Vbp | Tag::Vbz => Some(Pos::Verb),
        Tag::Jj | Tag::Jjr | Tag::Jjs => Some(Pos::Adjective),
        Tag::Rb => Some(Pos::Adverb),
        _ => None,
    }
}
