//! Lemma to inflected form: WordNet's irregular forms read backwards, and the regular endings.

use super::{Lexicon, Pos};

/// The inflected form of a word; Penn's tag in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// As the dictionary has it (NN, VB, VBP, JJ, RB)
    Base,
    /// NNS
    Plural,
    /// VBZ
    ThirdPerson,
    /// VBG
    Ing,
    /// VBD
    Past,
    /// VBN
    Participle,
    /// JJR
    Comparative,
    /// JJS
    Superlative,
}

/// Verbs whose past and participle are the lemma; the exception lists cannot hold these.
const UNCHANGING: &[&str] = &[
    "beset", "bet", "bid", "burst", "cast", "cost", "cut", "hit", "hurt", "let", "offset", "put", "quit", "read",
    "reset", "rid", "set", "shed", "shut", "slit", "split", "spread", "thrust", "upset", "wed",
];

/// Nouns whose plural is the lemma.
const SAME_PLURAL: &[&str] = &[
    "aircraft",
    "sheep",
    "deer",
    "fish",
    "corps",
    "debris",
    "police",
    "cattle",
    "species",
    "series",
    "salmon",
    "trout",
    "bison",
    "moose",
    "swine",
    "shrimp",
    "offspring",
    "spacecraft",
    "hovercraft",
    "watercraft",
];

/// Irregular forms in the lists that captions do not use; the regular form is taken.
const UNUSUAL: &[&str] = &[
    "busses",
    "gasses",
    "kine",
    "beeves",
    "brethren",
    "pease",
    "staves",
    "clad",
    "shew",
    "stript",
    "addrest",
    "smit",
    "programmes",
];

/// Participles that are the lemma itself, while the past is not.
const PARTICIPLE_IS_LEMMA: &[&str] = &["come", "run"];

impl Lexicon {
    /// `lemma`, words joined by spaces or `_`, in the wanted form. Of several words, the noun's last and the verb's first
    /// change; adjectives of several words or more than two syllables have no comparative and stay as they are.
    pub fn inflect(&self, lemma: &str, pos: Pos, form: Form) -> String {
        let spaced = lemma.replace('_', " ");
        let inflected = |word: &str| self.inflect_word(word, pos, form);
        match (pos, spaced.split_once(' '), spaced.rsplit_once(' ')) {
            // A name of several words: "Picris echioides".
            (_, Some(_), _) if spaced.starts_with(char::is_uppercase) => spaced,
            (_, _, _) if form == Form::Base => spaced,
            (Pos::Noun, _, Some((head, last))) => format!("{head} {}", inflected(last)),
            (Pos::Verb, Some((first, rest)), _) => format!("{} {rest}", inflected(first)),
            (_, Some(_), _) => spaced,
            _ => inflected(&spaced),
        }
    }

    fn inflect_word(&self, word: &str, pos: Pos, form: Form) -> String {
        let lower = word.to_lowercase();
        if word.is_empty() {
            return String::new();
        }
        if pos == Pos::Verb && matches!(form, Form::Past | Form::Participle) {
            if lower == "be" {
                return if form == Form::Past { "was" } else { "been" }.to_owned();
            }
            if UNCHANGING.contains(&lower.as_str()) {
                return word.to_owned();
            }
        }
        if pos == Pos::Noun && SAME_PLURAL.contains(&lower.as_str()) || form == Form::Past && lower == "beat" {
            return word.to_owned();
        }
        self.irregular_form(&lower, pos, form).unwrap_or_else(|| regular(word, &lower, form))
    }

