//! What can be wrong with a sample or a shard, and how often it was.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A sample whose image cannot be decoded.
    BrokenImage,
    /// A sample whose image has more pixels than are decoded.
    HugeImage,
    /// A sample without an image, or whose image file is not there.
    MissingImage,
    /// A sample without a caption: no text member, no such key or column.
    MissingCaption,
    /// A sample whose caption is blank.
    EmptyCaption,
    /// A sample whose caption is not UTF-8.
    CaptionNotText,
    /// A sample whose JSON, row or line cannot be read.
    BrokenRecord,
    /// A sample with two members of one kind.
    RepeatedMember,
    /// A sample with a member that ends beyond its archive.
    CutMember,
    /// A sample with a member too large to be what it says.
    HugeMember,
    /// A sample whose name or image lies outside its archive or folder.
    OutsidePath,
    /// A sample the disk did not give.
    UnreadableSample,
    /// A shard the disk did not give.
    UnreadableShard,
    /// A shard in no known form.
    UnknownShard,
    /// A shard that ends too early; what is whole before the end is used.
    CutShard,
    /// A shard with a damaged or absurd part; what is readable is used.
    BrokenShard,
}

impl FaultKind {
    /// All, in the order of their documentation.
    pub const ALL: [Self; 16] = [
        Self::BrokenImage,
        Self::HugeImage,
        Self::MissingImage,
        Self::MissingCaption,
        Self::EmptyCaption,
        Self::CaptionNotText,
        Self::BrokenRecord,
        Self::RepeatedMember,
        Self::CutMember,
        Self::HugeMember,
        Self::OutsidePath,
        Self::UnreadableSample,
        Self::UnreadableShard,
        Self::UnknownShard,
        Self::CutShard,
        Self::BrokenShard,
    ];

    /// Whether it concerns a whole shard.
    pub fn is_shard(self) -> bool {
        matches!(self, Self::UnreadableShard | Self::UnknownShard | Self::CutShard | Self::BrokenShard)
    }
}

/// A sample or a shard that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// The file, and what in it.
    pub place: String,
    /// What is wrong, as a sentence without its full stop.
    pub reason: String,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { kind, place: place.into(), reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.place)
    }
}

/// What was seen since the start of a run, up to the last batch returned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCounts {
    /// Samples visited, good and broken.
    pub samples: u64,
    /// Faults by kind, of samples and of shards.
    pub faults: BTreeMap<FaultKind, u64>,
    /// Good samples that have a negative.
    pub with_negative: u64,
    /// Negatives dropped because their token ids equal the caption's.
    pub equal_negatives: u64,
}

impl FaultCounts {
    /// Samples skipped.
    pub fn skipped(&self) -> u64 {
        self.faults.iter().filter(|(kind, _)| !kind.is_shard()).map(|(_, count)| count).sum()
    }

    /// Faults of shards; a shard visited twice counts twice.
    pub fn shards(&self) -> u64 {
        self.faults.iter().filter(|(kind, _)| kind.is_shard()).map(|(_, count)| count).sum()
    }

    /// Good samples: all less the skipped ones.
    pub fn good(&self) -> u64 {
        self.samples.saturating_sub(self.skipped())
    }
}
