//! From charts to panels: what is drawn, thinned for the screen, with what there is to tell of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use edb_core::{
    Coverage, Error, Mnemonic, Notice, NoticeKind, Result, Series, TimeRange, Value, ValueKind, Values,
};

use crate::bins::{self, Envelope};
use crate::deviation;
use crate::histogram::{self, Histogram};
use crate::phase::{self, Phase};
use crate::states::{self, Message, States};
use crate::trace::{Bins, Chart, ChartKind, Limits, Severity, Trace};
use crate::track::{self, Canvas, Course, Source, Track, Vertex};

/// One panel.
pub(crate) struct Panel {
    pub(crate) heading: Option<String>,
    pub(crate) content: Content,
}

/// What a panel shows.
pub(crate) enum Content {
    Values(ValuePanel),
    Text(TextPanel),
    Histogram(Histogram),
    Phase(Phase),
}

impl Content {
    /// Whether it is drawn over the time axis.
    pub(crate) fn is_timed(&self) -> bool {
        matches!(self, Self::Values(_) | Self::Text(_))
    }
}

/// Numbers of one unit.
pub(crate) struct ValuePanel {
    pub(crate) unit: String,
    /// All of them integers.
    pub(crate) is_whole: bool,
    pub(crate) is_logarithmic: bool,
    /// What the values are off by: nothing is what all of them would best be, and goes without saying.
    pub(crate) is_deviation: bool,
    /// The limits that all curves have.
    pub(crate) limits: Limits,
    pub(crate) curves: Vec<Curve>,
}

/// What is known of a mnemonic, and where.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) unit: String,
    /// Samples in the window.
    pub(crate) count: usize,
    /// What was asked of it on the axis, and what of that is unknown.
    pub(crate) asked: Coverage,
    pub(crate) unknown: Coverage,
    /// Where there is no sample, although all is known.
    pub(crate) absent: Coverage,
}

impl About {
    /// Adds another range of the same mnemonic.
    pub(crate) fn join(&mut self, more: Self) {
        self.count += more.count;
        for (own, more) in [
            (&mut self.asked, more.asked),
            (&mut self.unknown, more.unknown),
            (&mut self.absent, more.absent),
        ] {
            more.ranges().iter().for_each(|range| own.insert(*range));
        }
    }
}

/// One line.
pub(crate) struct Curve {
    pub(crate) about: About,
    /// The place of its colour.
    pub(crate) color: usize,
    pub(crate) track: Track,
    pub(crate) envelope: Option<Envelope>,
    pub(crate) limits: Limits,
    /// The samples that are drawn beyond a limit, also where only their bins are drawn.
    pub(crate) marks: Vec<(Vertex, Severity)>,
}

impl Curve {
    /// Adds another range of the same mnemonic.
    fn join(&mut self, more: Self) {
        self.about.join(more.about);
        self.track.join(more.track);
        match (&mut self.envelope, more.envelope) {
            (Some(own), Some(mut more)) => {
                own.lines.append(&mut more.lines);
                own.bands.append(&mut more.bands);
                own.column_us = own.column_us.or(more.column_us);
            }
            (own, more) => *own = own.take().or(more),
        }
        self.marks.extend(more.marks);
    }

    /// The lowest and the highest value drawn.
    pub(crate) fn extent(&self) -> Option<(f64, f64)> {
        let of_bins = self.envelope.iter().flat_map(Envelope::values);
        let marked = self.marks.iter().map(|(vertex, _)| vertex.1);
        extent(self.track.values().chain(of_bins).chain(marked))
    }
}

