//! Our columns as Polars columns.

use std::sync::Arc;

use edb_series::align::Cells;
use polars::prelude::{
    ChunkedArray, Column, Float64Type, Int64Chunked, Int64Type, IntoColumn, NewChunkedArray, StringChunked,
    TimeUnit, TimeZone,
};

/// Microseconds as `Datetime[µs, UTC]`.
pub(crate) fn time(name: &str, times: Vec<i64>) -> Column {
    let micros = Int64Chunked::from_vec(name.into(), times);
    micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
}

/// Optional microseconds as `Datetime[µs, UTC]`.
pub(crate) fn optional_time(name: &str, times: impl Iterator<Item = Option<i64>>) -> Column {
    let (times, is_known) = unzip(times);
    let micros = integers_of(name, times, &is_known);
    micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
}

/// Real numbers, without a copy.
pub(crate) fn cells(name: &str, cells: Cells) -> Column {
    let known = cells.is_known.contains(&false).then(|| cells.is_known.into());
    ChunkedArray::<Float64Type>::from_vec_validity(name.into(), cells.values, known).into_column()
}

/// Optional real numbers.
pub(crate) fn real(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    let mut all = Cells::default();
    values.for_each(|value| all.push(value));
    cells(name, all)
}

fn unzip(values: impl Iterator<Item = Option<i64>>) -> (Vec<i64>, Vec<bool>) {
    values.map(|value| (value.unwrap_or_default(), value.is_some())).unzip()
}

fn integers_of(name: &str, values: Vec<i64>, is_known: &[bool]) -> Int64Chunked {
    let known = is_known.contains(&false).then(|| is_known.into());
    ChunkedArray::<Int64Type>::from_vec_validity(name.into(), values, known)
}

/// Optional integers.
pub(crate) fn integer(name: &str, values: impl Iterator<Item = Option<i64>>) -> Column {
    let (values, is_known) = unzip(values);
    integers_of(name, values, &is_known).into_column()
}

/// Optional texts.
pub(crate) fn words<'a>(name: &str, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    StringChunked::from_iter_options(name.into(), values).into_column()
}

/// Optional texts that are shared.
pub(crate) fn text(name: &str, values: impl Iterator<Item = Option<Arc<str>>>) -> Column {
    StringChunked::from_iter_options(name.into(), values).into_column()
}
