//! A figure in pixels.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Pixels per unit of the figure.
pub const SCALE: f32 = 2.0;
/// Family of the embedded font.
pub(super) const FONT: &str = "Ubuntu";

/// Why there are no pixels.
#[derive(Debug, thiserror::Error)]
pub enum RasterError {
    /// The figure is not the SVG that the rasteriser knows.
    #[error("the figure cannot be drawn as pixels, save it as SVG instead: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// There is no memory for it.
    #[error("there is no memory for a picture of {width} by {height} pixels; save the figure as SVG instead")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// PNG cannot hold it.
    #[error("the picture cannot be written as PNG, save the figure as SVG instead: {0}")]
    Png(String),
}

/// The figure as the rasteriser reads it, with the font that clove carries: no font of the machine is used.
///
/// # Errors
/// [`RasterError::Svg`].
pub(super) fn tree(svg: &str) -> Result<Tree, RasterError> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    fonts.load_font_data(epaint_default_fonts::HACK_REGULAR.to_vec());
    fonts.set_sans_serif_family(FONT);
    let options = Options { font_family: FONT.into(), fontdb: Arc::new(fonts), ..Options::default() };
    Ok(Tree::from_str(svg, &options)?)
}

/// The figure as a PNG file's bytes, at twice its size.
///
/// # Errors
/// See [`RasterError`].
pub fn png(svg: &str) -> Result<Vec<u8>, RasterError> {
    let tree = tree(svg)?;
    let size = tree.size();
    let (width, height) = ((size.width() * SCALE).ceil() as u32, (size.height() * SCALE).ceil() as u32);
    let mut pixels = Pixmap::new(width, height).ok_or(RasterError::Size { width, height })?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| RasterError::Png(e.to_string()))
}
