//! Bins of time, and the statistics of what lies in one.

use std::ops::Range;

use crate::grid::Grid;
use crate::walk::Walk;

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

/// The bins of `grid` that hold rows of the ascending `times`, ascending; with `keep_empty` also those that hold none but
/// overlap one of `ranges` (ascending, disjoint, half-open).
///
/// # Panics
/// If the step of the grid is not positive.
pub fn bins(times: &[i64], ranges: &[Range<i64>], grid: Grid, keep_empty: bool) -> Vec<Bin> {
    let mut bins: Vec<Bin> = Vec::new();
    let mut walk = Walk::new(times);
    let mut row = 0;
    // Rows first: an empty bin is then one that lies between two of them.
    while row < times.len() {
        let start = grid.at_or_before(times[row]);
        let stop = grid.after(start);
        // The last border that there is may be that of a sample.
        let after = walk.past(stop - 1).max(row + 1);
        bins.push(Bin { start_us: start, stop_us: stop, rows: row..after });
        row = after;
    }
    if !keep_empty {
        return bins;
    }
    let mut all: Vec<Bin> = Vec::with_capacity(bins.len());
    let mut filled = bins.into_iter().peekable();
    for range in ranges {
        let mut start = grid.at_or_before(range.start);
        while start < range.end {
            let stop = grid.after(start);
            let is_new = all.last().is_none_or(|last| last.start_us < start);
            if let Some(bin) = filled.next_if(|bin| bin.start_us == start) {
                all.push(bin);
            } else if is_new {
                let row = all.last().map_or(0, |last| last.rows.end);
                all.push(Bin { start_us: start, stop_us: stop, rows: row..row });
            }
            start = stop;
        }
    }
    all
}

/// The finite ones of `values`, and what one pass over them tells; `scratch` has them if not all are finite.
pub fn finite<'a>(values: &'a [f64], scratch: &'a mut Vec<f64>) -> (&'a [f64], Sums) {
    let sums = Sums::of(values);
    // What is not finite poisons the sum; so may an overflow, and then nothing is lost.
    if sums.sum.is_finite() {
        return (values, sums);
    }
    scratch.clear();
    scratch.extend(values.iter().copied().filter(|value| value.is_finite()));
    let sums = Sums::of(scratch);
    (scratch, sums)
}

/// Sum, least and greatest value of a run of finite values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    /// The sum.
    pub sum: f64,
    /// The least; infinity if there are none.
    pub min: f64,
    /// The greatest; minus infinity if there are none.
    pub max: f64,
}

impl Sums {
    /// One pass.
    pub fn of(values: &[f64]) -> Self {
        let mut sum = [0.0; LANES];
        let (mut min, mut max) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let (chunks, rest) = values.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                let value = chunk[lane];
                sum[lane] += value;
                min[lane] = if value < min[lane] { value } else { min[lane] };
                max[lane] = if value > max[lane] { value } else { max[lane] };
            }
        }
        for (lane, &value) in rest.iter().enumerate() {
            sum[lane] += value;
            min[lane] = if value < min[lane] { value } else { min[lane] };
            max[lane] = if value > max[lane] { value } else { max[lane] };
        }
        Self {
            sum: total(sum),
            min: min.into_iter().fold(f64::INFINITY, f64::min),
            max: max.into_iter().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

impl Sums {
    /// The mean of `count` values; of values that are all the same it is that value, to the last bit.
    pub fn mean(&self, count: usize) -> f64 {
        if self.min >= self.max { self.min } else { self.sum / count as f64 }
    }
}

/// Sums are made in lanes, which the compiler makes vectors of; also the error of a long sum is that of a shorter one.
pub(crate) const LANES: usize = 8;

pub(crate) fn total(lanes: [f64; LANES]) -> f64 {
    let half: [f64; LANES / 2] = std::array::from_fn(|lane| lanes[lane] + lanes[lane + LANES / 2]);
    (half[0] + half[2]) + (half[1] + half[3])
}

/// The sum of the squares of the distances from `centre`. From the mean, divided by the count: the population variance.
///
/// Two passes, not one: the difference of two large sums would lose the digits that matter.
pub fn squares_about(values: &[f64], centre: f64) -> f64 {
    let mut sum = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let off = chunk[lane] - centre;
            sum[lane] += off * off;
        }
    }
    for (lane, &value) in rest.iter().enumerate() {
        let off = value - centre;
        sum[lane] += off * off;
    }
    total(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bin(start_us: i64, stop_us: i64, rows: Range<usize>) -> Bin {
        Bin { start_us, stop_us, rows }
    }

    #[test]
    fn bins_are_half_open_and_lie_on_the_grid() {
        let times = [5, 9, 10, 29];
        let all = bins(&times, &[5..30, 45..47, 48..51], Grid::every(10), true);
        let expected =
            [bin(0, 10, 0..2), bin(10, 20, 2..3), bin(20, 30, 3..4), bin(40, 50, 4..4), bin(50, 60, 4..4)];
        assert_eq!(all, expected);
        let filled =
            bins(&[0, 95], std::slice::from_ref(&(0..100)), Grid::Step { step_us: 10, origin_us: 3 }, false);
        assert_eq!(filled, [bin(-7, 3, 0..1), bin(93, 103, 1..2)]);
        assert!(bins(&[], std::slice::from_ref(&(0..100)), Grid::every(10), false).is_empty());
    }

    proptest! {
        /// The oracles go through all rows for each bin, and add one value after another.
        #[test]
        fn bins_and_sums_agree_with_the_obvious(
            steps in proptest::collection::vec((0_i64..9, prop_oneof![6 => -9.0..9.0, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]), 0..60),
            ranges in proptest::collection::vec((0_i64..9, 1_i64..40), 1..4),
            step_us in 1_i64..25, origin_us in -30_i64..30,
        ) {
            let mut at = 0;
            let ranges: Vec<Range<i64>> = ranges.iter().map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                start..at
            }).collect();
            let mut time = 0;
            let all: Vec<(i64, f64)> = steps.iter().map(|(step, value)| { time += step; (time, *value) }).collect();
            let inside = |time: i64| ranges.iter().any(|range| range.contains(&time));
            let (times, values): (Vec<i64>, Vec<f64>) = all.iter().copied().filter(|(time, _)| inside(*time)).unzip();
            let grid = Grid::Step { step_us, origin_us };
            let found = bins(&times, &ranges, grid, true);
            let mut expected = Vec::new();
            for border in grid.times(-100, 300) {
                let overlaps = ranges.iter().any(|range| range.start < border + step_us && border < range.end);
                let first = times.iter().filter(|time| **time < border).count();
                let end = times.iter().filter(|time| **time < border + step_us).count();
                if overlaps {
                    expected.push(bin(border, border + step_us, first..end));
                }
            }
            prop_assert_eq!(&found, &expected);
            let filled: Vec<Bin> = expected.into_iter().filter(|bin| !bin.rows.is_empty()).collect();
            prop_assert_eq!(bins(&times, &ranges, grid, false), filled);

            let mut scratch = Vec::new();
            let (finite, sums) = finite(&values, &mut scratch);
            let expected: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
            prop_assert_eq!(finite, &expected);
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs().max(1.0);
            prop_assert!(near(sums.sum, expected.iter().sum()));
            prop_assert!(near(squares_about(finite, 1.5), expected.iter().map(|value| (value - 1.5).powi(2)).sum()));
            let least = expected.iter().copied().fold(f64::INFINITY, f64::min);
            let most = expected.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((sums.min, sums.max) == (least, most));
        }
    }
}
