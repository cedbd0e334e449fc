//! Finished curves of earlier pairs on the same data, so that a new fine-tune stands beside those before it.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Mark, Series, Session};
use crate::engine::{PairInfo, Scores};

/// How many are kept; the oldest leave first.
const KEPT: usize = 6;

/// Where an end lies, and its hash, which may come late.
type End = (PathBuf, String);

/// One finished sweep of an earlier pair, without its single examples.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// Grows by one with every curve kept.
    pub id: u64,
    /// What tuned was called.
    pub name: String,
    /// Whether it is drawn.
    pub shown: bool,
    ends: [End; 2],
    sweep: Vec<Arc<Scores>>,
}

impl Session {
    /// Finished curves of earlier pairs on this data, oldest first.
    pub fn earlier(&self) -> &[Earlier] {
        &self.earlier
    }

    /// `y` against `x` of an earlier pair, as [`Session::curve`].
    pub fn earlier_curve(&self, earlier: &Earlier, x: Series, y: Series) -> Vec<Mark> {
        self.curve_of(&earlier.sweep, x, y)
    }

    /// Draws or hides an earlier curve.
    pub fn show_earlier(&mut self, id: u64, shown: bool) {
        if let Some(earlier) = self.earlier.iter_mut().find(|earlier| earlier.id == id) {
            earlier.shown = shown;
            self.sweep_revision += 1;
        }
    }

    /// Forgets all earlier curves.
    pub fn forget_earlier(&mut self) {
        self.earlier.clear();
        self.sweep_revision += 1;
    }

    /// Before another pair takes over: a finished sweep is kept, unless the same two files come back.
    pub(super) fn keep_curve(&mut self, next: &PairInfo) {
        let next = ends(next);
        self.earlier.retain(|earlier| !is_same(&earlier.ends, &next));
        let Some(pair) = self.pair.clone().filter(|pair| self.is_swept() && !is_same(&ends(pair), &next)) else {
            return;
        };
        // Outcomes of every example would be most of the memory, and nothing asks for them.
        let bare = |scores: &Arc<Scores>| Arc::new(Scores { outcomes: Arc::default(), ..(**scores).clone() });
        let sweep = self.sweep.iter().filter(|scores| scores.alpha.is_linked()).map(bare).collect();
        let id = self.next_earlier;
        self.next_earlier += 1;
        self.earlier.push(Earlier { id, name: pair.tuned.name.clone(), shown: true, ends: ends(&pair), sweep });
        if self.earlier.len() > KEPT {
            self.earlier.remove(0);
        }
    }
}

fn ends(pair: &PairInfo) -> [End; 2] {
    [&pair.base, &pair.tuned].map(|end| (end.path.clone(), end.sha256.clone()))
}

/// The same files, as far as their hashes are known.
fn is_same(a: &[End; 2], b: &[End; 2]) -> bool {
    let same = |(a, b): (&End, &End)| a.0 == b.0 && (a.1 == b.1 || a.1.is_empty() || b.1.is_empty());
    a.iter().zip(b).all(same)
}
