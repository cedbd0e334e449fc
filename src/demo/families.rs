//! Families of scenes: a picture with the pictures that are its hard negatives.

use super::captions::{Drawn, TUNED_SHAPES, replay_sample, seen, tuned_scene};
use super::draw::{Draw, Stream};
use super::grammar::Sentence;
use super::scene::{Object, Scene};
use super::shuffles::all_words;

/// Samples of one family, neighbours in the stream.
pub const FAMILY: usize = 4;

/// What the pictures of a family differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kin {
    /// Who is where, in two scenes of two kinds each: "a red star left of a blue moon" and the objects exchanged.
    Places,
    /// Who is where and whose the colours (or textures) are: four scenes of one kind.
    All,
    /// Whose the colours (or textures) are, with "and" in place of the relation ("a red star and a blue moon"), so that
    /// binding an attribute cannot lean on who is where: two scenes of two kinds each.
    Owners,
}

/// Sample `index` of the tuned model's endless stream of families. Two of 11 shapes lie at the same places in all scenes
/// of one kind, in which the objects, their colours (or textures), both, or none have changed owners. Their captions
/// hold the same words, so each is a hard negative of the others, and so is each picture (as `NegCLIP` has them).
///
/// With every caption come two more negatives: one of shape replaced, attribute replaced, all words shuffled; and its
/// relation replaced (its shape, where none is said). A recipe that takes fewer takes the first one.
///
/// A held-out combination is neither shown nor said, not even by a negative sentence: else the model would learn that
/// it is always wrong.
pub fn family_member(seed: u64, index: u64, kin: Kin) -> Drawn {
    let mut draw = Draw::new(Stream::Tuned, seed, index / FAMILY as u64);
    let members = family(&mut draw, kin);
    let (scene, truth) = &members[index as usize % FAMILY];
    let mut draw = Draw::new(Stream::Negatives, seed, index);
    (scene.clone(), truth.to_string(), negatives(&mut draw, *truth))
}

/// One family in so many is replay instead.
const REPLAY: u64 = 8;

/// Sample `index` of what the recipe `demo.toml` trains on: who is where, and captions of base's kind, which keep the
/// fine-tune from forgetting what base knew. Mixed with who owns which colour, neither leaves chance within its few
/// steps.
pub fn tuned_mixture(seed: u64, index: u64) -> Drawn {
    if (index / FAMILY as u64) % REPLAY == REPLAY - 1 {
        return replay_sample(seed, index);
    }
    family_member(seed, index, Kin::Places)
}

fn family(draw: &mut Draw, kin: Kin) -> [(Scene, Sentence); FAMILY] {
    let mut kind = || {
        let (scene, truth) = tuned_scene(draw);
        relatives(&scene, truth)
    };
    match kin {
        Kin::All => kind(),
        Kin::Places => {
            let ([a, b, ..], [c, d, ..]) = (kind(), kind());
            [a, b, c, d]
        }
        Kin::Owners => {
            let ([a, _, b, _], [c, _, d, _]) = (kind(), kind());
            [a, b, c, d].map(|(scene, truth)| (scene, truth.unrelated()))
        }
    }
}

fn negatives(draw: &mut Draw, truth: Sentence) -> Vec<String> {
    let shape = |draw: &mut Draw| seen(draw, |draw| truth.shape_replaced(draw, &TUNED_SHAPES));
    let first = match draw.below(4) {
        0 => shape(draw),
        1 => seen(draw, |draw| truth.attribute_replaced(draw)),
        _ => shuffled(draw, truth),
    };
    let second = if truth.relation.is_some() { seen(draw, |draw| truth.relation_replaced(draw)) } else { shape(draw) };
    vec![first, second]
}

/// All words in another order that is not true. With "and", the objects exchanged are, whatever their articles.
fn shuffled(draw: &mut Draw, truth: Sentence) -> String {
    let plain = |caption: String| caption.replace("an ", "a ");
    let exchanged = plain(truth.exchanged().to_string());
    loop {
        let shuffled = all_words(draw, &truth.to_string());
        if truth.relation.is_some() || plain(shuffled.clone()) != exchanged {
            return shuffled;
        }
    }
}

