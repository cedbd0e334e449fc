//! Where the parts of a figure lie, and labels that keep out of each other's way.

/// Width of the whole figure.
pub const WIDTH: f64 = 980.0;
/// Space around everything.
pub const MARGIN: f64 = 20.0;
/// The frame of the plot: left, right, and its height.
pub const FRAME: [f64; 3] = [72.0, 640.0, 440.0];
/// Left edge of the legend.
pub const LEGEND: f64 = 668.0;
/// Height of a line of small text.
pub const LINE: f64 = 16.0;
/// Size of titles, of labels, of small text.
pub const SIZES: [f64; 3] = [18.0, 12.0, 11.0];

/// Mean width of a letter in units of the font's size, on the safe side for the fonts that browsers fall back to.
const LETTER: f64 = 0.56;

/// How many letters of this size fit.
pub fn letters(width: f64, size: f64) -> usize {
    (width / (size * LETTER)) as usize
}

/// How wide a text is, roughly.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER
}

/// A box: left, top, right, bottom.
pub type Box = [f64; 4];

/// Labels placed so far.
#[derive(Debug)]
pub struct Labels {
    frame: Box,
    taken: Vec<Box>,
}

impl Labels {
    /// None yet.
    pub fn within(frame: Box) -> Self {
        Self { frame, taken: Vec::new() }
    }

    /// Keeps a place free, for a mark that should stay visible.
    pub fn keep(&mut self, center: [f64; 2], radius: f64) {
        let [x, y] = center;
        self.taken.push([x - radius, y - radius, x + radius, y + radius]);
    }

    /// Where a label's baseline begins: beside its mark on the side with the least overlap, the upper right one first.
    pub fn place(&mut self, center: [f64; 2], gap: f64, text: &str, size: f64) -> [f64; 2] {
        let ([x, y], wide) = (center, width(text, size));
        let lefts = [x + gap, x - gap - wide];
        let bottoms = [y - 2.0, y + size, y - gap - 2.0, y + gap + size, y - 2.0 * size, y + 2.2 * size];
        let boxes = bottoms.iter().flat_map(|bottom| lefts.map(|left| [left, bottom - size, left + wide, *bottom]));
        // The first of equals.
        let mut best: Option<(f64, Box)> = None;
        for candidate in boxes {
            let cost = self.cost(candidate);
            if best.is_none_or(|(least, _)| cost < least - 1e-9) {
                best = Some((cost, candidate));
            }
        }
        let Some((_, chosen)) = best else { return center };
        self.taken.push(chosen);
        [chosen[0], chosen[3] - 0.2 * size]
    }

    /// Area shared with what is taken, and ten times that outside the frame.
    fn cost(&self, candidate: Box) -> f64 {
        let area = |b: Box| (b[2] - b[0]).max(0.0) * (b[3] - b[1]).max(0.0);
        let shared = |a: Box, b: Box| area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
        let outside = area(candidate) - shared(candidate, self.frame);
        10.0 * outside + self.taken.iter().map(|taken| shared(candidate, *taken)).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stay_inside_and_apart() {
        let mut labels = Labels::within([0.0, 0.0, 200.0, 100.0]);
        let first = labels.place([100.0, 50.0], 8.0, "base", 12.0);
        assert!(first[0] > 100.0 && first[1] < 50.0, "upper right: {first:?}");
        let second = labels.place([101.0, 50.0], 8.0, "tuned", 12.0);
        let apart = second[0] + width("tuned", 12.0) <= first[0] || (second[1] - first[1]).abs() >= 12.0;
        assert!(apart, "{first:?} {second:?}");
        let edge = labels.place([195.0, 50.0], 8.0, "right edge", 12.0);
        assert!(edge[0] + width("right edge", 12.0) < 195.0, "{edge:?}");
        let top = labels.place([100.0, 3.0], 8.0, "top", 12.0);
        assert!(top[1] > 10.0, "{top:?}");
    }
}
