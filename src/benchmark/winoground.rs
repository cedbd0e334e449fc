//! Two images and two captions of the same words: Winoground (Thrush et al., 2022), ColorSwap (Burapacheep et al., 2024)
//! and Cola's multi-object set (Ray et al., 2023).

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::choices::Reading;
use super::duels::crossed;
use super::images::Images;
use super::rows::{json_rows, jsonl_rows};
use super::{Benchmark, Duel, ImageRef, ReadError, TieRule, Win, locate, table};

/// Names of `--benchmark`.
pub(super) const WINOGROUND: &str = "winoground";
/// Names of `--benchmark`.
pub(super) const COLORSWAP: &str = "colorswap";
/// Names of `--benchmark`.
pub(super) const COLA: &str = "cola";

/// Published file names of the older layout, and what some copies call it.
const WINOGROUND_FILES: [&str; 4] = ["examples.jsonl", "data/examples.jsonl", "metadata.jsonl", "data/metadata.jsonl"];
/// The test split first: the training split was fitted to by fine-tuned models.
const COLORSWAP_FILES: [&str; 5] =
    ["test.json", "data/test.json", "colorswap_test.json", "train.json", "data/train.json"];
/// Published file name.
pub(super) const COLA_FILE: &str = "COLA_multiobjects_matching_benchmark.json";

/// Text columns of the newer layout.
const COLUMNS: [&str; 5] = ["caption_0", "caption_1", "tag", "secondary_tag", "collapsed_tag"];

#[derive(Deserialize)]
struct WinogroundRow {
    #[serde(default)]
    image_0: String,
    #[serde(default)]
    image_1: String,
    caption_0: String,
    caption_1: String,
    #[serde(default)]
    tag: Value,
    #[serde(default)]
    secondary_tag: Value,
    #[serde(default)]
    collapsed_tag: Value,
}

#[derive(Deserialize)]
struct ColorswapRow {
    image_1: String,
    image_2: String,
    caption_1: String,
    caption_2: String,
    #[serde(default)]
    image_source: Value,
}

/// The annotation file of Winoground's older layout.
pub(super) fn winoground_file(data: &Path) -> Option<PathBuf> {
    locate::file_where(data, &WINOGROUND_FILES, |path| locate::begins_with_word(path, "\"caption_0\""))
}

/// The annotation file of ColorSwap.
pub(super) fn colorswap_file(data: &Path) -> Option<PathBuf> {
    locate::file_where(data, &COLORSWAP_FILES, |path| locate::begins_with_word(path, "\"caption_1\""))
}

/// Whether Winoground is there in either layout.
pub(super) fn winoground_exists(data: &Path) -> bool {
    winoground_file(data).is_some() || !tables(data).is_empty()
}

/// Reads Winoground: the text, image and group scores, a task each. The older layout is `examples.jsonl` with image
/// files, the newer one Parquet files `test-*` that hold the images.
pub(super) fn read_winoground(data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    if let Some(path) = winoground_file(data) {
        return read_lines(data, path);
    }
    let tables = tables(data);
    let first = tables.first().cloned().ok_or_else(|| ReadError::NotFound {
        name: WINOGROUND,
        wanted: "examples.jsonl with images (or metadata.jsonl), or test-*.parquet".to_owned(),
        data: data.to_owned(),
    })?;
    let mut rows = Vec::new();
    for table in &tables {
        let file = table.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (row, texts) in table::rows(table, &COLUMNS)?.into_iter().enumerate() {
            rows.push((format!("row {row} of {file}"), (table, row, texts)));
        }
    }
    let reading = Reading::of_items(first, rows, Images::below(Vec::new()), |(table, row, texts), images| {
        let texts: WinogroundRow = parse(texts)?;
        let mut place = |column: &str| {
            let (table, column, name) = (table.clone(), column.to_owned(), format!("{column} of row {row}"));
            images.add(ImageRef::InTable { table, column, row, name })
        };
        let places = [place("image_0"), place("image_1")];
        let tags = [texts.tag, texts.secondary_tag, texts.collapsed_tag];
        Ok(Some(pair(places, [texts.caption_0, texts.caption_1], &tags)))
    })?;
    Ok(crossed_tasks(reading, WINOGROUND))
}

