//! How much memory the process may use.

use std::fs;
use std::sync::OnceLock;

/// Where Linux says how much memory the machine has, in kibibytes.
const MEMINFO: &str = "/proc/meminfo";
/// Where it says how much of that a container has, in bytes: version 2 of control groups, and version 1.
const CONTAINER_LIMITS: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// The machine's memory, or what its container is allowed of it, in bytes; `None` where nobody says. It is the same for as long
/// as the process lives.
pub(super) fn total_bytes() -> Option<u64> {
    static TOTAL: OnceLock<Option<u64>> = OnceLock::new();
    *TOTAL.get_or_init(|| {
        let machine = fs::read_to_string(MEMINFO).ok().and_then(|text| mem_total(&text));
        let limits =
            CONTAINER_LIMITS.iter().filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
        machine.into_iter().chain(limits).min()
    })
}

fn mem_total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_says_how_much_it_has() {
        assert_eq!(mem_total("MemTotal:       24576000 kB\nMemFree: 1 kB\n"), Some(24_576_000 * 1024));
        assert_eq!(mem_total("MemFree: 1 kB\n"), None);
        assert!(total_bytes().is_some_and(|bytes| bytes > 1 << 26));
    }
}
