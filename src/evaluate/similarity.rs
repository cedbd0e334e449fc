//! From unit vectors to similarities and probabilities.

/// Sums that run side by side: as many as the widest registers hold, so that retrieval's millions of cosines are fast.
const LANES: usize = 16;

/// The cosine of two unit vectors of one length.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0f32; LANES];
    for (x, y) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
}

/// Softmax over an image's options at the model's own logit scale (after exp).
pub fn probabilities(similarities: &[f32], logit_scale: f32) -> Vec<f32> {
    let highest = similarities.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f32> = similarities.iter().map(|s| (logit_scale * (s - highest)).exp()).collect();
    let sum: f32 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_every_length() {
        for n in [0, 1, 15, 16, 17, 512, 515] {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.61).cos()).collect();
            let exact: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            assert!((f64::from(cosine(&a, &b)) - exact).abs() < 1e-5, "{n}");
        }
    }
}
