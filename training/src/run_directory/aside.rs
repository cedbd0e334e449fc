//! Files and folders that are there whole or not at all: written aside, synced, renamed, their folder synced.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How unfinished things begin.
const PREFIX: &str = ".clove-";

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The process's number, so that two processes never write the same file.
    parent(path).join(format!("{PREFIX}{what}-{}-{name}", std::process::id()))
}

/// Writes a file over `path`.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(parent(path))?;
    let aside = beside(path, "new");
    let written = File::create(&aside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&aside, path)) {
        // What is half written only takes room.
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    sync_folder(parent(path))
}

/// Has `fill` make a folder's content, then puts it at `path`, in the place of what is there if that is an empty
/// folder.
pub(super) fn folder(path: &Path, fill: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    fs::create_dir_all(parent(path))?;
    let aside = beside(path, "new");
    remove(&aside)?;
    fs::create_dir(&aside)?;
    let filled = fill(&aside).and_then(|()| sync_all(&aside)).and_then(|()| fs::rename(&aside, path));
    if let Err(error) = filled {
        let _ = remove(&aside);
        return Err(error);
    }
    sync_folder(parent(path))
}

/// Removes a folder if it is there. Renamed first, so that no reader takes what is half gone for a whole.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let is_aside = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
    let gone = if is_aside { path.to_owned() } else { beside(path, "gone") };
    if !is_aside && path.exists() {
        fs::rename(path, &gone)?;
    }
    match fs::remove_dir_all(&gone) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what dead workers left unfinished. For the holder of the lock alone. What cannot be removed is only waste.
pub(super) fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

/// Bytes of all files in a folder.
pub(super) fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { sync_all(&entry.path())? } else { File::open(entry.path())?.sync_all()? }
    }
    sync_folder(folder)
}

/// A rename survives a power failure once its folder is synced. Windows has no such call and needs none.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
