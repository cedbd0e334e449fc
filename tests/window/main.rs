//! The window without a display and without a model: a scripted engine, driven by the names that a screen reader says.

#![cfg(feature = "gui")]
#![allow(missing_docs, clippy::unwrap_used)]

mod script;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clove::engine::{Command, Event, Failure};
use clove::patch::{Alpha, AlphaMap};
use clove::ui::{App, Start};
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use script::{ALPHAS, Script};

type Window = Harness<'static, App>;

fn window_of(size: [f32; 2], theme: Theme, points: usize, start: Start) -> (Window, Script) {
    let (link, script) = script::link(points);
    let builder = Harness::builder().with_size(size).with_theme(theme).with_max_steps(32);
    let mut window = builder.build_eframe(move |cc| App::new(&cc.egui_ctx, None, link, start));
    window.run_ok();
    (window, script)
}

fn window() -> (Window, Script) {
    window_of([1440.0, 900.0], Theme::Dark, ALPHAS, Start::default())
}

fn linked(alpha: f64) -> AlphaMap {
    AlphaMap::one(Alpha::clamped(alpha))
}

fn wanted(window: &Window) -> AlphaMap {
    window.state().session().wanted()
}

fn count(log: &Arc<Mutex<Vec<Command>>>, is: impl Fn(&Command) -> bool) -> usize {
    log.lock().unwrap().iter().filter(|c| is(c)).count()
}

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
