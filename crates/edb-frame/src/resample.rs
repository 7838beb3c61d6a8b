//! One row a bin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use edb_core::{
    Error, Instant, Mnemonic, Notice, NoticeKind, Result, Sampling, Series, Value, ValueKind, Values,
    format_duration,
};
use edb_series::bins::{self, Bin, Summary};
use edb_series::grid;
use polars::prelude::Column;

use crate::align::MAX_ROWS;
use crate::columns;
use crate::table::{ColumnAbout, Table};

/// One statistic of a bin. NaN and infinities are left out of all of them, and not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Statistic {
    /// Number of samples with a value.
    Count,
    /// Mean.
    Mean,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Population standard deviation.
    Std,
    /// Median.
    Median,
    /// First value in time; of text mnemonics as well.
    First,
    /// Last value in time; of text mnemonics as well.
    Last,
}

impl Statistic {
    /// All of them, in the order in which tables have them.
    pub const ALL: [Self; 8] =
        [Self::Count, Self::Mean, Self::Min, Self::Max, Self::Std, Self::Median, Self::First, Self::Last];

    /// Its word, as in column names.
    pub fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Std => "std",
            Self::Median => "median",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    fn of(self, summary: &Summary) -> f64 {
        match self {
            Self::Count => summary.count as f64,
            Self::Mean => summary.mean,
            Self::Min => summary.min,
            Self::Max => summary.max,
            Self::Std => summary.std,
            Self::Median => summary.median,
            Self::First => summary.first,
            Self::Last => summary.last,
        }
    }

    fn has_unit(self) -> bool {
        self != Self::Count
    }
}

/// What becomes of bins in which a mnemonic has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyBins {
    /// They have no row (unless another mnemonic of a wide table has something).
    Absent,
    /// They have a row with count 0 and nulls, wherever the mnemonic was asked for.
    Null,
}

/// The shape of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One row for each bin and mnemonic: `time`, `mnemonic`, one column a statistic, and `first_text`, `last_text` if any
    /// mnemonic is text.
    Long,
    /// One row for each bin: `time`, then `MNEMONIC_statistic` for each.
    Wide,
}

/// How to resample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResampleOptions {
    /// Width of the bins `[lo, hi)` in microseconds, positive.
    pub step_us: i64,
    /// The start of one of the bins, wherever it lies, in microseconds since 1970 UTC.
    pub origin_us: i64,
    /// Which statistics, in the order of the columns.
    pub statistics: Vec<Statistic>,
    /// What becomes of empty bins.
    pub empty: EmptyBins,
    /// The shape of the table.
    pub layout: Layout,
}

/// What one mnemonic has in one bin.
#[derive(Debug, Clone, Default)]
struct Cell {
    count: u64,
    summary: Option<Summary>,
    first_text: Option<Arc<str>>,
    last_text: Option<Arc<str>>,
}

/// Statistics over bins `[lo, hi)`; `time` is `lo`. Only samples in each series' own range count, brackets do not.
///
/// Change-only numbers are weighted by how long each value held (rule 9 of the design): their mean, std, median, min and
/// max are over time, from the state into the range on, as far as the range is known; `first` and `last` are the values in
/// force at the start and at the end of the bin; `count` is still the number of samples. A notice says so.
///
/// Text mnemonics have `count`, `first` and `last`.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if the ranges of one mnemonic have values of different kinds, or if bins without samples
/// are wanted and there would be 2²⁹ or more.
pub fn resample(series: &[Series], options: &ResampleOptions) -> Result<Table> {
    let mut by_mnemonic: Vec<(&Mnemonic, Vec<&Series>)> = Vec::new();
    for one in series {
        match by_mnemonic.iter_mut().find(|(mnemonic, _)| *mnemonic == one.mnemonic()) {
            Some((_, parts)) => parts.push(one),
            None => by_mnemonic.push((one.mnemonic(), vec![one])),
        }
    }
    let mut notices = Vec::new();
    let mut resampled = Vec::new();
    for (mnemonic, parts) in by_mnemonic {
        let kind = crate::align::kind_of(mnemonic, &parts)?;
        let is_held = parts[0].sampling() == Sampling::ChangeOnly && kind != ValueKind::Text;
        if is_held || options.empty == EmptyBins::Null {
            refuse_too_many_bins(mnemonic, &parts, options)?;
        }
        if is_held {
            let text = "is change-only: its statistics are weighted by how long each value held";
            notices.push(Notice::about(NoticeKind::HeldInstead, mnemonic, text));
        }
        let mut cells: BTreeMap<i64, Cell> = BTreeMap::new();
        for part in &parts {
            for (start, cell) in bins_of(part, kind, is_held, options) {
                // Two ranges of one mnemonic that share a bin: the later one continues the earlier.
                cells.entry(start).and_modify(|known| known.join(&cell)).or_insert(cell);
            }
        }
        resampled.push(Resampled { mnemonic, about: parts[0], kind, cells });
    }
    let columns = match options.layout {
        Layout::Long => long(&resampled, &options.statistics),
        Layout::Wide => wide(&resampled, &options.statistics),
    };
    let mut table = Table::new(columns, notices)?;
    if options.layout == Layout::Long {
        table = table.sorted_by(&["time"])?;
    }
    let step = Duration::from_micros(options.step_us as u64);
    table.made = vec![
        ("layout".to_owned(), format!("{:?}", options.layout).to_lowercase()),
        (
            "bins".to_owned(),
            format!(
                "[lo, hi) every {} from {}, time is lo",
                format_duration(step),
                Instant::from_micros(options.origin_us)
            ),
        ),
        ("std".to_owned(), "population (divided by n)".to_owned()),
    ];
    Ok(table)
}

