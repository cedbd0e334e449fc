//! The live worker's side of a run directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::{
    CHECKPOINTS, CONTROL, CheckpointFolder, Control, EVENTS, JOB, LOCK, Line, RESULT, RunDirectory, RunError, RunEvent,
    RunResult, aside, name,
};

/// How long a lock is tried for: those who look at it hold it for an instant.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest message, in bytes; a path may be long, an error may hold a file's content.
const LONGEST_MESSAGE: usize = 4 << 10;

/// Holds the run's lock until it is dropped; the operating system lets go of it when the process dies, however it
/// dies.
#[derive(Debug)]
pub struct Writer {
    run: RunDirectory,
    _lock: File,
    events: File,
    /// Bytes of whole lines.
    length: u64,
    /// Events that found no room.
    lost: u64,
}

impl Writer {
    /// Takes the run's lock, repairs what a crash tore, and removes what it left unfinished.
    ///
    /// # Errors
    /// [`RunError::Busy`] while another worker lives, and what the file system refuses.
    pub fn open(run: RunDirectory) -> Result<Self, RunError> {
        let lock = lock(&run)?;
        for folder in [run.path.clone(), run.path.join(CHECKPOINTS), run.path.join(CONTROL), run.path.join("weights")] {
            aside::remove_leftovers(&folder);
        }
        let path = run.path.join(EVENTS);
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let opened = open.and_then(|mut file| {
            let length = whole_lines(&mut file)?;
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
            Ok((file, length))
        });
        let (events, length) = opened.map_err(RunError::io("open the events", &path))?;
        Ok(Self { run, _lock: lock, events, length, lost: 0 })
    }

    /// The run, as anyone may see it.
    pub fn run(&self) -> &RunDirectory {
        &self.run
    }

    /// Appends an event, now. One that finds no room is left out, and said so as soon as there is room: a run does not
    /// die of its own diary.
    pub fn tell(&mut self, event: RunEvent) {
        if self.lost > 0 {
            let message = format!("{} events could not be written and are missing here", self.lost);
            if self.append(RunEvent::Warning { message }).is_ok() {
                self.lost = 0;
            }
        }
        if self.append(event).is_err() {
            self.lost += 1;
        }
    }

    /// Appends an event on which the run's state depends, and has it on the disk.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn conclude(&mut self, event: RunEvent) -> Result<(), RunError> {
        let written = self.append(event).and_then(|()| self.events.sync_data());
        written.map_err(RunError::io("write the events", &self.run.path.join(EVENTS)))
    }

    fn append(&mut self, event: RunEvent) -> io::Result<()> {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut line = serde_json::to_vec(&Line { time, event: shortened(event) })?;
        line.push(b'\n');
        let written = self.events.write_all(&line);
        if written.is_ok() {
            self.length += line.len() as u64;
        } else {
            // Or the next line would be joined to this one's beginning.
            self.events.set_len(self.length)?;
            self.events.seek(SeekFrom::Start(self.length))?;
        }
        written
    }

    /// Whether somebody asked, and forgets it.
    pub fn take(&self, control: Control) -> bool {
        std::fs::remove_file(self.run.path.join(CONTROL).join(control.file())).is_ok()
    }

    /// Forgets what a dead worker was asked for.
    pub fn forget_requests(&self) {
        for control in [Control::Stop, Control::Save] {
            self.take(control);
        }
    }

    /// Has `fill` write a checkpoint aside, syncs it, puts it in its place, and only then removes the oldest, so that
    /// `kept` are left (0: all).
    ///
    /// # Errors
    /// What the file system refuses, or `fill`; no earlier checkpoint is touched then.
    pub fn checkpoint(
        &mut self,
        step: u64,
        kept: usize,
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<CheckpointFolder, RunError> {
        let path = self.run.path.join(CHECKPOINTS).join(name::checkpoint(step));
        let fail = || RunError::io("write the checkpoint", &path);
        // One of the same step that could not be read, or this step would not have been taken again.
        aside::remove(&path).map_err(fail())?;
        aside::folder(&path, fill).map_err(fail())?;
        // What the events say before this step shall not be younger than the step.
        let _ = self.events.sync_data();
        self.remove_oldest(kept, step)?;
        Ok(CheckpointFolder { step, bytes: aside::size(&path), path })
    }

    /// Removes the oldest checkpoints so that `kept` are left (0: all), and never that of `step`. A worker that was
    /// killed right after its last checkpoint left one too many.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn remove_oldest(&self, kept: usize, step: u64) -> Result<(), RunError> {
        if kept > 0 {
            let all = self.run.checkpoints()?;
            for old in all.iter().take(all.len().saturating_sub(kept)).filter(|old| old.step != step) {
                aside::remove(&old.path).map_err(RunError::io("remove an old checkpoint", &old.path))?;
            }
        }
        Ok(())
    }

    /// Has `fill` make the folder `relative`, there whole or not at all, in the place of what an earlier worker left.
    ///
    /// # Errors
    /// What the file system refuses, or `fill`.
    pub fn folder(&self, relative: &str, fill: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), RunError> {
        let path = self.run.path.join(relative);
        let made = aside::remove(&path).and_then(|()| aside::folder(&path, fill));
        made.map_err(RunError::io("write the folder", &path))
    }

    /// Writes the file `relative`, whole or not at all.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn file(&self, relative: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.run.path.join(relative);
        aside::write(&path, bytes).map_err(RunError::io("write", &path))
    }

    /// Writes `job.json`.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn job(&self, record: &serde_json::Value) -> Result<(), RunError> {
        self.file(JOB, format!("{record:#}\n").as_bytes())
    }

    /// Writes `result.json`: the run is complete.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn finish(&self, result: &RunResult) -> Result<(), RunError> {
        let path = self.run.path.join(RESULT);
        let json = serde_json::to_string_pretty(result).map_err(io::Error::from);
        let written = json.and_then(|json| aside::write(&path, format!("{json}\n").as_bytes()));
        written.map_err(RunError::io("write the result", &path))
    }
}

fn lock(run: &RunDirectory) -> Result<File, RunError> {
    let path = run.path.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(RunError::io("open the lock file", &path))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Err(RunError::Busy { path: run.path.clone() }),
            Err(TryLockError::Error(source)) => return Err(RunError::io("lock the run", &path)(source)),
        }
    }
}

/// Length of the file up to its last line break.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const BLOCK: u64 = 64 << 10;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        (&mut *file).take(end - start).read_to_end(&mut block)?;
        if let Some(last) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn shortened(mut event: RunEvent) -> RunEvent {
    if let RunEvent::Warning { message } | RunEvent::Failed { message } = &mut event
        && message.len() > LONGEST_MESSAGE
    {
        message.truncate(message.floor_char_boundary(LONGEST_MESSAGE));
        message.push('…');
    }
    event
}
