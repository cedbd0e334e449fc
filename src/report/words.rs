//! Numbers as people read them.

use crate::patch::AlphaMap;

/// Thousands apart: 1,240.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// The patch in a few letters: "α 0.50", or "α 0.20 / 0.50" for image and text.
pub fn alpha(map: AlphaMap) -> String {
    if map.is_linked() { format!("α {map}") } else { format!("α {:.2} / {:.2}", map.image().get(), map.text().get()) }
}

/// Points with a sign; the minus is a minus.
pub fn signed(points: f64) -> String {
    let rounded = (points * 10.0).round() / 10.0;
    let sign = if rounded < 0.0 { "\u{2212}" } else { "+" };
    format!("{sign}{:.1}", rounded.abs())
}

/// The p-value of a test: "p = 0.031", or "p < 0.001".
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".into() } else { format!("p = {p:.3}") }
}

/// A moment for people, from seconds since 1970: "2026-11-25 09:40 UTC". Days to dates as Howard Hinnant's
/// `civil_from_days` does it.
pub fn date(seconds: u64) -> String {
    let (days, of_day) = ((seconds / 86_400).cast_signed(), seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", of_day / 3600, of_day / 60 % 60)
}

/// A word as a shell reads it.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:,=+%@~".contains(c);
    let is_plain = !word.is_empty() && word.chars().all(plain);
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Lines of at most `width` letters, broken at spaces; a longer word is cut.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        let full = |line: &String, n: usize| !line.is_empty() && line.chars().count() + 1 + n > width;
        if lines.last().is_some_and(|line| full(line, rest.len())) {
            lines.push(String::new());
        }
        while rest.len() > width {
            let tail = rest.split_off(width);
            lines.push(rest.into_iter().collect());
            lines.push(String::new());
            rest = tail;
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.extend(rest);
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// At most `width` letters, the last one an ellipsis where some are missing.
pub fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(0), count(999), count(1240), count(1_234_567)], ["0", "999", "1,240", "1,234,567"]);
        assert_eq!([signed(-0.04), signed(-5.23), signed(27.0)], ["+0.0", "\u{2212}5.2", "+27.0"]);
        assert_eq!(["a/b-c.d", "", "a b", "it's"].map(shell), ["a/b-c.d", "''", "'a b'", "'it'\\''s'"]);
        assert_eq!([p_value(0.000_4), p_value(0.031_2)], ["p < 0.001", "p = 0.031"]);
    }

    #[test]
    fn dates_of_known_moments() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_599_600), "2026-11-25 09:40 UTC");
    }

    #[test]
    fn lines_are_broken_at_spaces_and_long_words_cut() {
        assert_eq!(wrap("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
        assert_eq!(wrap("ab abcdefgh x", 3), ["ab", "abc", "def", "gh", "x"]);
        assert!(wrap("  ", 3).is_empty());
        assert_eq!([shorten("äbcd", 4), shorten("äbcde", 4)], ["äbcd", "äbc…"]);
    }
}
