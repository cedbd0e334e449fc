//! Folders of published files for the readers' tests.

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;

use super::{Benchmark, Choice, Items};

/// A data folder that is removed when dropped.
pub(super) struct Data(TempDir);

impl Data {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and the folders above it.
    pub(super) fn text(&self, file: &str, text: &str) -> &Self {
        std::fs::write(self.make_parent(file), text).unwrap();
        self
    }

    pub(super) fn json(&self, file: &str, value: &Value) -> &Self {
        self.text(file, &value.to_string())
    }

    /// Writes a real picture of 4×4 pixels in the format of the extension.
    pub(super) fn image(&self, file: &str) -> &Self {
        RgbImage::from_pixel(4, 4, Rgb([200, 30, 90])).save(self.make_parent(file)).unwrap();
        self
    }

    pub(super) fn folder(&self, folder: &str) -> &Self {
        std::fs::create_dir_all(self.path().join(folder)).unwrap();
        self
    }

    fn make_parent(&self, file: &str) -> PathBuf {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }
}

pub(super) fn choices(benchmark: &Benchmark) -> &[Choice] {
    match &benchmark.items {
        Items::Choices(choices) => choices,
        _ => panic!("not choices"),
    }
}

/// (item, reason) of what was skipped.
pub(super) fn skipped(benchmark: &Benchmark) -> Vec<(&str, &str)> {
    benchmark.skipped.iter().map(|skipped| (skipped.item.as_str(), skipped.reason.as_str())).collect()
}
