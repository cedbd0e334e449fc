//! clove: a workbench for patching CLIP models. This page is the map.
//!
//! | module | one sentence | may import |
//! |---|---|---|
//! | [`device`] | picks CPU, CUDA or Metal | nothing of ours |
//! | [`kernels`] | fused tensor operations with a backward pass, and the blend | nothing of ours |
//! | [`checkpoint`] | reading and writing weights: formats, names, architecture, provenance | kernels (the activation's name) |
//! | [`clip`] | the two towers, image preprocessing, tokens | kernels, checkpoint, clove-training (its trait) |
//! | [`patch`] | alpha, the proof that two checkpoints fit, the blend in place | checkpoint, kernels |
//! | [`benchmark`] | examples, readers, judging | nothing of ours |
//! | [`evaluate`] | embeddings, scores, sweeps, statistics | benchmark, clip, patch, store |
//! | [`tradeoff`] | curves, Pareto set, best alpha under a constraint; pure | nothing of ours |
//! | [`store`] | every on-disk form of ours | plain types |
//! | [`demo`] | the procedural scene world behind the embedded pair | benchmark, checkpoint, clip, clove-training |
//! | [`engine`] | one thread that owns the device: commands in, events out | all of the above |
//! | [`session`] | what the window knows, as plain data; pure | plain types |
//! | [`commands`] | one thin file per headless command | all but ui, session |
//! | `ui` | app and panels | session, engine's commands and events |
//!
//! Absent on purpose: candle outside `device`, `kernels`, `checkpoint`, `clip`, `patch`, `evaluate`, `demo` and
//! `engine`; egui outside `ui`; `unsafe` outside `kernels` and `checkpoint/mmap.rs`; any network.
//! `tests/layering.rs` fails when this page stops being true.

pub mod benchmark;
pub mod checkpoint;
pub mod clip;
pub mod commands;
pub mod demo;
pub mod device;
pub mod engine;
pub mod evaluate;
pub mod kernels;
pub mod patch;
pub mod session;
pub mod store;
pub mod tradeoff;
#[cfg(feature = "gui")]
pub mod ui;
