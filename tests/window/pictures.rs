//! How panels look, in both themes. `UPDATE_SNAPSHOTS=true cargo test --test window` writes new pictures.

use clove::ui::Start;
use eframe::egui::{Rect, Theme, pos2};
use egui_kittest::kittest::Queryable;
use egui_kittest::{SnapshotOptions, SnapshotResults, image_snapshot_options, try_image_snapshot_options};
use image::GenericImageView;

use super::script::ALPHAS;
use super::{Window, window_of};

const SIZE: [f32; 2] = [1024.0, 640.0];
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

fn take(window: &mut Window, names: &[&str], suffix: &str, results: &mut SnapshotResults) {
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
