//! How many samples shards hold, from what their writers left beside them: nothing is opened that is long to read.

use super::listing::ShardSource;
use super::{parquet, record};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Most files asked for their sizes.
const MOST_FILES: usize = 4096;
/// Largest list of sizes.
const LARGEST: u64 = 16 << 20;

/// Samples of all shards together, if every one of them tells.
pub(super) fn known(shards: &[ShardSource]) -> Option<u64> {
    if shards.iter().filter(|shard| shard.samples().is_none()).count() > MOST_FILES {
        return None;
    }
    let mut lists = HashMap::new();
    shards.iter().map(|shard| shard.samples().or_else(|| beside(shard, &mut lists))).sum()
}

/// open_clip's `sizes.json`, else img2dataset's `00000_stats.json`, else the number of rows in a Parquet file.
fn beside(shard: &ShardSource, lists: &mut HashMap<PathBuf, Option<record::Object>>) -> Option<u64> {
    let path = shard.path();
    let folder = path.parent()?;
    let list = lists.entry(folder.to_owned()).or_insert_with(|| object(&folder.join("sizes.json")));
    let listed = list.as_ref().and_then(|list| list.get(path.file_name()?.to_str()?)?.as_u64());
    listed
        .or_else(|| {
            let stem = path.file_stem()?.to_str()?;
            object(&folder.join(format!("{stem}_stats.json")))?.get("successes")?.as_u64()
        })
        .or_else(|| matches!(shard, ShardSource::Archive(_)).then(|| parquet::count(path))?)
}

fn object(path: &Path) -> Option<record::Object> {
    let bytes = super::shard::read_file(path, "list of sizes", LARGEST).ok()?;
    record::object(&bytes).ok()
}
