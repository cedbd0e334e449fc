//! Signed distances of the silhouettes: negative inside, in units of the object's size, y down, within ±1.1.
//!
//! Polygon, box and heart after Inigo Quilez, "2D distance functions" (iquilezles.org/articles/distfunctions2d).
//! Unions and differences are exact outside or inside only, which is enough for edges, rims and shadows.

use super::scene::Shape;

/// A point in an object's own frame.
pub(super) type Point = (f32, f32);

const ARROW: [Point; 7] =
    [(-0.95, -0.3), (0.05, -0.3), (0.05, -0.82), (0.98, 0.0), (0.05, 0.82), (0.05, 0.3), (-0.95, 0.3)];
const BOLT: [Point; 7] =
    [(-0.12, -1.0), (0.52, -1.0), (0.2, -0.3), (0.68, -0.3), (-0.34, 1.0), (-0.06, 0.14), (-0.6, 0.14)];
const DIAMOND: [Point; 4] = [(0.0, -1.0), (0.66, 0.0), (0.0, 1.0), (-0.66, 0.0)];
const DROP_TIP: [Point; 3] = [(0.0, -1.0), (0.5629, -0.025), (-0.5629, -0.025)];
const FISH_TAIL: [Point; 3] = [(0.22, 0.0), (0.96, -0.58), (0.96, 0.58)];
const HOUSE: [Point; 7] =
    [(0.0, -0.95), (1.0, -0.1), (0.7, -0.1), (0.7, 0.85), (-0.7, 0.85), (-0.7, -0.1), (-1.0, -0.1)];
const PETALS: [Point; 5] = [(0.0, -0.56), (0.5326, -0.173), (0.3292, 0.453), (-0.3292, 0.453), (-0.5326, -0.173)];
const STAR: [Point; 10] = [
    (0.0, -1.0),
    (0.2704, -0.3721),
    (0.9511, -0.309),
    (0.4375, 0.1421),
    (0.5878, 0.809),
    (0.0, 0.46),
    (-0.5878, 0.809),
    (-0.4375, 0.1421),
    (-0.9511, -0.309),
    (-0.2704, -0.3721),
];
const TRIANGLE: [Point; 3] = [(0.0, -0.9), (0.95, 0.75), (-0.95, 0.75)];

impl Shape {
    /// Signed distance of `p` from the silhouette's edge.
    pub(super) fn distance(self, p: Point) -> f32 {
        match self {
            Self::Arrow => polygon(p, &ARROW) - 0.05,
            Self::Ball => disc(p, (0.0, 0.0), 0.92),
            Self::Bolt => polygon(p, &BOLT) - 0.04,
            Self::Cloud => cloud(p),
            Self::Cross => rectangle(p, (0.0, 0.0), (0.9, 0.26)).min(rectangle(p, (0.0, 0.0), (0.26, 0.9))) - 0.06,
            Self::Diamond => polygon(p, &DIAMOND) - 0.04,
            Self::Drop => disc(p, (0.0, 0.3), 0.65).min(polygon(p, &DROP_TIP)) - 0.03,
            Self::Fish => fish(p),
            Self::Flower => flower(p),
            Self::Heart => heart(p),
            Self::House => (polygon(p, &HOUSE) - 0.04).max(0.02 - rectangle(p, (0.0, 0.58), (0.17, 0.34))),
            Self::Moon => disc(p, (-0.04, 0.0), 0.97).max(-disc(p, (0.42, -0.14), 0.74)),
            Self::Ring => (length(p) - 0.68).abs() - 0.26,
            Self::Square => rectangle(p, (0.0, 0.0), (0.7, 0.7)) - 0.09,
            Self::Star => polygon(p, &STAR) - 0.06,
            Self::Triangle => polygon(p, &TRIANGLE) - 0.06,
        }
    }
}

fn cloud(p: Point) -> f32 {
    disc(p, (-0.52, 0.2), 0.42).min(disc(p, (-0.02, -0.18), 0.56)).min(disc(p, (0.56, 0.17), 0.45)).min(rectangle(
        p,
        (0.02, 0.37),
        (0.54, 0.25),
    ))
}

/// A lens (two discs' common part), a tail, and a hole for the eye.
fn fish(p: Point) -> f32 {
    let body = disc(p, (-0.22, 0.30), 0.82).max(disc(p, (-0.22, -0.30), 0.82));
    body.min(polygon(p, &FISH_TAIL) - 0.04).max(-disc(p, (-0.58, -0.1), 0.1))
}

fn flower(p: Point) -> f32 {
    let petals = PETALS.iter().fold(disc(p, (0.0, 0.0), 0.36), |nearest, &at| nearest.min(disc(p, at, 0.4)));
    petals.max(-disc(p, (0.0, 0.0), 0.22))
}

fn heart(p: Point) -> f32 {
    const SCALE: f32 = 1.62;
    let (x, y) = (p.0.abs() / SCALE, 0.56 - p.1 / SCALE);
    let distance = if x + y > 1.0 {
        length((x - 0.25, y - 0.75)) - 0.353_553_4
    } else {
        let along = 0.5 * (x + y).max(0.0);
        let nearest = length((x, y - 1.0)).min(length((x - along, y - along)));
        if x > y { nearest } else { -nearest }
    };
    distance * SCALE
}

fn length(p: Point) -> f32 {
    (p.0 * p.0 + p.1 * p.1).sqrt()
}

fn disc(p: Point, centre: Point, radius: f32) -> f32 {
    length((p.0 - centre.0, p.1 - centre.1)) - radius
}

fn rectangle(p: Point, centre: Point, half: Point) -> f32 {
    let (x, y) = ((p.0 - centre.0).abs() - half.0, (p.1 - centre.1).abs() - half.1);
    length((x.max(0.0), y.max(0.0))) + x.max(y).min(0.0)
}

fn polygon(p: Point, corners: &[Point]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let mut from = corners[corners.len() - 1];
    for &to in corners {
        let edge = (to.0 - from.0, to.1 - from.1);
        let offset = (p.0 - from.0, p.1 - from.1);
        let along = ((offset.0 * edge.0 + offset.1 * edge.1) / (edge.0 * edge.0 + edge.1 * edge.1)).clamp(0.0, 1.0);
        let away = (offset.0 - edge.0 * along, offset.1 - edge.1 * along);
        nearest = nearest.min(away.0 * away.0 + away.1 * away.1);
        if (from.1 > p.1) != (to.1 > p.1) && offset.0 < edge.0 * offset.1 / edge.1 {
            inside = !inside;
        }
        from = to;
    }
    if inside { -nearest.sqrt() } else { nearest.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silhouettes_stay_within_their_bounds_and_fill_a_fair_part() {
        for shape in Shape::ALL {
            let mut inside = 0;
            for row in 0..150 {
                for column in 0..150 {
                    let p = ((column as f32 - 75.0) / 50.0, (row as f32 - 75.0) / 50.0);
                    if shape.distance(p) < 0.0 {
                        inside += 1;
                        assert!(p.0.abs() <= 1.1 && p.1.abs() <= 1.1, "{shape:?} reaches {p:?}");
                    }
                }
            }
            let share = inside as f32 / (100.0 * 100.0);
            assert!((0.24..0.75).contains(&share), "{shape:?} fills {share} of its square");
        }
    }

    #[test]
    fn a_polygon_is_exact_on_both_sides() {
        let unit = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        for (p, distance) in [((0.0, 0.0), -1.0), ((3.0, 0.0), 2.0), ((4.0, 5.0), 5.0)] {
            assert!((polygon(p, &unit) - distance).abs() < 1e-6);
        }
    }
}
