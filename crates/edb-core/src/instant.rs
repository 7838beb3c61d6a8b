//! One integer for time.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use serde::{Deserialize, Serialize};

/// Microseconds in one second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in one UTC day (leap seconds cannot be held; none occurred in JWST's life).
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// MJD of 1970-01-01T00:00:00 UTC.
const MJD_OF_EPOCH: i64 = 40_587;

/// An instant in UTC: microseconds since 1970-01-01T00:00:00Z.
///
/// Valid from year 0001 to year 9999, so that every printed form has a fixed width.
///
/// - print: [`Display`](fmt::Display) is ISO 8601 with as many decimals (0, 3 or 6) as needed;
///   [`to_edb_text`](Self::to_edb_text), [`to_compact`](Self::to_compact) and [`to_mjd_text`](Self::to_mjd_text) are the
///   service's forms
/// - parse: [`crate::parse_instant`]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(i64);

impl Instant {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// From microseconds since 1970-01-01T00:00:00Z, clamped to the years 0001 to 9999.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// From a date and microseconds of the day; `None` if there is no such date.
    pub fn from_date(year: i32, month: u32, day: u32, micros_of_day: i64) -> Option<Self> {
        Self::from_naive_date(NaiveDate::from_ymd_opt(year, month, day)?, micros_of_day)
    }

    /// From a year and a day of the year (1 to 366), and microseconds of the day.
    pub fn from_day_of_year(year: i32, day: u32, micros_of_day: i64) -> Option<Self> {
        Self::from_naive_date(NaiveDate::from_yo_opt(year, day)?, micros_of_day)
    }

    fn from_naive_date(date: NaiveDate, micros_of_day: i64) -> Option<Self> {
        let days = i64::from(date.num_days_from_ce()) - 719_163;
        let micros = days * MICROS_PER_DAY + micros_of_day;
        (Self::MIN.0..=Self::MAX.0).contains(&micros).then_some(Self(micros))
    }

    /// This instant plus `micros` (may be negative), clamped to the valid years.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// The whole second at or before.
    #[must_use]
    pub fn floor_to_second(self) -> Self {
        Self(self.0.div_euclid(MICROS_PER_SECOND) * MICROS_PER_SECOND)
    }

    /// The whole second at or after.
    #[must_use]
    pub fn ceil_to_second(self) -> Self {
        Self::from_micros(-(-self.0).div_euclid(MICROS_PER_SECOND) * MICROS_PER_SECOND)
    }

    /// `2022-06-01 00:00:00.000000`, the service's `theTime`.
    pub fn to_edb_text(self) -> String {
        let t = self.civil();
        let micros = t.nanosecond() / 1000;
        format!("{} {:02}:{:02}:{:02}.{micros:06}", t.date_naive(), t.hour(), t.minute(), t.second())
    }

    /// `20220601T000000`, as in file names. The fraction is dropped: floor or ceil first.
    pub fn to_compact(self) -> String {
        let t = self.civil();
        format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }

    /// Modified Julian Date in UTC days, to the precision of a double (some 0.6 µs).
    pub fn to_mjd(self) -> f64 {
        let day = self.0.div_euclid(MICROS_PER_DAY) + MJD_OF_EPOCH;
        day as f64 + self.0.rem_euclid(MICROS_PER_DAY) as f64 / MICROS_PER_DAY as f64
    }

    /// `59731.0000000000`, the service's `MJD`: that double with ten decimals, the last of them 8.64 µs.
    pub fn to_mjd_text(self) -> String {
        format!("{:.10}", self.to_mjd())
    }

    /// From a Modified Julian Date (UTC days), rounded to the microsecond.
    pub fn from_mjd(mjd: f64) -> Option<Self> {
        let days = mjd.floor();
        let micros = ((mjd - days) * MICROS_PER_DAY as f64).round();
        let total = (days as i64).checked_sub(MJD_OF_EPOCH)?.checked_mul(MICROS_PER_DAY)?;
        let micros = total.checked_add(micros as i64)?;
        (mjd.is_finite() && (Self::MIN.0..=Self::MAX.0).contains(&micros)).then_some(Self(micros))
    }

    /// Year, month, day, hour, minute, second, microsecond and day of year.
    pub fn civil(self) -> DateTime<chrono::Utc> {
        // MIN..=MAX lie inside chrono's range, so the epoch is never used.
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// The year, and the month from 1 to 12.
    pub fn year_and_month(self) -> (i32, u32) {
        let civil = self.civil();
        (civil.year(), civil.month())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.civil();
        write!(f, "{}T{:02}:{:02}:{:02}", t.date_naive(), t.hour(), t.minute(), t.second())?;
        let micros = t.nanosecond() / 1000;
        if !micros.is_multiple_of(1000) {
            write!(f, ".{micros:06}")?;
        } else if micros != 0 {
            write!(f, ".{:03}", micros / 1000)?;
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        crate::parse_instant(text, Instant::from_micros(0)).unwrap()
    }

    #[test]
    fn mjd_text_agrees_with_published_rows() {
        // Rows printed by the service, from the public documentation of its clients.
        assert_eq!(at("2022-06-01T00:00:00Z").to_mjd_text(), "59731.0000000000");
        assert_eq!(at("2019-06-03T16:22:59.848Z").to_mjd_text(), "58637.6826371296");
        assert_eq!(at("2019-06-03T18:09:00.424Z").to_mjd_text(), "58637.7562549074");
        assert_eq!(at("2022-02-02T22:24:57.797Z").to_mjd_text(), "59612.9340022801");
    }

    #[test]
    fn mjd_text_carries_into_the_next_day() {
        assert_eq!(at("2022-05-31T23:59:59.999999Z").to_mjd_text(), "59731.0000000000");
    }

    #[test]
    fn seconds_floor_and_ceil_on_both_sides_of_the_epoch() {
        for (micros, floor, ceil) in
            [(0, 0, 0), (1, 0, 1), (1_000_000, 1, 1), (-1, -1, 0), (-1_000_001, -2, -1)]
        {
            let instant = Instant::from_micros(micros);
            assert_eq!(instant.floor_to_second().as_micros(), floor * MICROS_PER_SECOND, "{micros}");
            assert_eq!(instant.ceil_to_second().as_micros(), ceil * MICROS_PER_SECOND, "{micros}");
        }
    }

    #[test]
    fn the_limits_are_the_first_and_last_representable_instants() {
        assert_eq!(Instant::MIN.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Instant::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
    }
}
