//! Fewer points that draw the same picture, or one that looks like it.

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
    let times = &times[..stop];
    let mut row = times.partition_point(|time| *time < range_start);
    // Columns of a series with a cadence hold as many rows as the one before.
    let mut rows = 1;
    while row < stop {
        let column = column_of(times[row], range_start, range_stop, columns);
        let border = column_start(column + 1, range_start, range_stop, columns);
        let next = first_at_or_after(times, border, row + 1, row + rows);
        pick_column(values, row..next, out);
        rows = next - row;
        row = next;
    }
}

/// The first row from `from` on whose time is `time` or later, sought outwards from row `near`.
fn first_at_or_after(times: &[i64], time: i64, from: usize, near: usize) -> usize {
    let (mut low, mut high) = (near.clamp(from, times.len()), near.clamp(from, times.len()));
    let mut reach = 1;
    while low > from && times[low - 1] >= time {
        high = low - 1;
        low = low.saturating_sub(reach).max(from);
        reach *= 2;
    }
    while high < times.len() && times[high] < time {
        low = high + 1;
        high = (high + reach).min(times.len());
        reach *= 2;
    }
    low + times[low..high].partition_point(|other| *other < time)
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

/// Values are looked through in blocks of this many, so that the place of an extreme is sought in one block only.
const BLOCK: usize = 1024;

/// Picks from the rows of one column, which are not empty.
fn pick_column(values: &[f64], rows: Range<usize>, out: &mut Vec<usize>) {
    if rows.len() <= 2 {
        out.extend(rows);
        return;
    }
    let (first, last) = (rows.start, rows.end - 1);
    let Some((lowest, highest)) = extremes(&values[rows.clone()]) else {
        return pick_broken(values, rows, out);
    };
    let (lowest, highest) = (first + lowest, first + highest);
    let mut picked = [first, lowest.min(highest), lowest.max(highest), last].into_iter();
    let mut taken = usize::MAX;
    out.extend(picked.by_ref().filter(|row| std::mem::replace(&mut taken, *row) != *row));
}

/// The places of the first lowest and the first highest of `values`; `None` if one of them is not finite.
fn extremes(values: &[f64]) -> Option<(usize, usize)> {
    let (mut low, mut high) = ((f64::INFINITY, 0), (f64::NEG_INFINITY, 0));
    for (at, block) in values.chunks(BLOCK).enumerate() {
        let (lowest, highest) = block_extremes(block)?;
        if lowest < low.0 {
            low = (lowest, at * BLOCK);
        }
        if highest > high.0 {
            high = (highest, at * BLOCK);
        }
    }
    let place = |(extreme, block): (f64, usize)| {
        let rows = &values[block..values.len().min(block + BLOCK)];
        let is_it = |value: &f64| value.to_bits() == extreme.to_bits();
        // Sixteen at once, and then one by one.
        let chunk = rows
            .chunks(16)
            .position(|chunk| chunk.iter().fold(false, |found, value| found | is_it(value)))?;
        rows[16 * chunk..].iter().position(is_it).map(|at| block + 16 * chunk + at)
    };
    Some((place(low)?, place(high)?))
}

/// The lowest and the highest of `values`; `None` if one of them is not finite. Written so that compilers make vectors of it.
fn block_extremes(values: &[f64]) -> Option<(f64, f64)> {
    const LANES: usize = 16;
    let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    // One that is not finite makes a sum that is not either; a sum beyond all numbers does no harm: then one looks closer.
    let mut sums = [0.0_f64; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for lane in 0..LANES {
            let value = chunk[lane];
            low[lane] = if value < low[lane] { value } else { low[lane] };
            high[lane] = if value > high[lane] { value } else { high[lane] };
            sums[lane] += value;
        }
    }
    for value in chunks.remainder() {
        low[0] = low[0].min(*value);
        high[0] = high[0].max(*value);
        sums[0] += *value;
    }
    let (low, high) =
        (low.into_iter().fold(f64::INFINITY, f64::min), high.into_iter().fold(f64::NEG_INFINITY, f64::max));
    sums.iter().sum::<f64>().is_finite().then_some((low, high))
}

/// As [`pick_column`], where some values are not finite.
fn pick_broken(values: &[f64], rows: Range<usize>, out: &mut Vec<usize>) {
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

/// Picks `count` rows whose line looks like that of all rows (largest triangle, three buckets): the first, the last, and of every
/// bucket between them the one that makes the largest triangle with its neighbours. It is smooth, and **may leave out extremes**:
/// [`m4`] is for whoever must see them.
///
/// # Shapes
/// - `times`: ascending. `values`: as many, all finite
/// - `out`: receives row numbers, ascending, each once; all rows if there are at most `count`, or `count` is below 3; what it held is
///   discarded
///
/// # Cost
/// O(n), no allocation beyond `out`.
///
/// # Panics
/// If `times` and `values` differ in length.
///
/// # Source
/// Steinarsson, "Downsampling Time Series for Visual Representation", University of Iceland 2013.
pub fn lttb(times: &[i64], values: &[f64], count: usize, out: &mut Vec<usize>) {
    assert_eq!(times.len(), values.len(), "one value for each time");
    out.clear();
    let rows = times.len();
    if rows <= count || count < 3 {
        out.extend(0..rows);
        return;
    }
    let buckets = count - 2;
    let start = |bucket: usize| 1 + bucket * (rows - 2) / buckets;
    let mut taken = 0;
    out.push(0);
    for bucket in 0..buckets {
        let next = start(bucket + 1)..if bucket + 2 > buckets { rows } else { start(bucket + 2) };
        let share = 1.0 / next.len() as f64;
        // Times are told from the one taken last: their sums would not fit.
        let at = |row: usize| (times[row] - times[taken]) as f64;
        let (x, y) = next.fold((0.0, 0.0), |(x, y), row| (x + at(row) * share, y + values[row] * share));
        let base = values[taken];
        let area = |row: usize| (at(row) * (y - base) - x * (values[row] - base)).abs();
        let mut best = (start(bucket), -1.0);
        for row in start(bucket)..start(bucket + 1) {
            let size = area(row);
            if size > best.1 {
                best = (row, size);
            }
        }
        taken = best.0;
        out.push(taken);
    }
    out.push(rows - 1);
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

    #[test]
    fn a_line_of_triangles_has_as_many_rows_as_asked_and_both_ends() {
        let times: Vec<i64> = (0..1000).map(|at| at * 256_000).collect();
        let values: Vec<f64> =
            (0..1000).map(|at| f64::from(at % 97) * if at == 500 { 50.0 } else { 1.0 }).collect();
        let mut out = vec![7];
        lttb(&times, &values, 100, &mut out);
        assert_eq!((out.len(), out[0], out[99]), (100, 0, 999));
        assert!(out.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(out.contains(&500), "a large triangle");
        lttb(&times[..5], &values[..5], 100, &mut out);
        assert_eq!(out, [0, 1, 2, 3, 4]);
        lttb(&[], &[], 3, &mut out);
        assert_eq!(out, [0; 0]);
        // By hand: of the middle three the one farthest from the line between the ends.
        lttb(&[0, 1, 2, 3, 4], &[0.0, 1.0, -5.0, 1.0, 0.0], 3, &mut out);
        assert_eq!(out, [0, 2, 4]);
    }

    #[test]
    fn the_first_of_equal_extremes_is_taken_in_columns_of_many_blocks() {
        let times: Vec<i64> = (0..3 * BLOCK as i64 + 5).collect();
        let mut values = vec![0.0; times.len()];
        for at in [700, 1100, 1539] {
            values[at] = 2.0;
        }
        (values[40], values[1200]) = (-1.0, -1.0);
        assert_eq!(picked(&times, &values, 0, times.len() as i64, 1), [0, 40, 700, times.len() - 1]);
        values[900] = f64::NEG_INFINITY;
        assert_eq!(picked(&times, &values, 0, times.len() as i64, 1), [0, 40, 700, 900, times.len() - 1]);
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
