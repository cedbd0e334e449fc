//! Styles that keep the caption's words and change their order.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;

use super::chance::{below, shuffle};
use super::edit::{Edit, Kind};
use super::scene::Scene;
use super::tokens::{Tag, Token};

/// Most tokens of a verb phrase, and most entities that change places: a caption of junk must not take long.
const LONGEST_VERB_PHRASE: usize = 12;
const MOST_ENTITIES: usize = 24;

/// Style `negclip`: per class of phrase up to two of its phrases, drawn, change places.
pub(super) fn negclip(caption: &str, scene: &Scene, rng: &mut ChaCha8Rng) -> Vec<Edit> {
    let tokens = &scene.tokens;
    let of = |wanted: fn(Tag) -> bool| -> Vec<Range<usize>> {
        tokens.iter().filter(|t| wanted(t.tag)).map(|t| t.span.clone()).collect()
    };
    let long = scene.entities.iter().filter(|e| e.tokens.len() > 2).filter_map(|e| span(tokens, &e.tokens));
    let classes = [
        (Kind::NounPhrases, long.collect()),
        (Kind::VerbPhrases, verb_phrases(tokens)),
        (Kind::Nouns, of(|t| t == Tag::Nn)),
        (Kind::PluralNouns, of(|t| t == Tag::Nns)),
        (Kind::Adverbs, of(|t| t == Tag::Rb)),
        (Kind::Adjectives, of(Tag::is_adjective)),
    ];
    let mut pool = Vec::new();
    for (kind, phrases) in classes {
        let Some(last) = (phrases.len() as u64).checked_sub(1).filter(|last| *last > 0) else { continue };
        let a = below(rng, last + 1) as usize;
        let b = below(rng, last) as usize;
        let b = if b < a { b } else { b + 1 };
        pool.extend(pair(caption, kind, &phrases[a.min(b)], &phrases[a.max(b)]));
    }
    pool
}

/// Style `swap`: every two entities, and every two modifiers of different entities, of the first 24.
pub(super) fn swap(caption: &str, scene: &Scene) -> Vec<Edit> {
    let mut pool = Vec::new();
    let entities = scene.entities.get(..MOST_ENTITIES).unwrap_or(&scene.entities);
    for (i, a) in entities.iter().enumerate() {
        for b in &entities[i + 1..] {
            let spans = span(&scene.tokens, &a.tokens).zip(span(&scene.tokens, &b.tokens));
            // "bread and butter" says what "butter and bread" says.
            if !is_joined(&scene.tokens, scene, a.tokens.end..b.tokens.start) {
                pool.extend(spans.and_then(|(a, b)| pair(caption, Kind::SwapEntities, &a, &b)));
            }
            let describing = |at: &&usize| !matches!(scene.tokens[**at].tag, Tag::Dt | Tag::Cd);
            for (x, y) in a
                .modifiers
                .iter()
                .filter(describing)
                .flat_map(|x| b.modifiers.iter().filter(describing).map(move |y| (x, y)))
            {
                pool.extend(pair(caption, Kind::SwapModifiers, &scene.tokens[*x].span, &scene.tokens[*y].span));
            }
        }
    }
    pool
}

/// Whether nothing but "and", commas and other phrases stand between two phrases.
fn is_joined(tokens: &[Token], scene: &Scene, gap: Range<usize>) -> bool {
    let in_phrase = |at: usize| scene.entities.iter().any(|e| e.tokens.contains(&at));
    let joint = |at: usize| tokens.get(at).is_some_and(|t| t.tag == Tag::Cc || t.lower == ",");
    gap.clone().all(|at| in_phrase(at) || joint(at)) && gap.into_iter().any(joint)
}

/// Style `relation`: what stands before a relation and what stands after it change places.
pub(super) fn relation(caption: &str, scene: &Scene) -> Vec<Edit> {
    let phrase = |entity: usize| span(&scene.tokens, &scene.entities.get(entity)?.tokens);
    let ends = scene.relations.iter().filter_map(|r| phrase(*r.subjects.first()?).zip(phrase(*r.objects.first()?)));
    ends.filter_map(|(a, b)| {
        let (first, second) = if a.start < b.start { (a, b) } else { (b, a) };
        pair(caption, Kind::SwapEnds, &first, &second)
    })
    .collect()
}

