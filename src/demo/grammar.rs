//! Sentences as structure, so that hard negatives are made by changing facts, and articles stay right.

use std::fmt;

use super::draw::Draw;
use super::layout::{Kind, Plan};
use super::scene::{Colour, Relation, Shape, Texture, reserved_arrangement, reserved_colour};

/// One object as a caption names it: “a red striped star”.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) colour: Option<Colour>,
    pub(super) texture: Option<Texture>,
    pub(super) shape: Shape,
}

impl Phrase {
    pub(super) fn bare(shape: Shape) -> Self {
        Self { colour: None, texture: None, shape }
    }

    /// The words without an article.
    pub(super) fn words(self) -> String {
        let adjectives = [self.colour.map(Colour::word), self.texture.map(Texture::word)];
        let words: Vec<&str> = adjectives.into_iter().flatten().chain([self.shape.word()]).collect();
        words.join(" ")
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words();
        let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        write!(f, "{article} {words}")
    }
}

/// Which attributes a sentence about two objects says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Colours,
    Textures,
    Both,
}

impl Said {
    /// Colours in 70 % of sentences, textures and both in 15 % each. Textures alone are said only where they differ.
    pub(super) fn any(draw: &mut Draw, plan: Plan) -> Self {
        let differ = plan.kinds[0].texture != plan.kinds[1].texture;
        match draw.below(100) {
            0..15 if differ => Self::Textures,
            85..100 => Self::Both,
            _ => Self::Colours,
        }
    }
}

/// Two phrases joined by a relation, or by “and”.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) phrases: [Phrase; 2],
    pub(super) relation: Option<Relation>,
}

impl Sentence {
    /// A true sentence about the planned scene, with its relation.
    pub(super) fn about(plan: Plan, said: Said) -> Self {
        let phrase = |kind: Kind| Phrase {
            colour: matches!(said, Said::Colours | Said::Both).then_some(kind.colour),
            texture: matches!(said, Said::Textures | Said::Both).then_some(kind.texture),
            shape: kind.shape,
        };
        Self { phrases: plan.kinds.map(phrase), relation: Some(plan.relation) }
    }

    /// The same joined by “and”.
    pub(super) fn unrelated(self) -> Self {
        Self { relation: None, ..self }
    }

    /// Whether a combination is said that training never shows (see [`super::scene::Scene::held_out`]).
    pub(super) fn held_out(self) -> bool {
        let [first, second] = self.phrases;
        self.phrases.iter().any(|phrase| phrase.colour.is_some_and(|colour| reserved_colour(phrase.shape, colour)))
            || self.relation.is_some_and(|relation| reserved_arrangement(first.shape, relation, second.shape))
    }

    /// The objects change places, attributes and all: false whenever a relation is said.
    pub(super) fn exchanged(self) -> Self {
        Self { phrases: [self.phrases[1], self.phrases[0]], ..self }
    }

    /// The colours change owners, or the textures where no colours are said.
    pub(super) fn attributes_swapped(mut self) -> Self {
        let [first, second] = &mut self.phrases;
        if first.colour.is_some() {
            std::mem::swap(&mut first.colour, &mut second.colour);
        } else {
            std::mem::swap(&mut first.texture, &mut second.texture);
        }
        self
    }

    /// One of the shapes gives way to one of `from` that neither object has.
    pub(super) fn shape_replaced<const N: usize>(mut self, draw: &mut Draw, from: &[Shape; N]) -> Self {
        let [first, second] = self.phrases.map(|phrase| phrase.shape);
        let shape = draw.pick_where(from, |shape| shape != first && shape != second);
        self.phrases[draw.below(2)].shape = shape;
        self
    }

    /// One of the colours, or textures where no colours are said, gives way to one that neither object has.
    pub(super) fn attribute_replaced(mut self, draw: &mut Draw) -> Self {
        let [first, second] = self.phrases;
        let changed = &mut self.phrases[draw.below(2)];
        if first.colour.is_some() {
            changed.colour =
                Some(draw.pick_where(&Colour::ALL, |c| Some(c) != first.colour && Some(c) != second.colour));
        } else {
            changed.texture =
                Some(draw.pick_where(&Texture::ALL, |t| Some(t) != first.texture && Some(t) != second.texture));
        }
        self
    }

    /// The relation gives way to its opposite in half the draws, else to one of the other axis.
    pub(super) fn relation_replaced(mut self, draw: &mut Draw) -> Self {
        self.relation = self.relation.map(|said| {
            let other = draw.pick_where(&Relation::ALL, |r| r != said && r != said.opposite());
            if draw.chance(50) { said.opposite() } else { other }
        });
        self
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.phrases;
        write!(f, "{first} {} {second}", self.relation.map_or("and", Relation::word))
    }
}

#[cfg(test)]
pub(super) mod reading {
    //! An independent reader of captions: what a caption claims, checked against a scene's objects.

    use super::*;
    use crate::demo::scene::{Object, Scene};

    /// Whether the scene is as the caption says; nothing for a caption that is no sentence of this grammar.
    pub(in crate::demo) fn holds(caption: &str, scene: &Scene) -> Option<bool> {
        let (phrases, relations) = parse(caption)?;
        let all: Vec<&Object> = scene.objects.iter().collect();
        let backwards: Vec<&Object> = scene.objects.iter().rev().collect();
        Some([all, backwards].iter().any(|objects| {
            phrases.len() <= objects.len()
                && phrases.iter().zip(objects).all(|(phrase, object)| fits(*phrase, object))
                && relations.iter().enumerate().all(|(n, relation)| {
                    let pair = Scene { backdrop: 0, objects: objects[n..n + 2].iter().map(|o| **o).collect() };
                    relation.is_none_or(|relation| pair.relation() == Some(relation))
                })
        }))
    }

    /// Whether a sentence of this grammar names a held-out combination.
    pub(in crate::demo) fn says_held_out(caption: &str) -> bool {
        let Some((phrases, relations)) = parse(caption) else { return false };
        let pairs = phrases.windows(2).zip(relations);
        pairs.into_iter().any(|(pair, relation)| Sentence { phrases: [pair[0], pair[1]], relation }.held_out())
    }

    fn fits(phrase: Phrase, object: &Object) -> bool {
        phrase.shape == object.shape
            && phrase.colour.is_none_or(|colour| colour == object.colour)
            && phrase.texture.is_none_or(|texture| texture == object.texture)
    }

    fn parse(caption: &str) -> Option<(Vec<Phrase>, Vec<Option<Relation>>)> {
        let mut words = caption.split(' ');
        let (mut phrases, mut relations) = (Vec::new(), Vec::new());
        loop {
            if !matches!(words.next()?, "a" | "an") {
                return None;
            }
            let mut next = words.next()?;
            let colour = Colour::ALL.into_iter().find(|c| c.word() == next);
            if colour.is_some() {
                next = words.next()?;
            }
            let texture = Texture::ALL.into_iter().find(|t| t.word() == next);
            if texture.is_some() {
                next = words.next()?;
            }
            phrases.push(Phrase { colour, texture, shape: Shape::ALL.into_iter().find(|s| s.word() == next)? });
            relations.push(match words.next() {
                None => return Some((phrases, relations)),
                Some("and") => None,
                Some("above") => Some(Relation::Above),
                Some("below") => Some(Relation::Below),
                Some("left") if words.next() == Some("of") => Some(Relation::LeftOf),
                Some("right") if words.next() == Some("of") => Some(Relation::RightOf),
                Some(_) => return None,
            });
        }
    }
}
