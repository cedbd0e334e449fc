//! A batch cut into micro-batches, and the gradient of its loss with respect to their embeddings.

use super::scalar;
use crate::batches::Sample;
use crate::gradients::Gradients;
use crate::loss;
use crate::two_tower::Inputs;
use candle_core::{Result, Tensor, Var};

/// Samples whose images, and whose captions and negatives, go through the towers together.
pub(super) struct Micro<'a> {
    images: Vec<&'a [u8]>,
    /// The captions, then their negatives.
    texts: Vec<&'a [u32]>,
}

impl<'a> Micro<'a> {
    /// Cuts `batch` into at most `parts` micro-batches of nearly equal size, none empty.
    pub(super) fn cut(batch: &'a [Sample], parts: usize, negatives_per_caption: usize) -> Vec<Self> {
        let size = batch.len().div_ceil(parts.max(1)).max(1);
        batch.chunks(size).map(|samples| Self::new(samples, negatives_per_caption)).collect()
    }

    fn new(samples: &'a [Sample], negatives_per_caption: usize) -> Self {
        let taken = |sample: &'a Sample| sample.negatives.iter().take(negatives_per_caption);
        let captions = samples.iter().map(|sample| &sample.caption);
        Self {
            images: samples.iter().map(|sample| &*sample.image).collect(),
            texts: captions.chain(samples.iter().flat_map(taken)).map(|ids| &**ids).collect(),
        }
    }

    /// What the two towers take.
    pub(super) fn inputs(&self) -> [Inputs<'_>; 2] {
        [Inputs::Images(&self.images), Inputs::Texts(&self.texts)]
    }

    fn captions(&self) -> usize {
        self.images.len()
    }

    fn negatives(&self) -> usize {
        self.texts.len() - self.captions()
    }
}

/// The loss of a batch and where it comes from.
pub(super) struct Loss {
    /// In nats.
    pub(super) value: f64,
    /// Its gradient with respect to each of the embeddings; empty for a value that is not finite.
    pub(super) upstream: Vec<Tensor>,
}

/// The loss of all micro-batches together. `embeddings` holds images and texts of the first one, then of the next. The
/// logit scale's own gradient goes to `gradients`.
pub(super) fn embeddings_gradient(
    micros: &[Micro<'_>],
    embeddings: &[Tensor],
    logit_scale: &Tensor,
    gradients: &mut Gradients,
) -> Result<Loss> {
    let (images, texts): (Vec<&Tensor>, Vec<&Tensor>) =
        embeddings.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).unzip();
    let captions = micros.iter().zip(&texts).map(|(micro, texts)| texts.narrow(0, 0, micro.captions()));
    let negatives = micros.iter().zip(&texts).filter(|(micro, _)| micro.negatives() > 0);
    let negatives = negatives.map(|(micro, texts)| texts.narrow(0, micro.captions(), micro.negatives()));
    let (captions, negatives) = (captions.collect::<Result<Vec<_>>>()?, negatives.collect::<Result<Vec<_>>>()?);
    let (images, captions) = (variable(&images)?, variable(&captions)?);
    let negatives = if negatives.is_empty() { None } else { Some(variable(&negatives)?) };
    let loss = loss::contrastive(&images, &captions, negatives.as_deref(), logit_scale)?;
    let value = scalar(&loss)?;
    if !value.is_finite() {
        return Ok(Loss { value, upstream: Vec::new() });
    }
    let mut store = loss.backward()?;
    let mut gradient = |var: &Var| match store.remove(var) {
        Some(gradient) => gradient.detach().contiguous(),
        None => var.zeros_like(),
    };
    let wholes = (gradient(&images)?, gradient(&captions)?, negatives.as_ref().map(&mut gradient).transpose()?);
    gradients.collect(&mut store)?;
    Ok(Loss { value, upstream: shares(micros, &wholes)? })
}

fn variable<T: AsRef<Tensor>>(parts: &[T]) -> Result<Var> {
    Var::from_tensor(&Tensor::cat(parts, 0)?)
}

/// Each micro-batch's rows of the gradients of all images, captions and negatives, in the order of the embeddings.
fn shares(
    micros: &[Micro<'_>],
    (images, captions, negatives): &(Tensor, Tensor, Option<Tensor>),
) -> Result<Vec<Tensor>> {
    let (mut pair, mut negative) = (0, 0);
    let mut shares = Vec::with_capacity(2 * micros.len());
    for micro in micros {
        shares.push(images.narrow(0, pair, micro.captions())?);
        let own = captions.narrow(0, pair, micro.captions())?;
        pair += micro.captions();
        shares.push(match negatives {
            Some(negatives) if micro.negatives() > 0 => {
                let theirs = negatives.narrow(0, negative, micro.negatives())?;
                negative += micro.negatives();
                Tensor::cat(&[own, theirs], 0)?
            }
            _ => own,
        });
    }
    Ok(shares)
}