    fn irregular_form(&self, lemma: &str, pos: Pos, form: Form) -> Option<String> {
        let forms = self.irregular[pos as usize].get(lemma)?;
        let mut usual = forms.iter().filter(|f| {
            !UNUSUAL.contains(&f.as_str()) && f.as_str() != lemma && (lemma.contains('-') || !f.contains('-'))
        });
        let past = |f: &&String| !(f.ends_with("ing") || f.ends_with('s') && !f.ends_with("ss"));
        match form {
            Form::Base => None,
            Form::Plural => usual.next().cloned(),
            Form::Ing => usual.find(|f| f.ends_with("ing")).cloned(),
            Form::ThirdPerson => usual.find(|f| f.ends_with('s') && !f.ends_with("ss")).cloned(),
            Form::Comparative => usual.find(|f| f.ends_with('r') || f.as_str() == "worse").cloned(),
            Form::Superlative => usual.find(|f| f.ends_with("st")).cloned(),
            Form::Past => usual.filter(past).find(|f| !is_participle(f)).cloned(),
            Form::Participle if PARTICIPLE_IS_LEMMA.iter().any(|end| lemma.ends_with(end)) => Some(lemma.to_owned()),
            Form::Participle => {
                let forms: Vec<&String> = usual.filter(past).collect();
                forms.iter().find(|f| is_participle(f)).or(forms.first()).map(|f| (*f).clone())
            }
        }
    }
}

/// `given`, `torn`, `sung`: the participle of verbs that have a past of their own (gave, tore, sang).
fn is_participle(form: &str) -> bool {
    let long = form.len() > 3;
    let vowel_u = ["ung", "unk", "um"].iter().any(|end| form.ends_with(end)) && !UNG_IS_PAST.contains(&form);
    long && (form.ends_with("en") || form.ends_with("wn") || form.ends_with("rn") || vowel_u || form == "begun")
        || ["done", "gone", "lain"].iter().any(|end| form.ends_with(end))
}

/// Pasts in -ung that are participle and past at once.
const UNG_IS_PAST: &[&str] =
    &["clung", "flung", "hung", "slung", "slunk", "stung", "strung", "swung", "wrung", "overhung"];

fn regular(word: &str, lower: &str, form: Form) -> String {
    let before = |n: usize| lower.chars().rev().nth(n);
    let last = before(0).unwrap_or(' ');
    let stem = |cut: usize| word.get(..word.len().saturating_sub(cut)).unwrap_or(word);
    let consonant_y = last == 'y' && before(1).is_some_and(|c| !is_vowel(c));
    let doubled =
        if doubles(lower) { word.chars().last().map(String::from).unwrap_or_default() } else { String::new() };
    match form {
        Form::Base => word.to_owned(),
        Form::Plural | Form::ThirdPerson if consonant_y => format!("{}ies", stem(1)),
        Form::Plural if lower.ends_with("man") && lower.len() > 3 && lower != "human" && word == lower => {
            format!("{}en", stem(2))
        }
        Form::Plural if lower.ends_with("sis") => format!("{}es", stem(2)),
        Form::Plural | Form::ThirdPerson if hisses(lower) => format!("{word}es"),
        Form::Plural | Form::ThirdPerson => format!("{word}s"),
        Form::Ing if lower.ends_with("ie") => format!("{}ying", stem(2)),
        Form::Ing if last == 'e' && !["ee", "oe", "ye"].iter().any(|e| lower.ends_with(e)) => format!("{}ing", stem(1)),
        Form::Ing => format!("{word}{doubled}ing"),
        Form::Past | Form::Participle if last == 'e' => format!("{word}d"),
        Form::Past | Form::Participle if consonant_y => format!("{}ied", stem(1)),
        Form::Past | Form::Participle => format!("{word}{doubled}ed"),
        Form::Comparative | Form::Superlative if syllables(lower) > 2 || lower.ends_with("ful") => word.to_owned(),
        Form::Comparative | Form::Superlative => {
            let end = if form == Form::Comparative { "er" } else { "est" };
            match last {
                'e' => format!("{}{end}", stem(1)),
                _ if consonant_y => format!("{}i{end}", stem(1)),
                _ => format!("{word}{doubled}{end}"),
            }
        }
    }
}

/// Nouns and verbs in -o that take -es.
const O_WITH_ES: &[&str] = &[
    "go", "do", "potato", "tomato", "hero", "echo", "mango", "tornado", "volcano", "undergo", "forego", "undo", "redo",
    "veto",
];

/// Nouns whose -ch is a k.
const HARD_CH: [&str; 5] = ["stomach", "monarch", "epoch", "patriarch", "matriarch"];

