//! Intervals of state: how long each value stood.

use std::ops::Range;

use crate::held::Hold;

/// A run of equal values without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The first of its rows.
    pub row: usize,
    /// How many rows it has.
    pub rows: usize,
    /// Its first microsecond.
    pub start_us: i64,
    /// Its first microsecond no longer.
    pub stop_us: i64,
    /// Whether its beginning and its end were seen: another value stood right before it, and another right after.
    pub is_complete: bool,
}

/// Joins holds that touch and whose rows are the `same`. Rows that held for no time count for none.
pub fn runs(holds: &[Hold], same: impl Fn(usize, usize) -> bool) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for hold in holds {
        match runs.last_mut() {
            Some(last) if last.stop_us == hold.start_us && same(last.row, hold.row) => {
                last.stop_us = hold.stop_us;
                last.rows += 1;
            }
            _ => {
                let (row, start_us, stop_us) = (hold.row, hold.start_us, hold.stop_us);
                runs.push(Run { row, rows: 1, start_us, stop_us, is_complete: false });
            }
        }
    }
    for at in 1..runs.len().saturating_sub(1) {
        runs[at].is_complete =
            runs[at - 1].stop_us == runs[at].start_us && runs[at].stop_us == runs[at + 1].start_us;
    }
    runs
}

/// As [`crate::held::holds`], but each row stands from halfway to the one before until halfway to the next, as Chandra's
/// archive has it. Where two rows are more than `max_gap_us` apart, each stands for half of that on its side; the same goes for
/// the ends of `range`.
pub fn midpoints(times: &[i64], range: Range<i64>, max_gap_us: i64) -> Vec<Hold> {
    let reach = max_gap_us / 2;
    let border = |before: i64, after: i64, from_before: bool| match after.saturating_sub(before) {
        gap if gap <= max_gap_us => before + gap / 2,
        _ if from_before => before.saturating_add(reach),
        _ => after.saturating_sub(reach),
    };
    let mut holds = Vec::with_capacity(times.len());
    for (row, &time) in times.iter().enumerate() {
        let start = match row.checked_sub(1) {
            Some(before) => border(times[before], time, false),
            None => time.saturating_sub(reach),
        };
        let stop = match times.get(row + 1) {
            Some(&after) => border(time, after, true),
            None => time.saturating_add(reach),
        };
        let (start_us, stop_us) = (start.max(range.start), stop.min(range.end));
        if start_us < stop_us {
            holds.push(Hold { row, start_us, stop_us });
        }
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::holds;

    fn spans(runs: &[Run]) -> Vec<(i64, i64, bool)> {
        runs.iter().map(|run| (run.start_us, run.stop_us, run.is_complete)).collect()
    }

    #[test]
    fn equal_values_that_touch_are_one_run() {
        let (times, values) = ([0, 10, 20, 30, 60], [1, 1, 2, 2, 2]);
        let found = runs(&holds(&times, 5..70, i64::MAX), |a, b| values[a] == values[b]);
        assert_eq!(spans(&found), [(5, 20, false), (20, 70, false)]);
        assert_eq!((found[0].rows, found[1].row, found[1].rows), (2, 2, 3));
        let broken = runs(&holds(&times, 5..70, 15), |a, b| values[a] == values[b]);
        assert_eq!(spans(&broken), [(5, 20, false), (20, 45, false), (60, 70, false)]);
        let seen = runs(&holds(&[0, 10, 20], 0..30, i64::MAX), |_, _| false);
        assert_eq!(spans(&seen), [(0, 10, false), (10, 20, true), (20, 30, false)]);
        assert!(runs(&[], |_, _| true).is_empty());
    }

    /// The vectors of the survey of cheta, in halves of a second, so that midpoints are whole.
    #[test]
    fn midpoints_are_those_of_chandra_s_archive() {
        let at = |seconds: f64| (seconds * 1e6) as i64;
        let find = |seconds: &[f64], values: &[i32], range: Range<f64>, gap: f64| -> Vec<(i32, f64, f64)> {
            let times: Vec<i64> = seconds.iter().map(|time| at(*time)).collect();
            let gap = if gap.is_finite() { at(gap) } else { i64::MAX };
            let holds = midpoints(&times, at(range.start)..at(range.end), gap);
            let found = runs(&holds, |a, b| values[a] == values[b]);
            found
                .iter()
                .map(|run| (values[run.row], run.start_us as f64 / 1e6, run.stop_us as f64 / 1e6))
                .collect()
        };
        let five = [0.0, 1.0, 2.0, 3.0, 4.0];
        let values = [0, 1, 1, 0, 1];
        let none = f64::INFINITY;
        // S1, with the outer edges half a spacing out, as they are there without start and stop.
        let expected = [(0, -0.5, 0.5), (1, 0.5, 2.5), (0, 2.5, 3.5), (1, 3.5, 4.5)];
        assert_eq!(find(&five, &values, -0.5..4.5, none), expected);
        let s2 = [(0, -1.0, 0.5), (1, 0.5, 2.5), (0, 2.5, 3.5), (1, 3.5, 6.0)];
        assert_eq!(find(&five, &values, -1.0..6.0, none), s2);
        let s4 = [(20, 0.6, 1.5), (30, 1.5, 2.5), (40, 2.5, 3.5), (50, 3.5, 3.9)];
        assert_eq!(find(&five, &[10, 20, 30, 40, 50], 0.6..3.9, none), s4);
        assert_eq!(find(&[1.0], &[1], 0.0..2.0, none), [(1, 0.0, 2.0)], "S5");
        assert_eq!(find(&[0.0, 10.0], &[1, 2], -5.0..15.0, none), [(1, -5.0, 5.0), (2, 5.0, 15.0)], "S9");
        assert_eq!(
            find(&[0.0, 1.0, 5.0], &[0, 1, 1], -0.5..7.0, none),
            [(0, -0.5, 0.5), (1, 0.5, 7.0)],
            "S10"
        );
        assert_eq!(find(&five, &values, 1.0..2.0, none), [(1, 1.0, 2.0)], "S14");
        // S17, equal times: the first of two has the time up to it, the second the time from it on.
        let twins = [(0, -0.5, 0.5), (1, 0.5, 1.0), (2, 1.0, 2.5)];
        assert_eq!(find(&[0.0, 1.0, 1.0, 2.0], &[0, 1, 2, 2], -0.5..2.5, none), twins);
        // L5 and L12: half the gap on each side, as cheta documents it, not a quarter, as it does it.
        let far = [1.0, 2.0, 3.0, 200.0, 201.0, 202.0];
        assert_eq!(find(&far, &[1; 6], 0.5..202.5, 10.0), [(1, 0.5, 8.0), (1, 195.0, 202.5)]);
        assert_eq!(
            find(&[0.0, 10.0, 20.0], &[1; 3], -5.0..25.0, 10.0),
            [(1, -5.0, 25.0)],
            "as long as the gap is none"
        );
        // L15: what lies beyond the data by more than half a gap is not known.
        assert_eq!(find(&[0.0, 1.0, 2.0], &[1; 3], -50.0..150.0, 10.0), [(1, -5.0, 7.0)]);
    }
}
