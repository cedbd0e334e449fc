//! A patch with its towers: pictures and texts in, unit vectors out.

use std::sync::Arc;

use candle_core::{Device, Result};

use crate::checkpoint::{Architecture, Checkpoint, Tower};
use crate::clip::{Clip, Tokenizer, normalise};
use crate::patch::{AlphaMap, Pair, Patch};

/// Rows of activations that a batch should have: enough to keep the matrix products busy, few enough for the caches.
const ROWS_PER_BATCH: usize = 3200;

/// The model of a pair at one alpha map at a time, on one device.
pub struct Encoder {
    patch: Patch,
    clip: Clip,
    tokenizer: Arc<Tokenizer>,
}

/// Why a pair cannot be run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum EncoderError {
    /// No tokenizer fits the vocabulary.
    #[error("the model has {vocab} tokens and no tokenizer.json lies beside it; put the file there: {path}")]
    NoTokenizer { vocab: usize, path: String },
    /// A tokenizer file that cannot be used.
    #[error("tokenizer.json cannot be used: {reason}: {path}")]
    Tokenizer { reason: String, path: String },
    /// A tensor operation failed, for instance for want of memory on the device.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

impl Encoder {
    /// Puts the pair on the device and stands at base. Nothing is blended before it is needed.
    pub fn new(pair: &Pair, device: &Device) -> std::result::Result<Self, EncoderError> {
        let tokenizer = Arc::new(tokenizer_of(&pair.base)?);
        let patch = Patch::unfilled(pair, device)?;
        let clip = Clip::new(patch.architecture(), &patch.tensors())?;
        Ok(Self { patch, clip, tokenizer })
    }

    /// Moves the patch; cheap when nothing changes.
    pub fn set(&mut self, alpha: AlphaMap) -> Result<()> {
        self.patch.set(alpha).map(drop)
    }

    /// Where the patch stands.
    pub fn alpha(&self) -> AlphaMap {
        self.patch.alpha()
    }

    /// The patch itself, to write its weights.
    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    /// What the towers are.
    pub fn architecture(&self) -> &Architecture {
        self.clip.architecture()
    }

    /// What turns texts into ids.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The same, to be used on another thread.
    pub fn shared_tokenizer(&self) -> Arc<Tokenizer> {
        Arc::clone(&self.tokenizer)
    }

    /// exp(logit scale), which multiplies cosines before a softmax.
    pub fn logit_scale(&self) -> Result<f32> {
        self.patch.fill()?;
        Ok(self.clip.logit_scale().to_scalar::<f32>()?.exp())
    }

    /// Images of one batch.
    pub fn images_at_once(&self) -> usize {
        (ROWS_PER_BATCH / self.architecture().image_positions()).max(1)
    }

    /// Multiplications that one image takes, roughly.
    pub fn image_work(&self) -> f64 {
        work(self.architecture().image_positions(), &self.architecture().vision)
    }

    /// Multiplications that a text of so many tokens takes, roughly.
    pub fn text_work(&self, tokens: usize) -> f64 {
        work(tokens, &self.architecture().text)
    }

    /// Unit vectors of preprocessed images, `embed_dim` values each, in order.
    pub fn images(&self, images: &[&[u8]]) -> Result<Vec<Vec<f32>>> {
        self.patch.fill()?;
        let mut all = Vec::with_capacity(images.len());
        for images in images.chunks(self.images_at_once()) {
            all.extend(normalise(&self.clip.image_features(images)?)?.to_vec2()?);
        }
        Ok(all)
    }

    /// Unit vectors of token rows, `embed_dim` values each, in order. Batches are made of rows of similar length.
    pub fn texts(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
        self.patch.fill()?;
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|i| texts[*i].len());
        let mut all = vec![Vec::new(); texts.len()];
        let mut rest = order.as_slice();
        while let [first, ..] = rest {
            // The longest row of a batch is its last: take as many as fit when padded to it.
            let fits = |n: &usize| n * texts[rest[n - 1]].len() <= ROWS_PER_BATCH;
            let n = (1..=rest.len()).take_while(fits).last().unwrap_or(1);
            debug_assert!(texts[*first].len() <= texts[rest[n - 1]].len());
            let (batch, later) = rest.split_at(n);
            let rows: Vec<&[u32]> = batch.iter().map(|i| texts[*i]).collect();
            let features = normalise(&self.clip.text_features(&rows)?)?.to_vec2()?;
            for (i, vector) in batch.iter().zip(features) {
                all[*i] = vector;
            }
            rest = later;
        }
        Ok(all)
    }
}

fn work(rows: usize, tower: &Tower) -> f64 {
    rows as f64 * tower.layers as f64 * (tower.width as f64).powi(2)
}

/// Makes OpenAI's tokenizer, which most pairs need, beside whatever happens next, such as the reading of weights.
pub fn warm_tokenizer() {
    // What is wrong with it is said when it is used.
    rayon::spawn(|| drop(Tokenizer::openai(77)));
}

/// The tokenizer beside the weights, or the embedded one of OpenAI for its vocabulary.
///
/// # Errors
/// See [`EncoderError`].
pub fn tokenizer_of(checkpoint: &Checkpoint) -> std::result::Result<Tokenizer, EncoderError> {
    let path = checkpoint.provenance.path.display().to_string();
    let (vocab, context) = (checkpoint.architecture.vocab_size, checkpoint.architecture.context_length);
    let tokenizer = match &checkpoint.tokenizer {
        Some(bytes) => Tokenizer::from_bytes(bytes, context),
        None if vocab == 49_408 => Tokenizer::openai(context),
        None => return Err(EncoderError::NoTokenizer { vocab, path }),
    };
    let tokenizer = tokenizer.map_err(|e| EncoderError::Tokenizer { reason: e.to_string(), path: path.clone() })?;
    if tokenizer.vocab_size() > vocab {
        let reason = format!("it has {} tokens and the model only {vocab}", tokenizer.vocab_size());
        return Err(EncoderError::Tokenizer { reason, path });
    }
    Ok(tokenizer)
}
