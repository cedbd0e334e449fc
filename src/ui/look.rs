//! Every colour, size and text style of the window. Eight-point grid; one accent; right and wrong differ by shape too.

use eframe::egui;
use eframe::egui::epaint::{CornerRadius, Mesh, Vertex, WHITE_UV};
use eframe::egui::{
    Color32, FontFamily, FontId, Margin, Painter, Pos2, Rect, RichText, Stroke, TextStyle, Ui, Visuals, pos2, vec2,
};
use egui_plot::Plot;

use crate::report::palette;

/// One step of the grid, in points.
pub const STEP: f32 = 8.0;
/// Side of a thumbnail.
pub const THUMBNAIL: f32 = 64.0;
/// Height of the rows of tables.
pub const ROW: f32 = 24.0;
/// How much of a stale value remains visible.
pub const DIM: f32 = 0.45;

/// The colour of an alpha, from base blue to tuned orange.
pub fn alpha_color(visuals: &Visuals, alpha: f64) -> Color32 {
    color(palette::alpha(visuals.dark_mode, alpha))
}

fn color([r, g, b]: palette::Rgb) -> Color32 {
    Color32::from_rgb(r, g, b)
}

/// The one accent: what is chosen, focused or running.
pub fn accent(visuals: &Visuals) -> Color32 {
    color(palette::accent(visuals.dark_mode))
}

/// Right, always beside a tick.
pub fn right(visuals: &Visuals) -> Color32 {
    color(palette::right(visuals.dark_mode))
}

/// Wrong, always beside a cross.
pub fn wrong(visuals: &Visuals) -> Color32 {
    color(palette::wrong(visuals.dark_mode))
}

/// Text that steps back.
pub fn weak(visuals: &Visuals) -> Color32 {
    if visuals.dark_mode { Color32::from_gray(150) } else { Color32::from_gray(96) }
}

/// Lines between things.
pub fn hairline(visuals: &Visuals) -> Color32 {
    if visuals.dark_mode { Color32::from_gray(52) } else { Color32::from_gray(214) }
}

/// The ground of cards and plots.
pub fn sunken(visuals: &Visuals) -> Color32 {
    visuals.extreme_bg_color
}

/// The ground of panels.
pub fn panel(visuals: &Visuals) -> Color32 {
    visuals.panel_fill
}

/// The band of a 95 % interval.
pub fn band(visuals: &Visuals) -> Color32 {
    strong(visuals).gamma_multiply(0.10)
}

/// The strongest text.
pub fn strong(visuals: &Visuals) -> Color32 {
    if visuals.dark_mode { Color32::from_gray(238) } else { Color32::from_gray(20) }
}

/// Colour of the line of a task; tasks differ by the shape of their marks too.
pub fn line_color(visuals: &Visuals, place: usize) -> Color32 {
    color(palette::line(visuals.dark_mode, place))
}

/// Space inside panels.
pub fn panel_margin() -> Margin {
    Margin::symmetric(12, 8)
}

/// Corners of cards and buttons.
pub fn corners() -> CornerRadius {
    CornerRadius::same(4)
}

/// Sets styles of both themes.
pub fn apply(ctx: &egui::Context) {
    ctx.style_mut_of(egui::Theme::Dark, |style| style.visuals = visuals(true));
    ctx.style_mut_of(egui::Theme::Light, |style| style.visuals = visuals(false));
    ctx.all_styles_mut(|style| {
        let sizes = [
            (TextStyle::Small, 11.0, FontFamily::Proportional),
            (TextStyle::Body, 13.0, FontFamily::Proportional),
            (TextStyle::Button, 13.0, FontFamily::Proportional),
            (TextStyle::Heading, 15.0, FontFamily::Proportional),
            (TextStyle::Monospace, 12.0, FontFamily::Monospace),
        ];
        style.text_styles = sizes.into_iter().map(|(name, size, family)| (name, FontId::new(size, family))).collect();
        style.spacing.item_spacing = vec2(STEP, 6.0);
        style.spacing.button_padding = vec2(8.0, 3.0);
        style.spacing.interact_size.y = 24.0;
        style.spacing.tooltip_width = 360.0;
        style.interaction.tooltip_delay = 0.35;
    });
}

