//! The command line: one thin file per headless command. Without a command, the window opens.

mod bench;
mod data;
mod demo;
mod embed;
mod evaluate;
mod fetch;
mod inspect;
mod jobs;
mod model;
mod negatives;
mod output;
mod patch;
mod report;
mod score;
mod scored;
mod stop;
mod sweep;
mod train;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use output::report;

use crate::device::DeviceChoice;
use crate::kernels::{Activation, keep_candle_serial};

/// A workbench for patching CLIP models. Without a command it opens the window.
///
/// CKPT is a safetensors, PyTorch or TorchScript file, or a Hugging Face or open_clip folder, whole or in shards;
/// demo:base and demo:tuned name the embedded pair, hf:OWNER/NAME a model that `clove fetch` fetched.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    window: WindowArgs,
}

/// What the window opens.
#[derive(Debug, Args)]
pub struct WindowArgs {
    /// Pre-trained checkpoint (alpha 0)
    #[arg(long, value_name = "CKPT", requires = "tuned")]
    base: Option<PathBuf>,
    /// Fine-tuned checkpoint (alpha 1)
    #[arg(long, value_name = "CKPT", requires = "base")]
    tuned: Option<PathBuf>,
    /// Folder with benchmarks; the scene world when absent
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder of fine-tunes; clove/runs in the user's data folder when absent
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Results of earlier sweeps, which are shown and not computed again
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// auto, cpu, cuda or metal
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// quick-gelu or gelu, where the files do not tell
    #[arg(long)]
    activation: Option<Activation>,
    /// Wait for the first sweep, save the window's picture, exit
    #[arg(long, value_name = "FILE.png")]
    screenshot: Option<PathBuf>,
    /// Size of the window in points
    #[arg(long, value_name = "WxH", hide = true)]
    size: Option<String>,
    /// Instead of the remembered theme
    #[arg(long, hide = true)]
    theme: Option<Theme>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Theme {
    Dark,
    Light,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what a checkpoint is
    Inspect(inspect::InspectArgs),
    /// Similarities and probabilities of texts for images
    Score(score::ScoreArgs),
    /// Write embeddings of images and texts
    Embed(embed::EmbedArgs),
    /// Blend two checkpoints into one
    Patch(patch::PatchArgs),
    /// Download a checkpoint from the Hugging Face hub or a release; nothing else uses the network
    Fetch(fetch::FetchArgs),
    /// List the benchmarks in a folder, and what is missing
    Data(data::DataArgs),
    /// Score benchmarks at one alpha
    Evaluate(evaluate::EvaluateArgs),
    /// Score benchmarks over alpha
    Sweep(sweep::SweepArgs),
    /// Turn stored results into a figure, tables and one page for people without the program
    Report(report::ReportArgs),
    /// Write hard negatives for captions, as JSON lines
    Negatives(negatives::NegativesArgs),
    /// Fine-tunes: queue, start, watch, stop
    Jobs(jobs::JobsArgs),
    /// Measure the blend and both towers at ViT-B/32 size
    Bench(bench::BenchArgs),
    /// Fine-tune a checkpoint with hard negatives, as a recipe says
    Train(train::TrainArgs),
    /// The scene world behind the embedded pair
    #[command(subcommand)]
    Demo(demo::DemoCommand),
}

/// Arguments that clap alone cannot refuse.
#[derive(Debug, thiserror::Error)]
#[error("{0}; see clove --help")]
struct Usage(&'static str);

fn usage(sentence: &'static str) -> anyhow::Error {
    Usage(sentence).into()
}

/// The exit status of a failure: 2 for wrong usage, 85 for a stop on request with everything saved, else 1.
pub fn exit_status(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        2
    } else if error.is::<stop::Stopped>() {
        85
    } else {
        1
    }
}

/// Runs what the user asked for. For `main` alone to call, before it starts a thread.
///
/// # Errors
/// One sentence, with its causes, to be said once by [`report`].
pub fn run(cli: Cli) -> anyhow::Result<()> {
    keep_candle_serial();
    match cli.command {
        None => window(cli.window),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Score(args)) => score::run(&args),
        Some(Command::Embed(args)) => embed::run(&args),
        Some(Command::Patch(args)) => patch::run(&args),
        Some(Command::Fetch(args)) => fetch::run(&args),
        Some(Command::Data(args)) => data::run(&args),
        Some(Command::Evaluate(args)) => evaluate::run(&args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Report(args)) => report::run(&args),
        Some(Command::Negatives(args)) => negatives::run(&args),
        Some(Command::Jobs(args)) => jobs::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Demo(command)) => demo::run(&command),
    }
}

#[cfg(feature = "gui")]
fn window(args: WindowArgs) -> anyhow::Result<()> {
    use crate::{checkpoint, demo, engine, jobs, ui};

    let options = checkpoint::Options { activation: args.activation };
    let device = args.device;
    let (base, tuned) = args.base.zip(args.tuned).unwrap_or_else(|| (demo::BASE.into(), demo::TUNED.into()));
    ui::run(ui::WindowOptions {
        link: Box::new(move |wake| engine::start(device, options, wake)),
        jobs: Box::new(move |wake| jobs::start(device, wake)),
        start: ui::Start {
            base: Some(base),
            tuned: Some(tuned),
            data: args.data,
            device: String::new(),
            runs: args.runs.unwrap_or_else(jobs::default_runs),
            results: args.results,
        },
        screenshot: args.screenshot,
        size: args.size.as_deref().map(window_size).transpose()?,
        theme: args.theme.map(|theme| if theme == Theme::Dark { ui::Theme::Dark } else { ui::Theme::Light }),
    })
}

#[cfg(feature = "gui")]
fn window_size(text: &str) -> anyhow::Result<[f32; 2]> {
    let sides = text.split_once('x').and_then(|(w, h)| Some([w.parse().ok()?, h.parse().ok()?]));
    sides.ok_or_else(|| anyhow::anyhow!("'{text}' is no size; write it as 1440x900"))
}

#[cfg(not(feature = "gui"))]
fn window(_: WindowArgs) -> anyhow::Result<()> {
    anyhow::bail!("this build has no window; build it with the feature 'gui', or see clove --help for its commands")
}
