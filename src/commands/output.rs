//! The one place that writes to standard output and standard error.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde::Serialize;

/// One JSON document on standard output.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    text(&serde_json::to_string_pretty(value)?)
}

/// A line, or a table, on standard output. A reader that went away is not an error.
pub fn text(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A line on standard error, for people who watch.
pub fn note(line: &str) {
    // Nothing can be told about a standard error that is closed.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Says a failure once: what, and the causes that the sentence does not hold already.
pub fn report(error: &anyhow::Error) {
    note(&format!("clove: {}", sentence(error)));
}

/// A failure in one sentence, with the causes that it does not hold already.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

/// Progress on standard error: at most one line every two seconds, with the time left.
pub struct Progress {
    what: String,
    start: Instant,
    last: Instant,
}

impl Progress {
    /// Starts the clock.
    pub fn new(what: impl Into<String>) -> Self {
        let now = Instant::now();
        Self { what: what.into(), start: now, last: now }
    }

    /// Says a line, if it is time for one.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if self.last.elapsed() >= Duration::from_secs(2) {
            self.last = Instant::now();
            note(&line());
        }
    }

    /// Says how far the work is, as a share in 0..=1.
    pub fn at(&mut self, share: f64, detail: &str) {
        if self.last.elapsed() < Duration::from_secs(2) {
            return;
        }
        self.last = Instant::now();
        let spent = self.start.elapsed().as_secs_f64();
        let left = if share > 0.0 { spent / share * (1.0 - share) } else { f64::NAN };
        note(&format!("{}: {:.0} %, {} left{detail}", self.what, 100.0 * share, duration(left)));
    }
}

/// `95` → `1 min 35 s`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "unknown time".into();
    }
    let s = seconds.round() as u64;
    match (s / 3600, s / 60 % 60, s % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// Left-aligned first column, right-aligned others.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |c: usize| {
        let cells = rows.iter().map(|row| row[c].chars().count());
        cells.chain([header[c].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(c, (cell, width))| if c == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        padded.collect::<Vec<_>>().join("  ")
    };
    let mut lines = vec![line(header.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_tables() {
        assert_eq!(duration(95.2), "1 min 35 s");
        assert_eq!(duration(7300.0), "2 h 1 min");
        assert_eq!(duration(f64::NAN), "unknown time");
        let rows = [vec!["a".to_owned(), "12".to_owned()], vec!["long".to_owned(), "3".to_owned()]];
        assert_eq!(table(&["name", "n"], &rows), "name   n\na     12\nlong   3");
    }
}
