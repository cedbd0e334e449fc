//! `pairs.jsonl`: anyone's own hard negatives, a JSON object per line.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::choices::{Protocol, Reading, tags};
use super::images::Images;
use super::rows::jsonl_rows;
use super::{Benchmark, Choice, Metric, ReadError, TieRule, locate};

/// Name of `--benchmark`.
pub(super) const NAME: &str = "pairs";
/// File name.
pub(super) const FILE: &str = "pairs.jsonl";

/// A line. Unknown keys are ignored.
#[derive(Deserialize)]
struct Row {
    image: String,
    caption: String,
    negatives: Vec<String>,
    #[serde(default)]
    tags: Value,
}

/// Reads `pairs.jsonl`: `image` (a path below the file's folder or its `images`), `caption`, `negatives` (one or more)
/// and optional `tags`. Accuracy with the caption strictly ahead of every negative.
pub(super) fn read(data: &Path) -> Result<Benchmark, ReadError> {
    let path = locate::require(NAME, data, FILE)?;
    let images = Images::below(locate::image_roots(data, &path, &["images"], &["val2014", "val2017"]));
    let rows = jsonl_rows(&path)?;
    let reading = Reading::of_items(path, rows, images, |row, images| choice(row, images).map(Some))?;
    let negatives: usize = reading.asked.iter().map(|choice| choice.captions.len() - 1).sum();
    let mean = negatives as f64 / reading.asked.len() as f64;
    let sentence = format!(
        "accuracy against {mean:.1} hard negatives on average; the right caption must be strictly ahead: a tie is wrong"
    );
    let protocol = Protocol { name: NAME, task: None, metric: Metric::Accuracy, ties: TieRule::Strict };
    Ok(reading.finish(protocol, sentence))
}

fn choice(row: Value, images: &mut Images) -> Result<Choice, String> {
    let row: Row = serde_json::from_value(row).map_err(|error| error.to_string())?;
    if row.negatives.is_empty() {
        return Err("it has no negatives".to_owned());
    }
    Ok(Choice {
        image: images.place(&row.image, None)?,
        captions: std::iter::once(row.caption).chain(row.negatives).collect(),
        right: 0,
        group: None,
        tags: tags([], &row.tags),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::fixtures::{Data, choices, skipped};

    #[test]
    fn lines_become_choices_and_faults_are_named() {
        let data = Data::new();
        data.image("mine/images/a.png").text(
            "mine/pairs.jsonl",
            concat!(
                r#"{"image": "a.png", "caption": "x", "negatives": ["y", "z"], "tags": ["t"], "other": 1}"#,
                "\n\n",
                r#"{"image": "b.png", "caption": "x", "negatives": ["y"]}"#,
                "\n",
                r#"{"image": "a.png", "caption": "x", "negatives": []}"#,
                "\n",
                r#"{"image": "a.png", "capt"#,
            ),
        );
        let benchmark = read(data.path()).unwrap();
        let [choice] = choices(&benchmark) else { panic!("{:?}", benchmark.items) };
        assert_eq!((choice.captions.as_slice(), choice.right), (&["x", "y", "z"].map(String::from)[..], 0));
        assert_eq!((choice.tags.as_slice(), benchmark.ties), (&["t".to_owned()][..], TieRule::Strict));
        let skipped = skipped(&benchmark);
        assert_eq!(skipped.iter().map(|(item, _)| *item).collect::<Vec<_>>(), ["line 3", "line 4", "line 5"]);
        assert!(skipped[0].1.contains("b.png") && skipped[1].1.contains("no negatives"), "{skipped:?}");
        assert_eq!(benchmark.n_in_file, 4);
        assert!(benchmark.protocol.contains("2.0 hard negatives"), "{}", benchmark.protocol);
    }
}
