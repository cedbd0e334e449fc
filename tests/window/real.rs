//! A real engine and a real worker behind the window: a fine-tune of the demo, started by a click.
//!
//! `CLOVE_PICTURES=DIR cargo nextest run --test window --run-ignored only` saves the window before, during and after.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clove::checkpoint::Options;
use clove::device::DeviceChoice;
use clove::jobs::{JobState, Local};
use clove::patch::AlphaMap;
use clove::ui::{App, Start, Wake};
use clove::{engine, jobs};
use eframe::egui::Theme;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::Window;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_mins(15);

fn window(runs: &Path) -> Window {
    let wake: Wake = Arc::new(|| {});
    let worker = Local { program: env!("CARGO_BIN_EXE_clove").into(), device: None };
    let links = (
        engine::start(DeviceChoice::Cpu, Options::default(), wake.clone()),
        jobs::start_with(Ok(worker), DeviceChoice::Cpu, wake),
    );
    let start = Start { runs: runs.into(), ..Start::default() };
    let builder = Harness::builder().with_size([1440.0, 900.0]).with_theme(Theme::Dark);
    builder.build_eframe(move |cc| App::new(&cc.egui_ctx, None, links, start))
}

/// Draws until something holds; fails with the notices of the window.
fn until(window: &mut Window, what: &str, holds: impl Fn(&App) -> bool) {
    let start = Instant::now();
    while !holds(window.state()) {
        let notices = window.state().session().notices.list();
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}: {notices:?}");
        window.step();
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..4 {
        window.step();
    }
}

fn picture(window: &mut Window, name: &str) {
    if let Some(folder) = std::env::var_os("CLOVE_PICTURES") {
        window.remove_cursor();
        window.step();
        std::fs::create_dir_all(&folder).unwrap();
        window.render().unwrap().save(Path::new(&folder).join(format!("{name}.png"))).unwrap();
    }
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.step();
    window.step();
}

fn running(app: &App) -> Option<&clove::jobs::JobView> {
    app.session().jobs.running()
}

#[test]
#[ignore = "fine-tunes for minutes"]
fn a_click_fine_tunes_the_demo_and_its_curve_stands_beside_the_old_one() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = window(runs.path());
    until(&mut window, "the first sweep", |app| app.session().is_swept() && app.session().jobs.known);
    click(&mut window, "Jobs");
    picture(&mut window, "before");
    let began = Instant::now();
    click(&mut window, "Fine-tune the demo");
    until(&mut window, "the first steps", |app| running(app).is_some_and(|job| job.step > job.steps / 3));
    // The slider is answered while the worker trains.
    let moved = Instant::now();
    window.get_by_label("Alpha of the patch").set_value_accesskit(0.35);
    window.step();
    until(&mut window, "an answer to the slider", |app| {
        !app.session().focus_is_stale() && app.session().wanted() != AlphaMap::BASE
    });
    eprintln!("the slider was answered after {:?}", moved.elapsed());
    picture(&mut window, "during");
    until(&mut window, "the end", |app| app.session().jobs.list.first().is_some_and(|job| !job.state.is_live()));
    eprintln!("the fine-tune took {:?}", began.elapsed());
    assert_eq!(window.state().session().jobs.list[0].state, JobState::Done);
    until(&mut window, "the new sweep", |app| app.session().earlier().len() == 1 && app.session().is_swept());
    picture(&mut window, "after");
}
