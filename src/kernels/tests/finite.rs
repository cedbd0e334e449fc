//! Counting what is no number.

use crate::kernels::count_not_finite;

#[test]
fn every_place_counts_and_nothing_else_does() {
    let strange = [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(0x7f80_0001)];
    let usual = [0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::from_bits(1), 1.5];
    for n in 0..70 {
        let mut values: Vec<f32> = (0..n).map(|i| usual[i % usual.len()]).collect();
        assert_eq!(count_not_finite(&values), 0);
        for i in 0..n {
            let kept = std::mem::replace(&mut values[i], strange[i % strange.len()]);
            assert_eq!(count_not_finite(&values), 1, "{i} of {n}");
            values[i] = kept;
        }
    }
    assert_eq!(count_not_finite(&[f32::NAN; 1000]), 1000);
}
