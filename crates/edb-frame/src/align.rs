//! One row a time, one column a mnemonic.

use std::time::Duration;

use edb_core::{
    Error, Instant, Mnemonic, Notice, NoticeKind, Result, Sampling, Series, TimeRange, Value, ValueKind,
    format_duration,
};
use edb_series::align::{self as kernel, Cells};
use edb_series::grid::Grid;
use polars::prelude::Column;

use crate::columns;
use crate::parts::{self, Reals, by_mnemonic, stretches};
use crate::table::{ColumnAbout, Table};

/// The most rows that a table may have that is not made of samples alone: 4 GB a column.
pub(crate) const MAX_ROWS: u64 = 1 << 29;

/// Which times the rows of the table have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// Those of a regular grid in the hull of all ranges.
    Grid(Grid),
    /// Every time at which any of the mnemonics has a sample, once.
    Union,
    /// The times of one mnemonic's samples, equal ones once.
    Of(Mnemonic),
}

/// Which sample stands for a mnemonic at a time. Of samples with equal times the last one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The last one at or before.
    Hold,
    /// The nearest one; of two equally near ones the earlier.
    Nearest,
    /// The straight line between the ones on both sides; nothing outside them. Integers, texts and change-only mnemonics have
    /// no values between theirs: they are held, and a notice says so.
    Linear,
    /// Only one at exactly the time.
    Exact,
}

impl Method {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Nearest => "nearest",
            Self::Linear => "linear",
            Self::Exact => "exact",
        }
    }
}

/// How old or how far a sample may be, or for [`Method::Linear`] how far apart the two may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// At most this far.
    At(Duration),
    /// One and a half cadences of the mnemonic itself ([`edb_series::gaps::gap_limit_us`]): as long as none is missing. What
    /// has no cadence stands until its next sample.
    Learned,
    /// However far; to be typed out.
    Unlimited,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(duration) => f.write_str(&format_duration(*duration)),
            Self::Learned => f.write_str("learned"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// What stands beside each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beside {
    /// Nothing.
    #[default]
    Nothing,
    /// `NAME_age_s`: how old the sample is that stands there, in seconds; negative if it is yet to come.
    Age,
    /// `NAME_time`: the time of that sample.
    Time,
}

/// How to align. The limit has no default: a value that stands for longer than it is true is an invented sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlignOptions {
    /// Which times the rows have.
    pub times: Times,
    /// Which sample stands for a mnemonic at a time.
    pub method: Method,
    /// How old or far it may be.
    pub limit: Limit,
    /// Mnemonics with a method and a limit of their own.
    pub exceptions: Vec<(Mnemonic, Method, Limit)>,
    /// What stands beside each value. With [`Method::Linear`] it is about the sample before.
    pub beside: Beside,
}

impl AlignOptions {
    /// One method and one limit for all.
    pub fn new(times: Times, method: Method, limit: Limit) -> Self {
        Self { times, method, limit, exceptions: Vec::new(), beside: Beside::Nothing }
    }

    fn of(&self, mnemonic: &Mnemonic) -> (Method, Limit) {
        let own = self.exceptions.iter().find(|(name, ..)| name == mnemonic);
        own.map_or((self.method, self.limit), |(_, method, limit)| (*method, *limit))
    }
}

