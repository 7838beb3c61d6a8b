//! Every sample a row.

use edb_core::{Result, Series, Value, Values};
use polars::prelude::Column;

use crate::columns;
use crate::parts;
use crate::table::{ColumnAbout, Table};

/// One row for each sample, ordered by time, then by the order of `series`; equal times keep their order.
///
/// Columns, always the same: `time` (UTC), `mnemonic`, `value` (double: reals, and integers that a double holds exactly),
/// `integer` (int64, the exact value of integer mnemonics), `text` (text mnemonics). Nulls of the archive are null in all
/// three. `value` and `integer` have a unit if all series have the same. Brackets are not samples of the range and have no rows.
///
/// # Errors
/// None that bad telemetry could cause.
pub fn long(series: &[Series]) -> Result<Table> {
    let rows = series.iter().map(|one| one.samples.len()).sum();
    let mut times = Vec::with_capacity(rows);
    for one in series {
        times.extend_from_slice(one.samples.times());
    }
    let names = series.iter().flat_map(|one| {
        std::iter::repeat_n(Some(std::sync::Arc::from(one.mnemonic().as_str())), one.samples.len())
    });
    let value = series.iter().flat_map(reals);
    let integer = series.iter().flat_map(integers);
    let text = series.iter().flat_map(|one| {
        let column = match one.samples.values() {
            Values::Text(column) => Some(column),
            _ => None,
        };
        (0..one.samples.len()).map(move |at| {
            column
                .filter(|_| !one.samples.nulls().contains(at))
                .map(|column| std::sync::Arc::clone(column.word(at)))
        })
    });
    let unit = match series {
        [first, rest @ ..] if rest.iter().all(|one| one.about.unit == first.about.unit) => {
            first.about.unit.clone()
        }
        _ => String::new(),
    };
    let with_unit = |about: ColumnAbout| ColumnAbout { unit: unit.clone(), ..about };
    let columns: Vec<(Column, ColumnAbout)> = vec![
        (columns::time("time", times), ColumnAbout::general("time", "time of the sample, UTC")),
        (columns::text("mnemonic", names), ColumnAbout::general("mnemonic", "whose sample")),
        (
            columns::real("value", value),
            with_unit(ColumnAbout::general("value", "numeric value; integers beyond 2^53 only in `integer`")),
        ),
        (
            columns::integer("integer", integer),
            with_unit(ColumnAbout::general("integer", "exact value of integer mnemonics")),
        ),
        (columns::text("text", text), ColumnAbout::general("text", "value of text mnemonics")),
    ];
    let table = Table::new(columns, Vec::new())?;
    if series.len() > 1 { table.sorted_by(&["time"]) } else { Ok(table) }
}

fn reals(one: &Series) -> Box<dyn Iterator<Item = Option<f64>> + '_> {
    match one.samples.values() {
        Values::Real(values) if one.samples.nulls().is_empty() => {
            Box::new(values.0.iter().copied().map(Some))
        }
        Values::Text(_) => Box::new(std::iter::repeat_n(None, one.samples.len())),
        _ => Box::new(one.samples.iter().map(|sample| parts::as_real(&sample.value))),
    }
}

fn integers(one: &Series) -> Box<dyn Iterator<Item = Option<i64>> + '_> {
    match one.samples.values() {
        Values::Integer(_) => Box::new(one.samples.iter().map(|sample| match sample.value {
            Value::Integer(value) => Some(value),
            _ => None,
        })),
        _ => Box::new(std::iter::repeat_n(None, one.samples.len())),
    }
}
