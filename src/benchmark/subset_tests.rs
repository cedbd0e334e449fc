use std::path::PathBuf;

use super::*;
use crate::benchmark::TieRule;

fn image(i: usize) -> ImageRef {
    ImageRef::File { path: PathBuf::from(format!("{i}.png")), crop: None }
}

/// One choice per group name, two neighbours sharing an image.
fn choices(groups: &[&str], metric: Metric) -> Benchmark {
    let choice = |(i, group): (usize, &&str)| Choice {
        image: i / 2,
        captions: vec![format!("no {i}"), format!("yes {i}")],
        right: 1,
        group: Some((*group).to_owned()),
        tags: Vec::new(),
    };
    Benchmark {
        name: "test".to_owned(),
        task: None,
        metric,
        ties: TieRule::First,
        images: (0..groups.len().div_ceil(2)).map(image).collect(),
        items: Items::Choices(groups.iter().enumerate().map(choice).collect()),
        skipped: Vec::new(),
        protocol: "accuracy".to_owned(),
        n_in_file: groups.len(),
    }
}

fn kept(benchmark: &Benchmark) -> &[Choice] {
    match &benchmark.items {
        Items::Choices(choices) => choices,
        _ => panic!("not choices"),
    }
}

fn count(benchmark: &Benchmark, group: &str) -> usize {
    kept(benchmark).iter().filter(|choice| choice.group.as_deref() == Some(group)).count()
}

#[test]
fn groups_of_a_macro_mean_get_equal_shares() {
    let groups = [vec!["big"; 100], vec!["middle"; 30], vec!["small"; 4]].concat();
    let mut benchmark = choices(&groups, Metric::MacroAccuracy { min_count: 1 });
    limit(&mut benchmark, 30);
    assert_eq!(["big", "middle", "small"].map(|group| count(&benchmark, group)), [13, 13, 4]);
    assert_eq!(benchmark.protocol, "accuracy; subset of 30 out of 134");
    assert_eq!(benchmark.n_in_file, 134);
}

#[test]
fn groups_below_the_minimum_count_are_left_out() {
    let groups = [vec!["big"; 40], vec!["small"; 24]].concat();
    let mut benchmark = choices(&groups, Metric::MacroAccuracy { min_count: 25 });
    limit(&mut benchmark, 10);
    assert_eq!(["big", "small"].map(|group| count(&benchmark, group)), [10, 0]);
    // Ten examples of a group that had 25: the mean must still take it.
    assert_eq!(benchmark.metric, Metric::MacroAccuracy { min_count: 1 });
}

#[test]
fn other_metrics_keep_proportions_and_spread_over_the_file() {
    let groups = [vec!["a"; 60], vec!["b"; 20], vec!["a"; 20]].concat();
    let mut benchmark = choices(&groups, Metric::Accuracy);
    limit(&mut benchmark, 10);
    assert_eq!(["a", "b"].map(|group| count(&benchmark, group)), [8, 2]);
    let captions: Vec<_> = kept(&benchmark).iter().map(|choice| choice.captions[1].as_str()).collect();
    assert_eq!(
        captions,
        ["yes 5", "yes 15", "yes 25", "yes 35", "yes 45", "yes 55", "yes 65", "yes 75", "yes 85", "yes 95"]
    );
}