/// Puts series on common times. Columns: `time`, then one for each mnemonic in order of first appearance, of its own kind
/// (real, integer or text; [`Method::Linear`] gives reals), and what stands [`Beside`] it.
///
/// The limit does not bind a mnemonic that is change-only (as stated, or as its samples say), when it is held: that no sample came says that its value
/// stands, as far as the range is known. A notice says so. An exception made for a mnemonic binds it.
///
/// A mnemonic may appear with several ranges. Its cells are null outside them, where nothing is known, and where no sample
/// may stand. Brackets take part as the samples they are: the state into the range is held from the bracket before it.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if the table would have 2²⁹ rows or more, if [`Times::Of`] or an exception names a mnemonic that is
/// not among the series, or if the ranges of one mnemonic have values of different kinds.
///
/// # Examples
/// ```
/// # use std::time::Duration;
/// # use edb_frame::{AlignOptions, Grid, Limit, Method, Times, align};
/// # use edb_core::{Instant, Mnemonic, Nulls, Samples, Series, SqlType, TimeRange, Values};
/// # fn series(name: &str, times_s: &[i64], values: Values, sql_type: SqlType) -> Series {
/// #     let times = times_s.iter().map(|time| time * 1_000_000).collect();
/// #     let (samples, _) = Samples::from_columns(sql_type, times, values, Nulls::none()).unwrap();
/// #     let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(60_000_000)).unwrap();
/// #     Series::new(Mnemonic::new(name).unwrap(), range, samples)
/// # }
/// # fn reals(name: &str, times_s: &[i64], values: &[f64]) -> Series {
/// #     series(name, times_s, Values::real(values.to_vec()), SqlType::Float)
/// # }
/// let slow = reals("SLOW", &[0, 20, 40], &[1.0, 3.0, 5.0]);
/// let fast = reals("FAST", &[10, 11, 12], &[7.0, 8.0, 9.0]);
/// let every_ten_seconds = Times::Grid(Grid::every(10_000_000));
/// let options = AlignOptions::new(every_ten_seconds, Method::Hold, Limit::At(Duration::from_secs(15)));
/// let table = align(&[slow, fast], &options)?;
/// assert_eq!((table.rows(), table.columns()[1].name.as_str()), (6, "SLOW"));
/// let slow: Vec<Option<f64>> = table.frame().column("SLOW").unwrap().f64().unwrap().iter().collect();
/// assert_eq!(slow, [Some(1.0), Some(1.0), Some(3.0), Some(3.0), Some(5.0), Some(5.0)]);
/// let fast: Vec<Option<f64>> = table.frame().column("FAST").unwrap().f64().unwrap().iter().collect();
/// assert_eq!(fast, [None, Some(7.0), Some(9.0), None, None, None]); // 18 s is too old
/// # Ok::<(), edb_core::Error>(())
/// ```
///
/// # Source
/// `pandas.merge_asof` and `numpy.interp` within their limits; checked against both on random series.
pub fn align(series: &[Series], options: &AlignOptions) -> Result<Table> {
    let groups = by_mnemonic(series);
    let names = parts::names(&groups);
    if let Some((name, ..)) = options.exceptions.iter().find(|(name, ..)| !names.contains(name)) {
        return Err(Error::usage(format!("could not align {name} in its own way: it is not selected"))
            .with_hint("add it to the selection, or leave its exception out"));
    }
    let targets = targets(series, &options.times)?;
    let mut notices = Vec::new();
    let about = ColumnAbout::general("time", "time of the row, UTC");
    let mut columns = vec![(columns::time("time", targets.clone()), about)];
    for parts in &groups {
        columns.extend(column(parts, &targets, options, &mut notices)?);
    }
    let mut table = Table::new(columns, notices)?;
    let times = match &options.times {
        Times::Grid(grid) => describe(*grid),
        Times::Union => "every time of any mnemonic".to_owned(),
        Times::Of(mnemonic) => format!("the times of {mnemonic}"),
    };
    table.made = vec![
        ("layout".to_owned(), "wide".to_owned()),
        ("times".to_owned(), times),
        ("method".to_owned(), options.method.word().to_owned()),
        ("limit".to_owned(), options.limit.to_string()),
    ];
    for (name, method, limit) in &options.exceptions {
        table.made.push((format!("method of {name}"), format!("{}, limit {limit}", method.word())));
    }
    Ok(table)
}

