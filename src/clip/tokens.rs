//! Captions to token ids.
//!
//! Two kinds of vocabulary: OpenAI's merge table, embedded, with open_clip's cleaning ([`Tokenizer::openai`]); and a
//! `tokenizer.json`, which brings its own rules ([`Tokenizer::from_file`]). Hugging Face's CLIP files do not repair
//! text, so “don’t” with curly quotes has different ids in the two; each equals its reference.
//!
//! What a caption can do: a literal `<end_of_text>` (open_clip) or `<|endoftext|>` (Hugging Face) in it *becomes* the end
//! token, as in both references, and cuts the caption there. Known differences from the references:
//!
//! * Only the first [`MAX_CHARACTERS`] of a text are read, far more than a context holds.
//! * Repair of mojibake is `plsfix`'s, a port of ftfy. On random captions it gave ftfy's text for 3,000 of 3,000 clean or
//!   partly broken ones and for 1,483 of 1,500 wholly broken ones; the others went through Greek or Cyrillic code pages.

mod bytes;
mod clean;
mod word_level;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::utils::SysRegex;
use tokenizers::{Model as _, Tokenizer as FileTokenizer};

pub use word_level::word_level_bpe;

/// How much of a text is read, in characters: bounds the cost of a caption from an untrusted file.
pub const MAX_CHARACTERS: usize = 16_384;

/// Names of the start token: Hugging Face's and OpenAI's, then open_clip's.
const START: [&str; 2] = ["<|startoftext|>", "<start_of_text>"];
/// Names of the end token, likewise.
const END: [&str; 2] = ["<|endoftext|>", "<end_of_text>"];
/// Merges of OpenAI's table that are in use: 49,152 entries less 256 bytes and the two special ones.
const OPENAI_MERGES: usize = 49_152 - 256 - 2;
/// What open_clip cuts text with.
const OPENAI_PIECE: &str =
    r"(?i)<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
/// Largest `tokenizer.json`; CLIP's has 2 to 4 MiB.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Why there is no tokenizer.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The context must hold the start and the end token.
    #[error("a context of {0} tokens cannot hold a caption")]
    ContextTooShort(usize),
    /// The embedded table is damaged.
    #[error("the embedded merge table cannot be used: {0}")]
    Table(String),
    /// Not a `tokenizer.json` of the tokenizers library, version 1.0.
    #[error("the tokenizer cannot be read: {0}")]
    Malformed(String),
    /// The vocabulary does not name a start and an end token as CLIP's do.
    #[error("the tokenizer is not CLIP's: it has no {} or no {}", START[0], END[0])]
    NoSpecialTokens,
    /// The operating system's word on a file.
    #[error("the tokenizer cannot be read: {source}: {}", path.display())]
    Unreadable {
        /// What went wrong.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// Any of the above, with the file it happened in.
    #[error("{source}: {}", path.display())]
    InFile {
        /// What went wrong.
        source: Box<TokenizerError>,
        /// Which file.
        path: PathBuf,
    },
}

/// Turns captions into rows of token ids.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    context_length: usize,
    vocab_size: usize,
    start: u32,
    end: u32,
}

enum Vocabulary {
    /// open_clip's `SimpleTokenizer`.
    OpenAi(Arc<OpenAi>),
    /// A `tokenizer.json`.
    File(Box<FileTokenizer>),
}

struct OpenAi {
    model: BPE,
    piece: SysRegex,
    /// The character that stands for each byte.
    characters: [char; 256],
}

impl OpenAi {
    fn embedded() -> Result<Self, String> {
        let packed = include_bytes!("../../assets/bpe_simple_vocab_16e6.txt.gz").as_slice();
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let lines = text.lines().skip(1).take(OPENAI_MERGES);
        let merges: Vec<(String, String)> =
            lines.filter_map(|line| line.split_once(' ')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        if merges.len() != OPENAI_MERGES {
            return Err(format!("{} merges instead of {OPENAI_MERGES}", merges.len()));
        }
        let mut pieces = bytes::byte_vocabulary();
        pieces.extend(merges.iter().map(|(first, second)| format!("{first}{second}")));
        let ids: Vocab = pieces.into_iter().zip(0..).collect();
        let builder = BPE::builder().vocab_and_merges(ids, merges).end_of_word_suffix("</w>".to_owned());
        let model = builder.build().map_err(|error| error.to_string())?;
        let piece = SysRegex::new(OPENAI_PIECE).map_err(|error| error.to_string())?;
        Ok(Self { model, piece, characters: bytes::byte_characters() })
    }
}

impl Tokenizer {
    /// OpenAI's vocabulary of 49,408 (start 49,406, end 49,407) from the embedded merge table, about 50 ms the first time.
    pub fn openai(context_length: usize) -> Result<Self, TokenizerError> {
        static TABLE: OnceLock<Result<Arc<OpenAi>, String>> = OnceLock::new();
        let table = TABLE.get_or_init(|| OpenAi::embedded().map(Arc::new)).clone().map_err(TokenizerError::Table)?;
        let start = (OPENAI_MERGES + 2 * 256) as u32;
        Self::new(Vocabulary::OpenAi(table), context_length, start as usize + 2, (start, start + 1))
    }

