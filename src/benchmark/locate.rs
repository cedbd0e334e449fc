//! Where published files lie below `--data`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::ReadError;

/// `data` and the folders directly in it, in sorted order; unreadable or missing folders have none.
pub(super) fn bases(data: &Path) -> Vec<PathBuf> {
    let mut bases = vec![data.to_owned()];
    bases.extend(subfolders(data));
    bases
}

/// Folders directly in `parent` whose names do not begin with a dot, sorted by name.
pub(super) fn subfolders(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = parent.read_dir() else { return Vec::new() };
    let mut folders: Vec<_> = entries
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// The published file `file` in `data` or one folder below it.
pub(super) fn file(data: &Path, file: &str) -> Option<PathBuf> {
    bases(data).into_iter().map(|base| base.join(file)).find(|path| path.is_file())
}

/// The first of the published `files` in `data` or one folder below it that `fits`; some sets share file names.
pub(super) fn file_where(data: &Path, files: &[&str], fits: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let bases = bases(data);
    let mut candidates = files.iter().flat_map(|file| bases.iter().map(move |base| base.join(file)));
    candidates.find(|path| path.is_file() && fits(path))
}

/// Whether the first 4 kB of a file contain `word`, such as the key by which a format is told from its neighbour.
pub(super) fn begins_with_word(path: &Path, word: &str) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut start));
    read.is_ok() && String::from_utf8_lossy(&start).contains(word)
}

/// As [`file`], or an error that says where it was looked for.
pub(super) fn require(name: &'static str, data: &Path, wanted: &str) -> Result<PathBuf, ReadError> {
    file(data, wanted).ok_or_else(|| ReadError::NotFound { name, wanted: wanted.to_owned(), data: data.to_owned() })
}

/// Folders in which the images of the annotation file `annotation` may lie, nearest first: `own` and `published`
/// subfolders beside the file and in `data`, those folders themselves, and `published` ones (whose names belong to one
/// collection, such as `val2017`) one folder below `data`.
pub(super) fn image_roots(data: &Path, annotation: &Path, own: &[&str], published: &[&str]) -> Vec<PathBuf> {
    let beside = annotation.parent().unwrap_or(data);
    let above = beside.parent().filter(|above| above.starts_with(data)).unwrap_or(data);
    let mut roots: Vec<PathBuf> = Vec::new();
    let mut add = |folder: PathBuf| {
        if folder.is_dir() && !roots.contains(&folder) {
            roots.push(folder);
        }
    };
    for base in [beside, above, data] {
        for folder in own.iter().chain(published) {
            add(base.join(folder));
        }
        add(base.to_owned());
    }
    for base in subfolders(data) {
        for folder in published {
            add(base.join(folder));
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_directly_before_one_level_down() {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        for folder in ["b", "a", "a/deep", ".hidden"] {
            std::fs::create_dir_all(data.join(folder)).unwrap();
        }
        assert_eq!(file(data, "x.json"), None);
        std::fs::write(data.join(".hidden/x.json"), "").unwrap();
        std::fs::write(data.join("a/deep/x.json"), "").unwrap();
        assert_eq!(file(data, "x.json"), None);
        std::fs::write(data.join("b/x.json"), "").unwrap();
        assert_eq!(file(data, "x.json"), Some(data.join("b/x.json")));
        std::fs::write(data.join("a/x.json"), "").unwrap();
        assert_eq!(file(data, "x.json"), Some(data.join("a/x.json")));
        std::fs::write(data.join("x.json"), "").unwrap();
        assert_eq!(file(data, "x.json"), Some(data.join("x.json")));
    }

    #[test]
    fn images_beside_the_file_come_first_and_only_published_folders_are_shared() {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        for folder in ["set/images", "other/images", "other/val2017", "images"] {
            std::fs::create_dir_all(data.join(folder)).unwrap();
        }
        let roots = image_roots(data, &data.join("set/x.json"), &["images"], &["val2017"]);
        let expected = ["set/images", "set", "images", "", "other/val2017"].map(|folder| data.join(folder));
        assert_eq!(roots.iter().map(PathBuf::as_path).collect::<Vec<_>>(), expected.each_ref().map(PathBuf::as_path));
    }
}
