//! What a run measures of itself, over its steps; several jobs on one plot.

use eframe::egui::{
    self, Color32, ComboBox, FontId, Painter, Pos2, RichText, Sense, Shape, Stroke, Ui, Visuals, WidgetInfo, vec2,
};
use egui_plot::{AxisHints, GridInput, GridMark, Plot, PlotPoint, PlotTransform};

use super::state::JobsState;
use crate::jobs::JobView;
use crate::session::Session;
use crate::session::jobs::{Measured, curve, smoothed};
use crate::ui::look::{self, words};

/// Points between two lines of the grid, at least.
const SPACING: f32 = 26.0;

/// One job's line.
struct Line<'a> {
    job: &'a JobView,
    /// As measured.
    raw: Vec<[f64; 2]>,
    /// The running mean where single steps say little, or else the same.
    bold: Vec<[f64; 2]>,
    /// Place among the lines, from 0.
    place: usize,
    measured: Measured,
}

/// Shows the choice, the names of the lines and the plot.
pub fn curves_ui(ui: &mut Ui, session: &Session, state: &mut JobsState) {
    let mut measured = state.measured;
    let drawn = state.drawn(session);
    let of = |measured| drawn.iter().enumerate().map(move |(place, job)| line(job, place, measured));
    let lines: Vec<Line> = of(measured).collect();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        measured_ui(ui, &mut measured);
        if lines.len() > 1 {
            names_ui(ui, &lines);
        }
    });
    if state.measured != measured {
        state.measured = measured;
        // This frame still shows what was chosen before.
        ui.request_repaint();
    }
    let measured = lines.first().map_or(measured, |line| line.measured);
    if lines.iter().all(|line| line.raw.is_empty()) {
        let text = match drawn.first().map(|job| job.state.is_live()) {
            Some(true) => "Drawn from the first step on",
            _ => "No step was measured",
        };
        ui.label(look::label(text));
        return;
    }
    plot_ui(ui, &lines, measured);
}

fn line(job: &JobView, place: usize, measured: Measured) -> Line<'_> {
    let raw = curve(&job.points, measured);
    let bold = if measured == Measured::Loss { smoothed(&raw) } else { raw.clone() };
    Line { job, raw, bold, place, measured }
}

fn measured_ui(ui: &mut Ui, measured: &mut Measured) {
    let text = RichText::new(measured.label()).small();
    let combo = ComboBox::from_id_salt("measured").width(104.0).selected_text(text);
    let shown = combo.show_ui(ui, |ui| {
        for one in Measured::ALL {
            if ui.selectable_label(*measured == one, one.label()).on_hover_text(one.about()).clicked() {
                *measured = one;
            }
        }
    });
    shown.response.accessible_name("What the curves show").on_hover_text(measured.about());
}

fn names_ui(ui: &mut Ui, lines: &[Line]) {
    for line in lines {
        let (rect, _) = ui.allocate_exact_size(vec2(24.0, 12.0), Sense::hover());
        let ends = [rect.left_center(), rect.right_center()];
        stroke(ui.painter(), &ends, color(ui.visuals(), line.place), line.place);
        ui.label(RichText::new(&line.job.recipe.name).small()).on_hover_text(line.job.id.0.clone());
    }
}

/// The first line is the strongest; the others differ by colour and by dashes.
fn color(visuals: &Visuals, place: usize) -> Color32 {
    match place {
        0 => look::accent(visuals),
        _ => look::line_color(visuals, place),
    }
}

fn stroke(painter: &Painter, points: &[Pos2], color: Color32, place: usize) {
    let stroke = Stroke::new(if place == 0 { 2.0 } else { 1.5 }, color);
    match place {
        0 => drop(painter.line(points.to_vec(), stroke)),
        _ => painter.extend(Shape::dashed_line(points, stroke, 3.0 + 3.0 * (place % 3) as f32, 3.0)),
    }
}

fn plot_ui(ui: &mut Ui, lines: &[Line], measured: Measured) {
    let [x, y] = bounds(lines, measured);
    let unit = if measured.unit().is_empty() { String::new() } else { format!(", {}", measured.unit()) };
    let label = format!("{}{unit}", measured.label());
    // In a low panel the curve needs the room of the axes' names.
    let is_low = ui.available_height() < 120.0;
    let axis = |hints: AxisHints<'static>, label: &str| {
        let label = if is_low { "" } else { label };
        hints.label(look::label(label)).label_spacing(20.0..=32.0).tick_label_font(FontId::proportional(10.0))
    };
    let step = AxisHints::new_x().formatter(|mark, _| words::count(mark.value.max(0.0).round() as usize));
    let value = AxisHints::new_y().formatter(|mark, _| short(mark.value)).min_thickness(36.0);
    let plot = look::still(Plot::new("job curves"), ui.visuals())
        .custom_x_axes(vec![axis(step, "Step")])
        .custom_y_axes(vec![axis(value, &label)])
        .grid_spacing(SPACING..=90.0)
        .x_grid_spacer(|input| grid(&input, (2.2 * input.base_step_size).max(1.0)))
        .y_grid_spacer(|input| grid(&input, 0.0))
        .sense(Sense::hover());
    let shown = plot.show(ui, |plot| {
        plot.set_plot_bounds_x(x[0]..=x[1]);
        plot.set_plot_bounds_y(y[0]..=y[1]);
    });
    let painter = ui.painter().with_clip_rect(*shown.transform.frame());
    for line in lines.iter().rev() {
        draw(&painter, ui.visuals(), &shown.transform, line, measured);
    }
    let response = shown.response;
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, summary(lines, measured)));
    if let Some(pointer) = response.hover_pos() {
        let step = shown.transform.value_from_position(pointer).x;
        let rows: Vec<(u64, String)> = lines.iter().filter_map(|line| read_off(line, measured, step)).collect();
        look::at_pointer(&response, |ui| {
            for (place, (step, text)) in rows.iter().enumerate() {
                if place == 0 {
                    ui.label(RichText::new(format!("Step {}", words::count(*step as usize))).strong());
                }
                ui.label(text);
            }
        });
    }
}

