//! Hard negatives: the lexicon against NLTK's reader.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clove_training::negatives::lexicon::{Lexicon, Pos, Sense, Synset};
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/negatives").join(name)
}

fn wordnet() -> Value {
    let mut text = String::new();
    flate2::read::GzDecoder::new(File::open(golden("wordnet.json.gz")).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

fn names(lexicon: &Lexicon, synsets: impl Iterator<Item = Synset>) -> Vec<String> {
    synsets.map(|synset| lexicon.synset_name(synset)).collect()
}

fn full(lexicon: &Lexicon, senses: impl Iterator<Item = Sense>) -> Vec<String> {
    senses.map(|s| format!("{}/{}", lexicon.synset_name(lexicon.synset(s)), lexicon.lemma(s))).collect()
}

#[test]
fn negatives_lexicon_answers_as_nltk() {
    let lexicon = Lexicon::embedded().unwrap();
    let golden = wordnet();
    let words = golden["words"].as_object().unwrap();
    assert_eq!(words.len(), 500);
    let mut synsets = BTreeMap::new();
    for (word, by_pos) in words {
        for (pos, key) in Pos::ALL.into_iter().zip(["n", "v", "a", "r"]) {
            let lemmas: Vec<&str> = lexicon.lemmas_of(word, pos).into_iter().map(|n| lexicon.spelling(n)).collect();
            assert_eq!(lemmas, strings(&by_pos[key]["lemmas"]), "{word} {key}");
            let found = lexicon.synsets(word, pos);
            assert_eq!(names(lexicon, found.iter().copied()), strings(&by_pos[key]["synsets"]), "{word} {key}");
            synsets.extend(found.into_iter().map(|synset| (lexicon.synset_name(synset), synset)));
        }
    }
    let rows = golden["synsets"].as_object().unwrap();
    assert!(rows.len() > 1000);
    for (name, row) in rows {
        let synset = synsets[name];
        assert_eq!(names(lexicon, lexicon.hypernyms(synset)), strings(&row["hypernyms"]), "{name}");
        assert_eq!(names(lexicon, lexicon.hyponyms(synset)), strings(&row["hyponyms"]), "{name}");
        assert_eq!(names(lexicon, lexicon.similar(synset)), strings(&row["similar"]), "{name}");
        let senses: Vec<Sense> = lexicon.senses(synset).collect();
        let lemmas = row["lemmas"].as_array().unwrap();
        assert_eq!(senses.len(), lemmas.len(), "{name}");
        for (sense, lemma) in senses.into_iter().zip(lemmas) {
            assert_eq!(lexicon.lemma(sense), lemma[0], "{name}");
            assert_eq!(u64::from(lexicon.count(sense)), lemma[1].as_u64().unwrap(), "{name}");
            assert_eq!(full(lexicon, lexicon.antonyms(sense)), strings(&lemma[2]), "{name}");
            assert_eq!(full(lexicon, lexicon.derivations(sense)), strings(&lemma[3]), "{name}");
        }
    }
}

#[path = "negatives_labelled.rs"]
mod labelled;
