//! The loading of training data at size: 50,000 made-up samples with planted faults, prepared as CLIP takes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clove_training::captions::{self, FaultKind};
use clove_training::{Recipe, SourceError};
use image::RgbImage;

use super::{Preparation, Tokenizer};

const SHARDS: u32 = 5;
const PER_SHARD: u32 = 10_000;
/// Every so manieth sample has a fault of each kind.
const PERIOD: u32 = 1_000;
const TOO_MANY_LETTERS: usize = (1 << 20) + 1;

fn picture(number: u32) -> Vec<u8> {
    let wave = |a: u32, b: u32| 128.0 + 100.0 * ((a as f64 * 0.07 + number as f64).sin() * (b as f64 * 0.05).cos());
    let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503) ^ number) % 24;
    let image = RgbImage::from_fn(192, 144, |x, y| {
        image::Rgb([(wave(x, y) as u32 + noise(x, y)) as u8, wave(y, x) as u8, (x + y + number) as u8])
    });
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&image).unwrap();
    bytes
}

fn caption(number: u32) -> String {
    let pick = |words: &[&str], by: u32| words[(number / by) as usize % words.len()].to_owned();
    let (size, colour) =
        (["small", "large", "old", "wooden", "shiny"], ["red", "blue", "green", "white", "black", "brown"]);
    let things = ["dog", "bench", "car", "bicycle", "table", "woman", "horse", "boat", "chair", "tree", "cup"];
    let places = ["on", "under", "near", "behind", "in front of", "beside"];
    let adjectives = [pick(&size, 1), pick(&colour, 5)];
    let (first, second) = (pick(&things, 7), pick(&things, 77));
    format!("A {} {} {first} {} a {} {second}", adjectives[0], adjectives[1], pick(&places, 3), pick(&colour, 11))
}

/// A BMP that announces 60,000 × 60,000 pixels.
fn bomb() -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    bytes.extend([u32::MAX, 0, 54, 40, 60_000, 60_000].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    bytes
}

struct Archive(tar::Builder<std::io::BufWriter<File>>);

impl Archive {
    fn new(path: &Path) -> Self {
        Self(tar::Builder::new(std::io::BufWriter::new(File::create(path).unwrap())))
    }

    fn add(&mut self, name: &str, data: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o444);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        self.0.append(&header, data).unwrap();
    }

    /// A good sample.
    fn sample(&mut self, key: &str, image: &[u8], number: u32) {
        self.add(&format!("{key}.jpg"), image);
        let text = caption(number);
        self.add(&format!("{key}.json"), format!("{{\"punsafe\": NaN, \"top_caption\": \"{text}\"}}").as_bytes());
        self.add(&format!("{key}.txt"), text.as_bytes());
    }

    /// A sample with the fault of its place in the period; says which it has when the text is the caption, and which
    /// when the JSON's key is.
    #[expect(clippy::too_many_lines, reason = "a table of faults, one arm each")]
    fn planted(&mut self, number: u32, image: &[u8]) -> [Option<FaultKind>; 2] {
        let key = format!("{number:09}");
        let json = |text: &str| format!("{{\"top_caption\": \"{text}\"}}");
        let (mut pixels, mut name) = (image.to_vec(), key.clone());
        let (mut text, mut record) = (Some(caption(number).into_bytes()), Some(json(&caption(number))));
        let both = |kind| [Some(kind); 2];
        let planted = match number % PERIOD {
            0 => {
                pixels.truncate(40);
                both(FaultKind::BrokenImage)
            }
            1 => {
                pixels = b"<html>404</html>".to_vec();
                both(FaultKind::BrokenImage)
            }
            2 => {
                pixels = bomb();
                both(FaultKind::HugeImage)
            }
            3 => {
                pixels.clear();
                both(FaultKind::MissingImage)
            }
            4 => {
                (text, record) = (None, None);
                both(FaultKind::MissingCaption)
            }
            5 => {
                (text, record) = (Some(b" \n".to_vec()), Some(json(" ")));
                both(FaultKind::EmptyCaption)
            }
            6 => {
                text = Some(b"caf\xe9".to_vec());
                [Some(FaultKind::CaptionNotText), None]
            }
            7 => {
                self.add(&format!("{key}.txt"), b"first");
                both(FaultKind::RepeatedMember)
            }
            8 => {
                name = format!("../../{key}");
                both(FaultKind::OutsidePath)
            }
            9 if number % 10_000 == 9 => {
                text = Some(vec![b'x'; TOO_MANY_LETTERS]);
                record = Some(json(&"x".repeat(TOO_MANY_LETTERS)));
                both(FaultKind::HugeMember)
            }
            10 => {
                record = Some("{\"top_caption\": ".to_owned());
                [None, Some(FaultKind::BrokenRecord)]
            }
            11 => {
                record = Some("{\"caption\": \"other\"}".to_owned());
                [None, Some(FaultKind::MissingCaption)]
            }
            _ => [None; 2],
        };
        if number % PERIOD != 3 {
            self.add(&format!("{name}.jpg"), &pixels);
        }
        record.iter().for_each(|record| self.add(&format!("{name}.json"), record.as_bytes()));
        text.iter().for_each(|text| self.add(&format!("{name}.txt"), text));
        planted
    }

    fn finish(mut self) {
        self.0.finish().unwrap();
    }
}

