//! The pale backdrop behind the objects: a soft gradient with a faint pattern, from one seed.

/// Upper and lower tone, sRGB.
const TONES: [[[f32; 3]; 2]; 8] = [
    [[255.0, 248.0, 238.0], [252.0, 226.0, 203.0]],
    [[238.0, 246.0, 255.0], [205.0, 226.0, 248.0]],
    [[241.0, 252.0, 244.0], [207.0, 236.0, 217.0]],
    [[249.0, 245.0, 255.0], [224.0, 213.0, 245.0]],
    [[255.0, 244.0, 247.0], [250.0, 215.0, 225.0]],
    [[253.0, 251.0, 237.0], [240.0, 230.0, 196.0]],
    [[243.0, 246.0, 248.0], [211.0, 220.0, 227.0]],
    [[238.0, 251.0, 251.0], [201.0, 234.0, 235.0]],
];

/// How much a pattern lightens (in levels of 255).
const FAINT: f32 = 9.0;

/// What is drawn over the gradient.
#[derive(Debug, Clone, Copy)]
enum Pattern {
    None,
    Bubbles([(f32, f32, f32); 3]),
    Bands,
    Grid,
    Hills(f32, f32),
}

/// A backdrop ready to be sampled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backdrop {
    tones: [[f32; 3]; 2],
    lean: f32,
    pattern: Pattern,
}

impl Backdrop {
    /// Bits 0..3 choose the tones, 3..6 the pattern, the rest where its parts lie.
    pub(super) fn new(seed: u32) -> Self {
        let fraction = |shift: u32| ((seed >> shift) & 31) as f32 / 31.0;
        let pattern = match (seed >> 3) & 7 {
            0 | 1 => Pattern::Bubbles([
                (fraction(6), fraction(11), 0.12 + 0.1 * fraction(16)),
                (fraction(14), fraction(21), 0.2 + 0.15 * fraction(10)),
                (fraction(25), fraction(8), 0.07 + 0.1 * fraction(24)),
            ]),
            2 | 3 => Pattern::Bands,
            4 => Pattern::Grid,
            5 | 6 => Pattern::Hills(0.72 + 0.16 * fraction(7), fraction(12)),
            _ => Pattern::None,
        };
        Self { tones: TONES[(seed & 7) as usize], lean: 0.5 * fraction(20) - 0.25, pattern }
    }

    /// The tone at (x, y) in 0..1; `soft` is half a pixel's width, over which edges fade.
    pub(super) fn tone(&self, x: f32, y: f32, soft: f32) -> [f32; 3] {
        let down = (y + self.lean * (x - 0.5)).clamp(0.0, 1.0);
        let lift = self.lift(x, y, soft);
        let [upper, lower] = self.tones;
        [0, 1, 2].map(|channel| upper[channel] + (lower[channel] - upper[channel]) * down + lift)
    }

    fn lift(&self, x: f32, y: f32, soft: f32) -> f32 {
        let cover = |distance: f32| (0.5 - distance / (2.0 * soft)).clamp(0.0, 1.0);
        let disc = |cx: f32, cy: f32, radius: f32| ((x - cx) * (x - cx) + (y - cy) * (y - cy)).sqrt() - radius;
        match &self.pattern {
            Pattern::None => 0.0,
            Pattern::Bubbles(bubbles) => bubbles.iter().map(|&(cx, cy, r)| FAINT * cover(disc(cx, cy, r))).sum(),
            Pattern::Bands => FAINT * 0.7 * cover(fold(x + y, 0.34).abs() - 0.085),
            Pattern::Grid => {
                let (u, v) = (fold(x, 0.1), fold(y, 0.1));
                FAINT * 1.3 * cover((u * u + v * v).sqrt() - 0.014)
            }
            &Pattern::Hills(height, at) => {
                -FAINT * 0.8 * (cover(disc(at, height + 0.9, 0.9)) + cover(disc(at + 0.7, height + 1.25, 1.2)))
            }
        }
    }
}

/// Signed distance from the nearest multiple of `period`.
fn fold(x: f32, period: f32) -> f32 {
    let cells = x / period;
    (cells - (cells + 0.5).floor()) * period
}
