use crate::gradients::{Gradients, backward};
use candle_core::{Result, Tensor, Var};

/// What one tower takes, one entry per row of its result.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a> {
    /// Preprocessed images, see [`TwoTower::preprocess`].
    Images(&'a [&'a [u8]]),
    /// Token ids, see [`TwoTower::tokenize`].
    Texts(&'a [&'a [u32]]),
}

/// A forward pass whose backward pass is still to come.
pub struct Pass<'m> {
    /// L2-normalised embeddings `[n, d]` in f32 or f64, without a graph.
    pub embeddings: Tensor,
    /// Whatever the backward pass needs.
    pub backward: Backward<'m>,
}

/// Adds the gradients of `sum(embeddings * upstream)` to those given.
pub type Backward<'m> = Box<dyn FnOnce(&Tensor, &mut Gradients) -> Result<()> + 'm>;

/// What can be fine-tuned: two towers that meet in one space.
pub trait TwoTower {
    /// Bytes that [`encode_images`](Self::encode_images) takes for one image: whatever the model wants, for example
    /// resized RGB. Called once per image, so that a data set can keep the result.
    fn preprocess(&self, image: &image::RgbImage) -> Vec<u8>;

    /// Token ids of one text, unpadded, with the special ids.
    fn tokenize(&self, text: &str) -> Vec<u32>;

    /// L2-normalised embeddings `[n, d]`, differentiable with respect to [`trainable`](Self::trainable).
    fn encode_images(&self, images: &[&[u8]]) -> Result<Tensor>;

    /// L2-normalised embeddings `[n, d]`, differentiable with respect to [`trainable`](Self::trainable).
    fn encode_texts(&self, texts: &[&[u32]]) -> Result<Tensor>;

    /// The natural logarithm of the scale of the similarities (rank 0).
    fn logit_scale(&self) -> Result<Tensor>;

    /// Parameters to train, sorted by name. Each takes part in every step's loss: one without a gradient is an error
    /// of the model (candle cuts some gradients in silence), not something to skip.
    fn trainable(&self) -> Vec<(String, Var)>;

    /// The embeddings alone, without a graph and with nothing kept.
    ///
    /// # Errors
    /// Inputs that the tower does not take, a failing device.
    fn embed(&self, inputs: Inputs<'_>) -> Result<Tensor> {
        Ok(encode(self, inputs)?.detach())
    }

    /// The embeddings, with what their backward pass needs. A model with a better way than one graph over the whole
    /// tower says so here.
    ///
    /// # Errors
    /// Inputs that the tower does not take, a failing device.
    fn pass(&self, inputs: Inputs<'_>) -> Result<Pass<'_>> {
        let encoded = encode(self, inputs)?;
        let embeddings = encoded.detach();
        let backward: Backward<'_> = Box::new(move |upstream, gradients| backward(&encoded, upstream, gradients));
        Ok(Pass { embeddings, backward })
    }

    /// Whether any parameter of the tower of these inputs is trained. Where none is, [`pass`](Self::pass) is not asked
    /// for.
    fn learns(&self, _inputs: Inputs<'_>) -> bool {
        true
    }
}

fn encode<M: TwoTower + ?Sized>(model: &M, inputs: Inputs<'_>) -> Result<Tensor> {
    match inputs {
        Inputs::Images(images) => model.encode_images(images),
        Inputs::Texts(texts) => model.encode_texts(texts),
    }
}

/// Whether one of `prefixes` is the beginning of `name`.
pub fn is_frozen(name: &str, prefixes: &[String]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
}
