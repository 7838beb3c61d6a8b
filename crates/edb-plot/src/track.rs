//! What is drawn of one series of values: unbroken runs of samples, and samples that stand alone.

use std::ops::Range;

use edb_core::{Coverage, Sampling, Series, TimeRange, Value, ValueKind};
use edb_series::decimate::{column_of, lttb, m4};
use edb_series::gaps::{cadence_us, gap_limit_us, regular_gaps};

use crate::figure::Decimation;

/// A time in microseconds since 1970 UTC, and a value.
pub(crate) type Vertex = (i64, f64);

/// What is drawn of one series.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Track {
    /// How lines go from sample to sample.
    pub(crate) course: Course,
    /// What is connected.
    pub(crate) runs: Vec<Run>,
    /// Samples that nothing connects.
    pub(crate) lone: Vec<Vertex>,
    /// Where there is no sample, although all is known.
    pub(crate) absent: Vec<TimeRange>,
    /// How long a column is of which only extremes are kept; nothing if all samples are.
    pub(crate) column_us: Option<f64>,
}

/// Samples without a visible break between them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Run {
    /// A value held into the window, from its start; it is no sample in it.
    pub(crate) carried: Option<Vertex>,
    /// Samples, ascending in time.
    pub(crate) samples: Vec<Vertex>,
    /// Until when the last value holds.
    pub(crate) until: Option<i64>,
}

impl Run {
    /// The corners of the line, which is empty or has two or more.
    pub(crate) fn corners(&self, course: Course) -> Vec<Vertex> {
        let mut line: Vec<Vertex> = Vec::with_capacity(2 * self.samples.len() + 2);
        for vertex in self.carried.iter().chain(&self.samples) {
            if let (Some(&(_, level)), true) = (line.last(), course != Course::Straight) {
                line.push((vertex.0, level));
            }
            line.push(*vertex);
        }
        if let (Some(&(_, level)), Some(until)) = (line.last(), self.until) {
            line.push((until, level));
        }
        line.dedup();
        if line.len() < 2 {
            line.clear();
        }
        line
    }
}

impl Track {
    /// The values drawn.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        let carried = self.runs.iter().filter_map(|run| run.carried);
        carried.chain(self.samples()).map(|vertex| vertex.1)
    }

    /// The samples drawn: those that matter, and every extreme.
    pub(crate) fn samples(&self) -> impl Iterator<Item = Vertex> {
        self.runs.iter().flat_map(|run| &run.samples).chain(&self.lone).copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.lone.is_empty()
    }

    /// Adds what is drawn of another range; [`sort`](Self::sort) when all are there.
    pub(crate) fn join(&mut self, mut more: Self) {
        self.runs.append(&mut more.runs);
        self.lone.append(&mut more.lone);
        self.column_us = self.column_us.into_iter().chain(more.column_us).reduce(f64::max);
    }

    pub(crate) fn sort(&mut self) {
        let start = |run: &Run| {
            run.carried.or_else(|| run.samples.first().copied()).map_or(i64::MIN, |vertex| vertex.0)
        };
        self.runs.sort_by_key(start);
        self.lone.sort_by_key(|sample| sample.0);
    }
}

/// How the line goes from sample to sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Course {
    /// Straight.
    #[default]
    Straight,
    /// Level until the next sample, which is nearer than a gap.
    Step,
    /// Level until the next sample, whenever that is: the value holds.
    Hold,
}

/// How many values in a row must differ from their predecessors before a series passes as change-only.
const PROOF: usize = 3;

/// Whether the samples of `series` hold their values, and whether that was inferred from them.
///
/// When nobody says how a mnemonic is sampled, its samples show it: a change-only series never repeats a value, and has no cadence
/// (of integers, which may count, fewer than half of the steps are near their median). Reals are not judged, since noise never repeats either.
pub(crate) fn holds(series: &Series) -> (bool, bool) {
    let stated = series.sampling();
    match series.learned.as_ref().map_or(stated, |learned| learned.sampling) {
        // What a longer series says of this one is known as far as it is.
        Sampling::ChangeOnly if stated == Sampling::Unknown => (true, true),
        Sampling::ChangeOnly => (true, false),
        Sampling::AllPoints => (false, false),
        Sampling::Unknown => {
            let inferred = looks_change_only(series);
            (inferred, inferred)
        }
    }
}

