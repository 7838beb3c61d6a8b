//! Regular grids of time, exact on integers.

/// The times `origin + k * step` that lie in `[start, stop)`, in microseconds.
///
/// Grid times are computed, never accumulated, so a grid of any length is exact. An empty or reversed range gives no times.
///
/// # Panics
/// If `step_us` is not positive.
pub fn times(start_us: i64, stop_us: i64, step_us: i64, origin_us: i64) -> Vec<i64> {
    let first = at_or_after(start_us, step_us, origin_us);
    let count = count(start_us, stop_us, step_us, origin_us);
    (0..count as i64).map(|k| first + k * step_us).collect()
}

/// How many times [`times`] would return.
///
/// # Panics
/// If `step_us` is not positive.
pub fn count(start_us: i64, stop_us: i64, step_us: i64, origin_us: i64) -> u64 {
    let first = at_or_after(start_us, step_us, origin_us);
    if stop_us > first { ((stop_us - 1 - first) / step_us + 1) as u64 } else { 0 }
}

/// The last grid time at or before `time_us`.
///
/// # Panics
/// If `step_us` is not positive.
pub fn at_or_before(time_us: i64, step_us: i64, origin_us: i64) -> i64 {
    assert!(step_us > 0, "a grid needs a positive step");
    origin_us + (time_us - origin_us).div_euclid(step_us) * step_us
}

fn at_or_after(time_us: i64, step_us: i64, origin_us: i64) -> i64 {
    let before = at_or_before(time_us, step_us, origin_us);
    if before == time_us { before } else { before + step_us }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_exact() {
        assert_eq!(times(0, 10, 5, 0), [0, 5], "the stop is outside");
        assert_eq!(times(0, 11, 5, 0), [0, 5, 10]);
        assert_eq!(times(1, 10, 5, 0), [5]);
        assert_eq!(times(-7, 4, 5, 1), [-4, 1]);
        assert_eq!(times(10, 10, 5, 0), [0; 0]);
        assert_eq!(times(10, 0, 5, 0), [0; 0]);
    }

    #[test]
    fn a_tenth_of_a_second_is_a_tenth_of_a_second() {
        // Floating-point grids lose the last point: floor(1.0 / 0.1) is 9.
        let grid = times(0, 1_000_000, 100_000, 0);
        assert_eq!((grid.len(), grid[9]), (10, 900_000));
        assert_eq!(count(0, 1_000_000, 100_000, 0), 10);
    }
}
