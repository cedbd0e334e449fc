//! The evaluation and validation sets: a recognition set where ImageNet stands, and the ARO and SugarCrepe tasks.
//!
//! They are drawn from streams of their own, so no training sample shares a draw with them. Half of the two-object
//! scenes hold a combination that training never shows; all 16 shapes appear.

use super::captions::TEMPLATES;
use super::draw::{Draw, Stream};
use super::grammar::{Said, Sentence};
use super::layout::{Kind, Plan, single};
use super::scene::{Colour, Relation, Scene, Shape, Texture};
use super::shuffles::aro_options;
use super::sugarcrepe;
pub use super::sugarcrepe::TASKS;

/// The colour pairs of the attribution set, both ways round: 16 ordered pairs.
const COLOUR_PAIRS: [[Colour; 2]; 8] = [
    [Colour::Red, Colour::Blue],
    [Colour::Yellow, Colour::Green],
    [Colour::Orange, Colour::Purple],
    [Colour::Pink, Colour::Black],
    [Colour::Brown, Colour::Cyan],
    [Colour::Red, Colour::Yellow],
    [Colour::Green, Colour::Purple],
    [Colour::Blue, Colour::Orange],
];

/// What an example shows, for filtering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// How the two objects lie; nothing for a single object.
    pub relation: Option<Relation>,
    /// The objects' colours, in the scene's order.
    pub colours: Vec<Colour>,
    /// A combination that training never shows (see [`Scene::held_out`]).
    pub held_out: bool,
    /// All shapes belong to tuned training.
    pub tuned_shapes: bool,
}

impl Tags {
    fn of(scene: &Scene) -> Self {
        Self {
            relation: scene.relation(),
            colours: scene.objects.iter().map(|object| object.colour).collect(),
            held_out: scene.held_out(),
            tuned_shapes: scene.objects.iter().all(|object| object.shape.in_tuned_training()),
        }
    }

    /// As words: the relation, the colours, “held-out” or “seen”, “tuned-shape” or “new-shape”.
    pub fn words(&self) -> Vec<&'static str> {
        let mut words: Vec<&str> = self.relation.map(Relation::word).into_iter().collect();
        words.extend(self.colours.iter().map(|colour| colour.word()));
        words.push(if self.held_out { "held-out" } else { "seen" });
        words.push(if self.tuned_shapes { "tuned-shape" } else { "new-shape" });
        words
    }
}

/// One picture of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// Index into [`Sets::scenes`].
    pub scene: usize,
    /// Index into [`Recognition::classes`].
    pub class: usize,
    /// For filtering.
    pub tags: Tags,
}

/// The recognition set: 48 classes (texture × shape), single objects of any colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognition {
    /// “striped star”, …: sorted, which is also the order of their folders (spaces become underscores).
    pub classes: Vec<String>,
    /// Prompts with `{}` for the class name.
    pub templates: Vec<&'static str>,
    /// Class by class.
    pub images: Vec<Labelled>,
}

/// One picture, the caption that is true of it, and those that are not.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Index into [`Sets::scenes`].
    pub scene: usize,
    /// The true caption first.
    pub options: Vec<String>,
    /// The key of ARO's macro average: the relation's name (“to the left of”), or the colours (`red_blue`) in the
    /// attribution set; empty elsewhere.
    pub group: String,
    /// For filtering.
    pub tags: Tags,
}

/// All sets of one kind, with the scenes they share.
#[derive(Debug, Clone, PartialEq)]
pub struct Sets {
    /// Every picture, each once.
    pub scenes: Vec<Scene>,
    /// Single objects by class.
    pub recognition: Recognition,
    /// True caption against the objects exchanged, 4 relations in turn.
    pub relation: Vec<Choice>,
    /// True caption against the colours swapped, 16 ordered colour pairs in turn.
    pub attribution: Vec<Choice>,
    /// True caption against four word orders, over the pictures of `relation`.
    pub order: Vec<Choice>,
    /// The seven tasks of [`TASKS`] with their examples.
    pub sugarcrepe: Vec<(&'static str, Vec<Choice>)>,
}

/// How many examples, and from which stream.
#[derive(Clone, Copy)]
struct Extent {
    stream: Stream,
    per_class: usize,
    /// A multiple of 32: 16 colour pairs, held out and seen.
    aro: usize,
    /// Scenes of which each SugarCrepe task uses four fifths.
    sugarcrepe: usize,
}

impl Sets {
    /// 1,152 recognition pictures; 480 examples each of relation, attribution and order; 400 of each SugarCrepe task
    /// over 500 shared pictures.
    pub fn evaluation() -> Self {
        Self::draw(Extent { stream: Stream::Evaluation, per_class: 24, aro: 480, sugarcrepe: 500 })
    }