/// Takes -es for -s.
fn hisses(lower: &str) -> bool {
    let sound = ["s", "x", "z", "ch", "sh"].iter().any(|end| lower.ends_with(end));
    sound && !HARD_CH.contains(&lower) || O_WITH_ES.contains(&lower)
}

/// Consonant, vowel, consonant in a word of one syllable: run, big, stop.
fn doubles(lower: &str) -> bool {
    let mut back = lower.chars().rev();
    let (Some(last), Some(middle), Some(first)) = (back.next(), back.next(), back.next()) else { return false };
    let qu = first == 'u' && back.next() == Some('q');
    !is_vowel(last) && !"wxy".contains(last) && is_vowel(middle) && (!is_vowel(first) || qu) && syllables(lower) == 1
}

fn is_vowel(c: char) -> bool {
    "aeiou".contains(c)
}

/// Groups of vowels, without a silent final e.
fn syllables(lower: &str) -> usize {
    let letters: Vec<char> = lower.strip_suffix('e').unwrap_or(lower).chars().collect();
    // A y before a vowel is a consonant: lay-er.
    let sounds = |i: usize| {
        let next_is_vowel = letters.get(i + 1).is_some_and(|c| is_vowel(*c));
        letters.get(i).is_some_and(|c| is_vowel(*c) || *c == 'y' && !next_is_vowel)
    };
    (0..letters.len()).filter(|i| sounds(*i) && (*i == 0 || !sounds(i - 1))).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_and_irregular_forms() {
        let lexicon = Lexicon::embedded().unwrap();
        let cases = [
            ("dog", Pos::Noun, Form::Plural, "dogs"),
            ("hot_dog", Pos::Noun, Form::Plural, "hot dogs"),
            ("bus", Pos::Noun, Form::Plural, "buses"),
            ("city", Pos::Noun, Form::Plural, "cities"),
            ("man", Pos::Noun, Form::Plural, "men"),
            ("fireman", Pos::Noun, Form::Plural, "firemen"),
            ("goose", Pos::Noun, Form::Plural, "geese"),
            ("knife", Pos::Noun, Form::Plural, "knives"),
            ("aircraft", Pos::Noun, Form::Plural, "aircraft"),
            ("ego", Pos::Noun, Form::Plural, "egos"),
            ("layer", Pos::Verb, Form::Ing, "layering"),
            ("lie", Pos::Verb, Form::Past, "lay"),
            ("undergo", Pos::Verb, Form::Past, "underwent"),
            ("potato", Pos::Noun, Form::Plural, "potatoes"),
            ("photo", Pos::Noun, Form::Plural, "photos"),
            ("run", Pos::Verb, Form::Ing, "running"),
            ("run", Pos::Verb, Form::Past, "ran"),
            ("run", Pos::Verb, Form::Participle, "run"),
            ("give", Pos::Verb, Form::Past, "gave"),
            ("give", Pos::Verb, Form::Participle, "given"),
            ("swing", Pos::Verb, Form::Past, "swung"),
            ("swim", Pos::Verb, Form::Past, "swam"),
            ("swim", Pos::Verb, Form::Participle, "swum"),
            ("cut", Pos::Verb, Form::Participle, "cut"),
            ("lie", Pos::Verb, Form::Ing, "lying"),
            ("ride", Pos::Verb, Form::Ing, "riding"),
            ("carry", Pos::Verb, Form::ThirdPerson, "carries"),
            ("carry", Pos::Verb, Form::Past, "carried"),
            ("watch", Pos::Verb, Form::ThirdPerson, "watches"),
            ("open", Pos::Verb, Form::Ing, "opening"),
            ("look_at", Pos::Verb, Form::Ing, "looking at"),
            ("big", Pos::Adjective, Form::Comparative, "bigger"),
            ("happy", Pos::Adjective, Form::Superlative, "happiest"),
            ("good", Pos::Adjective, Form::Comparative, "better"),
            ("beautiful", Pos::Adjective, Form::Comparative, "beautiful"),
        ];
        for (lemma, pos, form, wanted) in cases {
            assert_eq!(lexicon.inflect(lemma, pos, form), wanted, "{lemma} {form:?}");
        }
    }
}
