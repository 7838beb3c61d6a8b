//! What is drawn of one series: unbroken lines and dots, as times and values.

use std::ops::Range;

use edb_core::{Sampling, Series, TimeRange, Value};
use edb_series::decimate::{column_of, m4};
use edb_series::gaps::{cadence_us, gap_limit_us};

/// A time in microseconds since 1970 UTC, and a value.
pub(crate) type Vertex = (i64, f64);

/// What is drawn of one series.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Track {
    /// Lines; each has two vertices or more.
    pub(crate) runs: Vec<Vec<Vertex>>,
    /// Samples that are marked.
    pub(crate) dots: Vec<Vertex>,
}

impl Track {
    /// The lowest and the highest value drawn.
    pub(crate) fn extent(&self) -> Option<(f64, f64)> {
        let values = self.runs.iter().flatten().chain(&self.dots).map(|vertex| vertex.1);
        values.fold(None, |extent, value| {
            let (low, high) = extent.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.dots.is_empty()
    }
}

/// How the line goes from sample to sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// Straight.
    Straight,
    /// Level until the next sample, which is nearer than a gap.
    Step,
    /// Level until the next sample, whenever that is: the value holds.
    Hold,
}

/// Every sample is marked when there are at most this many.
const FEW: usize = 60;

/// How many values in a row must differ from their predecessors before a series passes as change-only.
const PROOF: usize = 3;

/// Whether the samples of `series` hold their values, and whether that was inferred from them.
///
/// When nobody says how a mnemonic is sampled, its samples show it: a change-only series never repeats a value, and
/// fewer than half of its steps are near their median. Only integers and text are judged, since noise never repeats either.
pub(crate) fn holds(series: &Series) -> (bool, bool) {
    match series.sampling() {
        Sampling::ChangeOnly => (true, false),
        Sampling::AllPoints => (false, false),
        Sampling::Unknown => {
            let inferred = looks_change_only(series);
            (inferred, inferred)
        }
    }
}

fn looks_change_only(series: &Series) -> bool {
    let brackets = usize::from(series.leading.is_some()) + usize::from(series.trailing.is_some());
    if series.samples.len() + brackets < PROOF {
        return false;
    }
    let (mut times, mut previous) = (Vec::new(), Value::Null);
    // Stops at the first repetition, so a long series costs next to nothing.
    for sample in series.leading.iter().cloned().chain(series.samples.iter()).chain(series.trailing.clone()) {
        if sample.value == previous || matches!(sample.value, Value::Real(_)) {
            return false;
        }
        times.push(sample.time.as_micros());
        previous = sample.value;
    }
    let cadence = cadence_us(&times).unwrap_or(0);
    let is_regular = |pair: &&[i64]| (pair[1] - pair[0] - cadence).abs() <= cadence / 4;
    2 * times.windows(2).filter(is_regular).count() < times.len() - 1
}

/// What a track is made of.
pub(crate) struct Source<'a> {
    pub(crate) series: &'a Series,
    /// One per sample; not finite where there is no value.
    pub(crate) values: &'a [f64],
    /// The value of the leading bracket.
    pub(crate) leading: Option<f64>,
    pub(crate) course: Course,
    /// Overrides the gap limit learned from the cadence.
    pub(crate) gap_limit_us: Option<i64>,
}

/// What is drawn of `source` on an axis over `axis` with `columns` pixels.
///
/// # Gaps and quality
/// - only samples in the series' own range and on the axis are drawn; a bracket never is
/// - a held value is drawn from the start of the range, or of the axis, if nothing unknown lies between; it ends where
///   anything unknown begins
/// - lines break at gaps, at unknown spans and at missing values, unless all of that is within one pixel column
pub(crate) fn track(source: &Source<'_>, axis: TimeRange, columns: usize) -> Track {
    let Some(window) = source.series.range.intersect(axis) else { return Track::default() };
    let drawing = Drawing {
        source,
        axis,
        window,
        columns,
        times: source.series.samples.times(),
        rows: source.series.samples.rows_in(window),
        unknown: source.series.unknown(),
    };
    drawing.track()
}

struct Drawing<'a> {
    source: &'a Source<'a>,
    axis: TimeRange,
    /// The part of the series' range that is on the axis.
    window: TimeRange,
    columns: usize,
    times: &'a [i64],
    /// The samples in the window.
    rows: Range<usize>,
    /// The unknown parts of the series' range.
    unknown: Vec<TimeRange>,
}