/// Bins without samples cost memory too.
fn refuse_too_many_bins(mnemonic: &Mnemonic, parts: &[&Series], options: &ResampleOptions) -> Result<()> {
    let bins = |part: &&Series| {
        let range = part.range;
        grid::count(range.start().as_micros(), range.stop().as_micros(), options.step_us, options.origin_us)
    };
    let count: u64 = parts.iter().map(bins).sum();
    if count < MAX_ROWS {
        return Ok(());
    }
    let step = format_duration(Duration::from_micros(options.step_us as u64));
    let message =
        format!("could not resample {mnemonic}: {count} bins of {step}, expected fewer than {MAX_ROWS}");
    Err(Error::usage(message).with_hint("take wider bins, a shorter range, or leave empty bins out"))
}

struct Resampled<'a> {
    mnemonic: &'a Mnemonic,
    about: &'a Series,
    kind: ValueKind,
    cells: BTreeMap<i64, Cell>,
}

impl Cell {
    fn join(&mut self, later: &Self) {
        self.count += later.count;
        self.last_text = later.last_text.clone().or_else(|| self.last_text.clone());
        self.first_text = self.first_text.clone().or_else(|| later.first_text.clone());
        // Moments can be joined, medians cannot: what cannot be told is NaN, which no sample gives.
        self.summary = match (self.summary, later.summary) {
            (Some(a), Some(b)) => {
                let (n, m) = (a.weight, b.weight);
                let mean = (a.mean * n + b.mean * m) / (n + m);
                let spread = |part: &Summary, n: f64| n * (part.std.powi(2) + (part.mean - mean).powi(2));
                Some(Summary {
                    count: a.count + b.count,
                    weight: n + m,
                    mean,
                    min: a.min.min(b.min),
                    max: a.max.max(b.max),
                    std: ((spread(&a, n) + spread(&b, m)) / (n + m)).sqrt(),
                    median: f64::NAN,
                    first: a.first,
                    last: b.last,
                })
            }
            (one, other) => one.or(other),
        };
    }
}

fn bins_of(part: &Series, kind: ValueKind, is_held: bool, options: &ResampleOptions) -> Vec<(i64, Cell)> {
    let range = part.range.start().as_micros()..part.range.stop().as_micros();
    let keep_empty = is_held || options.empty == EmptyBins::Null;
    let bins = bins::bins(part.samples.times(), range, options.step_us, options.origin_us, keep_empty);
    let holds = if is_held { holds(part) } else { Vec::new() };
    let mut next_hold = 0;
    let mut scratch = Vec::new();
    let mut cells = Vec::with_capacity(bins.len());
    for bin in bins {
        let cell = match part.samples.values() {
            _ if is_held => held_cell(part, &bin, &holds, &mut next_hold),
            Values::Text(_) => text_cell(part, &bin),
            Values::Real(values) if part.samples.nulls().is_empty() => {
                number_cell(values.0[bin.rows.clone()].iter().copied(), &mut scratch)
            }
            _ => {
                let values = bin.rows.clone().map(|at| part.samples.sample(at).value);
                number_cell(values.filter_map(|value| columns::as_real(&value)), &mut scratch)
            }
        };
        let is_empty = cell.count == 0 && cell.summary.is_none();
        if !is_empty || options.empty == EmptyBins::Null {
            cells.push((grid::at_or_before(bin.start_us, options.step_us, options.origin_us), cell));
        }
    }
    debug_assert!(kind != ValueKind::Text || cells.iter().all(|(_, cell)| cell.summary.is_none()));
    cells
}

fn number_cell(values: impl Iterator<Item = f64>, scratch: &mut Vec<f64>) -> Cell {
    let summary = bins::summary(values, scratch);
    Cell { count: summary.map_or(0, |summary| summary.count), summary, ..Cell::default() }
}

fn text_cell(part: &Series, bin: &Bin) -> Cell {
    let mut texts = bin.rows.clone().filter_map(|at| match part.samples.sample(at).value {
        Value::Text(text) => Some(text),
        _ => None,
    });
    let first_text = texts.next();
    let (rest, last) = texts.fold((0, None), |(count, _), text| (count + 1, Some(text)));
    Cell {
        count: rest + u64::from(first_text.is_some()),
        summary: None,
        last_text: last.or_else(|| first_text.clone()),
        first_text,
    }
}

/// A value and the half-open span, in microseconds, over which it is known to have held.
struct Hold {
    value: f64,
    start_us: i64,
    stop_us: i64,
}

