//! Downloads that a person asked for, each on a thread of its own: scoring never waits for a network.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::event::{Event, Failure, FetchProgress, Remedy};
use super::{Command, End, Outbox, spawn};
use crate::fetch::{self, Advance, FetchError, Source};

/// Least time between two reports of one file.
const PULSE: Duration = Duration::from_millis(100);
/// A rate over less time than this says nothing.
const SETTLED: Duration = Duration::from_secs(1);

/// For each end what stops its download, while there is one.
type Stops = Mutex<[Option<Arc<AtomicBool>>; 2]>;

/// At most one download per end.
pub(super) struct Downloads {
    outbox: Outbox,
    /// Where files go instead of the cache folder.
    folder: Option<PathBuf>,
    stops: Arc<Stops>,
}

impl Downloads {
    pub fn new(outbox: Outbox, folder: Option<PathBuf>) -> Self {
        Self { outbox, folder, stops: Arc::default() }
    }

    /// Takes over the downloads' commands; gives back any other.
    pub fn put(&self, command: Command) -> Option<Command> {
        match command {
            Command::Fetch { end, name } => self.start(end, name),
            Command::StopFetch(end) => self.stop(end),
            other => {
                if other == Command::Quit {
                    self.stop(End::Base);
                    self.stop(End::Tuned);
                }
                return Some(other);
            }
        }
        None
    }

