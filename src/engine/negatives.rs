//! The preview of hard negatives, on a thread of its own: the lexicon takes some tenths of a second to unpack.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use clove_training::negatives::{Generator, Kind, LONGEST_CAPTION, Negative, Style};

use super::preview::{Draw, Element, NegativeInfo, NegativesPreview};
use super::{Command, Event, Outbox};
use crate::clip::Tokenizer;

/// Most candidates of one element.
const CANDIDATES: usize = 12;
/// Most words of a caption that are compared one by one.
const WORDS: usize = 400;

#[derive(Default)]
struct Wanted {
    caption: Option<(String, u64)>,
    tokenizer: Option<(Arc<Tokenizer>, String)>,
    quit: bool,
}

/// The wanted preview; the newest replaces the one before.
#[derive(Default)]
pub(super) struct Negatives {
    wanted: Mutex<Wanted>,
    arrived: Condvar,
}

impl Negatives {
    /// Takes over the preview's command; gives back any other.
    pub fn put(&self, command: Command) -> Option<Command> {
        let mut wanted = self.lock();
        let rest = match command {
            Command::PreviewNegatives { caption, seed } => {
                wanted.caption = Some((caption, seed));
                None
            }
            other => {
                wanted.quit |= other == Command::Quit;
                Some(other)
            }
        };
        self.arrived.notify_one();
        rest
    }

    /// The tokenizer of the open pair, and what to call it.
    pub fn set_tokenizer(&self, tokenizer: Arc<Tokenizer>, name: String) {
        self.lock().tokenizer = Some((tokenizer, name));
    }

    /// Serves until `Quit`.
    pub fn serve(&self, outbox: &Outbox) {
        let mut generator = None;
        let mut stock = None;
        while let Some(((caption, seed), tokenizer)) = self.next() {
            if generator.is_none() {
                match Generator::new() {
                    Ok(new) => generator = Some(new),
                    Err(error) => outbox.fail(format!("no negatives can be written: {error}")),
                }
            }
            let Some(generator) = &generator else { continue };
            let Some((tokenizer, name)) = tokenizer.or_else(|| stock.get_or_insert_with(openai).clone()) else {
                continue;
            };
            let preview = preview(generator, &tokenizer, name, caption, seed);
            outbox.send(Event::NegativesPreviewed(Arc::new(preview)));
        }
    }

