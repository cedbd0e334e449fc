//! Finding images by captions and captions by images, among all. Pure.

use super::score::Outcome;
use super::{TieRule, judge};

/// What is asked and what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// An image asks for any of its captions ("text retrieval").
    ImageToText,
    /// A caption asks for its image ("image retrieval").
    TextToImage,
}

impl Direction {
    /// The task's name in results.
    pub fn task(self) -> &'static str {
        match self {
            Self::ImageToText => "image-to-text",
            Self::TextToImage => "text-to-image",
        }
    }
}

/// All captions of some images. Every image is compared with every caption.
#[derive(Clone, Debug, PartialEq)]
pub struct Retrieval {
    /// Captions, in file order.
    pub captions: Vec<String>,
    /// Index into [`super::Benchmark::images`] of each caption's image.
    pub image_of: Vec<usize>,
    /// What is asked: an example is an image or a caption.
    pub direction: Direction,
}

impl Retrieval {
    /// Queries, given the number of images.
    pub(super) fn len(&self, n_images: usize) -> usize {
        match self.direction {
            Direction::ImageToText => n_images,
            Direction::TextToImage => self.captions.len(),
        }
    }

    /// The image that asks, or the one that is asked for.
    pub(super) fn image_of(&self, example: usize) -> usize {
        match self.direction {
            Direction::ImageToText => example,
            Direction::TextToImage => self.image_of[example],
        }
    }

    /// Percent of hits at 1 for a model that guesses, in both directions: images have n / `n_images` of n captions on
    /// average.
    pub(super) fn chance(n_images: usize) -> f64 {
        100.0 / n_images.max(1) as f64
    }

    /// Indices of the captions of one example: those of the image that asks, or the one that asks itself.
    pub fn captions_of(&self, example: usize) -> impl Iterator<Item = usize> + '_ {
        let is_own = move |(caption, image): &(usize, &usize)| match self.direction {
            Direction::ImageToText => **image == example,
            Direction::TextToImage => *caption == example,
        };
        self.image_of.iter().enumerate().filter(is_own).map(|(caption, _)| caption)
    }

    /// The caption that asks, or the first that is asked for; empty for an image without captions.
    pub fn right_caption(&self, example: usize) -> &str {
        self.captions_of(example).next().and_then(|caption| self.captions.get(caption)).map_or("", String::as_str)
    }

    /// Judges one query; `similarities` with every caption (images ask) or every image (captions ask). The rank is that
    /// of the best right answer, as recall counts a hit if any right answer is among the first k.
    pub(super) fn judge(&self, example: usize, similarities: &[f32], ties: TieRule) -> Outcome {
        match self.direction {
            Direction::ImageToText => {
                judge::judge_ranks(similarities, |caption| self.image_of.get(caption) == Some(&example), ties)
            }
            Direction::TextToImage => {
                judge::judge_ranks(similarities, |image| self.image_of.get(example) == Some(&image), ties)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrieval(direction: Direction) -> Retrieval {
        let captions = (0..5).map(|i| i.to_string()).collect();
        Retrieval { captions, image_of: vec![0, 0, 1, 1, 2], direction }
    }

    #[test]
    fn any_caption_of_the_image_is_a_hit() {
        let images = retrieval(Direction::ImageToText);
        assert_eq!((images.len(3), images.image_of(2)), (3, 2));
        let rank = |e, s: &[f32]| images.judge(e, s, TieRule::First).rank;
        assert_eq!(rank(0, &[0.1, 0.9, 0.5, 0.5, 0.5]), 0);
        assert_eq!(rank(1, &[0.9, 0.8, 0.7, 0.1, 0.75]), 3);
        assert_eq!(rank(2, &[0.5; 5]), 4, "equal and earlier captions come first");
        assert!(images.judge(2, &[0.5; 5], TieRule::First).in_top5);
        assert!(!images.judge(0, &[0.1, f32::NAN, 0.0, 0.0, 0.0], TieRule::First).right);
    }

    #[test]
    fn a_caption_has_one_image() {
        let captions = retrieval(Direction::TextToImage);
        assert_eq!((captions.len(3), captions.image_of(3)), (5, 1));
        assert!(captions.judge(3, &[0.1, 0.2, 0.1], TieRule::Strict).right);
        assert_eq!(captions.judge(4, &[0.3, 0.2, 0.1], TieRule::Strict).rank, 2);
    }
}
