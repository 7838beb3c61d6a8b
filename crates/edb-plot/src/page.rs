//! One self-contained page: the figure's data, a library that draws them, and nothing from anywhere else.

mod columns;

use edb_core::{Coverage, Error, ErrorKind, Outcome, Result, TimeRange};
use serde_json::{Value, json};

use crate::bins::Envelope;
use crate::figure::{Decimation, FigureOptions};
use crate::histogram::Histogram;
use crate::panel::{About, Content, Curve, Panel, Text, TextPanel, ValuePanel, panels};
use crate::phase::Phase;
use crate::states::{Message, Segment, States};
use crate::trace::{Chart, ChartKind, Limits, Severity};
use crate::track::{Canvas, Course, Track, Vertex};

const TEMPLATE: &str = include_str!("../page/page.html");
const STYLE: &str = include_str!("../page/page.css");
const TIME_SCRIPT: &str = include_str!("../page/time.js");
const TRACK_SCRIPT: &str = include_str!("../page/track.js");
const PANEL_SCRIPT: &str = include_str!("../page/panel.js");
const VALUES_SCRIPT: &str = include_str!("../page/values.js");
const OTHER_SCRIPT: &str = include_str!("../page/other.js");
const SCRIPT: &str = include_str!("../page/page.js");
const UPLOT: &str = include_str!("../page/uPlot-1.6.32.iife.min.js");
const UPLOT_STYLE: &str = include_str!("../page/uPlot-1.6.32.min.css");
const UPLOT_LICENSE: &str = include_str!("../page/LICENSE_UPLOT.txt");

/// Fewer points than this for a series show nothing.
const LEAST_POINTS: usize = 400;

