//! Reading benchmarks with a tagger at hand: ARO's word orders need tags where none are published beside the captions.

use std::path::Path;
use std::sync::OnceLock;

use clove_training::negatives::Generator;

use crate::benchmark::{Benchmark, ReadError, Tagged, Tagger, read_tagged};

/// As [`crate::benchmark::read`], with the tagger of the hard negatives for captions without tags; the protocol of the
/// result names it.
///
/// # Errors
/// See [`ReadError`].
pub fn read(name: &str, data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    read_tagged(name, data, Some(&OwnTagger::default()))
}

/// Loaded for the first caption: most benchmarks need none.
#[derive(Default)]
struct OwnTagger(OnceLock<Option<Generator>>);

impl Tagger for OwnTagger {
    fn tag(&self, caption: &str) -> Vec<Tagged> {
        let generator = self.0.get_or_init(|| Generator::new().ok());
        let tokens = generator.as_ref().map(|generator| generator.tag(caption)).unwrap_or_default();
        let tagged = tokens.into_iter().filter_map(|token| {
            let text = caption.get(token.span)?;
            Some((text.to_owned(), token.tag.penn().to_owned()))
        });
        tagged.collect()
    }

    fn name(&self) -> &'static str {
        "clove's tagger"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_tagged_as_they_are_written() {
        let tagged = OwnTagger::default().tag("A brown Dog sleeps.");
        let pairs: Vec<_> = tagged.iter().map(|(text, tag)| (text.as_str(), tag.as_str())).collect();
        assert_eq!(pairs, [("A", "DT"), ("brown", "JJ"), ("Dog", "NN"), ("sleeps", "VBZ"), (".", ".")]);
    }
}
