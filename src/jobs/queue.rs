//! The order of jobs that wait, as a file that every clove on the machine agrees on.
//!
//! `queue.json` holds it, written aside and renamed; `queue.lock` is held for the length of one change. Readers need
//! no lock. Only jobs that are listed are ever started, so that a run directory somebody else is about to use, or one
//! that was copied here, stays as it is.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{JobId, JobsError, process};
use crate::store;

const FILE: &str = "queue.json";
const LOCK: &str = "queue.lock";
/// A change takes milliseconds; who holds the lock for longer is suspended or stuck.
const PATIENCE: Duration = Duration::from_secs(5);
/// A worker takes its own lock within this time of its start, or it is not counted as one.
const GRACE_S: f64 = 120.0;
/// Longest file that is read, in bytes.
const LONGEST: u64 = 1 << 22;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// Waiting, the next first.
    pub jobs: Vec<JobId>,
    /// Workers on their way to their lock.
    pub launched: Vec<Launched>,
    /// Removed while they waited, to go back to their place.
    pub removed: Vec<Removed>,
}

/// A worker that was started and may not hold its lock yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launched {
    /// Its job.
    pub id: JobId,
    /// Its process; before there is one, that of who is about to start it.
    pub pid: u32,
    /// Unix seconds of the start.
    pub time: f64,
    /// There is a worker.
    pub spawned: bool,
}

/// A job that waited when it was removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    /// The job.
    pub id: JobId,
    /// Its place, from 0.
    pub place: usize,
}

impl Order {
    /// What stands in `runs` now; empty where nothing can be read.
    pub fn read(runs: &Path) -> Self {
        load(&runs.join(FILE)).ok().flatten().unwrap_or_default()
    }

    /// Place of a job, from 0.
    pub fn place(&self, id: &JobId) -> Option<usize> {
        self.jobs.iter().position(|waiting| waiting == id)
    }

    /// Puts it last, unless it waits already.
    pub fn push(&mut self, id: JobId) {
        if self.place(&id).is_none() {
            self.jobs.push(id);
        }
    }

    /// Takes it out; its place.
    pub fn take(&mut self, id: &JobId) -> Option<usize> {
        let place = self.place(id)?;
        self.jobs.remove(place);
        Some(place)
    }

    /// Swaps it with its neighbour; whether there was one.
    pub fn shift(&mut self, id: &JobId, later: bool) -> bool {
        let Some(place) = self.place(id) else { return false };
        let other = if later { Some(place + 1) } else { place.checked_sub(1) };
        let Some(other) = other.filter(|other| *other < self.jobs.len()) else { return false };
        self.jobs.swap(place, other);
        true
    }

    /// Whether a worker of this job, or of any, was started and is on its way to its lock.
    pub fn is_starting(&self, id: Option<&JobId>, now: f64) -> bool {
        let counts = |launched: &&Launched| id.is_none_or(|id| *id == launched.id);
        self.launched.iter().filter(counts).any(|launched| launched.is_on_its_way(now))
    }
}

impl Launched {
    fn is_on_its_way(&self, now: f64) -> bool {
        (0.0..GRACE_S).contains(&(now - self.time)) && process::is_alive(self.pid)
    }
}

/// The queue while nobody else can change it.
pub struct Queue {
    /// Change it, then [`Queue::save`].
    pub order: Order,
    runs: PathBuf,
    // Unlocked when it is closed, by the system if need be.
    _lock: File,
}

impl Queue {
    /// Waits for the lock, makes the folder where it is missing.
    ///
    /// # Errors
    /// A lock that does not come, a folder that cannot be written. A damaged file is moved aside and told once.
    pub fn lock(runs: &Path) -> Result<Self, JobsError> {
        std::fs::create_dir_all(runs).map_err(JobsError::io("make the runs folder", runs))?;
        let path = runs.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(JobsError::io("open the queue's lock", &path))?;
        let start = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(JobsError::Busy { path }),
                Err(TryLockError::Error(source)) => return Err(JobsError::io("lock the queue", &path)(source)),
            }
        }
        let mut queue = Self { order: read_or_put_aside(runs)?, runs: runs.to_owned(), _lock: lock };
        queue.recover();
        Ok(queue)
    }

    /// Notes that a job leaves the queue to be started by this process; to be saved before it is.
    pub fn starting(&mut self, id: &JobId) {
        self.order.take(id);
        let launched = Launched { id: id.clone(), pid: std::process::id(), time: process::now(), spawned: false };
        self.order.launched.push(launched);
    }

    /// Notes the worker's process, or that none could be started.
    pub fn started(&mut self, id: &JobId, pid: Option<u32>) {
        self.order.launched.retain(|launched| pid.is_some() || launched.id != *id);
        for launched in self.order.launched.iter_mut().filter(|launched| launched.id == *id) {
            (launched.pid, launched.spawned) = (pid.unwrap_or(launched.pid), true);
        }
    }

    /// Puts first again what a dead process was about to start.
    fn recover(&mut self) {
        let lost = |launched: &&Launched| !launched.spawned && !process::is_alive(launched.pid);
        let lost: Vec<JobId> = self.order.launched.iter().filter(lost).map(|launched| launched.id.clone()).collect();
        self.order.launched.retain(|launched| !lost.contains(&launched.id));
        for id in lost {
            if self.order.place(&id).is_none() {
                self.order.jobs.insert(0, id);
            }
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// A full or read-only disk; the file stays as it was.
    pub fn save(&mut self) -> Result<(), JobsError> {
        let now = process::now();
        self.order.launched.retain(|launched| launched.is_on_its_way(now));
        let text = serde_json::to_vec_pretty(&self.order).map_err(store::StoreError::from)?;
        Ok(store::write_whole(&self.runs.join(FILE), &text)?)
    }
}

/// `None` when there is no file; the reason when it is not one of ours.
fn load(path: &Path) -> Result<Option<Order>, String> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.len() > LONGEST => return Err(format!("it has {} bytes", metadata.len())),
        _ => {}
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let order: Order = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
    match order.jobs.iter().find(|id| !id.is_plain()) {
        Some(id) => Err(format!("'{id}' is no name of a folder")),
        None => Ok(Some(order)),
    }
}

