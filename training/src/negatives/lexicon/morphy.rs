//! Inflected form to lemmas, as NLTK 3.8.1 does it.

use super::{Lexicon, Name, Pos};

/// Endings and what stands in their place, tried in this order.
const NOUN: &[(&str, &str)] = &[
    ("s", ""),
    ("ses", "s"),
    ("ves", "f"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
];
const VERB: &[(&str, &str)] =
    &[("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")];
const ADJECTIVE: &[(&str, &str)] = &[("er", ""), ("est", ""), ("er", "e"), ("est", "e")];

fn shorter(forms: &[String], pos: Pos) -> Vec<String> {
    let endings = match pos {
        Pos::Noun => NOUN,
        Pos::Verb => VERB,
        Pos::Adjective => ADJECTIVE,
        Pos::Adverb => &[],
    };
    let cut = |form: &String, old: &str, new: &str| Some(format!("{}{new}", form.strip_suffix(old)?));
    forms.iter().flat_map(|form| endings.iter().filter_map(move |(old, new)| cut(form, old, new))).collect()
}

impl Lexicon {
    /// The lemmas that a word may be a form of, itself first where it is one; NLTK's `_morphy`.
    pub fn lemmas_of(&self, word: &str, pos: Pos) -> Vec<Name> {
        let word = word.to_lowercase();
        if let Some(lemmas) = self.exceptions[pos as usize].get(&word) {
            return self.known(std::iter::once(&word).chain(lemmas), pos);
        }
        let mut forms = shorter(std::slice::from_ref(&word), pos);
        let mut found = self.known(std::iter::once(&word).chain(&forms), pos);
        while found.is_empty() && !forms.is_empty() {
            forms = shorter(&forms, pos);
            found = self.known(forms.iter(), pos);
        }
        found
    }

    fn known<'a>(&self, forms: impl Iterator<Item = &'a String>, pos: Pos) -> Vec<Name> {
        let mut names = Vec::new();
        for name in forms.filter_map(|form| self.names.find(form)) {
            if !names.contains(&name) && self.meanings(name, pos).next().is_some() {
                names.push(name);
            }
        }
        names
    }
}
