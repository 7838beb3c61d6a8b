//! Statistics over bins of time.

use std::ops::Range;

use crate::grid;

/// One half-open bin `[start, stop)` and the rows whose time lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    /// First microsecond inside.
    pub start_us: i64,
    /// First microsecond after.
    pub stop_us: i64,
    /// The rows inside; may be empty.
    pub rows: Range<usize>,
}

/// Cuts `[start, stop)` into bins `[origin + k * step, origin + (k + 1) * step)`, the first and last clipped to the range,
/// with the rows of the ascending `times` in each. Bins without rows are listed only with `keep_empty`.
///
/// # Panics
/// If `step_us` is not positive.
pub fn bins(times: &[i64], range_us: Range<i64>, step_us: i64, origin_us: i64, keep_empty: bool) -> Vec<Bin> {
    let mut bins = Vec::new();
    let mut row = times.partition_point(|time| *time < range_us.start);
    let end = times.partition_point(|time| *time < range_us.end);
    let mut start = range_us.start;
    while start < range_us.end && (keep_empty || row < end) {
        if !keep_empty {
            start = start.max(grid::at_or_before(times[row], step_us, origin_us));
        }
        let stop = (grid::at_or_before(start, step_us, origin_us) + step_us).min(range_us.end);
        let after = row + times[row..end].iter().take_while(|time| **time < stop).count();
        bins.push(Bin { start_us: start, stop_us: stop, rows: row..after });
        row = after;
        start = stop;
    }
    bins
}

/// Statistics of the finite values of one bin.
///
/// NaN and infinities are left out, and out of `count` too: `count` is the number of values that the others are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many values.
    pub count: u64,
    /// What the mean is weighted by, in all: the number of values, or the microseconds they held ([`held`]).
    pub weight: f64,
    /// Arithmetic mean, or the mean weighted by the time held ([`held`]).
    pub mean: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// Population standard deviation (divided by n), weighted as the mean.
    pub std: f64,
    /// Median: the middle value, or the mean of the two middle values; weighted as the mean.
    pub median: f64,
    /// First value in time.
    pub first: f64,
    /// Last value in time.
    pub last: f64,
}

/// Statistics of samples that stand for themselves. `None` if no value is finite. `scratch` is working memory.
pub fn summary(values: impl Iterator<Item = f64>, scratch: &mut Vec<f64>) -> Option<Summary> {
    scratch.clear();
    scratch.extend(values.filter(|value| value.is_finite()));
    let (&first, &last) = (scratch.first()?, scratch.last()?);
    let count = scratch.len();
    let mean = scratch.iter().sum::<f64>() / count as f64;
    let variance = scratch.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
    let (min, max) =
        scratch.iter().fold((first, first), |(min, max), &value| (value.min(min), value.max(max)));
    let (below, &mut middle, _) = scratch.select_nth_unstable_by(count / 2, f64::total_cmp);
    let median = match below.iter().copied().max_by(f64::total_cmp) {
        Some(lower) if count.is_multiple_of(2) => f64::midpoint(lower, middle),
        _ => middle,
    };
    Some(Summary {
        count: count as u64,
        weight: count as f64,
        mean,
        min,
        max,
        std: variance.sqrt(),
        median,
        first,
        last,
    })
}

