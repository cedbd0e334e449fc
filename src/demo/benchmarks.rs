//! The evaluation sets as benchmarks, with images drawn at run time: the same examples in the same order that
//! `clove demo data` writes to disk.

use std::sync::Arc;

use image::RgbImage;

use super::render::{DEFAULT_SIZE, render};
use super::scene::Scene;
use super::sets::{self, Sets};
use crate::benchmark::{Benchmark, Choice, ImageRef, Items, Metric, Rendered, TieRule};

#[derive(Debug)]
struct Drawn(Scene);

impl Rendered for Drawn {
    fn render(&self) -> RgbImage {
        render(&self.0, DEFAULT_SIZE)
    }
}

/// Recognition, relation, attribution, order and the seven SugarCrepe tasks, under the names and rules of the
/// published benchmarks that they stand for.
pub fn benchmarks(sets: &Sets) -> Vec<Benchmark> {
    let images: Vec<ImageRef> = sets.scenes.iter().enumerate().map(|(i, scene)| drawn(i, scene)).collect();
    let macro_mean = |min_count| Metric::MacroAccuracy { min_count };
    let mut all = vec![
        recognition(sets, &images),
        choices("aro-relation", None, macro_mean(0), TieRule::First, Order::WrongFirst, &sets.relation, &images),
        choices(
            "aro-attribution",
            None,
            attribution_metric(&sets.attribution),
            TieRule::First,
            Order::WrongFirst,
            &sets.attribution,
            &images,
        ),
        choices("aro-coco-order", None, Metric::Accuracy, TieRule::First, Order::RightFirst, &sets.order, &images),
    ];
    for (task, examples) in &sets.sugarcrepe {
        let task = Some((*task).to_owned());
        all.push(choices("sugarcrepe", task, Metric::Accuracy, TieRule::Strict, Order::RightFirst, examples, &images));
    }
    all
}

/// ARO's mean over pairs of attributes with at least 25 examples, or plain accuracy where no pair has so many, as the
/// reader does.
fn attribution_metric(examples: &[sets::Choice]) -> Metric {
    let mut counts = std::collections::BTreeMap::new();
    for example in examples {
        *counts.entry(&example.group).or_insert(0) += 1;
    }
    if counts.values().any(|n| *n >= 25) { Metric::MacroAccuracy { min_count: 25 } } else { Metric::Accuracy }
}

fn drawn(i: usize, scene: &Scene) -> ImageRef {
    ImageRef::Drawn { name: format!("scene {i}"), image: Arc::new(Drawn(scene.clone())) }
}

fn recognition(sets: &Sets, images: &[ImageRef]) -> Benchmark {
    let set = &sets.recognition;
    Benchmark {
        name: "folder".into(),
        task: None,
        metric: Metric::TopK,
        ties: TieRule::First,
        images: set.images.iter().map(|labelled| images[labelled.scene].clone()).collect(),
        items: Items::Classes {
            classes: set.classes.clone(),
            templates: set.templates.iter().map(|t| (*t).to_owned()).collect(),
            labels: set.images.iter().map(|labelled| labelled.class).collect(),
        },
        skipped: Vec::new(),
        protocol: format!(
            "scene world, {} classes, mean of {} prompts, first of equal classes wins",
            set.classes.len(),
            set.templates.len()
        ),
        n_in_file: set.images.len(),
    }
}

/// Where the reference lists the right caption.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    RightFirst,
    WrongFirst,
}

fn choices(
    name: &str,
    task: Option<String>,
    metric: Metric,
    ties: TieRule,
    order: Order,
    examples: &[sets::Choice],
    images: &[ImageRef],
) -> Benchmark {
    let mut used: Vec<usize> = Vec::new();
    let mut place = std::collections::BTreeMap::new();
    let items = examples.iter().map(|example| {
        let image = *place.entry(example.scene).or_insert_with(|| {
            used.push(example.scene);
            used.len() - 1
        });
        let mut captions = example.options.clone();
        let mut right = 0;
        if order == Order::WrongFirst {
            captions.rotate_left(1);
            right = captions.len() - 1;
        }
        let group = (!example.group.is_empty()).then(|| example.group.clone());
        let tags = example.tags.words().into_iter().map(str::to_owned).collect();
        Choice { image, captions, right, group, tags }
    });
    let items = Items::Choices(items.collect());
    let tie = match (ties, order) {
        (TieRule::Strict, _) | (TieRule::First, Order::WrongFirst) => "a tie is wrong",
        (TieRule::First, Order::RightFirst) => "a tie is right",
        (TieRule::Random { .. } | TieRule::Half, _) => "ties are shared",
    };
    let average = if metric == Metric::Accuracy { "plain accuracy" } else { "mean over groups" };
    Benchmark {
        name: name.into(),
        task,
        metric,
        ties,
        images: used.iter().map(|scene| images[*scene].clone()).collect(),
        items,
        skipped: Vec::new(),
        protocol: format!("scene world in the manner of the published set, {average}, {tie}"),
        n_in_file: examples.len(),
    }
}
