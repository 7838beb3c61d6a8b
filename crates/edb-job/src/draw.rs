//! Series to figures.

use std::borrow::Cow;

use edb::frame::{self, Table, polars::PolarsError};
use edb::plot::{self, Bins, Chart, ChartKind, Trace};
use edb::{Error, ErrorKind, Mnemonic, Notice, NoticeKind, Result, Series, TimeRange};

use crate::figure::{BinPlan, Envelope, Figure, PanelPlan};

pub(crate) struct Drawn {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: usize,
    pub(crate) notices: Vec<Notice>,
}

/// Draws a figure of what was fetched; `wanted` is what of it was selected.
pub(crate) fn draw(
    figure: &Figure,
    series: &[Series],
    wanted: &[Mnemonic],
    told: &mut Vec<Notice>,
) -> Result<Drawn> {
    let mut notices = Vec::new();
    let mut charts: Vec<Chart<'_>> = Vec::new();
    for panel in &figure.panels {
        let prepared = prepared(panel, series, wanted, told)?;
        charts.extend(charts_of(panel, prepared, &mut notices)?);
    }
    left_out(figure, &charts, wanted, &mut notices);
    // All that was asked, whatever conditions leave of it.
    let asked = series.iter().map(|one| one.range).reduce(TimeRange::hull);
    let range = asked.ok_or_else(|| Error::usage("there is nothing to draw"))?;
    let mut drawn = plot::draw(&charts, range, &figure.options, figure.format)?;
    drawn.notices.retain(|notice| !notices.contains(notice));
    notices.append(&mut drawn.notices);
    let rows = series.iter().map(|one| one.samples.len()).sum();
    Ok(Drawn { bytes: drawn.value, rows, notices })
}

/// What was asked for and is not in the figure.
fn left_out(figure: &Figure, charts: &[Chart<'_>], wanted: &[Mnemonic], notices: &mut Vec<Notice>) {
    let traces = || charts.iter().flat_map(|chart| &chart.traces);
    let mut tell = |name: &Mnemonic, text: &str| {
        let notice = Notice::about(NoticeKind::LeftOut, name, text);
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    };
    for name in wanted.iter().filter(|name| !traces().any(|trace| trace.series.mnemonic() == *name)) {
        tell(name, "is selected, and no panel of the figure shows it");
    }
    for (name, limits) in figure.panels.iter().flat_map(|panel| &panel.limits) {
        let is_used = |trace: &Trace<'_>| Some(trace.series.mnemonic()) == name.as_ref() && !trace.is_text();
        if let Some(name) = name.as_ref().filter(|_| !limits.is_empty() && !traces().any(is_used)) {
            tell(name, "has limits, and no panel of the figure shows numbers of it");
        }
    }
}

/// What a panel is made of; what there is to tell of conditions and derived quantities is added to `told`.
fn prepared<'a>(
    panel: &PanelPlan,
    series: &'a [Series],
    wanted: &[Mnemonic],
    told: &mut Vec<Notice>,
) -> Result<Vec<Cow<'a, Series>>> {
    let wanted = panel.select.as_deref().unwrap_or(wanted);
    let prepared = panel.preparation.apply(series, |name| wanted.contains(name))?;
    told.extend(prepared.notices.into_iter().filter(|notice| !told.contains(notice)).collect::<Vec<_>>());
    let mut parts: Vec<Cow<'a, Series>> = match prepared.value {
        Cow::Borrowed(series) => series.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(series) => series.into_iter().map(Cow::Owned).collect(),
    };
    // In the order in which they are named; what is derived comes last.
    parts.sort_by_key(|part| wanted.iter().position(|name| name == part.mnemonic()).unwrap_or(usize::MAX));
    // Of what a condition leaves nothing, nothing is known any more; but it was.
    for part in parts.iter_mut().filter(|part| part.known.is_empty()) {
        let before = series.iter().find(|one| one.mnemonic() == part.mnemonic() && one.range == part.range);
        if let Some(before) = before.filter(|before| !before.known.is_empty()) {
            part.to_mut().known.clone_from(&before.known);
        }
    }
    Ok(parts)
}

fn charts_of<'a>(
    panel: &PanelPlan,
    parts: Vec<Cow<'a, Series>>,
    notices: &mut Vec<Notice>,
) -> Result<Vec<Chart<'a>>> {
    let traces = parts.into_iter().map(|part| trace(panel, part, notices)).collect::<Result<Vec<_>>>()?;
    let mut charts = Vec::new();
    for kind in &panel.kinds {
        charts.extend(match kind {
            ChartKind::Time => plot::arrange(traces.iter().cloned(), panel.grouping),
            // Two mnemonics, whatever their units.
            ChartKind::Phase => vec![Chart::new(ChartKind::Phase, joined(&traces)?)],
            kind => {
                let texts: Vec<&Trace<'_>> = traces.iter().filter(|trace| trace.is_text()).collect();
                if texts.len() == traces.len() && !texts.is_empty() {
                    let name = texts[0].series.mnemonic();
                    return Err(Error::usage(format!("could not draw {name} so: its values are texts"))
                        .with_hint("deviations, histograms and phases are for numbers; draw it over time"));
                }
                for text in texts {
                    let notice = Notice::about(
                        NoticeKind::LeftOut,
                        text.series.mnemonic(),
                        "is text, and left out of panels that are for numbers",
                    );
                    if !notices.contains(&notice) {
                        notices.push(notice);
                    }
                }
                let numbers = traces.iter().filter(|trace| !trace.is_text()).cloned();
                plot::arrange(numbers, panel.grouping)
                    .into_iter()
                    .map(|chart| Chart { kind: *kind, ..chart })
                    .collect()
            }
        });
    }
    for chart in &mut charts {
        chart.is_logarithmic = panel.is_logarithmic;
    }
    if let Some(first) = charts.first_mut() {
        first.heading.clone_from(&panel.heading);
    }
    Ok(charts)
}

