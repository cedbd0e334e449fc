//! What the readers of caption choices share: rows in, choices and skipped items out.

use std::path::PathBuf;

use serde_json::Value;

use super::images::Images;
use super::rows::json_rows;
use super::{Benchmark, Choice, Items, Metric, ReadError, Skipped, TieRule};

/// What distinguishes one benchmark's caption choices from another's.
pub(super) struct Protocol {
    /// Name of `--benchmark`.
    pub(super) name: &'static str,
    /// Published task.
    pub(super) task: Option<String>,
    /// What is averaged.
    pub(super) metric: Metric,
    /// Who wins a tie.
    pub(super) ties: TieRule,
}

/// What became of the rows of one file.
pub(super) struct Reading {
    /// Rows in the file.
    pub(super) n_in_file: usize,
    /// Rows that can be asked, in file order.
    pub(super) choices: Vec<Choice>,
    /// Rows that the protocol itself leaves out.
    pub(super) excluded: usize,
    images: Images,
    skipped: Vec<Skipped>,
}

impl Reading {
    /// Reads the JSON file at `path`. `choice` makes an example of a row, `None` of one that the protocol leaves out,
    /// or gives the reason why a row cannot be used. An error if none can.
    pub(super) fn read(
        path: PathBuf,
        mut images: Images,
        mut choice: impl FnMut(Value, &mut Images) -> Result<Option<Choice>, String>,
    ) -> Result<Self, ReadError> {
        let rows = json_rows(&path)?;
        let n_in_file = rows.len();
        let (mut choices, mut skipped, mut excluded) = (Vec::new(), Vec::new(), 0);
        for (item, row) in rows {
            match choice(row, &mut images) {
                Ok(Some(choice)) => choices.push(choice),
                Ok(None) => excluded += 1,
                Err(reason) => skipped.push(Skipped { item, reason }),
            }
        }
        if choices.is_empty() {
            let (item, reason) = match skipped.into_iter().next() {
                Some(Skipped { item, reason }) => (item, reason),
                None => ("0".to_owned(), "the protocol leaves it out".to_owned()),
            };
            return Err(ReadError::NothingUsable {
                path,
                items: n_in_file,
                item,
                reason,
                looked_in: images.looked_in(),
            });
        }
        Ok(Self { n_in_file, choices, excluded, images, skipped })
    }

    /// The finished benchmark; `sentence` is its protocol.
    pub(super) fn finish(self, protocol: Protocol, sentence: String) -> Benchmark {
        Benchmark {
            name: protocol.name.to_owned(),
            task: protocol.task,
            metric: protocol.metric,
            ties: protocol.ties,
            images: self.images.into_images(),
            items: Items::Choices(self.choices),
            skipped: self.skipped,
            protocol: sentence,
            n_in_file: self.n_in_file,
        }
    }
}

/// `first` and the strings of the optional `tags` array, which the demo's files carry beside the published fields.
pub(super) fn tags(first: impl IntoIterator<Item = String>, extra: &Value) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let extra = extra.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    for tag in first.into_iter().chain(extra) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_are_distinct_and_anything_else_is_harmless() {
        let own = || ["swap_obj".to_owned()];
        assert_eq!(tags(own(), &json!(["red", 3, "swap_obj", "cube"])), ["swap_obj", "red", "cube"]);
        assert_eq!(tags(own(), &json!("red")), ["swap_obj"]);
        assert_eq!(tags(own(), &Value::Null), ["swap_obj"]);
    }
}
