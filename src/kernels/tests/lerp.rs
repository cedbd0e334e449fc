use candle_core::{DType, Device, Tensor};

use super::{bits, floats, input};
use crate::kernels::lerp_into;

fn zeros(like: &Tensor) -> Tensor {
    like.zeros_like().unwrap()
}

#[test]
fn both_ends_are_copied_bit_for_bit() {
    // Values that arithmetic would change: 0 * inf, -0 + 0, a signalling pattern.
    let odd = [f32::INFINITY, -0.0, f32::from_bits(0x7f80_0001), f32::MIN_POSITIVE / 2.0, 1.0];
    let base = Tensor::new(&odd, &Device::Cpu).unwrap();
    let tuned = Tensor::new(&[f32::NAN, 3.0, -0.0, f32::NEG_INFINITY, 0.1], &Device::Cpu).unwrap();
    let dst = zeros(&base);
    lerp_into(&dst, &base, &tuned, 0.0).unwrap();
    assert_eq!(bits(&dst), bits(&base));
    lerp_into(&dst, &base, &tuned, 1.0).unwrap();
    assert_eq!(bits(&dst), bits(&tuned));
}

#[test]
fn between_is_two_products_and_a_sum() {
    let shape = [3, 50_021];
    let (base, tuned) = (input(1, &shape).tensor(DType::F32), input(2, &shape).tensor(DType::F32));
    let dst = zeros(&base);
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for alpha in [0.6, 0.1, 1.0 / 3.0, -0.5, 1.5] {
        lerp_into(&dst, &base, &tuned, alpha).unwrap();
        let (w0, w1) = ((1.0 - alpha) as f32, alpha as f32);
        let expected = values(&base).iter().zip(values(&tuned)).map(|(b, t)| w0 * b + w1 * t).collect::<Vec<_>>();
        assert_eq!(values(&dst), expected, "alpha {alpha}");
    }
}

#[test]
fn views_and_variables_see_the_blend() {
    let (base, tuned) = (input(1, &[4, 6]), input(2, &[4, 6]));
    let var = base.var(DType::F32);
    let view = var.as_detached_tensor().narrow(0, 1, 2).unwrap();
    lerp_into(&var, &base.tensor(DType::F32), &tuned.tensor(DType::F32), 1.0).unwrap();
    assert_eq!(floats(&view), tuned.values[6..18]);
    // A block of rows inside a larger tensor is a destination too; its neighbours stay.
    lerp_into(&view, &base.tensor(DType::F32).narrow(0, 0, 2).unwrap(), &view.copy().unwrap(), 0.0).unwrap();
    assert_eq!(floats(&var)[6..18], base.values[..12]);
    assert_eq!(floats(&var)[18..], tuned.values[18..]);
}

#[test]
fn other_formats_and_scalars_fall_back() {
    for (dtype, tolerance) in [(DType::F64, 1e-15), (DType::F16, 1e-3), (DType::BF16, 1e-2)] {
        for shape in [vec![], vec![2, 3]] {
            let (base, tuned) = (input(1, &shape), input(2, &shape));
            let dst = zeros(&base.tensor(dtype));
            lerp_into(&dst, &base.tensor(dtype), &tuned.tensor(dtype), 0.25).unwrap();
            let expected: Vec<f64> = base.values.iter().zip(&tuned.values).map(|(b, t)| 0.75 * b + 0.25 * t).collect();
            super::assert_close(&floats(&dst), &expected, tolerance, "blend");
            lerp_into(&dst, &base.tensor(dtype), &tuned.tensor(dtype), 1.0).unwrap();
            assert_eq!(floats(&dst), floats(&tuned.tensor(dtype)));
        }
    }
    let scalar = input(3, &[]).tensor(DType::F32);
    let dst = zeros(&scalar);
    lerp_into(&dst, &scalar, &scalar, 1.0).unwrap();
    assert_eq!(bits(&dst), bits(&scalar));
}

#[test]
fn what_does_not_fit_is_an_error_and_changes_nothing() {
    let (base, tuned) = (input(1, &[4, 6]).tensor(DType::F32), input(2, &[4, 6]).tensor(DType::F32));
    let dst = zeros(&base);
    let refused = |dst: &Tensor, base: &Tensor, tuned: &Tensor, alpha: f64, word: &str| {
        let message = lerp_into(dst, base, tuned, alpha).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    };
    refused(&dst, &base.reshape((6, 4)).unwrap(), &tuned, 0.5, "base");
    refused(&dst, &base, &tuned.to_dtype(DType::F64).unwrap(), 0.5, "tuned");
    refused(&dst, &base, &input(3, &[6, 4]).tensor(DType::F32).t().unwrap(), 0.5, "contiguous");
    refused(&dst, &base, &tuned, f64::NAN, "finite");
    refused(&dst, &dst, &tuned, 0.5, "storage");
    let ids = Tensor::zeros((4, 6), DType::U32, &Device::Cpu).unwrap();
    refused(&ids, &ids.copy().unwrap(), &ids.copy().unwrap(), 0.5, "float");
    assert_eq!(bits(&dst), bits(&zeros(&dst)));
}
