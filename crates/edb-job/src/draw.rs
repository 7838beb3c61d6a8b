//! Series to figures.

use std::borrow::Cow;
use std::sync::Arc;

use edb::frame::{self, Table, polars::PolarsError};
use edb::plot::{self, Bins, Chart, ChartKind, Trace};
use edb::{Coverage, Error, ErrorKind, Mnemonic, Notice, NoticeKind, Result, Series, TimeRange};

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
    let mut parts = Vec::new();
    for panel in &figure.panels {
        parts.push(prepared(panel, series, wanted, told)?);
    }
    let mut charts: Vec<Chart<'_>> = Vec::new();
    for (panel, parts) in figure.panels.iter().zip(&parts) {
        charts.extend(charts_of(panel, parts, &mut notices)?);
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
    let mut parts: Vec<Cow<'a, Series>> = if panel.preparation.is_empty() {
        series.iter().filter(|one| wanted.contains(one.mnemonic())).map(Cow::Borrowed).collect()
    } else {
        // What other panels need is not copied for this one.
        let needs = panel.preparation.needs();
        let is_needed = |one: &&Series| wanted.contains(one.mnemonic()) || needs.contains(one.mnemonic());
        let own: Vec<Series> = series.iter().filter(is_needed).cloned().collect();
        let prepared = panel.preparation.apply(&own, |name| wanted.contains(name) && !panel.derives(name))?;
        told.extend(prepared.notices.into_iter().filter(|notice| !told.contains(notice)).collect::<Vec<_>>());
        prepared.value.into_owned().into_iter().map(Cow::Owned).collect()
    };
    // In the order in which they are named; what is derived comes last.
    let place = |part: &Series| wanted.iter().position(|name| name == part.mnemonic()).unwrap_or(usize::MAX);
    parts.sort_by_key(|part| place(part));
    // Of what a condition leaves nothing, nothing is known any more; but it was, and nothing of it was to be drawn.
    for part in parts.iter_mut().filter(|part| part.known.is_empty()) {
        let was_known = series.iter().any(|one| one.mnemonic() == part.mnemonic() && !one.known.is_empty());
        if let Some(moment) =
            TimeRange::checked(part.range.start(), part.range.start().plus_micros(1)).filter(|_| was_known)
        {
            let part = part.to_mut();
            (part.range, part.known) = (moment, [moment].into_iter().collect());
        }
    }
    Ok(parts)
}

fn charts_of<'a>(
    panel: &PanelPlan,
    parts: &'a [Cow<'a, Series>],
    notices: &mut Vec<Notice>,
) -> Result<Vec<Chart<'a>>> {
    let mut traces: Vec<Trace<'a>> = Vec::new();
    for own in parts.chunk_by(|one, other| one.mnemonic() == other.mnemonic()) {
        traces.extend(traces_of(panel, own, notices)?);
    }
    let mut charts = Vec::new();
    for kind in &panel.kinds {
        charts.extend(match kind {
            ChartKind::Time => plot::arrange(traces.iter().cloned(), panel.grouping),
            // Two mnemonics, whatever their units.
            ChartKind::Phase => vec![Chart::new(ChartKind::Phase, joined(&traces)?)],
            kind => {
                // Where there is nothing but texts, the drawing says why it cannot be.
                let (texts, numbers): (Vec<_>, Vec<_>) = traces.iter().cloned().partition(Trace::is_text);
                let (texts, numbers) =
                    if numbers.is_empty() { (Vec::new(), texts) } else { (texts, numbers) };
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

/// Each mnemonic once: a phase has one series for each axis, which conditions and ranges may have parted.
fn joined<'a>(traces: &[Trace<'a>]) -> Result<Vec<Trace<'a>>> {
    let mut sorted: Vec<&Trace<'a>> = traces.iter().collect();
    sorted.sort_by_key(|trace| trace.series.range);
    let mut all: Vec<Trace<'a>> = Vec::new();
    for trace in sorted {
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
    let place =
        |one: &Trace<'_>| traces.iter().position(|other| other.series.mnemonic() == one.series.mnemonic());
    all.sort_by_key(place);
    Ok(all)
}

/// The traces of one mnemonic: its ranges, and what conditions leave of them.
fn traces_of<'a>(
    panel: &PanelPlan,
    parts: &'a [Cow<'a, Series>],
    notices: &mut Vec<Notice>,
) -> Result<Vec<Trace<'a>>> {
    let bins = match &panel.bins {
        Some(plan) if !Trace::from(parts[0].as_ref()).is_text() => {
            Some(Arc::new(bins(plan, parts, notices)?))
        }
        _ => None,
    };
    let trace = |part: &'a Cow<'a, Series>| {
        let mut trace = Trace::from(part.as_ref());
        // Limits are of values, and of statistics that are values.
        if panel.bins.as_ref().is_none_or(|plan| plan.is_of_values() || plan.has_samples) {
            trace.limits = panel.limits_of(trace.series.mnemonic());
        }
        trace.description.clone_from(&panel.description);
        trace.has_samples = bins.is_none() || panel.bins.as_ref().is_some_and(|plan| plan.has_samples);
        trace.bins.clone_from(&bins);
        trace
    };
    Ok(parts.iter().map(trace).collect())
}

