//! The scene world as training data for any recipe: `demo:scenes`.

use image::RgbImage;

use super::captions::{replay_sample, tuned_and_sample, tuned_sample};
use super::render::{DEFAULT_SIZE, render};

/// How a recipe's `data` calls them.
pub const SCENES: &str = "demo:scenes";
/// Distinct scenes.
pub const SCENE_COUNT: usize = 40_000;

/// Of 100 scenes so many are base's kind of caption, which keeps a fine-tune from forgetting, and so many say "and" in
/// place of the relation: the mixture of the embedded pair's last stage.
const REPLAY_PERCENT: u64 = 10;
const AND_PERCENT: u64 = 35;

/// Scene `index` of a run with this seed: its picture, its caption and the hard negatives that come with it.
pub fn training_scene(seed: u64, index: u64) -> (RgbImage, String, Vec<String>) {
    let place = index % 100;
    let sample = if place < REPLAY_PERCENT {
        replay_sample
    } else if place < REPLAY_PERCENT + AND_PERCENT {
        tuned_and_sample
    } else {
        tuned_sample
    };
    let (scene, caption, negatives) = sample(seed, index);
    (render(&scene, DEFAULT_SIZE), caption, negatives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_are_a_mixture_and_the_same_for_the_same_seed() {
        let all: Vec<_> = (0..100).map(|index| training_scene(5, index)).collect();
        assert_eq!(all.iter().filter(|(_, _, negatives)| negatives.is_empty()).count(), 10);
        assert_eq!(all.iter().filter(|(_, caption, n)| !n.is_empty() && caption.contains(" and ")).count(), 35);
        assert_eq!(all[50], training_scene(5, 50));
        assert_ne!(all[50], training_scene(6, 50));
    }
}
