//! One row a time, one column a mnemonic.

use std::time::Duration;

use edb_core::{
    Error, Mnemonic, Notice, NoticeKind, Result, Sampling, Series, TimeRange, Value, ValueKind,
    format_duration,
};
use edb_series::align as kernel;
use edb_series::grid;

use crate::columns::{self, Run};
use crate::table::{ColumnAbout, Table};

/// The most rows that a table may have that is not made of samples alone: 4 GB a column.
pub(crate) const MAX_ROWS: u64 = 1 << 29;

/// Which times the rows of the table have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// `origin + k * step` in the hull of all ranges, both in microseconds since 1970 UTC.
    Grid {
        /// The step in microseconds, positive.
        step_us: i64,
        /// One of the times, wherever it lies.
        origin_us: i64,
    },
    /// Every time at which any of the mnemonics has a sample, once.
    Union,
    /// The times of one mnemonic's samples, equal ones once.
    Of(Mnemonic),
}

/// Which sample stands for a mnemonic at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The last one at or before.
    Hold,
    /// The nearest one; of two equally near ones the earlier.
    Nearest,
    /// The straight line between the ones on both sides. Integers, texts and change-only mnemonics have no values between
    /// theirs: they are held, and a notice says so.
    Linear,
    /// Only one at exactly the time.
    Exact,
}

/// How old or how far a sample may be, or for [`Method::Linear`] how far apart the two may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// At most this far.
    At(Duration),
    /// However far; to be typed out.
    Unlimited,
}

