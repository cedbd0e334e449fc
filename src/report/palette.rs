//! The colours of alpha, of lines and of their ground, as plain numbers: the window and the figures share them.

/// Red, green, blue.
pub type Rgb = [u8; 3];

const BASE: [f64; 3] = [45.0, 124.0, 214.0];
const TUNED: [f64; 3] = [230.0, 126.0, 34.0];
const MIDDLE_DARK: [f64; 3] = [178.0, 176.0, 172.0];
const MIDDLE_LIGHT: [f64; 3] = [140.0, 138.0, 134.0];
const LINES_DARK: [Rgb; 6] =
    [[127, 196, 148], [190, 150, 220], [214, 190, 96], [222, 134, 168], [120, 200, 210], [176, 160, 140]];
const LINES_LIGHT: [Rgb; 6] =
    [[36, 122, 66], [118, 68, 158], [136, 108, 8], [170, 54, 104], [10, 116, 128], [110, 92, 70]];

/// The colour of an alpha: base blue over a neutral middle to tuned orange. Blue against orange stays apart under all
/// common kinds of colour blindness.
pub fn alpha(dark: bool, alpha: f64) -> Rgb {
    let middle = if dark { MIDDLE_DARK } else { MIDDLE_LIGHT };
    let t = alpha.clamp(0.0, 1.0);
    let (from, to, share) = if t < 0.5 { (BASE, middle, t * 2.0) } else { (middle, TUNED, t * 2.0 - 1.0) };
    [0, 1, 2].map(|i: usize| (from[i] + (to[i] - from[i]) * share).round() as u8)
}

/// The colour of the line of a task; tasks differ by the shape of their marks too.
pub fn line(dark: bool, place: usize) -> Rgb {
    let lines = if dark { LINES_DARK } else { LINES_LIGHT };
    lines[place % lines.len()]
}

/// The one accent: what is chosen.
pub fn accent(dark: bool) -> Rgb {
    if dark { [86, 182, 172] } else { [14, 124, 116] }
}

/// Right, always beside a tick.
pub fn right(dark: bool) -> Rgb {
    if dark { [92, 190, 120] } else { [28, 128, 62] }
}

/// Wrong, always beside a cross.
pub fn wrong(dark: bool) -> Rgb {
    if dark { [226, 108, 150] } else { [180, 40, 96] }
}

/// As CSS and SVG write it.
pub fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_runs_from_blue_over_grey_to_orange() {
        assert_eq!([0.0, 0.5, 1.0, 7.0].map(|a| hex(alpha(false, a))), ["#2d7cd6", "#8c8a86", "#e67e22", "#e67e22"]);
        assert_eq!(alpha(true, 0.5), [178, 176, 172]);
        assert_eq!(line(true, 7), line(true, 1));
    }
}
