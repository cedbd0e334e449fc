//! The plot of a figure: axes, lines, intervals, marks and their names.

use super::curves::Mark;
use super::figure::{Figure, GROUND, HAIR, INK, Line, WEAK, end_shape, line_class, line_color, line_shape, small};
use super::layout::{Box, FRAME, Labels, MARGIN, SIZES};
use super::marks::{line, shape};
use super::palette::{self, hex};
use super::scale::{Scale, decimals, outwards, ticks};
use super::svg::{Svg, number};
use super::words;
use crate::tradeoff;

/// The plot's frame with its scales.
pub(super) struct Plot<'a> {
    figure: &'a Figure,
    x: Scale,
    y: Scale,
    frame: Box,
}

impl<'a> Plot<'a> {
    pub(super) fn of(figure: &'a Figure, top: f64) -> Self {
        let marks = || figure.lines.iter().flat_map(|line| &line.marks);
        let landmarks = || figure.landmarks.iter();
        let y = marks().flat_map(|m| [m.y.low, m.y.value, m.y.high]).chain(landmarks().map(|l| l.y));
        let bold = figure.lines.first().map(|line| &line.marks[..]).unwrap_or_default();
        let x = bold.iter().flat_map(|m| [m.x.low, m.x.high]).chain(landmarks().map(|l| l.x));
        let x = if figure.view.over_alpha { [-0.02, 1.02] } else { outwards(x) };
        let [left, right, height] = FRAME;
        let frame = [left, top, right, top + height];
        Self {
            figure,
            x: Scale { range: x, place: [left, right] },
            y: Scale { range: outwards(y), place: [top + height, top] },
            frame,
        }
    }

    fn at(&self, mark: &Mark) -> [f64; 2] {
        let x = if self.figure.view.over_alpha { mark.alpha } else { mark.x.value };
        [self.x.at(x), self.y.at(mark.y.value)]
    }

    pub(super) fn draw(&self, svg: &mut Svg) {
        self.axes(svg);
        let clip = format!("{}clip", self.figure.prefix);
        let [left, top, right, bottom] = self.frame;
        let [x, y, width, height] = [left, top, right - left, bottom - top].map(number);
        svg.group("clipPath", &[("id", &clip)], |svg| {
            svg.element("rect", &[("x", &x), ("y", &y), ("width", &width), ("height", &height)]);
        });
        svg.group("g", &[("clip-path", &format!("url(#{clip})"))], |svg| {
            if !self.figure.view.over_alpha {
                self.no_trade_off(svg);
                self.budget(svg);
            } else if let Some(here) = &self.figure.here {
                let x = self.x.at(here.alpha);
                Self::rule(svg, [[x, top], [x, bottom]], "stroke-weak", WEAK, "");
            }
            for (place, line) in self.figure.lines.iter().enumerate().rev() {
                if place == 0 { self.bold(svg, line) } else { self.task(svg, place, line) }
            }
        });
        self.labels(svg);
    }

    fn rule(svg: &mut Svg, ends: [[f64; 2]; 2], class: &str, color: &str, dashes: &str) {
        let d = line(&ends);
        let mut attributes = vec![("d", d.as_str()), ("class", class), ("stroke", color), ("fill", "none")];
        if !dashes.is_empty() {
            attributes.push(("stroke-dasharray", dashes));
        }
        svg.element("path", &attributes);
    }

    fn axes(&self, svg: &mut Svg) {
        let [left, top, right, bottom] = self.frame;
        let size = number(SIZES[2]);
        let xs = ticks(self.x.range[0], self.x.range[1], 11);
        for tick in &xs {
            let x = self.x.at(*tick);
            Self::rule(svg, [[x, top], [x, bottom]], "hair", HAIR, "");
            let said = format!("{tick:.*}", decimals(&xs));
            let attributes = [("text-anchor", "middle"), ("font-size", &size), ("fill", WEAK), ("class", "weak")];
            small(svg, [x, bottom + 16.0], &said, &attributes);
        }
        let ys = ticks(self.y.range[0], self.y.range[1], 11);
        for tick in &ys {
            let y = self.y.at(*tick);
            Self::rule(svg, [[left, y], [right, y]], "hair", HAIR, "");
            let said = format!("{tick:.*}", decimals(&ys));
            let attributes = [("text-anchor", "end"), ("font-size", &size), ("fill", WEAK), ("class", "weak")];
            small(svg, [left - 8.0, y + 4.0], &said, &attributes);
        }
        let [x, y] = &self.figure.axis_titles;
        let (x, y) = if self.figure.view.over_alpha {
            ("Alpha (0 is base, 1 is tuned)".to_owned(), "Score, %".to_owned())
        } else {
            (format!("{x}, %"), format!("{y}, %"))
        };
        let size = number(SIZES[1]);
        let middle = f64::midpoint(left, right);
        small(svg, [middle, bottom + 38.0], &x, &[("text-anchor", "middle"), ("font-size", &size)]);
        let (up, place) = (MARGIN + 8.0, f64::midpoint(top, bottom));
        let turn = format!("rotate(-90 {} {})", number(up), number(place));
        small(svg, [up, place], &y, &[("text-anchor", "middle"), ("font-size", &size), ("transform", &turn)]);
    }

