//! A model on the Hugging Face hub: its weights, and what lies beside them, all of one commit.

use std::path::Path;

use super::client::Client;
use super::download::{Advance, Wanted, download};
use super::record::Record;
use super::{FetchError, MAX_WEIGHTS};
use crate::checkpoint::{WEIGHTS, shard_names};

/// Where the hub is; the variable is the hub's own clients'.
const ENDPOINT: (&str, &str) = ("HF_ENDPOINT", "https://huggingface.co");
/// What opens gated and private models, as the hub's own clients know it.
const TOKEN: &str = "HF_TOKEN";
/// What may lie beside the weights.
const BESIDE: [&str; 3] = ["config.json", "open_clip_config.json", "tokenizer.json"];
/// Largest file beside the weights.
const MAX_BESIDE: u64 = 64 << 20;

/// A model's files and where they go.
struct Model<'a> {
    client: &'a Client,
    /// Up to `/resolve`.
    base: String,
    revision: &'a str,
    token: Option<String>,
    folder: &'a Path,
}

/// Fetches the first weights that the model has, in the order in which a folder is opened.
pub(super) fn fetch(
    client: &Client,
    (id, revision): (&str, &str),
    (folder, record): (&Path, &mut Record),
    go_on: &mut dyn FnMut(&Advance<'_>) -> bool,
) -> Result<(), FetchError> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let endpoint = variable(ENDPOINT.0).unwrap_or_else(|| ENDPOINT.1.into());
    let base = format!("{}/{id}/resolve", endpoint.trim_end_matches('/'));
    let model = Model { client, base, revision, token: variable(TOKEN), folder };
    for name in BESIDE {
        model.get(name, MAX_BESIDE, record, go_on)?;
    }
    for name in WEIGHTS {
        let is_index = name.ends_with(".index.json");
        if !model.get(name, if is_index { MAX_BESIDE } else { MAX_WEIGHTS }, record, go_on)? {
            continue;
        }
        let shards = if is_index { shards(&folder.join(name))? } else { Vec::new() };
        for shard in shards {
            if !model.get(&shard, MAX_WEIGHTS, record, go_on)? {
                return Err(FetchError::NotFound { url: model.url(&shard, record) });
            }
        }
        return Ok(());
    }
    Err(FetchError::NoWeights { id: format!("{endpoint}/{id}") })
}

impl Model<'_> {
    /// Once the commit is known, a branch that moves meanwhile mixes no files.
    fn url(&self, name: &str, record: &Record) -> String {
        let at = record.commit.as_deref().unwrap_or(self.revision).replace('/', "%2F");
        format!("{}/{at}/{name}", self.base)
    }

    /// Whether the model has a file of that name, which then is there.
    fn get(
        &self,
        name: &str,
        limit: u64,
        record: &mut Record,
        go_on: &mut dyn FnMut(&Advance<'_>) -> bool,
    ) -> Result<bool, FetchError> {
        if record.has(name) {
            return Ok(true);
        }
        let (url, path) = (self.url(name, record), self.folder.join(name));
        let wanted = Wanted { url, path: &path, limit, sha256: None, token: self.token.as_deref() };
        match download(self.client, &wanted, go_on) {
            Ok(found) => {
                record.commit = record.commit.take().or(found.commit);
                record.files.push(found.file);
                record.write(self.folder)?;
                Ok(true)
            }
            Err(FetchError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn shards(index: &Path) -> Result<Vec<String>, FetchError> {
    let fail = |e| FetchError::disk("read the index of shards", index, e);
    let names = shard_names(&std::fs::read(index).map_err(fail)?);
    Ok(names.map_err(|reason| fail(std::io::Error::other(reason)))?.into_iter().collect())
}
