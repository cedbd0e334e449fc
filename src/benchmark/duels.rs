//! Examples with several images or captions: which of two pairs is more alike. Pure.

use super::score::Outcome;
use super::{TieRule, judge};

/// A pair whose similarity is compared; indices into [`Duel::images`] and [`Duel::captions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// An image and a caption.
    Image(usize, usize),
    /// Two captions.
    Texts(usize, usize),
}

/// `ahead` must be more similar than `behind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Win {
    /// The pair that belongs together.
    pub ahead: Cell,
    /// The pair that does not.
    pub behind: Cell,
}

/// Some images and captions, and the comparisons that must all be won for the example to be right.
#[derive(Clone, Debug, PartialEq)]
pub struct Duel {
    /// Indices into [`super::Benchmark::images`]; may be empty where only captions are compared.
    pub images: Vec<usize>,
    /// Captions, the first one right for the first image.
    pub captions: Vec<String>,
    /// All must be won.
    pub wins: Vec<Win>,
    /// Words to filter by.
    pub tags: Vec<String>,
}

impl Duel {
    /// The cells whose similarities [`Duel::judge`] expects: of each comparison the right one, then the wrong one.
    pub fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        self.wins.iter().flat_map(|win| [win.ahead, win.behind])
    }

    /// The caption of a cell; of two captions the later one, which is compared with the first.
    pub fn caption_of(&self, cell: Cell) -> &str {
        let (Cell::Image(_, caption) | Cell::Texts(_, caption)) = cell;
        self.captions.get(caption).map_or("", String::as_str)
    }

    /// Right if every comparison is won; the margin is that of the closest one. `similarities` as in [`Duel::cells`].
    /// Under [`TieRule::First`] the earlier cell wins a tie, as `argmax` has it; under the other rules each tied
    /// comparison is a tie of two.
    pub fn judge(&self, similarities: &[f32], ties: TieRule) -> Outcome {
        let pairs = similarities.as_chunks::<2>().0;
        let comparable = pairs.len() == self.wins.len() && !pairs.is_empty();
        if !comparable || similarities.iter().any(|s| s.is_nan()) {
            return judge::lost();
        }
        let (mut n_tied, mut behind) = (0_u32, false);
        let mut margin = 2.0_f32;
        for (i, (win, [ahead, other])) in self.wins.iter().zip(pairs).enumerate() {
            margin = margin.min((ahead - other).clamp(-2.0, 2.0));
            if ahead < other {
                behind = true;
            } else if judge::same(*ahead, *other) {
                n_tied += 1;
                let earlier = usize::from(win.behind < win.ahead);
                behind |= ties.for_example(i).ahead(1, earlier) > 0;
            }
        }
        let lost = margin < 0.0;
        let shared = if lost { 0 } else { 2_u32.saturating_pow(n_tied) - 1 };
        let right = !behind && (ties != TieRule::Half || n_tied == 0);
        Outcome { right, tied: !lost && n_tied > 0, margin, in_top5: right, rank: u32::from(behind), equal: shared }
    }
}

/// The four comparisons of two images and two captions, image k with caption k: (text score, image score), each of two
/// comparisons. Text: the right caption is ahead for each image. Image: the right image is ahead for each caption.
/// The group score asks for all four (Thrush et al., 2022, "Winoground", §3).
pub(super) fn crossed() -> ([Win; 2], [Win; 2]) {
    let win = |ahead: (usize, usize), behind: (usize, usize)| Win {
        ahead: Cell::Image(ahead.0, ahead.1),
        behind: Cell::Image(behind.0, behind.1),
    };
    let text = [win((0, 0), (0, 1)), win((1, 1), (1, 0))];
    let image = [win((0, 0), (1, 0)), win((1, 1), (0, 1))];
    (text, image)
}

