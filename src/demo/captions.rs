//! Training samples: what the base model reads (as on the web: things, no binding) and what the tuned model reads.

use super::draw::{Draw, Stream};
use super::grammar::{Phrase, Said, Sentence};
use super::layout::{Kind, Plan, Side, single};
use super::scene::{Colour, Relation, Scene, Shape, Texture};
use super::shuffles::all_words;

/// What a base caption may open with.
const OPENINGS: [&str; 5] = ["", "a photo of ", "an image of ", "a picture of ", "a drawing of "];

/// A scene, a caption that is true of it, and hard negatives.
pub type Drawn = (Scene, String, Vec<String>);

/// The words that are neither a shape, a texture, a colour nor part of a relation, and the two marks.
const OTHER_WORDS: [&str; 12] = [",", ".", "a", "an", "and", "drawing", "image", "of", "on", "photo", "picture", "the"];

/// The prompts of the recognition set; `{}` stands for the class name.
pub const TEMPLATES: [&str; 5] =
    ["a photo of a {}.", "a {}.", "an image of a {}.", "a picture of a {}.", "a drawing of a {}."];

/// The shapes of tuned training (see [`Shape::in_tuned_training`]).
pub(super) const TUNED_SHAPES: [Shape; 11] = [
    Shape::Ball,
    Shape::Cross,
    Shape::Diamond,
    Shape::Drop,
    Shape::Fish,
    Shape::Heart,
    Shape::House,
    Shape::Moon,
    Shape::Square,
    Shape::Star,
    Shape::Triangle,
];

/// Sample `index` of the base model's endless training stream: 60 % single objects (texture said in 70 %, colour in
/// half, a third “on the left/right/top/bottom”), 40 % two objects (“a star and a moon”, half with the colours listed
/// in an order that tells nothing). Never a held-out combination.
pub fn base_sample(seed: u64, index: u64) -> (Scene, String) {
    let mut draw = Draw::new(Stream::Base, seed, index);
    let (scene, told) = if draw.chance(60) { base_single(&mut draw) } else { base_pair(&mut draw) };
    let end = if draw.chance(30) { "." } else { "" };
    let caption = format!("{}{told}{end}", draw.pick(&OPENINGS));
    (scene, caption)
}

/// Sample `index` of the tuned model's endless training stream: two of 11 shapes, a caption with their relation and
/// attributes, and four hard negatives: objects exchanged; colours (or textures) swapped; relation replaced; and one of
/// shape replaced, attribute replaced, all words shuffled. A recipe that takes fewer takes the first ones.
///
/// A held-out combination is neither shown nor said, not even by a negative sentence: else the model would learn that
/// it is always wrong.
pub fn tuned_sample(seed: u64, index: u64) -> Drawn {
    let mut draw = Draw::new(Stream::Tuned, seed, index);
    let (scene, truth) = tuned_scene(&mut draw);
    let replaced = seen(&mut draw, |draw| truth.relation_replaced(draw));
    let fourth = match draw.below(4) {
        0 => seen(&mut draw, |draw| truth.shape_replaced(draw, &TUNED_SHAPES)),
        1 => seen(&mut draw, |draw| truth.attribute_replaced(draw)),
        _ => all_words(&mut draw, &truth.to_string()),
    };
    let negatives = vec![truth.exchanged().to_string(), truth.attributes_swapped().to_string(), replaced, fourth];
    (scene, truth.to_string(), negatives)
}

/// As [`tuned_sample`], with "and" in place of the relation ("a red star and a blue moon"), so that binding an
/// attribute cannot lean on who is where. Negatives: attributes swapped, attribute replaced, shape replaced, all words
/// shuffled.
pub fn tuned_and_sample(seed: u64, index: u64) -> Drawn {
    let mut draw = Draw::new(Stream::Tuned, seed, index);
    let (scene, truth) = tuned_scene(&mut draw);
    let (truth, exchanged) = (truth.unrelated(), truth.unrelated().exchanged().to_string());
    let attribute = seen(&mut draw, |draw| truth.attribute_replaced(draw));
    let shape = seen(&mut draw, |draw| truth.shape_replaced(draw, &TUNED_SHAPES));
    let shuffled = loop {
        // With "and", the objects exchanged are still true.
        let shuffled = all_words(&mut draw, &truth.to_string());
        if shuffled != exchanged {
            break shuffled;
        }
    };
    (scene, truth.to_string(), vec![truth.attributes_swapped().to_string(), attribute, shape, shuffled])
}

