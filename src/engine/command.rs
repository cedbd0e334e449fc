//! What the window may ask of the engine. Imperative; every command ends in its event or in [`super::Event::Failed`].

use std::path::PathBuf;

use crate::kernels::Activation;
use crate::patch::AlphaMap;
use crate::report;

/// Names one example: the benchmark's place in [`super::DataInfo::benchmarks`] and the example's place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExampleId {
    /// Place of the benchmark.
    pub benchmark: usize,
    /// Place of the example.
    pub example: usize,
}

/// Names one image: the benchmark's place and the image's place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageId {
    /// Place of the benchmark.
    pub benchmark: usize,
    /// Place of the image.
    pub image: usize,
}

/// Which end of the pair a checkpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The pre-trained checkpoint, alpha 0.
    Base,
    /// The fine-tuned checkpoint, alpha 1.
    Tuned,
}

impl End {
    /// 0 or 1: its place in what is kept for both.
    pub fn place(self) -> usize {
        usize::from(self == Self::Tuned)
    }
}

/// What is to be written where.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// The file.
    pub path: PathBuf,
    /// In which form.
    pub kind: report::Kind,
    /// What the figure shows.
    pub view: report::View,
    /// Whether a file that is there may be replaced: the person was asked.
    pub replace: bool,
}

/// A request. `SetAlpha`, `Focus` and `ShowThumbnails` overwrite their predecessor: the newest wins.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum Command {
    /// Open both ends; `demo:base` and `demo:tuned` name the embedded pair. Answer: `PairOpened`.
    OpenPair { base: PathBuf, tuned: PathBuf },
    /// Run base and tuned with these activations from the next pair on; `None` is what the files tell.
    UseActivations([Option<Activation>; 2]),
    /// Download what an end is called (`hf:…` or an address) into the cache folder, because the person asked for it.
    /// Answers: `FetchAdvanced`, then `FetchEnded`.
    Fetch { end: End, name: String },
    /// End a download; what has arrived stays, and the next one goes on from there. Answer: `FetchEnded`.
    StopFetch(End),
    /// Find benchmarks in a folder, or take the demo world's when `None`. Answer: `DataOpened`.
    OpenData { folder: Option<PathBuf> },
    /// Score only these of the benchmarks found (by their place), and at most so many examples of each. Answer:
    /// `DataOpened`.
    ChooseData { chosen: Vec<bool>, limit: Option<usize> },
    /// Blend to these alphas and score the focused example, then the probe set. Answers: `FocusScored`, `Scored`.
    SetAlpha(AlphaMap),
    /// Follow one example. Answer: `FocusScored` at the current alpha, and again at each new one.
    Focus(Option<ExampleId>),
    /// Load small pictures of these images, in this order. Answers: `ThumbnailLoaded` each.
    ShowThumbnails(Vec<ImageId>),
    /// Load the large picture. Answer: `PictureLoaded`.
    ShowPicture(ImageId),
    /// Show what hard negatives could be written against a caption; the newest wins. Answer: `NegativesPreviewed`.
    PreviewNegatives { caption: String, seed: u64 },
    /// Go on with, or hold, the sweep over alpha. Answer: `SweepAdvanced`.
    RunSweep(bool),
    /// After the sweep, score the map: every alpha of the image tower with every alpha of the text tower. Answers as the
    /// sweep's.
    RunMap,
    /// Take what is stored in this folder of results as swept, from the next pair on. Nothing in it is computed again.
    UseResults(Option<PathBuf>),
    /// Write what the sweep has found to a file. Answer: `Exported`.
    Export(Box<Export>),
    /// End the engine's thread.
    Quit,
}