    /// The tokenizer of a `tokenizer.json`. Its settings for padding and truncation are not used.
    pub fn from_file(path: impl AsRef<Path>, context_length: usize) -> Result<Self, TokenizerError> {
        let path = path.as_ref();
        let unreadable = |source| TokenizerError::Unreadable { source, path: path.to_path_buf() };
        let mut bytes = Vec::new();
        File::open(path).map_err(unreadable)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
        let within = |source| TokenizerError::InFile { source: Box::new(source), path: path.to_path_buf() };
        Self::from_bytes(&bytes, context_length).map_err(within)
    }

    /// The tokenizer of a `tokenizer.json`'s content, at most 64 MiB.
    pub fn from_bytes(json: &[u8], context_length: usize) -> Result<Self, TokenizerError> {
        // The library indexes out of bounds on some merges that contradict their vocabulary.
        let parsed = std::panic::catch_unwind(|| FileTokenizer::from_bytes(json));
        let parsed =
            parsed.map_err(|_| TokenizerError::Malformed("its merges contradict its vocabulary".to_owned()))?;
        let tokenizer = parsed.map_err(|error| TokenizerError::Malformed(error.to_string()))?;
        let id = |names: [&str; 2]| names.iter().find_map(|name| tokenizer.token_to_id(name));
        let (Some(start), Some(end)) = (id(START), id(END)) else { return Err(TokenizerError::NoSpecialTokens) };
        let size = tokenizer.get_vocab_size(true);
        Self::new(Vocabulary::File(Box::new(tokenizer)), context_length, size, (start, end))
    }

    fn new(
        vocabulary: Vocabulary,
        context_length: usize,
        vocab_size: usize,
        (start, end): (u32, u32),
    ) -> Result<Self, TokenizerError> {
        if context_length < 2 {
            return Err(TokenizerError::ContextTooShort(context_length));
        }
        let mut vocabulary = vocabulary;
        if let Vocabulary::File(tokenizer) = &mut vocabulary {
            tokenizer.with_padding(None);
            // Without parameters there is nothing to check, hence nothing to fail.
            tokenizer.with_truncation(None).map_err(|error| TokenizerError::Malformed(error.to_string()))?;
        }
        Ok(Self { vocabulary, context_length, vocab_size, start, end })
    }

    /// Start, the caption's ids, end: 2 to `context_length` ids, without padding.
    ///
    /// A caption that is too long is cut and its last id becomes the end (open_clip's rule; Hugging Face's gives the
    /// same ids). A text that the rules of a `tokenizer.json` fail on has no ids between start and end, with a warning.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let text = text.char_indices().nth(MAX_CHARACTERS).map_or(text, |(end, _)| &text[..end]);
        let mut ids = vec![self.start];
        match &self.vocabulary {
            Vocabulary::OpenAi(openai) => {
                let text = clean::clean(text);
                for (from, to) in openai.piece.find_iter(&text) {
                    self.push_piece(&mut ids, openai, &text[from..to]);
                }
            }
            Vocabulary::File(tokenizer) => match tokenizer.encode_fast(text, false) {
                Ok(encoding) => ids.extend_from_slice(encoding.get_ids()),
                Err(error) => tracing::warn!("a caption cannot be tokenized: {error}: {text}"),
            },
        }
        ids.truncate(self.context_length - 1);
        ids.push(self.end);
        ids
    }

