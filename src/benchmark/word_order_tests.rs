use serde_json::Value;

use super::*;

fn golden(part: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/benchmarks.json");
    let mut all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    serde_json::from_value(all[part].take()).unwrap()
}

fn of<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn both_generators_move_as_python_and_numpy_do() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/benchmarks.json");
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut orders = WordOrders::new(1);
    for n in 0..40 {
        let mut items: Vec<u64> = (0..n).collect();
        shuffle(&mut orders.python, &mut items);
        assert_eq!(items, of::<Vec<u64>>(&all["streams"]["python"][n as usize]), "python, {n}");
        let mut items: Vec<u64> = (0..n).collect();
        permute(&mut orders.numpy, &mut items);
        assert_eq!(items, of::<Vec<u64>>(&all["streams"]["numpy"][n as usize]), "numpy, {n}");
    }
}

#[test]
fn captions_are_cleaned_as_in_the_reference() {
    for row in golden("cleaned") {
        let (text, expected): (String, String) = of(&row);
        assert_eq!(clean(&text, MAX_WORDS), expected, "{text:?}");
    }
}

#[test]
fn words_are_split_as_nltk_does() {
    for row in golden("words") {
        let (text, expected): (String, Vec<String>) = of(&row);
        // Golden values are of one sentence; `wow!` ends one and gives the same words.
        assert_eq!(word_tokenize(&text), expected, "{text:?}");
    }
    assert_eq!(word_tokenize("A dog. a cat."), ["A", "dog", ".", "a", "cat", "."], "every sentence loses its period");
    assert_eq!(word_tokenize("St. Mary's vs. J. Doe."), ["St.", "Mary", "'s", "vs.", "J.", "Doe", "."]);
}

#[test]
fn four_orders_in_file_order_equal_the_references() {
    let mut orders = WordOrders::new(1);
    for row in golden("orders") {
        let (caption, tagged, expected): (String, Vec<Tagged>, Vec<String>) = of(&row);
        assert_eq!(orders.options(&caption, &tagged), expected, "{caption}");
    }
}

#[test]
fn anything_gives_five_options() {
    let mut orders = WordOrders::new(7);
    let long = "word ".repeat(3000);
    for caption in ["", " ", "\n", "\"", "'", "....", &long, "\u{0}\u{301}", "`` ''"] {
        assert_eq!(orders.options(caption, &[]).len(), 5);
        assert_eq!(orders.options(caption, &[(caption.to_owned(), "NN".to_owned())]).len(), 5);
    }
}
