//! What stands between noun phrases: prepositions and verbs, with the entities that they relate.
//!
//! The paper reads relations off a dependency parse. Here the words between two neighbouring noun phrases decide, and a
//! clause keeps its subject until another takes over. Where the two differ is written in [`super::scene`].

use std::ops::Range;

use super::phrases::Entity;
use super::tokens::{Tag, Token};
use super::vocabulary as words;

/// "man riding wave", "dog on couch".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Entities that stand before it in meaning; several when joined by "and".
    pub subjects: Vec<usize>,
    /// Its words as tokens: a verb, a preposition of one or more words, or a verb with its particle.
    pub tokens: Range<usize>,
    /// Entities that stand after it in meaning.
    pub objects: Vec<usize>,
}

impl Relation {
    /// A verb, or a verb with its particle.
    pub fn is_verb(&self, tokens: &[Token]) -> bool {
        tokens.get(self.tokens.start).is_some_and(|t| t.tag.is_verb())
    }
}

/// How the entity before was reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Start,
    Of,
    Preposition,
    Object,
}

struct Walk<'a> {
    tokens: &'a [Token],
    entities: &'a [Entity],
    is_phrasal: &'a dyn Fn(&Token, &Token) -> bool,
    /// Of the clause.
    subjects: Vec<usize>,
    has_verb: bool,
    has_finite: bool,
    /// The entity before and those joined to it.
    group: Vec<usize>,
    link: Link,
    found: Vec<Relation>,
}

/// All relations, in the order of their words. `is_phrasal` says whether a verb and a preposition are one verb.
pub(super) fn relations(
    tokens: &[Token],
    entities: &[Entity],
    is_phrasal: &dyn Fn(&Token, &Token) -> bool,
) -> Vec<Relation> {
    let mut walk = Walk {
        tokens,
        entities,
        is_phrasal,
        subjects: Vec::new(),
        has_verb: false,
        has_finite: false,
        group: Vec::new(),
        link: Link::Start,
        found: Vec::new(),
    };
    for entity in 0..entities.len() {
        walk.enter(entity);
    }
    walk.found
}

