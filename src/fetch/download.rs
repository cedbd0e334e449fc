//! One file: into `NAME.part`, on from there after a cut, checked, renamed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::client::{Answer, Client};
use super::redirect::{self, Linked};
use super::{FetchError, FetchedFile};

/// Cuts after which a download is given up until the next command.
const MAX_CUTS: usize = 8;
/// Bytes between two looks at whether to go on.
const CHUNK: usize = 256 << 10;

/// A file to fetch.
pub(super) struct Wanted<'a> {
    pub(super) url: String,
    /// Where it goes; its folder exists.
    pub(super) path: &'a Path,
    /// Most bytes that are taken.
    pub(super) limit: u64,
    /// What is known of its hash beforehand; first digits are enough.
    pub(super) sha256: Option<String>,
    /// For the host of `url` alone.
    pub(super) token: Option<&'a str>,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance<'a> {
    /// The file's name.
    pub name: &'a str,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes that were there before this call.
    pub before: u64,
    /// Bytes in all, where the server says it.
    pub total: Option<u64>,
}

/// A file that is there.
pub(super) struct Downloaded {
    pub(super) file: FetchedFile,
    pub(super) commit: Option<String>,
}

/// Which file of the server a `.part` is the beginning of.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    url: String,
    /// A strong ETag or a date, for `If-Range`.
    validator: Option<String>,
}

/// The unfinished file, held against other processes.
struct Part {
    file: File,
    path: PathBuf,
    beside: PathBuf,
    /// Bytes that are there.
    length: u64,
    origin: Origin,
}

/// How an answer fits what is there.
enum Fit {
    /// It goes on where the part ends.
    Rest,
    /// It is the file from its start: the server knows no ranges, or the file changed.
    Whole,
    /// There is no more: the part was complete.
    Complete,
    /// It does not fit; the whole is to be asked for.
    Anew,
}

