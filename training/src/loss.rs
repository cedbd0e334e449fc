//! The contrastive loss of both directions, with hard negatives in every image's denominator.

use candle_core::{D, Result, Tensor, bail};

/// Loss of one batch, a scalar: `L = 1/2 [CE(S_image, 0..B) + CE(S_text, 0..B)]`, the mean over the batch of each.
///
/// `images` and `texts` are `[B, d]`, row `i` of one belonging to row `i` of the other; `negatives` is `[m, d]` for any
/// `m`; all rows are L2-normalised. `logit_scale` holds one number, the natural logarithm of `s`.
///
/// * `S_image = s · images · [texts; negatives]ᵀ`, `[B, B + m]`: an image is told from all captions and from **all**
///   negatives of the batch, not only from its own.
/// * `S_text = s · texts · imagesᵀ`, `[B, B]`: negatives are never queries.
///
/// Equal captions in one batch count as each other's negatives, as in the paper (labels are the row numbers).
///
/// Source: Netflix/clove `open_clip/loss.py`, `training/train.py`; arXiv 2402.15021 section 3.2.
///
/// # Errors
/// Shapes that do not fit, an empty batch.
pub fn contrastive(
    images: &Tensor,
    texts: &Tensor,
    negatives: Option<&Tensor>,
    logit_scale: &Tensor,
) -> Result<Tensor> {
    let (count, width) = images.dims2()?;
    if count == 0 || texts.dims() != [count, width] {
        bail!("contrastive loss of images {:?} and texts {:?}", images.dims(), texts.dims());
    }
    let scale = logit_scale.reshape(())?.exp()?;
    let pairs = images.matmul(&texts.t()?)?.broadcast_mul(&scale)?;
    let diagonal = Tensor::arange(0, count as u32, images.device())?.unsqueeze(1)?;
    let right = pairs.gather(&diagonal, 1)?;
    let choices = match negatives {
        Some(negatives) if negatives.dim(0)? > 0 => {
            let wrong = images.matmul(&negatives.t()?)?.broadcast_mul(&scale)?;
            Tensor::cat(&[&pairs, &wrong], 1)?
        }
        _ => pairs.clone(),
    };
    let image_to_text = (log_sum_exp(&choices)? - &right)?.mean_all()?;
    let text_to_image = (log_sum_exp(&pairs.t()?.contiguous()?)? - &right)?.mean_all()?;
    (image_to_text + text_to_image)? * 0.5
}

