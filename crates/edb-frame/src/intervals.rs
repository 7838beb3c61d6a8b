//! Tables of intervals: how long each state stood, and when a condition held.

use std::collections::BTreeMap;
use std::sync::Arc;

use edb_core::{Coverage, Error, Instant, MICROS_PER_SECOND, Notice, Result, Series, TimeRange, Value};
use edb_series::intervals::{Run, runs};
use polars::prelude::{Column, DataType, TimeUnit};

use crate::align::Limit;
use crate::columns;
use crate::parts::{self, by_mnemonic, stretches};
use crate::table::{ColumnAbout, Table};

/// Where one state ends and the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Borders {
    /// At the sample that has the next one: the value held until then.
    #[default]
    Hold,
    /// Halfway between the two samples, as Chandra's archive has it.
    Midpoint,
}

/// How intervals of state are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntervalOptions {
    /// Where one state ends and the next begins.
    pub borders: Borders,
    /// How long a value stands without another sample: with [`Borders::Hold`] that long after it, with [`Borders::Midpoint`] half as
    /// long on either side. It does not bind what is change-only.
    pub max_gap: Limit,
    /// Only intervals whose beginning and end were seen: not those that the range, a gap or what is unknown cuts off.
    pub complete_only: bool,
}

impl Default for IntervalOptions {
    /// Held values, as long as no sample is missing; all intervals.
    fn default() -> Self {
        Self { borders: Borders::Hold, max_gap: Limit::Learned, complete_only: false }
    }
}

/// A column of durations in seconds.
pub(crate) fn seconds(
    name: &str,
    words: &str,
    micros: impl Iterator<Item = Option<i64>>,
) -> (Column, ColumnAbout) {
    let values = micros.map(|micros| micros.map(|micros| micros as f64 / MICROS_PER_SECOND as f64));
    (columns::real(name, values), ColumnAbout { unit: "s".to_owned(), ..ColumnAbout::general(name, words) })
}

/// A state and one interval in which it stood.
struct Stood {
    state: Option<Value>,
    run: Run,
}

fn intervals_of(parts: &[&Series], options: &IntervalOptions, notices: &mut Vec<Notice>) -> Vec<Stood> {
    let limit_us = parts::hold_limit_us(options.max_gap, parts, notices);
    let mut all = Vec::new();
    for part in parts {
        // All stretches at once: what is unknown lies between them and keeps them apart.
        let holds: Vec<_> =
            stretches(part).flat_map(|stretch| stretch.spans(options.borders, limit_us)).collect();
        let same = |a: usize, b: usize| match (a < part.samples.len(), b < part.samples.len()) {
            (true, true) => parts::same_value(part, a, b),
            _ => same(parts::value_at(part, a as u32), parts::value_at(part, b as u32)),
        };
        let mut first = 0;
        let mut found: Vec<Stood> = Vec::new();
        for mut run in runs(&holds, same) {
            // Brackets give the state and are no samples of the range.
            let rows = &holds[first..first + run.rows];
            first += run.rows;
            run.rows = rows.iter().filter(|hold| hold.row < part.samples.len()).count();
            found.push(Stood { state: parts::value_at(part, run.row as u32), run });
        }
        // Beside what is null nobody saw another value.
        let is_null = |at: usize| found.get(at).is_some_and(|stood| stood.state.is_none());
        let beside_null: Vec<bool> =
            (0..found.len()).map(|at| is_null(at + 1) || at.checked_sub(1).is_some_and(is_null)).collect();
        for (mut stood, beside_null) in found.into_iter().zip(beside_null) {
            stood.run.is_complete &= !beside_null;
            if stood.run.is_complete || !options.complete_only {
                all.push(stood);
            }
        }
    }
    all
}

fn same(a: Option<Value>, b: Option<Value>) -> bool {
    match (a, b) {
        (Some(Value::Real(a)), Some(Value::Real(b))) => parts::same_real(a, b),
        (a, b) => a == b,
    }
}