/// Each mnemonic once: a phase has one series for each axis, which conditions may have parted.
fn joined<'a>(traces: &[Trace<'a>]) -> Result<Vec<Trace<'a>>> {
    let mut all: Vec<Trace<'a>> = Vec::new();
    for trace in traces {
        match all.iter_mut().find(|other| other.series.mnemonic() == trace.series.mnemonic()) {
            Some(own) => {
                let own = own.series.to_mut();
                let more = trace.series.as_ref();
                own.samples.append(more.samples.clone())?;
                own.range = own.range.hull(more.range);
                more.known.ranges().iter().for_each(|range| own.known.insert(*range));
            }
            None => all.push(trace.clone()),
        }
    }
    Ok(all)
}

fn trace<'a>(panel: &PanelPlan, series: Cow<'a, Series>, notices: &mut Vec<Notice>) -> Result<Trace<'a>> {
    let mut trace = Trace::from(series);
    // Limits are of values, and of statistics that are values.
    if panel.bins.as_ref().is_none_or(|plan| plan.is_of_values() || plan.has_samples) {
        trace.limits = panel.limits_of(trace.series.mnemonic());
    }
    trace.description.clone_from(&panel.description);
    if let Some(plan) = &panel.bins
        && !trace.is_text()
    {
        trace.bins = Some(bins(plan, trace.series.as_ref(), notices)?);
        trace.has_samples = plan.has_samples;
    }
    Ok(trace)
}

/// Statistics of the bins of a series.
fn bins(plan: &BinPlan, series: &Series, notices: &mut Vec<Notice>) -> Result<Bins> {
    let table = frame::resample(std::slice::from_ref(series), &plan.options)?;
    let told = |notice: &Notice| !matches!(notice.kind, NoticeKind::NoSamples | NoticeKind::NotKnown);
    for notice in table.notices.iter().filter(|notice| told(notice)) {
        if !notices.contains(notice) {
            notices.push(notice.clone());
        }
    }
    let column = |name: &str| numbers(&table, name);
    let starts = times(&table, "time")?;
    let stops: Vec<i64> = match &plan.options.bins {
        frame::Bins::Grid(grid) => starts.iter().map(|start| grid.after(*start)).collect(),
        _ => times(&table, "stop")?,
    };
    // The first and the last bin reach beyond what was asked, and have nothing of it: they are drawn as far as they were.
    let (first, last) = (series.range.start().as_micros(), series.range.stop().as_micros());
    let starts = starts.into_iter().map(|start| start.max(first)).collect();
    let stops = stops.into_iter().map(|stop| stop.min(last)).collect();
    let middles = column(&plan.line.word())?;
    let line = format!("{} of {}", plan.line.word().replace('_', " "), plan.name);
    let (envelope, lows, highs) = match plan.envelope {
        Envelope::Range => ("min to max", column("min")?, column("max")?),
        Envelope::Deviation => {
            let word = plan.options.statistics.last().map_or_else(String::new, |one| one.word());
            let deviations = column(&word)?;
            let side = |sign: f64| {
                middles.iter().zip(&deviations).map(|(middle, one)| middle + sign * one).collect()
            };
            ("± standard deviation", side(-1.0), side(1.0))
        }
        Envelope::None => ("", middles.clone(), middles.clone()),
    };
    Ok(Bins { line, envelope: envelope.to_owned(), starts, stops, middles, lows, highs })
}

fn times(table: &Table, name: &str) -> Result<Vec<i64>> {
    let column = table.frame().column(name).and_then(|column| column.datetime().cloned()).map_err(refuse)?;
    Ok(column.physical().iter().map(std::option::Option::unwrap_or_default).collect())
}

fn numbers(table: &Table, name: &str) -> Result<Vec<f64>> {
    let column = table.frame().column(name).map_err(refuse)?;
    if let Ok(counts) = column.i64() {
        return Ok(counts.iter().map(|count| count.map_or(f64::NAN, |count| count as f64)).collect());
    }
    let values = column.f64().map_err(refuse)?;
    Ok(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// The tables have these columns: another one is a defect.
fn refuse(error: PolarsError) -> Error {
    Error::new(ErrorKind::Unclassified, "could not draw the statistics of bins").caused_by(error)
}