pub(crate) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |extent, value| {
        let (low, high) = extent.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// A text.
pub(crate) struct TextPanel {
    pub(crate) about: About,
    pub(crate) text: Text,
}

/// What a text is.
pub(crate) enum Text {
    States(States),
    Messages(Vec<Message>),
}

/// The panels of `charts`, in their order.
pub(crate) fn panels(charts: &[Chart<'_>], canvas: Canvas) -> Result<(Vec<Panel>, Vec<Notice>)> {
    let (mut panels, mut notices) = (Vec::new(), Vec::new());
    tell_of_limits(charts, canvas, &mut notices);
    for chart in charts {
        let mut heading = chart.heading.clone();
        let mut add = |content| panels.push(Panel { heading: heading.take(), content });
        match chart.kind {
            ChartKind::Time | ChartKind::Deviation => over_time(chart, canvas, &mut add, &mut notices)?,
            ChartKind::Histogram => {
                add(Content::Histogram(histogram::histogram(chart, canvas, &mut notices)?));
            }
            ChartKind::Phase => add(Content::Phase(phase::phase(chart, canvas, &mut notices)?)),
        }
    }
    Ok((panels, notices))
}

/// Those of `charts` that are drawn over time, when nobody is to be told anything.
pub(crate) fn timed_panels(charts: &[Chart<'_>], canvas: Canvas) -> Result<Vec<Panel>> {
    let mut panels = Vec::new();
    for chart in charts.iter().filter(|chart| matches!(chart.kind, ChartKind::Time | ChartKind::Deviation)) {
        over_time(
            chart,
            canvas,
            &mut |content| panels.push(Panel { heading: None, content }),
            &mut Vec::new(),
        )?;
    }
    Ok(panels)
}

fn over_time(
    chart: &Chart<'_>,
    canvas: Canvas,
    add: &mut impl FnMut(Content),
    notices: &mut Vec<Notice>,
) -> Result<()> {
    let mut panel: Option<ValuePanel> = None;
    let wholes = wholes(chart, canvas);
    let mut seen = HashSet::new();
    for trace in &chart.traces {
        let is_first = seen.insert((trace.name(), trace.is_text()));
        if trace.is_text() {
            if chart.kind == ChartKind::Deviation {
                return Err(numbers_only(trace.name()));
            }
            // Ranges of one mnemonic are one panel.
            if is_first {
                let is_own = |other: &&Trace<'_>| other.is_text() && other.name() == trace.name();
                let parts: Vec<&Trace<'_>> = chart.traces.iter().filter(is_own).collect();
                add(Content::Text(text_panel(&parts, canvas, notices)));
            }
            continue;
        }
        let whole = wholes.get(trace.name()).copied().unwrap_or((canvas.axis, 0));
        let (curves, is_whole) = if chart.kind == ChartKind::Deviation {
            (vec![deviation_curve(trace, whole, canvas, notices)?], false)
        } else {
            let is_whole = trace.series.samples.values().kind() == ValueKind::Integer && trace.bins.is_none();
            (curves(trace, whole, is_first, chart.is_logarithmic, canvas, notices), is_whole)
        };
        // And one curve.
        let own = |panel: &ValuePanel, curve: &Curve| {
            panel.curves.iter().position(|other| other.about.name == curve.about.name)
        };
        if let Some(panel) =
            panel.as_mut().filter(|panel| curves.iter().all(|curve| own(panel, curve).is_some()))
        {
            for curve in curves {
                if let Some(at) = own(panel, &curve) {
                    panel.curves[at].join(curve);
                }
            }
            continue;
        }
        let unit = trace.series.about.unit.trim();
        let is_full = |panel: &ValuePanel| panel.curves.len() + curves.len() > COLORS;
        if panel.as_ref().is_some_and(is_full) {
            panel.take().into_iter().for_each(|panel| add(Content::Values(panel.finished())));
        }
        let home = panel.get_or_insert_with(|| ValuePanel {
            unit: unit.to_owned(),
            is_whole: true,
            // Deviations are on both sides of nothing.
            is_logarithmic: chart.is_logarithmic && chart.kind == ChartKind::Time,
            is_deviation: chart.kind == ChartKind::Deviation,
            limits: Limits::default(),
            curves: Vec::new(),
        });
        if home.unit != unit {
            home.unit = String::new();
        }
        home.is_whole &= is_whole;
        for curve in curves {
            home.curves.push(Curve { color: home.curves.len(), ..curve });
        }
    }
    panel.into_iter().for_each(|panel| add(Content::Values(panel.finished())));
    Ok(())
}

/// Of each mnemonic of numbers in a chart the time of all its ranges on the axis, and how many samples it has in them.
fn wholes<'a>(chart: &'a Chart<'_>, canvas: Canvas) -> HashMap<&'a str, (TimeRange, usize)> {
    let mut all: HashMap<&str, (TimeRange, usize)> = HashMap::new();
    for trace in chart.traces.iter().filter(|trace| !trace.is_text()) {
        let Some(window) = trace.series.range.intersect(canvas.axis) else { continue };
        let (hull, count) = all.entry(trace.name()).or_insert((window, 0));
        *hull = hull.hull(window);
        *count += trace.series.samples.rows_in(window).len();
    }
    all
}

/// How many curves a panel can tell apart.
const COLORS: usize = 7;

impl ValuePanel {
    /// With ranges in order of time, and the limits that all curves share, if they do.
    fn finished(mut self) -> Self {
        for curve in &mut self.curves {
            curve.track.sort();
            curve.marks.sort_by_key(|(vertex, _)| vertex.0);
        }
        let limits = self.curves[0].limits;
        if self.curves.iter().all(|curve| curve.limits == limits) {
            self.limits = limits;
        }
        self
    }
}

pub(crate) fn numbers_only(name: &str) -> Error {
    Error::usage(format!("could not draw {name} so: its values are texts"))
        .with_hint("deviations, histograms and phases are for numbers; draw it over time")
}

/// What is known of a trace, and where. What there is to tell of that is added to `notices`.
pub(crate) fn about(
    trace: &Trace<'_>,
    canvas: Canvas,
    is_inferred: bool,
    notices: &mut Vec<Notice>,
) -> About {
    let series = trace.series.as_ref();
    let window = series.range.intersect(canvas.axis);
    let mnemonic = series.mnemonic();
    let mut tell = |kind, text: &str| {
        let notice = Notice::about(kind, mnemonic, text);
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    };
    let count = window.map_or(0, |window| series.samples.rows_in(window).len());
    let unknown = series.unknown().into_iter().filter_map(|span| span.intersect(canvas.axis));
    let unknown: Vec<TimeRange> = unknown.collect();
    match window {
        None => tell(NoticeKind::NoSamples, "its range lies outside the time axis: nothing is drawn"),
        Some(_) if count == 0 => tell(NoticeKind::NoSamples, "no samples in the range drawn"),
        Some(_) => {}
    }
    if !unknown.is_empty() {
        tell(NoticeKind::NotKnown, "part of the range is not known: it is hatched");
    }
    // An archive begins and ends with a sample: what is less than a pixel before the first, or after the last, is not worth a hatch.
    let is_edge = |span: &TimeRange| {
        let touches =
            window.is_some_and(|window| span.start() == window.start() || span.stop() == window.stop());
        touches && (span.micros() as f64) < canvas.pixel_us()
    };
    let unknown: Coverage = unknown.into_iter().filter(|span| !is_edge(span)).collect();
    if is_inferred {
        tell(
            NoticeKind::Inferred,
            "drawn as holding its value: its samples look as if only changes were kept",
        );
    }
    About {
        name: trace.name().to_owned(),
        description: trace.description().to_owned(),
        unit: series.about.unit.trim().to_owned(),
        count,
        asked: window.into_iter().collect(),
        unknown,
        absent: Coverage::default(),
    }
}

/// How lines of a series go, and whether that was inferred.
fn course(series: &Series) -> (Course, bool) {
    let (holds, is_inferred) = track::holds(series);
    let level = if holds { Course::Hold } else { Course::Step };
    let is_level = holds || series.samples.values().kind() != ValueKind::Real;
    (if is_level { level } else { Course::Straight }, is_inferred)
}

/// The samples of a trace, and the line of its bins.
fn curves(
    trace: &Trace<'_>,
    whole: (TimeRange, usize),
    is_first: bool,
    is_logarithmic: bool,
    canvas: Canvas,
    notices: &mut Vec<Notice>,
) -> Vec<Curve> {
    let series = trace.series.as_ref();
    let (course, is_inferred) = course(series);
    let has_samples = trace.has_samples || trace.bins.is_none();
    let mut about = about(trace, canvas, is_inferred && has_samples, notices);
    let values = numbers(series);
    let drawable = if is_logarithmic { positive(series, &values, notices) } else { values };
    let leading = leading_number(series).filter(|value| !is_logarithmic || *value > 0.0);
    let track = track::track(&Source { series, values: &drawable, leading, course, whole }, canvas);
    // Where samples are missing, and which are beyond limits, is so whether they are drawn or their bins are.
    about.absent = track.absent.iter().copied().collect();
    let marked = |vertex: Vertex| trace.limits.severity(vertex.1).map(|severity| (vertex, severity));
    let marks =
        if trace.limits.is_empty() { Vec::new() } else { track.samples().filter_map(marked).collect() };
    let track = if has_samples { track } else { Track::default() };
    let mut curves = vec![Curve { about, color: 0, track, envelope: None, limits: trace.limits, marks }];
    if let Some(bins) = &trace.bins {
        // Bins are those of all ranges of the mnemonic: the first of these brings them.
        let envelope =
            if is_first { bins::envelope(bins, is_logarithmic, canvas) } else { Envelope::default() };
        if has_samples {
            let about = About { name: named(trace, bins), count: bins.starts.len(), ..About::default() };
            let (track, limits, marks) = (Track::default(), trace.limits, Vec::new());
            curves.push(Curve { about, color: 0, track, envelope: Some(envelope), limits, marks });
        } else {
            curves[0].about.name = named(trace, bins);
            curves[0].envelope = Some(envelope);
        }
    }
    curves
}

/// What a line of bins is called.
fn named(trace: &Trace<'_>, bins: &Bins) -> String {
    let envelope = if bins.envelope.is_empty() { String::new() } else { format!(", {}", bins.envelope) };
    format!("{} {}{envelope}", trace.name(), bins.line)
}

/// Tells of each mnemonic how many of its samples are beyond limits: all of them, not those drawn.
fn tell_of_limits(charts: &[Chart<'_>], canvas: Canvas, notices: &mut Vec<Notice>) {
    let traces = charts.iter().filter(|chart| chart.kind == ChartKind::Time).flat_map(|chart| &chart.traces);
    let mut counts: Vec<(&Mnemonic, Limits, [usize; 3])> = Vec::new();
    for trace in traces.filter(|trace| !trace.limits.is_empty() && !trace.is_text()) {
        let Some(window) = trace.series.range.intersect(canvas.axis) else { continue };
        let rows = trace.series.samples.rows_in(window);
        let mnemonic = trace.series.mnemonic();
        let known = counts.iter().position(|(name, limits, _)| *name == mnemonic && *limits == trace.limits);
        let at = known.unwrap_or_else(|| {
            counts.push((mnemonic, trace.limits, [0; 3]));
            counts.len() - 1
        });
        let [all, yellow, red] = &mut counts[at].2;
        *all += rows.len();
        for value in &numbers(trace.series.as_ref())[rows] {
            match trace.limits.severity(*value) {
                Some(Severity::Yellow) => *yellow += 1,
                Some(Severity::Red) => *red += 1,
                None => {}
            }
        }
    }
    for (mnemonic, _, [all, yellow, red]) in counts {
        let text = match (red, yellow) {
            (0, 0) => continue,
            (0, yellow) => format!("{yellow} of {all} samples are beyond yellow limits"),
            (red, 0) => format!("{red} of {all} samples are beyond red limits"),
            (red, yellow) => {
                format!("{red} of {all} samples are beyond red limits, {yellow} more beyond yellow ones")
            }
        };
        notices.push(Notice::about(NoticeKind::Limits, mnemonic, text));
    }
}

fn deviation_curve(
    trace: &Trace<'_>,
    whole: (TimeRange, usize),
    canvas: Canvas,
    notices: &mut Vec<Notice>,
) -> Result<Curve> {
    let series = trace.series.as_ref();
    let (course, is_inferred) = course(series);
    let mut about = about(trace, canvas, is_inferred, notices);
    let (values, from) = deviation::deviation(trace, &numbers(series))?;
    about.name = format!("{} \u{2212} {from}", trace.name());
    let track = track::track(&Source { series, values: &values, leading: None, course, whole }, canvas);
    about.absent = track.absent.iter().copied().collect();
    let limits = Limits { nominal: Some(0.0), ..Limits::default() };
    Ok(Curve { about, color: 0, track, envelope: None, limits, marks: Vec::new() })
}

/// A panel of a text: its ranges, one or more.
fn text_panel(parts: &[&Trace<'_>], canvas: Canvas, notices: &mut Vec<Notice>) -> TextPanel {
    let series: Vec<(&Series, Course)> =
        parts.iter().map(|part| (part.series.as_ref(), course(&part.series).0)).collect();
    let states = states::states(&series, canvas);
    let mut all: Option<About> = None;
    for part in parts {
        // Messages are marks: how long they hold does not matter.
        let is_inferred = states.is_some() && course(&part.series).1;
        let about = about(part, canvas, is_inferred, notices);
        match &mut all {
            Some(all) => all.join(about),
            None => all = Some(about),
        }
    }
    let mut about = all.unwrap_or_default();
    let Some(states) = states else {
        let mut messages: Vec<Message> =
            series.iter().flat_map(|(series, _)| states::messages(series, canvas.axis)).collect();
        messages.sort_by_key(|message| message.0);
        return TextPanel { about, text: Text::Messages(messages) };
    };
    let stood: Coverage =
        states.segments.iter().filter_map(|one| states::range(one.start, one.stop)).collect();
    let silent = about.asked.without(&stood).without(&about.unknown);
    // As with numbers: what is sampled at a cadence is silent for longer than that.
    let of_part = |(series, course): &(&Series, Course)| match course {
        Course::Hold => 0,
        course => canvas.gap_limit(series, *course),
    };
    let limit = series.iter().map(of_part).max().unwrap_or(0);
    let is_seen = |span: &TimeRange| span.micros() > limit && span.micros() as f64 >= canvas.pixel_us();
    about.absent = silent.ranges().iter().copied().filter(is_seen).collect();
    TextPanel { about, text: Text::States(states) }
}

/// The values of a series of numbers; not finite where there is none.
pub(crate) fn numbers(series: &Series) -> Cow<'_, [f64]> {
    let nulls = series.samples.nulls();
    let mut values: Cow<'_, [f64]> = match series.samples.values() {
        Values::Real(values) => Cow::Borrowed(&values.0),
        Values::Integer(values) => values.iter().map(|value| *value as f64).collect(),
        Values::Text(_) => Cow::Borrowed(&[]),
    };
    if !nulls.is_empty() && !values.is_empty() {
        let values = values.to_mut();
        nulls.positions().iter().for_each(|row| values[*row] = f64::NAN);
    }
    values
}

/// The values that a logarithmic axis can show.
fn positive<'a>(series: &Series, values: &[f64], notices: &mut Vec<Notice>) -> Cow<'a, [f64]> {
    let left_out = values.iter().filter(|value| **value <= 0.0).count();
    if left_out > 0 {
        let text = format!("{left_out} values are not above zero and have no place on a logarithmic axis");
        notices.push(Notice::about(NoticeKind::LeftOut, series.mnemonic(), text));
    }
    values.iter().map(|value| if *value > 0.0 { *value } else { f64::NAN }).collect()
}

pub(crate) fn leading_number(series: &Series) -> Option<f64> {
    match series.leading.as_ref()?.value {
        Value::Real(value) => Some(value),
        Value::Integer(value) => Some(value as f64),
        Value::Null | Value::Text(_) => None,
    }
}
