//! What a recipe's `data` names: files, folders, `*` and `?`, `{00000..00009}` and `{a,b}`.

use super::source::SourceError;
use std::path::{Component, Path, PathBuf};

/// Most paths a pattern may stand for.
const MOST_PATHS: usize = 1 << 20;

/// The paths of a pattern, in order: braces as they count, names sorted. A brace range may name files that are not
/// there, as long as one is.
pub(super) fn expand(pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    let nothing = || SourceError::NoData(pattern.to_owned());
    if Path::new(pattern).exists() {
        return Ok(vec![pattern.into()]);
    }
    let mut paths = Vec::new();
    for name in braces(pattern).ok_or_else(nothing)? {
        if name.contains(['*', '?']) {
            glob(Path::new(&name), &mut paths)?;
        } else {
            paths.push(name.into());
        }
        if paths.len() > MOST_PATHS {
            return Err(nothing());
        }
    }
    if paths.iter().any(|path| path.exists()) { Ok(paths) } else { Err(nothing()) }
}

/// Every combination of what braces stand for, the last brace counting fastest; nothing when there are too many.
fn braces(pattern: &str) -> Option<Vec<String>> {
    let Some((start, inside, rest)) = first_brace(pattern) else { return Some(vec![pattern.to_owned()]) };
    let choices = range(inside).unwrap_or_else(|| inside.split(',').map(str::to_owned).collect());
    let tails = braces(rest)?;
    if choices.len().saturating_mul(tails.len()) > MOST_PATHS {
        return None;
    }
    let joined = choices.iter().flat_map(|choice| tails.iter().map(move |tail| [start, choice, tail].concat()));
    Some(joined.collect())
}

/// What stands before, in and after the first pair of braces that means something.
fn first_brace(pattern: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + pattern.get(from..)?.find('{')?;
        let close = open + pattern.get(open..)?.find('}')?;
        let inside = &pattern[open + 1..close];
        if inside.contains(',') || range(inside).is_some() {
            return Some((&pattern[..open], inside, &pattern[close + 1..]));
        }
        from = close + 1;
    }
}

/// `008..011`: numbers as wide as the wider end where an end has leading zeros.
fn range(inside: &str) -> Option<Vec<String>> {
    let (from, to) = inside.split_once("..")?;
    let padded = [from, to].iter().any(|end| end.len() > 1 && end.starts_with('0'));
    let width = if padded { from.len().max(to.len()) } else { 0 };
    let number = |end: &str| end.bytes().all(|byte| byte.is_ascii_digit()).then(|| end.parse::<u64>().ok()).flatten();
    let (first, last) = (number(from)?, number(to)?);
    if first > last || last - first >= MOST_PATHS as u64 || width > 20 {
        return None;
    }
    Some((first..=last).map(|n| format!("{n:0width$}")).collect())
}

/// Adds what a pattern with `*` and `?` finds; neither goes beyond a folder.
fn glob(pattern: &Path, found: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    let mut paths = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        if matches!(part, Component::Normal(_)) && name.contains(['*', '?']) {
            let mut deeper = Vec::new();
            for path in paths.iter().filter(|path| path.as_os_str().is_empty() || path.is_dir()) {
                let names = list(path)?;
                deeper.extend(names.iter().filter(|entry| matches(&name, entry)).map(|entry| path.join(entry)));
            }
            paths = deeper;
        } else {
            paths.iter_mut().for_each(|path| path.push(part));
            paths.retain(|path| path.exists());
        }
        if found.len() + paths.len() > MOST_PATHS {
            return Err(SourceError::NoData(pattern.display().to_string()));
        }
    }
    found.append(&mut paths);
    Ok(())
}

/// Names in a folder, sorted, without hidden ones.
pub(super) fn list(folder: &Path) -> Result<Vec<String>, SourceError> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let error = |source| SourceError::Io { place: place.display().to_string(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place).map_err(error)? {
        let name = entry.map_err(error)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
        if names.len() > 4 * MOST_PATHS {
            return Err(SourceError::NoData(place.display().to_string()));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a name fits a pattern: `*` stands for any letters, `?` for one.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                // The last star takes one letter more.
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_count_and_choose() {
        let of = |pattern: &str| braces(pattern).unwrap();
        assert_eq!(of("a{008..011}.tar"), ["a008.tar", "a009.tar", "a010.tar", "a011.tar"]);
        assert_eq!(of("{9..11}"), ["9", "10", "11"]);
        assert_eq!(of("{x,yy}/{0..1}"), ["x/0", "x/1", "yy/0", "yy/1"]);
        assert_eq!(of("{00000..66303}.tar").len(), 66_304);
        for literal in ["a{b}c", "{3..1}", "{a..b}", "}{", "{", "{-1..2}", "{0..99999999999}"] {
            assert_eq!(of(literal), [literal]);
        }
        assert_eq!(of("{b}{1..2}"), ["{b}1", "{b}2"]);
        assert!(braces("{0..9999}{0..9999}").is_none());
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, fits) in [
            ("*.tar", "00000.tar", true),
            ("*.tar", "00000.tar.gz", false),
            ("0?0*.t*r", "000.tar", true),
            ("0?0*.t*r", "00.tar", false),
            ("*a*b*", "xaxxbx", true),
            ("*a*b*", "xbxa", false),
            ("", "", true),
            ("*", "", true),
            ("?", "ä", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
