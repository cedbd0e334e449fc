//! A small writer of SVG. What it is given is text, never markup.

use std::fmt::Write as _;

/// An attribute's name and value; the value is escaped.
pub type Attribute<'a> = (&'a str, &'a str);

/// Text that may stand in an element or an attribute of XML and HTML. What XML cannot hold at all, such as control
/// characters, becomes the sign for an unknown letter.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate: at most two decimals, none where they are zero.
pub fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}

/// Elements one after the other.
#[derive(Debug, Default)]
pub struct Svg {
    text: String,
}

impl Svg {
    /// An element without content.
    pub fn element(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.begin(name, attributes, "/>\n");
    }

    /// An element whose text shows when the pointer rests on it.
    pub fn titled(&mut self, name: &str, attributes: &[Attribute<'_>], title: &str) {
        self.begin(name, attributes, "><title>");
        self.text.push_str(&escape(title));
        self.end(name, "</title>");
    }

    /// An element that holds text.
    pub fn text(&mut self, name: &str, attributes: &[Attribute<'_>], text: &str) {
        self.begin(name, attributes, ">");
        self.text.push_str(&escape(text));
        self.end(name, "");
    }

    /// An element around others.
    pub fn group(&mut self, name: &str, attributes: &[Attribute<'_>], inside: impl FnOnce(&mut Self)) {
        self.begin(name, attributes, ">\n");
        inside(self);
        self.end(name, "");
    }

    /// Elements that were written elsewhere.
    pub fn raw(&mut self, other: &Self) {
        self.text.push_str(&other.text);
    }

    /// Everything so far.
    pub fn finish(self) -> String {
        self.text
    }

    fn begin(&mut self, name: &str, attributes: &[Attribute<'_>], close: &str) {
        let _ = write!(self.text, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.text, " {key}=\"{}\"", escape(value));
        }
        self.text.push_str(close);
    }

    fn end(&mut self, name: &str, before: &str) {
        let _ = writeln!(self.text, "{before}</{name}>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_never_markup() {
        assert_eq!(escape("<a href='x'>&\"\u{1}\u{7f}é α"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\u{fffd}\u{fffd}é α");
        let mut svg = Svg::default();
        svg.titled("path", &[("d", "M0 0"), ("id", "a\"b")], "</title><script>");
        assert_eq!(
            svg.finish(),
            "<path d=\"M0 0\" id=\"a&quot;b\"><title>&lt;/title&gt;&lt;script&gt;</title></path>\n"
        );
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([1.0, 1.5, -0.001, 100.0, 2.345_6].map(number), ["1", "1.5", "0", "100", "2.35"]);
    }
}
