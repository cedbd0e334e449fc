//! How panels look, in both themes. `UPDATE_SNAPSHOTS=true cargo test --test window` writes new pictures.

use clove::jobs::{JobState, JobView};
use clove::ui::Start;
use eframe::egui::{Rect, Role, Theme, pos2};
use egui_kittest::kittest::Queryable;
use egui_kittest::{SnapshotOptions, SnapshotResults, image_snapshot_options, try_image_snapshot_options};
use image::GenericImageView;

use super::jobs_script::{JobsScript, RUNS, job, recipe};
use super::script::ALPHAS;
use super::{Window, window_of, window_with};

pub const SIZE: [f32; 2] = [1024.0, 640.0];
/// Height of the status line.
const STATUS: f32 = 28.0;

/// Another build of the software renderer moves the edge of a glyph by a shade; a shifted border is hundreds of pixels.
fn options() -> SnapshotOptions {
    SnapshotOptions::new().threshold(1.2).max_failed_pixels(24)
}

/// The room of a panel, found by the titles of all panels.
fn panel(window: &Window, name: &str) -> Rect {
    let corner = |title: &str| {
        let rects = window.get_all_by_label(title).map(|node| node.rect());
        rects.min_by(|a, b| a.top().total_cmp(&b.top())).unwrap().min
    };
    let bottom = SIZE[1] - STATUS;
    let (alpha, plot, tasks, examples) = (corner("Alpha"), corner("Trade-off"), corner("Tasks"), corner("Examples"));
    let (from, to) = match name {
        "Models" => (corner("Models"), pos2(plot.x, alpha.y)),
        "Alpha" => (alpha, pos2(plot.x, bottom)),
        "Trade-off" => (plot, pos2(examples.x, tasks.y)),
        "Tasks" => (tasks, pos2(examples.x, bottom)),
        _ => (examples, pos2(SIZE[0], bottom)),
    };
    Rect::from_min_max(from, to)
}

pub fn take(window: &mut Window, names: &[&str], suffix: &str, results: &mut SnapshotResults) {
    window.run_ok();
    let whole = window.render().unwrap();
    for name in names {
        let rect = panel(window, name);
        let (x, y) = (rect.left().floor() as u32, rect.top().floor() as u32);
        let crop = whole.view(x, y, rect.width() as u32, rect.height() as u32).to_image();
        let file = format!("{}_{suffix}", name.to_lowercase());
        results.add(try_image_snapshot_options(&crop, file, &options()));
    }
}

#[test]
fn panels_look_as_agreed() {
    let mut results = SnapshotResults::new();
    for (theme, suffix) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let (mut window, _script) = window_of(SIZE, theme, ALPHAS, Start::default());
        take(&mut window, &["Models", "Alpha", "Trade-off", "Tasks", "Examples"], suffix, &mut results);
    }
}

#[test]
fn a_sweep_on_its_way_looks_as_agreed() {
    let mut results = SnapshotResults::new();
    let (mut window, _script) = window_of(SIZE, Theme::Dark, 7, Start::default());
    window.get_by_label("Over alpha").click();
    window.run_ok();
    window.get_by_label("Split towers").click();
    window.run_ok();
    window.get_by_label("Alpha of the image tower").set_value_accesskit(0.2);
    window.remove_cursor();
    take(&mut window, &["Alpha", "Trade-off"], "on_its_way", &mut results);
}

#[test]
fn small_plots_and_slices_look_as_agreed() {
    let mut results = SnapshotResults::new();
    let (mut window, _script) = window_of(SIZE, Theme::Light, ALPHAS, Start::default());
    window.get_by_label("Tasks over alpha").click();
    window.run_ok();
    window.get_by_label("Slices").click();
    window.run_ok();
    window.get_by_label("Sort slices by Δ").click();
    window.run_ok();
    window.remove_cursor();
    take(&mut window, &["Trade-off", "Tasks"], "as_slices", &mut results);
    window.get_by_label("Map").click();
    window.run_ok();
    window.get_by_label("Score the map").click();
    window.run_ok();
    window.get_by_label("Data").click();
    window.run_ok();
    window.remove_cursor();
    take(&mut window, &["Trade-off", "Tasks"], "as_map", &mut results);
}

