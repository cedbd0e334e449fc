//! Who wins when the right option and a wrong one have the same similarity: the references disagree, so it is a choice.

use std::fmt;
use std::str::FromStr;

use super::Benchmark;

/// Who wins when the right option and a wrong one have the same similarity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieRule {
    /// The right option must be strictly ahead: a tie is wrong (SugarCrepe, Winoground).
    Strict,
    /// The first of the equal options in file order wins (ARO, class names).
    First,
    /// One of the equal options wins, each as likely as the others; the same one on every run with this seed (CLoVe).
    Random {
        /// Of the draw; [`TieRule::for_example`] makes each example's own.
        seed: u64,
    },
    /// What [`TieRule::Random`] gives on average: a tie of k options counts 1/k.
    Half,
}

impl TieRule {
    /// The rule for one example of a benchmark: random ties are drawn anew for each.
    #[must_use]
    pub fn for_example(self, example: usize) -> Self {
        match self {
            Self::Random { seed } => Self::Random { seed: mixed(seed ^ mixed(example as u64 + 1)) },
            rule => rule,
        }
    }

    /// Of `equal` wrong options that tie with the right one, how many are placed ahead of it; `before` of them come
    /// earlier in the file. 0 under [`TieRule::Half`], whose ties are shared when they are counted.
    pub(super) fn ahead(self, equal: usize, before: usize) -> usize {
        match self {
            Self::Strict => equal,
            Self::First => before,
            // The high bits of the product are a fair draw from 0..=equal.
            Self::Random { seed } => ((u128::from(mixed(seed)) * (equal as u128 + 1)) >> 64) as usize,
            Self::Half => 0,
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea & Flood, 2014): spreads consecutive numbers over all 64 bits.
fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl fmt::Display for TieRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strict => f.write_str("strict"),
            Self::First => f.write_str("first"),
            Self::Random { seed } => write!(f, "random:{seed}"),
            Self::Half => f.write_str("half"),
        }
    }
}

/// `--ties`: each benchmark's own rule, or one for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// As each benchmark's reference has it.
    #[default]
    Reference,
    /// The same for all.
    All(TieRule),
}

impl Ties {
    /// Sets the rule of a benchmark; its protocol says so where it is not the reference's.
    pub fn apply(self, benchmark: &mut Benchmark) {
        let Self::All(rule) = self else { return };
        benchmark.ties = rule;
        benchmark.protocol = format!("{}; but ties here by the rule {rule}", benchmark.protocol);
    }
}

/// What is no tie rule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no tie rule; choose reference, strict, first, random:SEED or half")]
pub struct TiesError(String);

impl FromStr for Ties {
    type Err = TiesError;

    fn from_str(text: &str) -> Result<Self, TiesError> {
        let seed = text.strip_prefix("random:").map(str::parse);
        match (text, seed) {
            ("reference", _) => Ok(Self::Reference),
            ("strict", _) => Ok(Self::All(TieRule::Strict)),
            ("first", _) => Ok(Self::All(TieRule::First)),
            ("half", _) => Ok(Self::All(TieRule::Half)),
            (_, Some(Ok(seed))) => Ok(Self::All(TieRule::Random { seed })),
            _ => Err(TiesError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written_alike() {
        for text in ["strict", "first", "half", "random:0", "random:18446744073709551615"] {
            let Ties::All(rule) = text.parse().unwrap() else { panic!("{text}") };
            assert_eq!(rule.to_string(), text);
        }
        assert_eq!("reference".parse(), Ok(Ties::Reference));
        for bad in ["", "random", "random:", "random:-1", "Strict", "last"] {
            assert!(bad.parse::<Ties>().unwrap_err().to_string().contains("random:SEED"), "{bad}");
        }
    }

    #[test]
    fn random_ties_are_fair_and_repeatable() {
        for options in [2, 5] {
            let rule = TieRule::Random { seed: 7 };
            let wins = |rule: TieRule| (0..20_000).filter(|&e| rule.for_example(e).ahead(options - 1, 0) == 0).count();
            let expected = 20_000.0 / options as f64;
            // Four standard deviations of a binomial.
            let slack = 4.0 * (expected * (1.0 - 1.0 / options as f64)).sqrt();
            assert!((wins(rule) as f64 - expected).abs() < slack, "{} of {expected}", wins(rule));
            assert_eq!(wins(rule), wins(rule));
            assert_ne!(wins(rule), wins(TieRule::Random { seed: 8 }));
        }
        assert_eq!(TieRule::Random { seed: 3 }.ahead(0, 0), 0, "nothing to draw from");
    }
}