    #[expect(clippy::type_complexity, reason = "one caller, which takes it apart at once")]
    fn next(&self) -> Option<((String, u64), Option<(Arc<Tokenizer>, String)>)> {
        let mut wanted = self.lock();
        loop {
            if wanted.quit {
                return None;
            }
            if let Some(caption) = wanted.caption.take() {
                return Some((caption, wanted.tokenizer.clone()));
            }
            wanted = self.arrived.wait(wanted).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Before a pair is open, captions are read as most CLIP models read them.
fn openai() -> Option<(Arc<Tokenizer>, String)> {
    Tokenizer::openai(77).ok().map(|tokenizer| (Arc::new(tokenizer), "OpenAI's CLIP".to_owned()))
}

fn preview(generator: &Generator, tokenizer: &Tokenizer, name: String, caption: String, seed: u64) -> NegativesPreview {
    let ids = tokenizer.encode(&caption);
    let info = |negative: Negative| NegativeInfo {
        changed: changed(&caption, &negative.caption),
        what: what(negative.kind),
        weight: negative.weight,
        share: negative.share,
        reason: readable(&negative.reason),
        same_tokens: tokenizer.encode(&negative.caption) == ids,
        caption: negative.caption,
    };
    let draw = |style: Style| Draw {
        style: style.name(),
        about: about(style),
        negative: generator.negatives(&caption, style, 1, seed, 0).into_iter().next().map(info),
    };
    let draws = Style::ALL.map(draw).into();
    let readable = caption.len() <= LONGEST_CAPTION;
    let candidates = if readable { generator.candidates(&caption, CANDIDATES) } else { Vec::new() };
    let elements = elements(candidates, info);
    let refusal = elements.is_empty().then(|| refusal(generator, &caption));
    NegativesPreview { draws, elements, refusal, tokenizer: name, seed, caption }
}

/// Candidates come element by element, the heaviest of each first.
fn elements(candidates: Vec<Negative>, info: impl Fn(Negative) -> NegativeInfo) -> Vec<Element> {
    let mut elements: Vec<Element> = Vec::new();
    for negative in candidates {
        let kind = match negative.kind {
            Kind::ReplaceEntity => "entity",
            Kind::ReplaceModifier => "modifier",
            _ => "relation",
        };
        let goes_on = |last: &&mut Element| {
            let lightest = last.candidates.last().map_or(u32::MAX, |candidate| candidate.weight);
            last.kind == kind && last.words == negative.from && negative.weight <= lightest
        };
        match elements.last_mut().filter(goes_on) {
            Some(element) => element.candidates.push(info(negative)),
            None => {
                elements.push(Element { words: negative.from.clone(), kind, candidates: vec![info(negative)] });
            }
        }
    }
    elements
}

/// Why style replace has nothing to choose from, and what would help.
fn refusal(generator: &Generator, caption: &str) -> String {
    if caption.len() > LONGEST_CAPTION {
        return format!("Captions of more than {LONGEST_CAPTION} bytes get no negatives; shorten it");
    }
    let scene = generator.scene(caption);
    let words = |range: &Range<usize>| {
        let (first, last) = (scene.tokens.get(range.start)?, scene.tokens.get(range.end.checked_sub(1)?)?);
        caption.get(first.span.start..last.span.end)
    };
    let named = || {
        let names: Vec<String> =
            scene.entities.iter().filter_map(|e| words(&e.tokens)).map(|w| format!("“{w}”")).collect();
        names.join(", ")
    };
    if scene.is_rich() {
        return format!("The dictionary knows nothing that could stand for {}; try more common words", named());
    }
    match scene.entities.len() {
        0 => "No thing is named here; name two and how they relate, as in “a dog on a sofa”".to_owned(),
        1 => format!("Only {} is named; add a second thing, as in “a dog on a sofa”", named()),
        _ => format!("Nothing relates or describes {}; add a word that does, as in “a dog on a sofa”", named()),
    }
}

fn about(style: Style) -> &'static str {
    match style {
        Style::Replace => "One word or preposition gives way to another from WordNet, as in the paper's release",
        Style::Negclip => "Two phrases of one class change places, as in NegCLIP",
        Style::Swap => "Two things, or the words that describe two, change places, as in SugarCrepe",
        Style::Shuffle => "The words in another order, as in ARO's order tasks",
        Style::Relation => "The two ends of a relation change places, as in ARO's relation task",
    }
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::ReplaceEntity => "another entity",
        Kind::ReplaceModifier => "another modifier",
        Kind::ReplaceRelation => "another relation",
        Kind::NounPhrases => "two noun phrases change places",
        Kind::VerbPhrases => "two verb phrases change places",
        Kind::Nouns => "two nouns change places",
        Kind::PluralNouns => "two plural nouns change places",
        Kind::Adverbs => "two adverbs change places",
        Kind::Adjectives => "two adjectives change places",
        Kind::SwapEntities => "two entities change places",
        Kind::SwapModifiers => "two modifiers change places",
        Kind::SwapEnds => "the ends of a relation change places",
        Kind::ShuffleNounsAdjectives => "nouns and adjectives in another order",
        Kind::ShuffleOthers => "all other words in another order",
        Kind::ShuffleWithinTrigrams => "another order within groups of three words",
        Kind::ShuffleTrigrams => "groups of three words in another order",
    }
}

/// WordNet's names as people read them: `vehicle.n.01 covers both` says that both are a kind of vehicle.
fn readable(reason: &str) -> String {
    let name = |name: &str| name.split('.').next().unwrap_or(name).replace('_', " ");
    if let Some(synset) = reason.strip_suffix(" covers both") {
        format!("both are a kind of {}", name(synset))
    } else if let Some(synset) = reason.strip_suffix(" covers the nouns of both") {
        format!("their nouns are a kind of {}", name(synset))
    } else {
        reason.to_owned()
    }
}

/// Bytes of `negative` whose words the caption does not have in this order: what is left of a longest common run of
/// words. Neighbours are joined.
fn changed(caption: &str, negative: &str) -> Vec<Range<usize>> {
    let (old, new) = (words(caption), words(negative));
    let same = |i: usize, j: usize| caption[old[i].clone()].eq_ignore_ascii_case(&negative[new[j].clone()]);
    // common[i][j]: length of the longest common subsequence of old[i..] and new[j..].
    let mut common = vec![vec![0_u16; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if same(i, j) { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    while j < new.len() {
        if i < old.len() && same(i, j) {
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            i += 1;
        } else {
            match ranges.last_mut().filter(|last| negative[last.end..new[j].start].trim().is_empty()) {
                Some(last) => last.end = new[j].end,
                None => ranges.push(new[j].clone()),
            }
            j += 1;
        }
    }
    ranges
}

/// Where the first words of a text stand.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for (at, c) in text.char_indices() {
        let inside = c.is_alphanumeric() || (open && "'’-".contains(c));
        let (end, has_room) = (at + c.len_utf8(), words.len() < WORDS);
        match words.last_mut().filter(|_| open) {
            Some(last) if inside => last.end = end,
            None if inside && has_room => words.push(at..end),
            _ => {}
        }
        open = inside && words.last().is_some_and(|last| last.end == end);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(caption: &str, negative: &str) -> Vec<String> {
        changed(caption, negative).into_iter().map(|range| negative[range].to_owned()).collect()
    }

    #[test]
    fn what_changed_is_marked_word_by_word() {
        assert_eq!(marked("A red dog, on a sofa.", "A red cat, on a sofa."), ["cat"]);
        assert_eq!(marked("a dog next to a sofa", "a dog on top of a sofa"), ["on top of"]);
        assert_eq!(marked("A dog chases a cat", "A cat chases a dog"), ["cat", "dog"]);
        assert_eq!(marked("naïve Äpfel", "naïve Birnen"), ["Birnen"]);
        assert!(marked("a dog", "a dog").is_empty());
        assert!(marked("", "").is_empty());
    }

    #[test]
    fn reasons_are_words_of_people() {
        assert_eq!(readable("motor_vehicle.n.01 covers both"), "both are a kind of motor vehicle");
        assert_eq!(readable("color.n.01 covers the nouns of both"), "their nouns are a kind of color");
        assert_eq!(readable("antonym"), "antonym");
    }

    fn of(caption: &str, tokenizer: &Tokenizer) -> NegativesPreview {
        preview(&Generator::new().unwrap(), tokenizer, "test".into(), caption.into(), 0)
    }

    #[test]
    fn a_preview_shows_elements_draws_and_equal_tokens() {
        let openai = Tokenizer::openai(77).unwrap();
        let caption = "a black dog on a sofa";
        let whole = of(caption, &openai);
        let kinds: Vec<(&str, &str)> = whole.elements.iter().map(|e| (e.words.as_str(), e.kind)).collect();
        assert_eq!(kinds, [("dog", "entity"), ("sofa", "entity"), ("black", "modifier"), ("on", "relation")]);
        for element in &whole.elements {
            assert!(element.candidates.windows(2).all(|pair| pair[0].weight >= pair[1].weight));
            assert!(element.candidates.iter().all(|c| !c.changed.is_empty() && !c.same_tokens && c.share > 0.0));
        }
        let styles: Vec<&str> = whole.draws.iter().map(|d| d.style).collect();
        assert_eq!(styles, ["replace", "negclip", "swap", "shuffle", "relation"]);
        assert!(whole.draws[0].negative.is_some() && whole.refusal.is_none());
        assert_ne!(whole.draws, preview(&Generator::new().unwrap(), &openai, String::new(), caption.into(), 3).draws);
        // Four positions: start, "a", "black", end. What changes later is cut away.
        let short = of(caption, &Tokenizer::openai(4).unwrap());
        assert!(short.elements[0].candidates.iter().all(|c| c.same_tokens));
        assert!(short.elements[2].candidates.iter().all(|c| !c.same_tokens));
    }

    #[test]
    fn a_caption_that_is_turned_away_hears_why() {
        let openai = Tokenizer::openai(77).unwrap();
        for (caption, why) in [
            ("running", "No thing is named"),
            ("a dog", "Only “a dog” is named"),
            (&"very ".repeat(300) as &str, "more than 1024 bytes"),
        ] {
            let refusal = of(caption, &openai).refusal.unwrap();
            assert!(refusal.contains(why), "{caption}: {refusal}");
        }
    }
}
