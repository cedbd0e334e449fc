//! Figures of the status line.

/// Images per second over the last slices.
#[derive(Default)]
pub(super) struct Rate {
    pub per_second: Option<f64>,
}

impl Rate {
    /// One more slice.
    pub fn add(&mut self, images: usize, seconds: f64) {
        let now = images as f64 / seconds.max(1e-6);
        self.per_second = Some(self.per_second.map_or(now, |before| 0.8 * before + 0.2 * now));
    }
}

/// Resident memory of this process where the system tells it in a file.
pub(super) fn resident_memory() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
