//! Pillow's bicubic resize on 8-bit RGB, byte for byte (`Resample.c`; checked against Pillow 13.0.0).
//!
//! Per axis, an output position `i` reads the inputs around `(i + 0.5) * scale` through a cubic kernel (a = -0.5) that
//! is stretched by `scale` when shrinking. Weights are rounded to 22 fractional bits and sums are clamped to a byte
//! *after each pass*: a resize in floating point differs by up to 25/255 near edges.
//!
//! The horizontal pass comes first, except where the height shrinks by more than twice what the width shrinks: since
//! Pillow 13 the vertical pass goes first there (python-pillow/Pillow#9549). For the shorter side to a fixed size that
//! means images more than twice as high as wide, on which older Pillows differ by a few levels.

use image::RgbImage;

/// Fractional bits of a weight: a sum of bytes times weights fits an `i32` with two bits for the kernel's overshoot.
const FRACTION_BITS: u32 = 32 - 8 - 2;
/// Half the kernel's width, in output pixels.
const SUPPORT: f64 = 2.0;

/// The part of a resized image that is wanted, in pixels of the resized image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The whole image at `width` × `height`, as Pillow's `resize((width, height), BICUBIC)`.
///
/// An empty image (a side of 0) gives black.
pub fn resize(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    let window = Window { left: 0, top: 0, width, height };
    RgbImage::from_raw(width, height, resize_window(image, width, height, window)).unwrap_or_default()
}

/// Only `window` of the image at `width` × `height`: packed RGB, row-major, `3 * window.width * window.height` bytes.
///
/// Equal to cutting `window` from [`resize`], without computing the rest; memory is bounded by the source and the
/// window, however long the resized image would be. `window` must lie inside the resized image.
pub fn resize_window(image: &RgbImage, width: u32, height: u32, window: Window) -> Vec<u8> {
    let (source_width, source_height) = image.dimensions();
    if source_width == 0 || source_height == 0 {
        return vec![0; 3 * window.width as usize * window.height as usize];
    }
    let columns = Axis::new(source_width, width, window.left, window.width);
    let rows = Axis::new(source_height, height, window.top, window.height);
    let source = Plane { bytes: image.as_raw(), width: source_width as usize };
    if is_vertical_first((source_width, source_height), (width, height)) {
        let lowered = source.resize_rows(&rows, 0);
        return Plane { bytes: &lowered, width: source.width }.resize_columns(&columns);
    }
    // Only the source rows that the vertical pass will read.
    let (first, end) = (rows.first_input(), rows.end_input());
    let narrowed = source.rows(first, end).resize_columns(&columns);
    Plane { bytes: &narrowed, width: columns.len() }.resize_rows(&rows, first)
}

/// Pillow's choice between the two orders; clamping in between makes them differ.
fn is_vertical_first(from: (u32, u32), to: (u32, u32)) -> bool {
    let shrinks_by = |from: u32, to: u32| i64::from(from) - i64::from(to);
    let (columns, rows) = (shrinks_by(from.0, to.0), shrinks_by(from.1, to.1));
    rows > 0 && rows > 2 * columns
}

/// Packed RGB rows.
#[derive(Clone, Copy)]
struct Plane<'a> {
    bytes: &'a [u8],
    width: usize,
}

impl Plane<'_> {
    fn rows(self, first: usize, end: usize) -> Self {
        Plane { bytes: &self.bytes[first * self.width * 3..end * self.width * 3], width: self.width }
    }

    /// The horizontal pass: every row, the columns of `axis`.
    fn resize_columns(self, axis: &Axis) -> Vec<u8> {
        let rows = self.bytes.chunks_exact((3 * self.width).max(1));
        let mut out = Vec::with_capacity(rows.len() * axis.len() * 3);
        if axis.unchanged {
            for row in rows {
                out.extend_from_slice(&row[3 * axis.first_input()..3 * axis.end_input()]);
            }
            return out;
        }
        for row in rows {
            for (start, weights) in axis.taps() {
                let pixels = row[3 * start..3 * (start + weights.len())].as_chunks::<3>().0;
                out.extend_from_slice(&weighted_pixel(pixels, weights));
            }
        }
        out
    }

    /// The vertical pass: the rows of `axis`, every column. This plane begins at row `first` of the axis' input.
    fn resize_rows(self, axis: &Axis, first: usize) -> Vec<u8> {
        if axis.unchanged {
            return self.rows(axis.first_input() - first, axis.end_input() - first).bytes.to_vec();
        }
        let stride = 3 * self.width;
        let mut out = Vec::with_capacity(axis.len() * stride);
        let mut sums = vec![0_i32; stride];
        for (start, weights) in axis.taps() {
            sums.fill(1 << (FRACTION_BITS - 1));
            let lines = self.bytes[(start - first) * stride..].chunks_exact(stride.max(1));
            for (line, &weight) in lines.zip(weights) {
                for (sum, &byte) in sums.iter_mut().zip(line) {
                    *sum = sum.wrapping_add(i32::from(byte).wrapping_mul(weight));
                }
            }
            out.extend(sums.iter().map(|&sum| to_byte(sum)));
        }
        out
    }
}

