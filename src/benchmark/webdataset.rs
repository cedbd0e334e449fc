//! Folders of tar shards as `clip_benchmark_export_wds` writes them: classification and retrieval.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::rows::bounded_text;
use super::{Benchmark, Direction, ImageRef, Items, Metric, ReadError, Retrieval, Skipped, TieRule, locate};

/// Name of `--benchmark`.
pub(super) const NAME: &str = "webdataset";

const SHARDS: &str = "nshards.txt";
const CLASSES: &str = "classnames.txt";
const TEMPLATES: &str = "zeroshot_classification_templates.txt";
const TYPE: &str = "dataset_type.txt";
/// Of several splits, the one that is evaluated.
const SPLITS: [&str; 4] = ["test", "val", "validation", "train"];
const IMAGES: [&str; 4] = ["webp", "png", "jpg", "jpeg"];

const MAX_TEXT_BYTES: u64 = 16 << 20;
/// Largest label or caption file in a shard.
const MAX_MEMBER_BYTES: u64 = 1 << 20;
/// Most shards that are looked for; published sets have at most a few hundred.
const MAX_SHARDS: usize = 100_000;

/// The members of one sample. An image is only placed, not read.
#[derive(Default)]
struct Sample {
    image: Option<ImageRef>,
    label: Option<String>,
    captions: Option<String>,
}

/// Folders of sets: they hold a split with shards.
fn sets(data: &Path) -> Vec<PathBuf> {
    let mut folders = locate::bases(data);
    folders.extend(locate::subfolders(data).iter().flat_map(|folder| locate::subfolders(folder)));
    folders.retain(|folder| split(folder).is_some());
    folders
}

fn split(set: &Path) -> Option<PathBuf> {
    let has_shards = |split: &PathBuf| split.join(SHARDS).is_file() || split.join("0.tar").is_file();
    SPLITS.iter().map(|split| set.join(split)).find(has_shards)
}

/// Whether there is a set of shards.
pub(super) fn exists(data: &Path) -> bool {
    !sets(data).is_empty()
}

/// Reads every set of shards in `data` or up to two folders below it; the task is the name of its folder. Multi-label
/// sets are refused, as there is no published metric of ours for them.
pub(super) fn read(data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    let sets = sets(data);
    if sets.is_empty() {
        let wanted = format!("folder with test/{SHARDS} and test/0.tar");
        return Err(ReadError::NotFound { name: NAME, wanted, data: data.to_owned() });
    }
    let mut benchmarks = Vec::new();
    for set in sets {
        benchmarks.extend(read_set(&set)?);
    }
    Ok(benchmarks)
}

fn read_set(set: &Path) -> Result<Vec<Benchmark>, ReadError> {
    let kind = lines(&set.join(TYPE))?.and_then(|lines| lines.into_iter().next()).unwrap_or_default();
    let Some(split) = split(set) else { return Err(ReadError::Empty { path: set.to_owned() }) };
    let mut gathered = Gathered::default();
    for shard in shards(&split)? {
        let samples = samples(&shard).map_err(|source| ReadError::Io { path: shard.clone(), source })?;
        gathered.add(&shard, samples);
    }
    let task = set.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = match kind.as_str() {
        "retrieval" => gathered.retrieval(&task),
        "multilabel" => {
            let reason = "a multi-label set is not scored here".to_owned();
            return Err(ReadError::Unusable { path: set.to_owned(), reason });
        }
        _ => {
            let classes = lines(&set.join(CLASSES))?.unwrap_or_default();
            let templates = lines(&set.join(TEMPLATES))?.unwrap_or_default();
            if let Some(line) = templates.iter().find(|template| !template.contains("{c}") && !template.contains("{}"))
            {
                return Err(ReadError::Template { path: set.join(TEMPLATES), line: line.clone() });
            }
            vec![gathered.classification(&task, classes, &templates)]
        }
    };
    match found.first() {
        Some(first) if !first.is_empty() => Ok(found),
        _ => Err(ReadError::Unusable { path: split, reason: "no sample of its shards can be used".to_owned() }),
    }
}

/// The shards of a split: as many as `nshards.txt` says, or those that follow one another.
fn shards(split: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let said = lines(&split.join(SHARDS))?.and_then(|lines| lines.first()?.parse::<usize>().ok());
    let shard = |i: usize| split.join(format!("{i}.tar"));
    let n = said.unwrap_or(MAX_SHARDS).min(MAX_SHARDS);
    let found: Vec<PathBuf> = (0..n).map(shard).take_while(|shard| shard.is_file()).collect();
    match said {
        Some(said) if found.len() < said => Err(ReadError::Unusable {
            path: split.to_owned(),
            reason: format!("{SHARDS} says {said} shards, but {}.tar is not there", found.len()),
        }),
        _ => Ok(found),
    }
}

