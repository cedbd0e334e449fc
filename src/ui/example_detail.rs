//! One example at the current alpha: its picture, its captions with their scores, its margin over all alphas.

use eframe::egui;
use eframe::egui::{Align2, FontId, Label, Rect, RichText, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::examples_panel::picture;
use super::look;
use super::thumbnails::{Held, Pictures};
use crate::engine::{ExampleId, FocusScore, ImageId, OptionScore};
use crate::session::Session;

/// Captions shown; recognition has hundreds of classes.
const OPTIONS: usize = 6;
const PLOT: std::ops::RangeInclusive<f32> = 48.0..=160.0;

/// Shows one example.
pub fn example_detail_ui(ui: &mut Ui, session: &Session, id: ExampleId, image: ImageId, pictures: &mut Pictures) {
    let room = ui.clip_rect();
    heading_ui(ui, session, id);
    let side = (ui.available_width() * 0.36).clamp(72.0, 200.0);
    ui.horizontal_top(|ui| {
        picture_ui(ui, session, id, image, side, pictures);
        ui.vertical(|ui| {
            let stale = session.focus_is_stale();
            look::dim_if(ui, stale);
            match &session.focus {
                Some(focus) => options_ui(ui, focus),
                None => waiting_ui(ui, session, id),
            }
        });
    });
    margin_ui(ui, session, id, room);
}

fn heading_ui(ui: &mut Ui, session: &Session, id: ExampleId) {
    let (Some(data), Some(example)) = (&session.data, session.example(id)) else { return };
    let Some(benchmark) = data.benchmarks.get(id.benchmark) else { return };
    let of = look::words::count(benchmark.examples.len());
    ui.horizontal_wrapped(|ui| {
        let text = format!("{} · {} of {of}", benchmark.title, look::words::count(id.example + 1));
        ui.label(RichText::new(text).strong()).on_hover_text(&benchmark.protocol);
        for tag in example.tags.iter().take(6) {
            ui.label(look::label(tag));
        }
    });
}

fn picture_ui(ui: &mut Ui, session: &Session, id: ExampleId, image: ImageId, side: f32, pictures: &mut Pictures) {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    let caption = session.example(id).map_or("", |e| e.right.as_str());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("Picture: {caption}")));
    // The small picture stands in until the large one lands.
    let held = match pictures.large.get(image) {
        Held::Missing => pictures.small.get(image),
        held => held,
    };
    if let Held::Failed(reason) = &held {
        response.on_hover_text(*reason);
    }
    picture(ui.painter(), ui, rect, &held);
}

fn waiting_ui(ui: &mut Ui, session: &Session, id: ExampleId) {
    let Some(example) = session.example(id) else { return };
    ui.label(&example.right);
    for negative in example.negatives.iter().take(OPTIONS - 1) {
        ui.label(RichText::new(negative).weak());
    }
    let text = if session.pair.is_some() { "Scoring…" } else { "Open a pair to score these captions" };
    ui.label(look::label(text));
}

fn options_ui(ui: &mut Ui, focus: &FocusScore) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let best = focus.options.iter().map(|o| o.similarity).fold(f32::NEG_INFINITY, f32::max);
    for option in focus.options.iter().take(OPTIONS) {
        option_ui(ui, option, option.similarity >= best, focus.logit_scale);
        ui.add_space(4.0);
    }
    if focus.options.len() > OPTIONS {
        ui.label(look::label(format!("and {} more", focus.options.len() - OPTIONS)));
    }
}

