//! Tars of images, captions and JSON, as img2dataset writes and webdataset reads them.
//!
//! A sample is what shares a name up to the first dot, wherever in the archive its members stand. Members are read where
//! they lie; nothing is unpacked and no name becomes a path.

use super::archive::{End, Span, walk};
use super::fault::{Fault, FaultKind};
use super::group::{Group, Groups, Part};
use super::record::Wrong;
use super::shard::{MOST_SAMPLES, Opened, Raw, Shard, Wanted, cut, huge, read_span};
use std::path::{Path, PathBuf};

struct Tar {
    path: PathBuf,
    groups: Vec<Group<Span>>,
    keys: Wanted,
}

/// Reads the headers of an archive.
pub(super) fn open(path: &Path, keys: Wanted) -> Result<Opened, Fault> {
    let mut groups = Groups::new();
    let end = walk(path, |name, span| {
        if groups.len() < MOST_SAMPLES {
            groups.add(name, span);
        }
    });
    let fault = |kind, reason: String| Fault::new(kind, path.display().to_string(), reason);
    let mut faults = Vec::new();
    match end {
        End::Whole => {}
        End::Cut(how) => faults.push(fault(FaultKind::CutShard, format!("The archive is cut: {how}"))),
        End::Broken(at, what) => {
            faults.push(fault(FaultKind::BrokenShard, format!("The archive is damaged: byte {at} {what}")));
        }
        End::NoArchive => return Err(fault(FaultKind::UnknownShard, "It is no tar archive".to_owned())),
        End::Io(error) => {
            return Err(fault(FaultKind::UnreadableShard, format!("The archive cannot be read: {error}")));
        }
    }
    if groups.len() == MOST_SAMPLES {
        faults.push(fault(FaultKind::BrokenShard, format!("Only the first {MOST_SAMPLES} samples are used")));
    } else if groups.len() == 0 && faults.is_empty() {
        return Err(fault(FaultKind::UnknownShard, "The archive holds no images and no captions".to_owned()));
    }
    Ok(Opened::new(Tar { path: path.to_owned(), groups: groups.into_vec(), keys }, faults))
}

impl Shard for Tar {
    fn len(&self) -> usize {
        self.groups.len()
    }

    fn read(&self, index: usize) -> Result<Raw, Fault> {
        let group = &self.groups[index];
        let place = || format!("{}: {}", self.path.display(), group.key);
        let read = |span: &Span, part: Part| self.member(*span, &part);
        group.assemble(place(), &self.keys, read).map_err(|(kind, reason)| Fault::new(kind, place(), reason))
    }
}

impl Tar {
    fn member(&self, span: Span, part: &Part) -> Result<Vec<u8>, Wrong> {
        let (what, limit) = part.bound();
        if span.cut {
            Err(cut())
        } else if span.size > limit {
            Err(huge(what, span.size, limit))
        } else {
            read_span(&self.path, span.offset, span.size)
        }
    }
}
