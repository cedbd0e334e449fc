//! What a panel asks of the app. Panels push these while they draw; the app acts after the frame is drawn.

use crate::engine::{End, ExampleId, ImageId};
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
    /// Take this path for an end; opens the pair once both ends are known.
    TakeEnd(End, String),
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
    /// Let the person choose a file, and write what the sweep has found to it.
    Export(Kind, Box<View>),
    /// Open or close the list of notices.
    Notices,
    /// Open or close the list of shortcuts.
    Shortcuts,
    /// Put the panels back where they belong.
    ResetLayout,
}
