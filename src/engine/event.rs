//! What the engine tells the window. Past tense, plain data, large lists behind `Arc`.

use std::path::PathBuf;
use std::sync::Arc;

use super::command::{End, ExampleId, ImageId};
use super::preview::NegativesPreview;
use crate::benchmark::{Outcome, Score};
use crate::patch::AlphaMap;

/// One end of the pair, for the Models panel.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointInfo {
    /// The path as given, or `demo:base`.
    pub path: PathBuf,
    /// Short name for the slider's end: file or folder name, or "demo base".
    pub name: String,
    /// For example "safetensors, Hugging Face names".
    pub format: String,
    /// For example "ViT 48 px, patch 8, 128×4 | text 128×3 | embed 64".
    pub architecture: String,
    /// "QuickGELU" or "GELU".
    pub activation: String,
    /// Where the activation was learnt from.
    pub activation_source: String,
    /// Text positions.
    pub context_length: usize,
    /// Parameters of both towers.
    pub parameters: usize,
    /// SHA-256 of the weights file, hexadecimal; empty until [`Event::Hashed`] tells it.
    pub sha256: String,
}

/// A proven pair.
#[derive(Clone, Debug, PartialEq)]
pub struct PairInfo {
    /// Alpha 0.
    pub base: CheckpointInfo,
    /// Alpha 1.
    pub tuned: CheckpointInfo,
    /// What was proven, for example "74 tensors match".
    pub verdict: String,
    /// What was adapted to make them fit, for example a context cut from 77 to 64.
    pub remarks: Vec<String>,
}

/// One example as the window shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExampleInfo {
    /// Place of its image in the benchmark.
    pub image: usize,
    /// The right caption, or the class name.
    pub right: String,
    /// Hard negatives; empty for recognition, where every other class is one.
    pub negatives: Vec<String>,
    /// Words to filter by.
    pub tags: Vec<String>,
}

/// One task of one benchmark as the window shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchmarkInfo {
    /// Name of `--benchmark`.
    pub name: String,
    /// Published task where there are several.
    pub task: Option<String>,
    /// For people, for example "ARO relation" or "SugarCrepe replace relation".
    pub title: String,
    /// Whether it stands on the recognition axis.
    pub recognition: bool,
    /// Percent right for a model that guesses.
    pub chance: f64,
    /// The protocol in one sentence: prompts, tie rule, average.
    pub protocol: String,
    /// All examples.
    pub examples: Arc<Vec<ExampleInfo>>,
    /// Distinct images.
    pub n_images: usize,
    /// Items that cannot be scored, with reasons.
    pub skipped: Arc<Vec<(String, String)>>,
}

/// One task of one benchmark that was found, whether it is scored or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundInfo {
    /// For people.
    pub title: String,
    /// Whether it stands on the recognition axis.
    pub recognition: bool,
    /// The protocol in one sentence.
    pub protocol: String,
    /// Examples, before any limit.
    pub examples: usize,
    /// Items that cannot be scored, with reasons.
    pub skipped: Arc<Vec<(String, String)>>,
    /// Whether it is scored.
    pub chosen: bool,
}

/// All benchmarks at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct DataInfo {
    /// The folder, or "scene world".
    pub source: String,
    /// What is scored: recognition first, then composition.
    pub benchmarks: Arc<Vec<BenchmarkInfo>>,
    /// What was found, in the same order.
    pub found: Arc<Vec<FoundInfo>>,
    /// Most examples of each benchmark.
    pub limit: Option<usize>,
}

/// Scores of all benchmarks at one alpha.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Where the patch stood.
    pub alpha: AlphaMap,
    /// The first row of each benchmark (its published metric); `None` while nothing of it has been judged.
    pub benchmarks: Vec<Option<Score>>,
    /// Outcomes per benchmark and example; `None` where not judged yet.
    pub outcomes: Arc<Vec<Vec<Option<Outcome>>>>,
    /// Examples judged so far, and in all.
    pub judged: usize,
    /// Examples in all.
    pub total: usize,
}

impl Scores {
    /// Whether every example has been judged.
    pub fn is_complete(&self) -> bool {
        self.judged == self.total
    }
}

/// One caption or class beside the focused image.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionScore {
    /// Caption or class name.
    pub text: String,
    /// Whether it is the right one.
    pub right: bool,
    /// Cosine.
    pub similarity: f32,
    /// Softmax at the model's own logit scale over this example's options (0..=1).
    pub probability: f32,
}