fn looks_change_only(series: &Series) -> bool {
    let is_text = series.samples.values().kind() == ValueKind::Text;
    let brackets = usize::from(series.leading.is_some()) + usize::from(series.trailing.is_some());
    if series.samples.len() + brackets < if is_text { 1 } else { PROOF } {
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
    // Some changes of a state may be as regular as they like.
    if is_text {
        return regular_gaps(&times).is_none();
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
    /// The time of all ranges of the mnemonic on the axis, and the number of samples in them.
    pub(crate) whole: (TimeRange, usize),
}

/// The axis that tracks are drawn over, and how finely.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canvas {
    pub(crate) axis: TimeRange,
    /// Pixels of the axis, or more.
    pub(crate) columns: usize,
    /// In place of columns that all have in common: so many points for each mnemonic, or all it has if these are fewer. Who looks may look
    /// closer then, so that lines break at every gap, and not only where a column ends.
    pub(crate) points_each: Option<usize>,
    pub(crate) decimation: Decimation,
    /// Overrides the gap limit learned from the cadence.
    pub(crate) gap_limit_us: Option<i64>,
}

impl Canvas {
    /// The canvas of a mnemonic with so many samples in `window`.
    pub(crate) fn fitted(self, (window, samples): (TimeRange, usize)) -> Self {
        let columns = match self.points_each {
            None => self.columns,
            // Every moment has a column.
            Some(points) if samples <= points => self.axis.micros() as usize,
            // A column has four points, and a series as many columns as its part of the axis.
            Some(points) => {
                (points as f64 / 4.0 * (self.axis.micros() as f64 / window.micros() as f64)) as usize
            }
        };
        Self { columns: columns.clamp(1, self.axis.micros() as usize), ..self }
    }

    /// How much time a pixel of the screen has, at least about: on a page each series has columns of its own.
    pub(crate) fn pixel_us(&self) -> f64 {
        let pixels = if self.points_each.is_some() { 2000 } else { self.columns };
        self.axis.micros() as f64 / pixels.max(1) as f64
    }

    pub(crate) fn column(&self, time: i64) -> usize {
        column_of(time, self.axis.start().as_micros(), self.axis.stop().as_micros(), self.columns)
    }

    /// The longest step of `series` that is no gap: by its cadence; where it comes as it pleases, ten of its usual steps.
    pub(crate) fn gap_limit(&self, series: &Series, course: Course) -> i64 {
        let times = series.samples.times();
        let learned = || {
            let cadence = series.learned.as_ref().and_then(|learned| learned.cadence_us);
            cadence.map(gap_limit_us).or_else(|| {
                let cadence = cadence_us(times)?;
                let limit = gap_limit_us(cadence);
                let long = times.windows(2).filter(|pair| pair[1] - pair[0] > limit).count();
                let is_regular = times.len() >= 10 && long * 10 < times.len();
                Some(if is_regular { limit } else { cadence.saturating_mul(10) })
            })
        };
        match course {
            Course::Hold => i64::MAX,
            _ => self.gap_limit_us.or_else(learned).unwrap_or(i64::MAX),
        }
    }
}

/// What is drawn of `source` on `canvas`.
///
/// # Gaps and quality
/// - only samples in the series' own range and on the axis are drawn; a bracket never is
/// - a held value is drawn from the start of the range, or of the axis, if nothing unknown lies between; it ends where
///   anything unknown begins
/// - lines break at gaps, at unknown spans and at missing values, unless all of that is within one pixel column
pub(crate) fn track(source: &Source<'_>, canvas: Canvas) -> Track {
    let Some(window) = source.series.range.intersect(canvas.axis) else { return Track::default() };
    let times = source.series.samples.times();
    let rows = source.series.samples.rows_in(window);
    let drawing = Drawing {
        source,
        canvas: canvas.fitted(source.whole),
        limit: canvas.gap_limit(source.series, source.course),
        window,
        times,
        rows,
        unknown: source.series.unknown(),
    };
    drawing.track()
}

struct Drawing<'a> {
    source: &'a Source<'a>,
    canvas: Canvas,
    /// The longest step that is no gap.
    limit: i64,
    /// The part of the series' range that is on the axis.
    window: TimeRange,
    times: &'a [i64],
    /// The samples in the window.
    rows: Range<usize>,
    /// The unknown parts of the series' range.
    unknown: Vec<TimeRange>,
}

