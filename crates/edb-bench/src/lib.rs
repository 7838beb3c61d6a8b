//! Dev only: what the benchmarks measure with. Each binary measures one thing; dated raw runs lie in `runs/`.

use std::fs;

/// User and system time of this (single-threaded) process so far, in seconds; 0 where there is no `/proc`.
pub fn cpu_seconds() -> f64 {
    // The scheduler's own account, in nanoseconds; `/proc/self/stat` has the same in steps of 10 ms.
    let account = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    account.split(' ').next().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// A line of `/proc/self/status`, as `VmHWM` (peak resident memory), in bytes; 0 where there is no `/proc`.
pub fn memory_bytes(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes = kilobytes.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
