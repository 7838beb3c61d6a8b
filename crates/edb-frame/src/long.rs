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
    let places = places(series);
    let names = places.iter().map(|place| Some(series[place.series as usize].mnemonic().as_str()));
    let value = places.iter().map(|place| real(&series[place.series as usize], place.row as usize));
    let integer = places.iter().map(|place| integer(&series[place.series as usize], place.row as usize));
    let text = places.iter().map(|place| text(&series[place.series as usize], place.row as usize));
    let times = places.iter().map(|place| place.time).collect();
    let unit = match series {
        [first, rest @ ..] if rest.iter().all(|one| one.about.unit == first.about.unit) => {
            first.about.unit.clone()
        }
        _ => String::new(),
    };
    let mnemonic = match series {
        [first, rest @ ..] if rest.iter().all(|one| one.mnemonic() == first.mnemonic()) => {
            Some(first.mnemonic())
        }
        _ => None,
    };
    let of_mnemonic = |about: ColumnAbout| ColumnAbout { mnemonic: mnemonic.cloned(), ..about };
    let with_unit = |about: ColumnAbout| ColumnAbout { unit: unit.clone(), ..of_mnemonic(about) };
    let columns: Vec<(Column, ColumnAbout)> = vec![
        (columns::time("time", times), ColumnAbout::general("time", "time of the sample, UTC")),
        (columns::words("mnemonic", names), ColumnAbout::general("mnemonic", "whose sample")),
        (
            columns::real("value", value),
            with_unit(ColumnAbout::general("value", "numeric value; integers beyond 2^53 only in `integer`")),
        ),
        (
            columns::integer("integer", integer),
            with_unit(ColumnAbout::general("integer", "exact value of integer mnemonics")),
        ),
        (columns::words("text", text), of_mnemonic(ColumnAbout::general("text", "value of text mnemonics"))),
    ];
    Table::new(columns, Vec::new())
}

/// One sample: when, whose, and which of its own.
struct Place {
    time: i64,
    series: u32,
    row: u32,
}

/// All samples by time, those of one time in the order of the series. (Each series is sorted, and the standard library's sort merges
/// such runs.)
fn places(series: &[Series]) -> Vec<Place> {
    let mut places = Vec::with_capacity(series.iter().map(|one| one.samples.len()).sum());
    for (one, number) in series.iter().zip(0..) {
        let rows = one.samples.times().iter().zip(0..);
        places.extend(rows.map(|(time, row)| Place { time: *time, series: number, row }));
    }
    if series.len() > 1 {
        places.sort_by_key(|place| place.time);
    }
    places
}

fn is_there(one: &Series, row: usize) -> bool {
    !one.samples.nulls().contains(row)
}

fn real(one: &Series, row: usize) -> Option<f64> {
    match one.samples.values() {
        Values::Real(values) => is_there(one, row).then(|| values.0[row]),
        Values::Integer(values) => {
            is_there(one, row).then(|| parts::as_real(&Value::Integer(values[row])))?
        }
        Values::Text(_) => None,
    }
}

fn integer(one: &Series, row: usize) -> Option<i64> {
    match one.samples.values() {
        Values::Integer(values) => is_there(one, row).then(|| values[row]),
        _ => None,
    }
}

fn text(one: &Series, row: usize) -> Option<&str> {
    match one.samples.values() {
        Values::Text(column) => is_there(one, row).then(|| column.word(row).as_ref()),
        _ => None,
    }
}
