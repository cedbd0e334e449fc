//! How far a patch lies from base (0) towards tuned (1), for the whole model or for parts of it.

use serde::{Deserialize, Serialize};

/// A blend weight in 0..=1: 0 is base, 1 is tuned. Never opacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Alpha(f64);

/// What cannot be an [`Alpha`].
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("alpha must be a number from 0 (base) to 1 (tuned), not {0}")]
pub struct AlphaError(pub String);

impl Alpha {
    /// The pre-trained end.
    pub const BASE: Self = Self(0.0);
    /// The fine-tuned end.
    pub const TUNED: Self = Self(1.0);

    /// Refuses anything outside 0..=1 and not-a-number.
    pub fn new(value: f64) -> Result<Self, AlphaError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value + 0.0)) } else { Err(AlphaError(value.to_string())) }
    }

    /// The nearest allowed value; not-a-number becomes base. For sliders and pointers.
    pub fn clamped(value: f64) -> Self {
        if value.is_nan() { Self::BASE } else { Self(value.clamp(0.0, 1.0) + 0.0) }
    }

    /// The plain number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl std::str::FromStr for Alpha {
    type Err = AlphaError;

    fn from_str(text: &str) -> Result<Self, AlphaError> {
        text.trim().parse().map_err(|_| AlphaError(format!("'{text}'"))).and_then(Self::new)
    }
}

impl TryFrom<f64> for Alpha {
    type Error = AlphaError;

    fn try_from(value: f64) -> Result<Self, AlphaError> {
        Self::new(value)
    }
}

impl From<Alpha> for f64 {
    fn from(alpha: Alpha) -> Self {
        alpha.0
    }
}

// The range excludes not-a-number and `+ 0.0` removes the negative zero, so bits and order agree.
impl Eq for Alpha {}

impl Ord for Alpha {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Alpha {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl std::hash::Hash for Alpha {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// The part of the model that a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum Part {
    /// The image tower with its projection; the block where the parameter lies in one.
    Image { block: Option<usize> },
    /// The text tower with its projection; the block where the parameter lies in one.
    Text { block: Option<usize> },
    /// What both towers share: the logit scale.
    Shared,
}

/// One alpha per part of the model.
///
/// Only whole towers can be set apart today; callers ask [`AlphaMap::of`] per part, so that a map per block needs a
/// new constructor and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlphaMap {
    image: Alpha,
    text: Alpha,
}

impl AlphaMap {
    /// The pre-trained model.
    pub const BASE: Self = Self { image: Alpha::BASE, text: Alpha::BASE };
    /// The fine-tuned model.
    pub const TUNED: Self = Self { image: Alpha::TUNED, text: Alpha::TUNED };

    /// The same alpha everywhere, as CLoVe and PAINT patch.
    pub fn one(alpha: Alpha) -> Self {
        Self { image: alpha, text: alpha }
    }

    /// One alpha for each tower.
    pub fn towers(image: Alpha, text: Alpha) -> Self {
        Self { image, text }
    }

    /// The image tower's alpha.
    pub fn image(&self) -> Alpha {
        self.image
    }

    /// The text tower's alpha.
    pub fn text(&self) -> Alpha {
        self.text
    }

    /// The mean over the towers, which moves what they share.
    pub fn mean(&self) -> Alpha {
        if self.image == self.text { self.image } else { Alpha(f64::midpoint(self.image.0, self.text.0)) }
    }

    /// Whether both towers stand at the same alpha.
    pub fn is_linked(&self) -> bool {
        self.image == self.text
    }

    /// The alpha of one part.
    pub fn of(&self, part: Part) -> Alpha {
        match part {
            Part::Image { .. } => self.image,
            Part::Text { .. } => self.text,
            Part::Shared => self.mean(),
        }
    }
}

impl std::fmt::Display for AlphaMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_linked() {
            write!(f, "{:.2}", self.image.0)
        } else {
            write!(f, "image {:.2}, text {:.2}", self.image.0, self.text.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_unit_interval_is_an_alpha() {
        for bad in ["-0.01", "1.01", "nan", "inf", "a", ""] {
            assert!(bad.parse::<Alpha>().is_err(), "{bad}");
        }
        assert_eq!("0.55".parse::<Alpha>().unwrap().get(), 0.55);
        assert_eq!("-0".parse::<Alpha>().unwrap(), Alpha::BASE);
        assert_eq!(Alpha::clamped(f64::NAN), Alpha::BASE);
    }

    #[test]
    fn shared_parameters_follow_the_mean() {
        let map = AlphaMap::towers(Alpha::clamped(0.2), Alpha::clamped(0.6));
        assert!((map.of(Part::Shared).get() - 0.4).abs() < 1e-12);
        assert_eq!(map.of(Part::Image { block: Some(3) }).get(), 0.2);
        let linked = AlphaMap::one(Alpha::clamped(0.3));
        assert_eq!(linked.mean().get(), 0.3);
        assert_eq!(linked.to_string(), "0.30");
    }
}
