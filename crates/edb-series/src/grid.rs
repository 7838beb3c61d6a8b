//! Regular grids of time, exact on integers: steps of microseconds, or of calendar months.

use edb_core::Instant;

/// Borders in time without beginning and end. All of them are computed, none accumulated, so that a grid of any length is exact.
///
/// # Examples
/// ```
/// use edb_series::grid::Grid;
///
/// let tenths = Grid::Step { step_us: 100_000, origin_us: 0 };
/// assert_eq!(tenths.times(0, 1_000_000).len(), 10); // in floating point the last one is lost: floor(1.0 / 0.1) is 9
/// let months = Grid::Months(1);
/// let day_us = 86_400_000_000;
/// assert_eq!(months.times(0, 60 * day_us), [0, 31 * day_us, 59 * day_us]); // January, February, March 1970
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grid {
    /// `origin + k * step`, in microseconds since 1970 UTC; the step is positive.
    Step {
        /// The step in microseconds, positive.
        step_us: i64,
        /// One of the borders, wherever it lies.
        origin_us: i64,
    },
    /// 00:00 UTC on the first day of every so many months (at least 1), counted from a January: `Months(3)` are quarters.
    Months(u32),
}

impl Grid {
    /// Steps from 1970-01-01T00:00:00Z.
    pub fn every(step_us: i64) -> Self {
        Self::Step { step_us, origin_us: 0 }
    }

    /// The last border at or before `time_us`.
    ///
    /// # Panics
    /// If the step is not positive.
    pub fn at_or_before(self, time_us: i64) -> i64 {
        match self {
            Self::Step { step_us, origin_us } => {
                assert!(step_us > 0, "a grid needs a positive step");
                origin_us + (time_us - origin_us).div_euclid(step_us) * step_us
            }
            Self::Months(months) => month_start(month_of(time_us).div_euclid(step(months)) * step(months)),
        }
    }

    /// The first border after `time_us`.
    ///
    /// # Panics
    /// If the step is not positive.
    pub fn after(self, time_us: i64) -> i64 {
        match self {
            Self::Step { step_us, .. } => self.at_or_before(time_us).saturating_add(step_us),
            Self::Months(months) => {
                month_start((month_of(time_us).div_euclid(step(months)) + 1) * step(months))
            }
        }
    }

    /// How many borders lie in `[start, stop)`. An empty or reversed range has none.
    ///
    /// # Panics
    /// If the step is not positive.
    pub fn count(self, start_us: i64, stop_us: i64) -> u64 {
        let first = self.at_or_after(start_us);
        match self {
            _ if stop_us <= first => 0,
            Self::Step { step_us, .. } => ((stop_us - 1 - first) / step_us + 1) as u64,
            Self::Months(months) => ((month_of(stop_us - 1) - month_of(first)) / step(months) + 1) as u64,
        }
    }

    /// The borders in `[start, stop)`.
    ///
    /// # Panics
    /// If the step is not positive.
    pub fn times(self, start_us: i64, stop_us: i64) -> Vec<i64> {
        let count = self.count(start_us, stop_us) as i64;
        let first = self.at_or_after(start_us);
        match self {
            Self::Step { step_us, .. } => (0..count).map(|k| first + k * step_us).collect(),
            Self::Months(months) => {
                (0..count).map(|k| month_start(month_of(first) + k * step(months))).collect()
            }
        }
    }

    fn at_or_after(self, time_us: i64) -> i64 {
        let before = self.at_or_before(time_us);
        if before == time_us { before } else { self.after(time_us) }
    }
}

fn step(months: u32) -> i64 {
    i64::from(months.max(1))
}

/// Months since January of the year 0.
fn month_of(time_us: i64) -> i64 {
    let (year, month) = Instant::from_micros(time_us).year_and_month();
    i64::from(year) * 12 + i64::from(month) - 1
}

/// The first instant of a month; that of the year 1 or 9999 for what lies beyond.
fn month_start(month: i64) -> i64 {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12));
    let beyond = if year < 1 { Instant::MIN } else { Instant::MAX };
    Instant::from_date(year as i32, month as u32 + 1, 1, 0).unwrap_or(beyond).as_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_exact() {
        let fives = Grid::every(5);
        assert_eq!(fives.times(0, 10), [0, 5], "the stop is outside");
        assert_eq!(fives.times(0, 11), [0, 5, 10]);
        assert_eq!(fives.times(1, 10), [5]);
        assert_eq!(Grid::Step { step_us: 5, origin_us: 1 }.times(-7, 4), [-4, 1]);
        assert_eq!(fives.times(10, 10), [0; 0]);
        assert_eq!(fives.times(10, 0), [0; 0]);
    }

    #[test]
    fn a_tenth_of_a_second_is_a_tenth_of_a_second() {
        let tenths = Grid::every(100_000);
        assert_eq!(tenths.times(0, 1_000_000)[9], 900_000);
        assert_eq!(tenths.count(0, 1_000_000), 10);
    }

    #[test]
    fn months_and_quarters_follow_the_calendar() {
        let at = |year, month, day, micros| Instant::from_date(year, month, day, micros).unwrap().as_micros();
        let months = Grid::Months(1);
        assert_eq!(months.at_or_before(at(2024, 2, 29, 7)), at(2024, 2, 1, 0));
        assert_eq!(months.after(at(2024, 2, 1, 0)), at(2024, 3, 1, 0), "a border is not after itself");
        assert_eq!(months.count(at(2023, 12, 1, 0), at(2024, 12, 1, 1)), 13);
        let quarters = Grid::Months(3).times(at(2023, 11, 15, 0), at(2024, 8, 1, 0));
        assert_eq!(quarters, [at(2024, 1, 1, 0), at(2024, 4, 1, 0), at(2024, 7, 1, 0)]);
        assert_eq!(Grid::Months(12).at_or_before(at(1969, 5, 5, 0)), at(1969, 1, 1, 0), "before the epoch");
    }
}
