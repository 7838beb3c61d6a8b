//! Series made by hand, and tables read back cell by cell.

use edb_core::{
    DictionaryEntry, Instant, Mnemonic, Nulls, Sample, Samples, Series, SqlType, TextColumn, TimeRange,
    Value, Values,
};
use edb_frame::Table;
use polars::prelude::AnyValue;

pub(crate) const SECOND: i64 = 1_000_000;

pub(crate) fn range(start_s: i64, stop_s: i64) -> TimeRange {
    TimeRange::new(Instant::from_micros(start_s * SECOND), Instant::from_micros(stop_s * SECOND)).unwrap()
}

pub(crate) fn series(
    name: &str,
    sql_type: SqlType,
    asked: TimeRange,
    times_s: &[i64],
    values: Values,
) -> Series {
    let times = times_s.iter().map(|time| time * SECOND).collect();
    let (samples, _) = Samples::from_columns(sql_type, times, values, Nulls::none()).unwrap();
    Series {
        about: DictionaryEntry::bare(Mnemonic::new(name).unwrap()),
        range: asked,
        samples,
        leading: None,
        trailing: None,
        known: [asked].into_iter().collect(),
        learned: None,
    }
}

pub(crate) fn reals(name: &str, asked: TimeRange, times_s: &[i64], values: &[f64]) -> Series {
    series(name, SqlType::Float, asked, times_s, Values::real(values.to_vec()))
}

pub(crate) fn texts(name: &str, asked: TimeRange, times_s: &[i64], words: &[&str]) -> Series {
    let mut column = TextColumn::default();
    words.iter().for_each(|word| column.push(word));
    series(name, SqlType::Varchar, asked, times_s, Values::Text(column))
}

pub(crate) fn change_only(mut one: Series) -> Series {
    one.about.all_points = Some(false);
    one
}

#[allow(clippy::unnecessary_wraps, reason = "what it makes goes where a bracket may be missing")]
pub(crate) fn bracket(time_s: i64, value: Value) -> Option<Sample> {
    Some(Sample { time: Instant::from_micros(time_s * SECOND), value })
}

/// A column as words: `1.5`, `null`, `ON`.
pub(crate) fn cells(table: &Table, name: &str) -> Vec<String> {
    let column = table.frame().column(name).unwrap();
    (0..column.len())
        .map(|at| match column.get(at).unwrap() {
            AnyValue::Null => "null".to_owned(),
            AnyValue::String(text) => text.to_owned(),
            AnyValue::StringOwned(text) => text.to_string(),
            AnyValue::Datetime(micros, ..) | AnyValue::DatetimeOwned(micros, ..) => {
                (micros / SECOND).to_string()
            }
            AnyValue::Float64(value) => value.to_string(),
            other => other.to_string(),
        })
        .collect()
}

/// A series at times in microseconds; NaN is a value.
pub(crate) fn at_micros(name: &str, range: (i64, i64), times: &[i64], values: &[f64]) -> Series {
    let range = TimeRange::new(Instant::from_micros(range.0), Instant::from_micros(range.1)).unwrap();
    let values = Values::real(values.to_vec());
    let (samples, _) = Samples::from_columns(SqlType::Float, times.to_vec(), values, Nulls::none()).unwrap();
    Series::new(Mnemonic::new(name).unwrap(), range, samples)
}

/// A column of numbers.
pub(crate) fn numbers(table: &Table, name: &str) -> Vec<Option<f64>> {
    let column = table.frame().column(name).unwrap_or_else(|_| panic!("no column {name}"));
    (0..column.len())
        .map(|at| match column.get(at).unwrap() {
            AnyValue::Null => None,
            AnyValue::Float64(value) => Some(value),
            AnyValue::Int64(value) => Some(value as f64),
            AnyValue::Datetime(micros, ..) | AnyValue::DatetimeOwned(micros, ..) => Some(micros as f64),
            other => panic!("{other} is no number"),
        })
        .collect()
}

/// Equal within `relative` of the larger one, or 1e-12 for what is nearly zero; both null.
pub(crate) fn close(found: Option<f64>, expected: Option<f64>, relative: f64) -> bool {
    match (found, expected) {
        (Some(a), Some(b)) => (a - b).abs() <= relative * a.abs().max(b.abs()) + 1e-12 || a == b,
        (a, b) => a.is_none() && b.is_none(),
    }
}
