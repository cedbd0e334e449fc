//! What would stop a fine-tune, looked for before it starts.

use std::path::Path;
use std::sync::Arc;

use clove_training::Recipe;
use clove_training::captions::{self, Count, Description};
use clove_training::recipe::{NegativeSource, Precision};

use super::estimate::{self, Memory};
use super::{CheckItem, CheckReport, Verdict, process};
use crate::benchmark;
use crate::checkpoint::{Architecture, Options};
use crate::demo::{self, SCENES};
use crate::device::{self, DeviceChoice};
use crate::kernels::Activation;

/// Letters shown of a caption.
const LONGEST_CAPTION: usize = 80;
/// Share of the free memory or disk beyond which it may not be enough: estimates are not exact.
const TIGHT: f64 = 0.9;

/// Looks at everything that a worker on `device` needs for `recipe` in `runs`. Opens the base, so it may take seconds;
/// writes nothing.
pub fn check(recipe: &Recipe, runs: &Path, device: DeviceChoice) -> CheckReport {
    let mut items = Vec::new();
    if let Err(error) = recipe.check() {
        items.push(item("Recipe", Verdict::Blocking, error.to_string()));
    }
    let (base, architecture) = base(recipe);
    items.push(base);
    items.push(data(recipe));
    let on_cpu = device_item(recipe, device, &mut items);
    if let Some(architecture) = architecture {
        items.push(memory(recipe, &architecture, on_cpu));
        items.push(disk(recipe, &architecture, runs));
    }
    items.push(evaluation(recipe));
    CheckReport { recipe: Arc::new(recipe.clone()), items }
}

fn item(what: &'static str, verdict: Verdict, says: impl Into<String>) -> CheckItem {
    CheckItem { what, verdict, says: says.into() }
}

fn base(recipe: &Recipe) -> (CheckItem, Option<Architecture>) {
    let activation = recipe.activation.as_deref().map(str::parse::<Activation>).transpose();
    let activation = match activation {
        Ok(activation) => activation,
        Err(error) => return (item("Base", Verdict::Blocking, error.to_string()), None),
    };
    match demo::open(Path::new(&recipe.base), Options { activation }) {
        Ok(checkpoint) => {
            let architecture = checkpoint.architecture;
            let (all, trained) =
                (architecture.parameters() as u64, estimate::trained_parameters(recipe, &architecture));
            let says = format!(
                "{}; {} parameters, {} trained",
                architecture.summary(),
                grouped(all),
                if trained == all { "all".to_owned() } else { grouped(trained) }
            );
            let verdict = if trained == 0 { Verdict::Blocking } else { Verdict::Fine };
            (item("Base", verdict, says), Some(architecture))
        }
        Err(error) => (item("Base", Verdict::Blocking, error.to_string()), None),
    }
}

fn data(recipe: &Recipe) -> CheckItem {
    if recipe.data.is_empty() {
        return item("Data", Verdict::Blocking, "name what to train on: files, folders, patterns, or demo:scenes");
    }
    if recipe.data.iter().any(|source| source == SCENES) {
        let has_negatives = matches!(recipe.negatives, NegativeSource::Given | NegativeSource::None);
        return match recipe.data.len() {
            1 if has_negatives => item("Data", Verdict::Fine, "the scene world, drawn as needed"),
            1 => {
                item("Data", Verdict::Blocking, "demo:scenes brings its own negatives; set negatives to given or none")
            }
            _ => item("Data", Verdict::Blocking, "demo:scenes cannot be mixed with other data"),
        };
    }
    match captions::describe(recipe) {
        Ok(found) => described(&found),
        Err(error) => item("Data", Verdict::Blocking, error.to_string()),
    }
}

fn described(found: &Description) -> CheckItem {
    let samples = match found.samples {
        Count::Known(n) => format!("{} samples", grouped(n)),
        Count::About(n) => format!("about {} samples", grouped(n)),
        Count::Unknown => "an unknown number of samples".to_owned(),
    };
    let mut says = format!("{samples} in {} shards ({})", grouped(found.shards as u64), found.form);
    if let Some(caption) = found.captions.first() {
        let short: String = caption.chars().take(LONGEST_CAPTION).collect();
        says = format!("{says}; the first caption is \u{201c}{short}\u{201d}");
    }
    match found.faults.first() {
        None => item("Data", Verdict::Fine, says),
        Some(fault) => {
            let n = found.faults.len();
            item("Data", Verdict::Warning, format!("{says}; {n} of the first are broken, such as {fault}"))
        }
    }
}

