//! The words of a caption as NLTK's `word_tokenize` splits them: the rules of the Penn Treebank tokenizer with NLTK's
//! additions (`nltk/tokenize/destructive.py` of NLTK 3.10.4; rules by Robert MacIntyre and others).
//!
//! NLTK first splits sentences by a trained model (Punkt). Here a word that ends in `.`, `!` or `?` ends a sentence
//! unless it is an initial or one of a few abbreviations; that matters only for captions of several sentences.

use std::sync::LazyLock;

use fancy_regex::Regex;

/// Rules before the padding of brackets: what to find, what to put there.
const BEFORE: [(&str, &str); 16] = [
    // Opening quotes.
    (r"([«“‘„]|[`]+)", " ${1} "),
    (r#"^""#, "``"),
    (r"(``)", " ${1} "),
    (r#"([ \(\[{<])("|'{2})"#, "${1} `` "),
    (r"(?i)(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", "${1} "),
    // Punctuation.
    (r#"([^\.])(\.)([\]\)}>"'»”’ ]*)\s*$"#, "${1} ${2} ${3} "),
    (r"([:,])([^\d])", " ${1} ${2}"),
    (r"([:,])$", " ${1} "),
    (r"\.{2,}", " ${0} "),
    (r"[;@#$%&]", " ${0} "),
    (r"[\u{2012}-\u{2015}]", " ${0} "),
    (r#"([^\.])(\.)([\]\)}>"']*)\s*$"#, "${1} ${2}${3} "),
    (r"[?!]", " ${0} "),
    (r"([^'])' ", "${1} ' "),
    (r"[*]", " ${0} "),
    (r"[\]\[\(\)\{\}<>]", " ${0} "),
];
/// Rules after the text has a space at both ends.
const AFTER: [(&str, &str); 17] = [
    // Closing quotes and clitics.
    (r"([»”’])", " ${1} "),
    (r"''", " '' "),
    (r#"""#, " '' "),
    (r"\s+", " "),
    (r"([^' ])('[sS]|'[mM]|'[dD]|') ", "${1} ${2} "),
    (r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", "${1} ${2} "),
    // Contractions that are written as one word.
    (r"(?i)\b(can)(not)\b", " ${1} ${2} "),
    (r"(?i)\b(d)('ye)\b", " ${1} ${2} "),
    (r"(?i)\b(gim)(me)\b", " ${1} ${2} "),
    (r"(?i)\b(gon)(na)\b", " ${1} ${2} "),
    (r"(?i)\b(got)(ta)\b", " ${1} ${2} "),
    (r"(?i)\b(lem)(me)\b", " ${1} ${2} "),
    (r"(?i)\b(more)('n)\b", " ${1} ${2} "),
    (r"(?i)\b(wan)(na)(?=\s)", " ${1} ${2} "),
    (r"(?i) ('t)(is)\b", " ${1} ${2} "),
    (r"(?i) ('t)(was)\b", " ${1} ${2} "),
    (r"\s+", " "),
];
/// Words with a period that does not end a sentence.
const ABBREVIATIONS: [&str; 14] =
    ["mr.", "mrs.", "ms.", "dr.", "st.", "vs.", "jr.", "sr.", "e.g.", "i.e.", "u.s.", "ft.", "mt.", "prof."];

type Rule = (Regex, &'static str);

fn compiled(rules: &[(&str, &'static str)]) -> Vec<Rule> {
    rules.iter().filter_map(|(find, put)| Some((Regex::new(find).ok()?, *put))).collect()
}

static RULES: LazyLock<[Vec<Rule>; 2]> = LazyLock::new(|| [compiled(&BEFORE), compiled(&AFTER)]);

/// Words and punctuation of a caption.
pub(super) fn word_tokenize(caption: &str) -> Vec<String> {
    sentences(caption).iter().flat_map(|sentence| words(sentence)).collect()
}

fn words(sentence: &str) -> Vec<String> {
    let [before, after] = &*RULES;
    let apply = |text: String, (find, put): &Rule| find.replace_all(&text, *put).into_owned();
    let text = before.iter().fold(sentence.to_owned(), apply);
    let double_dashes = text.replace("--", " -- ");
    let text = after.iter().fold(format!(" {double_dashes} "), apply);
    text.split_whitespace().map(str::to_owned).collect()
}

fn sentences(caption: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    for word in caption.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        if let Some(last) = sentences.last_mut() {
            last.push_str(word);
        }
        if ends_sentence(bare) && word.len() > bare.len() {
            sentences.push(String::new());
        }
    }
    sentences.iter().map(|sentence| sentence.trim().to_owned()).filter(|sentence| !sentence.is_empty()).collect()
}

fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches(['"', '\'', ')', ']', '}', '”', '’']);
    let is_initial = word.chars().count() == 2 && word.starts_with(char::is_alphabetic);
    match word.chars().last() {
        Some('!' | '?') => true,
        Some('.') => !(is_initial || word.ends_with("..") || ABBREVIATIONS.contains(&word.to_lowercase().as_str())),
        _ => false,
    }
}
