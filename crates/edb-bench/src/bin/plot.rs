//! Measures the downsampling kernel, beside `peers/plot.py`.
//!
//! ```text
//! plot kernel VALUES.f64 COLUMNS [REPETITIONS]   M4 of all values over times 256 ms apart: milliseconds, best and median
//! plot cadence TIMES.i64                         the cadence of a series
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::Path;
use std::time::Instant as Clock;

use edb_core::{Error, Result};
use edb_series::decimate::{lttb, m4};
use edb_series::gaps::cadence_us;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().map_err(|_| Error::usage("expected a number"));
    match words.as_slice() {
        ["kernel", values, columns] => kernel(Path::new(values), number(columns)?, 21),
        ["kernel", values, columns, repetitions] => {
            kernel(Path::new(values), number(columns)?, number(repetitions)?)
        }
        ["cadence", times] => {
            let times = numbers(Path::new(times), i64::from_le_bytes)?;
            time("cadence", 7, || usize::try_from(cadence_us(&times).unwrap_or(0)).unwrap_or(0));
            Ok(())
        }
        _ => Err(Error::usage("expected `kernel VALUES COLUMNS [REPETITIONS]` or `cadence TIMES`")),
    }
}

fn numbers<T>(path: &Path, of: impl Fn([u8; 8]) -> T) -> Result<Vec<T>> {
    let bytes =
        std::fs::read(path).map_err(|error| Error::usage("could not read the column").caused_by(error))?;
    Ok(bytes
        .chunks_exact(8)
        .map(|one| of([one[0], one[1], one[2], one[3], one[4], one[5], one[6], one[7]]))
        .collect())
}

fn kernel(path: &Path, columns: usize, repetitions: usize) -> Result<()> {
    let values = numbers(path, f64::from_le_bytes)?;
    let times: Vec<i64> = (0..values.len() as i64).map(|row| row * 256_000).collect();
    let stop = times.last().map_or(1, |last| last + 1);
    let mut rows = Vec::new();
    time("m4", repetitions, || {
        m4(&times, &values, 0, stop, columns, &mut rows);
        rows.len()
    });
    time("lttb", repetitions.min(5), || {
        lttb(&times, &values, 4 * columns, &mut rows);
        rows.len()
    });
    Ok(())
}

fn time(name: &str, repetitions: usize, mut work: impl FnMut() -> usize) {
    let mut seen = 0;
    let mut taken: Vec<f64> = (0..repetitions.max(1))
        .map(|_| {
            let clock = Clock::now();
            seen = work();
            clock.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    println!("{name}: best {:.2} ms, median {:.2} ms, {seen} rows", taken[0], taken[taken.len() / 2]);
}