/// Whether the device is the CPU.
fn device_item(recipe: &Recipe, choice: DeviceChoice, items: &mut Vec<CheckItem>) -> bool {
    match device::open(choice) {
        Ok(found) => {
            let name = device::describe(&found);
            let half_on_cpu = found.is_cpu() && recipe.precision == Precision::Bf16;
            items.push(if half_on_cpu {
                item("Device", Verdict::Blocking, format!("{name} has no bf16; set precision to f32"))
            } else {
                item("Device", Verdict::Fine, name)
            });
            found.is_cpu()
        }
        Err(error) => {
            items.push(item("Device", Verdict::Blocking, error.to_string()));
            false
        }
    }
}

fn memory(recipe: &Recipe, architecture: &Architecture, on_cpu: bool) -> CheckItem {
    let needed = Memory::estimate(recipe, architecture);
    let peak = needed.peak();
    let mut says = format!(
        "about {}: {} weights, {} gradients and moments, {} activations, {} data",
        size(peak),
        size(needed.weights),
        size(needed.training),
        size(needed.activations),
        size(needed.data)
    );
    // How much a GPU has free is not asked: candle has no question for it.
    let free = if on_cpu { process::free_memory() } else { None };
    let Some(free) = free else { return item("Memory", Verdict::Fine, says) };
    says = format!("{says}; {} are free", size(free));
    let verdict = against(peak, free);
    if verdict == Verdict::Fine {
        return item("Memory", verdict, says);
    }
    item("Memory", Verdict::Warning, format!("{says}; a smaller batch, more micro-batches or recompute need less"))
}

fn disk(recipe: &Recipe, architecture: &Architecture, runs: &Path) -> CheckItem {
    let (needed, one) = (estimate::disk_bytes(recipe, architecture), estimate::checkpoint_bytes(recipe, architecture));
    let says = format!("{} for checkpoints of {} and the result", size(needed), size(one));
    match process::free_disk(runs) {
        Some(free) => {
            let verdict = against(needed, free);
            let advice = if verdict == Verdict::Fine { "" } else { "; keep fewer checkpoints or free some" };
            item("Disk", verdict, format!("{says}; {} are free{advice}", size(free)))
        }
        None => item("Disk", Verdict::Fine, says),
    }
}

fn against(needed: u64, free: u64) -> Verdict {
    if needed > free {
        Verdict::Blocking
    } else if needed as f64 > TIGHT * free as f64 {
        Verdict::Warning
    } else {
        Verdict::Fine
    }
}

fn evaluation(recipe: &Recipe) -> CheckItem {
    let wanted = &recipe.evaluate_benchmarks;
    if wanted.is_empty() {
        return item("Evaluation", Verdict::Fine, "none; name benchmarks to see the patched curve during the run");
    }
    let is_scenes = recipe.evaluate_data.is_empty();
    let found: Vec<String> = if is_scenes {
        demo::evaluation().into_iter().map(|benchmark| benchmark.name).collect()
    } else {
        let folder = Path::new(&recipe.evaluate_data);
        if !folder.is_dir() {
            return item("Evaluation", Verdict::Blocking, format!("there is no such folder: {}", folder.display()));
        }
        benchmark::find(folder).into_iter().map(str::to_owned).collect()
    };
    let place = if is_scenes { "the scene world".to_owned() } else { recipe.evaluate_data.clone() };
    let missing: Vec<&str> = wanted.iter().filter(|name| !found.contains(name)).map(String::as_str).collect();
    if missing.is_empty() {
        return item("Evaluation", Verdict::Fine, format!("{} in {place}", wanted.join(", ")));
    }
    let unknown = missing.iter().find(|name| !benchmark::NAMES.contains(name));
    let says = match unknown {
        Some(name) => format!("there is no benchmark '{name}'; known are {}", benchmark::NAMES.join(", ")),
        None => format!("{} not found in {place}", missing.join(", ")),
    };
    item("Evaluation", Verdict::Blocking, says)
}

/// `151277313` → `151,277,313`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes for people, in powers of ten, as disks are sold.
fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000_000 => (1e3, "KB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    let value = bytes as f64 / unit;
    if value < 10.0 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}
