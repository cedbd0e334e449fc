//! What a picture shows, as plain data, and which combinations training never sees.

/// An enum whose every variant has one word, listed in `ALL` in declaration order.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($variant:ident $word:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $(#[doc = concat!("Said as “", $word, "”.")] $variant,)+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// How captions say it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// The 16 silhouettes, told apart at 13 pixels across (after the downscale to 48).
    Shape:
    Arrow "arrow", Ball "ball", Bolt "bolt", Cloud "cloud", Cross "cross", Diamond "diamond", Drop "drop", Fish "fish",
    Flower "flower", Heart "heart", House "house", Moon "moon", Ring "ring", Square "square", Star "star",
    Triangle "triangle",
}

words! {
    /// How a shape is filled.
    Texture:
    Dotted "dotted", Plain "plain", Striped "striped",
}

words! {
    /// The 10 colours.
    Colour:
    Black "black", Blue "blue", Brown "brown", Cyan "cyan", Green "green", Orange "orange", Pink "pink",
    Purple "purple", Red "red", Yellow "yellow",
}

words! {
    /// Where the first object lies as seen from the second.
    Relation:
    LeftOf "left of", RightOf "right of", Above "above", Below "below",
}

impl Shape {
    /// False for the 5 shapes that tuned training never shows: arrow, bolt, cloud, flower and ring.
    pub const fn in_tuned_training(self) -> bool {
        !matches!(self, Self::Arrow | Self::Bolt | Self::Cloud | Self::Flower | Self::Ring)
    }
}

impl Colour {
    /// The flat tone in sRGB, 0..=255 per channel.
    pub const fn rgb(self) -> [f32; 3] {
        match self {
            Self::Black => [42.0, 42.0, 50.0],
            Self::Blue => [36.0, 84.0, 214.0],
            Self::Brown => [124.0, 74.0, 40.0],
            Self::Cyan => [32.0, 196.0, 218.0],
            Self::Green => [40.0, 164.0, 76.0],
            Self::Orange => [255.0, 136.0, 20.0],
            Self::Pink => [255.0, 118.0, 178.0],
            Self::Purple => [138.0, 62.0, 200.0],
            Self::Red => [226.0, 40.0, 44.0],
            Self::Yellow => [252.0, 206.0, 20.0],
        }
    }
}

impl Relation {
    /// The same fact told from the other object: left of ↔ right of, above ↔ below.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::LeftOf => Self::RightOf,
            Self::RightOf => Self::LeftOf,
            Self::Above => Self::Below,
            Self::Below => Self::Above,
        }
    }

    /// The name in ARO's `relation_name` field. None of them is among the 157 that ARO's macro average drops.
    pub const fn aro_name(self) -> &'static str {
        match self {
            Self::LeftOf => "to the left of",
            Self::RightOf => "to the right of",
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

/// One thing in the picture. Lengths are fractions of the picture's side, x to the right, y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object {
    /// Its silhouette.
    pub shape: Shape,
    /// Its filling.
    pub texture: Texture,
    /// Its main tone.
    pub colour: Colour,
    /// Centre (x, y) in 0..1.
    pub centre: (f32, f32),
    /// Half its extent: the silhouette stays within 1.1 times this from the centre.
    pub size: f32,
    /// Turn in radians, within ±0.2, so that no silhouette turns into another.
    pub angle: f32,
}

/// A picture: one or two objects of different shapes and colours before a pale backdrop.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Seed of the backdrop's tones and pattern.
    pub backdrop: u32,
    /// One or two objects; captions name the first one first.
    pub objects: Vec<Object>,
}

impl Scene {
    /// Where the first object lies as seen from the second, by the longer of the two distances between the centres;
    /// nothing for a single object.
    pub fn relation(&self) -> Option<Relation> {
        let [first, second] = self.objects.as_slice() else { return None };
        let (dx, dy) = (first.centre.0 - second.centre.0, first.centre.1 - second.centre.1);
        Some(match (dx.abs() > dy.abs(), dx < 0.0, dy < 0.0) {
            (true, true, _) => Relation::LeftOf,
            (true, false, _) => Relation::RightOf,
            (false, _, true) => Relation::Above,
            (false, _, false) => Relation::Below,
        })
    }

    /// Whether the scene holds a combination that training never shows: a shape in its reserved colour, or two shapes
    /// in a reserved arrangement.
    pub fn held_out(&self) -> bool {
        self.objects.iter().any(|object| reserved_colour(object.shape, object.colour))
            || match (self.objects.as_slice(), self.relation()) {
                ([first, second], Some(relation)) => reserved_arrangement(first.shape, relation, second.shape),
                _ => false,
            }
    }
}

/// True for 16 of the 160 (shape, colour) pairs: one colour for every shape.
pub fn reserved_colour(shape: Shape, colour: Colour) -> bool {
    (3 * shape as usize + colour as usize).is_multiple_of(Colour::ALL.len())
}

/// True for an eighth of the arrangements of two shapes; the same fact told from either object has the same answer.
pub fn reserved_arrangement(first: Shape, relation: Relation, second: Shape) -> bool {
    let (first, upright, second) = match relation {
        Relation::LeftOf => (first, 0, second),
        Relation::RightOf => (second, 0, first),
        Relation::Above => (first, 4, second),
        Relation::Below => (second, 4, first),
    };
    (5 * first as usize + 3 * second as usize + upright) % 8 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrangement_is_reserved_from_both_sides() {
        let mut reserved = 0;
        for a in Shape::ALL {
            for b in Shape::ALL {
                for relation in Relation::ALL {
                    let here = reserved_arrangement(a, relation, b);
                    assert_eq!(here, reserved_arrangement(b, relation.opposite(), a));
                    reserved += usize::from(here && a != b);
                }
            }
        }
        assert!((100..=140).contains(&reserved), "{reserved} of 960");
    }

    #[test]
    fn every_shape_has_one_reserved_colour() {
        for shape in Shape::ALL {
            assert_eq!(Colour::ALL.into_iter().filter(|&colour| reserved_colour(shape, colour)).count(), 1);
        }
        for colour in Colour::ALL {
            assert!(Shape::ALL.into_iter().filter(|&shape| reserved_colour(shape, colour)).count() <= 2);
        }
    }
}