    /// Base's x and tuned's y, dashed: a patch above and right of both pays nothing for its gain (the box of PAINT's
    /// figures, arXiv 2208.05592).
    fn no_trade_off(&self, svg: &mut Svg) {
        let Some((base, tuned)) = tradeoff::ends(&self.figure.points()) else { return };
        let [left, top, right, bottom] = self.frame;
        let (x, y) = (self.x.at(base.x), self.y.at(tuned.y));
        if x < right && y > top {
            let [width, height] = [right - x, y - top].map(number);
            let green = hex(palette::right(false));
            let (x, top) = (number(x), number(top));
            let attributes = [
                ("x", x.as_str()),
                ("y", &top),
                ("width", &width),
                ("height", &height),
                ("fill", &green),
                ("fill-opacity", "0.08"),
            ];
            svg.titled("rect", &attributes, "A patch in here would pay nothing for its gain");
        }
        Self::rule(svg, [[left, y], [right, y]], "stroke-weak faint", "#b0b0b0", "3 4");
        Self::rule(svg, [[x, top], [x, bottom]], "stroke-weak faint", "#b0b0b0", "3 4");
    }

    /// The line that the best alpha may not cross.
    fn budget(&self, svg: &mut Svg) {
        let (Some(budget), Some((base, _))) = (self.figure.view.budget, tradeoff::ends(&self.figure.points())) else {
            return;
        };
        let [_, top, _, bottom] = self.frame;
        let x = self.x.at(base.x - budget);
        Self::rule(svg, [[x, top], [x, bottom]], "stroke-accent", &hex(palette::accent(false)), "6 4");
    }

    /// The bold line with its 95 % band, and a whisker in both directions at every alpha.
    fn bold(&self, svg: &mut Svg, of: &Line) {
        let x = |mark: &Mark| self.at(mark)[0];
        let upper = of.marks.iter().map(|m| [x(m), self.y.at(m.y.high)]);
        let lower = of.marks.iter().rev().map(|m| [x(m), self.y.at(m.y.low)]);
        let band: Vec<[f64; 2]> = upper.chain(lower).collect();
        if band.len() > 2 {
            let d = format!("{}Z", line(&band));
            svg.element("path", &[("d", &d), ("fill", INK), ("class", "ink"), ("fill-opacity", "0.08")]);
        }
        let points: Vec<[f64; 2]> = of.marks.iter().map(|m| self.at(m)).collect();
        let (d, color, class) = (line(&points), line_color(of), line_class(of));
        let attributes = [
            ("d", d.as_str()),
            ("fill", "none"),
            ("stroke", &color),
            ("class", &class),
            ("stroke-width", "2"),
            ("stroke-opacity", "0.6"),
        ];
        svg.element("path", &attributes);
        for mark in &of.marks {
            self.whiskers(svg, mark);
        }
        for (place, mark) in of.marks.iter().enumerate() {
            self.mark(svg, of, 0, place, mark);
        }
    }

    fn whiskers(&self, svg: &mut Svg, mark: &Mark) {
        let ([x, y], color) = (self.at(mark), hex(palette::alpha(false, mark.alpha)));
        let mut draw = |ends: [[f64; 2]; 2], opacity: &str| {
            let d = line(&ends);
            svg.element("path", &[("d", &d), ("fill", "none"), ("stroke", &color), ("stroke-opacity", opacity)]);
        };
        draw([[x, self.y.at(mark.y.low)], [x, self.y.at(mark.y.high)]], "0.7");
        if !self.figure.view.over_alpha {
            let is_end = mark.alpha < 1e-9 || mark.alpha > 1.0 - 1e-9;
            draw([[self.x.at(mark.x.low), y], [self.x.at(mark.x.high), y]], if is_end { "0.7" } else { "0.25" });
        }
    }

    /// A thin line whose marks differ in shape from those of other tasks.
    fn task(&self, svg: &mut Svg, number_of_line: usize, of: &Line) {
        let points: Vec<[f64; 2]> = of.marks.iter().map(|m| self.at(m)).collect();
        let (d, color, class) = (line(&points), line_color(of), line_class(of));
        let attributes = [
            ("d", d.as_str()),
            ("fill", "none"),
            ("stroke", &color),
            ("class", &class),
            ("stroke-width", "1.2"),
            ("stroke-opacity", "0.7"),
        ];
        svg.element("path", &attributes);
        for (place, mark) in of.marks.iter().enumerate() {
            self.mark(svg, of, number_of_line, place, mark);
        }
    }