#[test]
fn unused_images_go_and_the_others_stay_with_their_choices() {
    let mut benchmark = choices(&["a"; 12], Metric::Accuracy);
    limit(&mut benchmark, 3);
    assert_eq!(benchmark.images.len(), 3);
    for choice in kept(&benchmark) {
        let i: usize = choice.captions[1].trim_start_matches("yes ").parse().unwrap();
        assert_eq!(benchmark.images[choice.image].key(), image(i / 2).key());
    }
    assert_eq!(kept(&benchmark).iter().map(|choice| choice.image).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn shared_images_stay_shared() {
    let mut benchmark = choices(&["a"; 12], Metric::Accuracy);
    limit(&mut benchmark, 11);
    assert_eq!(benchmark.images.len(), 6);
    assert_eq!(kept(&benchmark).len(), 11);
}

#[test]
fn classes_keep_their_labels_and_all_classes_stay_options() {
    let labels: Vec<usize> = (0..40).map(|i| i % 4).collect();
    let mut benchmark = choices(&[], Metric::TopK);
    benchmark.images = (0..40).map(image).collect();
    let classes: Vec<_> = (0..4).map(|i| format!("class {i}")).collect();
    benchmark.items = Items::Classes { classes, templates: vec!["{}".to_owned()], labels };
    limit(&mut benchmark, 8);
    let Items::Classes { classes, labels, .. } = &benchmark.items else { panic!("not classes") };
    assert_eq!((classes.len(), labels.len(), benchmark.images.len()), (4, 8, 8));
    for class in 0..4 {
        assert_eq!(labels.iter().filter(|&&label| label == class).count(), 2);
    }
    for (label, image) in labels.iter().zip(&benchmark.images) {
        let number: usize = image.name().trim_end_matches(".png").parse().unwrap();
        assert_eq!(number % 4, *label);
    }
}

#[test]
fn a_limit_that_does_not_bind_changes_nothing() {
    let mut benchmark = choices(&["a", "b"], Metric::MacroAccuracy { min_count: 2 });
    limit(&mut benchmark, 2);
    assert_eq!((benchmark.len(), benchmark.protocol.as_str()), (2, "accuracy"));
    assert_eq!(benchmark.metric, Metric::MacroAccuracy { min_count: 2 });
    let mut benchmark = choices(&["a", "b"], Metric::Accuracy);
    limit(&mut benchmark, 0);
    assert_eq!(benchmark.len(), 1);
}

#[test]
fn a_subset_of_retrieval_keeps_whole_images_and_says_that_it_is_easier() {
    let direction = crate::benchmark::Direction::TextToImage;
    let image = |i: usize| ImageRef::File { path: format!("{i}.jpg").into(), crop: None };
    let retrieval = crate::benchmark::Retrieval {
        captions: (0..30).map(|i| format!("caption {i}")).collect(),
        image_of: (0..30).map(|i| i / 3).collect(),
        direction,
    };
    let mut set = choices(&["a"; 10], Metric::Recall);
    set.images = (0..10).map(image).collect();
    set.items = Items::Retrieval(retrieval);
    limit(&mut set, 5);
    let Items::Retrieval(kept) = &set.items else { panic!("{:?}", set.items) };
    assert_eq!((set.images.len(), kept.captions.len()), (5, 15));
    for (caption, image) in kept.captions.iter().zip(&kept.image_of) {
        let number: usize = caption.strip_prefix("caption ").unwrap().parse().unwrap();
        assert_eq!(set.images[*image].name(), format!("{}.jpg", number / 3));
    }
    assert!(set.protocol.contains("subset of 5 images out of 10, in which recall is higher"), "{}", set.protocol);
}

#[test]
fn duels_keep_the_images_that_they_compare() {
    let duel = |i: usize| crate::benchmark::Duel {
        images: vec![i, (i + 1) % 6],
        captions: vec![i.to_string()],
        wins: Vec::new(),
        tags: Vec::new(),
    };
    let mut set = choices(&["a"; 6], Metric::Accuracy);
    set.images = (0..6).map(|i| ImageRef::File { path: format!("{i}.jpg").into(), crop: None }).collect();
    set.items = Items::Duels((0..6).map(duel).collect());
    limit(&mut set, 2);
    let Items::Duels(duels) = &set.items else { panic!("{:?}", set.items) };
    assert_eq!((duels.len(), set.images.len()), (2, 4));
    for duel in duels {
        let names: Vec<_> = duel.images.iter().map(|&image| set.images[image].name()).collect();
        let first: usize = duel.captions[0].parse().unwrap();
        assert_eq!(names, [format!("{first}.jpg"), format!("{}.jpg", (first + 1) % 6)]);
    }
}
