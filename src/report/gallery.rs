//! Examples that became right, became wrong, or stayed wrong: which ones, and what is told of each.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};

use crate::benchmark::{Benchmark, Items, Outcome};

/// How an example's verdict moved from base to the chosen alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Right at base, wrong at the chosen alpha.
    Broken,
    /// Wrong at both.
    StillWrong,
    /// Wrong at base, right at the chosen alpha.
    Fixed,
}

impl Verdict {
    /// Failures first.
    pub const ALL: [Self; 3] = [Self::Broken, Self::StillWrong, Self::Fixed];

    /// `None` for what was right at both, or not judged at one.
    pub fn of(before: Option<&Outcome>, after: Option<&Outcome>) -> Option<Self> {
        match (before?.right, after?.right) {
            (true, false) => Some(Self::Broken),
            (false, false) => Some(Self::StillWrong),
            (false, true) => Some(Self::Fixed),
            (true, true) => None,
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Broken => "Broken",
            Self::StillWrong => "Still wrong",
            Self::Fixed => "Fixed",
        }
    }
}

/// A small picture as a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// For example `image/jpeg`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Longest side of a picture, pixels.
const SIDE: u32 = 224;
/// Of JPEG, out of 100.
const QUALITY: u8 = 82;

impl Picture {
    /// At most 224 pixels on the longer side, as JPEG.
    ///
    /// # Errors
    /// One sentence.
    pub fn of(image: &RgbImage) -> Result<Self, String> {
        let longest = image.width().max(image.height());
        let to = |n: u32| (u64::from(n) * u64::from(SIDE) / u64::from(longest.max(1))).max(1) as u32;
        let small = (longest > SIDE)
            .then(|| imageops::resize(image, to(image.width()), to(image.height()), FilterType::Triangle));
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        small.as_ref().unwrap_or(image).write_with_encoder(encoder).map_err(|e| format!("no picture: {e}"))?;
        Ok(Self { media_type: "image/jpeg", bytes })
    }
}

/// A caption or class with its cosines.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Caption or class name.
    pub text: String,
    /// At base; `None` where it was not kept.
    pub at_base: Option<f32>,
    /// At the chosen alpha.
    pub at_alpha: Option<f32>,
}

/// One example.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// How it moved.
    pub verdict: Verdict,
    /// The task's title.
    pub task: String,
    /// The image's name.
    pub item: String,
    /// The picture, or why there is none.
    pub picture: Result<Picture, String>,
    /// What is right.
    pub right: Said,
    /// The wrong option with the highest cosine at the chosen alpha; at base for what was fixed.
    pub winner: Option<Said>,
    /// Cosine of the right option minus that of the best wrong one, at base and at the chosen alpha.
    pub margins: [f32; 2],
}

/// Some examples of every verdict, and how many there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gallery {
    /// Examples shown.
    pub failures: Vec<Failure>,
    /// Examples in all: broken, still wrong, fixed.
    pub counts: [usize; 3],
    /// Examples judged at both alphas.
    pub compared: usize,
    /// Items that could not be scored: name and reason.
    pub unreadable: Vec<(String, String)>,
}

/// An example to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// How it moved.
    pub verdict: Verdict,
    /// Place of the benchmark.
    pub benchmark: usize,
    /// Place of the example.
    pub example: usize,
}

/// Verdicts of some benchmarks at base and at the chosen alpha.
pub type Sides<'a> = (&'a [Option<Outcome>], &'a [Option<Outcome>]);