    /// A mark that wears the colour of its alpha; open outside the Pareto set.
    fn mark(&self, svg: &mut Svg, of: &Line, line_number: usize, place: usize, mark: &Mark) {
        let ([x, y], color) = (self.at(mark), hex(palette::alpha(false, mark.alpha)));
        let bold = line_number == 0;
        let end = end_shape(mark.alpha);
        let open = bold && self.figure.is_open(place);
        let (radius, kind) = match (bold, end) {
            (true, Some(end)) => (6.0, end),
            (true, None) => (if open { 3.4 } else { 4.2 }, 0),
            (false, _) => (2.6, line_shape(of)),
        };
        let (stroke, class, width) = match (bold, end, open) {
            (true, Some(_), _) => (INK.to_owned(), "mark stroke-ink".to_owned(), "1.5"),
            (true, None, true) => (color.clone(), "mark open".to_owned(), "1.5"),
            (true, None, false) => (color.clone(), "mark".to_owned(), "0"),
            (false, ..) => (line_color(of), format!("mark {}", line_class(of)), "0.7"),
        };
        let (d, id) = (shape(x, y, radius, kind), format!("{}mark-{line_number}-{place}", self.figure.prefix));
        let fill = if open { GROUND } else { &color };
        let attributes = [
            ("id", id.as_str()),
            ("d", &d),
            ("class", &class),
            ("fill", fill),
            ("stroke", &stroke),
            ("stroke-width", width),
        ];
        svg.titled("path", &attributes, &self.told(of, mark, open));
    }

    fn told(&self, of: &Line, mark: &Mark, open: bool) -> String {
        let measure = |m: &tradeoff::Measure| format!("{:.1} % [{:.1}, {:.1}]", m.value, m.low, m.high);
        let mut told = format!("α {:.2}\n{}: {}", mark.alpha, of.title, measure(&mark.y));
        if !self.figure.view.over_alpha {
            told = format!("{told}\n{}: {}", self.figure.axis_titles[0], measure(&mark.x));
        }
        told = format!("{told}\n{} examples, 95 % interval", words::count(mark.scored));
        if open {
            told += "\nanother alpha is at least as good on both axes";
        }
        told
    }

    /// What is named: published models, the ends, the best alpha, where the patch stands.
    fn labels(&self, svg: &mut Svg) {
        let mut labels = Labels::within(self.frame);
        let bold = self.figure.lines.first().map(|line| &line.marks[..]).unwrap_or_default();
        for mark in bold {
            labels.keep(self.at(mark), 3.0);
        }
        let end = |alpha: f64| bold.iter().find(|m| (m.alpha - alpha).abs() < 1e-9);
        let ring = |svg: &mut Svg, center: [f64; 2], radius: f64, class: &str, color: &str, width: &str| {
            let d = shape(center[0], center[1], radius, 0);
            let attributes =
                [("d", d.as_str()), ("fill", "none"), ("class", class), ("stroke", color), ("stroke-width", width)];
            svg.element("path", &attributes);
        };
        if let Some(best) = self.figure.best.and_then(|best| bold.iter().find(|m| m.alpha == best.alpha)) {
            ring(svg, self.at(best), 8.0, "stroke-accent", &hex(palette::accent(false)), "1.8");
        }
        let mut named: Vec<([f64; 2], f64, String)> = Vec::new();
        if let Some(here) = &self.figure.here {
            ring(svg, self.at(here), 11.0, "stroke-ink", INK, "1.8");
            let alpha = self.figure.view.alpha.map(words::alpha).unwrap_or_default();
            named.push((self.at(here), 14.0, alpha));
        }
        named.extend(end(0.0).map(|mark| (self.at(mark), 10.0, "base".to_owned())));
        named.extend(end(1.0).map(|mark| (self.at(mark), 10.0, "tuned".to_owned())));
        for (center, gap, said) in named {
            label(svg, labels.place(center, gap, &said, SIZES[1]), &said, SIZES[1], INK, "ink halo");
        }
        for landmark in &self.figure.landmarks {
            let center = [self.x.at(landmark.x), self.y.at(landmark.y)];
            let d = shape(center[0], center[1], 4.5, 4);
            let attributes =
                [("d", d.as_str()), ("fill", GROUND), ("class", "landmark"), ("stroke", WEAK), ("stroke-width", "1.5")];
            let told = format!(
                "{} (published), from {}\ny {:.1} %, x {:.1} %\n{}",
                landmark.method, landmark.base_model, landmark.y, landmark.x, landmark.source
            );
            svg.titled("path", &attributes, &told);
            let place = labels.place(center, 8.0, &landmark.method, SIZES[2]);
            label(svg, place, &landmark.method, SIZES[2], WEAK, "weak halo");
        }
    }
}

/// Text on a ground that keeps it legible over lines.
fn label(svg: &mut Svg, place: [f64; 2], said: &str, size: f64, color: &str, class: &str) {
    let size = number(size);
    let attributes = [
        ("font-size", size.as_str()),
        ("fill", color),
        ("class", class),
        ("stroke", GROUND),
        ("stroke-width", "3"),
        ("stroke-linejoin", "round"),
        ("paint-order", "stroke"),
    ];
    small(svg, place, said, &attributes);
}
