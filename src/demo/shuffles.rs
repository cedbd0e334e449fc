//! Word orders: ARO's four perturbations, without a tagger because this world's nouns and adjectives are known.

use super::draw::Draw;
use super::scene::{Colour, Shape, Texture};

/// Tries before a shuffle that keeps saying the same is given up; 7 or more words make even ten very unlikely.
const TRIES: usize = 1000;

/// ARO's options for a caption, in its order: nouns and adjectives shuffled, each among their own places; all other
/// words shuffled among theirs; words shuffled within groups of three; groups of three shuffled. None says what the
/// caption says. A shuffle that cannot change a caption (fewer than two words to move) gives way to a full one.
pub(super) fn aro_options(draw: &mut Draw, caption: &str) -> [String; 4] {
    let steps: [fn(&mut Draw, &mut Vec<&str>); 4] = [
        |draw, words| {
            shuffle_where(draw, words, is_noun);
            shuffle_where(draw, words, is_adjective);
        },
        |draw, words| shuffle_where(draw, words, |word| !is_noun(word) && !is_adjective(word)),
        |draw, words| words.chunks_mut(3).for_each(|group| draw.shuffle(group)),
        |draw, words| {
            let mut groups: Vec<Vec<&str>> = words.chunks(3).map(<[&str]>::to_vec).collect();
            draw.shuffle(&mut groups);
            *words = groups.concat();
        },
    ];
    steps.map(|step| until_changed(draw, caption, step))
}

/// All words shuffled, so that the caption no longer says the same. A caption of one word stays as it is.
pub(super) fn all_words(draw: &mut Draw, caption: &str) -> String {
    let original: Vec<&str> = caption.split(' ').collect();
    let mut words = original.clone();
    for _ in 0..TRIES {
        draw.shuffle(&mut words);
        if !same_meaning(&words, &original) {
            break;
        }
    }
    words.join(" ")
}

fn until_changed(draw: &mut Draw, caption: &str, step: fn(&mut Draw, &mut Vec<&str>)) -> String {
    let original: Vec<&str> = caption.split(' ').collect();
    for _ in 0..TRIES {
        let mut words = original.clone();
        step(draw, &mut words);
        if !same_meaning(&words, &original) {
            return words.join(" ");
        }
    }
    all_words(draw, caption)
}

/// Equal but for the order of neighbouring adjectives (“red striped” = “striped red”) and the form of the article.
fn same_meaning(a: &[&str], b: &[&str]) -> bool {
    settled(a) == settled(b)
}

fn settled<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut words: Vec<&str> = words.iter().map(|&word| if word == "an" { "a" } else { word }).collect();
    for run in words.chunk_by_mut(|a, b| is_adjective(a) && is_adjective(b)) {
        run.sort_unstable();
    }
    words
}

fn shuffle_where(draw: &mut Draw, words: &mut [&str], moves: fn(&str) -> bool) {
    let places: Vec<usize> = (0..words.len()).filter(|&place| moves(words[place])).collect();
    let mut moved: Vec<&str> = places.iter().map(|&place| words[place]).collect();
    draw.shuffle(&mut moved);
    for (place, word) in places.into_iter().zip(moved) {
        words[place] = word;
    }
}

pub(super) fn is_noun(word: &str) -> bool {
    Shape::ALL.iter().any(|shape| shape.word() == word)
}

pub(super) fn is_adjective(word: &str) -> bool {
    Colour::ALL.iter().any(|colour| colour.word() == word) || Texture::ALL.iter().any(|texture| texture.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::draw::Stream;

    #[test]
    fn each_perturbation_moves_only_its_words() {
        let caption = "a red star left of a blue striped moon";
        let original: Vec<&str> = caption.split(' ').collect();
        for index in 0..200 {
            let options = aro_options(&mut Draw::new(Stream::Base, 0, index), caption);
            for option in &options {
                let mut words: Vec<&str> = option.split(' ').collect();
                assert!(!same_meaning(&words, &original));
                words.sort_unstable();
                let mut sorted = original.clone();
                sorted.sort_unstable();
                assert_eq!(words, sorted);
            }
            let kept = |option: &str, keep: fn(&str) -> bool| {
                option.split(' ').zip(&original).all(|(new, old)| !keep(old) || new == *old)
            };
            assert!(kept(&options[0], |word| !is_noun(word) && !is_adjective(word)));
            assert!(kept(&options[1], |word| is_noun(word) || is_adjective(word)));
            let words: Vec<&str> = options[2].split(' ').collect();
            for (new, old) in words.chunks(3).zip(original.chunks(3)) {
                assert!(new.iter().all(|word| old.contains(word)));
            }
            for group in original.chunks(3) {
                assert!(options[3].contains(&group.join(" ")));
            }
        }
    }

    #[test]
    fn reordered_adjectives_say_the_same() {
        assert!(same_meaning(&["a", "red", "striped", "star"], &["a", "striped", "red", "star"]));
        assert!(same_meaning(&["an", "arrow", "above", "a", "star"], &["a", "arrow", "above", "an", "star"]));
        assert!(!same_meaning(&["a", "red", "star", "striped"], &["a", "striped", "star", "red"]));
    }
}
