//! Fewer points that draw the same picture.

use std::ops::Range;

/// Picks the rows that draw `values` over `times` on `columns` pixel columns exactly as all rows would: of every column
/// the first, the lowest, the highest and the last value (M4), so that no spike is lost.
///
/// Column `c` holds the times `t` with `c = (t - range_start) * columns / (range_stop - range_start)`, rounded down
/// ([`column_of`]); rows outside `[range_start, range_stop)` are left out.
///
/// # Shapes
/// - `times`: ascending; equal times keep their order. `values`: as many
/// - `out`: receives row numbers, ascending, each once, at most six per column; what it held is discarded
///
/// # Gaps and quality
/// - NaN and infinities are no values but breaks of the line: of every column the first and the last of them are kept,
///   so a line over the picked rows breaks wherever a line over all rows visibly would
///
/// # Cost
/// O(n) over the values, O(columns log n) over the times, no allocation beyond `out`.
///
/// # Panics
/// If `times` and `values` differ in length, or `columns` is 0.
///
/// # Source
/// Jugel et al., "M4: a visualization-oriented time series data aggregation", VLDB 2014. Checked against a slow oracle.
///
/// # Examples
/// ```
/// let mut rows = Vec::new();
/// edb_series::decimate::m4(&[0, 1, 2, 3, 4, 5], &[1.0, 1.0, 9.0, 1.0, 2.0, 3.0], 0, 6, 1, &mut rows);
/// assert_eq!(rows, [0, 2, 5]);
/// ```
pub fn m4(
    times: &[i64],
    values: &[f64],
    range_start: i64,
    range_stop: i64,
    columns: usize,
    out: &mut Vec<usize>,
) {
    assert_eq!(times.len(), values.len(), "one value for each time");
    assert!(columns > 0, "at least one column");
    out.clear();
    let stop = times.partition_point(|time| *time < range_stop);
    let mut row = times[..stop].partition_point(|time| *time < range_start);
    while row < stop {
        let column = column_of(times[row], range_start, range_stop, columns);
        let border = column_start(column + 1, range_start, range_stop, columns);
        // Most columns hold few rows: gallop from here rather than bisect all that is left.
        let mut reach = 1;
        while row + reach < stop && times[row + reach] < border {
            reach *= 2;
        }
        let far = (row + reach).min(stop);
        let next = row + reach / 2;
        let next = next + times[next..far].partition_point(|time| *time < border);
        pick_column(values, row..next, out);
        row = next;
    }
}

/// The pixel column of `time`, of `columns` over `[range_start, range_stop)`.
///
/// `time` must lie in that range.
pub fn column_of(time: i64, range_start: i64, range_stop: i64, columns: usize) -> usize {
    let span = i128::from(range_stop) - i128::from(range_start);
    let offset = i128::from(time) - i128::from(range_start);
    (offset * columns as i128 / span) as usize
}

/// The first time of column `column`.
fn column_start(column: usize, range_start: i64, range_stop: i64, columns: usize) -> i64 {
    let (span, columns) = (i128::from(range_stop) - i128::from(range_start), columns as i128);
    (i128::from(range_start) + (column as i128 * span + columns - 1) / columns) as i64
}