fn draw(painter: &Painter, visuals: &Visuals, to: &PlotTransform, line: &Line, measured: Measured) {
    let at = |point: &[f64; 2]| to.position_from_point(&PlotPoint::new(point[0], point[1]));
    let color = color(visuals, line.place);
    if measured == Measured::Loss {
        let raw: Vec<Pos2> = line.raw.iter().map(at).collect();
        painter.line(raw, Stroke::new(1.0, color.gamma_multiply(0.28)));
    }
    let bold: Vec<Pos2> = line.bold.iter().map(at).collect();
    if let Some(last) = bold.last() {
        look::shape_mark(painter, *last, 3.0, line.place, color, Stroke::NONE);
    }
    stroke(painter, &bold, color, line.place);
}

/// From step 0 to the longest run's end, so that nothing moves sideways while a run goes on.
fn bounds(lines: &[Line], measured: Measured) -> [[f64; 2]; 2] {
    let steps = lines.iter().map(|line| line.job.steps.max(line.job.step)).max().unwrap_or(1).max(1);
    let values = || lines.iter().flat_map(|line| line.raw.iter().map(|point| point[1]));
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let [low, high] = match measured {
        Measured::Negatives => [0.0, 100.0],
        Measured::Loss => [low, high],
        Measured::LearningRate | Measured::Speed | Measured::Memory => [0.0, high],
    };
    let pad = (0.06 * (high - low)).max(high.abs() * 0.02).max(1e-12);
    [[0.0, steps as f64 * 1.02], [if low == 0.0 { 0.0 } else { low - pad }, high + pad]]
}

/// The line's value at the measured step nearest to `step`, in words.
fn read_off(line: &Line, measured: Measured, step: f64) -> Option<(u64, String)> {
    let place = line.bold.partition_point(|point| point[0] < step);
    let near = [place.checked_sub(1), Some(place)].into_iter().flatten().filter_map(|i| line.bold.get(i));
    let nearest = near.min_by(|a, b| (a[0] - step).abs().total_cmp(&(b[0] - step).abs()))?;
    let unit = measured.unit();
    Some((nearest[0] as u64, format!("{}: {} {unit}", line.job.recipe.name, short(nearest[1])).trim_end().to_owned()))
}

fn summary(lines: &[Line], measured: Measured) -> String {
    let told = lines.iter().filter_map(|line| {
        let last = line.bold.last()?;
        Some(format!("{} {} {} at step {}", line.job.recipe.name, short(last[1]), measured.unit(), last[0]))
    });
    format!("{} over the steps: {}", measured.label(), told.collect::<Vec<_>>().join("; "))
}

/// Marks at round values, at least [`SPACING`] points and `least` apart.
fn grid(input: &GridInput, least: f64) -> Vec<GridMark> {
    // The input's step is what covers the smallest spacing of the plot.
    let step = round_up(input.base_step_size.max(least));
    let (low, high) = input.bounds;
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    let count = (last - first).clamp(-1.0, 200.0) as i64;
    (0..=count).map(|i| GridMark { value: (first + i as f64) * step, step_size: step }).collect()
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10.0_f64.powf(value.max(1e-300).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= value * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// Three digits, however large or small.
fn short(value: f64) -> String {
    let size = value.abs();
    match () {
        () if size == 0.0 => "0".to_owned(),
        () if size < 0.001 => format!("{value:.1e}"),
        () if size < 1.0 => format!("{value:.3}"),
        () if size < 10.0 => format!("{value:.2}"),
        () if size < 100.0 => format!("{value:.1}"),
        () => words::count(size.round() as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_have_round_steps() {
        let steps = [0.9, 1.0, 1.1, 3.0, 0.013, 70.0].map(round_up);
        let wanted = [1.0, 1.0, 2.0, 5.0, 0.02, 100.0];
        assert!(steps.iter().zip(wanted).all(|(step, wanted)| (step / wanted - 1.0).abs() < 1e-9), "{steps:?}");
        let input = GridInput { bounds: (1.3, 4.4), base_step_size: 0.9 };
        assert_eq!(grid(&input, 0.0).iter().map(|mark| mark.value).collect::<Vec<_>>(), [2.0, 3.0, 4.0]);
    }

    #[test]
    fn values_have_three_digits_however_large() {
        let texts = [0.0, 6e-4, 0.25, 1.234, 23.45, 1234.4].map(short);
        assert_eq!(texts, ["0", "6.0e-4", "0.250", "1.23", "23.4", "1,234"]);
    }
}
