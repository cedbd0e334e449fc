//! `clove embed`: unit vectors of images and texts, as safetensors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use rayon::prelude::*;

use super::model::{AlphaArgs, DeviceArgs, PairArgs, encoder};
use super::output::{self, Progress};
use crate::benchmark::ImageRef;
use crate::checkpoint;
use crate::clip::preprocess;
use crate::evaluate::{Encoder, load};

/// Images decoded at a time.
const IMAGES_AT_ONCE: usize = 256;

#[derive(Debug, Args)]
pub struct EmbedArgs {
    #[command(flatten)]
    pair: PairArgs,
    #[command(flatten)]
    alpha: AlphaArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Image files, or folders whose images are taken in name order
    #[arg(long, value_name = "FILE|DIR", num_args = 1.., required_unless_present = "texts")]
    images: Vec<PathBuf>,
    /// A file with a text per line
    #[arg(long, value_name = "FILE")]
    texts: Option<PathBuf>,
    /// Where to write image_embeddings [n, d] and text_embeddings [m, d]
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,
}

pub fn run(args: &EmbedArgs) -> anyhow::Result<()> {
    let alpha = args.pair.alpha(&args.alpha)?;
    let images = image_files(&args.images)?;
    let texts = match &args.texts {
        Some(path) => lines(path)?,
        None => Vec::new(),
    };
    let pair = args.pair.open()?;
    let encoder = encoder(&pair, alpha, &args.device)?;
    let mut tensors = BTreeMap::new();
    let dim = encoder.architecture().embed_dim;
    if !args.images.is_empty() {
        tensors.insert("image_embeddings".to_owned(), (vec![images.len(), dim], embed_images(&encoder, &images)?));
    }
    if args.texts.is_some() {
        let ids = encoder.tokenizer().encode_batch(&texts);
        let vectors = encoder.texts(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        tensors.insert("text_embeddings".to_owned(), (vec![texts.len(), dim], vectors.concat()));
    }
    let names: Vec<String> = images.iter().map(|p| p.display().to_string()).collect();
    let metadata = [
        ("images", serde_json::to_string(&names)?),
        ("texts", serde_json::to_string(&texts)?),
        ("alpha", serde_json::to_string(&alpha)?),
        ("base_sha256", pair.base.sha256().to_owned()),
        ("tuned_sha256", pair.tuned.sha256().to_owned()),
    ];
    checkpoint::write_tensors(&args.out, &tensors, metadata.map(|(key, value)| (key.to_owned(), value)))?;
    output::note(&format!("wrote {} image and {} text vectors: {}", images.len(), texts.len(), args.out.display()));
    Ok(())
}

fn embed_images(encoder: &Encoder, images: &[PathBuf]) -> anyhow::Result<Vec<f32>> {
    let size = encoder.architecture().image_size as u32;
    let mut progress = Progress::new("embedding images");
    let mut vectors = Vec::new();
    for (done, chunk) in images.chunks(IMAGES_AT_ONCE).enumerate() {
        let read = |path: &PathBuf| {
            let image = load(&ImageRef::File { path: path.clone(), crop: None }).map_err(anyhow::Error::msg)?;
            Ok(preprocess::preprocess(&image, size))
        };
        let pixels: Vec<Vec<u8>> = chunk.par_iter().map(read).collect::<anyhow::Result<_>>()?;
        let rows: Vec<&[u8]> = pixels.iter().map(Vec::as_slice).collect();
        vectors.extend(encoder.images(&rows)?.concat());
        progress.at((done * IMAGES_AT_ONCE) as f64 / images.len() as f64, "");
    }
    Ok(vectors)
}

fn image_files(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read the folder: {}", path.display()))?;
        let mut inside: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| is_image(p)).collect();
        inside.sort();
        anyhow::ensure!(!inside.is_empty(), "the folder holds no images: {}", path.display());
        files.extend(inside);
    }
    Ok(files)
}

fn is_image(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    extension.is_some_and(|e| ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff"].contains(&e.as_str()))
}

fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the texts: {}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