/// `every 1m from 1970-01-01T00:00:00Z`, `every 3 months from January`.
pub(crate) fn describe(grid: Grid) -> String {
    match grid {
        Grid::Step { step_us, origin_us } => {
            let step = format_duration(Duration::from_micros(step_us as u64));
            format!("every {step} from {}", Instant::from_micros(origin_us))
        }
        Grid::Months(1) => "every calendar month, UTC".to_owned(),
        Grid::Months(months) => format!("every {months} calendar months from January, UTC"),
    }
}

fn targets(series: &[Series], times: &Times) -> Result<Vec<i64>> {
    match times {
        Times::Grid(grid) => {
            let Some(hull) = series.iter().map(|one| one.range).reduce(TimeRange::hull) else {
                return Ok(Vec::new());
            };
            let (start, stop) = (hull.start().as_micros(), hull.stop().as_micros());
            let rows = grid.count(start, stop);
            if rows >= MAX_ROWS {
                return Err(Error::usage(format!(
                    "could not align: a grid {} over {hull} has {rows} rows, expected fewer than {MAX_ROWS}",
                    describe(*grid)
                ))
                .with_hint("take a longer step or a shorter range"));
            }
            Ok(grid.times(start, stop))
        }
        Times::Union => {
            let all: Vec<&[i64]> = series.iter().map(|one| one.samples.times()).collect();
            Ok(kernel::union(&all))
        }
        Times::Of(mnemonic) => {
            let of: Vec<&[i64]> = series
                .iter()
                .filter(|one| one.mnemonic() == mnemonic)
                .map(|one| one.samples.times())
                .collect();
            if of.is_empty() {
                return Err(Error::usage(format!(
                    "could not align to the times of {mnemonic}: it is not among the selected mnemonics"
                ))
                .with_hint("add it to the selection, or name a selected one"));
            }
            Ok(kernel::union(&of))
        }
    }
}

/// The method and the limit of one mnemonic, after what its kind and its sampling allow.
fn way_of(
    parts: &[&Series],
    kind: ValueKind,
    options: &AlignOptions,
    notices: &mut Vec<Notice>,
) -> (Method, Limit) {
    let mnemonic = parts[0].mnemonic();
    let (asked, limit) = options.of(mnemonic);
    let (sampling, inferred) = parts::sampling(parts);
    let is_change_only = sampling == Sampling::ChangeOnly;
    let mut method = asked;
    if asked == Method::Linear && (kind != ValueKind::Real || is_change_only) {
        let text = "has no values between its samples: held instead of interpolated";
        notices.push(Notice::about(NoticeKind::HeldInstead, mnemonic, text));
        method = Method::Hold;
    }
    if method != asked || method == Method::Hold && is_change_only {
        notices.extend(inferred);
    }
    // That no sample came is what says that the value holds; only what is not known ends it.
    let is_own = options.exceptions.iter().any(|(name, ..)| name == mnemonic);
    if method == Method::Hold && is_change_only && !is_own && limit != Limit::Unlimited {
        let text = format!("is change-only: its value holds until the next sample, beyond {limit}");
        notices.push(Notice::about(NoticeKind::HeldInstead, mnemonic, text));
        return (method, Limit::Unlimited);
    }
    (method, limit)
}

fn column(
    parts: &[&Series],
    targets: &[i64],
    options: &AlignOptions,
    notices: &mut Vec<Notice>,
) -> Result<Vec<(Column, ColumnAbout)>> {
    let kind = parts::kind_of(parts)?;
    let (mnemonic, about) = (parts[0].mnemonic(), &parts[0].about);
    let (method, limit) = way_of(parts, kind, options, notices);
    let limit_us = parts::limit_us(limit, parts, notices);
    let name = mnemonic.as_str();
    let value = match (method, kind) {
        (_, ValueKind::Real) => columns::cells(name, reals(parts, targets, method, limit_us)),
        (_, ValueKind::Integer) => {
            columns::integer(name, picked(parts, targets, method, limit_us, integer_at).into_iter())
        }
        (_, ValueKind::Text) => {
            columns::text(name, picked(parts, targets, method, limit_us, parts::text_at).into_iter())
        }
    };
    let column_about = ColumnAbout {
        name: name.to_owned(),
        mnemonic: Some(mnemonic.clone()),
        unit: about.unit.clone(),
        description: about.description.clone(),
    };
    if options.beside == Beside::Nothing {
        return Ok(vec![(value, column_about)]);
    }
    let mut times = picked(parts, targets, method, limit_us, |part, row| {
        parts::value_at(part, row)?;
        parts::time_at(part, row)
    });
    // A line needs a sample on either side.
    for (time, is_there) in times.iter_mut().zip(value.is_not_null().iter()) {
        *time = time.filter(|_| is_there == Some(true));
    }
    let beside = beside(mnemonic, &times, targets, options.beside);
    Ok(vec![(value, column_about), beside])
}

