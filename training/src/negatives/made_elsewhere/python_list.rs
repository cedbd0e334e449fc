//! Python's literal of a list of strings, as `str(list)` writes it.

/// Most strings in a list.
const MOST_STRINGS: usize = 4096;

/// `['a', "b's"]` → a, b's. Text that begins with no bracket is one string, blank text none.
pub(crate) fn strings(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    let list = match text.chars().next() {
        None => return Ok(Vec::new()),
        Some('[') => text.strip_prefix('[').and_then(|t| t.strip_suffix(']')),
        Some('(') => text.strip_prefix('(').and_then(|t| t.strip_suffix(')')),
        Some(_) => return Ok(vec![text.to_owned()]),
    };
    let mut rest = list.ok_or("holds a list without an end")?.trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (string, after) = string(rest)?;
        if found.len() == MOST_STRINGS {
            return Err(format!("holds a list of more than {MOST_STRINGS} strings"));
        }
        found.push(string);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => after,
            None => return Err("holds a list with something other than a comma between strings".to_owned()),
        };
    }
    Ok(found)
}

/// The string literal at the start, and what follows it.
fn string(text: &str) -> Result<(String, &str), String> {
    let unprefixed = text.strip_prefix('u').unwrap_or(text);
    let Some(quote) = unprefixed.chars().next().filter(|c| "'\"".contains(*c)) else {
        return Err("holds a list of something other than strings".to_owned());
    };
    let mut value = String::new();
    let mut chars = unprefixed.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((value, unprefixed.get(at + 1..).unwrap_or(""))),
            '\\' => {
                let Some((_, escaped)) = chars.next() else { break };
                let digits = match escaped {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                if digits == 0 {
                    push_escaped(&mut value, escaped);
                    continue;
                }
                let hex: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
                let code = u32::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == digits);
                value.push(
                    code.and_then(char::from_u32)
                        .ok_or_else(|| format!("holds the unknown escape \\{escaped}{hex}"))?,
                );
            }
            _ => value.push(c),
        }
    }
    Err("holds a string without an end".to_owned())
}

/// As Python does: an unknown escape keeps its backslash.
fn push_escaped(value: &mut String, escaped: char) {
    match escaped {
        'n' => value.push('\n'),
        't' => value.push('\t'),
        'r' => value.push('\r'),
        '\\' | '\'' | '"' => value.push(escaped),
        other => value.extend(['\\', other]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_python_writes_them() {
        let good = [
            ("['a red dog', \"a man's hat\"]", vec!["a red dog", "a man's hat"]),
            ("[]", vec![]),
            ("  ", vec![]),
            ("['it\\'s', 'caf\\xe9', 'na\\u00efve', '\\\\n \\d']", vec!["it's", "café", "naïve", "\\n \\d"]),
            ("('a', )", vec!["a"]),
            ("a plain caption", vec!["a plain caption"]),
            ("['a, b', '[c]']", vec!["a, b", "[c]"]),
        ];
        for (text, wanted) in good {
            assert_eq!(strings(text).unwrap(), wanted, "{text}");
        }
        let bad = ["['a'", "['a]", "[1, 2]", "['a' 'b']", "[__import__('os')]", "['\\x4']", "['\\ud800']", "['a\\"];
        for text in bad {
            assert!(strings(text).is_err(), "{text}");
        }
    }
}
