//! Style `replace`: one entity, modifier or relation gives way to a word that could have stood there.

use std::ops::Range;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use super::Generator;
use super::edit::{Edit, Kind};
use super::scene::Scene;
use super::substitutes::Substitutes;
use super::tagger::wordnet_class;
use super::tokens::Tag;

/// Most times that "and" repeats a relation.
const MOST_REPEATS: usize = 16;

/// A place in the caption with all that may stand there.
pub(super) struct Element {
    kind: Kind,
    span: Range<usize>,
    tag: Tag,
    substitutes: Arc<Substitutes>,
}

impl Element {
    pub fn edit(&self, row: usize) -> Option<Edit> {
        let substitute = self.substitutes.rows().get(row)?;
        let weight = self.substitutes.weight(row);
        Some(Edit::Replace {
            kind: self.kind,
            span: self.span.clone(),
            tag: self.tag,
            word: substitute.word(),
            found: substitute.found,
            weight,
            share: f64::from(weight) / f64::from(self.substitutes.total()),
        })
    }

    /// The `most` heaviest substitutes; equal weights in the order in which they were found.
    pub fn heaviest(&self, most: usize) -> Vec<Edit> {
        let mut rows: Vec<usize> = (0..self.substitutes.rows().len()).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(self.substitutes.weight(*row)));
        rows.into_iter().take(most).filter_map(|row| self.edit(row)).collect()
    }
}

/// All entities, then all modifiers, then all relations; none in a caption that the filter turns away. A relation that
/// "and" repeats is there as often as it is meant.
pub(super) fn elements(generator: &Generator, scene: &Scene, repeat: bool) -> Vec<Element> {
    if !scene.is_rich() {
        return Vec::new();
    }
    let token = |kind: Kind, at: usize| {
        let token = scene.tokens.get(at)?;
        let pos = if token.auxiliary { None } else { wordnet_class(token.tag) }?;
        let substitutes = generator.substitutes(&token.lower, Some(pos));
        Some(Element { kind, span: token.span.clone(), tag: token.tag, substitutes })
    };
    let entities = scene.entities.iter().filter_map(|e| token(Kind::ReplaceEntity, e.head));
    let modifiers = scene.entities.iter().flat_map(|e| &e.modifiers).filter_map(|m| token(Kind::ReplaceModifier, *m));
    let relations = scene.relations.iter().flat_map(|relation| {
        let times = if repeat { (relation.subjects.len() * relation.objects.len()).min(MOST_REPEATS) } else { 1 };
        let element = || {
            if relation.is_verb(&scene.tokens) {
                return token(Kind::ReplaceRelation, relation.tokens.start);
            }
            let words = scene.tokens.get(relation.tokens.clone())?;
            let span = words.first()?.span.start..words.last()?.span.end;
            let text: Vec<&str> = words.iter().map(|t| t.lower.as_str()).collect();
            let substitutes = generator.substitutes(&text.join(" "), None);
            Some(Element { kind: Kind::ReplaceRelation, span, tag: Tag::In, substitutes })
        };
        (0..times).filter_map(move |_| element())
    });
    entities.chain(modifiers).chain(relations).filter(|e| e.substitutes.total() > 0).collect()
}

/// Up to two substitutes per element, drawn by weight.
pub(super) fn pool(generator: &Generator, scene: &Scene, rng: &mut ChaCha8Rng) -> Vec<Edit> {
    let mut pool = Vec::new();
    for element in elements(generator, scene, true) {
        let rows = element.substitutes.draw(rng);
        pool.extend(rows.into_iter().flatten().filter_map(|row| element.edit(row)));
    }
    pool
}
