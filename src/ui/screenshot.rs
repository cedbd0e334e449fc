//! `--screenshot`: the window's picture, saved once everything it should show has landed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui::{ColorImage, Context, ViewportCommand};

/// Frames to wait after the last change, so that what was asked for is drawn.
const SETTLE: u32 = 4;

/// How the picture ended; read by [`super::run`] after the window has closed.
#[derive(Clone, Debug, Default)]
pub struct Ending(Arc<Mutex<Option<Result<(), String>>>>);

impl Ending {
    /// The result, once there is one.
    pub fn get(&self) -> Option<Result<(), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, result: Result<(), String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }
}

/// A picture that is to be taken.
#[derive(Debug)]
pub struct Screenshot {
    path: PathBuf,
    ending: Ending,
    settled: u32,
    asked: bool,
}

impl Screenshot {
    /// Will save to `path`.
    pub fn new(path: PathBuf, ending: Ending) -> Self {
        Self { path, ending, settled: 0, asked: false }
    }

    /// Ends without a picture: what it should show cannot be had.
    pub fn give_up(&self, reason: String) {
        if self.ending.get().is_none() {
            self.ending.set(Err(reason));
        }
    }

    /// Called in every frame; `ready` says whether all that the picture should show is there. Closes the window at the
    /// end.
    pub fn advance(&mut self, ctx: &Context, ready: bool) {
        if self.ending.get().is_some() {
            ctx.send_viewport_cmd(ViewportCommand::Close);
            return;
        }
        self.settled = if ready { self.settled + 1 } else { 0 };
        if self.asked || !ready {
            return;
        }
        ctx.request_repaint();
        if self.settled < SETTLE {
            return;
        }
        self.asked = true;
        let (path, ending, wake) = (self.path.clone(), self.ending.clone(), ctx.clone());
        ctx.request_screenshot(move |image| save_aside(path, image, ending, wake));
    }
}

/// Encodes on a thread of its own: the window never waits for a disk.
fn save_aside(path: PathBuf, image: Arc<ColorImage>, ending: Ending, wake: Context) {
    let failed = ending.clone();
    let work = move || {
        ending.set(write(&path, &image).map_err(|e| format!("cannot save the picture to {}: {e}", path.display())));
        wake.request_repaint();
    };
    if let Err(e) = std::thread::Builder::new().name("screenshot".into()).spawn(work) {
        failed.set(Err(format!("cannot start the thread that saves the picture: {e}")));
    }
}

/// Writes beside the target, then renames: a half-written picture never carries the asked name.
fn write(path: &Path, image: &ColorImage) -> Result<(), Box<dyn std::error::Error>> {
    let [width, height] = image.size.map(|n| n as u32);
    let bytes: Vec<u8> = image.pixels.iter().flat_map(|p| [p.r(), p.g(), p.b()]).collect();
    let picture = image::RgbImage::from_raw(width, height, bytes).ok_or("the window sent too few pixels")?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = readable(&mut tempfile::Builder::new()).tempfile_in(folder)?;
    picture.write_to(&mut std::io::BufWriter::new(file.as_file_mut()), image::ImageFormat::Png)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Temporary files are private by default; a picture is to be shown around.
fn readable<'a, 'b>(builder: &'a mut tempfile::Builder<'b, 'b>) -> &'a mut tempfile::Builder<'b, 'b> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window.png");
        let image = ColorImage::filled([3, 2], eframe::egui::Color32::from_rgb(10, 20, 30));
        write(&path, &image).unwrap();
        let read = image::open(&path).unwrap().to_rgb8();
        assert_eq!((read.dimensions(), read.get_pixel(2, 1).0), ((3, 2), [10, 20, 30]));
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing is left beside it");
        assert!(write(&folder.path().join("no/such/folder.png"), &image).is_err());
    }
}
