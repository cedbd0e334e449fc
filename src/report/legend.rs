//! What the lines, marks and colours of a figure mean.

use super::data::Axis;
use super::figure::{Figure, INK, Line, WEAK, line_class, line_color, line_shape, small};
use super::layout::{LEGEND, LINE, MARGIN, SIZES, WIDTH, letters};
use super::marks::{line, shape};
use super::palette::{self, hex};
use super::svg::{Svg, number};
use super::words;

/// Where the words of an entry begin.
const WORDS: f64 = LEGEND + 34.0;

/// Draws from `top` downwards and returns where it ends.
pub(super) fn legend(svg: &mut Svg, figure: &Figure, top: f64) -> f64 {
    let mut pen = Pen { svg, y: top + 6.0 };
    for (place, of) in figure.lines.iter().enumerate() {
        pen.line(of, place == 0);
    }
    pen.y += 6.0;
    pen.ramp(figure.prefix);
    pen.entry("whisker", "95 % interval; the band is that of the bold line", |svg, y| {
        let x = LEGEND + 12.0;
        for ends in [[[x, y - 7.0], [x, y + 7.0]], [[x - 7.0, y], [x + 7.0, y]]] {
            stroke(svg, &ends, "stroke-weak", WEAK, "", "1.2");
        }
    });
    if (0..figure.pareto.len()).any(|place| figure.is_open(place)) {
        pen.entry("open", "open: another alpha is at least as good on both axes", |svg, y| {
            ring(svg, y, 3.4, "stroke-weak", WEAK);
        });
    }
    if let Some(alpha) = figure.view.alpha.filter(|_| figure.here.is_some()) {
        pen.entry("here", &format!("this report's alpha, {}", words::alpha(alpha)), |svg, y| {
            ring(svg, y, 8.0, "stroke-ink", INK);
        });
    }
    let accent = hex(palette::accent(false));
    if let (Some(best), Some(budget)) = (figure.best, figure.view.budget) {
        let of = &figure.axis_titles[0];
        let of = if figure.view.x == Axis::Recognition { of.to_lowercase() } else { of.clone() };
        let said = format!("best alpha that loses at most {budget:.1} points of {of}: {:.2}", best.alpha);
        pen.entry("best", &said, |svg, y| {
            ring(svg, y, 6.0, "stroke-accent", &accent);
        });
        if !figure.view.over_alpha {
            pen.entry("budget", "that limit", |svg, y| {
                stroke(svg, &[[LEGEND, y], [LEGEND + 24.0, y]], "stroke-accent", &accent, "6 4", "1.2");
            });
        }
    }
    if !figure.view.over_alpha && crate::tradeoff::ends(&figure.points()).is_some() {
        pen.entry("free", "base's x and tuned's y: above and right of both a patch pays nothing", |svg, y| {
            stroke(svg, &[[LEGEND, y], [LEGEND + 24.0, y]], "stroke-weak faint", "#b0b0b0", "3 4", "1.2");
        });
    }
    if !figure.landmarks.is_empty() {
        let said = "published models on the real data sets: landmarks, no comparison beside other data";
        pen.entry("published", said, |svg, y| {
            let d = shape(LEGEND + 12.0, y, 4.5, 4);
            svg.element(
                "path",
                &[("d", &d), ("fill", "none"), ("class", "stroke-weak"), ("stroke", WEAK), ("stroke-width", "1.5")],
            );
        });
    }
    pen.y
}

fn stroke(svg: &mut Svg, points: &[[f64; 2]], class: &str, color: &str, dashes: &str, width: &str) {
    let d = line(points);
    let mut attributes =
        vec![("d", d.as_str()), ("fill", "none"), ("class", class), ("stroke", color), ("stroke-width", width)];
    if !dashes.is_empty() {
        attributes.push(("stroke-dasharray", dashes));
    }
    svg.element("path", &attributes);
}

fn ring(svg: &mut Svg, y: f64, radius: f64, class: &str, color: &str) {
    let d = shape(LEGEND + 12.0, y, radius, 0);
    svg.element("path", &[("d", &d), ("fill", "none"), ("class", class), ("stroke", color), ("stroke-width", "1.6")]);
}

struct Pen<'a> {
    svg: &'a mut Svg,
    /// Middle of the next entry's first line.
    y: f64,
}

impl Pen<'_> {
    /// A sample and its words, in as many lines as they need.
    fn entry(&mut self, class: &str, said: &str, sample: impl FnOnce(&mut Svg, f64)) {
        let id = format!("legend {class}");
        let y = self.y;
        self.svg.group("g", &[("class", &id)], |svg| sample(svg, y));
        for said in words::wrap(said, letters(WIDTH - MARGIN - WORDS, SIZES[2])) {
            small(self.svg, [WORDS, self.y + 4.0], &said, &[("font-size", &number(SIZES[2]))]);
            self.y += LINE - 1.0;
        }
        self.y += 8.0;
    }

    fn line(&mut self, of: &Line, bold: bool) {
        let scored = of.marks.iter().map(|mark| mark.scored).max().unwrap_or(0);
        let made_of = if of.made_of.is_empty() { String::new() } else { format!("{}, ", of.made_of) };
        let said = format!("{} ({made_of}n = {})", of.title, words::count(scored));
        let (color, class) = (line_color(of), line_class(of));
        self.entry("series", &said, |svg, y| {
            let width = if bold { "2.5" } else { "1.4" };
            stroke(svg, &[[LEGEND, y], [LEGEND + 24.0, y]], &class, &color, "", width);
            let d = shape(LEGEND + 12.0, y, if bold { 4.2 } else { 3.2 }, line_shape(of));
            let mark = format!("fill-{class}");
            svg.element("path", &[("d", &d), ("fill", &color), ("class", &mark)]);
        });
    }

    /// The colours of alpha from base to tuned.
    fn ramp(&mut self, prefix: &str) {
        let (id, x, y) = (format!("{prefix}ramp"), number(LEGEND), number(self.y - 5.0));
        self.svg.group("linearGradient", &[("id", &id)], |svg| {
            for stop in [0.0, 0.25, 0.5, 0.75, 1.0] {
                let (offset, color) = (number(stop), hex(palette::alpha(false, stop)));
                svg.element("stop", &[("offset", &offset), ("stop-color", &color)]);
            }
        });
        let fill = format!("url(#{id})");
        let bar = [("x", x.as_str()), ("y", &y), ("width", "120"), ("height", "10"), ("rx", "5"), ("fill", &fill)];
        self.svg.element("rect", &bar);
        let size = number(SIZES[2]);
        let said = "alpha 0 (base) to 1 (tuned)";
        small(self.svg, [LEGEND + 130.0, self.y + 4.0], said, &[("font-size", &size)]);
        self.y += LINE + 8.0;
    }
}
