//! `clove train`: the worker of one run directory.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use clove_training::recipe::{FIELDS, Field, Kind};
use clove_training::run_directory::{RunDirectory, RunError, RunState, Writer};
use clove_training::{Ending, Recipe, RunEvent, StepReport};

use super::model::DeviceArgs;
use super::output::{self, Progress};
use super::stop::{Stop, Stopped};
use super::usage;
use crate::device;
use crate::fine_tune;

#[derive(Debug, Args)]
#[command(after_long_help = fields())]
pub struct TrainArgs {
    /// What to do; clove train --help lists the fields
    #[arg(value_name = "RECIPE.toml")]
    recipe: PathBuf,
    /// The run's folder: made, or one that waits in a queue
    #[arg(long, value_name = "DIR")]
    run_dir: PathBuf,
    /// Go on from the newest checkpoint of a run that was stopped, killed, or failed
    #[arg(long)]
    resume: bool,
    /// Take N steps, keep nothing, print what a step costs as JSON
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = clap::value_parser!(u64).range(1..))]
    trial: Option<u64>,
    /// Another value of a field than the recipe's; may be given several times
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "resume")]
    set: Vec<String>,
    #[command(flatten)]
    device: DeviceArgs,
}

pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let recipe = read(args)?;
    if let Some(steps) = args.trial {
        return trial(args, &recipe, steps);
    }
    let run = if args.resume { resumed(args, &recipe)? } else { begun(args, &recipe)? };
    let Some(run) = run else {
        output::note(&format!("the run is complete already: {}", args.run_dir.display()));
        return Ok(());
    };
    let stop = Stop::on_signals()?;
    let mut writer = Writer::open(run)?;
    if args.resume {
        writer.forget_requests();
    }
    let worked = work(args, &mut writer, &stop);
    if let Err(error) = &worked
        && !error.is::<Stopped>()
    {
        // Where even this finds no room, the end of the log says it.
        let _ = writer.conclude(RunEvent::Failed { message: output::sentence(error) });
    }
    worked
}

fn work(args: &TrainArgs, writer: &mut Writer, stop: &Stop) -> anyhow::Result<()> {
    let device = device::open(args.device.device)?;
    let mut progress = Progress::new("training");
    let mut hear = |event: &RunEvent| follow(&mut progress, event);
    match fine_tune::run(writer, &device, &mut hear, &|| stop.is_asked())? {
        Ending::Done => {
            output::note(&format!("done; the weights lie in {}", writer.run().path().join("weights").display()));
            Ok(())
        }
        Ending::Stopped => Err(Stopped.into()),
    }
}

/// The recipe with what `--set` says, and with paths that hold wherever the worker is started from.
fn read(args: &TrainArgs) -> anyhow::Result<Recipe> {
    let path = &args.recipe;
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the recipe: {}", path.display()))?;
    let wrong = || format!("the recipe cannot be used: {}", path.display());
    let mut recipe = Recipe::from_toml(&text).with_context(wrong)?;
    for pair in &args.set {
        let (key, value) = pair.split_once('=').ok_or_else(|| usage("write --set as KEY=VALUE, such as steps=100"))?;
        recipe.set(key, value_of(key, value))?;
    }
    recipe.check()?;
    rooted(&mut recipe)?;
    Ok(recipe)
}

/// As TOML has it; what is no TOML is a text, and one text is a list where the field holds many.
fn value_of(key: &str, text: &str) -> toml::Value {
    let parsed = toml::from_str::<toml::Table>(&format!("v = {text}")).ok().and_then(|mut table| table.remove("v"));
    let value = parsed.unwrap_or_else(|| text.into());
    let is_list = Recipe::field(key).is_some_and(|field| matches!(field.kind, Kind::Paths | Kind::Words));
    if is_list && value.is_str() { vec![value].into() } else { value }
}

fn rooted(recipe: &mut Recipe) -> anyhow::Result<()> {
    let root = |text: &mut String| -> anyhow::Result<()> {
        if !text.is_empty() && !text.starts_with("demo:") {
            let path = std::path::absolute(&*text)?;
            *text = path.into_os_string().into_string().map_err(|path| {
                anyhow::anyhow!("this path is not UTF-8, so a recipe cannot hold it: {}", Path::new(&path).display())
            })?;
        }
        Ok(())
    };
    root(&mut recipe.base)?;
    root(&mut recipe.evaluate_data)?;
    recipe.data.iter_mut().try_for_each(root)
}

