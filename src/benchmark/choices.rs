//! What the readers of caption choices share: rows in, choices and skipped items out.

use std::path::PathBuf;

use serde_json::Value;

use super::images::Images;
use super::rows::json_rows;
use super::{Benchmark, Choice, Duel, Items, Metric, ReadError, Skipped, TieRule, Win};

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

/// What became of the rows of one file; `T` is what an example is made of.
pub(super) struct Reading<T> {
    /// Rows in the file.
    pub(super) n_in_file: usize,
    /// Rows that can be asked, in file order.
    pub(super) asked: Vec<T>,
    /// Rows that the protocol itself leaves out.
    pub(super) excluded: usize,
    images: Images,
    skipped: Vec<Skipped>,
}

impl<T> Reading<T> {
    /// Reads the JSON file at `path`. `example` makes an example of a row, `None` of one that the protocol leaves out,
    /// or gives the reason why a row cannot be used. An error if none can.
    pub(super) fn read(
        path: PathBuf,
        images: Images,
        example: impl FnMut(Value, &mut Images) -> Result<Option<T>, String>,
    ) -> Result<Self, ReadError> {
        let rows = json_rows(&path)?;
        Self::of_items(path, rows, images, example)
    }

    /// As [`Reading::read`] for `rows` that come with the names which the file gives them.
    pub(super) fn of_items<R>(
        path: PathBuf,
        rows: Vec<(String, R)>,
        mut images: Images,
        mut example: impl FnMut(R, &mut Images) -> Result<Option<T>, String>,
    ) -> Result<Self, ReadError> {
        let n_in_file = rows.len();
        let (mut asked, mut skipped, mut excluded) = (Vec::new(), Vec::new(), 0);
        for (item, row) in rows {
            match example(row, &mut images) {
                Ok(Some(example)) => asked.push(example),
                Ok(None) => excluded += 1,
                Err(reason) => skipped.push(Skipped { item, reason }),
            }
        }
        if asked.is_empty() {
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
        Ok(Self { n_in_file, asked, excluded, images, skipped })
    }

    /// The finished benchmark; `sentence` is its protocol, `items` makes the questions of the examples.
    pub(super) fn finish_with(
        self,
        protocol: Protocol,
        sentence: String,
        items: impl FnOnce(Vec<T>) -> Items,
    ) -> Benchmark {
        Benchmark {
            name: protocol.name.to_owned(),
            task: protocol.task,
            metric: protocol.metric,
            ties: protocol.ties,
            images: self.images.into_images(),
            items: items(self.asked),
            skipped: self.skipped,
            protocol: sentence,
            n_in_file: self.n_in_file,
        }
    }
}

impl Reading<Choice> {
    /// As [`Reading::finish_with`] for caption choices.
    pub(super) fn finish(self, protocol: Protocol, sentence: String) -> Benchmark {
        self.finish_with(protocol, sentence, Items::Choices)
    }
}

impl Reading<Duel> {
    /// One benchmark per task: its name, and which comparisons of an example it asks for.
    pub(super) fn finish_tasks(
        self,
        name: &'static str,
        ties: TieRule,
        tasks: &[(&str, &[Win], &str)],
    ) -> Vec<Benchmark> {
        let (images, skipped, n_in_file) = (self.images.into_images(), self.skipped, self.n_in_file);
        let task = |&(task, wins, sentence): &(&str, &[Win], &str)| Benchmark {
            name: name.to_owned(),
            task: Some(task.to_owned()),
            metric: Metric::Accuracy,
            ties,
            images: images.clone(),
            items: Items::Duels(self.asked.iter().map(|duel| Duel { wins: wins.to_vec(), ..duel.clone() }).collect()),
            skipped: skipped.clone(),
            protocol: sentence.to_owned(),
            n_in_file,
        };
        tasks.iter().map(task).collect()
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