/// Fetches one file; an existing one of that name is never touched.
pub(super) fn download(
    client: &Client,
    wanted: &Wanted<'_>,
    go_on: &mut dyn FnMut(&Advance<'_>) -> bool,
) -> Result<Downloaded, FetchError> {
    if wanted.path.exists() {
        return Err(FetchError::Exists(wanted.path.to_owned()));
    }
    let mut part = Part::open(wanted)?;
    let (mut before, mut reason) = (part.length, String::new());
    for _ in 0..MAX_CUTS {
        let answer = redirect::get(client, &wanted.url, &part.headers(), wanted.token);
        let (mut answer, linked) = match answer.and_then(|(answer, linked)| Ok((refuse(answer, &wanted.url)?, linked)))
        {
            Ok(answered) => answered,
            Err(error) => {
                part.remove_if_empty();
                return Err(error);
            }
        };
        let start = match part.fit(&answer) {
            Fit::Complete => return finish(part, wanted, linked),
            Fit::Anew => {
                part.restart(Origin::default())?;
                "the server changed the file meanwhile".clone_into(&mut reason);
                continue;
            }
            Fit::Whole => {
                part.restart(Origin::of(&answer, &wanted.url))?;
                before = 0;
                0
            }
            Fit::Rest => part.length,
        };
        let total = answer.length().map(|length| start + length);
        check_size(wanted, total, part.length).inspect_err(|_| part.remove_if_empty())?;
        let mut tell = |done| go_on(&Advance { name: name_of(wanted.path), done, before, total });
        match part.take(&mut answer.body, wanted, &mut tell)? {
            Some(cut) => reason = cut,
            None if total.is_some_and(|total| part.length < total) => {
                "the server sent less than it promised".clone_into(&mut reason);
            }
            None => return finish(part, wanted, linked),
        }
    }
    Err(FetchError::Cut { times: MAX_CUTS, reason, url: wanted.url.clone() })
}

/// Answers that bring no file.
fn refuse(answer: Answer, url: &str) -> Result<Answer, FetchError> {
    let (status, url) = (answer.status, url.to_owned());
    let what = match status {
        200 | 206 | 416 => return Ok(answer),
        404 | 410 => return Err(FetchError::NotFound { url }),
        401 | 403 => return Err(FetchError::Refused { status, url }),
        429 => "too many requests",
        500..=599 => "its own failure",
        _ => "nothing that is a file",
    };
    Err(FetchError::Server { status, what, url })
}

/// Refuses what is too large for a model, or for the disk.
fn check_size(wanted: &Wanted<'_>, total: Option<u64>, there: u64) -> Result<(), FetchError> {
    let Some(bytes) = total else { return Ok(()) };
    if bytes > wanted.limit {
        return Err(FetchError::TooLarge { bytes, limit: wanted.limit, url: wanted.url.clone() });
    }
    let folder = wanted.path.parent().unwrap_or(wanted.path);
    match free_bytes(folder) {
        Some(free) if free < bytes - there.min(bytes) => {
            Err(FetchError::NoRoom { needed: bytes - there.min(bytes), free, folder: folder.to_owned() })
        }
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

fn finish(mut part: Part, wanted: &Wanted<'_>, linked: Linked) -> Result<Downloaded, FetchError> {
    let found = part.sha256()?;
    let known = [&linked.sha256, &wanted.sha256];
    let mut known = known.into_iter().flatten().map(|expected| expected.to_ascii_lowercase());
    let compared = linked.sha256.is_some() || wanted.sha256.is_some();
    if let Some(expected) = known.find(|expected| !found.starts_with(expected.as_str())) {
        part.remove();
        return Err(FetchError::Checksum { found, expected, url: wanted.url.clone() });
    }
    let fail = |e| FetchError::disk("finish the file", wanted.path, e);
    part.file.sync_all().map_err(fail)?;
    std::fs::rename(&part.path, wanted.path).map_err(fail)?;
    // What is left says nothing any more.
    let _ = std::fs::remove_file(&part.beside);
    let file = FetchedFile { name: name_of(wanted.path).to_owned(), bytes: part.length, sha256: found, compared };
    Ok(Downloaded { file, commit: linked.commit })
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

impl Origin {
    fn of(answer: &Answer, url: &str) -> Self {
        let etag = answer.header("etag").filter(|etag| !etag.starts_with("W/"));
        Self { url: url.to_owned(), validator: etag.or(answer.header("last-modified")).map(str::to_owned) }
    }
}

impl Part {
    /// Opens what an earlier download of this address left, or begins. What came from elsewhere, or cannot be told from
    /// a changed file, is thrown away.
    fn open(wanted: &Wanted<'_>) -> Result<Self, FetchError> {
        let with = |end: &str| wanted.path.with_file_name(format!("{}{end}", name_of(wanted.path)));
        let (path, beside) = (with(".part"), with(".part.json"));
        let fail = |e| FetchError::disk("open the unfinished file", &path, e);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FetchError::Busy(path)),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let length = file.metadata().map_err(fail)?.len();
        let origin: Option<Origin> = std::fs::read(&beside).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let mut part = Self { file, path, beside, length, origin: origin.unwrap_or_default() };
        if part.origin.url != wanted.url || part.origin.validator.is_none() {
            part.restart(Origin::default())?;
        }
        Ok(part)
    }

    /// Asks for the rest, if it is still the same file.
    fn headers(&self) -> Vec<(&'static str, String)> {
        match &self.origin.validator {
            Some(validator) if self.length > 0 => {
                vec![("range", format!("bytes={}-", self.length)), ("if-range", validator.clone())]
            }
            _ => Vec::new(),
        }
    }

    fn fit(&self, answer: &Answer) -> Fit {
        let range = answer.header("content-range").and_then(|range| range.trim().strip_prefix("bytes "));
        match (answer.status, range) {
            (200, _) => Fit::Whole,
            (206, Some(range)) if range.starts_with(&format!("{}-", self.length)) => Fit::Rest,
            (416, Some(range)) if self.length > 0 && range == format!("*/{}", self.length) => Fit::Complete,
            _ => Fit::Anew,
        }
    }

    /// Empties it, to begin with what `origin` sends.
    fn restart(&mut self, origin: Origin) -> Result<(), FetchError> {
        let fail = |e| FetchError::disk("begin the file", &self.path, e);
        self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)).map(drop)).map_err(fail)?;
        std::fs::write(&self.beside, serde_json::to_vec(&origin).unwrap_or_default()).map_err(fail)?;
        (self.length, self.origin) = (0, origin);
        Ok(())
    }

    /// Appends what comes; the reason, where it ends before its time.
    fn take(
        &mut self,
        body: &mut dyn Read,
        wanted: &Wanted<'_>,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<String>, FetchError> {
        let fail = |path: &Path, e| FetchError::disk("write the file", path, e);
        self.file.seek(SeekFrom::Start(self.length)).map_err(|e| fail(&self.path, e))?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let n = match body.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(n) => n,
                Err(error) => return Ok(Some(error.to_string())),
            };
            self.file.write_all(buffer.get(..n).unwrap_or_default()).map_err(|e| fail(&self.path, e))?;
            self.length += n as u64;
            if self.length > wanted.limit {
                self.remove();
                let (bytes, limit, url) = (self.length, wanted.limit, wanted.url.clone());
                return Err(FetchError::TooLarge { bytes, limit, url });
            }
            if !go_on(self.length) {
                return Err(FetchError::Stopped);
            }
        }
    }

    fn sha256(&mut self) -> Result<String, FetchError> {
        let fail = |path: &Path, e| FetchError::disk("read the file again", path, e);
        self.file.seek(SeekFrom::Start(0)).map_err(|e| fail(&self.path, e))?;
        let (mut hash, mut buffer) = (sha2::Sha256::new(), vec![0; CHUNK]);
        loop {
            match self.file.read(&mut buffer).map_err(|e| fail(&self.path, e))? {
                0 => return Ok(hash.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))),
                n => hash.update(buffer.get(..n).unwrap_or_default()),
            }
        }
    }

    /// A name that does not exist leaves nothing behind.
    fn remove_if_empty(&self) {
        if self.length == 0 {
            self.remove();
        }
    }

    /// What cannot be removed is only waste.
    fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(&self.beside);
    }
}
