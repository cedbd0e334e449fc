//! COCO's caption JSON: `images` with ids and file names, `annotations` with captions.
//!
//! A sample is a caption with its image. They are ordered by their place among the captions of their image, first all
//! first ones, then all second ones: neighbours in a batch then show different images, of which none is wrongly taken
//! for a negative of the other.

use super::fault::{Fault, FaultKind};
use super::record::{self, Keys, Object};
use super::rows::{Row, raw};
use super::shard::{Opened, Raw, Shard, open_file};
use crate::negatives::made_elsewhere::IMAGE;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file.
const LARGEST: u64 = 1 << 30;

/// A file of captions, read whole.
pub(super) struct Coco {
    path: PathBuf,
    images: PathBuf,
    names: Vec<Box<str>>,
    captions: Vec<Caption>,
}

struct Caption {
    /// Place in the names, if there is such an image.
    image: Option<u32>,
    text: Result<Box<str>, FaultKind>,
    negatives: Box<[String]>,
}

impl Coco {
    /// Reads a file; the error says in words why it is none.
    pub fn read(path: &Path, keys: &Keys) -> io::Result<Self> {
        let (file, size) = open_file(path)?;
        if size > LARGEST {
            return Err(io::Error::other("it is larger than 1 GiB"));
        }
        let mut content = Content { keys, images: HashMap::new(), names: Vec::new(), found: Vec::new() };
        let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 18, file));
        json.deserialize_map(&mut content)?;
        let captions = content.captions();
        if captions.is_empty() {
            return Err(io::Error::other("it holds no captions as COCO's (images and annotations)"));
        }
        let images = images_folder(path, content.names.first().map_or("", |name| name));
        Ok(Self { path: path.to_owned(), images, names: content.names, captions })
    }

    /// Number of captions.
    pub fn len(&self) -> usize {
        self.captions.len()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Where the images of `annotations/captions_train2017.json` are: beside the file, or in `train2017` or `images` there
/// or one folder up; the first that has the first image.
fn images_folder(path: &Path, first: &str) -> PathBuf {
    let beside = path.parent().unwrap_or(Path::new(""));
    let above = beside.parent().unwrap_or(Path::new(".."));
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let part = stem.strip_prefix("captions_").unwrap_or("");
    let inner = [String::new(), part.to_owned(), "images".to_owned(), format!("images/{part}")];
    let folders = [beside, above].into_iter().flat_map(|root| inner.iter().map(|folder| root.join(folder)));
    folders.into_iter().find(|folder| folder.join(first).is_file()).unwrap_or_else(|| beside.to_owned())
}

/// What is kept of the JSON while it streams by.
struct Content<'a> {
    keys: &'a Keys,
    /// Place in the names by id.
    images: HashMap<String, u32>,
    names: Vec<Box<str>>,
    /// Captions with the id of their image, as the file may name images later.
    found: Vec<(String, Caption)>,
}

impl Content<'_> {
    fn image(&mut self, image: &Object) {
        let name = IMAGE.iter().chain(&["file_name"]).find_map(|name| image.get(*name)).and_then(Value::as_str);
        if let (Some(id), Some(name)) = (image.get("id"), name) {
            self.images.insert(id.to_string(), self.names.len() as u32);
            self.names.push(name.into());
        }
    }

    fn annotation(&mut self, annotation: &Object) {
        let text = record::caption(annotation, self.keys).map(Into::into).map_err(|(kind, _)| kind);
        let (text, negatives) = match record::negatives(annotation, self.keys) {
            Ok(negatives) => (text, negatives.into()),
            Err((kind, _)) => (text.and(Err(kind)), Box::default()),
        };
        let id = annotation.get("image_id").map(ToString::to_string).unwrap_or_default();
        self.found.push((id, Caption { image: None, text, negatives }));
    }

    /// The captions in their order: see the module.
    fn captions(&mut self) -> Vec<Caption> {
        let mut seen: HashMap<u32, usize> = HashMap::new();
        let mut ranked: Vec<(usize, Caption)> = Vec::with_capacity(self.found.len());
        for (id, caption) in std::mem::take(&mut self.found) {
            let image = self.images.get(&id).copied();
            let rank = image.map_or(0, |image| {
                let count = seen.entry(image).or_default();
                *count += 1;
                *count - 1
            });
            ranked.push((rank, Caption { image, ..caption }));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, caption)| caption).collect()
    }
}

impl<'de> Visitor<'de> for &mut Content<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with images and annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "images" => map.next_value_seed(Each(|object: &Object| self.image(object)))?,
                "annotations" => map.next_value_seed(Each(|object: &Object| self.annotation(object)))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Hands over the objects of a list one by one.
struct Each<F>(F);

impl<'de, F: FnMut(&Object)> DeserializeSeed<'de> for Each<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(&Object)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut count = 0u32;
        while let Some(object) = list.next_element::<Object>()? {
            count = count.checked_add(1).ok_or_else(|| A::Error::custom("too many entries"))?;
            (self.0)(&object);
        }
        Ok(())
    }
}

struct Part {
    coco: Arc<Coco>,
    range: Range<usize>,
}

/// The captions of a range.
pub(super) fn open(coco: &Arc<Coco>, range: Range<usize>) -> Opened {
    Opened::new(Part { coco: coco.clone(), range }, Vec::new())
}

impl Shard for Part {
    fn len(&self) -> usize {
        self.range.len()
    }

    fn read(&self, index: usize) -> Result<Raw, Fault> {
        let index = self.range.start + index;
        let caption = &self.coco.captions[index];
        let image = caption.image.and_then(|image| self.coco.names.get(image as usize));
        let place = format!("{}: caption {}", self.coco.path.display(), index + 1);
        let fault = |kind, reason: &str| Fault::new(kind, place.clone(), reason);
        let image = image.ok_or_else(|| fault(FaultKind::MissingImage, "The caption's image is not listed"))?;
        let text = caption.text.as_ref().map_err(|kind| fault(*kind, "The annotation has no usable caption"))?;
        let row = Row { image: image.to_string(), caption: text.to_string(), negatives: caption.negatives.to_vec() };
        raw(&row, &self.coco.images, true, &place).map_err(|(kind, reason)| fault(kind, &reason))
    }
}