/// The spans over which the values of a change-only series held: each until the next sample, never into what is unknown.
fn holds(part: &Series) -> Vec<Hold> {
    let mut holds = Vec::new();
    for known in part.known.ranges() {
        let rows = part.samples.rows_in(*known);
        let leading = part.leading.as_ref().filter(|_| known.start() == part.range.start());
        let into = leading.map(|sample| (known.start().as_micros(), columns::as_real(&sample.value)));
        let inside =
            rows.map(|at| (part.samples.times()[at], columns::as_real(&part.samples.sample(at).value)));
        let mut changes = into.into_iter().chain(inside).peekable();
        while let Some((start_us, value)) = changes.next() {
            let stop_us = changes.peek().map_or(known.stop().as_micros(), |next| next.0);
            // A null ends what held before it and holds nothing itself.
            holds.extend(value.map(|value| Hold { value, start_us, stop_us }));
        }
    }
    holds
}

fn held_cell(part: &Series, bin: &Bin, holds: &[Hold], next_hold: &mut usize) -> Cell {
    while holds.get(*next_hold).is_some_and(|hold| hold.stop_us <= bin.start_us) {
        *next_hold += 1;
    }
    let inside = holds[*next_hold..].iter().take_while(|hold| hold.start_us < bin.stop_us);
    let held =
        inside.map(|hold| (hold.value, hold.stop_us.min(bin.stop_us) - hold.start_us.max(bin.start_us)));
    let count = bin.rows.clone().filter(|at| !part.samples.nulls().contains(*at)).count() as u64;
    Cell { count, summary: bins::held(held, count), ..Cell::default() }
}

fn number(cell: Option<&Cell>, statistic: Statistic) -> Option<f64> {
    let summary = cell?.summary.as_ref()?;
    Some(statistic.of(summary)).filter(|value| !value.is_nan())
}

fn count(cell: Option<&Cell>) -> Option<i64> {
    cell.map(|cell| cell.count as i64)
}

fn long(resampled: &[Resampled<'_>], statistics: &[Statistic]) -> Vec<(Column, ColumnAbout)> {
    let rows =
        || resampled.iter().flat_map(|one| one.cells.iter().map(move |(time, cell)| (one, *time, cell)));
    let names = rows().map(|(one, _, _)| Some(Arc::from(one.mnemonic.as_str())));
    let mut columns = vec![
        (
            columns::time("time", rows().map(|(_, time, _)| time).collect()),
            ColumnAbout::general("time", "start of the bin, UTC"),
        ),
        (columns::text("mnemonic", names), ColumnAbout::general("mnemonic", "whose statistics")),
    ];
    let has_text = resampled.iter().any(|one| one.kind == ValueKind::Text);
    for &statistic in statistics {
        let word = statistic.word();
        let column = match statistic {
            Statistic::Count => columns::integer(word, rows().map(|(_, _, cell)| count(Some(cell)))),
            _ => columns::real(word, rows().map(|(_, _, cell)| number(Some(cell), statistic))),
        };
        columns.push((column, ColumnAbout::general(word, word)));
    }
    for &statistic in statistics.iter().filter(|_| has_text) {
        let pick = match statistic {
            Statistic::First => |cell: &Cell| cell.first_text.clone(),
            Statistic::Last => |cell: &Cell| cell.last_text.clone(),
            _ => continue,
        };
        let name = format!("{}_text", statistic.word());
        let column = columns::text(&name, rows().map(|(_, _, cell)| pick(cell)));
        columns.push((column, ColumnAbout::general(&name, statistic.word())));
    }
    columns
}

fn wide(resampled: &[Resampled<'_>], statistics: &[Statistic]) -> Vec<(Column, ColumnAbout)> {
    let times: BTreeSet<i64> = resampled.iter().flat_map(|one| one.cells.keys().copied()).collect();
    let times: Vec<i64> = times.into_iter().collect();
    let mut columns =
        vec![(columns::time("time", times.clone()), ColumnAbout::general("time", "start of the bin, UTC"))];
    for one in resampled {
        let cells = || times.iter().map(|time| one.cells.get(time));
        for &statistic in statistics {
            let name = format!("{}_{}", one.mnemonic, statistic.word());
            let column = match (statistic, one.kind) {
                (Statistic::Count, _) => columns::integer(&name, cells().map(count)),
                (Statistic::First, ValueKind::Text) => {
                    columns::text(&name, cells().map(|cell| cell.and_then(|cell| cell.first_text.clone())))
                }
                (Statistic::Last, ValueKind::Text) => {
                    columns::text(&name, cells().map(|cell| cell.and_then(|cell| cell.last_text.clone())))
                }
                (_, ValueKind::Text) => continue,
                _ => columns::real(&name, cells().map(|cell| number(cell, statistic))),
            };
            let about = &one.about.about;
            columns.push((
                column,
                ColumnAbout {
                    name,
                    mnemonic: Some(one.mnemonic.clone()),
                    unit: if statistic.has_unit() { about.unit.clone() } else { String::new() },
                    description: format!("{} of {}", statistic.word(), about.description),
                },
            ));
        }
    }
    columns
}
