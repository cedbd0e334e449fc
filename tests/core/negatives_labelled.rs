//! Entities, modifiers and relations against captions labelled by hand.

use std::collections::BTreeSet;
use std::fs;

use clove_training::negatives::{Generator, Scene};

/// What a caption's label says: everything by byte ranges of the bare caption.
#[derive(Debug, Default)]
struct Label {
    caption: String,
    entities: BTreeSet<(usize, usize)>,
    heads: Vec<(usize, usize)>,
    modifiers: BTreeSet<(usize, usize)>,
    /// Words, subject's head, object's head.
    relations: BTreeSet<Triple>,
}

type Triple = ((usize, usize), (usize, usize), (usize, usize));

impl Label {
    /// `[A red* car] (on) [a road].`
    fn read(line: &str) -> Self {
        let mut label = Self::default();
        let mut raw: Vec<((usize, usize), usize, Option<&str>)> = Vec::new();
        let mut rest = line;
        while let Some(open) = rest.find(['[', '(']) {
            label.caption.push_str(&rest[..open]);
            let entity = rest[open..].starts_with('[');
            let close = rest.find(if entity { ']' } else { ')' }).unwrap();
            let inside = &rest[open + 1..close];
            rest = &rest[close + 1..];
            if entity {
                label.entity(inside);
            } else {
                let (words, ends) = inside.split_once(':').map_or((inside, None), |(words, ends)| (words, Some(ends)));
                let start = label.caption.len();
                label.caption.push_str(words);
                raw.push(((start, label.caption.len()), label.heads.len(), ends));
            }
        }
        label.caption.push_str(rest);
        for (words, next, ends) in raw {
            let (subject, object) = match ends.map(|ends| ends.split_once('>').unwrap_or((ends, ""))) {
                None => (next, next + 1),
                Some((subject, "")) => (subject.parse().unwrap(), next + 1),
                Some((subject, object)) => (subject.parse().unwrap(), object.parse().unwrap()),
            };
            label.relations.insert((words, label.heads[subject - 1], label.heads[object - 1]));
        }
        label
    }

    fn entity(&mut self, inside: &str) {
        let start = self.caption.len();
        for (i, word) in inside.split(' ').enumerate() {
            if i > 0 {
                self.caption.push(' ');
            }
            let at = self.caption.len();
            self.caption.push_str(word.trim_end_matches('*'));
            if word.ends_with('*') {
                self.modifiers.insert((at, self.caption.len()));
            }
        }
        let head = self.caption[start..].rfind(' ').map_or(start, |space| start + space + 1);
        self.entities.insert((start, self.caption.len()));
        self.heads.push((head, self.caption.len()));
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    both: usize,
    labelled: usize,
    found: usize,
}

impl Counts {
    fn add<T: Ord>(&mut self, labelled: &BTreeSet<T>, found: &BTreeSet<T>) {
        self.both += labelled.intersection(found).count();
        self.labelled += labelled.len();
        self.found += found.len();
    }

    fn precision(&self) -> f64 {
        self.both as f64 / self.found as f64
    }

    fn recall(&self) -> f64 {
        self.both as f64 / self.labelled as f64
    }
}

#[derive(Default)]
struct Measured {
    captions: usize,
    entities: Counts,
    modifiers: Counts,
    relations: Counts,
    triples: Counts,
}

/// Articles and the like are modifiers to the filter, but have no substitutes and would flatter the measure.
const ARTICLES: [&str; 12] = ["a", "an", "the", "this", "some", "each", "another", "no", "all", "both", "any", "every"];

fn measure(part: &str) -> Measured {
    let generator = Generator::new().unwrap();
    let mut measured = Measured::default();
    for line in part.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let label = Label::read(line);
        let scene = generator.scene(&label.caption);
        let span = |tokens: &std::ops::Range<usize>| {
            (scene.tokens[tokens.start].span.start, scene.tokens[tokens.end - 1].span.end)
        };
        let entities = scene.entities.iter().map(|e| span(&e.tokens)).collect();
        let word = |at: &usize| span(&(*at..at + 1));
        let modifiers = scene.entities.iter().flat_map(|e| &e.modifiers);
        let modifiers = modifiers.filter(|m| !ARTICLES.contains(&scene.tokens[**m].lower.as_str())).map(word).collect();
        let triples: BTreeSet<Triple> = (scene.relations.iter())
            .map(|r| (span(&r.tokens), head(&scene, r.subjects[0]), head(&scene, r.objects[0])))
            .collect();
        let words = |triples: &BTreeSet<Triple>| triples.iter().map(|(words, _, object)| (*words, *object)).collect();
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) = (words(&triples), words(&label.relations));
        measured.captions += 1;
        measured.entities.add(&label.entities, &entities);
        measured.modifiers.add(&label.modifiers, &modifiers);
        measured.relations.add(&theirs, &ours);
        measured.triples.add(&label.relations, &triples);
    }
    measured
}

fn head(scene: &Scene, entity: usize) -> (usize, usize) {
    let span = &scene.tokens[scene.entities[entity].head].span;
    (span.start, span.end)
}

/// The least of precision and recall that may be reached, for entities, modifiers, relations by their words and object,
/// and relations with their subject too.
type Floors = [f64; 4];

fn holds(part: &str, floors: Floors) {
    let measured = measure(part);
    assert!(measured.captions >= 100);
    let counts = [measured.entities, measured.modifiers, measured.relations, measured.triples];
    for ((what, counts), floor) in ["entities", "modifiers", "relations", "triples"].into_iter().zip(counts).zip(floors)
    {
        let (precision, recall) = (counts.precision(), counts.recall());
        assert!(precision >= floor && recall >= floor, "{what}: precision {precision:.3}, recall {recall:.3}");
    }
}

#[test]
fn negatives_find_what_people_labelled() {
    let text = fs::read_to_string(super::negatives::golden("labelled.txt")).unwrap();
    let (tuning, measuring) = text.split_once("## measuring").unwrap();
    holds(tuning, [0.99, 0.98, 0.99, 0.94]);
    // The part that the rules were not written against: 0.98, 0.96, 0.98 and 0.91 when it was first read.
    holds(measuring, [0.98, 0.96, 0.97, 0.91]);
}