fn read_or_put_aside(runs: &Path) -> Result<Order, JobsError> {
    let path = runs.join(FILE);
    let reason = match load(&path) {
        Ok(order) => return Ok(order.unwrap_or_default()),
        Err(reason) => reason,
    };
    let kept = runs.join(format!("queue.damaged-{:.0}.json", process::now()));
    std::fs::rename(&path, &kept).map_err(JobsError::io("move the damaged queue aside", &path))?;
    Err(JobsError::Damaged { reason, kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> JobId {
        JobId(name.to_owned())
    }

    fn order(names: &[&str]) -> Order {
        Order { jobs: names.iter().map(|name| id(name)).collect(), ..Order::default() }
    }

    #[test]
    fn jobs_are_pushed_once_taken_and_shifted() {
        let mut order = order(&["a", "b", "c"]);
        order.push(id("b"));
        assert_eq!(order.jobs.len(), 3);
        assert!(order.shift(&id("c"), false) && order.shift(&id("a"), true));
        assert_eq!(order.jobs, [id("c"), id("a"), id("b")]);
        assert!(!order.shift(&id("c"), false) && !order.shift(&id("b"), true) && !order.shift(&id("x"), true));
        assert_eq!((order.take(&id("a")), order.take(&id("a"))), (Some(1), None));
    }

    #[test]
    fn many_writers_lose_nothing() {
        let runs = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let runs = runs.path();
                scope.spawn(move || {
                    for job in 0..10 {
                        let mut queue = Queue::lock(runs).unwrap();
                        queue.order.push(id(&format!("{writer}-{job}")));
                        queue.save().unwrap();
                    }
                });
            }
        });
        let order = Order::read(runs.path());
        assert_eq!(order.jobs.len(), 40);
        for writer in 0..4 {
            let own: Vec<_> = order.jobs.iter().filter(|job| job.0.starts_with(&format!("{writer}-"))).collect();
            assert!(own.windows(2).all(|pair| pair[0].0 < pair[1].0), "a writer's order is kept: {own:?}");
        }
    }

    #[test]
    fn a_damaged_queue_is_told_once_and_kept() {
        for text in ["{", "[1]", r#"{"jobs":["../evil"]}"#, r#"{"jobs":[""]}"#] {
            let runs = tempfile::tempdir().unwrap();
            std::fs::write(runs.path().join(FILE), text).unwrap();
            assert_eq!(Order::read(runs.path()), Order::default());
            let Err(JobsError::Damaged { kept, .. }) = Queue::lock(runs.path()) else { panic!("{text} was read") };
            assert_eq!(std::fs::read_to_string(kept).unwrap(), text);
            assert_eq!(Queue::lock(runs.path()).unwrap().order, Order::default());
        }
    }

    #[test]
    fn what_a_dead_scheduler_was_about_to_start_waits_again() {
        let runs = tempfile::tempdir().unwrap();
        let mut queue = Queue::lock(runs.path()).unwrap();
        queue.order = order(&["a", "b"]);
        queue.starting(&id("a"));
        queue.save().unwrap();
        drop(queue);
        let mut queue = Queue::lock(runs.path()).unwrap();
        assert_eq!(queue.order.jobs, [id("b")], "this process lives and may still start it");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        queue.order.launched[0].pid = child.id();
        let text = serde_json::to_vec(&queue.order).unwrap();
        drop(queue);
        std::fs::write(runs.path().join(FILE), text).unwrap();
        let mut queue = Queue::lock(runs.path()).unwrap();
        assert_eq!(queue.order.jobs, [id("a"), id("b")]);
        queue.starting(&id("a"));
        queue.started(&id("a"), Some(child.id()));
        queue.save().unwrap();
        assert_eq!(Order::read(runs.path()).jobs, [id("b")], "a worker that is gone is not started again");
    }

    #[test]
    fn a_worker_on_its_way_counts_until_it_died_or_dawdled() {
        let now = process::now();
        let launched = |pid, time| Order {
            launched: vec![Launched { id: id("a"), pid, time, spawned: true }],
            ..Order::default()
        };
        let own = std::process::id();
        assert!(launched(own, now).is_starting(None, now));
        assert!(launched(own, now).is_starting(Some(&id("a")), now));
        assert!(!launched(own, now).is_starting(Some(&id("b")), now));
        assert!(!launched(own, now - 1000.0).is_starting(None, now));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(!launched(child.id(), now).is_starting(None, now));
    }
}
