//! Where the patch stands, as one sentence that can be read aloud.

use eframe::egui::{Label, RichText, Ui};

use super::plot::{Here, Line};
use crate::patch::AlphaMap;
use crate::session::{Mark, Series, Session};
use crate::tradeoff::{Measure, Point, Position};
use crate::ui::look::{self, words};

/// Where the patch stands on the bold line: measured, or read off between its neighbours until it is.
pub fn here(session: &Session, [x, y]: [Series; 2], lines: &[Line]) -> Option<Here> {
    let wanted = session.wanted();
    let alpha = wanted.mean().get();
    let (scores, stale) = session.current();
    let measured = || {
        let (x, _) = session.measure(x, &scores)?;
        let (y, scored) = session.measure(y, &scores)?;
        Some(Mark { alpha, x, y, scored })
    };
    if !stale && let Some(mark) = measured() {
        return Some(Here { mark, between: false });
    }
    let on_line = wanted.is_linked().then(|| between(&lines.first()?.marks, alpha)).flatten();
    on_line.or_else(measured).map(|mark| Here { mark, between: true })
}

fn between(marks: &[Mark], alpha: f64) -> Option<Mark> {
    let after = marks.iter().position(|m| m.alpha >= alpha)?;
    let b = marks[after];
    let a = if after == 0 { b } else { marks[after - 1] };
    let t = if b.alpha > a.alpha { (alpha - a.alpha) / (b.alpha - a.alpha) } else { 1.0 };
    let mix = |p: f64, q: f64| p + (q - p) * t;
    let measure = |p: Measure, q: Measure| Measure {
        value: mix(p.value, q.value),
        low: mix(p.low, q.low),
        high: mix(p.high, q.high),
    };
    (a.alpha <= alpha).then(|| Mark { alpha, x: measure(a.x, b.x), y: measure(a.y, b.y), scored: b.scored })
}

/// Shows the sentence. Its room is kept while it is unknown.
pub fn headline_ui(ui: &mut Ui, session: &Session, axes: [Series; 2], here: Option<&Here>, points: &[Point]) {
    let [x, y] = axes.map(|series| match series {
        Series::Composition | Series::Recognition => session.series_title(series).to_lowercase(),
        Series::Benchmark(_) => session.series_title(series).to_owned(),
    });
    let text = here.map(|here| headline(session.wanted(), here, points, [&x, &y]));
    // Narrow panels get two lines always, so that nothing below moves while numbers change.
    let two_lines = ui.available_width() < 640.0;
    let text = text.map(|t| if two_lines { t.replace(" · ", "\n") } else { t });
    let blank = if two_lines { " \n " } else { " " };
    let color = look::strong(ui.visuals());
    ui.scope(|ui| {
        look::dim_if(ui, here.is_some_and(|h| h.between));
        let label = Label::new(RichText::new(text.unwrap_or_else(|| blank.into())).size(14.0).color(color)).extend();
        ui.add(label).on_hover_text(
            "Composition is the mean over benchmarks (the tasks of one benchmark are averaged first); recognition the \
             mean over classification sets. Gains and losses are against base; the second number is what tuned gains \
             or loses",
        );
    });
}

fn headline(wanted: AlphaMap, here: &Here, points: &[Point], [x_name, y_name]: [&str; 2]) -> String {
    let point = here.mark.point();
    let (x, y) = (point.x, point.y);
    let approximately = if here.between { "about " } else { "" };
    let alpha = words::alpha(wanted);
    let Some(at) = Position::of(&point, points) else {
        return format!("{alpha}: {y_name} {approximately}{y:.1} % · {x_name} {approximately}{x:.1} %");
    };
    let share = at.gain_share().map_or(String::new(), |s| format!(", {:.0} %", 100.0 * s));
    let gain = format!("{} of {} points{share}", words::signed(at.gain), words::signed(at.full_gain));
    let loss = format!("{} of {} points", words::signed(-at.loss), words::signed(-at.full_loss));
    format!("{alpha}: {y_name} {approximately}{y:.1} % ({gain}) · {x_name} {approximately}{x:.1} % ({loss})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::Alpha;

    const NAMES: [&str; 2] = ["recognition", "composition"];

    fn measure(value: f64) -> Measure {
        Measure { value, low: value - 1.0, high: value + 1.0 }
    }

    fn mark(alpha: f64, x: f64, y: f64) -> Mark {
        Mark { alpha, x: measure(x), y: measure(y), scored: 100 }
    }

    #[test]
    fn the_headline_tells_both_sides() {
        let points = [Point { alpha: 0.0, x: 75.3, y: 54.2 }, Point { alpha: 1.0, x: 58.0, y: 89.3 }];
        let alpha = AlphaMap::one(Alpha::clamped(0.5));
        let here = Here { mark: mark(0.5, 70.1, 81.2), between: false };
        let text = headline(alpha, &here, &points, NAMES);
        assert_eq!(
            text,
            "α 0.50: composition 81.2 % (+27.0 of +35.1 points, 77 %) · recognition 70.1 % (−5.2 of −17.3 points)"
        );
        assert_eq!(headline(alpha, &here, &[], NAMES), "α 0.50: composition 81.2 % · recognition 70.1 %");
    }

    #[test]
    fn between_two_swept_alphas_the_mark_lies_on_the_line() {
        let marks = [mark(0.0, 70.0, 50.0), mark(1.0, 60.0, 90.0)];
        let quarter = between(&marks, 0.25).unwrap();
        assert_eq!((quarter.x.value, quarter.y.value), (67.5, 60.0));
        assert!(between(&marks[1..], 0.25).is_none(), "no point below: nothing to read off");
        assert!(between(&marks[..1], 0.25).is_none());
    }
}