/// At most `most` examples of every verdict, the same on every run: benchmarks take turns, and each gives examples at
/// even distances. The gallery that comes with them holds the counts and no example yet.
pub fn choose(sides: &[Sides<'_>], most: usize) -> (Vec<Chosen>, Gallery) {
    let mut gallery = Gallery::default();
    let mut chosen = Vec::new();
    let judged =
        |(before, after): &Sides<'_>| before.iter().zip(*after).filter(|(b, a)| b.is_some() && a.is_some()).count();
    gallery.compared = sides.iter().map(judged).sum();
    for (place, verdict) in Verdict::ALL.into_iter().enumerate() {
        let of = |(before, after): &Sides<'_>| -> Vec<usize> {
            let moved = before.iter().zip(*after).map(|(b, a)| Verdict::of(b.as_ref(), a.as_ref()));
            moved.enumerate().filter(|(_, moved)| *moved == Some(verdict)).map(|(example, _)| example).collect()
        };
        let candidates: Vec<Vec<usize>> = sides.iter().map(of).collect();
        gallery.counts[place] = candidates.iter().map(Vec::len).sum();
        for (benchmark, share) in shares(&candidates, most).into_iter().enumerate() {
            let examples = &candidates[benchmark];
            let spread = (0..share).filter_map(|i| examples.get((2 * i + 1) * examples.len() / (2 * share)));
            chosen.extend(spread.map(|example| Chosen { verdict, benchmark, example: *example }));
        }
    }
    (chosen, gallery)
}

/// How many each gives when they take turns until `most` are given or none is left.
fn shares(candidates: &[Vec<usize>], most: usize) -> Vec<usize> {
    let mut shares = vec![0; candidates.len()];
    let mut given = 0;
    while given < most {
        let before = given;
        for (share, examples) in shares.iter_mut().zip(candidates) {
            if given < most && *share < examples.len() {
                *share += 1;
                given += 1;
            }
        }
        if given == before {
            break;
        }
    }
    shares
}

/// Cosines of an example's options, by their place in file order, at base and at the chosen alpha.
pub type Cosines<'a> = [&'a [(usize, f32)]; 2];

/// What is told of one example. `title` is the task's; `outcomes` and `cosines` are at base and at the chosen alpha.
/// `None` where the benchmark has no such example.
pub fn describe(
    benchmark: &Benchmark,
    title: &str,
    chosen: Chosen,
    outcomes: [&Outcome; 2],
    cosines: Cosines<'_>,
    picture: Result<Picture, String>,
) -> Option<Failure> {
    let Chosen { verdict, example, .. } = chosen;
    if example >= benchmark.len() {
        return None;
    }
    let at = |side: usize, option: usize| cosines[side].iter().find(|(o, _)| *o == option).map(|(_, cosine)| *cosine);
    let said = |option: usize| Said {
        text: text(benchmark, example, option),
        at_base: at(0, option),
        at_alpha: at(1, option),
    };
    let decided_at = usize::from(verdict != Verdict::Fixed);
    let decided = if cosines[decided_at].is_empty() { cosines[1] } else { cosines[decided_at] };
    let (right, winner) = options(benchmark, example, decided);
    let right = match right {
        Some(right) => said(right),
        None => Said { text: expected(benchmark, example), at_base: None, at_alpha: None },
    };
    let image = benchmark.images.get(benchmark.image_of(example));
    Some(Failure {
        verdict,
        task: title.to_owned(),
        item: image.map_or_else(String::new, crate::benchmark::ImageRef::name),
        picture,
        right,
        winner: winner.map(said),
        margins: outcomes.map(|outcome| outcome.margin),
    })
}

/// The right option and the best wrong one. In a duel those of the comparison that is lost by most, or won by least.
fn options(benchmark: &Benchmark, example: usize, cosines: &[(usize, f32)]) -> (Option<usize>, Option<usize>) {
    let best = |wrong: &dyn Fn(usize) -> bool| {
        let others = cosines.iter().filter(|(option, _)| wrong(*option));
        others.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(option, _)| *option)
    };
    match &benchmark.items {
        Items::Choices(choices) => {
            let right = choices.get(example).map(|choice| choice.right);
            (right, best(&|option| Some(option) != right))
        }
        Items::Classes { labels, .. } => {
            let right = labels.get(example).copied();
            (right, best(&|option| Some(option) != right))
        }
        Items::Duels(_) => {
            let pairs = cosines.as_chunks::<2>().0.iter();
            let closest = pairs.min_by(|[a, b], [c, d]| (a.1 - b.1).total_cmp(&(c.1 - d.1)));
            (closest.map(|[ahead, _]| ahead.0), closest.map(|[_, behind]| behind.0))
        }
        // Several may be right, and of many candidates only some are kept.
        Items::Retrieval(_) => (None, None),
    }
}

