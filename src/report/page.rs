//! A small writer of HTML. Text is escaped; only what this module and [`super::svg`] write is markup.

use std::fmt::{Arguments, Write as _};

use super::svg::escape;

/// HTML under construction.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// Opens an element with the class, holds what `inside` writes, closes it.
    pub fn within(&mut self, name: &str, class: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name, class);
        self.text.push('\n');
        inside(self);
        self.close(name);
    }

    /// An element that holds text.
    pub fn say(&mut self, name: &str, class: &str, text: &str) {
        self.open(name, class);
        self.text.push_str(&escape(text));
        self.close(name);
    }

    /// A section with a heading that links can name.
    pub fn section(&mut self, id: &str, heading: &str, inside: impl FnOnce(&mut Self)) {
        self.put(format_args!("<section id=\"{}\">\n", escape(id)));
        self.say("h2", "", heading);
        inside(self);
        self.close("section");
    }

    /// Links to sections of the page: their names and words.
    pub fn links(&mut self, links: &[(&str, &str)]) {
        self.within("nav", "", |page| {
            for (id, said) in links {
                page.put(format_args!("<a href=\"#{}\">{}</a>\n", escape(id), escape(said)));
            }
        });
    }

    /// Folded until it is asked for.
    pub fn details(&mut self, summary: &str, open: bool, inside: impl FnOnce(&mut Self)) {
        self.text.push_str(if open { "<details open>\n" } else { "<details>\n" });
        self.say("summary", "", summary);
        inside(self);
        self.close("details");
    }

    /// A table; the first column names the rows. A cell is its text and a second, smaller line.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<(String, String)>]) {
        self.within("div", "scroll", |page| {
            page.within("table", "", |page| {
                page.within("thead", "", |page| {
                    page.within("tr", "", |page| head.iter().for_each(|cell| page.say("th", "", cell)));
                });
                page.within("tbody", "", |page| rows.iter().for_each(|row| page.row(row)));
            });
        });
    }

    fn row(&mut self, cells: &[(String, String)]) {
        self.within("tr", "", |page| {
            for (place, (said, small)) in cells.iter().enumerate() {
                let name = if place == 0 { "th" } else { "td" };
                page.open(name, "");
                page.text.push_str(&escape(said));
                if !small.is_empty() {
                    page.say("small", "", small);
                }
                page.close(name);
            }
        });
    }

    /// Names and what belongs to them.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        self.within("dl", "", |page| {
            for (name, said) in facts.iter().filter(|(_, said)| !said.is_empty()) {
                page.say("dt", "", name);
                page.say("dd", "", said);
            }
        });
    }

    /// A list; nothing for no items.
    pub fn list(&mut self, items: &[String]) {
        if !items.is_empty() {
            self.within("ul", "", |page| items.iter().for_each(|item| page.say("li", "", item)));
        }
    }

    /// A picture that the page carries.
    pub fn picture(&mut self, media_type: &str, bytes: &[u8], said: &str) {
        let data = base64(bytes);
        let (media_type, said) = (escape(media_type), escape(said));
        self.put(format_args!("<img src=\"data:{media_type};base64,{data}\" alt=\"{said}\">\n"));
    }

    /// A figure of ours.
    pub fn figure(&mut self, svg: &str, caption: &str) {
        self.text.push_str("<figure>\n");
        self.text.push_str(svg);
        self.say("figcaption", "", caption);
        self.close("figure");
    }

    /// Everything so far.
    pub fn finish(self) -> String {
        self.text
    }

    fn put(&mut self, markup: Arguments<'_>) {
        // Writing into memory cannot fail.
        let _ = self.text.write_fmt(markup);
    }

    fn open(&mut self, name: &str, class: &str) {
        if class.is_empty() {
            self.put(format_args!("<{name}>"));
        } else {
            self.put(format_args!("<{name} class=\"{}\">", escape(class)));
        }
    }

    fn close(&mut self, name: &str) {
        self.put(format_args!("</{name}>\n"));
    }
}

/// RFC 4648, §4, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_rfc_4648() {
        let told: Vec<String> =
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|t| base64(t.as_bytes())).to_vec();
        assert_eq!(told, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn text_is_never_markup() {
        let mut page = Page::default();
        page.table(&["<a>"], &[vec![("<b>".into(), "\"c\" & d".into())]]);
        page.picture("image/png", b"f", "\"><script>");
        page.facts(&[("empty", String::new()), ("x", "<i>".into())]);
        page.details("<s>", true, |page| page.list(&["<u>".into()]));
        let text = page.finish();
        for marked in ["<a>", "<b>", "<script>", "<i>", "<s>", "<u>", "\"c\"", "empty"] {
            assert!(!text.contains(marked), "{marked}: {text}");
        }
        assert!(text.contains("&lt;b&gt;<small>&quot;c&quot; &amp; d</small>"), "{text}");
    }
}
