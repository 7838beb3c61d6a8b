//! One mnemonic over another.

use edb_core::{Error, Notice, NoticeKind, Result};
use edb_series::align::{Cells, Numbers, hold_values, linear};
use edb_series::gaps::{cadence_us, gap_limit_us};

use crate::panel::{About, about, extent, numbers, numbers_only};
use crate::trace::{Chart, Trace};
use crate::track::{Canvas, holds};

/// The values of one mnemonic over those of another at the same times.
pub(crate) struct Phase {
    pub(crate) x: About,
    pub(crate) y: About,
    /// Unbroken runs of points: time, x, y.
    pub(crate) runs: Vec<Vec<(i64, f64, f64)>>,
}

impl Phase {
    pub(crate) fn extents(&self) -> Option<((f64, f64), (f64, f64))> {
        let points = || self.runs.iter().flatten();
        Some((extent(points().map(|point| point.1))?, extent(points().map(|point| point.2))?))
    }
}

/// Points nearer to each other than a part of the panel of this size are one.
const GRID: f64 = 2000.0;

/// The second trace of a chart over its first: at the times of the first, values of the second between its samples, where those are no
/// further apart than a gap; a value that holds is held.
pub(crate) fn phase(chart: &Chart<'_>, canvas: Canvas, notices: &mut Vec<Notice>) -> Result<Phase> {
    let [x, y] = chart.traces.as_slice() else {
        let count = chart.traces.len();
        return Err(Error::usage(format!(
            "could not draw {count} mnemonics over each other: expected two, over one range"
        ))
        .with_hint("name two mnemonics: the first is drawn to the right, the second upwards"));
    };
    if let Some(text) = [x, y].into_iter().find(|trace| trace.is_text()) {
        return Err(numbers_only(text.name()));
    }
    let (about_x, about_y) = (about(x, canvas, false, notices), about(y, canvas, false, notices));
    let window = x.series.range.intersect(canvas.axis);
    let rows = window.map_or(0..0, |window| x.series.samples.rows_in(window));
    let times = &x.series.samples.times()[rows.clone()];
    let values = numbers(x.series.as_ref());
    let others = at_times(y, times);
    let limit = cadence_us(x.series.samples.times()).map_or(i64::MAX, gap_limit_us);
    let mut runs: Vec<Vec<(i64, f64, f64)>> = Vec::new();
    let mut last = None;
    let mut paired = 0;
    for ((time, x), y) in times.iter().zip(&values[rows]).zip(others) {
        let Some(y) = y.filter(|y| x.is_finite() && y.is_finite()) else {
            last = None;
            continue;
        };
        paired += 1;
        if last.is_none_or(|last| time - last > limit) {
            runs.push(Vec::new());
        }
        last = Some(*time);
        runs.last_mut().expect("a run was begun").push((*time, *x, y));
    }
    if paired < times.len() {
        let text = format!(
            "{} of {} samples are left out: the other mnemonic has no value then",
            times.len() - paired,
            times.len()
        );
        notices.push(Notice::about(NoticeKind::LeftOut, x.series.mnemonic(), text));
    }
    let mut phase = Phase { x: about_x, y: about_y, runs };
    if let Some(extents) = phase.extents() {
        phase.runs.iter_mut().for_each(|run| thin(run, extents));
    }
    Ok(phase)
}

/// The values of a trace at other times; none where it is not known.
fn at_times(trace: &Trace<'_>, targets: &[i64]) -> Vec<Option<f64>> {
    let series = trace.series.as_ref();
    let values = numbers(series);
    let own = series.samples.times();
    let missing: Vec<usize> = (0..values.len()).filter(|row| !values[*row].is_finite()).collect();
    let numbers = Numbers { times: own, values: &values, missing: &missing };
    let mut cells = Cells::none(targets.len());
    if holds(series).0 {
        hold_values(numbers, targets, i64::MAX, cells.part(0..targets.len()));
    } else {
        let limit = cadence_us(own).map_or(0, gap_limit_us);
        linear(numbers, targets, limit, cells.part(0..targets.len()));
    }
    let unknown = series.unknown();
    let is_known = |target: i64| {
        let before =
            own.partition_point(|time| *time <= target).checked_sub(1).map_or(i64::MIN, |row| own[row]);
        !unknown.iter().any(|span| span.start().as_micros() <= target && span.stop().as_micros() > before)
    };
    let cells = targets.iter().zip(cells.iter());
    cells.map(|(target, cell)| cell.filter(|_| unknown.is_empty() || is_known(*target))).collect()
}

/// Leaves out points that cannot be told from the one before.
fn thin(run: &mut Vec<(i64, f64, f64)>, ((left, right), (low, high)): ((f64, f64), (f64, f64))) {
    let cell = |point: &(i64, f64, f64)| {
        let place = |value: f64, low: f64, high: f64| {
            ((value - low) / (high - low).max(f64::MIN_POSITIVE) * GRID) as i64
        };
        (place(point.1, left, right), place(point.2, low, high))
    };
    let last = run.len().saturating_sub(1);
    let (mut at, mut before) = (0, None);
    run.retain(|point| {
        let own = cell(point);
        let is_kept = before != Some(own) || at == last;
        (at, before) = (at + 1, Some(own));
        is_kept
    });
}
