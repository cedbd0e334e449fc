//! The learning rate as a function of the step: linear warm-up, then half a cosine down to zero (as in `open_clip`).

use std::f64::consts::PI;

/// Shape of the learning rate over one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Learning rate at the end of the warm-up.
    pub peak: f64,
    /// Steps of linear warm-up.
    pub warmup: u64,
    /// Steps of the whole run, warm-up included.
    pub steps: u64,
}

/// Learning rate of `step`, counted from 0: `peak * (step + 1) / warmup` during the warm-up, then
/// `peak / 2 * (1 + cos(pi * (step - warmup) / (steps - warmup)))`, and 0 from `steps` on.
pub fn learning_rate(step: u64, schedule: &Schedule) -> f64 {
    let Schedule { peak, warmup, steps } = *schedule;
    if step >= steps {
        0.0
    } else if step < warmup {
        peak * (step as f64 + 1.0) / warmup as f64
    } else {
        let progress = (step - warmup) as f64 / (steps - warmup) as f64;
        0.5 * peak * (1.0 + (PI * progress).cos())
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;

    const PAPER: Schedule = Schedule { peak: 1e-6, warmup: 2_000, steps: 489_600 };

    fn close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() <= 1e-12 * wanted.abs().max(1e-9), "{found} is not {wanted}");
    }

    #[test]
    fn warms_up_linearly_to_the_peak() {
        close(learning_rate(0, &PAPER), 5e-10);
        close(learning_rate(999, &PAPER), 5e-7);
        close(learning_rate(1_999, &PAPER), 1e-6);
        close(learning_rate(2_000, &PAPER), 1e-6);
    }

    #[test]
    fn falls_along_a_cosine_to_zero() {
        close(learning_rate(2_000 + 487_600 / 2, &PAPER), 5e-7);
        close(learning_rate(2_000 + 487_600 / 4, &PAPER), 1e-6 * (0.5 + 0.125_f64.sqrt()));
        let last = learning_rate(489_599, &PAPER);
        assert!(last > 0.0 && last < 1e-16);
        assert_eq!(learning_rate(489_600, &PAPER), 0.0);
        assert_eq!(learning_rate(u64::MAX, &PAPER), 0.0);
    }

    #[test]
    fn needs_neither_warm_up_nor_cosine() {
        close(learning_rate(0, &Schedule { peak: 0.1, warmup: 0, steps: 10 }), 0.1);
        close(learning_rate(4, &Schedule { peak: 0.1, warmup: 5, steps: 5 }), 0.1);
        close(learning_rate(1, &Schedule { peak: 0.1, warmup: 50, steps: 5 }), 0.004);
        assert_eq!(learning_rate(0, &Schedule { peak: 0.1, warmup: 0, steps: 0 }), 0.0);
    }
}
