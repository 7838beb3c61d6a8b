//! What a process has used.

use std::fs;
use std::time::Instant;

/// User and system time of this (single-threaded) process so far, in seconds; 0 where there is no `/proc`.
pub fn cpu_seconds() -> f64 {
    // The scheduler's own account, in nanoseconds; `/proc/self/stat` has the same in steps of 10 ms.
    let account = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    account.split(' ').next().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// User and system time of all threads of this process so far, those that have ended included, in seconds and in steps of
/// 10 ms; 0 where there is no `/proc`.
pub fn process_cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in parentheses, and may have spaces: fields are counted after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<f64>().ok());
    // Linux shows ticks of 1/100 s to programs, whatever it counts in itself.
    ticks.sum::<f64>() / 100.0
}

/// A line of `/proc/self/status`, as `VmHWM` (peak resident memory), in bytes; 0 where there is no `/proc`.
pub fn memory_bytes(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes = kilobytes.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Measures a piece of work of a process with several threads.
#[derive(Debug)]
pub struct Meter {
    wall: Instant,
    cpu_seconds: f64,
}

impl Meter {
    /// Begins to measure.
    pub fn start() -> Self {
        Self { cpu_seconds: process_cpu_seconds(), wall: Instant::now() }
    }

    /// `1.234 s, 0.56 CPU s, peak 12.3 MB`: time since the start, and the peak of the whole process.
    pub fn report(&self) -> String {
        let (wall, cpu) = (self.wall.elapsed().as_secs_f64(), process_cpu_seconds() - self.cpu_seconds);
        format!("{wall:.3} s, {cpu:.2} CPU s, peak {:.1} MB", memory_bytes("VmHWM") as f64 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_time_of_other_threads_is_counted() {
        let before = process_cpu_seconds();
        let work = || {
            let started = Instant::now();
            while started.elapsed().as_millis() < 200 {
                std::hint::spin_loop();
            }
        };
        std::thread::spawn(work).join().unwrap();
        assert!(process_cpu_seconds() > before);
    }
}
