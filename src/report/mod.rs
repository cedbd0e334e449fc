//! A sweep for people without the program: the figure as SVG and PNG, the data behind it as CSV and JSON, and one HTML
//! page that needs nothing else. Pure: a [`Report`] in, text or bytes out.

mod curves;
mod data;
mod failures;
mod figure;
mod gallery;
mod html;
mod layout;
mod legend;
mod marks;
mod page;
pub mod palette;
mod plot;
mod raster;
mod scale;
mod stored;
mod svg;
mod table;
#[cfg(test)]
mod tests;
pub mod words;

pub use curves::{Curves, Mark, Task};
pub use data::{Axis, AxisError, Entry, Kind, Made, Model, Report, View};
pub use figure::figure_svg;
pub use gallery::{Chosen, Cosines, Failure, Gallery, Picture, Said, Sides, Verdict, choose, describe};
pub use html::html;
pub use raster::{RasterError, png};
pub use stored::{Stored, TaskKey, latest};
pub use table::{csv, json};

/// The report as the bytes of a file of this kind.
///
/// # Errors
/// [`RasterError`]; only pixels can fail.
pub fn render(kind: Kind, report: &Report, view: &View) -> Result<Vec<u8>, RasterError> {
    Ok(match kind {
        Kind::Svg => figure_svg(report, view).into_bytes(),
        Kind::Png => png(&figure_svg(report, view))?,
        Kind::Csv => csv(report).into_bytes(),
        Kind::Json => json(report).into_bytes(),
        Kind::Html => html(report, view).into_bytes(),
    })
}
