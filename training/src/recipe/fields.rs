//! Every field of a recipe, once: the struct, its documentation, and what a form or a help text says of it.

use serde::{Deserialize, Serialize};

/// What a form and a help text know of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Name in the file and in the struct.
    pub key: &'static str,
    /// Where a form shows it.
    pub group: Group,
    /// Name for people.
    pub label: &'static str,
    /// What it means, with its range and its default.
    pub doc: &'static str,
    /// Unit of its numbers; empty where there is none.
    pub unit: &'static str,
    /// What it takes.
    pub kind: Kind,
}

/// Parts of a form, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Name, seed, length.
    Run,
    /// Images and captions.
    Data,
    /// Hard negatives.
    Negatives,
    /// Learning rate, AdamW, clipping.
    Optimizer,
    /// Where the weights start and how they are computed.
    Model,
    /// The patched curve during the run.
    Evaluation,
    /// What is kept to go on from.
    Checkpoints,
}

impl Group {
    /// Name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Run => "Run",
            Self::Data => "Data",
            Self::Negatives => "Hard negatives",
            Self::Optimizer => "Optimizer",
            Self::Model => "Model",
            Self::Evaluation => "Evaluation",
            Self::Checkpoints => "Checkpoints",
        }
    }
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any text.
    Text,
    /// A file or folder.
    Path,
    /// A list of files, folders and patterns.
    Paths,
    /// A number from 0 up.
    Whole,
    /// A number.
    Number,
    /// Two numbers.
    NumberPair,
    /// A number from 0 up, or nothing.
    OptionalWhole,
    /// A number, or nothing.
    OptionalNumber,
    /// Yes or no.
    Flag,
    /// One of these; an empty text is nothing.
    Choice(&'static [&'static str]),
    /// A list of words.
    Words,
}

impl Kind {
    /// What to write, for people.
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Text | Self::Path => "text",
            Self::Paths | Self::Words => "a list of texts",
            Self::Whole => "a whole number from 0 up",
            Self::Number => "a number",
            Self::NumberPair => "two numbers",
            Self::OptionalWhole => "a whole number from 0 up, or absent",
            Self::OptionalNumber => "a number, or absent",
            Self::Flag => "true or false",
            Self::Choice(_) => "one of its choices",
        }
    }

    /// Whether a recipe may lack the field: an empty text then stands for nothing.
    pub(super) fn may_lack(self) -> bool {
        match self {
            Self::OptionalWhole | Self::OptionalNumber => true,
            Self::Choice(choices) => choices.contains(&""),
            _ => false,
        }
    }
}

/// Number format of activations and products; weights, moments and the loss are f32 either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the exponent of f32, on devices that have it.
    Bf16,
}

/// How shards and samples are visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampling {
    /// Every sample once before any comes again.
    #[default]
    Epochs,
    /// Shards drawn with replacement.
    Replacement,
}

/// Where hard negatives come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NegativeSource {
    /// None: plain contrastive training.
    None,
    /// The data's own.
    Given,
    /// One element replaced through WordNet (CLoVe's release).
    #[default]
    Replace,
    /// Two phrases of one class swapped (NegCLIP).
    Negclip,
    /// Two words of one class swapped.
    Swap,
    /// Words in another order.
    Shuffle,
    /// The relation replaced.
    Relation,
}