/// Wrapping arithmetic only spares the overflow checks: sums of |weight| stay below 1.3 · 2²², so nothing wraps.
fn weighted_pixel(pixels: &[[u8; 3]], weights: &[i32]) -> [u8; 3] {
    let mut sum = [1_i32 << (FRACTION_BITS - 1); 3];
    for (pixel, &weight) in pixels.iter().zip(weights) {
        for (total, &byte) in sum.iter_mut().zip(pixel) {
            *total = total.wrapping_add(i32::from(byte).wrapping_mul(weight));
        }
    }
    sum.map(to_byte)
}

fn to_byte(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}

/// The weights of one axis, for the wanted outputs only.
struct Axis {
    /// The size does not change: Pillow skips the pass.
    unchanged: bool,
    /// First input and number of inputs of each output.
    reach: Vec<(usize, usize)>,
    /// Weights of all outputs, one after the other.
    weights: Vec<i32>,
}

impl Axis {
    /// Weights of the outputs `offset..offset + count` of an axis that goes from `input` to `output` pixels.
    fn new(input: u32, output: u32, offset: u32, count: u32) -> Self {
        let mut axis = Axis { unchanged: input == output, reach: Vec::new(), weights: Vec::new() };
        if axis.unchanged {
            axis.reach = (offset..offset + count).map(|i| (i as usize, 1)).collect();
            return axis;
        }
        let scale = f64::from(input) / f64::from(output);
        let stretch = scale.max(1.0);
        let mut exact = Vec::new();
        for i in offset..offset + count {
            let centre = (f64::from(i) + 0.5) * scale;
            // `as` truncates towards zero and stops at 0, as the reference's cast and clamp do.
            let start = (centre - SUPPORT * stretch + 0.5) as usize;
            let end = ((centre + SUPPORT * stretch + 0.5) as usize).min(input as usize);
            exact.clear();
            exact.extend((start..end).map(|x| cubic((x as f64 - centre + 0.5) * (1.0 / stretch))));
            let norm = 1.0 / exact.iter().sum::<f64>();
            axis.weights.extend(exact.iter().map(|weight| to_fixed(weight * norm)));
            axis.reach.push((start, end - start));
        }
        axis
    }

    fn len(&self) -> usize {
        self.reach.len()
    }

    fn first_input(&self) -> usize {
        self.reach.first().map_or(0, |&(start, _)| start)
    }

    fn end_input(&self) -> usize {
        self.reach.last().map_or(0, |&(start, count)| start + count)
    }

    /// First input and weights of each output, in order.
    fn taps(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let mut rest = self.weights.as_slice();
        self.reach.iter().map(move |&(start, count)| {
            let (weights, after) = rest.split_at(count);
            rest = after;
            (start, weights)
        })
    }
}

/// Cubic convolution with a = -0.5 (Keys 1981), zero from 2 on.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// Half away from zero, as the reference rounds.
fn to_fixed(weight: f64) -> i32 {
    (weight * f64::from(1 << FRACTION_BITS)).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: u32, height: u32) -> RgbImage {
        let mut state = 7_u32;
        RgbImage::from_fn(width, height, |_, _| {
            image::Rgb(std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            }))
        })
    }

    #[test]
    fn a_window_is_a_cut_of_the_whole() {
        let image = noise(61, 47);
        for (width, height) in [(30, 20), (61, 20), (30, 47), (61, 47), (100, 120), (60, 18), (99, 21)] {
            let whole = resize(&image, width, height);
            let window = Window { left: 5, top: 3, width: 17, height: 11 };
            let cut = image::imageops::crop_imm(&whole, 5, 3, 17, 11).to_image();
            assert_eq!(resize_window(&image, width, height, window), cut.into_raw(), "{width}x{height}");
        }
    }

    #[test]
    fn flat_colours_stay_and_sums_never_wrap() {
        for (width, height) in [(1, 1), (3, 50), (64, 2), (200, 300)] {
            let image = RgbImage::from_pixel(40, 30, image::Rgb([255, 0, 17]));
            let out = resize(&image, width, height);
            assert!(out.pixels().all(|pixel| pixel.0 == [255, 0, 17]), "{width}x{height}");
        }
        // The worst case for the sum: white under positive weights, black under negative ones, and the reverse.
        let stripes = RgbImage::from_fn(64, 64, |x, y| image::Rgb([if (x / 2 + y / 2) % 2 == 0 { 255 } else { 0 }; 3]));
        for size in (1..130).filter(|&size| size != 64) {
            let axis = Axis::new(64, size, 0, size);
            for (_, weights) in axis.taps() {
                let reach: i64 = weights.iter().map(|&weight| i64::from(weight.abs()) * 255).sum();
                assert!(reach + (1 << 21) < i64::from(i32::MAX), "{size}");
            }
        }
        assert_eq!(resize(&stripes, 64, 64), stripes);
    }

    #[test]
    fn an_empty_image_is_black() {
        assert_eq!(resize(&RgbImage::new(0, 5), 2, 2).into_raw(), vec![0; 12]);
        assert_eq!(resize(&noise(4, 4), 0, 3).into_raw(), Vec::<u8>::new());
    }
}
