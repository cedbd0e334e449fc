use candle_core::{DType, Tensor};

use super::{Input, assert_close, check, check_threads, floats, input, run};
use crate::kernels::{linear, project};

/// x [n, k], weight [m, k] and bias [m].
fn inputs(n: usize, k: usize, m: usize) -> [Input; 3] {
    [input(1, &[n, k]), input(2, &[m, k]), input(3, &[m])]
}

fn plain(values: &[Vec<f64>], n: usize, k: usize, m: usize) -> Vec<f64> {
    let at = |i: usize, j: usize| (0..k).map(|p| values[0][i * k + p] * values[1][j * k + p]).sum::<f64>();
    let bias = |j: usize| values.get(2).map_or(0.0, |bias| bias[j]);
    (0..n * m).map(|i| at(i / m, i % m) + bias(i % m)).collect()
}

#[test]
fn linear_matches_plain_loops_and_finite_differences() {
    for (n, k, m) in [(1, 1, 1), (1, 5, 3), (2, 2, 70), (3, 13, 7), (17, 32, 24), (70, 600, 9)] {
        let op = |t: &[Tensor]| linear(&t[0], &t[1], t.get(2));
        // f32 sums of k products of numbers below 1.
        check(&inputs(n, k, m), 2e-5, &op, &|v| plain(v, n, k, m));
        check(&inputs(n, k, m)[..2], 2e-5, &op, &|v| plain(v, n, k, m));
    }
}

#[test]
fn project_multiplies_by_the_weight_as_stored() {
    let (n, k, m) = (5, 12, 9);
    let plain = |v: &[Vec<f64>]| {
        let at = |i: usize, j: usize| (0..k).map(|p| v[0][i * k + p] * v[1][p * m + j]).sum();
        (0..n * m).map(|i| at(i / m, i % m)).collect()
    };
    check(&[input(1, &[n, k]), input(2, &[k, m])], 2e-5, &|t| project(&t[0], &t[1]), &plain);
}

#[test]
fn strided_arguments_are_read_as_they_lie() {
    let (n, k, m) = (6, 11, 4);
    let [x, weight, bias] = inputs(n, k, m);
    // x is the transpose of a stored matrix, the weight a block of rows in a larger one.
    let stored = Input { shape: vec![k, n], ..x.clone() };
    let op = |t: &[Tensor]| linear(&t[0].t()?, &t[1].narrow(0, 1, m - 1)?, Some(&t[2].narrow(0, 1, m - 1)?));
    let fused = run(&[stored.clone(), weight.clone(), bias.clone()], DType::F32, &op);
    let composed = run(&[stored, weight, bias], DType::F64, &op);
    for (fused, composed) in fused.iter().zip(&composed) {
        assert_close(&floats(fused), &floats(composed), 2e-5, "strided");
    }
}

#[test]
fn only_what_is_tracked_gets_a_gradient() {
    let [x, weight, bias] = inputs(3, 8, 4);
    let (pixels, frozen) = (x.tensor(DType::F32), weight.tensor(DType::F32));
    let (trained, x, bias) = (weight.var(DType::F32), x.var(DType::F32), bias.var(DType::F32));
    let grads = linear(&pixels, &trained, Some(&bias)).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&pixels).is_none() && grads.get(&trained).is_some() && grads.get(&bias).is_some());
    let grads = linear(&x, &frozen, None).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&frozen).is_none() && grads.get(&x).is_some());
}

#[test]
fn a_row_does_not_depend_on_its_batch() {
    let [x, weight, bias] = inputs(9, 40, 33).map(|input| input.tensor(DType::F32));
    let all = floats(&linear(&x, &weight, Some(&bias)).unwrap());
    for row in 0..9 {
        let one = linear(&x.narrow(0, row, 1).unwrap(), &weight, Some(&bias)).unwrap();
        // A single row takes gemm's matrix-vector path, which adds in another order: equal up to rounding.
        assert_close(&floats(&one), &all[row * 33..][..33], 1e-5, "single row");
    }
}

#[test]
fn thread_count_does_not_show() {
    for (n, k, m) in [(1, 300, 500), (37, 64, 96), (300, 1100, 130), (1000, 70, 200)] {
        check_threads(&inputs(n, k, m), |t| linear(&t[0], &t[1], t.get(2)));
        check_threads(&[input(1, &[n, k]), input(2, &[k, m])], |t| project(&t[0], &t[1]));
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let [x, weight, bias] = inputs(3, 8, 4).map(|input| input.tensor(DType::F32));
    assert!(linear(&x, &weight.t().unwrap(), None).is_err());
    assert!(linear(&x, &weight, Some(&x)).is_err());
    assert!(linear(&bias, &weight, None).is_err());
    assert!(project(&x, &weight).is_err());
}