pub(super) fn tuned_scene(draw: &mut Draw) -> (Scene, Sentence) {
    let plan = Plan::any_where(draw, |plan| {
        let all = Sentence::about(plan, Said::Both);
        plan.kinds.iter().all(|kind| kind.shape.in_tuned_training())
            && [all, all.exchanged(), all.attributes_swapped()].iter().all(|sentence| !sentence.held_out())
    });
    let scene = plan.lay_out(draw);
    (scene, Sentence::about(plan, Said::any(draw, plan)))
}

/// A base sample of tuned training's shapes, without negatives: what keeps a fine-tune from forgetting them.
pub fn replay_sample(seed: u64, index: u64) -> Drawn {
    let mut visit = index << 20;
    loop {
        let (scene, caption) = base_sample(seed, visit);
        if scene.objects.iter().all(|object| object.shape.in_tuned_training()) {
            return (scene, caption, Vec::new());
        }
        visit += 1;
    }
}

/// Every word the world can say, sorted, each once, with the comma and the full stop.
pub fn vocabulary() -> Vec<&'static str> {
    let mut words: Vec<&str> = OTHER_WORDS.to_vec();
    words.extend(Shape::ALL.map(Shape::word));
    words.extend(Texture::ALL.map(Texture::word));
    words.extend(Colour::ALL.map(Colour::word));
    words.extend(Side::ALL.map(Side::word));
    words.extend(Relation::ALL.iter().flat_map(|relation| relation.word().split(' ')));
    words.sort_unstable();
    words.dedup();
    words
}

/// Edits again until no held-out combination is said.
pub(super) fn seen(draw: &mut Draw, edit: impl Fn(&mut Draw) -> Sentence) -> String {
    loop {
        let edited = edit(draw);
        if !edited.held_out() {
            return edited.to_string();
        }
    }
}

fn base_single(draw: &mut Draw) -> (Scene, String) {
    let kind = loop {
        let kind = Kind::any(draw);
        if !kind.held_out() {
            break kind;
        }
    };
    let phrase = Phrase {
        texture: draw.chance(70).then_some(kind.texture),
        colour: draw.chance(50).then_some(kind.colour),
        shape: kind.shape,
    };
    let side = (draw.below(3) == 0).then(|| draw.pick(&Side::ALL));
    let place = side.map_or(String::new(), |side| format!(" on the {}", side.word()));
    (single(draw, kind, side), format!("{phrase}{place}"))
}