/// Statistics of the bins of a mnemonic, all its parts together.
fn bins(plan: &BinPlan, parts: &[Cow<'_, Series>], notices: &mut Vec<Notice>) -> Result<Bins> {
    let table = match parts {
        [only] => frame::resample(std::slice::from_ref(only.as_ref()), &plan.options)?,
        _ => frame::resample(
            &parts.iter().map(|part| part.as_ref().clone()).collect::<Vec<_>>(),
            &plan.options,
        )?,
    };
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
    let (starts, stops) = cut(starts, stops, parts);
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

/// Bins as far as anything of them was asked, and left by conditions: beyond that they have nothing to be drawn of.
fn cut(starts: Vec<i64>, stops: Vec<i64>, parts: &[Cow<'_, Series>]) -> (Vec<i64>, Vec<i64>) {
    let asked: Coverage = parts.iter().map(|part| part.range).collect();
    let asked = asked.ranges();
    let bin = |(start, stop): (i64, i64)| {
        let first = asked.partition_point(|range| range.stop().as_micros() <= start);
        let last = asked.partition_point(|range| range.start().as_micros() < stop).checked_sub(1);
        let from = asked.get(first).map_or(start, |range| start.max(range.start().as_micros()));
        let to = last.map_or(stop, |last| stop.min(asked[last].stop().as_micros()));
        // A bin of what stood before is as it was.
        if from < to { (from, to) } else { (start, stop) }
    };
    starts.into_iter().zip(stops).map(bin).unzip()
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

#[cfg(test)]
mod tests {
    use edb::frame::{ResampleOptions, Statistic};
    use edb::{Instant, Nulls, Samples, SqlType, Values};

    use super::*;

    fn part(rows: &[(i64, f64)], start: i64, stop: i64) -> Cow<'static, Series> {
        let hour = |at: i64| Instant::from_micros(at * 3_600_000_000);
        let range = TimeRange::checked(hour(start), hour(stop)).unwrap();
        let times = rows.iter().map(|row| hour(row.0).as_micros()).collect();
        let values = Values::real(rows.iter().map(|row| row.1).collect());
        let (samples, _) = Samples::from_columns(SqlType::Float, times, values, Nulls::none()).unwrap();
        Cow::Owned(Series::new(Mnemonic::new("SA_A").unwrap(), range, samples))
    }

    #[test]
    fn bins_are_of_all_parts_of_a_mnemonic_and_as_long_as_these() {
        let plan = BinPlan {
            options: ResampleOptions {
                statistics: vec![Statistic::Mean, Statistic::Min, Statistic::Max],
                ..ResampleOptions::every(86_400_000_000)
            },
            name: "1d".to_owned(),
            line: Statistic::Mean,
            envelope: Envelope::Range,
            has_samples: false,
        };
        let parts = [
            part(&[(1, 0.0), (6, 10.0)], 1, 7),
            part(&[(12, 30.0), (18, 20.0)], 12, 19),
            part(&[(30, 5.0)], 29, 48),
        ];
        let found = bins(&plan, &parts, &mut Vec::new()).unwrap();
        let hours = |times: &[i64]| times.iter().map(|time| time / 3_600_000_000).collect::<Vec<_>>();
        assert_eq!(
            (found.middles, found.lows, found.highs),
            (vec![15.0, 5.0], vec![0.0, 5.0], vec![30.0, 5.0])
        );
        assert_eq!((hours(&found.starts), hours(&found.stops)), (vec![1, 29], vec![19, 48]));
    }

    #[test]
    fn limits_are_put_together_field_by_field() {
        let limits = |nominal, yellow| edb::plot::Limits { nominal, yellow, red: None };
        let name = Mnemonic::new("SA_A").unwrap();
        let panel = PanelPlan {
            limits: vec![
                (None, limits(None, Some((1.0, 2.0)))),
                (Some(name.clone()), limits(Some(1.5), None)),
            ],
            ..PanelPlan::default()
        };
        assert_eq!(panel.limits_of(&name), limits(Some(1.5), Some((1.0, 2.0))));
        let words = |text: &str| crate::FigureWords::from_toml(text).unwrap();
        let flags = words("default.limits.SA_A = { nominal = 3 }");
        let file =
            words("default.limits.SA_A = { yellow = [1, 2] }\n[[panel]]\nlimits.SA_A = { red = [0, 9] }");
        let figure = flags.or(file).plan(edb::plot::Format::Svg, Instant::MIN).unwrap();
        let found = figure.panels[0].limits_of(&name);
        assert_eq!((found.nominal, found.yellow, found.red), (Some(3.0), Some((1.0, 2.0)), Some((0.0, 9.0))));
    }
}
