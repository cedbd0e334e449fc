use candle_core::{DType, Tensor};

use super::{assert_close, bits, check, check_threads, floats, input, run};
use crate::kernels::{AttentionShape, attention};

fn plain(qkv: &[f64], shape: AttentionShape, width: usize) -> Vec<f64> {
    let AttentionShape { batch, length, heads, causal } = shape;
    let dim = width / heads;
    let mut out = vec![0.0; batch * length * width];
    for (sequence, head) in (0..batch).flat_map(|b| (0..heads).map(move |h| (b, h))) {
        let at =
            |part: usize, i: usize, c: usize| qkv[(sequence * length + i) * 3 * width + part * width + head * dim + c];
        for i in 0..length {
            let seen = if causal { i + 1 } else { length };
            let score = |j: usize| (0..dim).map(|c| at(0, i, c) * at(1, j, c)).sum::<f64>() / (dim as f64).sqrt();
            let peak = (0..seen).map(score).fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = (0..seen).map(|j| (score(j) - peak).exp()).collect();
            let total: f64 = weights.iter().sum();
            for c in 0..dim {
                let value: f64 = weights.iter().enumerate().map(|(j, w)| w * at(2, j, c)).sum();
                out[(sequence * length + i) * width + head * dim + c] = value / total;
            }
        }
    }
    out
}

fn shape(batch: usize, length: usize, heads: usize, causal: bool) -> AttentionShape {
    AttentionShape { batch, length, heads, causal }
}

#[test]
fn attention_matches_plain_loops_and_finite_differences() {
    for causal in [false, true] {
        for (batch, length, heads, dim) in
            [(1, 1, 1, 1), (1, 1, 2, 8), (2, 5, 1, 3), (1, 12, 2, 8), (3, 9, 3, 5), (1, 19, 1, 16), (1, 37, 2, 40)]
        {
            let shape = shape(batch, length, heads, causal);
            let width = heads * dim;
            let qkv = input(7, &[batch * length, 3 * width]).scaled(2.0);
            check(&[qkv], 1e-5, &|t| attention(&t[0], shape), &|v| plain(&v[0], shape, width));
        }
    }
}

#[test]
fn model_sizes_match_composed_operations() {
    for shape in [shape(1, 50, 2, false), shape(1, 77, 2, true), shape(1, 257, 1, false)] {
        let qkv = [input(8, &[shape.length, 3 * 64 * shape.heads]).scaled(3.0)];
        let (fused, composed) =
            (run(&qkv, DType::F32, &|t| attention(&t[0], shape)), run(&qkv, DType::F64, &|t| attention(&t[0], shape)));
        for (fused, composed) in fused.iter().zip(&composed) {
            assert_close(&floats(fused), &floats(composed), 1e-5, &format!("{shape:?}"));
        }
    }
}

#[test]
fn large_scores_do_not_overflow() {
    let shape = shape(1, 6, 1, false);
    let qkv = input(9, &[6, 24]).scaled(60.0);
    let fused = attention(&qkv.tensor(DType::F32), shape).unwrap();
    assert_close(&floats(&fused), &plain(&qkv.values, shape, 8), 1e-3, "large scores");
}

#[test]
fn not_a_number_is_not_hidden() {
    let mut qkv = input(9, &[6, 24]);
    qkv.values[0] = f64::NAN;
    let fused = floats(&attention(&qkv.tensor(DType::F32), shape(1, 6, 1, false)).unwrap());
    assert!(fused[..8].iter().all(|v| v.is_nan()) && fused[8..].iter().all(|v| v.is_finite()));
}

#[test]
fn later_positions_never_reach_earlier_ones() {
    let shape_of = |length| shape(1, length, 2, true);
    let qkv = input(10, &[20, 3 * 16]).tensor(DType::F32);
    let all = attention(&qkv, shape_of(20)).unwrap();
    for length in [1, 7, 13] {
        let cut = attention(&qkv.narrow(0, 0, length).unwrap(), shape_of(length)).unwrap();
        assert_eq!(bits(&cut), bits(&all.narrow(0, 0, length).unwrap()), "length {length}");
    }
}

#[test]
fn a_sequence_does_not_depend_on_its_batch() {
    let (batch, length) = (5, 11);
    let qkv = input(11, &[batch * length, 3 * 24]).tensor(DType::F32);
    let all = attention(&qkv, shape(batch, length, 3, false)).unwrap();
    for sequence in 0..batch {
        let one = attention(&qkv.narrow(0, sequence * length, length).unwrap(), shape(1, length, 3, false)).unwrap();
        assert_eq!(bits(&one), bits(&all.narrow(0, sequence * length, length).unwrap()));
    }
}

#[test]
fn tracking_does_not_change_the_result() {
    let qkv = input(12, &[2 * 13, 3 * 16]);
    let untracked = attention(&qkv.tensor(DType::F32), shape(2, 13, 2, true)).unwrap();
    assert!(!untracked.track_op());
    let tracked = attention(&qkv.var(DType::F32), shape(2, 13, 2, true)).unwrap();
    assert_eq!(bits(&untracked), bits(&tracked));
}

#[test]
fn thread_count_does_not_show() {
    for shape in [shape(3, 12, 4, true), shape(16, 37, 4, false)] {
        let rows = shape.batch * shape.length;
        check_threads(&[input(13, &[rows, 3 * 32 * shape.heads])], |t| attention(&t[0], shape));
    }
}

#[test]
fn sizes_that_do_not_fit_are_errors() {
    let qkv: Tensor = input(14, &[12, 3 * 16]).tensor(DType::F32);
    assert!(attention(&qkv, shape(2, 5, 2, false)).is_err());
    assert!(attention(&qkv, shape(2, 6, 3, false)).is_err());
    assert!(attention(&qkv, shape(2, 6, 0, false)).is_err());
    assert!(attention(&qkv, shape(usize::MAX, 12, 2, false)).is_err());
    let empty = attention(&qkv.narrow(0, 0, 0).unwrap(), shape(0, 6, 2, false)).unwrap();
    assert_eq!(empty.dims(), [0, 16]);
}
