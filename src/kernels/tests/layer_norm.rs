use candle_core::{DType, Tensor};

use super::{Input, assert_close, bits, check, check_threads, floats, input};
use crate::kernels::layer_norm;

const EPS: f64 = 1e-5;

fn inputs(n: usize, d: usize) -> [Input; 3] {
    [input(1, &[n, d]), input(2, &[d]), input(3, &[d])]
}

fn plain(values: &[Vec<f64>], d: usize) -> Vec<f64> {
    let normalize = |row: &[f64]| -> Vec<f64> {
        let mean = row.iter().sum::<f64>() / d as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d as f64;
        let deviation = (variance + EPS).sqrt();
        row.iter().enumerate().map(|(j, x)| (x - mean) / deviation * values[1][j] + values[2][j]).collect()
    };
    values[0].chunks(d).flat_map(normalize).collect()
}

#[test]
fn layer_norm_matches_plain_loops_and_finite_differences() {
    for (n, d) in [(1, 2), (1, 7), (3, 16), (5, 37), (40, 64), (130, 20)] {
        check(&inputs(n, d), 5e-5, &|t| layer_norm(&t[0], &t[1], &t[2], EPS), &|v| plain(v, d));
    }
}

#[test]
fn outliers_do_not_cancel() {
    // A large common offset: E[x²] - E[x]² would lose every digit of the variance here.
    let (d, offset) = (64, 4096.0);
    let [mut x, weight, bias] = inputs(4, d);
    x.values.iter_mut().for_each(|v| *v = f64::from((*v + offset) as f32));
    let expected = plain(&[x.values.clone(), weight.values.clone(), bias.values.clone()], d);
    let [x, weight, bias] = [x, weight, bias].map(|input| input.tensor(DType::F32));
    // The mean itself is rounded to 2^-12 at this offset.
    assert_close(&floats(&layer_norm(&x, &weight, &bias, EPS).unwrap()), &expected, 2e-3, "offset rows");
}

#[test]
fn a_row_does_not_depend_on_its_batch() {
    let [x, weight, bias] = inputs(30, 50).map(|input| input.tensor(DType::F32));
    let all = layer_norm(&x, &weight, &bias, EPS).unwrap();
    for row in 0..30 {
        let one = layer_norm(&x.narrow(0, row, 1).unwrap(), &weight, &bias, EPS).unwrap();
        assert_eq!(bits(&one), bits(&all.narrow(0, row, 1).unwrap()));
    }
}

#[test]
fn thread_count_does_not_show() {
    for (n, d) in [(1, 33), (700, 48), (1600, 40)] {
        check_threads(&inputs(n, d), |t| layer_norm(&t[0], &t[1], &t[2], EPS));
    }
}

#[test]
fn frozen_weights_still_pass_the_gradient_on() {
    let [x, weight, bias] = inputs(6, 24);
    let all =
        super::run(&[x.clone(), weight.clone(), bias.clone()], DType::F32, &|t| layer_norm(&t[0], &t[1], &t[2], EPS));
    let (weight, bias) = (weight.tensor(DType::F32), bias.tensor(DType::F32));
    let alone = super::run(&[x], DType::F32, &|t| layer_norm(&t[0], &weight, &bias, EPS));
    assert_eq!(bits(&all[1]), bits(&alone[1]));
}

#[test]
fn half_precision_and_wrong_shapes() {
    let [x, weight, bias] = inputs(3, 16);
    let exact = layer_norm(&x.tensor(DType::F32), &weight.tensor(DType::F32), &bias.tensor(DType::F32), EPS).unwrap();
    let [x, weight, bias]: [Tensor; 3] = [x, weight, bias].map(|input| input.tensor(DType::BF16));
    let half = layer_norm(&x, &weight, &bias, EPS).unwrap();
    assert_eq!(half.dtype(), DType::BF16);
    assert_close(&floats(&half), &floats(&exact), 0.03, "bf16");
    assert!(layer_norm(&x, &x, &bias, EPS).is_err());
}
