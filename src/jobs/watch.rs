//! A folder of run directories, looked at a few times a second.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clove_training::run_directory::RunDirectory;

use super::folder::Folder;
use super::queue::Order;
use super::{JobId, JobState, JobView};

/// Jobs at rest, and a folder that seems unchanged, are looked at once in so many times.
const RARELY: u64 = 8;

/// Remembers every job in a runs folder.
#[derive(Debug)]
pub struct Watch {
    runs: PathBuf,
    folders: BTreeMap<JobId, Folder>,
    /// What was told already, so that it is told once.
    told: BTreeSet<String>,
    looks: u64,
    listed: Option<SystemTime>,
}

/// What a look found.
#[derive(Debug, Default)]
pub struct Seen {
    /// All jobs, newest first, when anything about them changed.
    pub jobs: Option<Arc<Vec<JobView>>>,
    /// Folders that cannot be shown: which, and why. Told once.
    pub unreadable: Vec<(String, String)>,
}

impl Watch {
    /// Has not looked yet. The folder need not be there.
    pub fn new(runs: &Path) -> Self {
        Self { runs: runs.to_owned(), folders: BTreeMap::new(), told: BTreeSet::new(), looks: 0, listed: None }
    }

    /// Looks; the first look finds a change in any case.
    pub fn look(&mut self) -> Seen {
        let order = Order::read(&self.runs);
        let mut seen = Seen::default();
        let thorough = self.looks.is_multiple_of(RARELY);
        let mut changed = self.looks == 0;
        self.looks += 1;
        let modified = std::fs::metadata(&self.runs).and_then(|found| found.modified()).ok();
        if thorough || modified != self.listed {
            self.listed = modified;
            changed |= self.list(&order, &mut seen);
        }
        let mut gone = Vec::new();
        for (id, folder) in &mut self.folders {
            let waits = order.place(id).is_some() || order.is_starting(Some(id), super::process::now());
            let at_rest = !folder.state().is_live() && folder.state() != JobState::Queued && !waits;
            if at_rest && !thorough {
                continue;
            }
            match folder.look(&order) {
                Ok(news) => changed |= news,
                Err(error) => gone.push((id.clone(), error.to_string())),
            }
        }
        for (id, why) in gone {
            // It may have been moved away between listing and looking; then the next listing says so.
            if self.runs.join(&id.0).is_dir() {
                self.tell(&mut seen, &id.0, why);
            }
            self.folders.remove(&id);
            changed = true;
        }
        if changed {
            seen.jobs = Some(Arc::new(self.folders.values().rev().map(Folder::view).collect()));
        }
        seen
    }

    /// Where a job stood at the last look.
    pub fn state(&self, id: &JobId) -> Option<JobState> {
        self.folders.get(id).map(Folder::state)
    }

    /// Every job, oldest first.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&JobId, &Folder)> {
        self.folders.iter()
    }

    /// Finds run directories that came or went; whether any did.
    fn list(&mut self, order: &Order, seen: &mut Seen) -> bool {
        let runs = match RunDirectory::list(&self.runs) {
            Ok(runs) => runs,
            Err(error) => {
                self.tell(seen, &self.runs.display().to_string(), error.to_string());
                return false;
            }
        };
        let there: BTreeSet<JobId> = runs.iter().map(|run| JobId(run.name())).collect();
        let before = self.folders.len();
        self.folders.retain(|id, _| there.contains(id));
        let mut changed = self.folders.len() != before;
        for run in runs {
            let id = JobId(run.name());
            if self.folders.contains_key(&id) {
                continue;
            }
            match Folder::open(run, order) {
                Ok(folder) => {
                    self.folders.insert(id, folder);
                    changed = true;
                }
                Err(error) => self.tell(seen, &id.0, error.to_string()),
            }
        }
        changed
    }

    fn tell(&mut self, seen: &mut Seen, what: &str, why: String) {
        if self.told.insert(why.clone()) {
            seen.unreadable.push((what.to_owned(), why));
        }
    }
}
