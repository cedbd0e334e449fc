//! Which examples are listed: against which alpha, by slice, by words, by chance.

use clove::engine::{Command, ExampleId};
use clove::session::Verdict;
use eframe::egui;
use egui_kittest::kittest::{NodeT, Queryable};

use super::{Window, linked, window};

fn listed(window: &Window, verdict: Verdict) -> usize {
    let session = window.state().session();
    (0..520).filter(|example| session.is(ExampleId { benchmark: 1, example: *example }, verdict)).count()
}

#[test]
fn any_two_alphas_can_be_compared() {
    let (mut window, _script) = window();
    let against_base = listed(&window, Verdict::Fixed);
    window.get_by_label("Alpha compared with").click();
    window.run_ok();
    window.get_by_label("α 0.40").click();
    window.run_ok();
    assert_eq!(window.state().session().compared_with(), linked(0.4));
    let [fixed, broken, both, neither] =
        [Verdict::Fixed, Verdict::Broken, Verdict::Both, Verdict::Neither].map(|verdict| listed(&window, verdict));
    assert!(fixed < against_base && fixed > 0);
    assert_eq!(fixed + broken + both + neither, 520);
    window.get_by_label(&format!("Neither, {neither}")).click();
    window.run_ok();
    window.get_by_label(&format!("Examples, {neither} examples"));
    assert!(window.query_all_by_label_contains("p = ").count() + window.query_all_by_label("p < 0.001").count() > 0);
}

/// The button of a slice; the tags of the focused example are labels of the same names.
fn slice<'a>(window: &'a Window, name: &'a str) -> egui_kittest::Node<'a> {
    let named = window.get_all_by_label(name);
    named.into_iter().find(|node| node.accesskit_node().role() == egui::Role::Button).unwrap()
}

/// Share of a slice's examples that are right.
fn right_now(window: &Window, tag: &str) -> f64 {
    let session = window.state().session();
    let ids = (0..520).map(|example| ExampleId { benchmark: 1, example });
    let tagged: Vec<_> = ids.filter(|id| session.example(*id).unwrap().tags.iter().any(|t| t == tag)).collect();
    tagged.iter().filter(|id| session.is(**id, Verdict::Right)).count() as f64 / tagged.len() as f64
}

#[test]
fn a_slice_is_sorted_and_listed() {
    let (mut window, _script) = window();
    window.get_by_label("Slices").click();
    window.run_ok();
    window.get_by_label("Sort slices by Now").click();
    window.run_ok();
    let names = ["left", "right", "two things"];
    let mut by_place = names.map(|name| (slice(&window, name).rect().top(), name));
    by_place.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut by_score = names.map(|name| (right_now(&window, name), name));
    by_score.sort_by(|a, b| b.0.total_cmp(&a.0));
    assert_eq!(by_place.map(|p| p.1), by_score.map(|s| s.1), "largest first");
    slice(&window, "left").click();
    window.run_ok();
    window.get_by_label("Examples, 260 examples");
    window.get_by_label("Show more than left").click();
    window.run_ok();
    window.get_by_label("Examples, 520 examples");
}

#[test]
fn same_words_and_samples_narrow_the_list() {
    let (mut window, _script) = window();
    window.get_by_label("Same words").click();
    window.run_ok();
    // The scripted second negative exchanges two things: other words only where both are the same.
    let all = window.get_by_label_contains("Examples, ");
    let shown: usize = words(&all).parse().unwrap();
    assert!((300..520).contains(&shown), "{shown}");
    window.get_by_label("Sample").click();
    window.run_ok();
    window.get_by_label("Examples, 48 examples");
    window.get_by_label("Show all instead of a sample").click();
    window.run_ok();
    window.get_by_label(&format!("Examples, {shown} examples"));
}

fn words(node: &egui_kittest::Node<'_>) -> String {
    let label = node.accesskit_node().label().unwrap_or_default();
    label.trim_start_matches("Examples, ").trim_end_matches(" examples").replace(',', "")
}

#[test]
fn a_choice_of_benchmarks_is_applied_when_it_is_asked_for() {
    let (mut window, script) = window();
    let asked = |script: &super::Script| super::count(&script.log, |c| matches!(c, Command::ChooseData { .. }));
    window.get_by_label("Data").click();
    window.run_ok();
    assert!(window.query_by_label("Apply").is_none(), "nothing to apply yet");
    window.get_by_role_and_label(egui::Role::CheckBox, "Flickr order").click();
    window.get_by_label("At most").click();
    window.run_ok();
    assert_eq!(asked(&script), 0, "a tick alone restarts nothing");
    window.get_by_label("Revert").click();
    window.run_ok();
    assert!(window.query_by_label("Apply").is_none());
    window.get_by_role_and_label(egui::Role::CheckBox, "Flickr order").click();
    window.run_ok();
    window.get_by_label("Apply").click();
    window.run_ok();
    let mut chosen = vec![true; 11];
    chosen[4] = false;
    assert_eq!(script.log.lock().unwrap().last(), Some(&Command::ChooseData { chosen, limit: None }));
}
