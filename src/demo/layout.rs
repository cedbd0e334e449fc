//! Placing objects: one anywhere or in a named part of the picture, two in a clear relation.

use super::draw::Draw;
use super::scene::{Colour, Object, Relation, Scene, Shape, Texture, reserved_arrangement, reserved_colour};

/// What an object is, apart from where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) shape: Shape,
    pub(super) texture: Texture,
    pub(super) colour: Colour,
}

/// Room left at the picture's edge, and the silhouettes' bound.
const MARGIN: f32 = 0.02;
const BOUND: f32 = 1.08;

impl Kind {
    pub(super) fn any(draw: &mut Draw) -> Self {
        Self { shape: draw.pick(&Shape::ALL), texture: draw.pick(&Texture::ALL), colour: draw.pick(&Colour::ALL) }
    }

    pub(super) fn held_out(self) -> bool {
        reserved_colour(self.shape, self.colour)
    }

    fn at(self, draw: &mut Draw, centre: (f32, f32), size: f32) -> Object {
        let Self { shape, texture, colour } = self;
        Object { shape, texture, colour, centre, size, angle: draw.between(-0.16, 0.16) }
    }
}

/// A named part of the picture, as single-object captions say it ("on the left").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
    Top,
    Bottom,
}

impl Side {
    pub(super) const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Top, Self::Bottom];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Top => "top",
            Self::Bottom => "bottom",
        }
    }
}

/// One object, on the named side (its centre within the outer 36 % of the picture) or anywhere.
pub(super) fn single(draw: &mut Draw, kind: Kind, side: Option<Side>) -> Scene {
    let size = if side.is_some() { draw.between(0.2, 0.29) } else { draw.between(0.21, 0.38) };
    let near = MARGIN + BOUND * size;
    let free = draw.between(near, 1.0 - near);
    let outer = draw.between(near, near.max(0.36));
    let centre = match side {
        None => (free, draw.between(near, 1.0 - near)),
        Some(Side::Left) => (outer, free),
        Some(Side::Right) => (1.0 - outer, free),
        Some(Side::Top) => (free, outer),
        Some(Side::Bottom) => (free, 1.0 - outer),
    };
    Scene { backdrop: draw.bits(), objects: vec![kind.at(draw, centre, size)] }
}

/// Two objects of different shapes and colours, the first `relation` the second: a scene before it is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) kinds: [Kind; 2],
    pub(super) relation: Relation,
}

impl Plan {
    /// A plan of which `fits` holds. Some plan must fit, or this never returns.
    pub(super) fn any_where(draw: &mut Draw, fits: impl Fn(Self) -> bool) -> Self {
        loop {
            let kinds = [Kind::any(draw), Kind::any(draw)];
            let plan = Self { kinds, relation: draw.pick(&Relation::ALL) };
            if kinds[0].shape != kinds[1].shape && kinds[0].colour != kinds[1].colour && fits(plan) {
                return plan;
            }
        }
    }

    /// Agrees with [`Scene::held_out`] of the scene laid out from this plan.
    pub(super) fn held_out(self) -> bool {
        let [first, second] = self.kinds;
        first.held_out() || second.held_out() || reserved_arrangement(first.shape, self.relation, second.shape)
    }

    /// Places the two: apart along the relation's axis without overlap, and at most 0.4 as far apart along the other.
    pub(super) fn lay_out(self, draw: &mut Draw) -> Scene {
        let sizes = [draw.between(0.15, 0.205), draw.between(0.15, 0.205)];
        let outer = sizes.map(|size| MARGIN + BOUND * size);
        let apart = BOUND * (sizes[0] + sizes[1]) + draw.between(0.01, 0.08);
        let apart = apart.min(1.0 - outer[0] - outer[1]);
        let aside = apart * draw.between(-0.4, 0.4);
        let first_across = draw.between(outer[0].max(outer[1] - aside), (1.0 - outer[0]).min(1.0 - outer[1] - aside));
        let across = [first_across, first_across + aside];
        let backwards = matches!(self.relation, Relation::RightOf | Relation::Below);
        let nearer = usize::from(backwards);
        let low = draw.between(outer[nearer], 1.0 - outer[1 - nearer] - apart);
        let along = if backwards { [low + apart, low] } else { [low, low + apart] };
        let upright = matches!(self.relation, Relation::Above | Relation::Below);
        let centre = |n: usize| if upright { (across[n], along[n]) } else { (along[n], across[n]) };
        let objects = vec![self.kinds[0].at(draw, centre(0), sizes[0]), self.kinds[1].at(draw, centre(1), sizes[1])];
        Scene { backdrop: draw.bits(), objects }
    }
}
