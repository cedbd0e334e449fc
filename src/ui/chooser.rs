//! File dialogs off the drawing thread: a dialog that hangs (some portals do) costs nothing but itself.

use eframe::egui;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use crate::engine::End;
use crate::report::Kind;

/// What is being chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A checkpoint.
    Checkpoint(End),
    /// A folder of benchmarks.
    Data,
    /// A recipe's file.
    Recipe,
    /// A file for a field of the recipe form.
    FieldFile(&'static str),
    /// A folder for a field of the recipe form.
    FieldFolder(&'static str),
    /// A file to write an export of this kind to.
    Export(Kind),
}

/// A dialog that ends sooner than this without a path was never seen by a person: none could be opened.
const UNSEEN: Duration = Duration::from_millis(300);

/// How a dialog ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With a path.
    Chosen(Choice, PathBuf),
    /// Before it was open.
    NoDialog(Choice),
}

/// At most one open dialog.
#[derive(Debug, Default)]
pub struct Chooser {
    open: Option<(Choice, Instant, Receiver<Option<PathBuf>>)>,
}

impl Chooser {
    /// Opens a dialog. An earlier one that never answered is forgotten: its answer would go nowhere.
    pub fn ask(&mut self, choice: Choice, ctx: &egui::Context) -> Result<(), std::io::Error> {
        let (send, answer) = channel();
        let wake = ctx.clone();
        let work = move || {
            // Nobody waits for this any more when the window has closed or another dialog was opened.
            let _ = send.send(pick(choice));
            wake.request_repaint();
        };
        std::thread::Builder::new().name("file-dialog".into()).spawn(work)?;
        self.open = Some((choice, Instant::now(), answer));
        Ok(())
    }

    /// What is being chosen right now.
    pub fn is_open(&self) -> Option<Choice> {
        self.open.as_ref().map(|(choice, ..)| *choice)
    }

    /// How the dialog ended, once; nothing where a person closed it. Never waits.
    pub fn answer(&mut self) -> Option<Answer> {
        let (choice, asked, receiver) = self.open.as_ref()?;
        let (choice, asked) = (*choice, *asked);
        match receiver.try_recv() {
            Err(TryRecvError::Empty) => None,
            Ok(path) => {
                self.open = None;
                let unseen = (asked.elapsed() < UNSEEN).then_some(Answer::NoDialog(choice));
                path.map(|path| Answer::Chosen(choice, path)).or(unseen)
            }
            Err(TryRecvError::Disconnected) => {
                self.open = None;
                None
            }
        }
    }
}

fn pick(choice: Choice) -> Option<PathBuf> {
    match choice {
        Choice::Checkpoint(end) => {
            let title = if end == End::Base { "Open the base checkpoint" } else { "Open the tuned checkpoint" };
            rfd::FileDialog::new()
                .set_title(title)
                .add_filter("Checkpoints", &["safetensors", "pt", "pth", "bin"])
                .add_filter("All files", &["*"])
                .pick_file()
        }
        Choice::Data => rfd::FileDialog::new().set_title("Open a folder of benchmarks").pick_folder(),
        Choice::Recipe => {
            rfd::FileDialog::new().set_title("Open a recipe").add_filter("Recipes", &["toml"]).pick_file()
        }
        Choice::FieldFile(_) => rfd::FileDialog::new().set_title("Choose a checkpoint").pick_file(),
        Choice::FieldFolder(_) => rfd::FileDialog::new().set_title("Choose a folder").pick_folder(),
        Choice::Export(kind) => {
            let (name, extension) = (kind.file_name(), kind.extension());
            let dialog = rfd::FileDialog::new().set_title("Export").set_file_name(name);
            dialog.add_filter(extension.to_uppercase(), &[extension]).save_file()
        }
    }
}
