//! Files that are there whole or not at all.

use std::fs::File;
use std::io::{Result, Write as _};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

/// How unfinished files begin.
const PREFIX: &str = ".clove-";

/// Writes aside, syncs, renames over `path`, syncs the folder, which is made where it is missing.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    put(path, bytes, |aside| aside.persist(path).map_err(|e| e.error))
}

fn put(path: &Path, bytes: &[u8], persist: impl FnOnce(NamedTempFile) -> Result<File>) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut aside = readable(&mut tempfile::Builder::new()).tempfile_in(folder)?;
    aside.write_all(bytes)?;
    aside.as_file().sync_all()?;
    persist(aside)?;
    sync_folder(folder)
}

/// Writes a file that must not be there yet, as [`write()`] does.
///
/// # Errors
/// [`std::io::ErrorKind::AlreadyExists`] when it is.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    put(path, bytes, |aside| aside.persist_noclobber(path).map_err(|e| e.error))
}

/// A rename survives a power failure once its folder is synced. Windows has no such call and needs none.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

/// Temporary files are private by default; what is renamed into place is for everyone who may see the folder.
fn readable<'b, 'p, 's>(builder: &'b mut tempfile::Builder<'p, 's>) -> &'b mut tempfile::Builder<'p, 's> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder.prefix(PREFIX)
}

/// Removes what killed processes left unfinished in `folder`, if nobody touched it for `age`. What cannot be removed
/// stays: it is only waste.
pub fn remove_leftovers(folder: &Path, age: Duration) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.is_ok_and(|time| time.elapsed().is_ok_and(|since| since >= age));
        if is_ours && is_old {
            // A file that vanished meanwhile is what was wanted.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole_and_only_our_leftovers_go() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("deep/er/file");
        for content in ["one", "two"] {
            write(&path, content.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
        let folder = path.parent().unwrap();
        std::fs::write(folder.join(".clove-abc"), "half").unwrap();
        assert_eq!(write_new(&path, b"three").unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        write_new(&folder.join("new"), b"new").unwrap();
        std::fs::remove_file(folder.join("new")).unwrap();
        remove_leftovers(folder, Duration::from_hours(1));
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 2, "what is young may be somebody's");
        remove_leftovers(folder, Duration::ZERO);
        let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["file"]);
    }
}
