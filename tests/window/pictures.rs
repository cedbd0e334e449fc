//! How panels look, in both themes. `UPDATE_SNAPSHOTS=true cargo test --test window` writes new pictures.

use clove::ui::Start;
use eframe::egui::Theme;
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::Queryable;

use super::script::ALPHAS;
use super::window_of;

#[test]
fn look_at_the_window() {
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        for size in [[1440.0, 900.0], [1024.0, 640.0]] {
            let (mut window, _script) = window_of(size, theme, ALPHAS, Start::default());
            window.run_ok();
            let image = window.render().unwrap();
            image.save(format!("/tmp/window_{name}_{}.png", size[0])).unwrap();
        }
    }
}
