//! The random resized crop's box, as torchvision draws it (`RandomResizedCrop.get_params`, 0.29).

use super::chance;
use super::source::CropBox;
use crate::negatives::chance::below;
use rand_chacha::ChaCha8Rng;

/// Least and largest width to height.
const ASPECT: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];
/// Boxes tried before the centre is taken.
const TRIES: usize = 10;

/// Where the box's numbers come from.
pub(super) trait Draws {
    /// A share of the image's area.
    fn area(&mut self) -> f64;
    /// A width to height, even in its logarithm.
    fn aspect(&mut self) -> f64;
    /// A whole number in `0..end`.
    fn below(&mut self, end: u32) -> u32;
}

/// Chance of one visit, with the recipe's range of areas.
pub(super) struct Chance<'a> {
    pub rng: &'a mut ChaCha8Rng,
    pub area: [f64; 2],
}

impl Chance<'_> {
    fn between(&mut self, [from, to]: [f64; 2]) -> f64 {
        from + chance::unit(self.rng) * (to - from)
    }
}

impl Draws for Chance<'_> {
    fn area(&mut self) -> f64 {
        self.between(self.area)
    }

    fn aspect(&mut self) -> f64 {
        self.between(ASPECT.map(f64::ln)).exp()
    }

    fn below(&mut self, end: u32) -> u32 {
        below(self.rng, u64::from(end)) as u32
    }
}

/// A box inside an image of `width` × `height`, both at least 1.
///
/// A box that does not fit is drawn anew, ten times; then it is the centre, as large as the bounds of the aspect allow.
/// For a square image few boxes fit unless the area's least share is small, so the whole image is common.
pub(super) fn crop_box(width: u32, height: u32, draws: &mut impl Draws) -> CropBox {
    let area = f64::from(width) * f64::from(height);
    for _ in 0..TRIES {
        let (target, aspect) = (area * draws.area(), draws.aspect());
        // Python's `round` goes to the even neighbour.
        let w = (target * aspect).sqrt().round_ties_even();
        let h = (target / aspect).sqrt().round_ties_even();
        if (1.0..=f64::from(width)).contains(&w) && (1.0..=f64::from(height)).contains(&h) {
            let (w, h) = (w as u32, h as u32);
            let y = draws.below(height - h + 1);
            let x = draws.below(width - w + 1);
            return CropBox { x, y, width: w, height: h };
        }
    }
    centre(width, height)
}

fn centre(width: u32, height: u32) -> CropBox {
    let aspect = f64::from(width) / f64::from(height);
    // At least 1 where torchvision would fail on an image of one pixel's width.
    let side = |exact: f64, most: u32| (exact.round_ties_even() as u32).clamp(1, most);
    let (w, h) = if aspect < ASPECT[0] {
        (width, side(f64::from(width) / ASPECT[0], height))
    } else if aspect > ASPECT[1] {
        (side(f64::from(height) * ASPECT[1], width), height)
    } else {
        (width, height)
    };
    CropBox { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h }
}