/// The struct and the list of its fields, from one table.
macro_rules! recipe {
    ($($(#[doc = $doc:literal])+ $(#[serde $serde:tt])?
       $key:ident: $type:ty, $group:ident, $label:literal, $unit:literal, $kind:expr;)+) => {
        /// Settings of a fine-tune. The fields of a first recipe must be written; those that came later have defaults,
        /// which a frozen recipe writes out.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Recipe {
            $($(#[doc = $doc])+ $(#[serde $serde])? pub $key: $type,)+
        }

        /// Every field of [`Recipe`] in its order.
        pub const FIELDS: &[Field] = &[$(Field {
            key: stringify!($key),
            group: Group::$group,
            label: $label,
            doc: concat!($($doc),+).trim_ascii(),
            unit: $unit,
            kind: $kind,
        }),+];
    };
}

recipe! {
    /// Name of the run; free text that is not blank.
    name: String, Run, "Name", "", Kind::Text;
    /// Seed of all chance in the run: order of samples, crops, captions and negatives drawn. Below 2^63.
    seed: u64, Run, "Seed", "", Kind::Whole;
    /// Optimizer steps of the whole run, warm-up included. One step takes one batch.
    steps: u64, Run, "Steps", "", Kind::Whole;
    /// Image–caption pairs per step; negatives come on top.
    batch: usize, Run, "Batch", "pairs", Kind::Whole;
    /// Peak learning rate, per step, reached at the end of the warm-up; then a cosine to zero.
    lr: f64, Optimizer, "Learning rate", "", Kind::Number;
    /// Decay per step of the running means of the gradient and of its square, each from 0 to below 1.
    betas: [f64; 2], Optimizer, "Betas", "", Kind::NumberPair;
    /// Added to the root of the mean square, after bias correction; in units of the gradient.
    eps: f64, Optimizer, "Epsilon", "", Kind::Number;
    /// Share of a weight taken off per step, times the learning rate. Vectors, norms, biases and the scale are spared.
    weight_decay: f64, Optimizer, "Weight decay", "", Kind::Number;
    /// Steps of linear warm-up.
    warmup: u64, Optimizer, "Warm-up", "steps", Kind::Whole;
    /// Longest global gradient norm (L2, all parameters together); longer gradients are shortened to it. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clip_norm: Option<f64>, Optimizer, "Gradient clipping", "", Kind::OptionalNumber;
    /// Most hard negatives taken per caption; a sample that has fewer gives what it has.
    negatives_per_caption: usize, Negatives, "Negatives per caption", "", Kind::Whole;
    /// Upper bound of the logarithm of the logit scale (natural logarithm; the lower bound is 0). CLIP: ln 100.
    logit_scale_max: f64, Optimizer, "Highest log logit scale", "", Kind::Number;
    /// Checkpoint to start from: a file, a folder, or demo:base.
    #[serde(default = "demo_base")]
    base: String, Model, "Base", "", Kind::Path;
    /// quick-gelu or gelu, where the checkpoint cannot tell. Absent: as the checkpoint says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activation: Option<String>, Model, "Activation", "", Kind::Choice(&["", "quick-gelu", "gelu"]);
    /// Text positions to keep, counted with both marks; longer captions are cut. Absent: all of the checkpoint's. The paper: 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context_length: Option<usize>, Model, "Context length", "tokens", Kind::OptionalWhole;
    /// Micro-batches per step. The result equals the large batch; more of them need less memory and more time.
    #[serde(default = "one")]
    accumulate: usize, Model, "Accumulate", "micro-batches", Kind::Whole;
    /// Parameters that are not trained, as beginnings of open_clip tensor names: "visual." is the image tower, "transformer.resblocks.0." the first block of the text tower.
    #[serde(default)]
    frozen: Vec<String>, Model, "Frozen parameters", "", Kind::Words;
    /// Compute activations again in the backward pass: less memory, about a third more time.
    #[serde(default)]
    recompute: bool, Model, "Recompute activations", "", Kind::Flag;
    /// f32, or bf16 on devices that have it; weights and moments stay f32.
    #[serde(default)]
    precision: Precision, Model, "Precision", "", Kind::Choice(&["f32", "bf16"]);
    /// What to train on: files, folders, patterns with * and {00000..00009}, or demo:scenes.
    #[serde(default)]
    data: Vec<String>, Data, "Data", "", Kind::Paths;
    /// Field of the metadata whose text replaces the caption, such as LAION-COCO's top_caption. Empty: the caption itself.
    #[serde(default)]
    caption_key: String, Data, "Caption field", "", Kind::Text;
    /// epochs visits every sample once before any comes again; replacement draws shards, as for very large sets.
    #[serde(default)]
    sampling: Sampling, Data, "Sampling", "", Kind::Choice(&["epochs", "replacement"]);
    /// Samples held at a time to draw from, so that neighbours in a shard do not meet in a batch.
    #[serde(default = "thousand")]
    shuffle_buffer: usize, Data, "Shuffle buffer", "samples", Kind::Whole;
    /// Threads that read and decode.
    #[serde(default = "two")]
    workers: usize, Data, "Workers", "threads", Kind::Whole;
    /// Share of the image's area that a random crop keeps, from and to.
    #[serde(default = "crop")]
    crop: [f64; 2], Data, "Crop", "of the area", Kind::NumberPair;
    /// Where hard negatives come from: none, the data's own (given), or made anew at every visit.
    #[serde(default)]
    negatives: NegativeSource, Negatives, "Hard negatives", "",
        Kind::Choice(&["none", "given", "replace", "negclip", "swap", "shuffle", "relation"]);
    /// Steps between evaluations. 0: only at the end. Nothing is evaluated where no benchmark is named.
    #[serde(default)]
    evaluate_every: u64, Evaluation, "Evaluate every", "steps", Kind::Whole;
    /// Benchmarks to evaluate, as clove data lists them.
    #[serde(default)]
    evaluate_benchmarks: Vec<String>, Evaluation, "Benchmarks", "", Kind::Words;
    /// Folder with the benchmarks' data. Empty: the scene world.
    #[serde(default)]
    evaluate_data: String, Evaluation, "Benchmark data", "", Kind::Path;
    /// Examples per task, spread evenly. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evaluate_limit: Option<usize>, Evaluation, "Limit", "examples", Kind::OptionalWhole;
    /// Patch of the curve, from 0 to 1: it is evaluated at 0, here and at 1. The paper: 0.6.
    #[serde(default = "alpha")]
    alpha: f64, Evaluation, "Alpha", "", Kind::Number;
    /// Steps between checkpoints, at least 1.
    #[serde(default = "five_hundred")]
    checkpoint_every: u64, Checkpoints, "Checkpoint every", "steps", Kind::Whole;
    /// Checkpoints kept, the newest. 0: all.
    #[serde(default = "three")]
    checkpoints_kept: usize, Checkpoints, "Checkpoints kept", "", Kind::Whole;
}

fn demo_base() -> String {
    "demo:base".to_owned()
}

fn one() -> usize {
    1
}

fn two() -> usize {
    2
}

fn three() -> usize {
    3
}

fn thousand() -> usize {
    1_000
}

fn five_hundred() -> u64 {
    500
}

fn crop() -> [f64; 2] {
    [0.9, 1.0]
}

fn alpha() -> f64 {
    0.6
}
