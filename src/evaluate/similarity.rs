//! From unit vectors to similarities and probabilities.

/// The cosine of two unit vectors of one length.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Softmax over an image's options at the model's own logit scale (after exp).
pub fn probabilities(similarities: &[f32], logit_scale: f32) -> Vec<f32> {
    let highest = similarities.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f32> = similarities.iter().map(|s| (logit_scale * (s - highest)).exp()).collect();
    let sum: f32 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}