    fn stop(&self, end: End) {
        if let Some(stop) = &lock(&self.stops)[end.place()] {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// Nothing while a download for this end runs: its button was pressed twice.
    fn start(&self, end: End, name: String) {
        let stop = Arc::new(AtomicBool::new(false));
        let mut stops = lock(&self.stops);
        if stops[end.place()].is_some() {
            return;
        }
        stops[end.place()] = Some(Arc::clone(&stop));
        drop(stops);
        let (outbox, stops) = (self.outbox.clone(), Arc::clone(&self.stops));
        let mut download = Download { end, name, complete: false, outbox, stops };
        let folder = self.folder.clone();
        spawn("clove-fetch", &self.outbox, move || download.run(folder.as_deref(), &stop));
    }
}

fn lock(stops: &Stops) -> MutexGuard<'_, [Option<Arc<AtomicBool>>; 2]> {
    stops.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One download; its end is told however it comes about.
struct Download {
    end: End,
    name: String,
    complete: bool,
    outbox: Outbox,
    stops: Arc<Stops>,
}

impl Download {
    fn run(&mut self, folder: Option<&Path>, stop: &AtomicBool) {
        let (end, name, outbox) = (self.end, self.name.clone(), self.outbox.clone());
        let mut meter = Meter::default();
        let mut go_on = |advance: &Advance<'_>| {
            if let Some(progress) = meter.report(&name, advance) {
                outbox.send(Event::FetchAdvanced { end, progress });
            }
            !stop.load(Ordering::Relaxed)
        };
        let source = self.name.parse::<Source>();
        match source.and_then(|source| fetch::fetch(&source, folder, None, &mut go_on)) {
            Ok(_) => self.complete = true,
            Err(FetchError::Stopped) => {}
            Err(error) => {
                let failure = Failure::new(format!("{} was not downloaded: {error}", self.name));
                let remedy = Some(Remedy::Fetch);
                self.outbox.send(Event::Failed(Failure { end: Some(end), remedy, ..failure }));
            }
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        lock(&self.stops)[self.end.place()] = None;
        let name = std::mem::take(&mut self.name);
        self.outbox.send(Event::FetchEnded { end: self.end, name, complete: self.complete });
    }
}

/// Turns the steps of a download into ten reports a second with an estimate.
#[derive(Default)]
struct Meter {
    file: String,
    /// When the file began, and when it was reported last.
    times: Option<(Instant, Instant)>,
}

impl Meter {
    fn report(&mut self, name: &str, advance: &Advance<'_>) -> Option<FetchProgress> {
        let now = Instant::now();
        let began = match self.times {
            Some((began, reported)) if self.file == advance.name => {
                if now - reported < PULSE {
                    return None;
                }
                began
            }
            _ => {
                advance.name.clone_into(&mut self.file);
                now
            }
        };
        self.times = Some((began, now));
        let (arrived, since) = (advance.done.saturating_sub(advance.before), now - began);
        let left = advance.total.filter(|_| arrived > 0 && since >= SETTLED);
        let per_byte = since.as_secs_f64() / arrived.max(1) as f64;
        Some(FetchProgress {
            name: name.to_owned(),
            file: self.file.clone(),
            done: advance.done,
            total: advance.total,
            seconds_left: left.map(|total| total.saturating_sub(advance.done) as f64 * per_byte),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};

    /// Serves 1 MB; in small pieces with a pause between them where it is to be slow.
    fn server(slow: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n").unwrap();
                for piece in vec![7; 1_000_000].chunks(10_000) {
                    // A client that has heard enough hangs up.
                    if stream.write_all(piece).is_err() {
                        break;
                    }
                    if slow {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }
            }
        });
        format!("http://{at}/model.safetensors")
    }

    fn downloads(folder: &Path) -> (Downloads, Receiver<Event>) {
        let (events, received) = channel();
        let outbox = Outbox { events, wake: Arc::new(|| {}) };
        (Downloads::new(outbox, Some(folder.to_owned())), received)
    }

    fn next(events: &Receiver<Event>) -> Event {
        events.recv_timeout(Duration::from_mins(1)).unwrap()
    }

    #[test]
    fn a_download_is_told_from_its_first_bytes_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let (downloads, events) = downloads(folder.path());
        let name = server(false);
        let fetch = Command::Fetch { end: End::Tuned, name: name.clone() };
        assert_eq!(downloads.put(fetch), None);
        assert_eq!(downloads.put(Command::RunMap), Some(Command::RunMap), "not its own");
        let Event::FetchAdvanced { end: End::Tuned, progress } = next(&events) else { panic!("no progress") };
        assert_eq!((progress.name, progress.file.as_str()), (name.clone(), "model.safetensors"));
        assert_eq!(progress.total, Some(1_000_000));
        let end = loop {
            match next(&events) {
                Event::FetchAdvanced { .. } => {}
                other => break other,
            }
        };
        assert_eq!(end, Event::FetchEnded { end: End::Tuned, name, complete: true });
        assert_eq!(std::fs::read(folder.path().join("model.safetensors")).unwrap(), vec![7; 1_000_000]);
    }

    #[test]
    fn a_stopped_download_keeps_what_has_arrived_and_another_can_begin() {
        let folder = tempfile::tempdir().unwrap();
        let (downloads, events) = downloads(folder.path());
        let fetch = Command::Fetch { end: End::Base, name: server(true) };
        downloads.put(fetch.clone());
        downloads.put(fetch.clone());
        let mut ended = 0;
        for _ in 0..2 {
            loop {
                match next(&events) {
                    Event::FetchAdvanced { progress, .. } if progress.done > 0 => {
                        downloads.put(Command::StopFetch(End::Base));
                    }
                    Event::FetchEnded { complete, .. } => {
                        assert!(!complete);
                        ended += 1;
                        break;
                    }
                    Event::FetchAdvanced { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
            let part = folder.path().join("model.safetensors.part");
            assert!(part.metadata().unwrap().len() > 0);
            if ended == 1 {
                assert!(events.try_recv().is_err(), "the second press began nothing");
                downloads.put(fetch.clone());
            }
        }
    }

    #[test]
    fn what_cannot_be_reached_or_understood_is_said_and_can_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let (downloads, events) = downloads(folder.path());
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (name, says) in [(format!("http://{closed}/a.pt"), "cannot be reached"), ("hf:a b".into(), "neither hf:")] {
            downloads.put(Command::Fetch { end: End::Base, name: name.clone() });
            let Event::Failed(failure) = next(&events) else { panic!("no failure") };
            assert!(failure.summary.contains(says) && failure.summary.contains(&name), "{}", failure.summary);
            assert_eq!((failure.end, failure.remedy), (Some(End::Base), Some(Remedy::Fetch)));
            assert_eq!(next(&events), Event::FetchEnded { end: End::Base, name, complete: false });
        }
    }
}