impl Limit {
    fn micros(self) -> i64 {
        match self {
            Self::At(duration) => i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
            Self::Unlimited => kernel::UNLIMITED,
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(duration) => f.write_str(&format_duration(*duration)),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
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
}

/// Puts series on common times. Columns: `time`, then one for each mnemonic in order of first appearance, of its own kind
/// (real, integer or text; [`Method::Linear`] gives reals).
///
/// The limit does not bind a mnemonic that is stated to be change-only, when it is held: that no sample came says that its value
/// stands, as far as the range is known. A notice says so.
///
/// A mnemonic may appear with several ranges. Its cells are null outside them, where nothing is known, and where no sample
/// may stand. Brackets take part as the samples they are: the state into the range is held from the bracket before it.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if the table would have 2²⁹ rows or more, if [`Times::Of`] names a mnemonic that is not
/// among the series, or if the ranges of one mnemonic have values of different kinds.
pub fn align(series: &[Series], options: &AlignOptions) -> Result<Table> {
    let targets = targets(series, &options.times)?;
    let mut mnemonics: Vec<&Mnemonic> = Vec::new();
    for one in series {
        if !mnemonics.contains(&one.mnemonic()) {
            mnemonics.push(one.mnemonic());
        }
    }
    let mut notices = Vec::new();
    let mut columns =
        vec![(columns::time("time", targets.clone()), ColumnAbout::general("time", "time of the row, UTC"))];
    for mnemonic in mnemonics {
        let parts: Vec<&Series> = series.iter().filter(|one| one.mnemonic() == mnemonic).collect();
        columns.push(column(mnemonic, &parts, &targets, options, &mut notices)?);
    }
    let mut table = Table::new(columns, notices)?;
    let times = match &options.times {
        Times::Grid { step_us, origin_us } => format!(
            "every {} from {}",
            format_duration(Duration::from_micros(*step_us as u64)),
            edb_core::Instant::from_micros(*origin_us)
        ),
        Times::Union => "every time of any mnemonic".to_owned(),
        Times::Of(mnemonic) => format!("the times of {mnemonic}"),
    };
    let method = format!("{:?}", options.method).to_lowercase();
    table.made = vec![
        ("layout".to_owned(), "wide".to_owned()),
        ("times".to_owned(), times),
        ("method".to_owned(), method),
        ("limit".to_owned(), options.limit.to_string()),
    ];
    Ok(table)
}

fn targets(series: &[Series], times: &Times) -> Result<Vec<i64>> {
    match times {
        Times::Grid { step_us, origin_us } => {
            let Some(hull) = series.iter().map(|one| one.range).reduce(TimeRange::hull) else {
                return Ok(Vec::new());
            };
            let (start, stop) = (hull.start().as_micros(), hull.stop().as_micros());
            let rows = grid::count(start, stop, *step_us, *origin_us);
            if rows >= MAX_ROWS {
                return Err(Error::usage(format!(
                    "could not align: a grid every {} over {hull} has {rows} rows, expected fewer than {MAX_ROWS}",
                    format_duration(Duration::from_micros(*step_us as u64))
                ))
                .with_hint("take a longer step or a shorter range"));
            }
            Ok(grid::times(start, stop, *step_us, *origin_us))
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

fn column(
    mnemonic: &Mnemonic,
    parts: &[&Series],
    targets: &[i64],
    options: &AlignOptions,
    notices: &mut Vec<Notice>,
) -> Result<(polars::prelude::Column, ColumnAbout)> {
    let kind = kind_of(mnemonic, parts)?;
    let about = &parts[0].about;
    let held_instead = options.method == Method::Linear
        && (kind != ValueKind::Real || parts[0].sampling() == Sampling::ChangeOnly);
    if held_instead {
        let text = "has no values between its samples: held instead of interpolated";
        notices.push(Notice::about(NoticeKind::HeldInstead, mnemonic, text));
    }
    let method = if held_instead { Method::Hold } else { options.method };
    // That no sample came is what says that the value holds; only what is not known ends it.
    let holds = method == Method::Hold && parts[0].sampling() == Sampling::ChangeOnly;
    let limit = if holds { Limit::Unlimited } else { options.limit };
    if limit != options.limit {
        let text = format!("is change-only: its value holds until the next sample, beyond {}", options.limit);
        notices.push(Notice::about(NoticeKind::HeldInstead, mnemonic, text));
    }
    let column_about = ColumnAbout {
        name: mnemonic.to_string(),
        mnemonic: Some(mnemonic.clone()),
        unit: about.unit.clone(),
        description: about.description.clone(),
    };
    let mut cells = Cells::new(kind, method, targets.len());
    for part in parts {
        for known in part.known.ranges() {
            let inside = rows_in(targets, *known);
            if !inside.is_empty() {
                cells.fill(part, *known, &targets[inside.clone()], inside.start, limit.micros());
            }
        }
    }
    Ok((cells.into_column(mnemonic.as_str()), column_about))
}

/// The kind of value that all parts have; parts without samples have none.
pub(crate) fn kind_of(mnemonic: &Mnemonic, parts: &[&Series]) -> Result<ValueKind> {
    let mut kinds: Vec<ValueKind> = parts
        .iter()
        .filter(|part| !part.samples.is_empty())
        .map(|part| part.samples.values().kind())
        .collect();
    kinds.dedup();
    match kinds.as_slice() {
        [] => {
            let bracket = parts.iter().find_map(|part| part.leading.as_ref().or(part.trailing.as_ref()));
            Ok(match bracket.map(|sample| &sample.value) {
                Some(Value::Integer(_)) => ValueKind::Integer,
                Some(Value::Text(_)) => ValueKind::Text,
                Some(Value::Real(_)) => ValueKind::Real,
                _ => parts[0].about.sql_type.as_ref().map_or(ValueKind::Real, edb_core::SqlType::kind),
            })
        }
        [kind] => Ok(*kind),
        _ => Err(Error::usage(format!(
            "could not put {mnemonic} into one column: its ranges have values of different kinds ({kinds:?})"
        ))
        .with_hint("export the ranges separately, or as a long table")),
    }
}

fn rows_in(targets: &[i64], range: TimeRange) -> std::ops::Range<usize> {
    let before = |limit: i64| targets.partition_point(|time| *time < limit);
    before(range.start().as_micros())..before(range.stop().as_micros())
}

/// The cells of one column while they are filled.
enum Cells {
    Picked(ValueKind, Method, Vec<Option<Value>>),
    Lines(Vec<Option<f64>>),
    /// Reals are by far the most; they need no [`Value`].
    Reals(Method, Vec<Option<f64>>),
}

impl Cells {
    fn new(kind: ValueKind, method: Method, rows: usize) -> Self {
        match (method, kind) {
            (Method::Linear, _) => Self::Lines(vec![None; rows]),
            (_, ValueKind::Real) => Self::Reals(method, vec![None; rows]),
            _ => Self::Picked(kind, method, vec![None; rows]),
        }
    }

    /// Fills the cells of `targets`, all of which lie in `known`, from `first` on.
    fn fill(&mut self, part: &Series, known: TimeRange, targets: &[i64], first: usize, limit_us: i64) {
        // Beyond an end that is not an end of the range nothing is known, so no bracket reaches across it.
        let leading = part.leading.as_ref().filter(|_| known.start() == part.range.start());
        let trailing = part.trailing.as_ref().filter(|_| known.stop() == part.range.stop());
        let run = Run::new(leading, &part.samples, part.samples.rows_in(known), trailing);
        let picks = |method: Method| match method {
            Method::Nearest => kernel::nearest(&run.times, targets, limit_us),
            Method::Exact => kernel::exact(&run.times, targets),
            Method::Hold | Method::Linear => kernel::hold(&run.times, targets, limit_us),
        };
        match self {
            Self::Lines(cells) => {
                let (values, is_null) = run.reals();
                let line = kernel::linear(&run.times, &values, is_null, targets, limit_us);
                cells[first..first + line.len()].copy_from_slice(&line);
            }
            Self::Reals(method, cells) => {
                let (values, is_null) = run.reals();
                for (cell, pick) in cells[first..].iter_mut().zip(picks(*method)) {
                    *cell = Some(pick as usize)
                        .filter(|at| pick != kernel::NONE && !is_null(*at))
                        .map(|at| values[at]);
                }
            }
            Self::Picked(_, method, cells) => {
                for (cell, pick) in cells[first..].iter_mut().zip(picks(*method)) {
                    *cell = if pick == kernel::NONE { None } else { run.value(pick as usize) };
                }
            }
        }
    }

    fn into_column(self, name: &str) -> polars::prelude::Column {
        match self {
            Self::Lines(cells) | Self::Reals(_, cells) => columns::real(name, cells.into_iter()),
            Self::Picked(kind, _, cells) => columns::of_kind(name, kind, cells.into_iter()),
        }
    }
}
