//! The Models panel: downloads, the choice of activation, and typed paths of data.

use clove::engine::{Command, End, Event};
use clove::kernels::Activation;
use clove::ui::Start;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::Queryable;

use super::pictures::{SIZE, take};
use super::script::ALPHAS;
use super::{Window, count, press, window, window_of};

fn enter(window: &mut Window, field: &str, text: &str) {
    window.get_by_label(field).focus();
    window.run_ok();
    window.get_by_label(field).type_text(text);
    window.run_ok();
    press(window, Key::Enter, 1);
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_ok();
}

#[test]
fn a_model_that_is_not_there_is_downloaded_when_asked_for_and_then_opened() {
    let (mut window, script) = window();
    enter(&mut window, "Path of tuned", "hf:someone/clip");
    let fetched = || count(&script.log, |c| matches!(c, Command::Fetch { .. }));
    let opened = || count(&script.log, |c| matches!(c, Command::OpenPair { .. }));
    assert_eq!((fetched(), opened()), (0, 2), "nothing is fetched unasked");
    click(&mut window, "Download tuned");
    let fetch = Command::Fetch { end: End::Tuned, name: "hf:someone/clip".into() };
    assert!(script.log.lock().unwrap().contains(&fetch));
    window.get_by_label("Downloading model.safetensors");
    assert!(window.query_by_label("Download tuned").is_none());

    click(&mut window, "Cancel the download of tuned");
    assert!(script.log.lock().unwrap().contains(&Command::StopFetch(End::Tuned)));
    let ended = |complete| Event::FetchEnded { end: End::Tuned, name: "hf:someone/clip".into(), complete };
    script.events.send(ended(false)).unwrap();
    window.run_ok();
    assert_eq!(opened(), 2);
    click(&mut window, "Download tuned");
    script.events.send(ended(true)).unwrap();
    window.run_ok();
    // The script answers at once, but nothing wakes this window for it.
    window.run_ok();
    assert_eq!((fetched(), opened()), (2, 3));
    assert!(window.query_by_label("Download tuned").is_none());
    assert_eq!(window.state().session().pair.as_ref().unwrap().tuned.path.as_os_str(), "hf:someone/clip");
}

#[test]
fn a_download_that_nothing_waits_for_any_more_opens_nothing() {
    let (mut window, script) = window();
    enter(&mut window, "Path of tuned", "hf:someone/clip");
    click(&mut window, "Download tuned");
    window.get_by_label("Path of tuned").focus();
    window.run_ok();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.run_ok();
    window.get_by_label("Path of tuned").type_text("/models/other.pt");
    window.run_ok();
    press(&mut window, Key::Enter, 1);
    let name = "hf:someone/clip".to_owned();
    script.events.send(Event::FetchEnded { end: End::Tuned, name, complete: true }).unwrap();
    window.run_ok();
    window.run_ok();
    assert_eq!(count(&script.log, |c| matches!(c, Command::OpenPair { .. })), 3, "no fourth");
}

#[test]
fn an_activation_is_asked_for_and_holds_for_its_file_alone() {
    let (mut window, script) = window();
    let last = || {
        let log = script.log.lock().unwrap();
        let of = |c: &Command| if let Command::UseActivations(a) = c { Some(*a) } else { None };
        log.iter().rev().find_map(of).unwrap()
    };
    enter(&mut window, "Path of base", "/models/bare.pt");
    assert_eq!(last(), [None, None]);
    click(&mut window, "Run base with GELU");
    assert_eq!(last(), [Some(Activation::Gelu), None]);
    window.get_by_label("Check it against the model's source: with the wrong one it still runs, only worse.");
    let info = window.state().session().pair.clone().unwrap();
    assert_eq!((info.base.activation.as_str(), info.tuned.activation.as_str()), ("GELU", "QuickGELU"));

    click(&mut window, "Activation of base");
    click(&mut window, "QuickGELU (OpenAI, NegCLIP, CLoVe)");
    assert_eq!(last(), [Some(Activation::QuickGelu), None]);
    enter(&mut window, "Path of tuned", "/models/other.pt");
    assert_eq!(last(), [Some(Activation::QuickGelu), None], "base is the same");
    click(&mut window, "Back to the demo pair");
    assert_eq!(last(), [None, None], "another file, another activation");
}

#[test]
fn a_folder_of_benchmarks_can_be_typed() {
    let (mut window, script) = window();
    click(&mut window, "Data");
    enter(&mut window, "Path of the data folder", "/data/aro");
    let open = Command::OpenData { folder: Some("/data/aro".into()) };
    assert!(script.log.lock().unwrap().contains(&open));
}

#[test]
fn next_steps_in_the_models_panel_look_as_agreed() {
    let mut results = SnapshotResults::new();
    for (theme, suffix) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let (mut window, _script) = window_of(SIZE, theme, ALPHAS, Start::default());
        enter(&mut window, "Path of base", "/models/bare.pt");
        window.remove_cursor();
        take(&mut window, &["Models"], &format!("asks_{suffix}"), &mut results);
        click(&mut window, "Run base with QuickGELU");
        window.remove_cursor();
        take(&mut window, &["Models"], &format!("chosen_{suffix}"), &mut results);
        let (mut window, _script) = window_of(SIZE, theme, ALPHAS, Start::default());
        enter(&mut window, "Path of base", "hf:someone/clip");
        window.remove_cursor();
        take(&mut window, &["Models"], &format!("offers_{suffix}"), &mut results);
        click(&mut window, "Download base");
        window.remove_cursor();
        take(&mut window, &["Models"], &format!("fetches_{suffix}"), &mut results);
    }
}
