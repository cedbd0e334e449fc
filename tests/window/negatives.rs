//! The preview of hard negatives.

use clove::engine::Command;
use egui_kittest::kittest::Queryable;

use super::{Script, Window, window};

fn panel() -> (Window, Script) {
    let (mut window, script) = window();
    window.get_by_label("Negatives").click();
    window.run_ok();
    (window, script)
}

fn asked(script: &Script) -> Vec<(String, u64)> {
    let log = script.log.lock().unwrap();
    let previews = log.iter().filter_map(|command| match command {
        Command::PreviewNegatives { caption, seed } => Some((caption.clone(), *seed)),
        _ => None,
    });
    previews.collect()
}

#[test]
fn the_focused_example_is_shown_until_a_caption_is_typed() {
    let (mut window, script) = panel();
    let right = |window: &Window| {
        let session = window.state().session();
        session.example(session.focused.unwrap()).unwrap().right.clone()
    };
    assert_eq!(asked(&script), [(right(&window), 0)]);
    window.get_by_label_contains("ARO relation 3: ").click();
    window.run_ok();
    assert_eq!(asked(&script).last(), Some(&(right(&window), 0)), "it follows the focus");
    let edit = window.get_by_label("Caption to write negatives for");
    edit.focus();
    window.run_ok();
    window.get_by_label("Caption to write negatives for").type_text(" and more");
    window.run_ok();
    let typed = format!("{} and more", right(&window));
    assert_eq!(asked(&script).last(), Some(&(typed, 0)));
    window.get_by_label("From example").click();
    window.run_ok();
    assert_eq!(asked(&script).last(), Some(&(right(&window), 0)));
    window.get_by_label("Another draw").click();
    window.run_ok();
    assert_eq!(asked(&script).last(), Some(&(right(&window), 1)));
    window.get_by_label("A draw of each style, seed 1");
}

#[test]
fn equal_tokens_are_a_warning_with_a_shape() {
    let (window, _script) = panel();
    window.get_by_label("1 negative reads the same as the caption to demo base: training on it would teach nothing");
    assert!(window.get_all_by_label("The same tokens as the caption to demo base").count() == 1);
    assert_eq!(window.get_all_by_label("both are a kind of artifact").count(), 2);
}

#[test]
fn a_caption_that_is_turned_away_hears_why() {
    let (mut window, _script) = panel();
    window.get_by_label("Caption to write negatives for").focus();
    window.run_ok();
    window.key_press_modifiers(eframe::egui::Modifiers::COMMAND, eframe::egui::Key::A);
    window.get_by_label("Caption to write negatives for").type_text("a dog");
    window.run_ok();
    window.get_by_label_contains("Style replace writes nothing: only “a dog” is named");
    window.key_press_modifiers(eframe::egui::Modifiers::COMMAND, eframe::egui::Key::A);
    window.key_press(eframe::egui::Key::Backspace);
    window.run_ok();
    window.get_by_label("A hard negative is a caption that is almost right");
    window.get_by_label("Try “a black dog on a sofa”").click();
    window.run_ok();
    window.get_by_label("What style replace chooses from");
}