fn visuals(dark: bool) -> Visuals {
    let mut v = if dark { Visuals::dark() } else { Visuals::light() };
    v.panel_fill = if dark { Color32::from_gray(27) } else { Color32::from_gray(250) };
    v.window_fill = if dark { Color32::from_gray(34) } else { Color32::from_gray(255) };
    v.extreme_bg_color = if dark { Color32::from_gray(18) } else { Color32::from_gray(240) };
    v.faint_bg_color = if dark { Color32::from_gray(32) } else { Color32::from_gray(245) };
    v.text_edit_bg_color = Some(if dark { Color32::from_gray(18) } else { Color32::from_gray(255) });
    v.weak_text_color = Some(weak(&v));
    v.widgets.noninteractive.fg_stroke.color = if dark { Color32::from_gray(204) } else { Color32::from_gray(48) };
    v.widgets.noninteractive.bg_stroke.color = hairline(&v);
    v.widgets.inactive.fg_stroke.color = if dark { Color32::from_gray(212) } else { Color32::from_gray(40) };
    v.widgets.inactive.weak_bg_fill = if dark { Color32::from_gray(46) } else { Color32::from_gray(230) };
    v.widgets.inactive.bg_fill = v.widgets.inactive.weak_bg_fill;
    v.widgets.hovered.bg_stroke = Stroke::new(1.0, weak(&v));
    v.widgets.active.bg_stroke = Stroke::new(1.0, accent(&v));
    v.selection.bg_fill = accent(&v).gamma_multiply(0.30);
    v.selection.stroke = Stroke::new(1.5, if dark { Color32::from_gray(238) } else { Color32::from_gray(16) });
    v.hyperlink_color = accent(&v);
    v.error_fg_color = wrong(&v);
    v.warn_fg_color = if dark { Color32::from_rgb(222, 186, 92) } else { Color32::from_rgb(138, 100, 0) };
    v
}

/// Small, stepped-back text for labels.
pub fn label(text: impl Into<String>) -> RichText {
    RichText::new(text).text_style(TextStyle::Small).weak()
}

/// Digits that keep their place.
pub fn digits(text: impl Into<String>) -> RichText {
    RichText::new(text).text_style(TextStyle::Monospace)
}

/// A number large enough to be read across a table.
pub fn large(text: impl Into<String>) -> RichText {
    RichText::new(text).font(FontId::new(32.0, FontFamily::Proportional))
}

/// Draws less of everything that follows while a value is stale.
pub fn dim_if(ui: &mut Ui, stale: bool) {
    if stale {
        ui.multiply_opacity(DIM);
    }
}

/// A plot that stands still: what can be moved in it is said in its panel.
pub fn still<'a>(plot: Plot<'a>, visuals: &Visuals) -> Plot<'a> {
    plot.allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_crosshair(false)
        .grid_color(hairline(visuals))
        .grid_fade(0.0)
}

/// A track that wears the colours of alpha from left to right.
pub fn ramp(painter: &Painter, visuals: &Visuals, track: Rect) {
    const PIECES: u32 = 16;
    let radius = track.height() / 2.0;
    painter.circle_filled(track.left_center(), radius, alpha_color(visuals, 0.0));
    painter.circle_filled(track.right_center(), radius, alpha_color(visuals, 1.0));
    let mut mesh = Mesh::default();
    for piece in 0..=PIECES {
        let t = piece as f32 / PIECES as f32;
        let color = alpha_color(visuals, f64::from(t));
        let x = track.left() + t * track.width();
        mesh.vertices.push(Vertex { pos: pos2(x, track.top()), uv: WHITE_UV, color });
        mesh.vertices.push(Vertex { pos: pos2(x, track.bottom()), uv: WHITE_UV, color });
        if piece > 0 {
            let i = 2 * piece;
            mesh.add_triangle(i - 2, i - 1, i);
            mesh.add_triangle(i - 1, i, i + 1);
        }
    }
    painter.add(mesh);
}