fn option_ui(ui: &mut Ui, option: &OptionScore, is_best: bool, scale: f32) {
    let color = if option.right { look::right(ui.visuals()) } else { look::wrong(ui.visuals()) };
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let (rect, mark) = ui.allocate_exact_size(vec2(12.0, 16.0), Sense::hover());
        mark.on_hover_text(if option.right { "The right caption" } else { "A hard negative" });
        look::verdict_mark(ui.painter(), rect.center(), 5.5, option.right, color);
        let text = RichText::new(&option.text);
        let text = if is_best { text.strong() } else { text };
        ui.add(Label::new(text).wrap());
    });
    ui.horizontal(|ui| {
        let numbers = format!("{:>3.0} %  cos {:.3}", 100.0 * option.probability, option.similarity);
        let room = (ui.available_width() - 16.0 - 104.0).max(16.0);
        ui.add_space(16.0 - look::STEP);
        let (rect, bar) = ui.allocate_exact_size(vec2(room, 6.0), Sense::hover());
        ui.painter().rect_filled(rect, 3.0, look::hairline(ui.visuals()));
        let filled = Rect::from_min_size(rect.min, vec2(room * option.probability.clamp(0.0, 1.0), 6.0));
        ui.painter().rect_filled(filled, 3.0, color);
        let said = format!("Probability of {}: {:.0} %", option.text, 100.0 * option.probability);
        bar.widget_info(|| WidgetInfo::labeled(egui::Role::Meter, true, &said));
        ui.label(look::digits(numbers).small()).on_hover_text(format!(
            "Probability, a softmax at the model's own scale {scale:.1} over these captions · cosine similarity"
        ));
    });
}

/// The margin over alpha: above zero the right caption wins.
fn margin_ui(ui: &mut Ui, session: &Session, id: ExampleId, room: Rect) {
    let margins = session.margins(id);
    ui.horizontal(|ui| {
        ui.label(look::label("Margin over alpha")).on_hover_text(
            "Similarity of the right caption minus that of the best wrong one; above zero the example is right",
        );
    });
    let height = (room.bottom() - ui.cursor().top() - 8.0).clamp(*PLOT.start(), *PLOT.end());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let said = margins.iter().map(|(a, m)| format!("{a:.2}: {m:+.3}")).collect::<Vec<_>>().join(", ");
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("Margin over alpha: {said}")));
    ui.painter().rect_filled(rect, 3.0, look::sunken(ui.visuals()));
    let inner = Rect::from_min_max(rect.min + vec2(44.0, 8.0), rect.max - vec2(12.0, 8.0));
    let reach = margins.iter().map(|(_, m)| m.abs()).fold(0.01_f32, f32::max);
    let at = |alpha: f64, margin: f32| {
        pos2(inner.left() + inner.width() * alpha as f32, inner.center().y - margin / reach * inner.height() / 2.0)
    };
    let painter = ui.painter().with_clip_rect(rect);
    painter.hline(inner.x_range(), inner.center().y, Stroke::new(1.0, look::weak(ui.visuals()).gamma_multiply(0.6)));
    let here = session.wanted().mean().get();
    painter.vline(at(here, 0.0).x, rect.y_range(), Stroke::new(1.0, look::weak(ui.visuals())));
    let line = margins.iter().map(|(a, m)| at(*a, *m)).collect::<Vec<_>>();
    painter.line(line, Stroke::new(1.2, look::weak(ui.visuals())));
    for (alpha, margin) in &margins {
        let color = look::alpha_color(ui.visuals(), *alpha);
        if *margin > 0.0 {
            painter.circle_filled(at(*alpha, *margin), 3.0, color);
        } else {
            painter.circle(at(*alpha, *margin), 2.6, look::sunken(ui.visuals()), Stroke::new(1.4, color));
        }
    }
    let font = FontId::proportional(11.0);
    let weak = look::weak(ui.visuals());
    painter.text(rect.left_top() + vec2(4.0, 2.0), Align2::LEFT_TOP, format!("+{reach:.2}"), font.clone(), weak);
    painter.text(rect.left_bottom() + vec2(4.0, -2.0), Align2::LEFT_BOTTOM, format!("\u{2212}{reach:.2}"), font, weak);
    if margins.is_empty() {
        let font = FontId::proportional(11.0);
        painter.text(rect.center(), Align2::CENTER_CENTER, "Drawn as the sweep goes on", font, weak);
        return;
    }
    if let Some(pointer) = response.hover_pos() {
        let near = |a: f64| (at(a, 0.0).x - pointer.x).abs();
        if let Some((alpha, margin)) = margins.iter().min_by(|a, b| near(a.0).total_cmp(&near(b.0))) {
            look::at_pointer(&response, |ui| drop(ui.label(format!("α {alpha:.2}: margin {margin:+.3}"))));
        }
    }
}
