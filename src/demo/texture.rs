//! Fillings: where the light second tone lies, in an object's own frame.

use super::scene::{Colour, Texture};
use super::shapes::Point;

/// Stripe and dot spacing in units of the object's size: 4 pixels on the smallest object of a 48 pixel picture.
const PERIOD: f32 = 0.56;
const DOT_RADIUS: f32 = 0.175;
const HALF_SQRT_2: f32 = 0.707_106_77;

impl Texture {
    /// Signed distance from the edge of the second tone (negative inside); nothing for a plain filling.
    pub(super) fn distance(self, p: Point) -> Option<f32> {
        let (u, v) = ((p.0 + p.1) * HALF_SQRT_2, (p.1 - p.0) * HALF_SQRT_2);
        match self {
            Self::Plain => None,
            Self::Striped => Some(from_nearest_multiple(u).abs() - PERIOD / 4.0),
            Self::Dotted => {
                let (u, v) = (from_nearest_multiple(u), from_nearest_multiple(v));
                Some((u * u + v * v).sqrt() - DOT_RADIUS)
            }
        }
    }
}

/// The second tone of a textured object: near white, with a breath of its colour.
pub(super) fn second_tone(colour: Colour) -> [f32; 3] {
    colour.rgb().map(|channel| channel + (253.0 - channel) * 0.86)
}

fn from_nearest_multiple(x: f32) -> f32 {
    let cells = x / PERIOD;
    (cells - (cells + 0.5).floor()) * PERIOD
}
