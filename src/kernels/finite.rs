//! Looking for values that are no numbers.

/// How many values are infinite or not a number. At most 2³² values at a time.
pub fn count_not_finite(values: &[f32]) -> u32 {
    let mut n = 0;
    count(values, &mut n);
    n
}

dispatch! {
    /// Adds to `n`.
    fn count(values: &[f32], n: &mut u32) = body;
}

/// An exponent of ones is an infinity or no number. Whole numbers are compared a register at a time.
#[inline(always)]
fn body<const LANES: usize>(values: &[f32], n: &mut u32) {
    const EXPONENT: u32 = 0x7f80_0000;
    let mut counts = [0u32; LANES];
    let (rows, rest) = values.as_chunks::<LANES>();
    for row in rows {
        for (count, value) in counts.iter_mut().zip(row) {
            *count += u32::from(value.to_bits() & EXPONENT == EXPONENT);
        }
    }
    let rest = rest.iter().filter(|value| !value.is_finite()).count() as u32;
    *n += counts.iter().sum::<u32>() + rest;
}
