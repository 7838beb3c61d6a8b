//! Values that hold until the next one: each counts for as long as it held.

use std::ops::Range;

use crate::order::{Clip, Clipped};

/// A value, by its row, and the half-open span in microseconds over which it is known to have held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The row of the value.
    pub row: usize,
    /// First microsecond at which it held.
    pub start_us: i64,
    /// First microsecond at which it no longer did, or at which nobody knows.
    pub stop_us: i64,
}

/// The spans over which each row of the ascending `times` held inside `range`: from its time until the next row's, at most
/// `limit_us` long. Rows before the range reach into it; of rows with equal times only the last one holds.
pub fn holds(times: &[i64], range: Range<i64>, limit_us: i64) -> Vec<Hold> {
    let mut holds = Vec::with_capacity(times.len());
    for (row, &time) in times.iter().enumerate() {
        let next = times.get(row + 1).copied().unwrap_or(i64::MAX);
        let stop_us = next.min(time.saturating_add(limit_us)).min(range.end);
        let start_us = time.max(range.start);
        if start_us < stop_us {
            holds.push(Hold { row, start_us, stop_us });
        }
    }
    holds
}

/// Statistics weighted by time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// How long anything held, in all, in microseconds.
    pub micros: f64,
    /// Mean.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
    /// Mean of the squares.
    pub mean_square: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// First value in time.
    pub first: f64,
    /// Last value in time.
    pub last: f64,
}

/// Values and how many microseconds each held, in order of time. Those that are not finite, or held for no time, are passed
/// over; `None` if no others are there.
pub fn weighted(held: &[(f64, i64)]) -> Option<Weighted> {
    let parts = || held.iter().filter(|(value, micros)| value.is_finite() && *micros > 0);
    let (first, last) = (parts().next()?.0, parts().next_back()?.0);
    let micros: f64 = parts().map(|(_, micros)| *micros as f64).sum();
    let mean = parts().map(|(value, weight)| value * *weight as f64).sum::<f64>() / micros;
    let squares_about = |centre: f64| -> f64 {
        parts().map(|(value, weight)| (value - centre).powi(2) * *weight as f64).sum::<f64>() / micros
    };
    let (min, max) = parts().fold((first, first), |(min, max), (value, _)| (value.min(min), value.max(max)));
    let (std, mean_square) = (squares_about(mean).sqrt(), squares_about(0.0));
    Some(Weighted { micros, mean, std, mean_square, min, max, first, last })
}

/// The value below which `percent` of the time was spent: the first at which the time passes that share, or the mean of it and
/// the next where it is met exactly. `sorted` ascends by value, is finite and held for some time.
///
/// # Panics
/// If there is nothing.
pub fn percentile(sorted: &[(f64, i64)], percent: f64) -> f64 {
    let micros: i64 = sorted.iter().map(|(_, micros)| micros).sum();
    let share = micros as f64 * percent / 100.0;
    let mut below = 0;
    for (at, (value, held)) in sorted.iter().enumerate() {
        below += held;
        let left = below as f64 - share;
        if left > 0.0 {
            return *value;
        }
        // Met exactly: halfway to the next.
        if left >= 0.0 && percent > 0.0 {
            return sorted.get(at + 1).map_or(*value, |next| f64::midpoint(*value, next.0));
        }
    }
    sorted[sorted.len() - 1].0
}

/// Sigma clipping ([`crate::order::clip`]) with weights: median, mean and deviation are those of the time. `sorted` as for
/// [`percentile`].
pub fn clip(sorted: &[(f64, i64)], options: Clip) -> Option<Clipped> {
    let mut kept = sorted;
    let mut rounds = 0;
    loop {
        let found = weighted(kept)?;
        let median = percentile(kept, 50.0);
        let reach = options.sigma * found.std;
        let first = kept.partition_point(|(value, _)| *value < median - reach);
        let end = kept.partition_point(|(value, _)| *value <= median + reach);
        let is_done = options.max_iterations.is_some_and(|most| rounds == most);
        if is_done || first == 0 && end == kept.len() || first >= end {
            let (count, mean, std) = (kept.len(), found.mean, found.std);
            return Some(Clipped { count, mean, median, std }).filter(|_| first < end || is_done);
        }
        kept = &kept[first..end];
        rounds += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn rows_hold_until_the_next_within_the_range_and_the_limit() {
        let spans = |limit: i64| -> Vec<(usize, i64, i64)> {
            let all = holds(&[0, 10, 10, 30, 90], 5..80, limit);
            all.iter().map(|hold| (hold.row, hold.start_us, hold.stop_us)).collect()
        };
        assert_eq!(spans(i64::MAX), [(0, 5, 10), (2, 10, 30), (3, 30, 80)]);
        assert_eq!(spans(4), [(2, 10, 14), (3, 30, 34)]);
        assert!(holds(&[], 0..9, 5).is_empty());
    }

    #[test]
    fn a_value_held_for_100_of_7200_seconds_has_the_mean_of_that() {
        // Rule 9 of the design: t = [0, 3600, 3700], v = [0, 1, 0] over [0, 7200).
        let found = weighted(&[(0.0, 3600), (1.0, 100), (0.0, 3500)]).unwrap();
        assert!((found.mean - 100.0 / 7200.0).abs() < 1e-15, "{found:?}");
        let even = weighted(&[(1.0, 10), (f64::NAN, 99), (3.0, 10)]).unwrap();
        let found = [even.mean, even.std, even.micros, even.mean_square];
        assert!(near(&found, &[2.0, 1.0, 20.0, 5.0]), "{found:?}");
        assert_eq!(weighted(&[(1.0, 0)]), None);
        assert_eq!(weighted(&[(f64::NAN, 5)]), None);
    }

    #[test]
    fn what_held_for_long_is_not_clipped_and_what_flickered_is() {
        let mut all: Vec<(f64, i64)> = (0..20).map(|at| (f64::from(at % 3), 1000)).collect();
        all.push((90.0, 10));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let kept = clip(&all, Clip::default()).unwrap();
        assert_eq!((kept.count, kept.median), (20, 1.0));
        all[20].1 = 20_000;
        assert_eq!(clip(&all, Clip::default()).unwrap().count, 21);
        assert_eq!(clip(&[], Clip::default()), None);
    }

    #[test]
    fn half_of_the_time_is_spent_below_the_median() {
        let at = |percent| percentile(&[(1.0, 10), (3.0, 10), (5.0, 20)], percent);
        let found = [0.0, 20.0, 25.0, 50.0, 51.0, 100.0].map(at);
        assert!(near(&found, &[1.0, 1.0, 2.0, 4.0, 5.0, 5.0]), "{found:?}");
    }
}
