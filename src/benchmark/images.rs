//! Distinct images of a benchmark, found below trusted folders only.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::ImageRef;

/// Collects images, each (file, box) once.
pub(super) struct Images {
    roots: Vec<PathBuf>,
    found: HashMap<String, Option<PathBuf>>,
    places: HashMap<String, usize>,
    distinct: Vec<ImageRef>,
}

impl Images {
    /// Images are looked for below `roots`, in this order.
    pub(super) fn below(roots: Vec<PathBuf>) -> Self {
        Self { roots, found: HashMap::new(), places: HashMap::new(), distinct: Vec::new() }
    }

    /// The place of an image named by an annotation file. The name is not trusted: it must stay below the roots. The
    /// error is a reason for skipping the item.
    pub(super) fn place(&mut self, name: &str, crop: Option<[f64; 4]>) -> Result<usize, String> {
        if !stays_below(name) {
            return Err(format!("the image path `{name}` leads out of the data folder"));
        }
        if !self.found.contains_key(name) {
            let path = self.roots.iter().map(|root| root.join(name)).find(|path| path.is_file());
            // `./a.jpg` is `a.jpg`: equal images must have equal keys.
            self.found.insert(name.to_owned(), path.map(|path| path.components().collect()));
        }
        let path = self.found.get(name).cloned().flatten();
        let path = path.ok_or_else(|| format!("there is no image file {name}"))?;
        Ok(self.add(ImageRef::File { path, crop }))
    }

    /// The place of an image that is known to be there.
    pub(super) fn add(&mut self, image: ImageRef) -> usize {
        let next = self.distinct.len();
        let place = *self.places.entry(image.key()).or_insert(next);
        if place == next {
            self.distinct.push(image);
        }
        place
    }

    /// The place of the first of `names` that is there, for stores that name an image in several ways.
    pub(super) fn place_any(&mut self, names: &[String]) -> Result<usize, String> {
        let found = names.iter().find_map(|name| self.place(name, None).ok());
        found.ok_or_else(|| format!("there is no image file {}", names.join(" or ")))
    }

    /// The place of an image under its name, or under the last part of it where all images lie in one folder.
    pub(super) fn place_or_bare(&mut self, name: &str) -> Result<usize, String> {
        let place = self.place(name, None);
        match name.rsplit_once('/') {
            Some((_, bare)) if place.is_err() && stays_below(name) => self.place(bare, None).or(place),
            _ => place,
        }
    }

    /// Whether one of these names is there.
    pub(super) fn is_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.roots.iter().any(|root| root.join(name).is_file()))
    }

    /// The roots, for an error text.
    pub(super) fn looked_in(&self) -> String {
        let roots: Vec<_> = self.roots.iter().map(|root| root.display().to_string()).collect();
        roots.join(", ")
    }

    /// The images, in order of first use.
    pub(super) fn into_images(self) -> Vec<ImageRef> {
        self.distinct
    }
}

/// Whether a path from a file is relative and never climbs. Backslashes count as separators, as they do on Windows.
fn stays_below(name: &str) -> bool {
    let normal =
        |path: &str| Path::new(path).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    !name.is_empty() && !name.contains('\0') && normal(name) && normal(&name.replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_stay_below_are_accepted() {
        for good in ["a.jpg", "val2014/a.jpg", "./a b.jpg", "a..b.jpg"] {
            assert!(stays_below(good), "{good}");
        }
        for bad in ["", "/etc/a.jpg", "../a.jpg", "a/../../b.jpg", "..\\a.jpg", "\\\\host\\a.jpg", "a\0.jpg"] {
            assert!(!stays_below(bad), "{bad}");
        }
    }

    #[test]
    fn equal_files_and_boxes_are_one_image() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.png"), "").unwrap();
        let mut images = Images::below(vec![root.path().join("none"), root.path().to_owned()]);
        let boxed = Some([0.0, 0.0, 2.0, 2.0]);
        assert_eq!(images.place("a.png", None), Ok(0));
        assert_eq!(images.place("a.png", boxed), Ok(1));
        assert_eq!(images.place("./a.png", None), Ok(0));
        assert_eq!(images.place("a.png", boxed), Ok(1));
        assert!(images.place("b.png", None).unwrap_err().contains("b.png"));
        assert!(images.place("../a.png", None).unwrap_err().contains("leads out"));
        assert_eq!(images.into_images().len(), 2);
    }
}