#[test]
fn an_empty_window_looks_as_agreed() {
    let start = Start { base: Some("/m/broken.bin".into()), tuned: Some("/m/tuned.bin".into()), ..Start::default() };
    let (mut window, _script) = window_of(SIZE, Theme::Light, 0, start);
    window.get_by_label("Dismiss").click();
    window.run_ok();
    window.remove_cursor();
    window.run_ok();
    let rect = panel(&window, "Trade-off");
    let whole = window.render().unwrap();
    let crop = whole.view(0, 40, rect.right() as u32, rect.bottom() as u32 - 40).to_image();
    image_snapshot_options(&crop, "empty", &options());
}

/// The group of tables, enlarged by dragging the border above it.
fn enlarge(window: &mut Window) {
    let tab = window.get_all_by_label("Tasks").map(|n| n.rect()).max_by(|a, b| a.top().total_cmp(&b.top())).unwrap();
    let border = pos2(tab.center().x + 120.0, tab.top() - 0.5);
    window.drag_at(border);
    window.run_ok();
    window.hover_at(border - eframe::egui::vec2(0.0, 150.0));
    window.run_ok();
    window.drop_at(border - eframe::egui::vec2(0.0, 150.0));
    window.remove_cursor();
    window.run_ok();
}

/// The whole window, at a size.
fn whole(window: &mut Window, name: &str, results: &mut SnapshotResults) {
    window.remove_cursor();
    window.run_ok();
    results.add(try_image_snapshot_options(&window.render().unwrap(), name, &options()));
}

fn with_jobs(size: [f32; 2], theme: Theme, jobs: Vec<JobView>) -> (Window, JobsScript) {
    let start = Start { runs: RUNS.into(), ..Start::default() };
    let (mut window, _script, jobs) = window_with(size, theme, ALPHAS, start, jobs);
    window.get_by_label("Jobs").click();
    window.run_ok();
    (window, jobs)
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_ok();
}

#[test]
fn jobs_look_as_agreed_before_during_and_after() {
    let mut results = SnapshotResults::new();
    for (theme, suffix) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let (mut window, jobs) = with_jobs(SIZE, theme, Vec::new());
        window.remove_cursor();
        enlarge(&mut window);
        take_jobs(&mut window, &format!("jobs_before_{suffix}"), &mut results);
        click(&mut window, "Fine-tune the demo");
        jobs.advance(0, 260, JobState::Running);
        take_jobs(&mut window, &format!("jobs_during_{suffix}"), &mut results);
        jobs.advance(0, 600, JobState::Done);
        window.run_ok();
        click(&mut window, "Scores");
        window.get_by_label("Dismiss").click();
        take_jobs(&mut window, &format!("jobs_after_{suffix}"), &mut results);
    }
}

fn take_jobs(window: &mut Window, name: &str, results: &mut SnapshotResults) {
    window.remove_cursor();
    window.run_ok();
    let rect = panel(window, "Tasks");
    let whole = window.render().unwrap();
    let (x, y) = (rect.left().floor() as u32, rect.top().floor() as u32);
    let crop = whole.view(x, y, rect.width() as u32, rect.height() as u32).to_image();
    results.add(try_image_snapshot_options(&crop, name, &options()));
}

