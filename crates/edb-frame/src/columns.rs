//! Our columns as Polars columns.

use std::sync::Arc;

use edb_core::{Sample, Samples, Value, ValueKind, Values};
use polars::prelude::{
    ChunkedArray, Column, Float64Type, Int64Chunked, Int64Type, IntoColumn, NamedFrom, NewChunkedArray,
    Series, StringChunked, TimeUnit, TimeZone,
};

/// Microseconds as `Datetime[µs, UTC]`.
pub(crate) fn time(name: &str, times: Vec<i64>) -> Column {
    let micros = Int64Chunked::from_vec(name.into(), times);
    micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
}

/// Optional real numbers.
pub(crate) fn real(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    ChunkedArray::<Float64Type>::from_iter_options(name.into(), values).into_column()
}

/// Optional integers.
pub(crate) fn integer(name: &str, values: impl Iterator<Item = Option<i64>>) -> Column {
    ChunkedArray::<Int64Type>::from_iter_options(name.into(), values).into_column()
}

/// Optional texts.
pub(crate) fn text(name: &str, values: impl Iterator<Item = Option<Arc<str>>>) -> Column {
    let values: Vec<Option<Arc<str>>> = values.collect();
    let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
    let column: StringChunked = <Series as NamedFrom<_, [Option<&str>]>>::new(name.into(), values.as_slice())
        .str()
        .cloned()
        .unwrap_or_default();
    column.into_column()
}

/// A column of values of `kind`, one for each of `values`; values of another kind become null.
pub(crate) fn of_kind(name: &str, kind: ValueKind, values: impl Iterator<Item = Option<Value>>) -> Column {
    match kind {
        ValueKind::Real => real(name, values.map(|value| value.as_ref().and_then(as_real))),
        ValueKind::Integer => integer(
            name,
            values.map(|value| match value {
                Some(Value::Integer(value)) => Some(value),
                _ => None,
            }),
        ),
        ValueKind::Text => text(
            name,
            values.map(|value| match value {
                Some(Value::Text(text)) => Some(text),
                _ => None,
            }),
        ),
    }
}

/// The number, if it is one that `f64` holds exactly.
pub(crate) fn as_real(value: &Value) -> Option<f64> {
    match value {
        Value::Real(value) => Some(*value),
        Value::Integer(value) if value.unsigned_abs() <= 1 << 53 => Some(*value as f64),
        _ => None,
    }
}

/// Samples with the bracket before and the bracket after them, as one run of rows.
pub(crate) struct Run<'a> {
    pub(crate) times: Vec<i64>,
    leading: Option<&'a Sample>,
    samples: &'a Samples,
    first: usize,
    rows: usize,
    trailing: Option<&'a Sample>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        leading: Option<&'a Sample>,
        samples: &'a Samples,
        rows: std::ops::Range<usize>,
        trailing: Option<&'a Sample>,
    ) -> Self {
        let mut times = Vec::with_capacity(rows.len() + 2);
        times.extend(leading.map(|sample| sample.time.as_micros()));
        times.extend_from_slice(&samples.times()[rows.clone()]);
        times.extend(trailing.map(|sample| sample.time.as_micros()));
        Self { times, leading, samples, first: rows.start, rows: rows.len(), trailing }
    }

    /// The value of row `at` of the run; `None` where the sample has none.
    pub(crate) fn value(&self, at: usize) -> Option<Value> {
        let value = if let (Some(leading), 0) = (self.leading, at) {
            leading.value.clone()
        } else {
            let row = at - usize::from(self.leading.is_some());
            match self.trailing {
                Some(trailing) if row == self.rows => trailing.value.clone(),
                _ => self.samples.sample(self.first + row).value,
            }
        };
        (value != Value::Null).then_some(value)
    }

    /// The values as real numbers, NaN where there is none, and whether row `at` has one.
    pub(crate) fn reals(&self) -> (Vec<f64>, impl Fn(usize) -> bool) {
        let values: Vec<Option<f64>> =
            if let (Values::Real(values), true) = (self.samples.values(), self.samples.nulls().is_empty()) {
                let real = |sample: &Sample| as_real(&sample.value);
                let inside = values.0[self.first..self.first + self.rows].iter().map(|value| Some(*value));
                self.leading.map(real).into_iter().chain(inside).chain(self.trailing.map(real)).collect()
            } else {
                (0..self.times.len()).map(|at| self.value(at).as_ref().and_then(as_real)).collect()
            };
        let reals = values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        (reals, move |at: usize| values[at].is_none())
    }
}