/// When each value stood. Columns: `start`, `stop`, `duration_s`, `mnemonic`, `state` (the value as text; null where there is none), `value` (the
/// same as a number, if it is one), `samples` (how many repeated it), `is_complete` (1 if another value was seen right before and right after).
///
/// The state into a range comes from the bracket before it. An interval ends where nothing is known any more.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if the ranges of one mnemonic overlap or have values of different kinds.
///
/// # Examples
/// ```
/// # use edb_frame::{IntervalOptions, states};
/// # use edb_core::{Instant, Mnemonic, Nulls, Samples, Series, SqlType, TextColumn, TimeRange, Values};
/// # fn series(name: &str, times_s: &[i64], values: Values, sql_type: SqlType) -> Series {
/// #     let times = times_s.iter().map(|time| time * 1_000_000).collect();
/// #     let (samples, _) = Samples::from_columns(sql_type, times, values, Nulls::none()).unwrap();
/// #     let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(60_000_000)).unwrap();
/// #     Series::new(Mnemonic::new(name).unwrap(), range, samples)
/// # }
/// # fn texts(name: &str, times_s: &[i64], words: &[&str]) -> Series {
/// #     let mut column = TextColumn::default();
/// #     words.iter().for_each(|word| column.push(word));
/// #     series(name, times_s, Values::Text(column), SqlType::Varchar)
/// # }
/// let table = states(&[texts("MODE", &[0, 10, 40], &["OFF", "ON", "OFF"])], &IntervalOptions::default())?;
/// let seconds: Vec<Option<f64>> = table.frame().column("duration_s").unwrap().f64().unwrap().iter().collect();
/// assert_eq!(seconds, [Some(10.0), Some(30.0), Some(20.0)]);
/// # Ok::<(), edb_core::Error>(())
/// ```
pub fn states(series: &[Series], options: &IntervalOptions) -> Result<Table> {
    let (mut all, mut notices): (Vec<(&Series, Stood)>, Vec<Notice>) = (Vec::new(), Vec::new());
    let groups = by_mnemonic(series);
    for parts in &groups {
        parts::kind_of(parts)?;
        all.extend(intervals_of(parts, options, &mut notices).into_iter().map(|stood| (parts[0], stood)));
    }
    all.sort_by_key(|(_, stood)| stood.run.start_us);
    let rows = || all.iter().map(|(_, stood)| stood);
    let state = |stood: &Stood| stood.state.as_ref().map(|value| Arc::from(value.to_string()));
    let value = |stood: &Stood| stood.state.as_ref().and_then(parts::as_real);
    let columns = vec![
        (
            columns::time("start", rows().map(|one| one.run.start_us).collect()),
            ColumnAbout::general("start", "start of the state, UTC"),
        ),
        (
            columns::time("stop", rows().map(|one| one.run.stop_us).collect()),
            ColumnAbout::general("stop", "end of the state, UTC, not inside"),
        ),
        seconds(
            "duration_s",
            "how long it stood",
            rows().map(|one| Some(one.run.stop_us - one.run.start_us)),
        ),
        (
            columns::words("mnemonic", all.iter().map(|(one, _)| Some(one.mnemonic().as_str()))),
            ColumnAbout::general("mnemonic", "whose state"),
        ),
        (columns::text("state", rows().map(state)), ColumnAbout::general("state", "the value as text")),
        (
            columns::real("value", rows().map(value)),
            ColumnAbout::general("value", "the value, if it is a number"),
        ),
        (
            columns::integer("samples", rows().map(|one| Some(one.run.rows as i64))),
            ColumnAbout::general("samples", "how many samples in a row had it"),
        ),
        (
            columns::integer("is_complete", rows().map(|one| Some(i64::from(one.run.is_complete)))),
            ColumnAbout::general("is_complete", "1 if its beginning and its end were seen, else 0"),
        ),
    ];
    let mut table = Table::new(columns, notices)?;
    let borders = if options.borders == Borders::Hold {
        "held until the next sample"
    } else {
        "halfway between samples"
    };
    table.made = vec![
        ("rows".to_owned(), "intervals of state".to_owned()),
        ("borders".to_owned(), borders.to_owned()),
        ("maximum gap".to_owned(), options.max_gap.to_string()),
    ];
    Ok(table)
}

