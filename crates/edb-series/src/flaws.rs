//! What may be wrong with a series: repeated times, values that stand still, values out of limits, spikes. Gaps:
//! [`crate::gaps`].

use std::ops::Range;

use crate::order::median;

/// Runs of rows whose neighbours are alike: rows `i - 1` and `i` belong together where `joins(i)` says so. Runs of one row are
/// left out.
fn runs(rows: usize, joins: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for row in 1..=rows {
        if row == rows || !joins(row) {
            if row - start > 1 {
                found.push(start..row);
            }
            start = row;
        }
    }
    found
}

/// Runs of rows with equal times, ascending.
pub fn equal_times(times: &[i64]) -> Vec<Range<usize>> {
    runs(times.len(), |row| times[row - 1] == times[row])
}

/// Runs of at least `rows` rows whose values are the `same` as the one before.
pub fn constant_runs(count: usize, same: impl Fn(usize, usize) -> bool, rows: usize) -> Vec<Range<usize>> {
    let mut found = runs(count, |row| same(row - 1, row));
    found.retain(|run| run.len() >= rows);
    found
}

/// Runs of rows with values outside `[low, high]`, one row included. NaN is neither inside nor outside, and ends a run.
pub fn runs_outside(values: &[f64], low: f64, high: f64) -> Vec<Range<usize>> {
    let is_outside = |value: f64| value < low || value > high;
    let mut found: Vec<Range<usize>> = Vec::new();
    for row in (0..values.len()).filter(|row| is_outside(values[*row])) {
        match found.last_mut() {
            Some(run) if run.end == row => run.end = row + 1,
            _ => found.push(row..row + 1),
        }
    }
    found
}

/// How many neighbours on each side a value is compared with.
const NEIGHBOURS: usize = 3;

/// Values that stand alone: further than `sigma` times the scatter from the median of the three before them, and as far and on the
/// same side from that of the three after. So a step is none, and neither is the first or the last value.
///
/// The scatter is 1.4826 median absolute deviations of all values from the medians before them (the standard deviation, were it noise), and at
/// least the smallest step between two neighbouring values: one count of a quantised sensor is no spike. Values that are not finite are passed
/// over. Fewer than eight values have no spikes.
pub fn spikes(values: &[f64], sigma: f64) -> Vec<usize> {
    let finite: Vec<usize> = (0..values.len()).filter(|row| values[*row].is_finite()).collect();
    if finite.len() < 2 * NEIGHBOURS + 2 {
        return Vec::new();
    }
    let mut few = Vec::with_capacity(NEIGHBOURS);
    let mut middle = |rows: Range<usize>| {
        few.clear();
        few.extend(rows.map(|at| values[finite[at]]));
        median(&mut few)
    };
    let inner = 1..finite.len() - 1;
    let off: Vec<(f64, f64)> = inner
        .map(|at| {
            let value = values[finite[at]];
            let before = middle(at.saturating_sub(NEIGHBOURS)..at);
            let after = middle(at + 1..(at + 1 + NEIGHBOURS).min(finite.len()));
            (value - before, value - after)
        })
        .collect();
    let scatter = 1.4826 * median(&mut off.iter().map(|off| off.0.abs()).collect::<Vec<_>>());
    let steps = finite.windows(2).map(|pair| (values[pair[1]] - values[pair[0]]).abs());
    let quantum = steps.filter(|step| *step > 0.0).fold(f64::INFINITY, f64::min);
    let limit = sigma * scatter.max(quantum);
    let stands_alone = |off: &(f64, f64)| off.0.min(off.1) > limit || off.0.max(off.1) < -limit;
    let spike = |(at, off): (usize, &(f64, f64))| stands_alone(off).then(|| finite[at + 1]);
    off.iter().enumerate().filter_map(spike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_where_neighbours_are_alike() {
        assert_eq!(equal_times(&[1, 1, 2, 3, 3, 3]), [0..2, 3..6]);
        assert!(equal_times(&[]).is_empty() && equal_times(&[4]).is_empty());
        let values = [5, 5, 5, 6, 7, 7];
        let same = |a: usize, b: usize| values[a] == values[b];
        assert_eq!(constant_runs(6, same, 3), [0..3; 1]);
        assert_eq!(constant_runs(6, same, 2), [0..3, 4..6]);
        let outside = runs_outside(&[0.0, 9.0, 8.0, f64::NAN, -9.0, 1.0], -1.0, 5.0);
        assert_eq!(outside, [1..3, 4..5]);
    }

    #[test]
    fn a_spike_stands_alone_and_a_step_does_not() {
        let mut values: Vec<f64> = (0..200).map(|at| f64::from(at * 37 % 11) * 0.1).collect();
        assert!(spikes(&values, 6.0).is_empty(), "noise");
        values[90] = 40.0;
        values[150] = f64::NAN;
        assert_eq!(spikes(&values, 6.0), [90]);
        let step: Vec<f64> =
            (0..40).map(|at| f64::from(at % 3) * 0.1 + if at < 20 { 1.0 } else { 90.0 }).collect();
        assert!(spikes(&step, 6.0).is_empty(), "a step");
        let counts: Vec<f64> = (0..40).map(|at| if at == 20 { 2.0 } else { 1.0 }).collect();
        assert!(spikes(&counts, 6.0).is_empty(), "one count");
        assert!(spikes(&[1.0, 99.0, 1.0], 6.0).is_empty(), "too few to tell");
    }
}
