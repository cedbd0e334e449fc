//! All images and texts of some benchmarks, each once: what never depends on alpha is computed once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use image::RgbImage;

use crate::benchmark::{Benchmark, ImageRef, Items, table_image};
use crate::clip::{Tokenizer, preprocess};

/// Distinct images and texts, and where each benchmark finds its own.
pub struct Corpus {
    /// Distinct images.
    pub images: Vec<ImageRef>,
    /// Distinct token rows.
    pub texts: Vec<Vec<u32>>,
    /// One per benchmark, in their order.
    pub places: Vec<Places>,
}

/// Where a benchmark's images and texts lie in a [`Corpus`].
pub struct Places {
    /// Corpus image of each of the benchmark's images.
    pub images: Vec<usize>,
    /// Corpus texts: per example its captions, per class its prompts, or per caption that can be retrieved itself.
    pub texts: Vec<Vec<usize>>,
}

impl Corpus {
    /// Gathers and tokenises. Captions that tokenise alike are one text.
    pub fn new(benchmarks: &[Benchmark], tokenizer: &Tokenizer) -> Self {
        let mut corpus = Self { images: Vec::new(), texts: Vec::new(), places: Vec::new() };
        let (mut by_key, mut by_string, mut by_ids) = (HashMap::new(), HashMap::new(), HashMap::new());
        for benchmark in benchmarks {
            let images = benchmark.images.iter().map(|image| {
                *by_key.entry(image.key()).or_insert_with(|| {
                    corpus.images.push(image.clone());
                    corpus.images.len() - 1
                })
            });
            let images = images.collect();
            let mut text = |text: String| {
                *by_string.entry(text).or_insert_with_key(|text| {
                    let ids = tokenizer.encode(text);
                    *by_ids.entry(ids).or_insert_with_key(|ids: &Vec<u32>| {
                        corpus.texts.push(ids.clone());
                        corpus.texts.len() - 1
                    })
                })
            };
            let texts = match &benchmark.items {
                Items::Choices(choices) => {
                    choices.iter().map(|c| c.captions.iter().cloned().map(&mut text).collect()).collect()
                }
                Items::Duels(duels) => {
                    duels.iter().map(|d| d.captions.iter().cloned().map(&mut text).collect()).collect()
                }
                Items::Retrieval(retrieval) => retrieval.captions.iter().cloned().map(|c| vec![text(c)]).collect(),
                Items::Classes { classes, templates, .. } => {
                    let prompts = |class: &String| templates.iter().map(|t| t.replace("{}", class)).collect::<Vec<_>>();
                    classes.iter().map(|c| prompts(c).into_iter().map(&mut text).collect()).collect()
                }
            };
            corpus.places.push(Places { images, texts });
        }
        corpus
    }
}

/// Loads one image as RGB, cropped as its benchmark says.
///
/// # Errors
/// One sentence with the file.
pub fn load(image: &ImageRef) -> Result<RgbImage, String> {
    match image {
        ImageRef::File { path, crop } => {
            let picture = preprocess::read(path).map_err(|e| e.to_string())?;
            match crop {
                Some(corners) => {
                    preprocess::crop_box(&picture, *corners).map_err(|e| format!("{e}: {}", path.display()))
                }
                None => Ok(picture),
            }
        }
        ImageRef::Stored { archive, offset, length, name } => {
            let failed = |e: &dyn std::fmt::Display| format!("{e}: {name} in {}", archive.display());
            let bytes = stored(archive, *offset, *length).map_err(|e| failed(&e))?;
            preprocess::decode(&bytes).map_err(|e| failed(&e))
        }
        ImageRef::InTable { table, column, row, name } => {
            let failed = |e: &dyn std::fmt::Display| format!("{e}: {name} in {}", table.display());
            let bytes = table_image(table, column, *row).map_err(|e| failed(&e))?;
            preprocess::decode(&bytes).map_err(|e| failed(&e))
        }
        ImageRef::Drawn { image, .. } => Ok(image.render()),
    }
}

/// The bytes of a file inside an archive; never more than the archive has.
fn stored(archive: &Path, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(archive)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
