use candle_core::{Result, Tensor, Var};

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
}
