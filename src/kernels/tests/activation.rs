use candle_core::{DType, Device, Tensor};

use super::{assert_close, bits, check, check_threads, floats, input, run};
use crate::kernels::{Activation, activate};

/// erf by its Maclaurin series, and erfc's continued fraction beyond 2; 1e-12 or better.
fn erf(x: f64) -> f64 {
    if x.abs() > 2.0 {
        let fraction = (1..200).rev().fold(0.0, |tail, n| n as f64 / 2.0 / (x.abs() + tail));
        let complement = (-x * x).exp() / std::f64::consts::PI.sqrt() / (x.abs() + fraction);
        return x.signum() * (1.0 - complement);
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..80 {
        term *= -x * x / n as f64;
        sum += term / (2 * n + 1) as f64;
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

fn plain(kind: Activation, x: f64) -> f64 {
    match kind {
        Activation::QuickGelu => x / (1.0 + (-1.702 * x).exp()),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
    }
}

#[test]
fn activations_match_plain_functions_and_finite_differences() {
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        for len in [1, 7, 16, 53] {
            let x = input(4, &[len]).scaled(5.0);
            check(&[x], 1e-6, &|t| activate(&t[0], kind), &|v| v[0].iter().map(|&x| plain(kind, x)).collect());
        }
    }
}

#[test]
fn values_and_slopes_are_exact_to_1e6_everywhere() {
    let grid: Vec<f64> = (-120_000..=120_000).map(|i| f64::from(i as f32 * 1e-4)).collect();
    let len = grid.len();
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        let x = super::Input { values: grid.clone(), shape: vec![len] };
        let expected: Vec<f64> = grid.iter().map(|&x| plain(kind, x)).collect();
        let fused = run(std::slice::from_ref(&x), DType::F32, &|t| activate(&t[0], kind));
        assert_close(&floats(&fused[0]), &expected, 1e-6, "values");
        let composed = run(&[x], DType::F64, &|t| activate(&t[0], kind));
        // candle's own constants in the backward of gelu_erf have six digits.
        assert_close(&floats(&fused[1]), &floats(&composed[1]), 1e-6, "slopes");
    }
}

#[test]
fn extremes_stay_finite_and_nan_stays_nan() {
    let x = Tensor::new(&[-1e30f32, -200.0, -60.0, -0.0, 0.0, 60.0, 200.0, 1e30, f32::NAN], &Device::Cpu).unwrap();
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        let y = floats(&activate(&x, kind).unwrap());
        assert!(y[8].is_nan());
        assert_close(&y[1..8], &[0.0, 0.0, 0.0, 0.0, 60.0, 200.0, f64::from(1e30f32)], 1e-6, "extremes");
    }
}

#[test]
fn position_and_threads_do_not_show() {
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        let x = input(5, &[3, 20_011]).scaled(4.0);
        check_threads(std::slice::from_ref(&x), |t| activate(&t[0], kind));
        // The tail of a chunk takes scalar code: it must round as the vectors do.
        let all = activate(&x.tensor(DType::F32), kind).unwrap();
        let row = activate(&x.tensor(DType::F32).narrow(0, 1, 1).unwrap(), kind).unwrap();
        assert_eq!(bits(&row), bits(&all.narrow(0, 1, 1).unwrap()));
    }
}

#[test]
fn half_precision_falls_back() {
    let x = input(6, &[40]).scaled(3.0);
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        let half = activate(&x.tensor(DType::BF16), kind).unwrap();
        assert_eq!(half.dtype(), DType::BF16);
        let expected: Vec<f64> = x.values.iter().map(|&x| plain(kind, x)).collect();
        assert_close(&floats(&half), &expected, 0.05, "bf16");
    }
}

#[test]
fn names_read_back() {
    for (kind, name) in [(Activation::QuickGelu, "quick-gelu"), (Activation::Gelu, "gelu")] {
        assert_eq!(kind.to_string(), name);
        assert_eq!(name.parse(), Ok(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("{name:?}"));
    }
    assert!("relu".parse::<Activation>().unwrap_err().to_string().contains("relu"));
}