/// The scene itself, with the objects exchanged, with the said attributes swapped, and with both, each with its true
/// sentence.
fn relatives(scene: &Scene, truth: Sentence) -> [(Scene, Sentence); FAMILY] {
    let exchange = |scene: &Scene| {
        let mut other = scene.clone();
        let [first, second] = [0, 1].map(|n| scene.objects[n]);
        let at = |kind: Object, place: Object| Object { centre: place.centre, size: place.size, ..kind };
        other.objects = vec![at(second, first), at(first, second)];
        other
    };
    let swap = |scene: &Scene| {
        let mut other = scene.clone();
        let [first, second] = [0, 1].map(|n| scene.objects[n]);
        if truth.phrases[0].colour.is_some() {
            other.objects = vec![Object { colour: second.colour, ..first }, Object { colour: first.colour, ..second }];
        } else {
            other.objects =
                vec![Object { texture: second.texture, ..first }, Object { texture: first.texture, ..second }];
        }
        other
    };
    let swapped = (swap(scene), truth.attributes_swapped());
    let both = (exchange(&swapped.0), swapped.1.exchanged());
    [(scene.clone(), truth), (exchange(scene), truth.exchanged()), swapped, both]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::grammar::reading::{holds, says_held_out};

    fn sorted(caption: &str) -> Vec<&str> {
        let mut words: Vec<&str> = caption.split(' ').map(|word| if word == "an" { "a" } else { word }).collect();
        words.sort_unstable();
        words
    }

    fn all(kin: Kin, mut check: impl FnMut(&[Drawn])) {
        for family in 0..4_000 {
            let members = [0, 1, 2, 3].map(|member| family_member(7, 4 * family + member, kin));
            for (scene, caption, negatives) in &members {
                assert!(!scene.held_out() && holds(caption, scene) == Some(true), "{caption}");
                assert_eq!(negatives.len(), 2);
                for negative in negatives {
                    assert!(holds(negative, scene) != Some(true) && !says_held_out(negative), "{caption} / {negative}");
                }
            }
            check(&members);
        }
    }

    #[test]
    fn of_four_relatives_each_caption_is_true_of_its_own_picture_only() {
        all(Kin::All, |family| {
            for (n, (scene, caption, _)) in family.iter().enumerate() {
                assert_eq!(sorted(caption), sorted(&family[0].1), "the same words");
                for (m, (_, other, _)) in family.iter().enumerate() {
                    assert_eq!(holds(other, scene), Some(n == m), "{other} of {caption}");
                }
            }
        });
    }

    #[test]
    fn in_twos_each_caption_is_false_of_the_twin() {
        for (kin, and) in [(Kin::Places, false), (Kin::Owners, true)] {
            all(kin, |family| {
                for (n, (scene, caption, _)) in family.iter().enumerate() {
                    let twin = &family[n ^ 1];
                    assert_eq!(caption.contains(" and "), and);
                    assert_eq!(holds(&twin.1, scene), Some(false), "{caption}");
                    assert_eq!(sorted(caption), sorted(&twin.1), "the same words");
                    let places = |scene: &Scene| [0, 1].map(|n| scene.objects[n].shape);
                    assert_eq!(places(scene) == places(&twin.0), and, "{caption}");
                }
            });
        }
    }

    #[test]
    fn a_family_is_the_same_from_each_of_its_members() {
        let backdrops = [20, 21, 22, 23].map(|index| family_member(3, index, Kin::All).0.backdrop);
        assert_eq!(backdrops, [backdrops[0]; 4]);
        assert_ne!(family_member(3, 24, Kin::All).0.backdrop, backdrops[0]);
        assert_eq!(family_member(3, 22, Kin::All), family_member(3, 22, Kin::All));
    }
}
