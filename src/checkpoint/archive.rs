//! The zip archive in which PyTorch keeps a pickle and its storages, read where it lies in memory.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::Range;

use zip::{CompressionMethod, ZipArchive};

/// Where the uncompressed entries of an archive lie.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    entries: BTreeMap<String, Entry>,
    /// What stands before `data.pkl`, with its slash.
    root: String,
}

#[derive(Debug)]
enum Entry {
    Stored(Range<usize>),
    /// PyTorch compresses a scripted module's code and nothing that is needed here.
    Compressed,
}

impl<'a> Archive<'a> {
    /// Reads the directory. Nothing is unpacked, so that claimed sizes cost nothing.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let broken = |error: zip::result::ZipError| {
            format!(
                "the file is truncated or damaged: its zip directory cannot be read ({})",
                error.to_string().escape_debug()
            )
        };
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
        let mut entries = BTreeMap::new();
        for index in 0..zip.len() {
            let file = zip.by_index_raw(index).map_err(broken)?;
            let name = String::from_utf8_lossy(file.name_raw()).into_owned();
            let is_plain = file.compression() == CompressionMethod::Stored && !file.encrypted();
            let entry = if is_plain {
                let range = file.data_start().and_then(|start| range(start, file.size(), bytes.len()));
                let reason =
                    || format!("the file is truncated or damaged: its entry '{}' lies outside", name.escape_debug());
                Entry::Stored(range.ok_or_else(reason)?)
            } else {
                Entry::Compressed
            };
            entries.insert(name, entry);
        }
        let pickle =
            entries.keys().filter_map(|name| name.strip_suffix("data.pkl")).find(|r| r.is_empty() || r.ends_with('/'));
        let root = pickle.ok_or("this is a zip archive without PyTorch's data.pkl, not a checkpoint")?.to_owned();
        Ok(Self { bytes, entries, root })
    }

    /// The bytes of an entry beside `data.pkl`, such as `data/0`.
    pub(super) fn entry(&self, name: &str) -> Result<&'a [u8], String> {
        let name = format!("{}{name}", self.root);
        let shown = name.escape_debug();
        match self.entries.get(&name) {
            Some(Entry::Stored(range)) => Ok(self.bytes.get(range.clone()).unwrap_or_default()),
            Some(Entry::Compressed) => Err(format!(
                "its entry '{shown}' is compressed, which PyTorch never does; save it again with torch.save"
            )),
            None => Err(format!("the file is damaged: its entry '{shown}' is missing")),
        }
    }

    /// Whether an entry exists.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(&format!("{}{name}", self.root))
    }
}

fn range(start: u64, size: u64, length: usize) -> Option<Range<usize>> {
    let start = usize::try_from(start).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    (end <= length).then_some(start..end)
}
