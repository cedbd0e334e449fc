//! Tags to noun phrases.

use std::ops::Range;

use super::tokens::{Tag, Token};

/// A noun phrase without what follows its noun; the paper's entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its tokens, from the article to the noun.
    pub tokens: Range<usize>,
    /// The noun (of a compound, its last) or the pronoun.
    pub head: usize,
    /// Articles, numbers, adjectives and participles before the noun; no nouns and no possessives.
    pub modifiers: Vec<usize>,
}

impl Entity {
    /// He, it, them: an entity that counts but has no substitutes.
    pub fn is_pronoun(&self, tokens: &[Token]) -> bool {
        tokens.get(self.head).is_some_and(|t| t.tag == Tag::Prp)
    }
}

/// All noun phrases, from left to right.
pub(super) fn entities(tokens: &[Token]) -> Vec<Entity> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match phrase(tokens, at) {
            Some(entity) => {
                at = entity.tokens.end;
                found.push(entity);
            }
            None => at += 1,
        }
    }
    found
}

fn tag(tokens: &[Token], at: usize) -> Option<Tag> {
    tokens.get(at).map(|t| t.tag)
}

fn phrase(tokens: &[Token], start: usize) -> Option<Entity> {
    if tag(tokens, start) == Some(Tag::Prp) {
        return Some(Entity { tokens: start..start + 1, head: start, modifiers: Vec::new() });
    }
    let (mut head, mut modifiers, mut at) = (None, Vec::new(), start);
    while let Some(token) = tokens.get(at) {
        match token.tag {
            Tag::Nn | Tag::Nns | Tag::Nnp => head = Some(at),
            Tag::Dt | Tag::Cd if head.is_none() => modifiers.push(at),
            Tag::PrpS if at == start => {}
            Tag::Jj | Tag::Jjr | Tag::Jjs if head.is_none() || leads_to_noun(tokens, at) => modifiers.push(at),
            Tag::Vbn | Tag::Vbg if head.is_none() && describes(tokens, start, at) => modifiers.push(at),
            Tag::Rb if head.is_none() && describes_next(tokens, at) => {}
            Tag::Cc | Tag::Punct if head.is_none() && joins_modifiers(tokens, at) => {}
            Tag::Pos if head.is_some() && leads_to_noun(tokens, at) => {
                // The owner and what describes it are no modifiers of what is owned.
                modifiers.clear();
                head = None;
            }
            _ => break,
        }
        at += 1;
    }
    let head = head?;
    modifiers.retain(|m| *m < head);
    Some(Entity { tokens: start..head + 1, head, modifiers })
}

/// Only adjectives, numbers and participles stand between here and a noun.
fn leads_to_noun(tokens: &[Token], at: usize) -> bool {
    let rest = tokens.iter().skip(at + 1);
    let mut after = rest.skip_while(|t| t.tag.is_adjective() || matches!(t.tag, Tag::Cd | Tag::Vbn | Tag::Vbg));
    after.next().is_some_and(|t| t.tag.is_noun())
}

/// A participle that belongs to the noun after it, not to one before it.
fn describes(tokens: &[Token], start: usize, at: usize) -> bool {
    if !leads_to_noun(tokens, at) {
        return false;
    }
    if at > start {
        return true;
    }
    let before = at.checked_sub(1).and_then(|i| tokens.get(i));
    let verb_before = tokens.iter().take(at).any(|t| t.tag.is_verb());
    let participle = tag(tokens, at) == Some(Tag::Vbn);
    match before.map(|t| t.tag) {
        None | Some(Tag::In | Tag::To) => {
            before.is_none_or(|t| participle || !super::vocabulary::opens_clause(&t.lower))
        }
        Some(Tag::Cc | Tag::Punct) => participle || !verb_before,
        Some(t) => participle && t.is_verb() && before.is_some_and(|t| !t.auxiliary),
    }
}

/// "very large", "brightly painted": an adverb inside a phrase.
fn describes_next(tokens: &[Token], at: usize) -> bool {
    let next = tag(tokens, at + 1);
    next.is_some_and(|t| t.is_adjective() || matches!(t, Tag::Vbn | Tag::Cd)) && leads_to_noun(tokens, at + 1)
}

/// "red and white", "big, red".
fn joins_modifiers(tokens: &[Token], at: usize) -> bool {
    let joins = tokens.get(at).is_some_and(|t| t.tag == Tag::Cc || t.lower == ",");
    let after_comma = tag(tokens, at + 1) == Some(Tag::Cc);
    let next = at + 1 + usize::from(after_comma);
    let modifier = |i: usize| tag(tokens, i).is_some_and(|t| t.is_adjective() || matches!(t, Tag::Vbn | Tag::Cd));
    let before = at.checked_sub(1).is_some_and(|i| modifier(i) || tokens.get(i).is_some_and(|t| t.lower == ","));
    joins && before && modifier(next) && leads_to_noun(tokens, next - 1)
}