/// Picks from the rows of one column, which are not empty.
fn pick_column(values: &[f64], rows: Range<usize>, out: &mut Vec<usize>) {
    if rows.len() <= 2 {
        out.extend(rows);
        return;
    }
    let (mut finite, mut lowest, mut highest, mut broken) = (None, 0, 0, None);
    for row in rows {
        let value = values[row];
        if value.is_finite() {
            match &mut finite {
                None => {
                    finite = Some((row, row));
                    (lowest, highest) = (row, row);
                }
                Some((_, last)) => {
                    *last = row;
                    if value < values[lowest] {
                        lowest = row;
                    }
                    if value > values[highest] {
                        highest = row;
                    }
                }
            }
        } else {
            let (_, last) = broken.get_or_insert((row, row));
            *last = row;
        }
    }
    let mut picked = [usize::MAX; 6];
    if let Some((first, last)) = finite {
        picked[..4].copy_from_slice(&[first, lowest, highest, last]);
    }
    if let Some((first, last)) = broken {
        picked[4..].copy_from_slice(&[first, last]);
    }
    picked.sort_unstable();
    for (at, row) in picked.iter().enumerate() {
        if *row != usize::MAX && (at == 0 || picked[at - 1] != *row) {
            out.push(*row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picked(times: &[i64], values: &[f64], start: i64, stop: i64, columns: usize) -> Vec<usize> {
        let mut out = vec![99];
        m4(times, values, start, stop, columns, &mut out);
        out
    }

    #[test]
    fn a_spike_in_a_million_rows_is_kept() {
        let times: Vec<i64> = (0..1_000_000).collect();
        let mut values = vec![0.0; times.len()];
        values[654_321] = 1e9;

        let rows = picked(&times, &values, 0, 1_000_000, 1000);

        assert!(rows.contains(&654_321));
        assert!(rows.len() <= 4000);
    }

    #[test]
    fn nothing_and_nothing_in_range_pick_nothing() {
        assert_eq!(picked(&[], &[], 0, 10, 5), [0; 0]);
        assert_eq!(picked(&[-1, 10], &[1.0, 2.0], 0, 10, 5), [0; 0]);
    }

    #[test]
    fn a_range_of_centuries_does_not_overflow() {
        let (start, stop) = (-62_135_596_800_000_000, 253_402_300_799_999_999);
        assert_eq!(picked(&[start, 0, stop - 1], &[1.0, 2.0, 3.0], start, stop, 10_000), [0, 1, 2]);
    }

    #[test]
    fn a_break_at_the_end_of_a_column_is_kept() {
        let values = [1.0, f64::NAN, 5.0, f64::INFINITY, 6.0, 6.0];
        assert_eq!(picked(&[0, 1, 2, 3, 4, 5], &values, 0, 8, 2), [0, 1, 2, 3, 4, 5]);
    }

    proptest! {
        /// The oracle goes through all rows for every column.
        #[test]
        fn every_column_keeps_its_first_last_lowest_and_highest(
            rows in proptest::collection::vec((0_i64..5, prop_oneof![4 => -9.0..9.0, 1 => Just(f64::NAN), 1 => Just(0.0)]), 0..120),
            start in -5_i64..60, length in 1_i64..200, columns in 1_usize..40,
        ) {
            let mut time = 0;
            let times: Vec<i64> = rows.iter().map(|(step, _)| { time += step; time }).collect();
            let values: Vec<f64> = rows.iter().map(|(_, value)| *value).collect();
            let stop = start + length;

            let out = picked(&times, &values, start, stop, columns);

            prop_assert!(out.windows(2).all(|pair| pair[0] < pair[1]), "ascending and unique");
            prop_assert!(out.iter().all(|row| (start..stop).contains(&times[*row])), "inside the range");
            for column in 0..columns {
                let inside = |row: &usize| (start..stop).contains(&times[*row])
                    && ((times[*row] - start) * columns as i64 / length) as usize == column;
                let of = |rows: &[usize]| {
                    let rows: Vec<usize> = rows.iter().copied().filter(inside).collect();
                    let finite: Vec<usize> = rows.iter().copied().filter(|row| values[*row].is_finite()).collect();
                    let lowest = finite.iter().map(|row| values[*row]).fold(f64::INFINITY, f64::min);
                    let highest = finite.iter().map(|row| values[*row]).fold(f64::NEG_INFINITY, f64::max);
                    (rows.first().copied(), rows.last().copied(), finite.first().copied(), finite.last().copied(),
                     lowest, highest, finite.len() < rows.len())
                };
                let all: Vec<usize> = (0..times.len()).collect();
                prop_assert_eq!(of(&out), of(&all), "column {}", column);
                prop_assert!(out.iter().filter(|row| inside(row)).count() <= 6);
            }
        }
    }
}
