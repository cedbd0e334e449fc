//! The scene world as training data for any recipe: `demo:scenes`.

use image::RgbImage;

use super::families::tuned_mixture;
use super::render::{DEFAULT_SIZE, render};

/// How a recipe's `data` calls them.
pub const SCENES: &str = "demo:scenes";
/// Distinct scenes, a multiple of [`FAMILY`](super::FAMILY).
pub const SCENE_COUNT: usize = 40_000;

/// Scene `index` of a run with this seed: its picture, its caption and the hard negatives that come with it. Neighbours
/// of one [`FAMILY`](super::FAMILY) belong into one batch.
pub fn training_scene(seed: u64, index: u64) -> (RgbImage, String, Vec<String>) {
    let (scene, caption, negatives) = tuned_mixture(seed, index);
    (render(&scene, DEFAULT_SIZE), caption, negatives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_have_negatives_and_are_the_same_for_the_same_seed() {
        let all: Vec<_> = (0..40).map(|index| training_scene(5, index)).collect();
        assert!(all.iter().all(|(_, caption, negatives)| !negatives.contains(caption)));
        assert_eq!(all.iter().filter(|(_, _, negatives)| !negatives.is_empty()).count(), 36, "the others are replay");
        assert_eq!(all[30], training_scene(5, 30));
        assert_ne!(all[30], training_scene(6, 30));
    }
}
