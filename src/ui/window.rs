//! Opening the window, and saying in one sentence why it cannot be opened.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};
use eframe::egui;
use eframe::egui::ViewportBuilder;

use super::app::{App, Start};
use super::screenshot::{Ending, Screenshot};
use crate::engine::Link;
use crate::jobs::Link as JobsLink;

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark ground.
    Dark,
    /// Light ground.
    Light,
}

/// Wakes the window; for the engine to call after every event.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// How the window opens.
pub struct WindowOptions {
    /// Starts the engine (or a script that plays one) once there is a window to wake.
    pub link: Box<dyn FnOnce(Wake) -> Link>,
    /// Starts what watches and starts fine-tunes, likewise.
    pub jobs: Box<dyn FnOnce(Wake) -> JobsLink>,
    /// What to open at once.
    pub start: Start,
    /// Save the window's picture here once the first sweep has ended, then exit.
    pub screenshot: Option<PathBuf>,
    /// Width and height in points; 1440 × 900 by default.
    pub size: Option<[f32; 2]>,
    /// The remembered theme, or the system's, without.
    pub theme: Option<Theme>,
}

const APP_ID: &str = "clove";
const SIZE: [f32; 2] = [1440.0, 900.0];
const SMALLEST: [f32; 2] = [1024.0, 640.0];
const PACKAGES: &str = "on Debian, install libgl1 libegl1 libxkbcommon-x11-0 libx11-xcb1 libxcursor1 libxi6 \
                        libxrandr2, or run under xvfb-run; the headless commands need no display (clove --help)";

/// Opens the window and returns when it closes. A missing display or library is an error in one sentence.
pub fn run(options: WindowOptions) -> anyhow::Result<()> {
    if !has_display() {
        return Err(anyhow!("no display: neither DISPLAY nor WAYLAND_DISPLAY is set; {PACKAGES}"));
    }
    let ending = Ending::default();
    let opened = Arc::new(AtomicBool::new(false));
    let is_picture = options.screenshot.is_some();
    let native = native_options(&options);
    let (told, seen) = (ending.clone(), opened.clone());
    quiet_until(opened.clone());
    // winit panics where a library that it loads at run time is missing; until the window is open, that is an error.
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let create: eframe::AppCreator = Box::new(move |cc| {
            seen.store(true, Ordering::Relaxed);
            Ok(Box::new(create(cc, options, told)))
        });
        eframe::run_native(APP_ID, native, create)
    }));
    let was_open = opened.swap(true, Ordering::Relaxed);
    match ran {
        Ok(Ok(())) => finish(is_picture, &ending),
        Ok(Err(error)) if was_open => Err(anyhow!(error.to_string())).context("the window failed"),
        Ok(Err(error)) => Err(anyhow!("cannot open a window: {}; {PACKAGES}", reason(&error.to_string()))),
        Err(payload) if was_open => std::panic::resume_unwind(payload),
        Err(payload) => Err(anyhow!("cannot open a window: {}; {PACKAGES}", message(payload.as_ref()))),
    }
}

/// Keeps panics off standard error until `opened`: before that they become an error in one sentence.
fn quiet_until(opened: Arc<AtomicBool>) {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if opened.load(Ordering::Relaxed) {
            told(info);
        }
    }));
}

fn finish(is_picture: bool, ending: &Ending) -> anyhow::Result<()> {
    match ending.get() {
        Some(Err(reason)) => Err(anyhow!(reason)),
        None if is_picture => Err(anyhow!("the window was closed before the first sweep ended: no picture was saved")),
        Some(Ok(())) | None => Ok(()),
    }
}

fn create(cc: &eframe::CreationContext, options: WindowOptions, ending: Ending) -> App {
    let ctx = cc.egui_ctx.clone();
    let wake: Wake = Arc::new(move || ctx.request_repaint());
    let links = ((options.link)(wake.clone()), (options.jobs)(wake));
    let storage = if options.screenshot.is_some() { None } else { cc.storage };
    let mut app = App::new(&cc.egui_ctx, storage, links, options.start);
    if let Some(theme) = options.theme {
        cc.egui_ctx.set_theme(if theme == Theme::Dark { egui::Theme::Dark } else { egui::Theme::Light });
    }
    app.screenshot = options.screenshot.map(|path| Screenshot::new(path, ending));
    app
}

fn native_options(options: &WindowOptions) -> eframe::NativeOptions {
    let is_picture = options.screenshot.is_some();
    let size = options.size.unwrap_or(SIZE);
    let viewport = ViewportBuilder::default()
        .with_app_id(APP_ID)
        .with_title("clove")
        .with_inner_size(size)
        .with_min_inner_size(if options.size.is_some() { size } else { SMALLEST })
        .with_drag_and_drop(true);
    eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        persist_window: !is_picture && options.size.is_none(),
        // A picture neither restores nor changes what a person has arranged.
        persistence_path: is_picture
            .then(|| std::env::temp_dir().join(format!("clove-picture-{}", std::process::id()))),
        ..Default::default()
    }
}

fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET")
}

/// winit puts its own source location before the reason.
fn reason(text: &str) -> &str {
    text.rsplit_once(".rs:")
        .map_or(text, |(_, rest)| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':').trim())
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown reason".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_locations_are_no_reason() {
        let text = "winit EventLoopError: os error at /x/linux/mod.rs:788: Failed to open connection to X server";
        assert_eq!(reason(text), "Failed to open connection to X server");
        assert_eq!(reason("no GL"), "no GL");
    }
}