/// Percent that guessing gets right, each order of the cells in play as likely as any other: 25 for Winoground's text
/// and image scores, 16.67 for its group score.
pub(super) fn chance(wins: &[Win]) -> f64 {
    let mut cells: Vec<Cell> = wins.iter().flat_map(|win| [win.ahead, win.behind]).collect();
    cells.sort_unstable();
    cells.dedup();
    let place = |cell: Cell| cells.binary_search(&cell).unwrap_or_default();
    let wins: Vec<(usize, usize)> = wins.iter().map(|win| (place(win.ahead), place(win.behind))).collect();
    let (mut all, mut won) = (0_u64, 0_u64);
    // Heap's algorithm over the ranks; published sets have at most four cells in play.
    let mut ranks: Vec<usize> = (0..cells.len().min(8)).collect();
    let mut counters = vec![0; ranks.len()];
    let mut count = |ranks: &[usize]| {
        all += 1;
        won += u64::from(wins.iter().all(|&(a, b)| ranks.get(a) > ranks.get(b)));
    };
    count(&ranks);
    let mut i = 1;
    while i < ranks.len() {
        if counters[i] < i {
            ranks.swap(if i % 2 == 0 { 0 } else { counters[i] }, i);
            count(&ranks);
            counters[i] += 1;
            i = 1;
        } else {
            counters[i] = 0;
            i += 1;
        }
    }
    100.0 * won as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duel(wins: &[Win]) -> Duel {
        let captions = vec!["a".to_owned(), "b".to_owned()];
        Duel { images: vec![0, 1], captions, wins: wins.to_vec(), tags: Vec::new() }
    }

    /// `[[s(c0,i0), s(c0,i1)], [s(c1,i0), s(c1,i1)]]` as the reference names them.
    fn verdicts(s: [[f32; 2]; 2], ties: TieRule) -> [bool; 3] {
        let (text, image) = crossed();
        let group = [text, image].concat();
        [&text[..], &image[..], &group[..]].map(|wins| {
            let duel = duel(wins);
            let at = |cell| match cell {
                Cell::Image(i, c) => s[c][i],
                Cell::Texts(..) => f32::NAN,
            };
            duel.judge(&duel.cells().map(at).collect::<Vec<_>>(), ties).right
        })
    }

    #[test]
    fn winoground_scores() {
        let strict = |s| verdicts(s, TieRule::Strict);
        assert_eq!(strict([[0.9, 0.1], [0.2, 0.8]]), [true, true, true]);
        // Both images prefer their caption, caption 1 prefers image 0.
        assert_eq!(strict([[0.9, 0.1], [0.5, 0.4]]), [true, false, false]);
        assert_eq!(strict([[0.5, 0.4], [0.6, 0.7]]), [false, true, false]);
        assert_eq!(strict([[0.5; 2]; 2]), [false; 3]);
        // CLIP_benchmark: argmax over captions per image is 0 for a tie; image 0 right, image 1 wrong.
        assert_eq!(verdicts([[0.5; 2]; 2], TieRule::First), [false; 3]);
        assert_eq!(verdicts([[0.5, 0.1], [0.5, 0.8]], TieRule::First), [true, true, true]);
        assert_eq!(strict([[f32::NAN, 0.1], [0.2, 0.8]]), [false; 3], "NaN is never right");
    }

    #[test]
    fn ties_are_counted_only_where_nothing_is_lost() {
        let (text, _) = crossed();
        let of = |similarities: [f32; 4]| duel(&text).judge(&similarities, TieRule::Half);
        assert_eq!((of([0.5, 0.5, 0.9, 0.1]).tied, of([0.5, 0.5, 0.9, 0.1]).equal), (true, 1));
        assert_eq!(of([0.5; 4]).equal, 3, "two ties of two: one chance in four");
        let lost = of([0.5, 0.5, 0.1, 0.9]);
        assert_eq!((lost.tied, lost.right, lost.rank, lost.equal), (false, false, 1, 0));
        assert!((lost.margin + 0.8).abs() < 1e-6);
        assert!(!duel(&text).judge(&[0.1, 0.0], TieRule::First).right, "too few similarities");
        assert!(!duel(&[]).judge(&[], TieRule::First).right);
    }

    #[test]
    fn guessing() {
        let (text, image) = crossed();
        assert!((chance(&text) - 25.0).abs() < 1e-9);
        assert!((chance(&image) - 25.0).abs() < 1e-9);
        assert!((chance(&[text, image].concat()) - 100.0 / 6.0).abs() < 1e-9);
        assert!((chance(&text[..1]) - 50.0).abs() < 1e-9);
    }
}