fn text(benchmark: &Benchmark, example: usize, option: usize) -> String {
    let found = match &benchmark.items {
        Items::Choices(choices) => choices.get(example).and_then(|choice| choice.captions.get(option)).cloned(),
        Items::Classes { classes, .. } => classes.get(option).cloned(),
        Items::Duels(duels) => duels.get(example).and_then(|duel| {
            let cell = duel.cells().nth(option)?;
            Some(duel.caption_of(cell).to_owned())
        }),
        Items::Retrieval(_) => None,
    };
    found.unwrap_or_default()
}

/// What is right, where no cosine was kept.
fn expected(benchmark: &Benchmark, example: usize) -> String {
    match &benchmark.items {
        Items::Retrieval(retrieval) => retrieval.right_caption(example).to_owned(),
        Items::Duels(duels) => duels.get(example).and_then(|duel| duel.captions.first()).cloned().unwrap_or_default(),
        Items::Choices(_) | Items::Classes { .. } => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::{Choice, ImageRef, Metric, TieRule};

    fn outcomes(marks: &str) -> Vec<Option<Outcome>> {
        let outcome = |right| Outcome { right, tied: false, margin: 0.1, in_top5: right, rank: 0, equal: 0 };
        marks.chars().map(|mark| (mark != '.').then_some(outcome(mark == 'r'))).collect()
    }

    #[test]
    fn benchmarks_take_turns_and_examples_are_spread() {
        let (before, after) = (outcomes("rrrrrrrrww.r"), outcomes("wwwwwwwwwrrr"));
        let (few_before, few_after) = (outcomes("rw"), outcomes("ww"));
        let sides: Vec<Sides<'_>> = vec![(&before, &after), (&few_before, &few_after)];
        let (chosen, gallery) = choose(&sides, 4);
        assert_eq!((gallery.counts, gallery.compared), ([9, 2, 1], 13));
        let of = |verdict| {
            chosen.iter().filter(|c| c.verdict == verdict).map(|c| (c.benchmark, c.example)).collect::<Vec<_>>()
        };
        assert_eq!(of(Verdict::Broken), [(0, 1), (0, 4), (0, 6), (1, 0)]);
        assert_eq!(of(Verdict::StillWrong), [(0, 8), (1, 1)]);
        assert_eq!(of(Verdict::Fixed), [(0, 9)]);
        assert!(choose(&sides, 0).0.is_empty() && choose(&[], 3).0.is_empty());
    }

    #[test]
    fn the_winner_is_the_best_wrong_option_where_it_was_decided() {
        let captions = ["a", "b", "c"].map(str::to_owned).to_vec();
        let choice = Choice { image: 0, captions, right: 1, group: None, tags: Vec::new() };
        let benchmark = Benchmark {
            name: "pairs".into(),
            task: None,
            metric: Metric::Accuracy,
            ties: TieRule::Strict,
            images: vec![ImageRef::File { path: "folder/x.png".into(), crop: None }],
            items: Items::Choices(vec![choice]),
            skipped: Vec::new(),
            protocol: String::new(),
            n_in_file: 1,
        };
        let (wrong, right) = (outcomes("w")[0].unwrap(), outcomes("r")[0].unwrap());
        let cosines: Cosines<'_> = [&[(0, 0.3), (1, 0.2), (2, 0.1)], &[(0, 0.1), (1, 0.2), (2, 0.25)]];
        let told = |verdict, outcomes| {
            let chosen = Chosen { verdict, benchmark: 0, example: 0 };
            describe(&benchmark, "Own pairs", chosen, outcomes, cosines, Err("none".into())).unwrap()
        };
        let still = told(Verdict::StillWrong, [&wrong, &wrong]);
        let winner = still.winner.unwrap();
        assert_eq!((still.right.text.as_str(), winner.text.as_str(), still.item.as_str()), ("b", "c", "x.png"));
        assert_eq!((winner.at_base, winner.at_alpha, still.right.at_alpha), (Some(0.1), Some(0.25), Some(0.2)));
        assert_eq!(told(Verdict::Fixed, [&wrong, &right]).winner.unwrap().text, "a");
        let none = Chosen { verdict: Verdict::Fixed, benchmark: 0, example: 7 };
        assert!(describe(&benchmark, "", none, [&wrong, &right], cosines, Err(String::new())).is_none());
    }
}
