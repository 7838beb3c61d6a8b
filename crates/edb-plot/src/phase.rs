//! One mnemonic over another.

use std::collections::HashSet;

use edb_core::{Error, Notice, NoticeKind, Result, Series};
use edb_series::align::{Cells, Numbers, hold_values, linear};

use crate::panel::{About, about, extent, leading_number, numbers, numbers_only};
use crate::trace::{Chart, Trace};
use crate::track::{Canvas, Course, holds};

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

/// Points nearer to each other than a part of the panel of this size are one; where many remain, coarser ones.
const GRIDS: [f64; 4] = [2000.0, 1000.0, 500.0, 250.0];

/// How many points a panel has, about.
const MOST_POINTS: usize = 60_000;

type Point = (i64, f64, f64);

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
    let others = at_times(y, times, canvas);
    let limit = canvas.gap_limit(&x.series, course(&x.series));
    let unknown = x.series.unknown();
    let mut unknown = unknown.iter().peekable();
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut last = None;
    let mut paired = 0;
    for ((time, x), y) in times.iter().zip(&values[rows]).zip(others) {
        let Some(y) = y.filter(|y| x.is_finite() && y.is_finite()) else {
            last = None;
            continue;
        };
        paired += 1;
        let goes_on = last.is_some_and(|last| {
            while unknown.next_if(|span| span.stop().as_micros() <= last).is_some() {}
            time - last <= limit && unknown.peek().is_none_or(|span| span.start().as_micros() > *time)
        });
        last = Some(*time);
        match runs.last_mut().filter(|_| goes_on) {
            Some(run) => run.push((*time, *x, y)),
            None => runs.push(vec![(*time, *x, y)]),
        }
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
        for grid in GRIDS {
            phase.runs = thinned(&phase.runs, extents, grid);
            if phase.runs.iter().map(Vec::len).sum::<usize>() <= MOST_POINTS {
                break;
            }
        }
    }
    Ok(phase)
}

/// The values of a trace at other times; none where it is not known.
fn at_times(trace: &Trace<'_>, targets: &[i64], canvas: Canvas) -> Vec<Option<f64>> {
    let series = trace.series.as_ref();
    let values = numbers(series);
    let own = series.samples.times();
    let missing: Vec<usize> = (0..values.len()).filter(|row| !values[*row].is_finite()).collect();
    let numbers = Numbers { times: own, values: &values, missing: &missing };
    let mut cells = Cells::none(targets.len());
    let course = course(series);
    if course == Course::Hold {
        hold_values(numbers, targets, i64::MAX, cells.part(0..targets.len()));
    } else {
        let limit = canvas.gap_limit(series, course);
        linear(numbers, targets, limit, cells.part(0..targets.len()));
    }
    // Before the first sample the state into the range holds.
    let carried = leading_number(series).filter(|_| course == Course::Hold);
    let (begin, unknown) = (series.range.start().as_micros(), series.unknown());
    let mut unknown = unknown.iter().peekable();
    let cell = |(target, cell): (&i64, Option<f64>)| {
        let after = own.partition_point(|time| time <= target);
        let before = after.checked_sub(1).map_or(begin, |row| own[row]);
        let cell = cell.or_else(|| carried.filter(|_| after == 0 && *target >= begin));
        while unknown.next_if(|span| span.stop().as_micros() <= before).is_some() {}
        // What is on a line to the next sample needs to be known up to there.
        let until = match own.get(after) {
            Some(next) if course != Course::Hold && before != *target => *next,
            _ => *target,
        };
        let is_known = unknown.peek().is_none_or(|span| span.start().as_micros() > until);
        cell.filter(|_| is_known)
    };
    targets.iter().zip(cells.iter()).map(cell).collect()
}

fn course(series: &Series) -> Course {
    if holds(series).0 { Course::Hold } else { Course::Straight }
}

/// Leaves out points that cannot be told from the one before, and lines from place to place that were drawn already.
fn thinned(
    runs: &[Vec<Point>],
    ((left, right), (low, high)): ((f64, f64), (f64, f64)),
    grid: f64,
) -> Vec<Vec<Point>> {
    let cell = |point: &Point| {
        let place = |value: f64, low: f64, high: f64| {
            ((value - low) / (high - low).max(f64::MIN_POSITIVE) * grid) as i32
        };
        (place(point.1, left, right), place(point.2, low, high))
    };
    let mut drawn = HashSet::new();
    let mut thin: Vec<Vec<Point>> = Vec::new();
    for run in runs {
        let mut open: Vec<Point> = Vec::new();
        let mut before: Option<((i32, i32), Point)> = None;
        for point in run {
            let own = cell(point);
            let Some((other, from)) = before.replace((own, *point)) else {
                open.push(*point);
                continue;
            };
            if own == other {
                continue;
            }
            if drawn.insert((other, own)) {
                if open.is_empty() {
                    open.push(from);
                }
                open.push(*point);
            } else {
                thin.extend((!open.is_empty()).then(|| std::mem::take(&mut open)));
            }
        }
        thin.extend((!open.is_empty()).then_some(open));
    }
    thin
}
