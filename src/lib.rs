//! clove: a workbench for patching CLIP models. This page is the map.
//!
//! | module | one sentence | may import |
//! |---|---|---|
//! | [`device`] | picks CPU, CUDA or Metal | nothing |
//! | [`kernels`] | fused tensor operations with a backward pass, and the blend | nothing |
//! | [`checkpoint`] | reading and writing weights: formats, names, architecture, provenance | kernels (Activation, count_not_finite) |
//! | [`clip`] | the two towers, image preprocessing, tokens | kernels, checkpoint, training |
//! | [`patch`] | alpha, the proof that two checkpoints fit, the blend in place | kernels, checkpoint |
//! | [`benchmark`] | examples, readers, judging | nothing |
//! | [`tradeoff`] | curves, Pareto set, best alpha under a constraint; pure | nothing |
//! | [`store`] | every on-disk form of ours | checkpoint (map_file), patch (AlphaMap), benchmark (types) |
//! | [`evaluate`] | embeddings, scores, sweeps, statistics | checkpoint, clip, patch, benchmark, store, training |
//! | [`fetch`] | downloads checkpoints, only when asked; the one network | checkpoint (WEIGHTS, shard_names) |
//! | [`demo`] | the procedural scene world behind the embedded pair; opening what a CKPT names | kernels (Activation), checkpoint, fetch, clip, benchmark, training |
//! | [`fine_tune`] | what a fine-tune needs of CLIP: base, data, the curve during the run, the result | device, kernels (Activation), checkpoint, clip, patch, benchmark, evaluate, demo, training |
//! | [`jobs`] | queue, run directories as seen from outside, checks before a launch, launchers | device, kernels (Activation), checkpoint, benchmark, store, demo, training |
//! | [`report`] | a sweep as SVG, PNG, CSV, JSON and one HTML page; pure | patch (Alpha, AlphaMap), benchmark (Benchmark, ImageRef, Items, Outcome, title), tradeoff, store (results), evaluate (statistics) |
//! | [`engine`] | one thread that owns the device: commands in, events out | device, kernels (Activation), checkpoint, clip (Tokenizer), patch, benchmark, evaluate, fetch, demo, tradeoff, store, report, training |
//! | [`session`] | what the window knows, as plain data; pure | patch (Alpha, AlphaMap), benchmark (MetricName, Outcome, Score, wilson), evaluate (statistics), tradeoff, engine (types), jobs (types), training |
//! | `ui` | app and panels | kernels (Activation), patch (Alpha, AlphaMap), benchmark (types), tradeoff, jobs (types), engine (types), session, report (palette, words, Axis, Kind, View), training |
//! | [`commands`] | one thin file per headless command, and the door to the window | device, kernels (Activation, keep_candle_serial), checkpoint, clip, patch, benchmark, store, evaluate, fetch, demo, fine_tune, jobs, report, engine, ui, training |
//!
//! A module imports only modules above it, so the rows are in the order in which the program can be read. `(types)`
//! means no functions, `(A, B)` these items only; `training` is the crate `clove-training`, which imports nothing of
//! ours.
//!
//! Absent on purpose: candle outside `device`, `kernels`, `checkpoint`, `clip`, `patch`, `evaluate`, `demo`, `fine_tune`,
//! `engine` and the one command that makes tensors of its own (`bench`); egui outside `ui`; `unsafe` outside
//! `kernels` and `checkpoint/mmap.rs`; files in `session`, `report` and `ui` but for the window's own picture; a network
//! outside `fetch/client.rs`, which nothing but a request for a download reaches.
//! `tests/layering` reads this page and fails when it stops being true.

pub mod benchmark;
pub mod checkpoint;
pub mod clip;
pub mod commands;
pub mod demo;
pub mod device;
pub mod engine;
pub mod evaluate;
pub mod fetch;
pub mod fine_tune;
pub mod jobs;
pub mod kernels;
pub mod patch;
pub mod report;
pub mod session;
pub mod store;
pub mod tradeoff;
#[cfg(feature = "gui")]
pub mod ui;
