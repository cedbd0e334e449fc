//! A folder of images with captions beside them (`000000017.jpg`, `.txt`, `.json`), as img2dataset's `files` are.

use super::fault::{Fault, FaultKind};
use super::group::{Group, Groups, Part};
use super::shard::{MOST_SAMPLES, Opened, Raw, Shard, Wanted, read_file};
use std::path::{Path, PathBuf};

struct Folder {
    path: PathBuf,
    groups: Vec<Group<Box<str>>>,
    keys: Wanted,
}

/// Lists a folder.
pub(super) fn open(path: &Path, keys: Wanted) -> Result<Opened, Fault> {
    let fault = |kind, reason: String| Fault::new(kind, path.display().to_string(), reason);
    let unreadable = |error| fault(FaultKind::UnreadableShard, format!("The folder cannot be read: {error}"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
        if names.len() > 4 * MOST_SAMPLES {
            return Err(fault(FaultKind::BrokenShard, "The folder holds too many files, please split it".to_owned()));
        }
    }
    // The order of a folder is the disk's whim.
    names.sort_unstable();
    let mut groups = Groups::new();
    names.into_iter().for_each(|name| groups.add(&name, name.as_str().into()));
    if groups.len() == 0 {
        return Err(fault(FaultKind::UnknownShard, "The folder holds no images and no captions".to_owned()));
    }
    Ok(Opened::new(Folder { path: path.to_owned(), groups: groups.into_vec(), keys }, Vec::new()))
}

impl Shard for Folder {
    fn len(&self) -> usize {
        self.groups.len()
    }

    fn read(&self, index: usize) -> Result<Raw, Fault> {
        let group = &self.groups[index];
        let place = || self.path.join(&*group.key).display().to_string();
        #[expect(clippy::borrowed_box, reason = "the group lends its members as it holds them")]
        let read = |name: &Box<str>, part: Part| {
            let (what, limit) = part.bound();
            read_file(&self.path.join(&**name), what, limit)
        };
        group.assemble(place(), &self.keys, read).map_err(|(kind, reason)| Fault::new(kind, place(), reason))
    }
}
