//! The benchmarks by name.

use std::path::Path;

use super::{Benchmark, Items, ReadError, aro, aro_order, folder, locate, sugarcrepe};

/// Names accepted by `--benchmark`, recognition first.
pub const NAMES: &[&str] = &[folder::NAME, aro::RELATION, aro::ATTRIBUTION, aro_order::NAME, sugarcrepe::NAME];

/// Reads one benchmark, one of [`NAMES`], from the folder `data`: the published files are looked for in it and one
/// folder below. One task each, several for `sugarcrepe`. Images are only looked up, not opened.
pub fn read(name: &str, data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    match name {
        folder::NAME => Ok(vec![folder::read(data)?]),
        aro::RELATION => Ok(vec![aro::read_relation(data)?]),
        aro::ATTRIBUTION => Ok(vec![aro::read_attribution(data)?]),
        aro_order::NAME => Ok(vec![aro_order::read(data)?]),
        sugarcrepe::NAME => sugarcrepe::read(data),
        _ => Err(ReadError::UnknownName { name: name.to_owned() }),
    }
}

/// Which of [`NAMES`] have their files in `data`. Whether these can be used is only known after [`read`].
pub fn find(data: &Path) -> Vec<&'static str> {
    let is_there = |name: &str| match name {
        folder::NAME => folder::exists(data),
        aro::RELATION => locate::file(data, aro::RELATION_FILE).is_some(),
        aro::ATTRIBUTION => locate::file(data, aro::ATTRIBUTION_FILE).is_some(),
        aro_order::NAME => aro_order::file(data).is_some(),
        _ => sugarcrepe::exists(data),
    };
    NAMES.iter().copied().filter(|name| is_there(name)).collect()
}

/// The name of a benchmark's task for people, such as "SugarCrepe replace relation".
pub fn title(name: &str, task: Option<&str>) -> String {
    let name = match name {
        folder::NAME => "Recognition (class folders)".to_owned(),
        aro::RELATION => "ARO relation".to_owned(),
        aro::ATTRIBUTION => "ARO attribution".to_owned(),
        aro_order::NAME => "ARO COCO order".to_owned(),
        sugarcrepe::NAME => "SugarCrepe".to_owned(),
        other => sentence_case(other),
    };
    match task {
        Some(task) => format!("{name} {}", task_words(task)),
        None => name,
    }
}

/// Percent right for a model that guesses: the mean over examples of one over the number of options.
pub fn chance(benchmark: &Benchmark) -> f64 {
    match &benchmark.items {
        Items::Choices(choices) => {
            let guesses: f64 = choices.iter().map(|choice| 1.0 / choice.captions.len().max(1) as f64).sum();
            100.0 * guesses / choices.len().max(1) as f64
        }
        Items::Classes { classes, .. } => 100.0 / classes.len().max(1) as f64,
    }
}

fn task_words(task: &str) -> String {
    let word = |word| match word {
        "obj" => "object",
        "att" => "attribute",
        "rel" => "relation",
        other => other,
    };
    task.split('_').map(word).collect::<Vec<_>>().join(" ")
}

fn sentence_case(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
