//! What hard negatives could be written against one caption, as plain data for the window.

use std::ops::Range;

/// All that the window shows about one caption.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NegativesPreview {
    /// As asked.
    pub caption: String,
    /// As asked; of the draws.
    pub seed: u64,
    /// What a run would take, style by style.
    pub draws: Vec<Draw>,
    /// What style replace chooses from, in the order entities, modifiers, relations.
    pub elements: Vec<Element>,
    /// Why style replace offers nothing, and what to try.
    pub refusal: Option<String>,
    /// Whose token ids were compared.
    pub tokenizer: String,
}

/// What one style would write.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// As written in recipes.
    pub style: &'static str,
    /// What the style does, in one sentence.
    pub about: &'static str,
    /// None where the style finds nothing to change.
    pub negative: Option<NegativeInfo>,
}

/// Words of the caption that something could stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// As in the caption.
    pub words: String,
    /// "entity", "modifier" or "relation".
    pub kind: &'static str,
    /// The heaviest substitutes, heaviest first.
    pub candidates: Vec<NegativeInfo>,
}

/// One negative.
#[derive(Clone, Debug, PartialEq)]
pub struct NegativeInfo {
    /// The whole sentence.
    pub caption: String,
    /// Bytes of the sentence that the caption does not have there.
    pub changed: Vec<Range<usize>>,
    /// What was done, for people, for example "two entities change places".
    pub what: &'static str,
    /// SemCor's count, or the preposition's weight; 1 where nothing was weighed.
    pub weight: u32,
    /// Share of this substitute in its element's weights, 0..=1.
    pub share: f64,
    /// Why it was found, for people.
    pub reason: String,
    /// Whether its token ids are those of the caption: no model that reads them can tell the two apart.
    pub same_tokens: bool,
}