    /// The same kinds from another stream, for choosing training settings without looking at the evaluation sets: 384
    /// recognition pictures, 160 examples of each ARO kind, 140 of each SugarCrepe task.
    pub fn validation() -> Self {
        Self::draw(Extent { stream: Stream::Validation, per_class: 8, aro: 160, sugarcrepe: 175 })
    }

    fn draw(extent: Extent) -> Self {
        let mut scenes = Vec::new();
        let recognition = recognition(extent, &mut scenes);
        let (relation, order) = relation_and_order(extent, &mut scenes);
        let attribution = attribution(extent, &mut scenes);
        let sugarcrepe = sugarcrepe_tasks(extent, &mut scenes);
        Self { scenes, recognition, relation, attribution, order, sugarcrepe }
    }
}

fn recognition(extent: Extent, scenes: &mut Vec<Scene>) -> Recognition {
    let mut kinds: Vec<(String, Texture, Shape)> = Vec::new();
    for texture in Texture::ALL {
        kinds.extend(Shape::ALL.map(|shape| (format!("{} {}", texture.word(), shape.word()), texture, shape)));
    }
    kinds.sort();
    let mut images = Vec::new();
    for (class, &(_, texture, shape)) in kinds.iter().enumerate() {
        for _ in 0..extent.per_class {
            let mut draw = Draw::new(extent.stream, 0, images.len() as u64);
            let kind = Kind { shape, texture, colour: draw.pick(&Colour::ALL) };
            let scene = single(&mut draw, kind, None);
            images.push(Labelled { scene: scenes.len(), class, tags: Tags::of(&scene) });
            scenes.push(scene);
        }
    }
    Recognition { classes: kinds.into_iter().map(|(name, ..)| name).collect(), templates: TEMPLATES.to_vec(), images }
}

fn relation_and_order(extent: Extent, scenes: &mut Vec<Scene>) -> (Vec<Choice>, Vec<Choice>) {
    let (mut relation, mut order) = (Vec::new(), Vec::new());
    for index in 0..extent.aro {
        let mut draw = Draw::new(extent.stream, 1, index as u64);
        let wanted = Relation::ALL[index % 4];
        let plan = Plan::any_where(&mut draw, |plan| {
            plan.relation == wanted && plan.held_out() == (index / 4).is_multiple_of(2)
        });
        let truth = Sentence::about(plan, Said::any(&mut draw, plan));
        let shuffled = aro_options(&mut draw, &truth.to_string());
        let choice = choose(scenes, plan.lay_out(&mut draw), [truth, truth.exchanged()]);
        let options = [truth.to_string()].into_iter().chain(shuffled).collect();
        order.push(Choice { options, ..choice.clone() });
        relation.push(Choice { group: wanted.aro_name().to_owned(), ..choice });
    }
    (relation, order)
}

fn attribution(extent: Extent, scenes: &mut Vec<Scene>) -> Vec<Choice> {
    let pairs: Vec<[Colour; 2]> = COLOUR_PAIRS.iter().flat_map(|&[a, b]| [[a, b], [b, a]]).collect();
    let mut examples = Vec::new();
    for index in 0..extent.aro {
        let mut draw = Draw::new(extent.stream, 2, index as u64);
        let colours = pairs[index % pairs.len()];
        let plan = Plan::any_where(&mut draw, |plan| {
            plan.kinds.map(|kind| kind.colour) == colours && plan.held_out() == (index / pairs.len()).is_multiple_of(2)
        });
        let truth = Sentence::about(plan, Said::Colours).unrelated();
        let captions = [truth, truth.attributes_swapped()];
        let group = format!("{}_{}", colours[0].word(), colours[1].word());
        examples.push(Choice { group, ..choose(scenes, plan.lay_out(&mut draw), captions) });
    }
    examples
}

fn sugarcrepe_tasks(extent: Extent, scenes: &mut Vec<Scene>) -> Vec<(&'static str, Vec<Choice>)> {
    let mut tasks = TASKS.map(|task| (task, Vec::new())).to_vec();
    for index in 0..extent.sugarcrepe {
        let mut draw = Draw::new(extent.stream, 3, index as u64);
        let plan = Plan::any_where(&mut draw, |plan| plan.held_out() == index.is_multiple_of(2));
        let scene = plan.lay_out(&mut draw);
        let (at, tags) = (scenes.len(), Tags::of(&scene));
        scenes.push(scene);
        for (task, (_, examples)) in tasks.iter_mut().enumerate() {
            let options = sugarcrepe::captions(task, &mut draw, plan).to_vec();
            if (index + task) % 5 != 0 {
                examples.push(Choice { scene: at, options, group: String::new(), tags: tags.clone() });
            }
        }
    }
    tasks
}

fn choose(scenes: &mut Vec<Scene>, scene: Scene, captions: [Sentence; 2]) -> Choice {
    let choice = Choice {
        scene: scenes.len(),
        options: captions.map(|caption| caption.to_string()).to_vec(),
        group: String::new(),
        tags: Tags::of(&scene),
    };
    scenes.push(scene);
    choice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::grammar::reading::holds;
    use sha2::{Digest, Sha256};
    use std::collections::{BTreeMap, BTreeSet};

    fn choices(sets: &Sets) -> impl Iterator<Item = &Choice> {
        let tasks = sets.sugarcrepe.iter().flat_map(|(_, examples)| examples);
        sets.relation.iter().chain(&sets.attribution).chain(&sets.order).chain(tasks)
    }

    #[test]
    fn the_evaluation_sets_have_their_published_counts() {
        let sets = Sets::evaluation();
        assert_eq!(sets.recognition.classes.len(), 48);
        assert!(sets.recognition.classes.is_sorted_by(|a, b| a < b));
        assert_eq!(sets.recognition.images.len(), 1_152);
        assert_eq!([sets.relation.len(), sets.attribution.len(), sets.order.len()], [480; 3]);
        assert!(sets.sugarcrepe.iter().map(|(task, examples)| (*task, examples.len())).eq(TASKS.map(|t| (t, 400))));
        assert_eq!(sets.scenes.len(), 1_152 + 480 + 480 + 500);
        assert!(sets.order.iter().all(|choice| choice.options.len() == 5));
        let sets = Sets::validation();
        assert_eq!((sets.recognition.images.len(), sets.relation.len(), sets.sugarcrepe[6].1.len()), (384, 160, 140));
    }

    #[test]
    fn the_evaluation_sets_never_change() {
        let text: Vec<String> = choices(&Sets::evaluation()).map(|choice| choice.options.join("\n")).collect();
        assert_eq!(format!("{:x?}", &Sha256::digest(text.join("\n"))[..4]), "[11, b3, 0, 7e]");
    }

    #[test]
    fn the_first_option_is_true_and_the_others_are_not() {
        for sets in [Sets::evaluation(), Sets::validation()] {
            for choice in choices(&sets) {
                let scene = &sets.scenes[choice.scene];
                assert_eq!(holds(&choice.options[0], scene), Some(true), "{:?}", choice.options);
                for option in &choice.options[1..] {
                    assert_ne!(holds(option, scene), Some(true), "{:?}", choice.options);
                }
                assert_eq!(choice.tags, Tags::of(scene));
            }
            for image in &sets.recognition.images {
                let [object] = sets.scenes[image.scene].objects.as_slice() else { panic!("one object") };
                let name = format!("{} {}", object.texture.word(), object.shape.word());
                assert_eq!(sets.recognition.classes[image.class], name);
            }
        }
    }

    #[test]
    fn sugarcrepe_negatives_are_sentences_with_one_edit() {
        let sets = Sets::evaluation();
        for (task, examples) in &sets.sugarcrepe {
            for choice in examples {
                let negative = holds(&choice.options[1], &sets.scenes[choice.scene]);
                assert_eq!(negative, Some(false), "{task}: {:?}", choice.options);
                let longer = choice.options[1].len() > choice.options[0].len();
                assert!(longer || !task.starts_with("add"));
            }
        }
    }

    #[test]
    fn every_group_counts_in_aros_average_and_both_kinds_of_scene_appear() {
        let sets = Sets::evaluation();
        for (examples, groups) in [(&sets.relation, 4), (&sets.attribution, 16)] {
            let mut counts = BTreeMap::new();
            for choice in examples {
                *counts.entry(choice.group.as_str()).or_insert(0) += 1;
            }
            assert_eq!(counts.len(), groups);
            assert!(counts.values().all(|&count| count >= 25));
            let held_out = examples.iter().filter(|choice| choice.tags.held_out).count();
            assert_eq!(held_out, examples.len() / 2);
            assert!(examples.iter().any(|choice| choice.tags.tuned_shapes));
        }
        for (_, examples) in [("relation", &sets.relation), ("attribution", &sets.attribution)] {
            let shapes: BTreeSet<Shape> =
                examples.iter().flat_map(|choice| sets.scenes[choice.scene].objects.iter().map(|o| o.shape)).collect();
            assert_eq!(shapes.len(), 16);
        }
    }
}
