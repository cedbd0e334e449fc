//! What a panel asks of the app. Panels push these while they draw; the app acts after the frame is drawn.

use std::path::PathBuf;

use clove_training::Recipe;

use crate::engine::{End, ExampleId, ImageId};
use crate::jobs::{JobId, JobsCommand};
use crate::kernels::Activation;
use crate::patch::AlphaMap;
use crate::report::{Kind, View};

/// One wish of a panel.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Patch at these alphas.
    Alpha(AlphaMap),
    /// Let the person choose a checkpoint file.
    ChooseEnd(End),
    /// Let the person choose a folder of benchmarks.
    ChooseData,
    /// Look for benchmarks in this folder.
    TakeData(String),
    /// Take this path for an end; opens the pair once both ends are known.
    TakeEnd(End, String),
    /// Run an end with this activation, or with what its files tell.
    Activation(End, Option<Activation>),
    /// Download what an end's path names.
    Fetch(End, String),
    /// End the download of an end.
    StopFetch(End),
    /// Open the embedded pair.
    DemoPair,
    /// Use the embedded benchmarks.
    DemoData,
    /// Score only these of the benchmarks found, and at most so many examples of each.
    UseData(Vec<bool>, Option<usize>),
    /// Follow an example.
    Focus(ExampleId),
    /// List the examples of one benchmark.
    ShowBenchmark(usize),
    /// List the examples of one slice: the benchmark, or all, and the tag.
    ShowSlice(Option<usize>, String),
    /// Tell fixed and broken against this alpha.
    CompareWith(AlphaMap),
    /// Load these small pictures, in this order.
    Thumbnails(Vec<ImageId>),
    /// Load this large picture.
    Picture(ImageId),
    /// Go on with the sweep, or hold it.
    Sweep(bool),
    /// Score every alpha of the image tower with every alpha of the text tower.
    Map,
    /// Show what hard negatives could be written against a caption.
    Negatives {
        /// The caption.
        caption: String,
        /// Of the draws.
        seed: u64,
    },
    /// Something about fine-tunes.
    Job(JobAsk),
    /// Draw or hide the curve of an earlier pair.
    ShowEarlier(u64, bool),
    /// Forget the curves of earlier pairs.
    ForgetEarlier,
    /// Say what could not be done.
    Complain(String),
    /// Let the person choose a file, and write what the sweep has found to it.
    Export(Kind, Box<View>),
    /// Open or close the list of notices.
    Notices,
    /// Open or close the list of shortcuts.
    Shortcuts,
    /// Put the panels back where they belong.
    ResetLayout,
}

/// One wish about fine-tunes.
#[derive(Clone, Debug, PartialEq)]
pub enum JobAsk {
    /// Tell the jobs' thread.
    Send(JobsCommand),
    /// Queue a job, and open its weights when it is done, or not.
    Start {
        /// Its recipe.
        recipe: Box<Recipe>,
        /// Whether its weights become tuned.
        open_when_done: bool,
    },
    /// Open the form with a recipe, or with the demo's.
    Form(Option<Box<Recipe>>),
    /// Open the form to change the recipe of a job that waits.
    Edit(JobId),
    /// Move a job out of the list; can be undone.
    Remove(JobId),
    /// Open a job's weights when it is done, or not.
    OpenWhenDone(JobId, bool),
    /// Show a job in its panel.
    Show(JobId),
    /// Patch these weights with the checkpoint that they started from.
    Use {
        /// A checkpoint as on the command line.
        base: PathBuf,
        /// A folder with weights.
        tuned: PathBuf,
    },
    /// Let the person choose a recipe's file.
    ChooseRecipe,
    /// Let the person choose a path for a field of the form.
    ChooseField {
        /// The field.
        key: &'static str,
        /// Whether a folder is wanted.
        is_folder: bool,
    },
}
