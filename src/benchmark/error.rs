//! Why a benchmark could not be read at all. What is wrong with single items is a [`super::Skipped`] instead.

use std::path::PathBuf;

use super::catalogue::NAMES;

/// Why a benchmark could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The name is none of [`NAMES`].
    #[error("no benchmark is called `{name}`; choose from {}", NAMES.join(", "))]
    UnknownName {
        /// As asked for.
        name: String,
    },
    /// The published files are not there.
    #[error("{name}: no {wanted} in {} or one folder below it", .data.display())]
    NotFound {
        /// Of the benchmark.
        name: &'static str,
        /// The files looked for.
        wanted: String,
        /// `--data`.
        data: PathBuf,
    },
    /// Several folders would do.
    #[error(
        "folder: several folders in {} hold class folders ({}); point --data at one of them",
        .data.display(),
        .found.join(", ")
    )]
    Ambiguous {
        /// `--data`.
        data: PathBuf,
        /// Names of the folders.
        found: Vec<String>,
    },
    /// The operating system refused, or the text is not UTF-8.
    #[error("cannot read {}: {source}", .path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// As told by the system.
        source: std::io::Error,
    },
    /// Larger than any published file of its kind.
    #[error("{} has more than {limit} bytes, which no published file of its kind has", .path.display())]
    TooLarge {
        /// File.
        path: PathBuf,
        /// Largest size that is read.
        limit: u64,
    },
    /// Not JSON.
    #[error("{} is not valid JSON: {source}", .path.display())]
    Json {
        /// File.
        path: PathBuf,
        /// Line, column and cause.
        source: serde_json::Error,
    },
    /// JSON of another shape.
    #[error("{} must hold a JSON array or object of items", .path.display())]
    Shape {
        /// File.
        path: PathBuf,
    },
    /// No item of the file can be used.
    #[error(
        "none of the {items} items of {} can be used; the first, {item}: {reason} (images looked for in {looked_in})",
        .path.display()
    )]
    NothingUsable {
        /// File.
        path: PathBuf,
        /// Items in the file.
        items: usize,
        /// The first one.
        item: String,
        /// What is wrong with it.
        reason: String,
        /// Folders in which images were looked for.
        looked_in: String,
    },
    /// A file that is there but is not what its reader reads.
    #[error("{reason}: {}", .path.display())]
    Unusable {
        /// File or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file without items.
    #[error("{} holds no items", .path.display())]
    Empty {
        /// File.
        path: PathBuf,
    },
    /// `classes.txt` and the class folders disagree.
    #[error(
        "{} has {lines} class names for {folders} class folders; it needs one per folder, in sorted order",
        .path.display()
    )]
    ClassNames {
        /// `classes.txt`.
        path: PathBuf,
        /// Names in it.
        lines: usize,
        /// Class folders.
        folders: usize,
    },
    /// A prompt in `templates.txt` has no place for the class name.
    #[error("{}: every prompt needs a `{{}}` for the class name: {line}", .path.display())]
    Template {
        /// `templates.txt`.
        path: PathBuf,
        /// The line at fault, or a remark that there is none.
        line: String,
    },
}