/// Writes the shards; good samples and planted faults by text and by JSON.
fn write(folder: &Path) -> [(u64, BTreeMap<FaultKind, u64>); 2] {
    let pictures: Vec<Vec<u8>> = (0..64).map(picture).collect();
    let mut planted = [(0, BTreeMap::new()), (0, BTreeMap::new())];
    for shard in 0..SHARDS {
        let mut archive = Archive::new(&folder.join(format!("{shard:05}.tar")));
        for number in shard * PER_SHARD..(shard + 1) * PER_SHARD {
            let kinds = archive.planted(number, &pictures[number as usize % pictures.len()]);
            for ((good, counts), kind) in planted.iter_mut().zip(kinds) {
                match kind {
                    Some(kind) => *counts.entry(kind).or_insert(0) += 1,
                    None => *good += 1,
                }
            }
        }
        archive.finish();
    }
    // Shards 5 to 8 are broken; 9 is not there.
    fs::write(folder.join("00005.tar"), "<html>404</html>".repeat(100)).unwrap();
    fs::write(folder.join("00006.tar"), "").unwrap();
    for (shard, flip) in [(7, false), (8, true)] {
        let path = folder.join(format!("{shard:05}.tar"));
        let mut archive = Archive::new(&path);
        let mut at = 0;
        for number in 0..1000 {
            if number == 500 {
                at = archive.0.get_ref().get_ref().metadata().unwrap().len();
            }
            archive.sample(&format!("{shard}{number:08}"), &pictures[number as usize % 64], number);
        }
        archive.finish();
        let mut bytes = fs::read(&path).unwrap();
        // The first member after the flush before sample 500: found again below.
        let needle = format!("{shard}{:08}.jpg", 500);
        let start = bytes.windows(needle.len()).position(|window| window == needle.as_bytes()).unwrap();
        assert!(at <= start as u64);
        if flip {
            bytes[start] ^= 0xff;
        } else {
            bytes.truncate(start + 700);
        }
        fs::write(&path, bytes).unwrap();
    }
    for (good, counts) in &mut planted {
        *good += 1000;
        for (kind, count) in [
            (FaultKind::UnknownShard, 2),
            (FaultKind::UnreadableShard, 1),
            (FaultKind::CutShard, 1),
            (FaultKind::BrokenShard, 1),
            // Of the sample at the cut: its caption lay behind.
            (FaultKind::MissingCaption, 1),
        ] {
            *counts.entry(kind).or_insert(0) += count;
        }
    }
    planted
}

fn recipe(data: &str, key: &str, workers: usize) -> Recipe {
    let text = include_str!("../../training/recipes/demo-base.toml");
    let mut recipe = Recipe::from_toml(text).unwrap();
    (recipe.data, recipe.caption_key, recipe.workers) = (vec![data.to_owned()], key.to_owned(), workers);
    (recipe.batch, recipe.negatives_per_caption, recipe.seed) = (1, 1, 3);
    recipe
}

/// Peak memory of the process since the last reset, in MiB.
fn peak(reset: bool) -> f64 {
    if reset {
        fs::write("/proc/self/clear_refs", "5").unwrap();
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Takes every good sample of an epoch; the distinct faults by kind.
fn epoch(recipe: &Recipe, good: u64) -> Result<BTreeMap<FaultKind, u64>, SourceError> {
    let preparation = Preparation::new(224, Arc::new(Tokenizer::openai(77).unwrap()));
    let mut source = captions::open(recipe, Arc::new(preparation))?;
    let (start, before) = (Instant::now(), peak(true));
    let mut faults = BTreeSet::new();
    let mut captions = BTreeSet::new();
    for _ in 0..=good {
        for sample in source.next_batch()? {
            assert_eq!(sample.image.len(), 3 * 224 * 224);
            captions.insert(sample.caption.to_vec());
        }
        faults.extend(source.take_faults().into_iter().map(|fault| (fault.kind, fault.place)));
    }
    let (seconds, counts) = (start.elapsed().as_secs_f64(), source.fault_counts());
    eprintln!(
        "{} workers, key {:?}: {good} good samples, {:.0} images/s, peak {:.0} MiB ({before:.0} before), \
         {:.1} % with a negative, {} equal by tokens, {} different captions",
        recipe.workers,
        recipe.caption_key,
        good as f64 / seconds,
        peak(false),
        100.0 * counts.with_negative as f64 / counts.good() as f64,
        counts.equal_negatives,
        captions.len(),
    );
    let mut found = BTreeMap::new();
    faults.into_iter().for_each(|(kind, _)| *found.entry(kind).or_insert(0) += 1);
    Ok(found)
}

#[test]
#[ignore = "writes 0.5 GB and takes minutes: cargo test -p clove --lib training_data -- --ignored --nocapture"]
fn fifty_thousand_samples_with_planted_faults() {
    let folder = tempfile::tempdir().unwrap();
    let planted = write(folder.path());
    let data = folder.path().join("{00000..00009}.tar").display().to_string();
    for (key, (good, wanted)) in ["", "top_caption"].into_iter().zip(planted) {
        let found = epoch(&recipe(&data, key, 2), good).unwrap();
        eprintln!("found {found:?}");
        assert_eq!(found, wanted, "every planted fault, and no other");
    }
    epoch(&recipe(&data, "", 1), 5_000).unwrap();
}