/// `log Σ exp` of every row, `[rows, 1]`. The maximum is a constant to the gradient: it cancels, and candle's fused
/// softmax would cut the gradient altogether.
fn log_sum_exp(logits: &Tensor) -> Result<Tensor> {
    let max = logits.max_keepdim(D::Minus1)?.detach();
    logits.broadcast_sub(&max)?.exp()?.sum_keepdim(D::Minus1)?.log()? + max
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiny::random;
    use candle_core::{DType, Device, Var};

    fn rows(seed: u64, count: usize, width: usize) -> Tensor {
        let raw = random(seed, &[count, width]).unwrap().to_dtype(DType::F64).unwrap();
        raw.broadcast_div(&raw.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap()).unwrap()
    }

    fn scalar(value: f64) -> Tensor {
        Tensor::new(value, &Device::Cpu).unwrap()
    }

    /// The formula written out, one exponential at a time.
    fn by_hand(images: &[Vec<f64>], texts: &[Vec<f64>], negatives: &[Vec<f64>], logit_scale: f64) -> f64 {
        let logit = |a: &[f64], b: &[f64]| logit_scale.exp() * a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let mut total = 0.0;
        for (i, image) in images.iter().enumerate() {
            let right = logit(image, &texts[i]).exp();
            let of_texts: f64 = texts.iter().chain(negatives).map(|text| logit(image, text).exp()).sum();
            let of_images: f64 = images.iter().map(|other| logit(other, &texts[i]).exp()).sum();
            total -= (right / of_texts).ln() + (right / of_images).ln();
        }
        total / (2.0 * images.len() as f64)
    }

    fn value(loss: &Tensor) -> f64 {
        loss.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn is_the_formula_with_and_without_negatives() {
        let (images, texts) = (rows(1, 5, 4), rows(2, 5, 4));
        let listed = |t: &Tensor| t.to_vec2::<f64>().unwrap();
        for count in [0, 1, 3, 8] {
            let negatives = (count > 0).then(|| rows(3, count, 4));
            let wanted =
                by_hand(&listed(&images), &listed(&texts), &negatives.as_ref().map(listed).unwrap_or_default(), 2.0);
            let found = contrastive(&images, &texts, negatives.as_ref(), &scalar(2.0)).unwrap();
            assert!(found.dims().is_empty());
            assert!((value(&found) - wanted).abs() < 1e-12, "{count} negatives: {} is not {wanted}", value(&found));
        }
    }

    #[test]
    fn a_negative_weighs_on_every_image() {
        let (images, texts, negatives) = (rows(1, 4, 6), rows(2, 4, 6), rows(3, 2, 6));
        let own_only = contrastive(&images, &texts, None, &scalar(1.0)).unwrap();
        let with_all = contrastive(&images, &texts, Some(&negatives), &scalar(1.0)).unwrap();
        let swapped = Tensor::cat(&[negatives.narrow(0, 1, 1).unwrap(), negatives.narrow(0, 0, 1).unwrap()], 0);
        let swapped = contrastive(&images, &texts, Some(&swapped.unwrap()), &scalar(1.0)).unwrap();
        assert!(value(&with_all) > value(&own_only));
        assert!((value(&with_all) - value(&swapped)).abs() < 1e-14, "the order of negatives cannot matter");
    }

    #[test]
    fn survives_the_largest_scale_in_f32() {
        let images = rows(1, 4, 8).to_dtype(DType::F32).unwrap();
        let scale = Tensor::new(100f32.ln(), &Device::Cpu).unwrap();
        let against = contrastive(&images, &images.neg().unwrap(), Some(&images), &scale).unwrap();
        assert!(value(&against).is_finite() && value(&against) > 100.0);
        let matched = value(&contrastive(&images, &images, None, &scale).unwrap());
        assert!((0.0..1e-3).contains(&matched), "{matched}");
    }

    #[test]
    fn gradient_equals_finite_differences() {
        let inputs = [rows(1, 3, 4), rows(2, 3, 4), rows(3, 2, 4), scalar(1.5)].map(|t| Var::from_tensor(&t).unwrap());
        let loss = |t: [&Tensor; 4]| contrastive(t[0], t[1], Some(t[2]), t[3]).unwrap();
        let tensors = inputs.each_ref().map(Var::as_tensor);
        let gradients = loss(tensors).backward().unwrap();
        let width = 1e-6;
        for (which, input) in inputs.iter().enumerate() {
            let found = gradients.get(input).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let start = input.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            for place in 0..start.len() {
                let shifted = |by: f64| {
                    let mut values = start.clone();
                    values[place] += by;
                    let moved = Tensor::from_vec(values, input.dims(), &Device::Cpu).unwrap();
                    let mut tensors = tensors;
                    tensors[which] = &moved;
                    value(&loss(tensors))
                };
                let wanted = (shifted(width) - shifted(-width)) / (2.0 * width);
                assert!((found[place] - wanted).abs() < 1e-8, "input {which}[{place}]: {} not {wanted}", found[place]);
            }
        }
    }

    #[test]
    fn refuses_shapes_that_do_not_fit() {
        assert!(contrastive(&rows(1, 3, 4), &rows(2, 2, 4), None, &scalar(0.0)).is_err());
        assert!(contrastive(&rows(1, 3, 4), &rows(2, 3, 4), Some(&rows(3, 2, 5)), &scalar(0.0)).is_err());
        let nothing = Tensor::zeros((0, 4), DType::F64, &Device::Cpu).unwrap();
        assert!(contrastive(&nothing, &nothing, None, &scalar(0.0)).is_err());
    }
}
