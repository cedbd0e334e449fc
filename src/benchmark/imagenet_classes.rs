//! ImageNet's classes, their names and the prompts around them: embedded, or from files that people bring.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use super::rows::bounded_text;
use super::{ReadError, locate};

/// Wnid and name by label, tab-separated: the wnids sorted, the names those of OpenAI's notebook.
const CLASSES: &str = include_str!("../../assets/imagenet_classes.tsv");
/// OpenAI's 80 prompts in their original order.
const TEMPLATES: &str = include_str!("../../assets/imagenet_templates.txt");

const NAME_FILES: [&str; 3] = ["imagenet_classnames.json", "en_classnames.json", "classnames.json"];
const TEMPLATE_FILES: [&str; 3] =
    ["imagenet_templates.json", "en_zeroshot_classification_templates.json", "templates.json"];
/// The key of ImageNet in `CLIP_benchmark`'s files.
const KEYS: [&str; 2] = ["imagenet1k", "imagenet"];
/// Largest file of names or prompts; `CLIP_benchmark`'s has about 0.2 MB.
const MAX_BYTES: u64 = 16 << 20;

/// Number of classes.
pub(super) const N: usize = 1000;

/// Wnids by label, sorted.
pub(super) static WNIDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| CLASSES.lines().filter_map(|line| Some(line.split_once('\t')?.0)).collect());

/// The label of a wnid.
pub(super) fn label_of(wnid: &str) -> Option<usize> {
    WNIDS.binary_search(&wnid).ok()
}

/// Names and prompts, with words on where they come from.
pub(super) struct Vocabulary {
    pub(super) classes: Vec<String>,
    pub(super) templates: Vec<String>,
    pub(super) source: String,
}

/// The embedded names and prompts, each replaced by a file in `data` where there is one: a list of strings, as
/// open_clip's metadata are, or an object with such a list under `imagenet1k`, as `CLIP_benchmark` has it.
pub(super) fn vocabulary(data: &Path) -> Result<Vocabulary, ReadError> {
    let names = list(data, &NAME_FILES)?;
    if let Some((path, names)) = names.as_ref().filter(|(_, names)| names.len() != N) {
        return Err(ReadError::ClassNames { path: path.clone(), lines: names.len(), folders: N });
    }
    let templates = list(data, &TEMPLATE_FILES)?;
    if let Some((path, templates)) = &templates {
        let bad = templates.iter().find(|template| !template.contains("{}") && !template.contains("{c}"));
        let line = bad.cloned().or(templates.is_empty().then(|| "there is none".to_owned()));
        if let Some(line) = line {
            return Err(ReadError::Template { path: path.clone(), line });
        }
    }
    let said = |of: &Option<(PathBuf, Vec<String>)>, own: &str| {
        of.as_ref()
            .map_or(own.to_owned(), |(path, _)| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
    };
    let (from_names, from_templates) = (said(&names, "OpenAI"), said(&templates, "OpenAI"));
    let classes = names.map_or_else(
        || CLASSES.lines().filter_map(|line| Some(line.split_once('\t')?.1.to_owned())).collect(),
        |(_, names)| names,
    );
    let templates: Vec<String> = templates.map_or_else(
        || TEMPLATES.lines().map(str::to_owned).collect(),
        |(_, templates)| templates.into_iter().map(|template| template.replace("{c}", "{}")).collect(),
    );
    let source = format!("mean of {} prompts (from {from_templates}), class names from {from_names}", templates.len());
    Ok(Vocabulary { classes, templates, source })
}

/// The list of strings in the first of `files` that is there.
fn list(data: &Path, files: &[&str]) -> Result<Option<(PathBuf, Vec<String>)>, ReadError> {
    let Some(path) = locate::file_where(data, files, |_| true) else { return Ok(None) };
    let text = bounded_text(&path, MAX_BYTES)?;
    let tree: Value = serde_json::from_str(&text).map_err(|source| ReadError::Json { path: path.clone(), source })?;
    let own = KEYS.iter().find_map(|key| tree.get(key)).unwrap_or(&tree);
    let strings: Option<Vec<String>> =
        own.as_array().and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
    match strings {
        Some(strings) => Ok(Some((path, strings))),
        None => Err(ReadError::Unusable {
            path,
            reason: "a list of strings is needed, alone or under the key imagenet1k; prompts per class are not read"
                .to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::benchmark::fixtures::Data;

    fn sha256(lines: &[impl AsRef<str>]) -> String {
        let text = lines.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\n");
        Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    }

    #[test]
    fn names_wnids_and_prompts_are_the_published_ones() {
        let own = vocabulary(Data::new().path()).unwrap();
        // Hashes of the lists joined with newlines, as open_clip 3.3.0 and CLIP_benchmark hold them.
        assert_eq!(sha256(&own.classes), "571ae1c583b4be7da87519494c52bf405a46af05d5815627c7a0dee997068b60");
        assert_eq!(sha256(&own.templates), "4f976686fb651bb5803d4689dcd849f75efe0ef19a3c801355bc9a6f03c8a5af");
        assert_eq!(sha256(&WNIDS), "385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd");
        assert_eq!(own.source, "mean of 80 prompts (from OpenAI), class names from OpenAI");
        for (wnid, label, name) in
            [("n01440764", 0, "tench"), ("n01751748", 65, "sea snake"), ("n03773504", 657, "missile")]
        {
            assert_eq!((label_of(wnid), own.classes[label].as_str()), (Some(label), name));
        }
        assert_eq!(label_of("n00000000"), None);
    }

    #[test]
    fn files_replace_them_in_both_forms() {
        let names: Vec<String> = (0..N).map(|i| format!("class {i}")).collect();
        let data = Data::new();
        data.json("imagenet_classnames.json", &serde_json::json!(names));
        data.json(
            "en_zeroshot_classification_templates.json",
            &serde_json::json!({"cifar10": ["no {c}"], "imagenet1k": ["a {c}.", "the {}."]}),
        );
        let read = vocabulary(data.path()).unwrap();
        assert_eq!(
            (read.classes[999].as_str(), read.templates.as_slice()),
            ("class 999", &["a {}.", "the {}."].map(String::from)[..])
        );
        assert!(
            read.source.contains("2 prompts (from en_zeroshot") && read.source.contains("imagenet_classnames.json")
        );
        data.json("imagenet_classnames.json", &serde_json::json!(["one"]));
        assert!(matches!(vocabulary(data.path()), Err(ReadError::ClassNames { lines: 1, folders: N, .. })));
        data.json("imagenet_classnames.json", &serde_json::json!({"imagenet1k": {"tench": ["a fish"]}}));
        assert!(matches!(vocabulary(data.path()), Err(ReadError::Unusable { .. })));
        data.json("imagenet_classnames.json", &serde_json::json!({"imagenet1k": names}));
        data.json("imagenet_templates.json", &serde_json::json!(["no place"]));
        assert!(matches!(vocabulary(data.path()), Err(ReadError::Template { .. })));
    }
}