/// A new run, or one that waits in a queue with this recipe.
fn begun(args: &TrainArgs, recipe: &Recipe) -> anyhow::Result<Option<RunDirectory>> {
    match RunDirectory::open(&args.run_dir) {
        Err(RunError::NotARun { .. }) => Ok(Some(RunDirectory::create_at(&args.run_dir, recipe)?)),
        Err(error) => Err(error.into()),
        Ok(run) if run.state()? == RunState::Queued => {
            same(recipe, &run)?;
            Ok(Some(run))
        }
        Ok(_) => Err(RunError::Exists { path: args.run_dir.clone() }.into()),
    }
}

/// `None` when nothing is left to do.
fn resumed(args: &TrainArgs, recipe: &Recipe) -> anyhow::Result<Option<RunDirectory>> {
    let run = RunDirectory::open(&args.run_dir)?;
    same(recipe, &run)?;
    Ok((run.state()? != RunState::Done).then_some(run))
}

fn same(recipe: &Recipe, run: &RunDirectory) -> anyhow::Result<()> {
    let frozen = run.recipe()?;
    match FIELDS.iter().find(|field| frozen.get(field.key) != recipe.get(field.key)) {
        None => Ok(()),
        Some(field) => anyhow::bail!(
            "the run was queued with another `{}`; give its own recipe.toml, or another folder: {}",
            field.key,
            run.path().display()
        ),
    }
}

fn trial(args: &TrainArgs, recipe: &Recipe, steps: u64) -> anyhow::Result<()> {
    let device = device::open(args.device.device)?;
    let mut hear = |step: &StepReport| {
        output::note(&format!("step {}, loss {:.3}, {:.2} s", step.step + 1, step.loss, step.seconds));
    };
    output::json(&fine_tune::trial(recipe, steps, &device, &mut hear)?)
}

/// What people who watch are told.
fn follow(progress: &mut Progress, event: &RunEvent) {
    match event {
        RunEvent::Started { step, steps, device, parameters, trained, .. } => output::note(&format!(
            "training {trained} of {parameters} parameters on {device}, steps {} to {steps}",
            step + 1
        )),
        RunEvent::Step { step, loss, lr, pairs_per_s, seconds_left, .. } => progress.say(|| {
            let left = output::duration(*seconds_left);
            format!("step {step}, loss {loss:.3}, lr {lr:.2e}, {pairs_per_s:.1} pairs/s, {left} left")
        }),
        RunEvent::Evaluated { step, alpha, benchmark, task, metric, value, .. } => {
            let task = task.as_ref().map_or(String::new(), |task| format!("/{task}"));
            output::note(&format!("step {step}, alpha {alpha}: {benchmark}{task} {metric} {value:.2} %"));
        }
        RunEvent::Checkpoint { step, path, .. } => output::note(&format!("step {step} is saved: {path}")),
        RunEvent::Warning { message } => output::note(message),
        RunEvent::Failed { .. } | RunEvent::Stopped { .. } | RunEvent::Done { .. } => {}
    }
}

/// The fields of a recipe, for the help text.
fn fields() -> String {
    let mut text = String::from("Recipe fields, with what they take:\n");
    let mut groups: Vec<_> = FIELDS.iter().map(|field| field.group).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        text.extend(["\n", group.label(), "\n"]);
        for field in FIELDS.iter().filter(|field| field.group == group) {
            text.push_str(&entry(field));
        }
    }
    text
}

fn entry(field: &Field) -> String {
    let unit = if field.unit.is_empty() { String::new() } else { format!(", in {}", field.unit) };
    let takes = match field.kind {
        Kind::Choice(choices) => {
            choices.iter().filter(|choice| !choice.is_empty()).copied().collect::<Vec<_>>().join(" | ")
        }
        kind => kind.wanted().to_owned(),
    };
    format!("  {:<22} {}\n{:25}({takes}{unit})\n", field.key, field.doc, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_documents_every_field() {
        let help = fields();
        for field in FIELDS {
            assert!(help.contains(&format!("  {:<22} {}", field.key, field.doc)), "{}", field.key);
        }
        assert!(help.contains("none | given | replace | negclip | swap | shuffle | relation"));
    }

    #[test]
    fn set_takes_toml_or_a_text() {
        assert_eq!(value_of("steps", "20"), 20.into());
        assert_eq!(value_of("name", "a run"), "a run".into());
        assert_eq!(value_of("data", "demo:scenes"), vec![toml::Value::from("demo:scenes")].into());
        assert_eq!(value_of("betas", "[0.9, 0.98]"), vec![0.9, 0.98].into());
        assert_eq!(value_of("recompute", "true"), true.into());
    }
}