fn read_lines(data: &Path, path: PathBuf) -> Result<Vec<Benchmark>, ReadError> {
    let rows = jsonl_rows(&path)?;
    let images = Images::below(locate::image_roots(data, &path, &["images"], &[]));
    let unpacked = images.is_any(&["ex_0_img_0.png", "ex_1_img_0.png"]);
    let packed = path.parent().map(|folder| folder.join("images.zip")).filter(|zip| zip.is_file() && !unpacked);
    let reading = Reading::of_items(path, rows, images, |row, images| {
        let row: WinogroundRow = parse(row)?;
        let tags = [row.tag, row.secondary_tag, row.collapsed_tag];
        let images = [place(images, &row.image_0)?, place(images, &row.image_1)?];
        Ok(Some(pair(images, [row.caption_0, row.caption_1], &tags)))
    });
    match (reading, packed) {
        (Err(ReadError::NothingUsable { .. }), Some(path)) => Err(ReadError::Unusable {
            path,
            reason: "Winoground's images are still packed; unzip this file here".into(),
        }),
        (reading, _) => Ok(crossed_tasks(reading?, WINOGROUND)),
    }
}

/// The newer layout's files, all of one folder. Other sets have files of that name too, with other columns.
fn tables(data: &Path) -> Vec<PathBuf> {
    let is_table = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("test-") && name.ends_with(".parquet") && table::has_column(path, "caption_0")
    };
    let bases = locate::bases(data);
    let mut folders = bases.iter().flat_map(|base| [base.clone(), base.join("data")]).map(|folder| {
        let files = folder.read_dir().into_iter().flatten().flatten().map(|file| file.path());
        let mut tables: Vec<PathBuf> = files.filter(is_table).collect();
        tables.sort();
        tables
    });
    folders.find(|tables| !tables.is_empty()).unwrap_or_default()
}

/// Reads ColorSwap, scored as Winoground.
pub(super) fn read_colorswap(data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    let path = colorswap_file(data).ok_or_else(|| ReadError::NotFound {
        name: COLORSWAP,
        wanted: "test.json with caption_1 and image_1".to_owned(),
        data: data.to_owned(),
    })?;
    let rows = json_rows(&path)?;
    let roots = locate::image_roots(data, &path, &[], &[]);
    let reading = Reading::of_items(path, rows, Images::below(roots), |row, images| {
        let row: ColorswapRow = parse(row)?;
        let places = [images.place(&row.image_1, None)?, images.place(&row.image_2, None)?];
        Ok(Some(pair(places, [row.caption_1, row.caption_2], &[row.image_source])))
    })?;
    Ok(crossed_tasks(reading, COLORSWAP))
}

/// Reads Cola's multi-object file: the image score alone. Addresses of images end in Visual Genome's file names.
pub(super) fn read_cola(data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    let path = locate::require(COLA, data, COLA_FILE)?;
    let images = Images::below(locate::image_roots(data, &path, &["images"], &["VG_100K", "VG_100K_2"]));
    let reading = Reading::read(path, images, |row, images| {
        let [first, caption, second, other]: [String; 4] = parse(row)?;
        let name = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        let places = [images.place(&name(&first), None)?, images.place(&name(&second), None)?];
        Ok(Some(pair(places, [caption, other], &[])))
    })?;
    let sentence = "both captions must be closer to their own image than to the other; a tie is wrong";
    let (_, image) = crossed();
    let mut benchmarks = reading.finish_tasks(COLA, TieRule::Strict, &[("", &image, sentence)]);
    for benchmark in &mut benchmarks {
        benchmark.task = None;
    }
    Ok(benchmarks)
}

pub(super) fn crossed_tasks(reading: Reading<Duel>, name: &'static str) -> Vec<Benchmark> {
    let (text, image) = crossed();
    let group: Vec<Win> = [text, image].concat();
    let tasks: [(&str, &[Win], &str); 3] = [
        ("text", &text, "text score: each image is closer to its own caption; a tie is wrong"),
        ("image", &image, "image score: each caption is closer to its own image; a tie is wrong"),
        ("group", &group, "group score: text and image score both right; a tie is wrong"),
    ];
    reading.finish_tasks(name, TieRule::Strict, &tasks)
}

fn parse<T: serde::de::DeserializeOwned>(row: Value) -> Result<T, String> {
    serde_json::from_value(row).map_err(|error| error.to_string())
}

/// The older layout names images without their extension.
fn place(images: &mut Images, name: &str) -> Result<usize, String> {
    images.place_any(&[format!("{name}.png"), name.to_owned(), format!("{name}.jpg")])
}

pub(super) fn pair(images: [usize; 2], captions: [String; 2], tags: &[Value]) -> Duel {
    let tags = tags.iter().filter_map(Value::as_str).filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
    Duel { images: images.into(), captions: captions.into(), wins: Vec::new(), tags }
}

#[cfg(test)]
#[path = "winoground_tests.rs"]
mod tests;
