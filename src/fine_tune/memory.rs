//! Memory of this process, as Linux tells it in `/proc/self/status` (proc(5)).

/// Resident memory in bytes; `None` where the system does not tell.
pub fn resident() -> Option<u64> {
    field("VmRSS:")
}

/// Most resident memory so far in bytes; `None` where the system does not tell.
pub fn peak() -> Option<u64> {
    field("VmHWM:")
}

fn field(name: &str) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    kilobytes(&std::fs::read_to_string("/proc/self/status").ok()?, name).map(|kb| kb * 1024)
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_understood() {
        let status = "Name:\tclove\nVmHWM:\t   11324 kB\nVmRSS:\t   10000 kB\n";
        assert_eq!((kilobytes(status, "VmHWM:"), kilobytes(status, "VmRSS:")), (Some(11_324), Some(10_000)));
        assert_eq!(kilobytes("Name:\tclove\n", "VmRSS:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_some() {
        let (resident, peak) = (resident().unwrap(), peak().unwrap());
        assert!(resident > 1 << 20 && peak >= resident / 2, "{resident} {peak}");
    }
}
