//! What a benchmark is made of, as plain data.

use std::path::PathBuf;
use std::sync::Arc;

use image::RgbImage;

use super::{Duel, Outcome, Retrieval, TieRule, judge};

/// An image that is computed rather than read, such as a scene of the demo world.
pub trait Rendered: Send + Sync + std::fmt::Debug {
    /// Draws the image.
    fn render(&self) -> RgbImage;
}

/// Where an image comes from.
#[derive(Clone, Debug)]
pub enum ImageRef {
    /// A file, and the box to crop from it before preprocessing: (x0, y0, x1, y1) in pixels.
    File {
        /// The file.
        path: PathBuf,
        /// The box; `None` for the whole image.
        crop: Option<[f64; 4]>,
    },
    /// An image file inside an archive that is not compressed, such as a tar.
    Stored {
        /// The archive.
        archive: PathBuf,
        /// Where the image file begins, in bytes.
        offset: u64,
        /// Its length in bytes.
        length: u64,
        /// As the archive names it.
        name: String,
    },
    /// An encoded image in a column of a Parquet file.
    InTable {
        /// The file.
        table: PathBuf,
        /// The column's name.
        column: String,
        /// From 0, over all row groups.
        row: usize,
        /// For people.
        name: String,
    },
    /// An image drawn at run time, with a name that is unique in its world.
    Drawn {
        /// Unique in its world.
        name: String,
        /// What draws it.
        image: Arc<dyn Rendered>,
    },
}

impl ImageRef {
    /// A name that tells equal images apart from different ones: path and box, place in an archive, or the drawn image's
    /// name.
    pub fn key(&self) -> String {
        match self {
            Self::File { path, crop: None } => path.display().to_string(),
            Self::File { path, crop: Some([x0, y0, x1, y1]) } => format!("{}#{x0},{y0},{x1},{y1}", path.display()),
            Self::Stored { archive, offset, .. } => format!("{}@{offset}", archive.display()),
            Self::InTable { table, column, row, .. } => format!("{}@{column}[{row}]", table.display()),
            Self::Drawn { name, .. } => format!("drawn:{name}"),
        }
    }

    /// The file name, or the drawn image's name, for people.
    pub fn name(&self) -> String {
        match self {
            Self::File { path, .. } => {
                path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
            }
            Self::Stored { name, .. } | Self::InTable { name, .. } | Self::Drawn { name, .. } => name.clone(),
        }
    }
}

/// One image with its right caption and the hard negatives, in the order in which the reference lists them (the order
/// decides ties).
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Index into [`Benchmark::images`].
    pub image: usize,
    /// Right caption and hard negatives.
    pub captions: Vec<String>,
    /// Index of the right caption.
    pub right: usize,
    /// The group whose accuracy enters a macro mean (a relation's name, a pair of attributes).
    pub group: Option<String>,
    /// Words to filter by.
    pub tags: Vec<String>,
}

/// What is asked about the images.
#[derive(Clone, Debug)]
pub enum Items {
    /// Pick the right caption among hard negatives.
    Choices(Vec<Choice>),
    /// Name the class of every image: label `labels[i]` belongs to `images[i]`; a class is embedded as the normalised
    /// mean over its prompts.
    Classes {
        /// Display names by label; they may repeat.
        classes: Vec<String>,
        /// Prompts with `{}` for the class name.
        templates: Vec<String>,
        /// The right class of each image, an index into `classes`.
        labels: Vec<usize>,
    },
    /// Say which of some images and captions belong together, by comparing pairs of similarities.
    Duels(Vec<Duel>),
    /// Find the captions of an image, or the image of a caption, among all.
    Retrieval(Retrieval),
}

/// How examples become a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Correct over scored.
    Accuracy,
    /// The unweighted mean of the groups' accuracies, over groups with at least `min_count` examples.
    MacroAccuracy {
        /// Smaller groups do not enter the mean.
        min_count: usize,
    },
    /// Top-1 and top-5 over classes.
    TopK,
    /// Recall at 1, 5 and 10 over everything that could be retrieved.
    Recall,
}

/// An item of the file that could not be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The item as the file names it.
    pub item: String,
    /// One sentence.
    pub reason: String,
}

/// One task of one benchmark, ready to be scored.
#[derive(Clone, Debug)]
pub struct Benchmark {
    /// The name of `--benchmark`, such as `aro-relation`.
    pub name: String,
    /// The published task, such as `replace_rel`, where the benchmark has several.
    pub task: Option<String>,
    /// What is averaged.
    pub metric: Metric,
    /// Who wins a tie.
    pub ties: TieRule,
    /// Distinct images.
    pub images: Vec<ImageRef>,
    /// What is asked.
    pub items: Items,
    /// Items of the file that are not asked, so that no denominator shrinks in silence.
    pub skipped: Vec<Skipped>,
    /// The protocol in one sentence, for the screen.
    pub protocol: String,
    /// Rows in the file, before skipping and subsets.
    pub n_in_file: usize,
}

impl Benchmark {
    /// Examples to score.
    pub fn len(&self) -> usize {
        match &self.items {
            Items::Choices(choices) => choices.len(),
            Items::Classes { labels, .. } => labels.len(),
            Items::Duels(duels) => duels.len(),
            Items::Retrieval(retrieval) => retrieval.len(self.images.len()),
        }
    }

    /// Whether there is nothing to score.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Index into [`Benchmark::images`] of the image that stands for one example: its only one, or its first.
    pub fn image_of(&self, example: usize) -> usize {
        match &self.items {
            Items::Choices(choices) => choices[example].image,
            Items::Classes { .. } => example,
            Items::Duels(duels) => duels[example].images.first().copied().unwrap_or(0),
            Items::Retrieval(retrieval) => retrieval.image_of(example),
        }
    }

    /// Indices into [`Benchmark::images`] of the images that one example shows. In retrieval these are the query's or
    /// the answer's alone, though all others compete.
    pub fn images_of(&self, example: usize) -> Vec<usize> {
        match &self.items {
            Items::Duels(duels) => duels[example].images.clone(),
            _ => vec![self.image_of(example)],
        }
    }

    /// The verdict on one example under the benchmark's tie rule. `similarities` are in the order of a choice's
    /// captions, of the classes, of a duel's [`Duel::cells`], or of what can be retrieved.
    pub fn judge(&self, example: usize, similarities: &[f32]) -> Outcome {
        let ties = self.ties.for_example(example);
        match &self.items {
            Items::Choices(choices) => judge::judge_choice(similarities, choices[example].right, ties),
            Items::Classes { labels, .. } => judge::judge_class_by(similarities, labels[example], ties),
            Items::Duels(duels) => duels[example].judge(similarities, ties),
            Items::Retrieval(retrieval) => retrieval.judge(example, similarities, ties),
        }
    }

    /// Whether this measures recognition (x axis) rather than composition (y axis).
    pub fn is_recognition(&self) -> bool {
        matches!(self.items, Items::Classes { .. })
    }

    /// `name` or `name/task`.
    pub fn label(&self) -> String {
        match &self.task {
            Some(task) => format!("{}/{task}", self.name),
            None => self.name.clone(),
        }
    }
}