/// Style `shuffle`: ARO's four ways to shuffle the words. Punctuation and spaces stay where they are.
pub(super) fn shuffles(caption: &str, scene: &Scene, rng: &mut ChaCha8Rng) -> Vec<Edit> {
    let words: Vec<&Token> = scene.tokens.iter().filter(|t| t.tag != Tag::Punct).collect();
    let places = |wanted: &dyn Fn(Tag) -> bool| (0..words.len()).filter(|i| wanted(words[*i].tag)).collect::<Vec<_>>();
    let (nouns, adjectives) = (places(&Tag::is_noun), places(&Tag::is_adjective));
    let others = places(&|t| !t.is_noun() && !t.is_adjective());
    let all: Vec<usize> = (0..words.len()).collect();
    let mut trigrams: Vec<&[usize]> = all.chunks(3).collect();
    let mut orders = Vec::new();
    let mut order = all.clone();
    permute(&mut order, &nouns, rng);
    permute(&mut order, &adjectives, rng);
    orders.push((Kind::ShuffleNounsAdjectives, order));
    let mut order = all.clone();
    permute(&mut order, &others, rng);
    orders.push((Kind::ShuffleOthers, order));
    let mut order = all.clone();
    for places in &trigrams {
        permute(&mut order, places, rng);
    }
    orders.push((Kind::ShuffleWithinTrigrams, order));
    shuffle(rng, &mut trigrams);
    orders.push((Kind::ShuffleTrigrams, trigrams.concat()));
    let spans: Vec<&Range<usize>> = words.iter().map(|t| &t.span).collect();
    orders
        .into_iter()
        .map(|(kind, order)| Edit::Rewrite { kind, caption: reordered(caption, &spans, &order) })
        .collect()
}

fn permute(order: &mut [usize], places: &[usize], rng: &mut ChaCha8Rng) {
    let mut moved: Vec<usize> = places.iter().map(|place| order[*place]).collect();
    shuffle(rng, &mut moved);
    for (place, word) in places.iter().zip(moved) {
        order[*place] = word;
    }
}

fn reordered(caption: &str, spans: &[&Range<usize>], order: &[usize]) -> String {
    let mut text = String::with_capacity(caption.len());
    let mut at = 0;
    for (place, word) in spans.iter().zip(order) {
        text.push_str(&caption[at..place.start]);
        text.push_str(&caption[spans[*word].clone()]);
        at = place.end;
    }
    text.push_str(&caption[at..]);
    text
}

/// `VERB? ADV* AUX* VERB+`, from left to right, each as long as it can be.
fn verb_phrases(tokens: &[Token]) -> Vec<Range<usize>> {
    let mut phrases = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let longest = tokens.len().min(at + LONGEST_VERB_PHRASE);
        match (at + 1..=longest).rev().find(|end| is_verb_phrase(&tokens[at..*end])) {
            Some(end) => {
                phrases.extend(span(tokens, &(at..end)));
                at = end;
            }
            None => at += 1,
        }
    }
    phrases
}

fn is_verb_phrase(tokens: &[Token]) -> bool {
    let main = |t: &Token| t.tag.is_verb() && !t.auxiliary;
    let helps = |t: &Token| t.auxiliary || t.tag == Tag::Md;
    let after = |tokens: &[Token]| {
        let rest = tokens.iter().skip_while(|t| t.tag == Tag::Rb).skip_while(|t| helps(t));
        let verbs: Vec<&Token> = rest.collect();
        !verbs.is_empty() && verbs.into_iter().all(main)
    };
    after(tokens) || tokens.split_first().is_some_and(|(first, rest)| main(first) && after(rest))
}

fn span(tokens: &[Token], range: &Range<usize>) -> Option<Range<usize>> {
    let words = tokens.get(range.clone())?;
    Some(words.first()?.span.start..words.last()?.span.end)
}

fn pair(caption: &str, kind: Kind, first: &Range<usize>, second: &Range<usize>) -> Option<Edit> {
    let differ = !caption.get(first.clone())?.eq_ignore_ascii_case(caption.get(second.clone())?);
    (first.end <= second.start && differ).then(|| Edit::Exchange { kind, first: first.clone(), second: second.clone() })
}
