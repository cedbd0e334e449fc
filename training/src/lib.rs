//! Fine-tuning any two-tower model with hard negatives.
//!
//! The model is whatever implements [`TwoTower`]: this crate knows neither CLIP nor a window and imports nothing
//! of the workbench. The method is `CLoVe`'s (arXiv 2402.15021): the contrastive loss of both directions, in which
//! the hard negatives of the whole batch join every image's denominator.
//!
//! * [`recipe`]: the settings of a fine-tune, as a TOML file. Imports nothing.
//! * [`schedule`]: the learning rate of a step. Pure.
//! * [`batches`]: samples, and the seeded order in which they are visited.
//! * [`captions`]: images and captions on disk to batches; broken ones are counted, named and skipped.
//! * [`negatives`]: captions that are almost right, from WordNet. Imports nothing.
//! * [`loss`]: embeddings to one number, differentiable.
//! * [`gradients`]: the gradients of one step, summed from several backward passes.
//! * [`optimizer`]: `AdamW` with decay groups, the global gradient norm and its clipping.
//! * [`trainer`]: one batch = one step; it brings the others together and never looks at a file or a clock's date.
//! * [`run_directory`]: a job on disk: events, control, checkpoints. Imports the recipe alone.
//! * [`run`]: a fine-tune from its first step, or its last checkpoint, to its result.
//!
//! Absent on purpose: several devices.

pub mod batches;
pub mod captions;
pub mod gradients;
mod indexed;
pub mod loss;
pub mod negatives;
pub mod optimizer;
pub mod recipe;
pub mod run;
pub mod run_directory;
pub mod schedule;
pub mod trainer;
mod two_tower;

pub use batches::{BatchError, Sample, Sampler, Samples};
pub use captions::{BatchSource, CropBox, Fault, FaultCounts, FaultKind, Prepare, SourceError};
pub use gradients::{Gradients, Slot};
pub use indexed::Indexed;
pub use recipe::{Recipe, RecipeError};
pub use run::{Ending, Host, HostError, RunFailure, Summary, Trial, Worker};
pub use run_directory::{RunDirectory, RunEvent};
pub use trainer::{StepReport, TrainError, Trainer};
pub use two_tower::{Backward, Inputs, Pass, TwoTower, is_frozen};

#[cfg(test)]
mod tiny;
