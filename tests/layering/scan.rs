//! Reads Rust sources as far as the rules need: comments, strings, test items, words and paths.

/// A file's text without comments and test items, which become spaces; line breaks stay.
pub struct Code {
    /// Without the insides of strings too.
    pub bare: String,
    /// With strings.
    pub with_strings: String,
}

impl Code {
    /// Scans a file.
    pub fn of(source: &str) -> Self {
        let chars: Vec<char> = source.chars().collect();
        let (mut bare, mut with_strings) = (chars.clone(), chars.clone());
        let mut at = 0;
        while at < chars.len() {
            let (end, token) = token(&chars, at);
            if token != Token::Code {
                blank(&mut bare[at..end]);
            }
            if token == Token::Comment {
                blank(&mut with_strings[at..end]);
            }
            at = end;
        }
        for (start, end) in test_items(&bare) {
            blank(&mut bare[start..end]);
            blank(&mut with_strings[start..end]);
        }
        Self { bare: bare.into_iter().collect(), with_strings: with_strings.into_iter().collect() }
    }

    /// Number of the last line that is not blank.
    pub fn lines(&self) -> usize {
        1 + self.with_strings.trim_end().matches('\n').count()
    }

    /// Lines on which `word` stands as a whole, counted from 1. A word with a quote is looked for in strings too.
    pub fn lines_with(&self, word: &str) -> Vec<usize> {
        let text = if word.contains('"') { &self.with_strings } else { &self.bare };
        let inside =
            |inner: Option<char>, outer: Option<char>| inner.is_some_and(is_word) && outer.is_some_and(is_word);
        let whole = |&(at, _): &(usize, &str)| {
            !inside(word.chars().next(), text[..at].chars().next_back())
                && !inside(word.chars().next_back(), text[at + word.len()..].chars().next())
        };
        text.match_indices(word).filter(whole).map(|(at, _)| 1 + text[..at].matches('\n').count()).collect()
    }

    /// What `crate::`, `clove::`, `clove_training` and `super::` beyond the file's own module lead to: a name at the
    /// root and the item behind it (empty for the module itself). `depth` is the number of modules around the code.
    pub fn imports(&self, depth: usize) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for root in ["crate::", "clove::", &"super::".repeat(depth)] {
            found.extend(self.behind(root).into_iter().flat_map(paths));
        }
        found.extend(self.behind("clove_training").iter().map(|_| ("training".to_owned(), String::new())));
        found
    }

    /// The text behind every path that begins with `root`.
    fn behind(&self, root: &str) -> Vec<&str> {
        let begins = |at: usize| !self.bare[..at].ends_with(|c| is_word(c) || c == ':');
        let starts = self.bare.match_indices(root).filter(|(at, _)| !root.is_empty() && begins(*at));
        starts.map(|(at, _)| &self.bare[at + root.len()..]).collect()
    }
}

/// Whether `c` can stand in a name.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn blank(chars: &mut [char]) {
    chars.iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Code,
    Text,
    Comment,
}

