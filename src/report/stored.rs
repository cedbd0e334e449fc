//! A report out of the log of a folder of results, which may hold several pairs, data sets and subsets.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{Entry, Model};
use crate::patch::AlphaMap;
use crate::store::results::{End, Line};

/// Names one task of one benchmark.
pub type TaskKey = (String, Option<String>);

/// One pair's scores.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Alpha 0.
    pub base: Model,
    /// Alpha 1.
    pub tuned: Model,
    /// As a report wants them.
    pub entries: Vec<Entry>,
    /// Names of the files of examples, by task and alpha.
    pub keys: BTreeMap<(TaskKey, AlphaMap), String>,
    /// What was left out.
    pub remarks: Vec<String>,
}

/// The pair that was scored last among those that `wanted` lets through; `None` without any.
pub fn latest(lines: &[Line], wanted: impl Fn(&End, &End) -> bool) -> Option<Stored> {
    let hashes = |line: &Line| (line.base.sha256.clone(), line.tuned.sha256.clone());
    let last = lines.iter().rev().find(|line| wanted(&line.base, &line.tuned))?;
    let of_pair: Vec<&Line> = lines.iter().filter(|line| hashes(line) == hashes(last)).collect();
    // A base that stands for both ends was scored alone; every pair is a result of its own.
    let others: BTreeSet<(String, String)> = lines.iter().map(hashes).filter(|pair| *pair != hashes(last)).collect();
    let (base, tuned) = (model(&last.base), model(&last.tuned));
    let mut stored = Stored { base, tuned, ..Stored::default() };
    if !others.is_empty() {
        let n = others.len();
        let (pairs, are) = if n == 1 { ("pair", "is") } else { ("pairs", "are") };
        stored.remarks.push(format!("results of {n} other {pairs} {are} in the same folder and not in this report"));
    }
    for task in tasks(&of_pair) {
        stored.take(&task, &of_pair);
    }
    Some(stored)
}

/// In the order of their first score.
fn tasks(lines: &[&Line]) -> Vec<TaskKey> {
    let mut tasks: Vec<TaskKey> = Vec::new();
    for line in lines {
        let key = key(line);
        if !tasks.contains(&key) {
            tasks.push(key);
        }
    }
    tasks
}

fn key(line: &Line) -> TaskKey {
    (line.row.benchmark.clone(), line.row.task.clone())
}

impl Stored {
    /// Adds a task's scores on the data with the most alphas, the latest of equals.
    fn take(&mut self, task: &TaskKey, lines: &[&Line]) {
        let mut alphas: BTreeMap<&str, (BTreeSet<AlphaMap>, usize)> = BTreeMap::new();
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| key(line) == *task) {
            let (of_data, last) = alphas.entry(line.data.as_str()).or_default();
            of_data.insert(line.row.alpha);
            *last = place;
        }
        let most = alphas.iter().max_by_key(|(_, (of_data, last))| (of_data.len(), *last));
        let Some((data, _)) = most else { return };
        let data = (*data).to_owned();
        if alphas.len() > 1 {
            let title = crate::benchmark::title(&task.0, task.1.as_deref());
            self.remarks.push(format!(
                "{title} was also scored on other data, another subset or under another tie rule; this report has the \
                 one with the most alphas"
            ));
        }
        // A score that was computed twice counts once, the later one.
        let mut rows: BTreeMap<AlphaMap, Vec<Entry>> = BTreeMap::new();
        for line in lines.iter().filter(|line| key(line) == *task && line.data == data) {
            let entry = Entry {
                row: line.row.clone(),
                data: data.clone(),
                device: line.device.clone(),
                version: line.version.clone(),
            };
            let of_alpha = rows.entry(line.row.alpha).or_default();
            match of_alpha.iter_mut().find(|old| old.row.metric == line.row.metric) {
                Some(old) => *old = entry,
                None => of_alpha.push(entry),
            }
            self.keys.insert((task.clone(), line.row.alpha), line.key.clone());
        }
        self.entries.extend(rows.into_values().flatten());
    }
}

fn model(end: &End) -> Model {
    Model {
        name: name(&end.path.display().to_string()),
        path: end.path.display().to_string(),
        sha256: end.sha256.clone(),
        architecture: end.architecture.clone(),
        activation: end.activation.clone(),
    }
}

/// The last part of a path that tells models apart: a folder's name where the file's says nothing.
fn name(path: &str) -> String {
    if let Some(end) = path.strip_prefix("demo:") {
        return format!("demo {end}");
    }
    let path = std::path::Path::new(path);
    let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let stem = path.file_stem().map(text).unwrap_or_default();
    let says_nothing =
        ["model", "open_clip_model", "open_clip_pytorch_model", "pytorch_model"].contains(&stem.as_str());
    let parent = path.parent().and_then(|parent| parent.file_name()).map(text);
    match (parent, path.file_name()) {
        (Some(parent), _) if says_nothing => parent,
        (_, Some(file)) if path.extension().is_none_or(|e| e != "safetensors") => text(file),
        _ if stem.is_empty() => path.display().to_string(),
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::Alpha;
    use crate::report::tests::row;

    fn line(tuned: &str, data: &str, alpha: f64, metric: &str, value: f64) -> Line {
        let end = |path: &str| End { path: path.into(), sha256: format!("hash of {path}"), ..End::default() };
        let row = row("aro-relation", None, alpha, metric, value);
        let (base, tuned) = (end("base"), end(tuned));
        let key = format!("{data} {alpha}");
        Line { row, key, base, tuned, data: data.into(), device: "CPU".into(), version: "0.1".into() }
    }

    #[test]
    fn the_latest_pair_and_the_fullest_data_are_taken() {
        let lines = [
            line("old", "all", 0.0, "macro-accuracy", 10.0),
            line("new", "all", 0.0, "macro-accuracy", 20.0),
            line("new", "all", 0.0, "accuracy", 21.0),
            line("new", "all", 1.0, "macro-accuracy", 30.0),
            line("new", "all", 0.0, "macro-accuracy", 22.0),
            line("new", "some", 0.0, "macro-accuracy", 99.0),
        ];
        let stored = latest(&lines, |_, _| true).unwrap();
        assert_eq!(stored.tuned.path, "new");
        let told: Vec<_> =
            stored.entries.iter().map(|e| (e.row.alpha.mean().get(), e.row.metric.as_str(), e.row.value)).collect();
        let expected = [(0.0, "macro-accuracy", 22.0), (0.0, "accuracy", 21.0), (1.0, "macro-accuracy", 30.0)];
        assert_eq!(told, expected);
        let at = |alpha| (("aro-relation".to_owned(), None), AlphaMap::one(Alpha::clamped(alpha)));
        assert_eq!(stored.keys.get(&at(1.0)).map(String::as_str), Some("all 1"));
        assert!(stored.remarks[0].contains("1 other pair is") && stored.remarks[1].contains("other data"));
        let old = latest(&lines, |_, tuned| tuned.path.ends_with("old")).unwrap();
        assert_eq!((old.entries.len(), old.remarks.len()), (1, 1));
        assert!(latest(&lines, |_, _| false).is_none() && latest(&[], |_, _| true).is_none());
    }

    #[test]
    fn names_say_which_model() {
        let told = ["demo:base", "/m/clip-b32/model.safetensors", "/m/negclip.safetensors", "/m/ViT-B.16", "x.pt", "/"]
            .map(name);
        assert_eq!(told, ["demo base", "clip-b32", "negclip", "ViT-B.16", "x.pt", "/"]);
    }
}