/// How the time was spent. Columns: `mnemonic`, `state`, `intervals` (how many), `total_s`, `fraction` (of the time in which a state is known: the duty
/// cycle), `shortest_s`, `mean_s`, `longest_s`; the states of a mnemonic by time spent, the most first.
///
/// # Errors
/// As [`states`].
pub fn duty(series: &[Series], options: &IntervalOptions) -> Result<Table> {
    struct Spent {
        mnemonic: String,
        state: Arc<str>,
        lengths: Vec<i64>,
        fraction: f64,
    }
    let (mut all, mut notices): (Vec<Spent>, Vec<Notice>) = (Vec::new(), Vec::new());
    for parts in by_mnemonic(series) {
        parts::kind_of(&parts)?;
        let mut by_state: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for stood in intervals_of(&parts, options, &mut notices) {
            if let Some(state) = stood.state {
                by_state.entry(state.to_string()).or_default().push(stood.run.stop_us - stood.run.start_us);
            }
        }
        let total: i64 = by_state.values().flatten().sum();
        let mut spent: Vec<Spent> = by_state
            .into_iter()
            .map(|(state, lengths)| Spent {
                mnemonic: parts[0].mnemonic().to_string(),
                state: state.into(),
                fraction: lengths.iter().sum::<i64>() as f64 / total as f64,
                lengths,
            })
            .collect();
        spent.sort_by(|a, b| b.fraction.total_cmp(&a.fraction));
        all.append(&mut spent);
    }
    let rows = || all.iter();
    let total = |one: &Spent| one.lengths.iter().sum::<i64>();
    let columns = vec![
        (
            columns::words("mnemonic", rows().map(|one| Some(one.mnemonic.as_str()))),
            ColumnAbout::general("mnemonic", "whose state"),
        ),
        (
            columns::words("state", rows().map(|one| Some(one.state.as_ref()))),
            ColumnAbout::general("state", "the value as text"),
        ),
        (
            columns::integer("intervals", rows().map(|one| Some(one.lengths.len() as i64))),
            ColumnAbout::general("intervals", "how often it stood"),
        ),
        seconds("total_s", "how long it stood in all", rows().map(|one| Some(total(one)))),
        (
            columns::real("fraction", rows().map(|one| Some(one.fraction))),
            ColumnAbout::general("fraction", "fraction of the time in which a state is known"),
        ),
        seconds("shortest_s", "the shortest interval", rows().map(|one| one.lengths.iter().min().copied())),
        seconds("mean_s", "the mean interval", rows().map(|one| Some(total(one) / one.lengths.len() as i64))),
        seconds("longest_s", "the longest interval", rows().map(|one| one.lengths.iter().max().copied())),
    ];
    let mut table = Table::new(columns, notices)?;
    table.made = vec![("rows".to_owned(), "states and the time spent in them".to_owned())];
    Ok(table)
}

/// Intervals as a table: `start`, `stop`, `duration_s`, `what`.
///
/// # Errors
/// None that bad telemetry could cause.
pub fn span_table(spans: &Coverage, what: &str) -> Result<Table> {
    let rows = || spans.ranges().iter();
    let times = |pick: fn(&TimeRange) -> Instant| rows().map(|range| pick(range).as_micros()).collect();
    let columns = vec![
        (columns::time("start", times(|range| range.start())), ColumnAbout::general("start", "start, UTC")),
        (
            columns::time("stop", times(|range| range.stop())),
            ColumnAbout::general("stop", "end, UTC, not inside"),
        ),
        seconds("duration_s", "from start to stop", rows().map(|range| Some(range.micros()))),
        (columns::words("what", rows().map(|_| Some(what))), ColumnAbout::general("what", "what held")),
    ];
    let mut table = Table::new(columns, Vec::new())?;
    table.made = vec![("rows".to_owned(), "intervals".to_owned())];
    Ok(table)
}

/// The intervals that a data frame with times in `start` and `stop` tells: our own tables, and others'. Times without a zone are UTC; a row
/// without a start is open to the past, one without a stop to the future; one without either, or whose stop is its start, has no interval.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if there are no such columns, or a stop is before its start.
pub fn spans_of(frame: &polars::prelude::DataFrame) -> Result<Coverage> {
    let micros = |name: &str| -> Result<Vec<Option<i64>>> {
        let column = frame.column(name).map_err(|error| {
            Error::usage(format!("could not read intervals: expected a column `{name}`")).caused_by(error)
        })?;
        let (DataType::Datetime(unit, _), Ok(times)) = (column.dtype(), column.datetime()) else {
            return Err(Error::usage(format!(
                "could not read intervals: expected times in `{name}`, found {}",
                column.dtype()
            )));
        };
        let scale = |time: i64| match unit {
            TimeUnit::Nanoseconds => time.div_euclid(1000),
            TimeUnit::Microseconds => time,
            TimeUnit::Milliseconds => time.saturating_mul(1000),
        };
        Ok(times.physical().iter().map(|time| time.map(scale)).collect())
    };
    let mut spans = Coverage::new();
    for (row, (start, stop)) in micros("start")?.into_iter().zip(micros("stop")?).enumerate() {
        let span = TimeRange::between(start.map(Instant::from_micros), stop.map(Instant::from_micros))
            .map_err(|error| error.while_doing(format!("could not read interval {} of the list", row + 1)))?;
        span.into_iter().for_each(|span| spans.insert(span));
    }
    Ok(spans)
}