impl Drawing<'_> {
    fn track(&self) -> Track {
        let course = self.source.course;
        let mut track = Track { course, ..Track::default() };
        let (axis, rows) = (self.canvas.axis, self.rows.clone());
        let mut picked = Vec::new();
        let (times, values) = (&self.times[rows.clone()], &self.source.values[rows.clone()]);
        let (start, stop) = (axis.start().as_micros(), axis.stop().as_micros());
        m4(times, values, start, stop, self.canvas.columns, &mut picked);
        if picked.len() < rows.len() {
            track.column_us = Some(axis.micros() as f64 / self.canvas.columns as f64);
        }
        picked.iter_mut().for_each(|row| *row += rows.start);
        if self.canvas.points_each.is_some() && picked.len() < rows.len() {
            self.pick_breaks(&mut picked);
        }
        let pieces = self.pieces(&picked);
        let held = self.held_from_before();
        let first = pieces.first().and_then(|piece| piece.first());
        let joins = held.is_some_and(|(_, until)| {
            first.is_some_and(|row| *row == rows.start && until >= self.times[*row])
        });
        let start = self.window.start().as_micros();
        if let (Some((value, until)), false) = (held, joins) {
            track.runs.push(Run { carried: Some((start, value)), until: Some(until), ..Run::default() });
        }
        for (at, piece) in pieces.iter().enumerate() {
            let carried = held.filter(|_| joins && at == 0).map(|(value, _)| (start, value));
            let last = piece.last().filter(|_| course == Course::Hold);
            let until = last.map(|row| self.hold_end(row + 1, self.times[*row]));
            let samples = self.thinned(piece).into_iter().map(|row| self.vertex(row)).collect();
            let run = Run { carried, samples, until };
            if run.corners(course).is_empty() {
                track.lone.extend(run.samples);
            } else {
                track.runs.push(run);
            }
        }
        track.absent = self.absent(&picked, held.map(|(_, until)| until));
        track
    }

    fn vertex(&self, row: usize) -> Vertex {
        (self.times[row], self.source.values[row])
    }

    /// Adds the rows on both sides of every gap and of every unknown span, so that they can be seen from near by, too.
    fn pick_breaks(&self, picked: &mut Vec<usize>) {
        let steps = self.times[self.rows.clone()].windows(2).enumerate();
        let gaps = steps.filter(|(_, pair)| pair[1].saturating_sub(pair[0]) > self.limit);
        let mut after: Vec<usize> = gaps.map(|(at, _)| self.rows.start + at + 1).collect();
        let row = |span: &TimeRange| self.times.partition_point(|time| *time < span.start().as_micros());
        after.extend(
            self.unknown.iter().map(row).filter(|row| *row > self.rows.start && *row < self.rows.end),
        );
        picked.extend(after.into_iter().flat_map(|row| [row - 1, row]));
        picked.sort_unstable();
        picked.dedup();
    }

    /// The rows of a piece that are drawn of it.
    fn thinned(&self, piece: &[usize]) -> Vec<usize> {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else { return Vec::new() };
        if self.canvas.decimation == Decimation::M4 {
            return piece.to_vec();
        }
        // The picture has two points for each pixel of the axis; a piece has its share.
        let rows = *first..*last + 1;
        let columns = self.canvas.column(self.times[*last]) - self.canvas.column(self.times[*first]) + 1;
        let finite: Vec<usize> = rows.filter(|row| self.source.values[*row].is_finite()).collect();
        let times: Vec<i64> = finite.iter().map(|row| self.times[*row]).collect();
        let values: Vec<f64> = finite.iter().map(|row| self.source.values[*row]).collect();
        let mut out = Vec::new();
        lttb(&times, &values, (2 * columns).max(3), &mut out);
        out.into_iter().map(|at| finite[at]).collect()
    }

    /// The picked rows that have values, parted where a break between them can be seen. Whatever breaks a line between two columns lies
    /// between the last row of one and the first of the other, which are picked.
    fn pieces(&self, picked: &[usize]) -> Vec<Vec<usize>> {
        let limit = self.limit;
        let is_near = self.canvas.points_each.is_some();
        let mut pieces: Vec<Vec<usize>> = Vec::new();
        let mut unknown = self.unknown.iter().peekable();
        let mut is_broken = true;
        for row in picked.iter().copied() {
            if !self.source.values[row].is_finite() {
                is_broken = true;
                continue;
            }
            let time = self.times[row];
            match pieces.last_mut() {
                Some(piece) => {
                    let before = piece[piece.len() - 1];
                    let past = self.times[before];
                    while unknown.next_if(|span| span.stop().as_micros() <= past).is_some() {}
                    // Rows that were left out between two of a column do not break a line.
                    let is_step = before + 1 == row || self.canvas.column(past) != self.canvas.column(time);
                    let is_unknown = unknown.peek().is_some_and(|span| span.start().as_micros() < time);
                    is_broken |= is_step && (time - past > limit || is_unknown);
                    if is_broken && (is_near || self.canvas.column(past) != self.canvas.column(time)) {
                        pieces.push(vec![row]);
                    } else {
                        piece.push(row);
                    }
                }
                None => pieces.push(vec![row]),
            }
            is_broken = false;
        }
        pieces
    }

    /// Where there is no sample for longer than a gap lasts, as far as all is known there.
    fn absent(&self, picked: &[usize], held: Option<i64>) -> Vec<TimeRange> {
        let (start, stop) = (self.window.start(), self.window.stop());
        let mut spans = Vec::new();
        let mut last = held.map_or(start.as_micros(), |until| until.max(start.as_micros()));
        let limit = self.limit;
        let mut before = None;
        for row in picked {
            let time = self.times[*row];
            let is_step = before.replace(*row).is_none_or(|before| before + 1 == *row)
                || self.canvas.column(last) != self.canvas.column(time);
            // What holds has no gaps, but for the time before the first sample.
            let is_gap = match self.source.course {
                Course::Hold => *row == self.rows.start && time > last,
                _ => time - last > limit,
            };
            let is_seen = (time - last) as f64 >= self.canvas.pixel_us() || self.canvas.points_each.is_some();
            if is_gap && is_step && is_seen {
                spans.push((last, time));
            }
            last = time;
        }
        let end = stop.as_micros();
        let is_seen = (end - last) as f64 >= self.canvas.pixel_us();
        let is_silent =
            is_seen && (self.rows.is_empty() || (self.source.course != Course::Hold && end - last > limit));
        if is_silent && last < end {
            spans.push((last, end));
        }
        let range = |(from, to)| {
            TimeRange::checked(edb_core::Instant::from_micros(from), edb_core::Instant::from_micros(to))
        };
        let silent: Coverage = spans.into_iter().filter_map(range).collect();
        // What is left where the rest of a silence is not known may be next to nothing.
        let is_long = |span: &TimeRange| {
            let is_gap = self.canvas.points_each.is_some() && span.micros() > limit;
            is_gap || span.micros() as f64 >= self.canvas.pixel_us()
        };
        silent.intersect(&self.source.series.known).ranges().iter().copied().filter(is_long).collect()
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

#[cfg(test)]
mod tests {
    use edb_core::{Instant, Mnemonic, Nulls, Samples, SqlType, Values};
    use proptest::prelude::*;

    use super::*;

    fn micros(start: i64, stop: i64) -> TimeRange {
        TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop)).unwrap()
    }

    proptest! {
        /// The oracle looks at every sample of every column.
        #[test]
        fn of_every_pixel_column_the_lowest_and_the_highest_sample_are_drawn(
            rows in proptest::collection::vec((0_i64..40, prop_oneof![8 => -9.0..9.0, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]), 0..400),
            axis in (-50_i64..2000, 1_i64..9000),
            columns in 1_usize..300,
            course in prop_oneof![Just(Course::Straight), Just(Course::Step), Just(Course::Hold)],
            hole in (0_i64..4000, 1_i64..900),
            gap_limit_us in proptest::option::of(1_i64..60),
        ) {
            let mut time = 0;
            let times: Vec<i64> = rows.iter().map(|(step, _)| { time += step; time }).collect();
            let values: Vec<f64> = rows.iter().map(|(_, value)| *value).collect();
            let columns_of = Values::real(values.clone());
            let (samples, _) = Samples::from_columns(SqlType::Float, times.clone(), columns_of, Nulls::none()).unwrap();
            let range = micros(0, time + 10);
            let mut series = Series::new(Mnemonic::new("A").unwrap(), range, samples);
            series.known = series.known.without(&Coverage::from_iter([micros(hole.0, hole.0 + hole.1)]));
            let axis = micros(axis.0, axis.0 + axis.1);
            let canvas = Canvas { axis, columns, points_each: None, decimation: Decimation::M4, gap_limit_us };

            let track = track(&Source { series: &series, values: &values, leading: None, course, whole: (axis, 0) }, canvas);

            let of_column = |samples: &[Vertex], column: usize| {
                let own = samples.iter().filter(|sample| canvas.column(sample.0) == column).map(|sample| sample.1);
                crate::panel::extent(own)
            };
            let inside = |sample: &Vertex| axis.contains(Instant::from_micros(sample.0)) && sample.1.is_finite();
            let all: Vec<Vertex> = times.iter().copied().zip(values.iter().copied()).filter(inside).collect();
            let drawn: Vec<Vertex> = track.samples().collect();
            prop_assert!(drawn.iter().all(|sample| all.contains(sample)), "nothing but samples is drawn");
            for column in 0..columns {
                prop_assert_eq!(of_column(&drawn, column), of_column(&all, column), "column {}", column);
            }
            // No line crosses what is unknown, or a gap, unless all of it is in one column.
            for run in &track.runs {
                for pair in run.samples.windows(2).filter(|pair| canvas.column(pair[0].0) != canvas.column(pair[1].0)) {
                    let step = micros(pair[0].0, pair[1].0);
                    prop_assert!(series.unknown().iter().all(|span| span.intersect(step).is_none()), "{:?}", pair);
                    prop_assert!(course == Course::Hold || gap_limit_us.is_none_or(|limit| step.micros() <= limit), "{:?}", pair);
                }
            }
        }
    }

    #[test]
    fn silence_is_where_no_sample_is_although_all_is_known() {
        let times: Vec<i64> = (0..100).filter(|at| !(20..30).contains(at)).map(|at| 100 + at).collect();
        let values = Values::real(vec![1.0; times.len()]);
        let (samples, _) =
            Samples::from_columns(SqlType::Float, times.clone(), values, Nulls::none()).unwrap();
        let mut series = Series::new(Mnemonic::new("A").unwrap(), micros(0, 300), samples);
        series.known = Coverage::from_iter([micros(0, 250)]);
        let canvas = Canvas {
            axis: micros(0, 300),
            columns: 300,
            points_each: None,
            decimation: Decimation::M4,
            gap_limit_us: Some(5),
        };
        let values = vec![1.0; times.len()];
        let of = |course| {
            track(
                &Source { series: &series, values: &values, leading: None, course, whole: (series.range, 0) },
                canvas,
            )
            .absent
        };
        assert_eq!(of(Course::Straight), [micros(0, 100), micros(119, 130), micros(199, 250)]);
        assert_eq!(of(Course::Hold), [micros(0, 100)], "what holds is silent only before its first sample");
    }

    #[test]
    fn on_a_page_lines_break_at_gaps_that_are_shorter_than_a_column() {
        let times: Vec<i64> =
            (0..10_000).filter(|at| !(4321..4333).contains(at)).map(|at| at * 100).collect();
        let values = vec![1.0; times.len()];
        let columns = Values::real(values.clone());
        let (samples, _) = Samples::from_columns(SqlType::Float, times, columns, Nulls::none()).unwrap();
        let mut series = Series::new(Mnemonic::new("A").unwrap(), micros(0, 1_000_000), samples);
        series.known = Coverage::from_iter([micros(0, 700_010), micros(700_020, 1_000_000)]);
        let canvas = |columns, points_each| Canvas {
            axis: series.range,
            columns,
            points_each,
            decimation: Decimation::M4,
            gap_limit_us: Some(150),
        };
        let of = |canvas| {
            let whole = (series.range, series.samples.len());
            track(
                &Source { series: &series, values: &values, leading: None, course: Course::Straight, whole },
                canvas,
            )
        };
        let (page, picture) = (of(canvas(0, Some(400))), of(canvas(100, None)));
        let borders: Vec<(i64, i64)> =
            page.runs.iter().map(|run| (run.samples[0].0, run.samples[run.samples.len() - 1].0)).collect();
        assert_eq!(borders, [(0, 432_000), (433_300, 700_000), (700_100, 999_900)]);
        assert_eq!(page.absent, [micros(432_000, 433_300)]);
        assert_eq!((picture.runs.len(), picture.absent.len()), (1, 0), "nobody can look closer at a picture");
    }

    #[test]
    fn triangles_keep_both_ends_and_leave_out_the_rest() {
        let times: Vec<i64> = (0..10_000).collect();
        let values: Vec<f64> = times.iter().map(|at| (*at as f64 * 0.01).sin()).collect();
        let (samples, _) =
            Samples::from_columns(SqlType::Float, times, Values::real(values.clone()), Nulls::none())
                .unwrap();
        let series = Series::new(Mnemonic::new("A").unwrap(), micros(0, 10_000), samples);
        let canvas = Canvas {
            axis: micros(0, 10_000),
            columns: 100,
            points_each: None,
            decimation: Decimation::Lttb,
            gap_limit_us: None,
        };
        let track = track(
            &Source {
                series: &series,
                values: &values,
                leading: None,
                course: Course::Straight,
                whole: (series.range, 0),
            },
            canvas,
        );
        let drawn: Vec<i64> = track.samples().map(|sample| sample.0).collect();
        assert_eq!((drawn.len(), drawn[0], drawn[199]), (200, 0, 9999));
    }
}