impl Walk<'_> {
    fn enter(&mut self, entity: usize) {
        let end = self.entities[entity].tokens.start;
        let start = entity.checked_sub(1).map_or(0, |before| self.entities[before].tokens.end);
        let gap = start..end;
        let ended = self.tokens[gap.clone()]
            .iter()
            .any(|t| t.tag == Tag::Punct && [".", ";", "!", "?", ":", "|"].contains(&t.lower.as_str()));
        if entity == 0 || ended {
            return self.begin_clause(entity);
        }
        if self.joins(&gap) && !self.group.is_empty() {
            if self.finite_follows(entity) && self.has_finite {
                return self.begin_clause(entity);
            }
            return self.join(entity);
        }
        let preposition = self.preposition(&gap);
        if self.opens_clause(&gap, preposition.as_ref()) && self.finite_follows(entity) {
            return self.begin_clause(entity);
        }
        let verb_end = preposition.as_ref().map_or(gap.end, |p| p.start);
        let verb = (gap.start..verb_end).rev().find(|i| self.tokens[*i].tag.is_verb());
        if verb.is_some() {
            self.choose_subject(&gap);
        }
        match (preposition, verb) {
            (Some(preposition), Some(verb)) => self.verb_and_preposition(entity, verb, preposition),
            (Some(preposition), None) => self.preposition_alone(entity, preposition),
            (None, Some(verb)) => {
                self.relate(self.subjects.clone(), verb..verb + 1, entity);
                self.link = Link::Object;
            }
            // Side by side without a word between them: nothing is said about how they relate.
            (None, None) if self.link == Link::Start => return self.begin_clause(entity),
            (None, None) => {}
        }
        self.group = vec![entity];
    }

    fn begin_clause(&mut self, entity: usize) {
        self.subjects = vec![entity];
        self.group = vec![entity];
        (self.has_verb, self.has_finite, self.link) = (false, false, Link::Start);
    }

    /// Only "and", "or" and commas stand in the gap.
    fn joins(&self, gap: &Range<usize>) -> bool {
        let joint = |t: &Token| t.tag == Tag::Cc || t.lower == "," || t.tag == Tag::Rb;
        let gap = &self.tokens[gap.clone()];
        gap.iter().all(joint) && gap.iter().any(|t| t.tag == Tag::Cc || t.lower == ",")
    }

    fn join(&mut self, entity: usize) {
        if let Some(last) = self.found.last_mut()
            && last.objects.iter().any(|o| self.group.contains(o))
        {
            last.objects.push(entity);
        }
        if self.group == self.subjects && !self.has_verb {
            self.subjects.push(entity);
        }
        self.group.push(entity);
    }

    fn finite_follows(&self, entity: usize) -> bool {
        let end = self.entities.get(entity + 1).map_or(self.tokens.len(), |next| next.tokens.start);
        let mut after = self.tokens[self.entities[entity].tokens.end..end].iter().filter(|t| t.tag != Tag::Rb);
        after.next().is_some_and(|t| t.tag.is_finite() || t.tag == Tag::Md)
    }

    fn opens_clause(&self, gap: &Range<usize>, preposition: Option<&Range<usize>>) -> bool {
        let opens = |t: &Token| words::opens_clause(&t.lower) || matches!(t.tag, Tag::Wrb | Tag::Cc);
        let no_verb = !self.tokens[gap.clone()].iter().any(|t| t.tag.is_verb());
        let plain = preposition.is_none_or(|p| self.tokens[p.clone()].iter().any(opens));
        plain && (no_verb || preposition.is_some()) && self.tokens[gap.clone()].iter().any(opens)
    }

    /// The preposition that ends the gap.
    fn preposition(&self, gap: &Range<usize>) -> Option<Range<usize>> {
        let before = &self.tokens[gap.clone()];
        for phrase in words::PHRASAL_PREPOSITIONS {
            let tail = before.len().checked_sub(phrase.len()).and_then(|at| before.get(at..));
            if tail.is_some_and(|tail| tail.iter().zip(*phrase).all(|(t, word)| t.lower == *word)) {
                return Some(gap.end - phrase.len()..gap.end);
            }
        }
        let last = before.last()?;
        matches!(last.tag, Tag::In | Tag::To).then(|| gap.end - 1..gap.end)
    }

    /// Who does what the verbs of the gap say.
    fn choose_subject(&mut self, gap: &Range<usize>) {
        let tokens = &self.tokens[gap.clone()];
        let Some(first) = tokens.iter().position(|t| t.tag.is_verb()) else { return };
        let before = &tokens[..first];
        let shared = before
            .iter()
            .any(|t| t.tag == Tag::Cc || words::opens_clause(&t.lower) || t.lower == "," || t.tag == Tag::To);
        let relative = before.iter().any(|t| matches!(t.tag, Tag::Wdt | Tag::Wp));
        let finite = tokens[first].tag.is_finite();
        let takes_over = match self.link {
            Link::Start => true,
            // Somebody else's act: "a picture of a man riding", but not "a man on a bench reading".
            Link::Of => !finite && self.depicts(),
            Link::Preposition => relative || !finite && self.depicts(),
            Link::Object => relative || finite && self.has_finite,
        };
        if (takes_over || relative) && !shared {
            self.subjects.clone_from(&self.group);
        }
        self.has_verb = true;
        self.has_finite |= finite;
    }

    /// The clause is about a picture of what acts: "a photo of a man riding".
    fn depicts(&self) -> bool {
        let heads = self.subjects.iter().filter_map(|s| self.tokens.get(self.entities.get(*s)?.head));
        heads.into_iter().any(|t| words::is_depiction(&t.lower))
    }

    fn verb_and_preposition(&mut self, entity: usize, verb: usize, preposition: Range<usize>) {
        let token = &self.tokens[verb];
        let by = self.tokens[preposition.start].lower == "by";
        if by && token.tag == Tag::Vbn && !words::is_placed(&token.lower) && verb + 1 == preposition.start {
            let passive = verb.checked_sub(1).is_some_and(|i| self.tokens[i].auxiliary);
            if passive {
                self.found.push(Relation {
                    subjects: vec![entity],
                    tokens: verb..verb + 1,
                    objects: self.subjects.clone(),
                });
            }
        } else {
            let joined = verb + 1 == preposition.start && preposition.len() == 1 && !token.auxiliary;
            let phrasal = joined && (self.is_phrasal)(token, &self.tokens[preposition.start]);
            let words = if phrasal { verb..preposition.end } else { preposition };
            self.relate(self.subjects.clone(), words, entity);
        }
        self.link = Link::Preposition;
    }

    fn preposition_alone(&mut self, entity: usize, preposition: Range<usize>) {
        let of = self.tokens[preposition.start].lower == "of";
        let pictured = self.link == Link::Of && !self.has_verb && self.depicts();
        let subjects = if of || pictured { self.group.clone() } else { self.subjects.clone() };
        self.relate(subjects, preposition, entity);
        self.link = if of { Link::Of } else { Link::Preposition };
    }

    fn relate(&mut self, subjects: Vec<usize>, tokens: Range<usize>, object: usize) {
        if !subjects.is_empty() {
            self.found.push(Relation { subjects, tokens, objects: vec![object] });
        }
    }
}