/// The samples of a shard in its order: members with one name up to the first dot of their file name. Archives are
/// trusted with nothing: names are only compared, and only labels and captions are read. A shard that is cut off gives
/// the samples before the cut.
fn samples(shard: &Path) -> std::io::Result<Vec<(String, Sample)>> {
    let mut archive = tar::Archive::new(File::open(shard)?);
    let mut samples: Vec<(String, Sample)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for entry in archive.entries_with_seek()? {
        let Ok(mut entry) = entry else { break };
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (folder, file) = path.rsplit_once('/').map_or(("", path.as_str()), |(folder, file)| (folder, file));
        let Some((stem, extension)) = file.split_once('.') else { continue };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let key = if folder.is_empty() { stem.to_owned() } else { format!("{folder}/{stem}") };
        let place = *places.entry(key.clone()).or_insert_with(|| {
            samples.push((key, Sample::default()));
            samples.len() - 1
        });
        let Some((_, sample)) = samples.get_mut(place) else { continue };
        let extension = extension.to_lowercase();
        if IMAGES.contains(&extension.as_str()) {
            let (offset, length) = (entry.raw_file_position(), entry.size());
            sample.image = Some(ImageRef::Stored { archive: shard.to_owned(), offset, length, name: path });
        } else if matches!(extension.as_str(), "cls" | "txt") {
            let mut text = String::new();
            let read = entry.by_ref().take(MAX_MEMBER_BYTES).read_to_string(&mut text);
            let text = read.ok().map(|_| text);
            *(if extension == "cls" { &mut sample.label } else { &mut sample.captions }) = text;
        }
    }
    Ok(samples)
}

/// The samples of all shards.
#[derive(Default)]
struct Gathered {
    samples: Vec<(String, Sample)>,
}

impl Gathered {
    fn add(&mut self, shard: &Path, samples: Vec<(String, Sample)>) {
        let shard = shard.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.samples.extend(samples.into_iter().map(|(key, sample)| (format!("{shard}/{key}"), sample)));
    }

    fn classification(self, task: &str, classes: Vec<String>, templates: &[String]) -> Benchmark {
        let (mut images, mut labels, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        let n_in_file = self.samples.len();
        for (item, sample) in self.samples {
            let label = sample.label.and_then(|text| text.trim().parse().ok()).filter(|label| *label < classes.len());
            match (sample.image, label) {
                (Some(image), Some(label)) => {
                    images.push(image);
                    labels.push(label);
                }
                (None, _) => skipped.push(Skipped { item, reason: "it has no image".to_owned() }),
                (_, None) => skipped.push(Skipped { item, reason: "its label is none of the classes".to_owned() }),
            }
        }
        let templates: Vec<String> = if templates.is_empty() {
            vec!["a photo of a {}.".to_owned()]
        } else {
            templates.iter().map(|template| template.replace("{c}", "{}")).collect()
        };
        let protocol =
            format!("top-1 and top-5 over {} classes, mean of {} prompts of the set", classes.len(), templates.len());
        let items = Items::Classes { classes, templates, labels };
        benchmark(task.to_owned(), Metric::TopK, images, items, skipped, protocol, n_in_file)
    }

    /// Captions are joined by newlines; one inside a caption is written `\n`.
    fn retrieval(self, task: &str) -> Vec<Benchmark> {
        let (mut images, mut captions, mut image_of, mut skipped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let n_in_file = self.samples.len();
        for (item, sample) in self.samples {
            let texts: Vec<String> = sample.captions.iter().flat_map(|text| text.split('\n')).map(unescaped).collect();
            match sample.image {
                Some(image) if !texts.is_empty() => {
                    image_of.extend(std::iter::repeat_n(images.len(), texts.len()));
                    images.push(image);
                    captions.extend(texts);
                }
                _ => skipped.push(Skipped { item, reason: "it has no image or no captions".to_owned() }),
            }
        }
        let one = |direction: Direction| {
            let protocol = format!(
                "recall at 1, 5 and 10 over {} images and {} captions, of equal similarities the first",
                images.len(),
                captions.len()
            );
            let items =
                Items::Retrieval(Retrieval { captions: captions.clone(), image_of: image_of.clone(), direction });
            let task = format!("{task}-{}", direction.task());
            benchmark(task, Metric::Recall, images.clone(), items, skipped.clone(), protocol, n_in_file)
        };
        vec![one(Direction::ImageToText), one(Direction::TextToImage)]
    }
}

fn unescaped(caption: &str) -> String {
    caption.replace("\\n", "\n")
}

fn benchmark(
    task: String,
    metric: Metric,
    images: Vec<ImageRef>,
    items: Items,
    skipped: Vec<Skipped>,
    protocol: String,
    n_in_file: usize,
) -> Benchmark {
    let (name, ties) = (NAME.to_owned(), TieRule::First);
    Benchmark { name, task: Some(task), metric, ties, images, items, skipped, protocol, n_in_file }
}

/// The lines of a small text file, blank ones left out; `None` if it is not there.
fn lines(path: &Path) -> Result<Option<Vec<String>>, ReadError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = bounded_text(path, MAX_TEXT_BYTES)?;
    Ok(Some(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()))
}

#[cfg(test)]
#[path = "webdataset_tests.rs"]
mod tests;