/// Statistics of values that hold until the next one, each weighted by how long it held.
///
/// `held` is the values in force in the bin with their duration in microseconds, in order of time; `count` is left to the
/// caller, who knows how many samples lie inside. `None` if no value is finite or nothing was held for any time.
pub fn held(held: impl Iterator<Item = (f64, i64)>, count: u64) -> Option<Summary> {
    let mut parts: Vec<(f64, f64)> = held
        .filter(|(value, micros)| value.is_finite() && *micros > 0)
        .map(|(value, micros)| (value, micros as f64))
        .collect();
    let (&(first, _), &(last, _)) = (parts.first()?, parts.last()?);
    let total: f64 = parts.iter().map(|(_, weight)| weight).sum();
    let mean = parts.iter().map(|(value, weight)| value * weight).sum::<f64>() / total;
    let variance = parts.iter().map(|(value, weight)| (value - mean).powi(2) * weight).sum::<f64>() / total;
    parts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (min, max) = (parts[0].0, parts[parts.len() - 1].0);
    let mut below = 0.0;
    let mut median = max;
    for (at, (value, weight)) in parts.iter().enumerate() {
        below += weight;
        if below * 2.0 >= total {
            // Exactly half below: the median lies between this value and the next one.
            let next =
                if below * 2.0 > total { *value } else { parts.get(at + 1).map_or(*value, |part| part.0) };
            median = f64::midpoint(*value, next);
            break;
        }
    }
    Some(Summary { count, weight: total, mean, min, max, std: variance.sqrt(), median, first, last })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1.0)
    }

    #[test]
    fn bins_are_half_open_and_clipped_to_the_range() {
        let times = [0, 9, 10, 29, 30];
        let all = bins(&times, 5..30, 10, 0, true);
        let expected = [(5, 10, 1..2), (10, 20, 2..3), (20, 30, 3..4)];
        assert_eq!(all, expected.map(|(start_us, stop_us, rows)| Bin { start_us, stop_us, rows }));
        let filled = bins(&[0, 95], 0..100, 10, 3, false);
        assert_eq!(
            filled.iter().map(|bin| (bin.start_us, bin.stop_us)).collect::<Vec<_>>(),
            [(0, 3), (93, 100)]
        );
        assert!(bins(&[], 0..100, 10, 0, false).is_empty());
    }

    #[test]
    fn a_value_held_for_100_of_7200_seconds_has_the_mean_of_that() {
        // Rule 9 of the design: t = [0, 3600, 3700], v = [0, 1, 0] over [0, 7200).
        let summary = held([(0.0, 3600), (1.0, 100), (0.0, 3500)].into_iter(), 3).unwrap();
        assert!(close(summary.mean, 100.0 / 7200.0), "{summary:?}");
        assert_eq!((summary.min, summary.max, summary.median), (0.0, 1.0, 0.0));
        let even = held([(1.0, 10), (3.0, 10)].into_iter(), 2).unwrap();
        assert_eq!((even.mean, even.median, even.std), (2.0, 2.0, 1.0));
        assert_eq!(held([(1.0, 0)].into_iter(), 1), None);
    }

    #[test]
    fn non_finite_values_are_left_out_and_not_counted() {
        let mut scratch = Vec::new();
        let summary = summary([f64::NAN, 1.0, f64::INFINITY, 4.0].into_iter(), &mut scratch).unwrap();
        assert_eq!((summary.count, summary.mean, summary.median, summary.std), (2, 2.5, 2.5, 1.5));
        assert_eq!((summary.first, summary.last), (1.0, 4.0));
        assert!(super::summary([f64::NAN].into_iter(), &mut scratch).is_none());
    }

    proptest! {
        #[test]
        fn equal_weights_agree_with_no_weights(values in proptest::collection::vec(-100.0_f64..100.0, 1..40)) {
            let plain = summary(values.iter().copied(), &mut Vec::new()).unwrap();
            let weighted = held(values.iter().map(|value| (*value, 7)), values.len() as u64).unwrap();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let half = sorted.len() / 2;
            let median = if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[half - 1], sorted[half]) } else { sorted[half] };
            prop_assert!(close(plain.median, median) && close(weighted.median, median));
            prop_assert!(close(plain.mean, weighted.mean) && close(plain.std, weighted.std));
            prop_assert_eq!((plain.min, plain.max), (sorted[0], sorted[sorted.len() - 1]));
            prop_assert_eq!((plain.first, plain.last), (values[0], values[values.len() - 1]));
        }

        #[test]
        fn every_row_in_the_range_is_in_exactly_one_bin(
            mut times in proptest::collection::vec(-50_i64..50, 0..40), start in -60_i64..40, length in 1_i64..60,
            step in 1_i64..20, origin in -20_i64..20, keep_empty: bool,
        ) {
            times.sort_unstable();
            let bins = bins(&times, start..start + length, step, origin, keep_empty);
            let mut rows: Vec<usize> = Vec::new();
            for bin in &bins {
                prop_assert!(bin.start_us < bin.stop_us && bin.stop_us - bin.start_us <= step);
                prop_assert!(keep_empty || !bin.rows.is_empty());
                for row in bin.rows.clone() {
                    prop_assert!((bin.start_us..bin.stop_us).contains(&times[row]));
                    rows.push(row);
                }
            }
            let inside = (0..times.len()).filter(|row| (start..start + length).contains(&times[*row]));
            prop_assert_eq!(rows, inside.collect::<Vec<_>>());
            if keep_empty {
                prop_assert_eq!(bins.iter().map(|bin| bin.stop_us - bin.start_us).sum::<i64>(), length);
            }
        }
    }
}
