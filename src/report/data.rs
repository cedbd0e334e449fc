//! What a report is made of.

use std::path::Path;

use super::gallery::Gallery;
use crate::evaluate::statistics::Change;
use crate::patch::AlphaMap;
use crate::store::results::Row;

/// A form in which a report leaves the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The figure, to be drawn at any size.
    Svg,
    /// The figure in pixels.
    Png,
    /// Every score, a row each.
    Csv,
    /// Every score, as `sweep --json` prints them.
    Json,
    /// Everything in one page.
    Html,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Html, Self::Svg, Self::Png, Self::Csv, Self::Json];

    /// How its files end, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    /// What its file is called unless somebody says otherwise.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Svg => "figure.svg",
            Self::Png => "figure.png",
            Self::Csv => "scores.csv",
            Self::Json => "scores.json",
            Self::Html => "report.html",
        }
    }

    /// The kind that a file's name asks for.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_lowercase();
        Self::ALL.into_iter().find(|kind| kind.extension() == extension)
    }
}

/// One end of the pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Short name for people.
    pub name: String,
    /// As the user named it.
    pub path: String,
    /// SHA-256 of the weights, hexadecimal.
    pub sha256: String,
    /// Sizes of both towers, where they are known.
    pub architecture: Option<String>,
    /// The activation and where it was learnt from, where it is known.
    pub activation: Option<String>,
}

/// One score and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The score.
    pub row: Row,
    /// Hash of the benchmark: its question, images, protocol, tie rule and subset; empty where it was not taken.
    pub data: String,
    /// What computed it.
    pub device: String,
    /// Version of clove that computed it.
    pub version: String,
}

/// Who made the report, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// A moment for people.
    pub date: String,
    /// Version of clove.
    pub version: String,
    /// Commands that make the same report again, a line each.
    pub commands: Vec<String>,
}

/// One pair, its scores at every alpha, and some examples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Alpha 0.
    pub base: Model,
    /// Alpha 1.
    pub tuned: Model,
    /// Every score: benchmarks as they were scored, each ascending in alpha, the published metric first.
    pub entries: Vec<Entry>,
    /// Verdicts of every task at the chosen alpha against base.
    pub changes: Vec<(Axis, Change)>,
    /// Examples at the chosen alpha against base.
    pub gallery: Option<Gallery>,
    /// What readers must know of the report as a whole.
    pub remarks: Vec<String>,
    /// Who made it.
    pub made: Made,
}

/// A score that can stand on an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum Axis {
    /// Mean over composition benchmarks; tasks of one benchmark are averaged first.
    Composition,
    /// Mean over recognition benchmarks.
    Recognition,
    /// One task by the name of `--benchmark` and its own.
    Task { benchmark: String, task: Option<String> },
}

/// What names no axis.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is no score; write recognition, composition, or a benchmark such as aro-relation or sugarcrepe/add_att")]
pub struct AxisError(String);

impl std::str::FromStr for Axis {
    type Err = AxisError;

    fn from_str(text: &str) -> Result<Self, AxisError> {
        match text.split_once('/') {
            _ if text.trim().is_empty() => Err(AxisError(text.to_owned())),
            None if text == "composition" => Ok(Self::Composition),
            None if text == "recognition" => Ok(Self::Recognition),
            None => Ok(Self::Task { benchmark: text.to_owned(), task: None }),
            Some((benchmark, task)) => Ok(Self::Task { benchmark: benchmark.to_owned(), task: Some(task.to_owned()) }),
        }
    }
}

impl std::fmt::Display for Axis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Composition => f.write_str("composition"),
            Self::Recognition => f.write_str("recognition"),
            Self::Task { benchmark, task: None } => f.write_str(benchmark),
            Self::Task { benchmark, task: Some(task) } => write!(f, "{benchmark}/{task}"),
        }
    }
}

/// What the figure shows of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// What fine-tuning costs.
    pub x: Axis,
    /// What it gains: the bold line.
    pub y: Axis,
    /// Scores that are drawn beside it.
    pub lines: Vec<Axis>,
    /// Scores against alpha rather than one against another.
    pub over_alpha: bool,
    /// Where the patch stands; the best alpha without.
    pub alpha: Option<AlphaMap>,
    /// Points of x that the best alpha may lose; a third of tuned's loss without.
    pub budget: Option<f64>,
    /// Whether published models are drawn.
    pub published: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            x: Axis::Recognition,
            y: Axis::Composition,
            lines: Vec::new(),
            over_alpha: false,
            alpha: None,
            budget: None,
            published: false,
        }
    }
}