fn base_pair(draw: &mut Draw) -> (Scene, String) {
    let plan = Plan::any_where(draw, |plan| !plan.held_out());
    let scene = plan.lay_out(draw);
    let named = Sentence::about(plan, Said::Nothing).unrelated();
    let mut listed = match draw.below(100) {
        0..50 => plan.kinds.map(|kind| kind.colour.word()),
        50..65 => plan.kinds.map(|kind| kind.texture.word()),
        _ => return (scene, named.to_string()),
    };
    draw.shuffle(&mut listed);
    (scene, format!("{named}, {} and {}", listed[0], listed[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::grammar::reading::{holds, says_held_out};
    use crate::demo::shuffles::{is_adjective, is_noun};

    const SAMPLES: u64 = 20_000;

    fn words(caption: &str) -> Vec<&str> {
        caption.split(' ').flat_map(|word| word.strip_suffix([',', '.']).map_or(vec![word], |w| vec![w, ","])).collect()
    }

    #[test]
    fn tuned_captions_are_true_and_their_negatives_false() {
        let mut relations = [0; 4];
        for index in 0..SAMPLES {
            let (scene, caption, negatives) = tuned_sample(7, index);
            assert_eq!(holds(&caption, &scene), Some(true), "{caption}");
            assert_eq!(negatives.len(), 4);
            for negative in &negatives {
                assert_ne!(holds(negative, &scene), Some(true), "{caption} / {negative}");
                assert_ne!(*negative, caption);
                assert!(!says_held_out(negative), "{negative}");
            }
            assert!(negatives[..3].iter().all(|negative| holds(negative, &scene) == Some(false)));
            let (same, caption, negatives) = tuned_and_sample(7, index);
            assert!(same == scene && holds(&caption, &scene) == Some(true) && caption.contains(" and "), "{caption}");
            assert!(negatives[..3].iter().all(|negative| holds(negative, &scene) == Some(false)), "{negatives:?}");
            assert!(holds(&negatives[3], &scene) != Some(true) && !negatives.iter().any(|said| says_held_out(said)));
            assert!(!scene.held_out());
            assert!(scene.objects.iter().all(|object| TUNED_SHAPES.contains(&object.shape)));
            relations[scene.relation().unwrap() as usize] += 1;
        }
        assert!(relations.iter().all(|&count| count > SAMPLES as usize / 5), "{relations:?}");
        assert!(Shape::ALL.iter().all(|shape| TUNED_SHAPES.contains(shape) == shape.in_tuned_training()));
    }

    #[test]
    fn base_captions_bind_nothing_and_show_nothing_held_out() {
        let (mut singles, mut coloured, mut placed, mut same_order, mut listed) = (0, 0, 0, 0, 0);
        for index in 0..SAMPLES {
            let (scene, caption) = base_sample(7, index);
            let words = words(&caption);
            assert!(!scene.held_out(), "{caption}");
            let nouns: Vec<&str> = words.iter().copied().filter(|word| is_noun(word)).collect();
            assert!(scene.objects.iter().all(|object| nouns.contains(&object.shape.word())), "{caption}");
            if let [object] = scene.objects.as_slice() {
                singles += 1;
                coloured += usize::from(words.contains(&object.colour.word()));
                placed += usize::from(words.contains(&"on"));
                let said = words.iter().filter(|word| is_adjective(word));
                assert!(said.into_iter().all(|w| [object.colour.word(), object.texture.word()].contains(w)));
                let (x, y) = object.centre;
                for (word, holds) in [("left", x < 0.4), ("right", x > 0.6), ("top", y < 0.4), ("bottom", y > 0.6)] {
                    assert!(holds || !words.contains(&word), "{caption}: {x} {y}");
                }
                continue;
            }
            assert!(words.windows(2).all(|pair| !(is_adjective(pair[0]) && is_noun(pair[1]))), "{caption}");
            assert!(["left", "right", "above", "below"].iter().all(|word| !words.contains(word)), "{caption}");
            let colours: Vec<&str> = words.iter().copied().filter(|w| is_adjective(w)).collect();
            let owner = scene.objects.iter().find(|object| object.shape.word() == nouns[0]).unwrap();
            if colours.len() == 2 && Colour::ALL.iter().any(|colour| colour.word() == colours[0]) {
                listed += 1;
                same_order += usize::from(owner.colour.word() == colours[0]);
            }
        }
        let share = |count: usize, of: usize| count as f64 / of as f64;
        assert!((0.58..0.62).contains(&share(singles, SAMPLES as usize)));
        assert!((0.47..0.53).contains(&share(coloured, singles)));
        assert!((0.31..0.36).contains(&share(placed, singles)));
        assert!((0.47..0.53).contains(&share(same_order, listed)), "the order of colours tells whose they are");
    }

    #[test]
    fn the_vocabulary_holds_every_word_said() {
        let vocabulary = vocabulary();
        for index in 0..SAMPLES {
            let (_, tuned, negatives) = tuned_sample(8, index);
            let said = [base_sample(8, index).1, tuned].into_iter().chain(negatives);
            for caption in said {
                for word in words(&caption) {
                    assert!(vocabulary.binary_search(&word).is_ok(), "{word} in {caption}");
                }
            }
        }
    }

    #[test]
    fn the_same_seed_and_index_give_the_same_sample() {
        assert_eq!(base_sample(1, 2), base_sample(1, 2));
        assert_eq!(tuned_sample(1, 2), tuned_sample(1, 2));
        assert_ne!(base_sample(1, 2), base_sample(1, 3));
        assert_ne!(base_sample(1, 2), base_sample(2, 2));
    }
}