/// A tick or a cross, drawn rather than written so that it is sharp at every size.
pub fn verdict_mark(painter: &Painter, center: Pos2, radius: f32, is_right: bool, color: Color32) {
    let stroke = Stroke::new(radius * 0.34, color);
    let at = |x: f32, y: f32| center + vec2(x, y) * radius;
    if is_right {
        painter.line(vec![at(-0.6, 0.05), at(-0.15, 0.5), at(0.65, -0.5)], stroke);
    } else {
        painter.line_segment([at(-0.5, -0.5), at(0.5, 0.5)], stroke);
        painter.line_segment([at(-0.5, 0.5), at(0.5, -0.5)], stroke);
    }
}

/// An open triangle with a bar in it: worth a second look.
pub fn caution_mark(painter: &Painter, center: Pos2, radius: f32, color: Color32) {
    let stroke = Stroke::new(radius * 0.24, color);
    let at = |x: f32, y: f32| center + vec2(x, y) * radius;
    painter.add(egui::Shape::convex_polygon(
        vec![at(0.0, -0.9), at(1.0, 0.85), at(-1.0, 0.85)],
        Color32::TRANSPARENT,
        stroke,
    ));
    painter.line_segment([at(0.0, -0.35), at(0.0, 0.25)], stroke);
    painter.circle_filled(at(0.0, 0.55), radius * 0.13, color);
}

/// A mark whose shape tells lines apart without colour.
pub fn shape_mark(painter: &Painter, center: Pos2, radius: f32, place: usize, fill: Color32, stroke: Stroke) {
    let at = |x: f32, y: f32| center + vec2(x, y) * radius;
    let polygon = match place % 5 {
        1 => vec![at(-0.9, -0.9), at(0.9, -0.9), at(0.9, 0.9), at(-0.9, 0.9)],
        2 => vec![at(0.0, -1.2), at(1.1, 0.8), at(-1.1, 0.8)],
        3 => vec![at(0.0, -1.3), at(1.3, 0.0), at(0.0, 1.3), at(-1.3, 0.0)],
        4 => vec![at(-1.1, -0.8), at(1.1, -0.8), at(0.0, 1.2)],
        _ => {
            painter.circle(center, radius, fill, stroke);
            return;
        }
    };
    painter.add(egui::Shape::convex_polygon(polygon, fill, stroke));
}

/// A tooltip beside the pointer, without the delay of ordinary ones: for plots, where the pointer reads values off.
pub fn at_pointer(response: &egui::Response, show: impl FnOnce(&mut Ui)) {
    let anchor = egui::PopupAnchor::Pointer;
    egui::Tooltip::always_open(response.ctx.clone(), response.layer_id, response.id, anchor).gap(14.0).show(show);
}

/// "1,240", "412 MB", "2 min": numbers as people read them.
pub mod words {
    pub use crate::report::words::{alpha, count, p_value, signed};

    /// Bytes: "412 MB".
    pub fn bytes(n: u64) -> String {
        if n >= 10_000_000_000 { format!("{} GB", n / 1_000_000_000) } else { format!("{} MB", n / 1_000_000) }
    }

    /// Time left: "40 s left", "2 min left", "3 h left".
    pub fn left(seconds: f64) -> String {
        let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
        if seconds < 90.0 {
            format!("{seconds:.0} s left")
        } else if seconds < 5400.0 {
            format!("{:.0} min left", seconds / 60.0)
        } else {
            format!("{:.1} h left", seconds / 3600.0)
        }
    }

    /// "1 notice", "2 notices".
    pub fn plural(n: usize, word: &str) -> String {
        if n == 1 { format!("1 {word}") } else { format!("{} {word}s", count(n)) }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn numbers_read_well() {
            assert_eq!([left(12.2), left(120.0), left(7200.0)], ["12 s left", "2 min left", "2.0 h left"]);
            assert_eq!([plural(1, "notice"), plural(2, "notice")], ["1 notice", "2 notices"]);
        }
    }
}
