use super::{assert_close, input};
use crate::kernels::tile::{Left, PAD, ROWS, Right, product};

/// The register tile of one instruction set against plain loops, left side as stored and transposed.
fn check<const LANES: usize>() {
    for (columns, depth) in [(PAD, 1), (2 * PAD, 7), (3 * PAD, 5), (5 * PAD, 33)] {
        let [left, right] = [[ROWS, depth], [depth, columns]].map(|shape| input(3, &shape).values);
        let [left32, right32] = [&left, &right].map(|v| v.iter().map(|&v| v as f32).collect::<Vec<_>>());
        for rows in 1..=ROWS {
            for (row, column) in [(depth, 1), (1, ROWS)] {
                let mut out = vec![f32::NAN; rows * columns];
                let left_view = Left { values: &left32, row, column };
                let right_view = Right { values: &right32, stride: columns };
                product::<LANES>((rows, columns, depth), left_view, right_view, &mut out, columns);
                let at = |i: usize, j: usize| {
                    (0..depth).map(|p| left[i * row + p * column] * right[p * columns + j]).sum::<f64>()
                };
                let expected: Vec<f64> = (0..rows * columns).map(|i| at(i / columns, i % columns)).collect();
                let out: Vec<f64> = out.into_iter().map(f64::from).collect();
                assert_close(&out, &expected, 1e-5, &format!("{LANES} lanes, {rows} x {columns} x {depth}"));
            }
        }
    }
}

#[test]
fn every_instruction_set_multiplies_alike() {
    check::<4>();
    #[cfg(target_arch = "x86_64")]
    if crate::kernels::dispatch::has_avx2() {
        check::<8>();
    }
    #[cfg(target_arch = "x86_64")]
    if crate::kernels::dispatch::has_avx512() {
        check::<16>();
    }
}