#[test]
fn several_jobs_look_as_agreed() {
    let mut results = SnapshotResults::new();
    let mut queued = job("20261125-094000_long", recipe("long"), JobState::Queued, 0);
    queued.place = Some(0);
    let mut failed = job("20261125-091000_broken", recipe("broken"), JobState::Failed, 120);
    failed.failure = Some("the loss is not a number at step 121".into());
    let list = vec![
        queued,
        job("20261125-093000_replace", recipe("replace"), JobState::Running, 340),
        failed,
        job("20261125-090000_none", recipe("none"), JobState::Done, 600),
        job("20261125-080000_swap", recipe("swap"), JobState::Interrupted, 410),
        job("20261125-070000_stopped", recipe("stopped"), JobState::Stopped, 90),
    ];
    for (size, theme, name) in
        [([1440.0, 900.0], Theme::Dark, "jobs_window_dark"), (SIZE, Theme::Light, "jobs_window_small")]
    {
        let (mut window, _jobs) = with_jobs(size, theme, list.clone());
        click(&mut window, "Compare none");
        click(&mut window, "Compare swap");
        whole(&mut window, name, &mut results);
    }
    let (mut window, _jobs) = with_jobs([1440.0, 900.0], Theme::Light, list);
    for (part, name) in [("Checkpoints 3", "jobs_checkpoints"), ("Log 1", "jobs_log"), ("Recipe", "jobs_recipe")] {
        click(&mut window, part);
        let rect = bottom_of(&window);
        window.remove_cursor();
        window.run_ok();
        let crop = window.render().unwrap().view(rect[0], rect[1], rect[2], rect[3]).to_image();
        results.add(try_image_snapshot_options(&crop, name, &options()));
    }
}

/// The bottom group of a large window: left, top, width, height.
fn bottom_of(window: &Window) -> [u32; 4] {
    let tasks = window.get_by_label("Slices").rect();
    let examples = window.get_by_label("Examples").rect();
    let plot =
        window.get_all_by_label("Trade-off").map(|n| n.rect()).min_by(|a, b| a.top().total_cmp(&b.top())).unwrap();
    let (left, top) = (plot.left() as u32, tasks.top() as u32);
    [left, top, examples.left() as u32 - left, 900 - 28 - top]
}

#[test]
fn the_recipe_form_looks_as_agreed() {
    let mut results = SnapshotResults::new();
    for (size, theme, name) in [([1440.0, 900.0], Theme::Dark, "form_dark"), (SIZE, Theme::Light, "form_small")] {
        let (mut window, _jobs) = with_jobs(size, theme, Vec::new());
        click(&mut window, "Fine-tune…");
        click(&mut window, "Time three steps");
        window.get_by_role_and_label(Role::TextInput, "Batch").focus();
        window.run_ok();
        window.get_by_role_and_label(Role::TextInput, "Batch").type_text("x");
        for _ in 0..4 {
            window.step();
        }
        if theme == Theme::Dark {
            window.key_press(eframe::egui::Key::Backspace);
        }
        window.run_ok();
        window.get_by_label("Optimizer").click();
        for _ in 0..4 {
            window.step();
        }
        whole(&mut window, name, &mut results);
    }
}

#[test]
fn negatives_look_as_agreed() {
    let mut results = SnapshotResults::new();
    for (theme, suffix) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let (mut window, _script) = window_of(SIZE, theme, ALPHAS, Start::default());
        click(&mut window, "Negatives");
        enlarge(&mut window);
        take_jobs(&mut window, &format!("negatives_{suffix}"), &mut results);
    }
    let (mut window, _script) = window_of([1440.0, 900.0], Theme::Light, ALPHAS, Start::default());
    click(&mut window, "Negatives");
    whole(&mut window, "negatives_window", &mut results);
}

#[test]
fn earlier_curves_look_as_agreed() {
    let mut results = SnapshotResults::new();
    let (mut window, jobs) = with_jobs(SIZE, Theme::Dark, Vec::new());
    click(&mut window, "Fine-tune the demo");
    jobs.advance(0, 600, JobState::Done);
    window.run_ok();
    window.get_by_label("Dismiss").click();
    window.remove_cursor();
    take(&mut window, &["Trade-off"], "beside_an_earlier", &mut results);
}