/// Where the token at `at` ends, and what it is.
fn token(chars: &[char], at: usize) -> (usize, Token) {
    let is = |i: usize, c: char| chars.get(i) == Some(&c);
    let behind = |from: usize, end: &str| find(chars, from, end).map_or(chars.len(), |i| i + end.chars().count());
    if is(at, '/') && is(at + 1, '/') {
        return (find(chars, at, "\n").unwrap_or(chars.len()), Token::Comment);
    }
    if is(at, '/') && is(at + 1, '*') {
        return (behind(at + 2, "*/"), Token::Comment);
    }
    let raw = if is(at, 'b') { at + 1 } else { at };
    if is(raw, 'r') && !(at > 0 && is_word(chars[at - 1])) {
        let hashes = chars[raw + 1..].iter().take_while(|c| **c == '#').count();
        if is(raw + 1 + hashes, '"') {
            return (behind(raw + 2 + hashes, &format!("\"{}", "#".repeat(hashes))), Token::Text);
        }
    }
    let quote = match chars[at] {
        '"' => '"',
        // A character, not a lifetime: an escape begins, or the closing quote is two on.
        '\'' if is(at + 1, '\\') || is(at + 2, '\'') => '\'',
        _ => return (at + 1, Token::Code),
    };
    let mut end = at + 1;
    while end < chars.len() && chars[end] != quote {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    ((end + 1).min(chars.len()), Token::Text)
}

fn find(chars: &[char], from: usize, what: &str) -> Option<usize> {
    let what: Vec<char> = what.chars().collect();
    (from..chars.len()).find(|&i| chars[i..].starts_with(&what))
}

/// The places of every item behind `#[cfg(test)]`: up to its closing brace or semicolon.
fn test_items(chars: &[char]) -> Vec<(usize, usize)> {
    let (mut items, mut from) = (Vec::new(), 0);
    while let Some(start) = find(chars, from, "#[cfg(test)]") {
        let (mut depth, mut end) = (0, start);
        while end < chars.len() {
            match chars[end] {
                '(' | '[' | '{' => depth += 1,
                '}' if depth <= 1 => break,
                ')' | ']' | '}' => depth -= 1,
                ';' if depth == 0 => break,
                _ => {}
            }
            end += 1;
        }
        from = (end + 1).min(chars.len());
        items.push((start, from));
    }
    items
}

/// First and second names of the paths that a path or a group of paths begins with: `a::{b, c::d}` gives (a, b), (a, c).
fn paths(text: &str) -> Vec<(String, String)> {
    let name = |text: &str| text.chars().take_while(|c| is_word(*c)).collect::<String>();
    let mut found = Vec::new();
    for first in alternatives(text) {
        let module = name(first);
        let Some(rest) = first[module.len()..].strip_prefix("::") else {
            found.push((module, String::new()));
            continue;
        };
        for second in alternatives(rest) {
            let item = if second.starts_with('*') { "*".to_owned() } else { name(second) };
            found.push((module.clone(), if item == "self" { String::new() } else { item }));
        }
    }
    found
}

/// The members of a leading `{…}`, or the text itself.
fn alternatives(text: &str) -> Vec<&str> {
    let Some(inside) = text.strip_prefix('{') else { return vec![text] };
    let (mut members, mut depth, mut start) = (Vec::new(), 0, 0);
    for (i, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                members.push(inside[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
        if c == '}' && depth == 0 && start == i + 1 {
            break;
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

/// The files of `#[cfg(test)] mod name;` in the file at `path`, without `.rs`.
pub fn test_modules(path: &str, source: &str) -> Vec<String> {
    let (folder, name) = path.trim_end_matches(".rs").rsplit_once('/').unwrap_or_default();
    let inner = if ["mod", "lib", "main"].contains(&name) { folder.to_owned() } else { format!("{folder}/{name}") };
    let module = |behind: &str| -> Option<String> {
        let (item, _) = behind.split_once(';')?;
        let (attributes, module) = item.rsplit_once("mod ")?;
        let mut lines = attributes.lines().map(str::trim).filter(|line| !line.is_empty());
        if let Some(file) = lines.clone().find_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix(".rs\"]")) {
            return Some(format!("{folder}/{file}"));
        }
        (lines.all(|line| line.starts_with("#[")) && module.chars().all(is_word)).then(|| format!("{inner}/{module}"))
    };
    source.split("#[cfg(test)]").skip(1).filter_map(module).collect()
}

#[test]
fn comments_strings_and_tests_are_no_code() {
    let source = "a /* unsafe */ \"unsafe \\\" unsafe\" // unsafe\nr#\"unsafe \" \"# '\\'' '\"' b\n#[cfg(test)]\nmod t { \
                  fn f() { unsafe {} } }\n&'a unsafe";
    let code = Code::of(source);
    assert_eq!(code.lines_with("unsafe"), [5]);
    assert_eq!((code.lines(), code.lines_with("b")), (5, vec![2]));
    assert!(Code::of("#[cfg(test)]\nuse a::{b, c};\nfn kept() {}").bare.contains("kept"));
    assert!(Code::of("#[cfg(test)]\nconst T: [u8; 2] = [1; 2];\nfn kept() {}").bare.contains("kept"));
    assert!(!Code::of("#[cfg(test)]\n#[path = \"x[.rs\"]\nmod gone;\n").bare.contains("gone"));
}

#[test]
fn words_are_whole() {
    let code = Code::of("unsafe_code eprintln!() println! x.unwrap() x.unwrap_or() std::thread::spawn\n\"cuda\"");
    let found = |word| !code.lines_with(word).is_empty();
    assert_eq!(
        ["unsafe", "print!", "println!", ".unwrap()", "thread::", "unwrap"].map(found),
        [false, false, true, true, true, true]
    );
    assert_eq!((code.lines_with("cuda"), code.lines_with("\"cuda\"")), (vec![], vec![2]));
}

#[test]
fn imports_are_found_in_every_form() {
    let pairs = |text: &str, depth| -> Vec<String> {
        Code::of(text).imports(depth).into_iter().map(|(module, item)| format!("{module} {item}")).collect()
    };
    assert_eq!(pairs("use crate::{a, b::{C, self, d::E}, f::G as H};", 1), ["a ", "b C", "b ", "b d", "f G"]);
    assert_eq!(pairs("let x: crate::a::B = (crate::c::d)();\nuse crate::e::*;", 1), ["a B", "c d", "e *"]);
    assert_eq!(pairs("use super::a::B; use super::super::c::D;", 2), ["c D"]);
    assert_eq!(pairs("use super::a::{\n    B,\n    C,\n};", 1), ["a B", "a C"]);
    assert_eq!(pairs("use clove::a::B; clove_training::Recipe; $crate::a!()", 1), ["a ", "a B", "training "]);
    assert!(pairs("use std::crate_x::y; other::crate::z; my_crate::a", 1).is_empty());
}

#[test]
fn test_files_are_known_by_their_declaration() {
    let source = "#[cfg(test)]\nmod fixtures;\n#[cfg(test)]\n#[expect(a)]\n#[path = \"x_tests.rs\"]\nmod tests;\n#[cfg(test)]\nuse a;";
    assert_eq!(test_modules("src/a/mod.rs", source), ["src/a/fixtures", "src/a/x_tests"]);
    assert_eq!(test_modules("src/a/b.rs", source), ["src/a/b/fixtures", "src/a/x_tests"]);
    assert!(test_modules("src/a.rs", "#[cfg(test)]\nmod tests { fn f() { g(); } }").is_empty());
}