    /// The ids of one piece of cleaned text, under OpenAI's vocabulary.
    fn push_piece(&self, ids: &mut Vec<u32>, openai: &OpenAi, piece: &str) {
        if piece == START[1] {
            ids.push(self.start);
        } else if piece == END[1] {
            ids.push(self.end);
        } else {
            let spelled: String = piece.bytes().map(|byte| openai.characters[usize::from(byte)]).collect();
            // Every byte is in the vocabulary: the model has no way to fail.
            ids.extend(openai.model.tokenize(&spelled).unwrap_or_default().into_iter().map(|token| token.id));
        }
    }

    /// [`Self::encode`] for many captions, in parallel, in order.
    pub fn encode_batch<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Vec<Vec<u32>> {
        texts.par_iter().map(|text| self.encode(text.as_ref())).collect()
    }

    /// The id that begins every row.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// The id that ends every row; the text tower reads its feature at the first one.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Number of ids, the two special ones included.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Longest row that [`Self::encode`] gives.
    pub fn context_length(&self) -> usize {
        self.context_length
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/small_tokenizer/tokenizer.json");

    fn golden() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/tokens.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn check(tokenizer: &Tokenizer, reference: &str) {
        let golden = golden();
        let texts: Vec<String> = serde_json::from_value(golden["texts"].clone()).unwrap();
        let rows: Vec<Vec<u32>> = serde_json::from_value(golden[reference].clone()).unwrap();
        assert!(texts.len() >= 60 && texts.len() == rows.len());
        let different: Vec<_> = texts
            .iter()
            .zip(&rows)
            .map(|(text, row)| (text, tokenizer.encode(text), row))
            .filter(|(_, ours, row)| ours != *row)
            .collect();
        assert!(different.is_empty(), "{reference}: {} differ: {different:#?}", different.len());
        assert_eq!(tokenizer.encode_batch(&texts), rows);
    }

    #[test]
    fn ids_equal_open_clip() {
        check(&Tokenizer::openai(77).unwrap(), "openai_77");
        check(&Tokenizer::openai(64).unwrap(), "openai_64");
    }

    #[test]
    fn ids_equal_transformers() {
        check(&Tokenizer::from_file(SMALL, 77).unwrap(), "small_77");
        check(&Tokenizer::from_file(SMALL, 16).unwrap(), "small_16");
    }

    #[test]
    fn the_vocabulary_is_openais() {
        let tokenizer = Tokenizer::openai(77).unwrap();
        assert_eq!((tokenizer.start(), tokenizer.end(), tokenizer.vocab_size()), (49_406, 49_407, 49_408));
        assert_eq!(tokenizer.encode("hello world"), [49_406, 3306, 1002, 49_407]);
        let small = Tokenizer::from_file(SMALL, 77).unwrap();
        assert_eq!((small.start(), small.end(), small.vocab_size()), (1512, 1513, 1514));
    }

    #[test]
    fn long_and_short_contexts() {
        let tokenizer = Tokenizer::openai(2).unwrap();
        assert_eq!(tokenizer.encode("hello world"), [49_406, 49_407]);
        assert!(matches!(Tokenizer::openai(1), Err(TokenizerError::ContextTooShort(1))));
        let tokenizer = Tokenizer::openai(77).unwrap();
        let endless = "é word ".repeat(1_000_000);
        assert_eq!(tokenizer.encode(&endless), tokenizer.encode(&endless[..2000]));
        assert_eq!(tokenizer.encode(&"x".repeat(3_000_000)).len(), 77);
    }

    #[test]
    fn files_that_are_no_tokenizers_are_errors() {
        assert!(matches!(Tokenizer::from_bytes(b"{}", 77), Err(TokenizerError::Malformed(_))));
        let error = Tokenizer::from_file("absent/tokenizer.json", 77).err().unwrap().to_string();
        assert!(error.ends_with("absent/tokenizer.json"), "{error}");
        let without_special = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
            "pre_tokenizer":null,"post_processor":null,"decoder":null,"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}"#;
        let error = Tokenizer::from_bytes(without_special.as_bytes(), 77);
        assert!(matches!(error, Err(TokenizerError::NoSpecialTokens)));
        // The library reads past a buffer here; it must not reach the window.
        let contradicting = without_special.replace(r#""merges":[]"#, r#""merges":[["a","b"]]"#);
        assert!(matches!(Tokenizer::from_bytes(contradicting.as_bytes(), 77), Err(TokenizerError::Malformed(_))));
    }
}
