//! Hard negatives: the lexicon and the substitutes against NLTK, the styles, files, the command.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clove_training::negatives::lexicon::{Lexicon, Pos, Sense, Synset};
use clove_training::negatives::made_elsewhere::{Row, Rows};
use clove_training::negatives::{Generator, Kind, Negative, Style, equal_by_tokens};
use serde_json::Value;

use super::cli::clove;

pub fn golden(name: &str) -> PathBuf {
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

#[test]
fn negatives_candidates_weigh_as_over_nltk() {
    let generator = Generator::new().unwrap();
    let golden = wordnet();
    let rows = golden["candidates"].as_object().unwrap();
    assert!(rows.len() > 100);
    for (key, wanted) in rows {
        let (word, pos) = key.rsplit_once('/').unwrap();
        let pos = Pos::ALL[["n", "v", "a", "r"].iter().position(|p| *p == pos).unwrap()];
        let found: BTreeMap<String, u64> =
            generator.word_candidates(word, pos).into_iter().map(|(name, weight)| (name, u64::from(weight))).collect();
        let wanted: BTreeMap<String, u64> =
            wanted.as_object().unwrap().iter().map(|(name, weight)| (name.clone(), weight.as_u64().unwrap())).collect();
        assert_eq!(found, wanted, "{key}");
    }
}

const CAPTIONS: [&str; 6] = [
    "A large brown dog sitting on a red couch.",
    "Two women riding old bicycles down a narrow street",
    "THE BLACK CAT SLEEPS ON A CHAIR",
    "a man holding a blue umbrella in front of a white building",
    "beach",
    "",
];

#[test]
fn negatives_replace_changes_one_place_and_keeps_the_form() {
    let generator = Generator::new().unwrap();
    for caption in CAPTIONS {
        let all = generator.candidates(caption, 50);
        assert_eq!(all.is_empty(), ["beach", ""].contains(&caption), "{caption}");
        for n in &all {
            let replaced = |at: usize| format!("{}{}{}", &caption[..at], n.to, &caption[at + n.from.len()..]);
            assert!(caption.match_indices(&n.from).any(|(at, _)| replaced(at) == n.caption), "{n:?}");
            assert!(n.weight >= 1 && n.share > 0.0 && n.share <= 1.0 && !n.reason.is_empty());
        }
    }
    let has = |caption: &str, from: &str, to: &str| {
        generator.candidates(caption, usize::MAX).iter().any(|n| n.from == from && n.to == to)
    };
    assert!(has(CAPTIONS[0], "large", "small"), "antonym");
    assert!(has(CAPTIONS[0], "brown", "green"), "adjective by way of its noun");
    assert!(has(CAPTIONS[1], "women", "men"), "plural");
    assert!(has(CAPTIONS[1], "riding", "walking"), "form in -ing");
    assert!(has(CAPTIONS[2], "BLACK", "WHITE"), "capitals");
    assert!(has(CAPTIONS[2], "ON", "IN FRONT OF"), "preposition of several words");
    assert!(has(CAPTIONS[3], "in front of", "behind"), "preposition of several words, replaced whole");
    assert!(!has(CAPTIONS[0], "couch", "sofa"), "a shared meaning is no negative");
}

#[test]
fn negatives_depend_on_seed_and_number_alone() {
    let generator = Generator::new().unwrap();
    let captions: Vec<String> =
        (0..600).map(|i| CAPTIONS[i % 4].replace("large", ["big", "small", "tall"][i % 3])).collect();
    for style in Style::ALL {
        let alone: Vec<_> =
            captions.iter().enumerate().map(|(i, c)| generator.negatives(c, style, 2, 5, 100 + i as u64)).collect();
        for threads in [1, 2, 5] {
            // A generator of its own: what others asked for before must not matter.
            let fresh = Generator::new().unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(
                pool.install(|| fresh.batch(&captions, style, 2, 5, 100)),
                alone,
                "{style:?} on {threads} threads"
            );
        }
        let other = generator.batch(&captions, style, 2, 6, 100);
        assert!(style == Style::Relation || style == Style::Swap || other != alone, "another seed changes something");
        for (caption, found) in captions.iter().zip(&alone) {
            assert!(found.len() <= 2 && found.iter().all(|n| n.caption != *caption), "{caption}");
            assert!(found.len() < 2 || found[0].caption != found[1].caption, "{caption}");
        }
    }
}

#[test]
fn negatives_of_each_style_are_what_they_say() {
    let generator = Generator::new().unwrap();
    let of = |caption: &str, style| generator.negatives(caption, style, 10, 1, 0);
    let kinds = |found: &[Negative]| found.iter().map(|n| n.kind).collect::<BTreeSet<Kind>>();
    let caption = "A red car parks behind a green bus near two big dogs and some cats.";
    let swapped = of(caption, Style::Swap);
    assert_eq!(kinds(&swapped), BTreeSet::from([Kind::SwapEntities, Kind::SwapModifiers]));
    assert!(swapped.iter().any(|n| n.caption == "A green car parks behind a red bus near two big dogs and some cats."));
    assert!(!swapped.iter().any(|n| n.caption.contains("some cats and two big dogs")), "that is still true");
    let related = of("The bowl is under the lamp", Style::Relation);
    assert_eq!(related[0].caption, "The lamp is under the bowl");
    assert_eq!(related.len(), 1);
    let negclip = of(caption, Style::Negclip);
    assert!(kinds(&negclip).contains(&Kind::PluralNouns) && kinds(&negclip).contains(&Kind::Nouns));
    let words = |text: &str| {
        let mut words: Vec<String> =
            text.to_lowercase().split(|c: char| !c.is_alphabetic()).map(str::to_owned).collect();
        words.sort();
        words
    };
    for style in [Style::Negclip, Style::Swap, Style::Shuffle, Style::Relation] {
        for n in of(caption, style) {
            assert_eq!(words(&n.caption), words(caption), "{n:?}");
        }
    }
    assert_eq!(of(caption, Style::Shuffle).len(), 4);
    let many = of(caption, Style::Replace);
    assert_eq!(kinds(&many[..3]), BTreeSet::from([Kind::ReplaceEntity, Kind::ReplaceModifier, Kind::ReplaceRelation]));
}

#[test]
fn negatives_draw_by_weight() {
    let generator = Generator::new().unwrap();
    let caption = "a cat on a mat";
    let (mut of, mut relations) = (0.0, 0.0);
    for index in 0..20_000 {
        if let Some(n) = generator.negatives(caption, Style::Replace, 1, 3, index).first()
            && n.kind == Kind::ReplaceRelation
        {
            relations += 1.0;
            of += f64::from(u8::from(n.to == "of"));
        }
    }
    // Two draws without replacement, one of them kept: P("of") = (p + sum over the others of q p / (1 - q)) / 2.
    let weights: Vec<f64> =
        generator.candidates(caption, 100).iter().filter(|n| n.from == "on").map(|n| n.share).collect();
    let p = generator.candidates(caption, 100).iter().find(|n| n.to == "of").unwrap().share;
    let second: f64 = weights.iter().filter(|q| (**q - p).abs() > 1e-12).map(|q| q * p / (1.0 - q)).sum();
    let wanted = p.midpoint(second);
    let sigma = (wanted * (1.0 - wanted) / relations).sqrt();
    assert!((of / relations - wanted).abs() < 4.0 * sigma, "{} for {wanted}", of / relations);
}

#[test]
fn negatives_equal_by_tokens_are_named() {
    let generator = Generator::new().unwrap();
    let negatives = generator.negatives("a dog on a mat", Style::Shuffle, 4, 0, 0);
    let letters = |text: &str| {
        let mut sorted: Vec<u32> = text.chars().map(u32::from).collect();
        sorted.sort_unstable();
        sorted
    };
    assert_eq!(equal_by_tokens("a dog on a mat", &negatives, letters).len(), negatives.len());
    assert!(equal_by_tokens("a dog on a mat", &negatives, |text| text.chars().map(u32::from).collect()).is_empty());
}

#[test]
fn negatives_take_any_text() {
    let generator = Generator::new().unwrap();
    let junk = ["a dog on a mat and ", "walk ", "dogs, ", "and ", "red ", "of a of "]
        .map(|text| text.repeat(1024 / text.len()));
    let long = "a dog on a mat and ".repeat(400);
    let start = std::time::Instant::now();
    for caption in &junk {
        for style in Style::ALL {
            generator.negatives(caption, style, 5, 0, 0);
        }
    }
    assert!(start.elapsed().as_secs() < 20, "junk takes {:?}", start.elapsed());
    let odd = [
        "\u{0}",
        "👩‍👩‍👧 on a 🛹",
        "İstanbul'da bir köprü",
        "a\u{300}a\u{300} ߷",
        "((((",
        "of of of to to",
        "'s 's",
        &long,
        "A.B.C",
        "ǅ on ß",
    ];
    for caption in odd {
        for style in Style::ALL {
            generator.negatives(caption, style, 5, 0, 0);
        }
        generator.candidates(caption, 3);
    }
}

#[test]
fn negatives_made_elsewhere_are_read_as_they_are() {
    let desk = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &[u8]| {
        let path = desk.path().join(name);
        std::fs::write(&path, text).unwrap();
        Rows::open(&path).map(|rows| rows.map(|row| row.map_err(|e| e.to_string())).collect::<Vec<_>>())
    };
    let row = |caption: &str, negatives: &[&str], image: Option<&str>| Row {
        caption: caption.into(),
        negatives: negatives.iter().map(|n| (*n).to_owned()).collect(),
        image: image.map(str::to_owned),
    };
    let tsv = "filepath\ttitle\tneg_caption\tneg_image\n1.jpg\tA man's hat, red\t['A hat\\'s man', \"b\"]\t[]\n2.jpg\tx\t[]\t[]\n";
    let wanted = [row("A man's hat, red", &["A hat's man", "b"], Some("1.jpg")), row("x", &[], Some("2.jpg"))];
    assert_eq!(read("a.tsv", tsv.as_bytes()).unwrap(), wanted.map(Ok));
    let csv = "caption,negative_caption\r\n\"a \"\"big\"\" dog, running\",a small dog\r\n";
    assert_eq!(read("a.csv", csv.as_bytes()).unwrap(), [Ok(row("a \"big\" dog, running", &["a small dog"], None))]);
    let json = "{\"caption\":\"a\",\"negatives\":[\"b\",{\"caption\":\"c\",\"kind\":\"nouns\"}]}\n\n{\"caption\":\"d\",\"negative_caption\":\"e\"}\n{\"caption\":3}\n{\"caption\":\"f\"}";
    let found = read("a.jsonl", json.as_bytes()).unwrap();
    assert_eq!((&found[0], &found[1]), (&Ok(row("a", &["b", "c"], None)), &Ok(row("d", &["e"], None))));
    assert!(found[2].as_ref().is_err_and(|e| e.contains("Row 4") && e.ends_with("a.jsonl")), "{found:?}");
    assert_eq!(found[3], Ok(row("f", &[], None)));
    let evil = "title,neg_caption\na,\"[__import__('os').system('true')]\"\nb,['c']\n";
    let found = read("evil.csv", evil.as_bytes()).unwrap();
    assert!(found[0].is_err() && found[1] == Ok(row("b", &["c"], None)));
    let open_quote = [b"title,neg_caption\na,\"".as_slice(), &vec![b'x'; 3 << 20]].concat();
    let found = read("open.csv", &open_quote).unwrap();
    assert!(found.len() == 1 && found[0].as_ref().is_err_and(|e| e.contains("longer than")), "{}", found.len());
    assert!(read("columns.csv", b"a,b\n1,2\n").is_err());
    assert_eq!(read("empty.csv", b"").unwrap(), []);
}

#[test]
fn negatives_command_writes_json_lines() {
    let desk = tempfile::tempdir().unwrap();
    let file = desk.path().join("captions.txt");
    std::fs::write(&file, CAPTIONS.join("\n") + "\n").unwrap();
    let file = file.to_str().unwrap();
    let run = |more: &[&str]| clove(&[&["negatives", file], more].concat());
    let first = run(&["--per-caption", "3", "--seed", "4"]);
    assert_eq!(first.status, 0, "{}", first.err);
    assert_eq!(run(&["--per-caption", "3", "--seed", "4"]).out, first.out);
    let lines: Vec<Value> = first.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|l| l["caption"].as_str().unwrap()).collect::<Vec<_>>(), CAPTIONS);
    let generator = Generator::new().unwrap();
    for (i, line) in lines.iter().enumerate() {
        let wanted = generator.negatives(CAPTIONS[i], Style::Replace, 3, 4, i as u64);
        // Through text on both sides: a number's last digit may change when it is read.
        let wanted: Value = serde_json::from_str(&serde_json::to_string(&wanted).unwrap()).unwrap();
        assert_eq!(line["negatives"], wanted);
    }
    assert!(first.err.contains("2 captions have none"), "{}", first.err);
    let elsewhere = desk.path().join("ours.jsonl");
    std::fs::write(&elsewhere, &first.out).unwrap();
    let rows: Vec<Row> = Rows::open(&elsewhere).unwrap().map(Result::unwrap).collect();
    assert!(rows.len() == CAPTIONS.len() && rows[0].negatives.len() == 3);
    assert_eq!(run(&["--style", "magic"]).status, 2);
    clove(&["negatives", "no such file"]).fails(1, &["cannot read the captions", "no such file"]);
}