/// Writes a page of `charts`. It has every sample, if there are no more than the options allow, or else of each series the first, the lowest,
/// the highest and the last of as many intervals as its share of the points allows: whatever is looked at, no spike is lost, and as far as
/// intervals are no wider than pixels, the picture is the same as with every sample.
///
/// # Errors
/// As [`panels`].
pub(crate) fn write(
    charts: &[Chart<'_>],
    range: TimeRange,
    (title, span): (&str, &str),
    options: &FigureOptions,
) -> Result<Outcome<Vec<u8>>> {
    let canvas = Canvas {
        axis: range,
        columns: 0,
        points_each: Some(share(charts, range, options.page_points)),
        decimation: Decimation::M4,
        gap_limit_us: options.gap_limit_us,
    };
    let (panels, notices) = panels(charts, canvas)?;
    let notes: Vec<String> = notices.iter().map(ToString::to_string).collect();
    let figure = json!({
        "title": title,
        "span": span,
        "footer": options.footer,
        "provenance": options.description.lines().collect::<Vec<_>>(),
        "notices": notes,
        "start": range.start().as_micros(),
        "stop": range.stop().as_micros(),
        "clock": options.clock.word(),
        "theme": options.theme.word(),
        "panels": panels.iter().map(|panel| panel_value(panel, canvas)).collect::<Vec<_>>(),
    });
    let data = serde_json::to_string(&figure).map_err(|error| {
        Error::new(ErrorKind::Unclassified, "could not write the data of the page").caused_by(error)
    })?;
    // Nothing in the data may end the script that they stand in.
    let data = data.replace('<', "\\u003c");
    let scripts = [TIME_SCRIPT, TRACK_SCRIPT, PANEL_SCRIPT, VALUES_SCRIPT, OTHER_SCRIPT, SCRIPT].join("\n");
    // What stands in the figure is not looked at again: it may have such words, too.
    let (head, tail) = TEMPLATE.split_once("{{data}}").unwrap_or((TEMPLATE, ""));
    let head = head.replace("{{style}}", &format!("{UPLOT_STYLE}\n{STYLE}")).replacen(
        "{{title}}",
        &escaped(title),
        1,
    );
    let tail = tail
        .replace("{{license}}", UPLOT_LICENSE.trim())
        .replace("{{uplot}}", UPLOT)
        .replace("{{script}}", &scripts);
    let page = [head, data, tail].concat();
    Ok(Outcome { value: page.into_bytes(), notices })
}

/// How many points each series may have so that all have no more than `most`: those that need less leave the rest to the others.
fn share(charts: &[Chart<'_>], range: TimeRange, most: usize) -> usize {
    // Histograms and phases have no samples in the page. Ranges of a mnemonic in one chart are one.
    let mut parts: Vec<(usize, &str, usize)> = Vec::new();
    for (at, chart) in charts.iter().enumerate() {
        let is_timed = matches!(chart.kind, ChartKind::Time | ChartKind::Deviation);
        for trace in chart.traces.iter().filter(|_| is_timed) {
            let window = trace.series.range.intersect(range);
            let samples = window.map_or(0, |window| trace.series.samples.rows_in(window).len());
            let has_samples = trace.has_samples || trace.bins.is_none() || chart.kind == ChartKind::Deviation;
            let samples = if has_samples { samples } else { 0 };
            if let Some((_, _, count)) =
                parts.iter_mut().find(|(chart, name, _)| *chart == at && *name == trace.name())
            {
                *count += samples;
            } else {
                let bins = trace.bins.as_ref().filter(|_| chart.kind == ChartKind::Time);
                parts.push((at, trace.name(), samples + 3 * bins.map_or(0, |bins| bins.starts.len())));
            }
        }
    }
    let mut counts: Vec<usize> = parts.into_iter().map(|(_, _, count)| count).collect();
    counts.sort_unstable();
    let mut left = most;
    for (at, count) in counts.iter().enumerate() {
        let each = left / (counts.len() - at);
        if *count > each {
            return each.max(LEAST_POINTS);
        }
        left -= count;
    }
    usize::MAX
}

fn panel_value(panel: &Panel, canvas: Canvas) -> Value {
    let mut value = match &panel.content {
        Content::Values(values) => values_value(values),
        Content::Text(text) => text_value(text, canvas),
        Content::Histogram(histogram) => histogram_value(histogram),
        Content::Phase(phase) => phase_value(phase),
    };
    value["heading"] = json!(panel.heading);
    value
}

fn spans(coverage: &Coverage) -> Value {
    coverage
        .ranges()
        .iter()
        .map(|range| json!([range.start().as_micros(), range.stop().as_micros()]))
        .collect()
}

fn about_value(about: &About) -> Value {
    json!({
        "name": about.name,
        "description": about.description,
        "unit": about.unit,
        "count": about.count,
        "asked": spans(&about.asked),
        "unknown": spans(&about.unknown),
        "absent": spans(&about.absent),
    })
}

fn limits_value(limits: &Limits) -> Value {
    let pair = |pair: Option<(f64, f64)>| {
        let side = |value: f64| value.is_finite().then_some(value);
        pair.map(|(low, high)| json!([side(low), side(high)]))
    };
    json!({ "nominal": limits.nominal, "yellow": pair(limits.yellow), "red": pair(limits.red) })
}

fn values_value(panel: &ValuePanel) -> Value {
    json!({
        "kind": "values",
        "unit": panel.unit,
        "whole": panel.is_whole,
        "log": panel.is_logarithmic,
        "deviation": panel.is_deviation,
        "limits": limits_value(&panel.limits),
        "curves": panel.curves.iter().map(curve_value).collect::<Vec<_>>(),
    })
}

fn curve_value(curve: &Curve) -> Value {
    json!({
        "about": about_value(&curve.about),
        "color": curve.color,
        "limits": limits_value(&curve.limits),
        "track": track_value(&curve.track),
        "bins": curve.envelope.as_ref().map(envelope_value),
        // Those of samples that are here follow from them.
        "marks": if curve.track.is_empty() { marks_value(&curve.marks) } else { Value::Null },
    })
}

/// Samples in one row after the other, runs as where they begin in it, and what holds before and after them.
fn track_value(track: &Track) -> Value {
    let course = match track.course {
        Course::Straight => "straight",
        Course::Step => "step",
        Course::Hold => "hold",
    };
    let (mut times, mut values, mut runs) = (Vec::new(), Vec::new(), Vec::new());
    let mut lone = track.lone.iter().peekable();
    let mut add = |samples: &[(i64, f64)], carried: Option<(i64, f64)>, until: Option<i64>| {
        runs.push(json!([times.len(), times.len() + samples.len(), carried, until]));
        times.extend(samples.iter().map(|sample| sample.0));
        values.extend(samples.iter().map(|sample| sample.1));
    };
    for run in &track.runs {
        let first = run.samples.first().map_or(i64::MAX, |sample| sample.0);
        while let Some(sample) = lone.next_if(|sample| sample.0 < first) {
            add(&[*sample], None, None);
        }
        add(&run.samples, run.carried, run.until);
    }
    lone.for_each(|sample| add(&[*sample], None, None));
    json!({
        "course": course,
        "times": columns::times(&times),
        "values": columns::values(&values),
        "runs": runs,
        "column": track.column_us,
    })
}

/// The samples beyond limits of a curve whose samples are not here.
fn marks_value(marks: &[(Vertex, Severity)]) -> Value {
    let times: Vec<i64> = marks.iter().map(|(vertex, _)| vertex.0).collect();
    let values: Vec<f64> = marks.iter().map(|(vertex, _)| vertex.1).collect();
    json!({ "times": columns::times(&times), "values": columns::values(&values) })
}

fn envelope_value(envelope: &Envelope) -> Value {
    let line = |line: &Vec<(i64, f64)>| {
        let (times, values): (Vec<i64>, Vec<f64>) = line.iter().copied().unzip();
        json!({ "times": columns::times(&times), "values": columns::values(&values) })
    };
    let band = |band: &Vec<(i64, f64, f64)>| {
        let times: Vec<i64> = band.iter().map(|point| point.0).collect();
        let lows: Vec<f64> = band.iter().map(|point| point.1).collect();
        let highs: Vec<f64> = band.iter().map(|point| point.2).collect();
        json!({ "times": columns::times(&times), "lows": columns::values(&lows), "highs": columns::values(&highs) })
    };
    json!({
        "column": envelope.column_us,
        "lines": envelope.lines.iter().map(line).collect::<Vec<_>>(),
        "bands": envelope.bands.iter().map(band).collect::<Vec<_>>(),
    })
}

fn text_value(panel: &TextPanel, canvas: Canvas) -> Value {
    let most = canvas.points_each.unwrap_or(usize::MAX);
    match &panel.text {
        Text::States(states) => {
            let (segments, column) = joined(states, most, canvas);
            let starts: Vec<i64> = segments.iter().map(|one| one.0).collect();
            let lengths: Vec<f64> = segments.iter().map(|one| (one.1 - one.0) as f64).collect();
            let words: Vec<f64> = segments.iter().map(|one| f64::from(one.2)).collect();
            json!({
                "kind": "states",
                "about": about_value(&panel.about),
                "words": states.words,
                "times": columns::times(&starts),
                "lengths": columns::values(&lengths),
                "masks": columns::values(&words),
                "column": column,
            })
        }
        Text::Messages(messages) => {
            let (shown, column) = few(messages, most);
            let times: Vec<i64> = shown.iter().map(|message| message.0).collect();
            let texts: Vec<&str> = shown.iter().map(|message| message.1.as_str()).collect();
            json!({
                "kind": "messages",
                "about": about_value(&panel.about),
                "times": columns::times(&times),
                "texts": texts,
                "column": column,
            })
        }
    }
}

/// Start, end, and a bit for each state that stood then: of more than `most` segments those in one interval are one, so that no state is
/// lost. And how long such an interval is.
fn joined(states: &States, most: usize, canvas: Canvas) -> (Vec<(i64, i64, u32)>, Option<f64>) {
    let plain = |one: &Segment| (one.start, one.stop, 1 << one.word);
    if states.segments.len() <= most {
        return (states.segments.iter().map(plain).collect(), None);
    }
    let canvas = Canvas { columns: most, points_each: None, ..canvas };
    let column_us = canvas.axis.micros() as f64 / most as f64;
    let mut all: Vec<(i64, i64, u32)> = Vec::new();
    for segment in &states.segments {
        let is_short = ((segment.stop - segment.start) as f64) < column_us;
        match all.last_mut() {
            Some(last) if is_short && canvas.column(last.0) == canvas.column(segment.start) => {
                last.1 = last.1.max(segment.stop);
                last.2 |= 1 << segment.word;
            }
            _ => all.push(plain(segment)),
        }
    }
    (all, Some(column_us))
}

/// At most `most` of the messages, evenly; and whether any was left out, as the mean time between those that are there.
fn few(messages: &[Message], most: usize) -> (Vec<&Message>, Option<f64>) {
    if messages.len() <= most {
        return (messages.iter().collect(), None);
    }
    let shown = (0..most).map(|at| &messages[at * messages.len() / most]).collect();
    let span = messages[messages.len() - 1].0 - messages[0].0;
    (shown, Some(span as f64 / most as f64))
}

fn histogram_value(histogram: &Histogram) -> Value {
    let bars =
        |bars: &crate::histogram::Bars| json!({ "about": about_value(&bars.about), "counts": bars.counts });
    json!({
        "kind": "histogram",
        "unit": histogram.unit,
        "log": histogram.is_logarithmic,
        "low": histogram.low,
        "step": histogram.step,
        "limits": limits_value(&histogram.limits),
        "bars": histogram.bars.iter().map(bars).collect::<Vec<_>>(),
    })
}

fn phase_value(phase: &Phase) -> Value {
    let points: Vec<(i64, f64, f64)> = phase.runs.iter().flatten().copied().collect();
    let starts = phase.runs.iter().scan(0, |at, run| {
        let start = *at;
        *at += run.len();
        Some(start)
    });
    let starts: Vec<usize> = starts.collect();
    let column =
        |of: fn(&(i64, f64, f64)) -> f64| columns::values(&points.iter().map(of).collect::<Vec<_>>());
    json!({
        "kind": "phase",
        "x": about_value(&phase.x),
        "y": about_value(&phase.y),
        "starts": starts,
        "times": columns::times(&points.iter().map(|point| point.0).collect::<Vec<_>>()),
        "xs": column(|point| point.1),
        "ys": column(|point| point.2),
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_states_are_joined_and_none_is_lost() {
        let segments: Vec<Segment> = (0..10_000)
            .map(|at| Segment { start: at * 10, stop: at * 10 + 10, word: usize::from(at == 7777) })
            .collect();
        let states = States { words: vec!["A".to_owned(), "B".to_owned()], segments };
        let axis = crate::states::range(0, 100_000).unwrap();
        let canvas = Canvas {
            axis,
            columns: 0,
            points_each: Some(500),
            decimation: Decimation::M4,
            gap_limit_us: None,
        };
        let (all, column) = joined(&states, 500, canvas);
        assert_eq!((all.len(), column), (500, Some(200.0)));
        assert_eq!(all.iter().filter(|one| one.2 & 2 != 0).count(), 1);
        assert_eq!(all.iter().map(|one| one.1 - one.0).sum::<i64>(), 100_000);
        assert_eq!(joined(&states, 10_000, canvas).0.len(), 10_000);
    }
}
