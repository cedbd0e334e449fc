//! Questions to the system: clock, processes, memory, disks. `None` where it does not tell.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Whether a process of this number runs. One that is dead and that nobody has waited for does not, as far as the
/// system tells (Linux, proc(5)).
#[cfg(unix)]
pub fn is_alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let is_zombie = state.is_ok_and(|line| line.rsplit_once(')').is_some_and(|(_, rest)| rest.trim().starts_with('Z')));
    // A process of somebody else's is alive too.
    raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)) && !is_zombie
}

/// Nobody can be asked, so that only the worker's own lock counts.
#[cfg(not(unix))]
pub fn is_alive(_: u32) -> bool {
    false
}

/// Asks a worker to save and end (SIGTERM). It must be the one whose command line names `folder`, as far as the
/// system tells: a number may have gone to another program meanwhile.
#[cfg(unix)]
pub fn terminate(pid: u32, folder: &Path) -> Result<(), String> {
    let is_other = std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
        !String::from_utf8_lossy(&line).contains(&*folder.file_name().unwrap_or_default().to_string_lossy())
    });
    let pid = raw(pid).filter(|_| !is_other).ok_or_else(|| format!("process {pid} is not its worker"))?;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(|error| error.to_string())
}

/// There are no signals.
#[cfg(not(unix))]
pub fn terminate(_: u32, _: &Path) -> Result<(), String> {
    Err("this system has no signals".into())
}

/// Numbers that would mean a group (0 and below) are none.
#[cfg(unix)]
fn raw(pid: u32) -> Option<rustix::process::Pid> {
    i32::try_from(pid).ok().filter(|pid| *pid > 0).and_then(rustix::process::Pid::from_raw)
}

/// Bytes that a user may still write to the disk of `folder`, or of its nearest parent that exists.
#[cfg(unix)]
pub fn free_disk(folder: &Path) -> Option<u64> {
    let folder = std::path::absolute(folder).ok()?;
    let existing = folder.ancestors().find(|parent| parent.exists())?;
    let found = rustix::fs::statvfs(existing).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Not asked.
#[cfg(not(unix))]
pub fn free_disk(_: &Path) -> Option<u64> {
    None
}

/// Bytes that can be had without swapping (Linux), within the limit of the control group.
pub fn free_memory() -> Option<u64> {
    let free = memory_line(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    let number = |file: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok()?.trim().parse().ok();
    let limited = number("memory.max").zip(number("memory.current"));
    Some(limited.map_or(free, |(most, used): (u64, u64)| free.min(most.saturating_sub(used))))
}

/// `MemAvailable:   12345 kB` in bytes.
fn memory_line(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn the_system_answers() {
        assert!(is_alive(std::process::id()) && !is_alive(0) && !is_alive(u32::MAX));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let start = std::time::Instant::now();
        while cfg!(target_os = "linux") && is_alive(child.id()) {
            assert!(start.elapsed().as_secs() < 20, "a dead child counts as alive");
        }
        child.wait().unwrap();
        assert!(free_disk(Path::new("/no/such/folder")).unwrap() > 0);
        assert_eq!(memory_line("MemTotal: 9 kB\nMemAvailable:   12 kB\n", "MemAvailable:"), Some(12 * 1024));
        assert_eq!(memory_line("MemAvailable: x kB", "MemAvailable:"), None);
    }

    #[test]
    fn a_process_that_is_not_the_worker_is_spared() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let refused = terminate(child.id(), Path::new("/runs/some-job"));
        let spared = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(refused.is_err() && spared);
    }
}
