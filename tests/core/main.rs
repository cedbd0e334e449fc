//! Integration tests of everything below the window, in one binary because linking it is what costs time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking, their shared code too")]
#![allow(missing_docs, reason = "nobody imports a test")]
#![allow(clippy::float_cmp, reason = "equality to the bit is what many of these tests are about")]

mod benchmarks_cli;
mod benchmarks_read;
mod benchmarks_scores;
mod benchmarks_sets;
mod blend;
mod broken;
mod checkpoint_hostile;
mod checkpoints;
mod cli;
mod cli_data;
mod demo_pair;
mod demo_sets;
mod fetch;
mod gradients;
#[cfg(target_os = "linux")]
mod jobs;
mod models;
mod names;
mod negatives;
mod negatives_labelled;
mod report;
mod scoring;
mod stock;
mod store;
mod sweep;
mod sweep_killed;
mod towers;
mod train;
mod train_killed;
mod train_steps;