impl Drawing<'_> {
    fn track(&self) -> Track {
        let mut track = Track::default();
        let is_value = |row: &usize| self.source.values[*row].is_finite();
        if self.rows.clone().filter(is_value).take(FEW + 1).count() <= FEW {
            track.dots = self.rows.clone().filter(is_value).map(|row| self.vertex(row)).collect();
        }
        let held = self.held_from_before();
        let mut scratch = Vec::new();
        let pieces = self.pieces();
        let (before, first) = (self.rows.start, pieces.first().map(|piece| piece.start));
        let joins = held.is_some_and(|(_, until)| first == Some(before) && until >= self.times[before]);
        if let (Some((value, until)), false) = (held, joins) {
            track.runs.push(vec![(self.window.start().as_micros(), value), (until, value)]);
        }
        for (at, piece) in pieces.iter().enumerate() {
            let values = &self.source.values[piece.clone()];
            let (start, stop) = (self.axis.start().as_micros(), self.axis.stop().as_micros());
            m4(&self.times[piece.clone()], values, start, stop, self.columns, &mut scratch);
            let picked = scratch
                .iter()
                .map(|row| self.vertex(piece.start + row))
                .filter(|vertex| vertex.1.is_finite());
            let mut run: Vec<Vertex> = Vec::with_capacity(2 * scratch.len() + 2);
            if let (Some((value, _)), true, 0) = (held, joins, at) {
                run.push((self.window.start().as_micros(), value));
            }
            for vertex in picked {
                if let (Some(&(_, level)), true) = (run.last(), self.source.course != Course::Straight) {
                    run.push((vertex.0, level));
                }
                run.push(vertex);
            }
            if let (Some(&(time, level)), Course::Hold) = (run.last(), self.source.course) {
                run.push((self.hold_end(piece.end, time), level));
            }
            run.dedup();
            match run.len() {
                0 => {}
                1 if track.dots.contains(&run[0]) => {}
                1 => track.dots.push(run[0]),
                _ => track.runs.push(run),
            }
        }
        track
    }

    fn vertex(&self, row: usize) -> Vertex {
        (self.times[row], self.source.values[row])
    }

    /// The rows without a visible break between them.
    fn pieces(&self) -> Vec<Range<usize>> {
        let limit = match self.source.course {
            Course::Hold => i64::MAX,
            _ => self
                .source
                .gap_limit_us
                .or_else(|| {
                    let all = self.source.series.samples.times();
                    cadence_us(all).map(gap_limit_us)
                })
                .unwrap_or(i64::MAX),
        };
        let mut pieces = Vec::new();
        let mut unknown = self.unknown.iter().peekable();
        let mut open: Option<Range<usize>> = None;
        for row in self.rows.clone() {
            if !self.source.values[row].is_finite() {
                continue;
            }
            let time = self.times[row];
            if let Some(piece) = &mut open {
                let last = piece.end - 1;
                let past = self.times[last];
                while unknown.next_if(|span| span.stop().as_micros() <= past).is_some() {}
                let is_broken = piece.end != row
                    || time - past > limit
                    || unknown.peek().is_some_and(|span| span.start().as_micros() < time);
                if is_broken && self.column(past) != self.column(time) {
                    pieces.push(piece.clone());
                    open = Some(row..row + 1);
                } else {
                    piece.end = row + 1;
                }
            } else {
                open = Some(row..row + 1);
            }
        }
        pieces.extend(open);
        pieces
    }

    fn column(&self, time: i64) -> usize {
        column_of(time, self.axis.start().as_micros(), self.axis.stop().as_micros(), self.columns)
    }

    /// Until when a value taken at `time` holds, if row `next` is the first one that may end it.
    fn hold_end(&self, next: usize, time: i64) -> i64 {
        let next = if next < self.rows.end { self.times[next] } else { i64::MAX };
        let unknown = self.unknown.iter().find(|span| span.stop().as_micros() > time);
        let unknown = unknown.map_or(i64::MAX, |span| span.start().as_micros());
        next.min(unknown).min(self.window.stop().as_micros()).max(time)
    }

    /// The value held into the window, and until when.
    fn held_from_before(&self) -> Option<(f64, i64)> {
        if self.source.course != Course::Hold {
            return None;
        }
        let start = self.window.start();
        let (value, taken) = match self.rows.start.checked_sub(1) {
            Some(row) => (self.source.values[row], self.times[row]),
            None => (self.source.leading?, self.source.series.range.start().as_micros()),
        };
        let is_known = |span: &&TimeRange| span.stop().as_micros() > taken && span.start() <= start;
        if !value.is_finite() || self.unknown.iter().any(|span| is_known(&span)) {
            return None;
        }
        let until = self.hold_end(self.rows.start, start.as_micros());
        (until > start.as_micros()).then_some((value, until))
    }
}
