//! Which alphas a sweep visits, and in which order.

use crate::patch::{Alpha, AlphaError};

/// `from:to:step`, both ends included.
#[derive(Clone, Debug, PartialEq)]
pub struct AlphaRange(pub Vec<Alpha>);

impl Default for AlphaRange {
    /// 0 to 1 by 0.05, as the paper's figure 3.
    fn default() -> Self {
        Self((0..=20).map(|i| Alpha::clamped(f64::from(i) / 20.0)).collect())
    }
}

/// What cannot be a range of alphas.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum RangeError {
    /// Neither `from:to:step` nor a comma-separated list.
    #[error("'{0}' is not a range of alphas; write from:to:step, such as 0:1:0.05, or a list, such as 0,0.5,1")]
    Form(String),
    /// One of the numbers is no alpha.
    #[error(transparent)]
    Alpha(#[from] AlphaError),
}

impl std::str::FromStr for AlphaRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let form = || RangeError::Form(text.to_owned());
        if !text.contains(':') {
            let mut alphas: Vec<Alpha> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
            alphas.sort();
            alphas.dedup();
            return Ok(Self(alphas));
        }
        let numbers: Vec<f64> = text.split(':').map(str::parse).collect::<Result<_, _>>().map_err(|_| form())?;
        let [from, to, step] = numbers[..] else { return Err(form()) };
        let (from, to) = (Alpha::new(from)?.get(), Alpha::new(to)?.get());
        if !(step >= 0.0005 && step <= 1.0 && from <= to) {
            return Err(form());
        }
        // Round to the step's own decimals, so that 0.05·3 is 0.15 and not 0.15000000000000002.
        let steps = ((to - from) / step + 1e-9).floor() as usize;
        let at = |i: usize| ((from + i as f64 * step) * 1e9).round() / 1e9;
        let mut alphas: Vec<Alpha> = (0..=steps).map(|i| Alpha::clamped(at(i))).collect();
        if alphas.last().is_some_and(|last| to - last.get() > 1e-9) {
            alphas.push(Alpha::clamped(to));
        }
        Ok(Self(alphas))
    }
}

/// The order of a sweep: both ends, the middle, then always the alpha that is farthest from those done.
pub fn coarse_to_fine(alphas: &[Alpha]) -> Vec<Alpha> {
    let mut left: Vec<Alpha> = alphas.to_vec();
    left.sort();
    left.dedup();
    let mut order = Vec::with_capacity(left.len());
    if let Some(last) = left.pop() {
        if !left.is_empty() {
            order.push(left.remove(0));
        }
        order.push(last);
    }
    while !left.is_empty() {
        let distance =
            |a: &Alpha| order.iter().map(|done: &Alpha| (done.get() - a.get()).abs()).fold(f64::INFINITY, f64::min);
        // Ties within rounding go to the smaller alpha.
        let mut best = 0;
        for i in 1..left.len() {
            if distance(&left[i]) > distance(&left[best]) + 1e-9 {
                best = i;
            }
        }
        order.push(left.remove(best));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(alphas: &[Alpha]) -> Vec<f64> {
        alphas.iter().map(|a| a.get()).collect()
    }

    #[test]
    fn ranges_and_lists() {
        let range: AlphaRange = "0:1:0.05".parse().unwrap();
        assert_eq!(range, AlphaRange::default());
        assert_eq!(numbers(&range.0)[3], 0.15);
        assert_eq!(numbers(&"0.1:0.5:0.3".parse::<AlphaRange>().unwrap().0), [0.1, 0.4, 0.5]);
        assert_eq!(numbers(&"1,0,0.5,0".parse::<AlphaRange>().unwrap().0), [0.0, 0.5, 1.0]);
        for bad in ["", "0:1", "0:1:0", "1:0:0.1", "0:2:0.1", "a:b:c", "0,2", "0:1:nan"] {
            assert!(bad.parse::<AlphaRange>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ends_then_middle_then_the_widest_gap() {
        let order = coarse_to_fine(&"0:1:0.125".parse::<AlphaRange>().unwrap().0);
        assert_eq!(numbers(&order)[..5], [0.0, 1.0, 0.5, 0.25, 0.75]);
        assert_eq!(order.len(), 9);
        assert_eq!(numbers(&coarse_to_fine(&[Alpha::TUNED])), [1.0]);
        assert!(coarse_to_fine(&[]).is_empty());
    }
}