/// The focused example at one alpha.
#[derive(Clone, Debug, PartialEq)]
pub struct FocusScore {
    /// Which example.
    pub id: ExampleId,
    /// Where the patch stood.
    pub alpha: AlphaMap,
    /// Right caption first, then hard negatives in file order; for recognition the right class, then the best others.
    pub options: Vec<OptionScore>,
    /// exp(logit scale).
    pub logit_scale: f32,
}

/// How far the sweep is.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepProgress {
    /// Alphas done.
    pub done: usize,
    /// Alphas in all.
    pub total: usize,
    /// Share of the whole work (0..=1), finer than `done`.
    pub share: f64,
    /// Estimated seconds left, once known.
    pub seconds_left: Option<f64>,
    /// Whether it is held.
    pub paused: bool,
}

/// RGB bytes of a picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Row-major RGB, `3·width·height` bytes.
    pub rgb: Arc<Vec<u8>>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture {}×{}", self.width, self.height)
    }
}

/// What failed, in a sentence, and where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What, which file, what to do.
    pub summary: String,
    /// What there is to know beyond the sentence: causes, a list, the end of a log; may be empty.
    pub details: String,
    /// The end that could not be opened, to show the failure where it happened.
    pub end: Option<End>,
    /// What the person can do about it right there.
    pub remedy: Option<Remedy>,
}

impl Failure {
    /// A sentence that says all there is.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), details: String::new(), end: None, remedy: None }
    }

    /// What an error ended, with the causes behind it.
    pub(super) fn of(what: &str, error: &(dyn std::error::Error + '_)) -> Self {
        let mut details = String::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            details = format!("{details}caused by: {error}\n");
            cause = error.source();
        }
        Self { details, ..Self::new(format!("{what}: {error}")) }
    }
}

/// A next step after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Say which activation the weights were trained with.
    Activation,
    /// Download the checkpoint.
    Fetch,
}

/// How far a download is.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchProgress {
    /// What is fetched, as it was typed.
    pub name: String,
    /// The file that is arriving.
    pub file: String,
    /// Bytes of it that are there.
    pub done: u64,
    /// Bytes of it in all, where the server says it.
    pub total: Option<u64>,
    /// Estimated seconds left for this file, once known.
    pub seconds_left: Option<f64>,
}

/// The engine's pulse, at most ten a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// For example "CPU, 2 threads".
    pub device: String,
    /// Images encoded per second, lately.
    pub images_per_second: Option<f64>,
    /// Resident memory of the process in bytes.
    pub memory_bytes: Option<u64>,
    /// What it does right now, for example "scoring" or "sweeping"; empty when idle.
    pub activity: String,
}

/// A fact. Facts about a pair or about data carry the generation they belong to; the session drops those of the past.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum Event {
    /// Work on opening a pair began: what is being read.
    Opening { what: String },
    /// A pair is proven and ready at base; everything about an earlier pair is void.
    PairOpened { generation: u64, pair: Arc<PairInfo> },
    /// The SHA-256 of both weights files of this pair, which takes longer than opening them.
    Hashed { pair: Arc<PairInfo>, base: String, tuned: String },
    /// Benchmarks are ready; scores of earlier data are void.
    DataOpened { generation: u64, data: Arc<DataInfo> },
    /// The probe set at the current alpha, growing until it is complete.
    Scored { generation: u64, scores: Arc<Scores> },
    /// The focused example at the current alpha.
    FocusScored { generation: u64, focus: Arc<FocusScore> },
    /// One more alpha of the sweep is complete.
    SweepPointScored { generation: u64, scores: Arc<Scores> },
    /// The sweep moved, paused or ended (`done == total`).
    SweepAdvanced { generation: u64, progress: SweepProgress },
    /// A small picture is ready.
    ThumbnailLoaded { generation: u64, image: ImageId, picture: Picture },
    /// A large picture is ready.
    PictureLoaded { generation: u64, image: ImageId, picture: Picture },
    /// A picture cannot be shown, and why.
    PictureFailed { generation: u64, image: ImageId, reason: String },
    /// A download began or moved.
    FetchAdvanced { end: End, progress: FetchProgress },
    /// A download is over: it is all there, or was stopped, or failed (which [`Event::Failed`] tells as well).
    FetchEnded { end: End, name: String, complete: bool },
    /// Negatives of the caption that was asked about.
    NegativesPreviewed(Arc<NegativesPreview>),
    /// What was exported is on disk, whole.
    Exported { path: PathBuf },
    /// The engine's pulse.
    StatusChanged(Status),
    /// Something worth knowing that stopped nothing.
    Warned(Failure),
    /// A command ended without its answer.
    Failed(Failure),
}
