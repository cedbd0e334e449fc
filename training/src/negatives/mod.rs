//! Hard negatives.

pub mod lexicon;
mod phrases;
mod relations;
mod scene;
mod tagger;
mod tokens;
mod vocabulary;
mod words;

use lexicon::{Lexicon, LexiconError};
pub use phrases::Entity;
pub use relations::Relation;
pub use scene::Scene;
pub use tokens::{Tag, Token};
use words::Readings;

/// Reads captions and writes hard negatives for them; shared between threads.
pub struct Generator {
    lexicon: &'static Lexicon,
    readings: Readings,
}

impl Generator {
    /// With the embedded lexicon.
    pub fn new() -> Result<Self, LexiconError> {
        Ok(Self { lexicon: Lexicon::embedded()?, readings: Readings::default() })
    }

    /// Words and marks of a caption with Penn's tags.
    pub fn tag(&self, caption: &str) -> Vec<Token> {
        tagger::tag(self.lexicon, &self.readings, caption)
    }

    /// Entities, modifiers and relations of a caption.
    pub fn scene(&self, caption: &str) -> Scene {
        Scene::read(self.lexicon, &self.readings, caption)
    }
}
