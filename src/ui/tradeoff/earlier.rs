//! Finished curves of earlier pairs beside the present one: faded, named, without intervals.

use eframe::egui::{self, Button, RichText, Shape, Stroke, Ui, Visuals, WidgetInfo, vec2};

use super::brush::Brush;
use crate::session::{Mark, Series, Session};
use crate::ui::ask::Ask;
use crate::ui::look;

/// The bold line of an earlier pair.
#[derive(Clone, Debug)]
pub struct EarlierLine {
    /// What its tuned was called.
    pub name: String,
    /// Ascending in alpha.
    pub marks: Vec<Mark>,
}

/// The lines to draw.
pub fn earlier_lines(session: &Session, [x, y]: [Series; 2]) -> Vec<EarlierLine> {
    let shown = session.earlier().iter().filter(|earlier| earlier.shown);
    shown
        .map(|earlier| EarlierLine { name: earlier.name.clone(), marks: session.earlier_curve(earlier, x, y) })
        .collect()
}

impl Brush<'_> {
    /// Dashed and pale, with a name at tuned's end.
    pub fn earlier(&self, visuals: &Visuals) {
        for line in self.drawing.earlier {
            let color = look::weak(visuals);
            let points: Vec<_> = line.marks.iter().map(|mark| self.place(mark)).collect();
            self.painter.extend(Shape::dashed_line(&points, Stroke::new(1.5, color.gamma_multiply(0.7)), 5.0, 3.0));
            for mark in &line.marks {
                let fill = look::alpha_color(visuals, mark.alpha).gamma_multiply(0.45);
                self.painter.circle_filled(self.place(mark), 2.4, fill);
            }
            if let Some(last) = line.marks.last() {
                // Below its mark: names of the present curve stand above theirs.
                self.text(visuals, self.place(last) + vec2(0.0, 20.0), 8.0, &line.name, color);
            }
        }
    }
}

/// Names the earlier curves; a click hides or shows one, the last button forgets them all.
pub fn earlier_legend_ui(ui: &mut Ui, session: &Session, asks: &mut Vec<Ask>) {
    if session.earlier().is_empty() {
        return;
    }
    for earlier in session.earlier() {
        let text = RichText::new(format!("            {}", earlier.name)).small();
        let text = if earlier.shown { text } else { text.weak().strikethrough() };
        let response = ui.add(Button::new(text).frame(false).small());
        let verb = if earlier.shown { "Hide" } else { "Show" };
        let name = format!("{verb} the earlier curve of {}", earlier.name);
        response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, earlier.shown, &name));
        let center = response.rect.left_center() + vec2(16.0, 0.0);
        let ends = [center - vec2(8.0, 0.0), center + vec2(8.0, 0.0)];
        let color = look::weak(ui.visuals()).gamma_multiply(if earlier.shown { 1.0 } else { 0.5 });
        ui.painter().extend(Shape::dashed_line(&ends, Stroke::new(1.5, color), 4.0, 2.0));
        if response.on_hover_text(format!("{name}: the sweep of an earlier pair on this data")).clicked() {
            asks.push(Ask::ShowEarlier(earlier.id, !earlier.shown));
        }
    }
    if ui.small_button("Clear earlier").on_hover_text("Forget the curves of earlier pairs").clicked() {
        asks.push(Ask::ForgetEarlier);
    }
}
