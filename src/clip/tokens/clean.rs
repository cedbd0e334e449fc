//! Text cleaning as open_clip's `SimpleTokenizer`: `ftfy.fix_text`, `html.unescape` twice, whitespace, lower case.

use std::collections::HashMap;
use std::sync::LazyLock;

/// `name<TAB>code points in hex`, a line each: HTML5's named references, with and without their semicolon.
static ENTITIES: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    let lines = include_str!("../../../assets/html5_entities.txt").lines();
    let entry = |line: &'static str| {
        let (name, points) = line.split_once('\t')?;
        let text = points.split(' ').filter_map(|hex| char::from_u32(u32::from_str_radix(hex, 16).ok()?)).collect();
        Some((name, text))
    };
    lines.filter_map(entry).collect()
});

/// What Windows-1252 has at 0x80..=0x9f; the five holes keep their code point.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Longest name of an entity that is looked for, in characters.
const LONGEST_NAME: usize = 32;

/// The cleaned text: one space between words, none around, lower case.
pub(super) fn clean(text: &str) -> String {
    let lower = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if is_plain(text) { lower(text) } else { lower(&unescape(&unescape(&fix_text(text)))) }
}

/// Nothing in the text that repair or unescaping could touch: the usual caption, spared the slow path.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r') && byte != b'&')
}

/// `ftfy.fix_text`, by plsfix, with two of its gaps closed: terminal escapes, and entities left alone after a `<`.
fn fix_text(text: &str) -> String {
    // A form feed is white space that plsfix keeps: it hides the ampersands that must stay.
    let text = without_terminal_escapes(text).replace('\x0c', " ");
    let mut is_html = false;
    let mut hidden = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        is_html |= line.contains('<');
        if is_html { hidden.push_str(&line.replace('&', "\x0c")) } else { hidden.push_str(line) }
    }
    // Its own limit would cut between bytes of a character.
    let config = plsfix::TextFixerConfig { max_decode_length: i32::MAX, ..Default::default() };
    plsfix::fix_text(&hidden, Some(&config)).replace('\x0c', "&")
}

/// Without `ESC [ 1 ; 31 m` and its like.
fn without_terminal_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        let after = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        out.push_str(&rest[..at]);
        if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            rest = &after[1..];
        } else {
            out.push_str("\x1b[");
            rest = &rest[at + 2..];
        }
    }
    out + rest
}

/// Python's `html.unescape`, once: named references with or without semicolon (longest prefix), and numeric ones.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let reference = &rest[at + 1..];
        let used = if reference.starts_with('#') {
            push_numeric(&mut out, reference)
        } else {
            push_named(&mut out, reference)
        };
        rest = &reference[used..];
    }
    out + rest
}

/// Pushes what `#123;` or `#x1f;` means, or the ampersand alone; returns the bytes used up.
fn push_numeric(out: &mut String, reference: &str) -> usize {
    let (prefix, radix) = if reference[1..].starts_with(['x', 'X']) { (2, 16) } else { (1, 10) };
    let digits = reference[prefix..].bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    if digits == 0 {
        out.push('&');
        return 0;
    }
    let end = prefix + digits;
    // Too many digits for a number are far beyond the last code point too.
    let number = u32::from_str_radix(&reference[prefix..end], radix).unwrap_or(u32::MAX);
    match number {
        0 => out.push('\u{fffd}'),
        0x80..=0x9f => out.push(WINDOWS_1252[number as usize - 0x80]),
        0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => {}
        _ if number <= 0x10_ffff && number & 0xfffe == 0xfffe => {}
        _ => out.push(char::from_u32(number).unwrap_or('\u{fffd}')),
    }
    end + usize::from(reference[end..].starts_with(';'))
}

/// Pushes what `amp;` or a name that begins like one means, or all of it as it stands; returns the bytes used up.
fn push_named(out: &mut String, reference: &str) -> usize {
    let is_name = |c: char| !matches!(c, '\t' | '\n' | '\x0c' | ' ' | '<' | '&' | '#' | ';');
    let length: usize = reference.chars().take(LONGEST_NAME).take_while(|&c| is_name(c)).map(char::len_utf8).sum();
    let end = if length > 0 { length + usize::from(reference[length..].starts_with(';')) } else { 0 };
    let name = &reference[..end];
    // No entity has fewer than two characters, and all are ASCII.
    for cut in (2..=end).rev().filter(|&cut| name.is_char_boundary(cut)) {
        if let Some(value) = ENTITIES.get(&name[..cut]) {
            out.push_str(value);
            out.push_str(&name[cut..]);
            return end;
        }
    }
    out.push('&');
    out.push_str(name);
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_mean_what_python_says() {
        // Each checked with CPython 3.11's html.unescape.
        for (text, meaning) in [
            ("&amp;&lt;&gt;", "&<>"),
            ("&ampquot; &notit; &copy2020", "&quot; ¬it; ©2020"),
            ("&#65;&#x42;&#X43&#68", "ABCD"),
            ("&#150;&#0;&#1;&#11;&#xd800;&#99999999999;", "–\u{fffd}\u{fffd}\u{fffd}"),
            ("& &; &# &#; &#x; &zzz; R&B", "& &; &# &#; &#x; &zzz; R&B"),
            ("&Tab;&NewLine;&nbsp;&fjlig;", "\t\n\u{a0}fj"),
            ("&é&amp", "&é&"),
        ] {
            assert_eq!(unescape(text), meaning, "{text}");
        }
        assert_eq!(ENTITIES.len(), 2231);
    }

    #[test]
    fn plain_text_needs_no_repair() {
        for text in ["A photo of a dog.", " two\t words\r\n", "it's 5 o'clock <b>", ""] {
            assert!(is_plain(text));
            let slow = unescape(&unescape(&fix_text(text)));
            assert_eq!(clean(text), slow.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
        }
    }

    #[test]
    fn terminal_escapes_go() {
        assert_eq!(clean("\x1b[1;31mRed\x1b[0m car \x1b[ x"), "red car [ x");
    }

    #[test]
    fn no_text_panics() {
        let alphabet: Vec<char> =
            "aZ0 &;#x<\n\t\x0c\x1b[mÃ©â€œ’“”ï¿½ï»¿ðŸ˜€\u{a0}\u{85}\u{200b}\u{feff}ﬁＡ½ÑŠ…😀é\u{301}\u{fffd}¼íÿ"
                .chars()
                .collect();
        let mut state = 1_u64;
        for length in 0..400 {
            let text: String = (0..length % 40)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    alphabet[(state >> 33) as usize % alphabet.len()]
                })
                .collect();
            assert!(!clean(&text).ends_with(' '));
        }
        for unit in ["Ã", "ðŸ", "â€", "&#", "& ", "\u{301}", "Ð "] {
            assert!(clean(&unit.repeat(4000)).len() <= unit.len() * 4000);
        }
    }
}
