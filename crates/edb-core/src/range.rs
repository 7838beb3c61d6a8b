//! Half-open ranges of time.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Instant, Result};

/// A half-open, non-empty range `[start, stop)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimeRange {
    start: Instant,
    stop: Instant,
}

impl TimeRange {
    /// The range `[start, stop)`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] if `stop` is not after `start`.
    pub fn new(start: Instant, stop: Instant) -> Result<Self> {
        Self::checked(start, stop).ok_or_else(|| {
            let what = if start == stop { "empty" } else { "reversed" };
            Error::usage(format!("the range {start}/{stop} is {what}: its stop must be after its start"))
                .with_hint("ranges are half-open, [start, stop); swap the two times or move the stop")
        })
    }

    /// The range `[start, stop)`, or `None` if it would be empty.
    pub fn checked(start: Instant, stop: Instant) -> Option<Self> {
        (start < stop).then_some(Self { start, stop })
    }

    /// The range between two ends that may be missing: without a start it is open to the past, without a stop to the future. None where both
    /// are missing, and where the stop is the start.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] if the stop is before the start.
    pub fn between(start: Option<Instant>, stop: Option<Instant>) -> Result<Option<Self>> {
        if start == stop {
            return Ok(None);
        }
        Self::new(start.unwrap_or(Instant::MIN), stop.unwrap_or(Instant::MAX)).map(Some)
    }

    /// The first instant inside.
    pub fn start(self) -> Instant {
        self.start
    }

    /// The first instant after.
    pub fn stop(self) -> Instant {
        self.stop
    }

    /// Length in microseconds, at least 1.
    pub fn micros(self) -> i64 {
        self.stop.as_micros() - self.start.as_micros()
    }

    /// Whether `instant` is inside.
    pub fn contains(self, instant: Instant) -> bool {
        self.start <= instant && instant < self.stop
    }

    /// The part that both ranges share.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::checked(self.start.max(other.start), self.stop.min(other.stop))
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), stop: self.stop.max(other.stop) }
    }

    /// The smallest range of whole seconds that holds this one: what the service, which takes whole seconds, is asked.
    #[must_use]
    pub fn to_whole_seconds(self) -> Self {
        Self { start: self.start.floor_to_second(), stop: self.stop.ceil_to_second() }
    }

    /// Cuts the range at the multiples of `step_us` (since 1970) inside it, into consecutive ranges without overlap.
    pub fn windows(self, step_us: i64) -> impl Iterator<Item = Self> {
        let step_us = step_us.max(1);
        let mut start = self.start;
        std::iter::from_fn(move || {
            let border = (start.as_micros().div_euclid(step_us) + 1).saturating_mul(step_us);
            let window = Self::checked(start, Instant::from_micros(border).min(self.stop))?;
            start = window.stop;
            Some(window)
        })
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.start, self.stop)
    }
}

impl fmt::Debug for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: i64, stop: i64) -> TimeRange {
        TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop)).unwrap()
    }

    #[test]
    fn windows_cover_a_range_exactly_once() {
        for (start, stop, step) in [(0, 100, 10), (-7, 23, 10), (3, 4, 1000), (-1, 1, 1), (5, 25, 10)] {
            let windows: Vec<_> = range(start, stop).windows(step).collect();
            assert_eq!(windows[0].start().as_micros(), start);
            assert_eq!(windows[windows.len() - 1].stop().as_micros(), stop);
            for pair in windows.windows(2) {
                assert_eq!(pair[0].stop(), pair[1].start());
                assert_eq!(
                    pair[0].stop().as_micros().rem_euclid(step),
                    0,
                    "borders are multiples of the step"
                );
            }
        }
    }

    #[test]
    fn empty_and_reversed_ranges_are_refused_by_name() {
        let (a, b) = (Instant::from_micros(0), Instant::from_micros(1));
        assert!(TimeRange::new(a, a).unwrap_err().to_string().contains("empty"));
        assert!(TimeRange::new(b, a).unwrap_err().to_string().contains("reversed"));
    }

    #[test]
    fn whole_seconds_contain_the_range() {
        assert_eq!(range(1, 1_000_001).to_whole_seconds(), range(0, 2_000_000));
        assert_eq!(range(0, 1_000_000).to_whole_seconds(), range(0, 1_000_000));
    }
}
