//! Verdicts on single examples: right or wrong now, and what changed against the alpha that is compared with.

use super::Session;
use super::standing::{Shown, Standing, outcome_in};
use crate::benchmark::Outcome;
use crate::engine::{ExampleId, Scores};
use crate::evaluate::statistics::mcnemar;
use crate::patch::AlphaMap;

/// The verdicts by which examples are told apart. "Before" is [`Session::compared_with`], base unless chosen otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Any, also not judged yet.
    #[default]
    All,
    /// Right at the current alpha.
    Right,
    /// Wrong at the current alpha.
    Wrong,
    /// Wrong before and right now.
    Fixed,
    /// Right before and wrong now.
    Broken,
    /// Right before and now.
    Both,
    /// Wrong before and now.
    Neither,
}

/// How many examples went which way between two alphas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paired {
    /// Wrong before, right now.
    pub fixed: usize,
    /// Right before, wrong now.
    pub broken: usize,
    /// Right before and now.
    pub both: usize,
    /// Wrong before and now.
    pub neither: usize,
}

impl Paired {
    /// Counts one example.
    pub fn add(&mut self, before: bool, now: bool) {
        *match (before, now) {
            (false, true) => &mut self.fixed,
            (true, false) => &mut self.broken,
            (true, true) => &mut self.both,
            (false, false) => &mut self.neither,
        } += 1;
    }

    /// Examples judged at both alphas.
    pub fn compared(&self) -> usize {
        self.fixed + self.broken + self.both + self.neither
    }

    /// The exact test of `McNemar`: how often two equally good models would differ at least so much.
    pub fn p_value(&self) -> f64 {
        mcnemar(self.fixed, self.broken)
    }
}

/// What verdicts are told from, looked up once for many examples.
pub struct Verdicts<'a> {
    before: Option<&'a Scores>,
    swept: Option<&'a Scores>,
    standing: &'a Standing,
    wanted: AlphaMap,
}

impl Verdicts<'_> {
    /// One example's outcome at the wanted alpha: the sweep's where it has one, or else the last answer.
    pub fn outcome(&self, id: ExampleId) -> Option<Shown<Outcome>> {
        match self.swept.and_then(|scores| outcome_in(scores, id)) {
            Some(value) => Some(Shown { value, stale: false }),
            None => self.standing.outcome(id, self.wanted),
        }
    }

    /// Whether an example was right before and is right now; each unknown until it is judged there.
    pub fn before_and_now(&self, id: ExampleId) -> (Option<bool>, Option<bool>) {
        let before = self.before.and_then(|scores| outcome_in(scores, id));
        (before.map(|outcome| outcome.right), self.outcome(id).map(|shown| shown.value.right))
    }

    /// Whether an example has a verdict now. Those that compare are false until the sweep has the alpha compared with.
    pub fn is(&self, id: ExampleId, verdict: Verdict) -> bool {
        if verdict == Verdict::All {
            return true;
        }
        verdict.fits(self.before_and_now(id))
    }
}

impl Verdict {
    /// Whether the verdict holds for an example that was and is right or wrong, or not judged yet.
    pub fn fits(self, (before, now): (Option<bool>, Option<bool>)) -> bool {
        match self {
            Verdict::All => true,
            Verdict::Right => now == Some(true),
            Verdict::Wrong => now == Some(false),
            Verdict::Fixed => before == Some(false) && now == Some(true),
            Verdict::Broken => before == Some(true) && now == Some(false),
            Verdict::Both => before == Some(true) && now == Some(true),
            Verdict::Neither => before == Some(false) && now == Some(false),
        }
    }
}

impl Session {
    /// Where verdicts at the wanted alpha come from.
    pub fn verdicts(&self) -> Verdicts<'_> {
        let swept = |alpha| self.swept(alpha).map(|scores| &**scores);
        let (before, now) = (swept(self.compared_with()), swept(self.wanted()));
        Verdicts { before, swept: now, standing: &self.standing, wanted: self.wanted() }
    }

    /// One example's outcome at the wanted alpha.
    pub fn outcome(&self, id: ExampleId) -> Option<Shown<Outcome>> {
        self.verdicts().outcome(id)
    }

    /// Whether an example has a verdict now.
    pub fn is(&self, id: ExampleId, verdict: Verdict) -> bool {
        self.verdicts().is(id, verdict)
    }
}