fn integer_at(part: &Series, row: u32) -> Option<i64> {
    match parts::value_at(part, row)? {
        Value::Integer(value) => Some(value),
        _ => None,
    }
}

fn beside(
    mnemonic: &Mnemonic,
    times: &[Option<i64>],
    targets: &[i64],
    what: Beside,
) -> (Column, ColumnAbout) {
    let (name, column, unit, words) = if what == Beside::Time {
        let name = format!("{mnemonic}_time");
        let column = columns::optional_time(&name, times.iter().copied());
        (name, column, "", "time of the sample that stands for")
    } else {
        let name = format!("{mnemonic}_age_s");
        let ages =
            times.iter().zip(targets).map(|(time, target)| time.map(|time| (target - time) as f64 / 1e6));
        let column = columns::real(&name, ages);
        (name, column, "s", "age of the sample that stands for")
    };
    let about = ColumnAbout {
        name,
        mnemonic: Some(mnemonic.clone()),
        unit: unit.to_owned(),
        description: format!("{words} {mnemonic}"),
    };
    (column, about)
}

/// The values of all parts at `targets`, as real numbers; none in what is not known.
pub(crate) fn reals(parts: &[&Series], targets: &[i64], method: Method, limit_us: i64) -> Cells {
    let mut cells = Cells::none(targets.len());
    for part in parts {
        let values = Reals::of(part);
        for stretch in stretches(part) {
            let inside = rows_in(targets, stretch.range());
            let targets = &targets[inside.clone()];
            let kernel = match method {
                Method::Hold | Method::Exact => kernel::hold_values,
                Method::Linear => kernel::linear,
                Method::Nearest => {
                    let picks = stretch.picks(method, targets, limit_us);
                    for (at, pick) in inside.zip(picks) {
                        cells.is_known[at] = values.get(pick).is_some();
                        cells.values[at] = values.get(pick).unwrap_or_default();
                    }
                    continue;
                }
            };
            let limit_us = if method == Method::Exact { 0 } else { limit_us };
            stretch.fill(kernel, &values, targets, limit_us, cells.part(inside));
        }
    }
    cells
}

/// What the picked rows of all parts give at `targets`.
pub(crate) fn picked<T: Clone>(
    parts: &[&Series],
    targets: &[i64],
    method: Method,
    limit_us: i64,
    value: impl Fn(&Series, u32) -> Option<T>,
) -> Vec<Option<T>> {
    let mut cells = vec![None; targets.len()];
    for part in parts {
        for stretch in stretches(part) {
            let inside = rows_in(targets, stretch.range());
            let picks = stretch.picks(method, &targets[inside.clone()], limit_us);
            for (cell, pick) in cells[inside].iter_mut().zip(picks) {
                *cell = if pick == kernel::NONE { None } else { value(part, pick) };
            }
        }
    }
    cells
}

fn rows_in(targets: &[i64], range: TimeRange) -> std::ops::Range<usize> {
    let before = |limit: i64| targets.partition_point(|time| *time < limit);
    before(range.start().as_micros())..before(range.stop().as_micros())
}
