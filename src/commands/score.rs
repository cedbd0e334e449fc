//! `clove score`: similarities and probabilities of texts for images.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::model::{AlphaArgs, DeviceArgs, PairArgs, alpha_json, encoder};
use super::output;
use crate::benchmark::ImageRef;
use crate::clip::preprocess;
use crate::evaluate::{Encoder, cosine, load, probabilities};

#[derive(Debug, Args)]
pub struct ScoreArgs {
    #[command(flatten)]
    pair: PairArgs,
    #[command(flatten)]
    alpha: AlphaArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Image file; may be given several times
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    image: Vec<PathBuf>,
    /// Text; may be given several times
    #[arg(long, value_name = "TEXT", required = true, num_args = 1..)]
    text: Vec<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Scored {
    path: PathBuf,
    similarities: Vec<f32>,
    probabilities: Vec<f32>,
}

pub fn run(args: &ScoreArgs) -> anyhow::Result<()> {
    let alpha = args.pair.alpha(&args.alpha)?;
    let pair = args.pair.open()?;
    let encoder = encoder(&pair, alpha, &args.device)?;
    let logit_scale = encoder.logit_scale()?;
    let images = score(&encoder, args, logit_scale)?;
    if args.json {
        return output::json(&json!({ "alpha": alpha_json(alpha), "logit_scale": logit_scale, "images": images }));
    }
    let rows: Vec<Vec<String>> = images
        .iter()
        .flat_map(|image| {
            args.text.iter().enumerate().map(|(i, text)| {
                let (similarity, percent) = (image.similarities[i], 100.0 * image.probabilities[i]);
                vec![
                    image.path.display().to_string(),
                    text.clone(),
                    format!("{similarity:.4}"),
                    format!("{percent:.2} %"),
                ]
            })
        })
        .collect();
    output::text(&output::table(&["image", "text", "cosine", "probability"], &rows))
}

fn score(encoder: &Encoder, args: &ScoreArgs, logit_scale: f32) -> anyhow::Result<Vec<Scored>> {
    let ids = encoder.tokenizer().encode_batch(&args.text);
    let texts = encoder.texts(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    let size = encoder.architecture().image_size as u32;
    let mut scored = Vec::with_capacity(args.image.len());
    for path in &args.image {
        let image = load(&ImageRef::File { path: path.clone(), crop: None }).map_err(anyhow::Error::msg)?;
        let vectors = encoder.images(&[&preprocess::preprocess(&image, size)])?;
        let similarities: Vec<f32> = texts.iter().map(|text| cosine(text, &vectors[0])).collect();
        scored.push(Scored {
            path: path.clone(),
            probabilities: probabilities(&similarities, logit_scale),
            similarities,
        });
    }
    Ok(scored)
}
