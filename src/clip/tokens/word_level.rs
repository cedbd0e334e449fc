//! A small tokenizer in which every word of a list is one token: the demo's vocabulary.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::bytes::{byte_characters, byte_vocabulary};
use super::{END, START};

/// What Hugging Face's CLIP files cut text with.
const PIECE: &str = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// Two neighbours that become one.
type Merge = (String, String);

/// A CLIP-style `tokenizer.json` in which each of `words` is one token.
///
/// Ids: 256 bytes, 256 bytes that end a word, one per merged piece, then `<|startoftext|>` and `<|endoftext|>` as the
/// last two. Words are lower case and made of letters, for the pre-tokenizer cuts at anything else; other text still
/// falls into byte pieces. Normalizer, pre-tokenizer and post-processor are those of Hugging Face's CLIP files, so that
/// `transformers` reads the result.
pub fn word_level_bpe(words: &[&str]) -> String {
    let mut vocabulary = byte_vocabulary();
    let mut known: HashSet<String> = vocabulary.iter().cloned().collect();
    let mut merges: Vec<Merge> = Vec::new();
    let mut ranks: HashMap<Merge, usize> = HashMap::new();
    for word in words {
        // A new merge ranks last: every earlier word is whole before it could apply.
        while let [first, second, ..] = pieces(word, &ranks).as_slice() {
            let merged = format!("{first}{second}");
            if known.insert(merged.clone()) {
                vocabulary.push(merged);
            }
            merges.push((first.clone(), second.clone()));
            ranks.insert((first.clone(), second.clone()), merges.len());
        }
    }
    tokenizer_json(vocabulary, &merges).to_string()
}

/// The word's pieces once no merge applies: always the best ranked pair first, wherever it stands.
fn pieces(word: &str, ranks: &HashMap<Merge, usize>) -> Vec<String> {
    let characters = byte_characters();
    let mut pieces: Vec<String> = word.bytes().map(|byte| characters[usize::from(byte)].to_string()).collect();
    if let Some(last) = pieces.last_mut() {
        last.push_str("</w>");
    }
    let best = |pieces: &[String]| {
        let pairs = pieces.windows(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        pairs.filter_map(|pair| Some((*ranks.get(&pair)?, pair))).min()
    };
    while let Some((_, (first, second))) = best(&pieces) {
        let mut at = 0;
        while at + 1 < pieces.len() {
            if pieces[at] == first && pieces[at + 1] == second {
                pieces[at] += &second;
                pieces.remove(at + 1);
            }
            at += 1;
        }
    }
    pieces
}

fn tokenizer_json(mut vocabulary: Vec<String>, merges: &[Merge]) -> Value {
    let (start, end) = (vocabulary.len(), vocabulary.len() + 1);
    vocabulary.extend([START[0].to_owned(), END[0].to_owned()]);
    let special = |id: usize, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
               "normalized": false, "special": true})
    };
    let ids: serde_json::Map<String, Value> =
        vocabulary.into_iter().enumerate().map(|(id, piece)| (piece, json!(id))).collect();
    // As lines: every version of the tokenizers library reads them so, and no piece contains a space.
    let merges: Vec<String> = merges.iter().map(|(first, second)| format!("{first} {second}")).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(start, START[0]), special(end, END[0])],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": PIECE}, "behavior": "Removed", "invert": true},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}]},
        "post_processor": {"type": "RobertaProcessing", "sep": [END[0], end], "cls": [START[0], start],
            "trim_offsets": false, "add_prefix_space": false},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": END[0], "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": ids, "merges": merges}
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::tokens::Tokenizer;

    const WORDS: [&str; 14] =
        ["ant", "banana", "anana", "nab", "a", "red", "circle", "above", "abab", "abc", "bc", "square", "the", "naïve"];

    #[test]
    fn every_word_is_one_token_and_other_text_falls_into_pieces() {
        let json = word_level_bpe(&WORDS);
        let tokenizer = Tokenizer::from_bytes(json.as_bytes(), 16).unwrap();
        assert_eq!(tokenizer.end() as usize, tokenizer.vocab_size() - 1);
        assert_eq!(tokenizer.start() + 1, tokenizer.end());
        let mut ids = HashSet::new();
        for word in WORDS {
            let row = tokenizer.encode(&word.to_uppercase());
            assert_eq!(row.len(), 3, "{word}: {row:?}");
            assert!(ids.insert(row[1]), "{word} shares its id");
        }
        assert_eq!(tokenizer.encode("the red circle").len(), 5);
        let row = tokenizer.encode("zz 7 😀!");
        assert_eq!(row.len(), 2 + 2 + 1 + 5);
        assert!(row[1..row.len() - 1].iter().all(|&id| id < 512), "{row:?}");
    }

    #[test]
    fn a_vocabulary_of_eighty_words_stays_small() {
        let words: Vec<String> = (0..80_u32)
            .map(|n| (0..10).map(|i| char::from(b'a' + ((n * 7 + i * (n % 5 + 3)) % 26) as u8)).collect())
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let tokenizer = Tokenizer::from_bytes(word_level_bpe(&words).as_bytes(), 16).unwrap();
        assert!(tokenizer.vocab_size() <= 2000, "{}", tokenizer.vocab_size());
        assert!(words.iter().all(|word| tokenizer.encode(word).len() == 3));
        assert_eq!(word_level_bpe(&words), word_level_bpe(&words));
    }
}
