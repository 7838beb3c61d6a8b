//! Columns out of a data frame.

use edb_core::{Error, ErrorKind, Nulls, Result, TextColumn};
use edb_frame::Table;
use polars::prelude::{Column, DataType};

/// The values of one column; at null positions they are 0, 0.0 or an empty text.
pub(crate) enum Values {
    Time(Vec<i64>),
    Real(Vec<f64>),
    Integer(Vec<i64>),
    Text(TextColumn),
}

/// One column of a table.
pub(crate) struct ExportColumn {
    pub(crate) name: String,
    pub(crate) values: Values,
    pub(crate) nulls: Nulls,
}

pub(crate) fn of(table: &Table) -> Result<Vec<ExportColumn>> {
    table.frame().columns().iter().map(column).collect()
}

fn column(column: &Column) -> Result<ExportColumn> {
    let refuse = |error| {
        Error::new(ErrorKind::Unclassified, format!("could not export the column `{}`", column.name()))
            .caused_by(error)
    };
    let series = column.as_materialized_series().rechunk();
    let mut nulls = Nulls::none();
    let values = match series.dtype() {
        DataType::Datetime(..) => {
            let physical = series.to_physical_repr();
            Values::Time(numbers(physical.i64().map_err(refuse)?.iter(), &mut nulls))
        }
        DataType::Float64 => Values::Real(numbers(series.f64().map_err(refuse)?.iter(), &mut nulls)),
        DataType::Int64 => Values::Integer(numbers(series.i64().map_err(refuse)?.iter(), &mut nulls)),
        DataType::String => {
            let mut text = TextColumn::default();
            for (at, word) in series.str().map_err(refuse)?.iter().enumerate() {
                if word.is_none() {
                    nulls.push(at);
                }
                text.push(word.unwrap_or_default());
            }
            Values::Text(text)
        }
        other => {
            return Err(Error::new(
                ErrorKind::Unclassified,
                format!("could not export the column `{}` of type {other}", column.name()),
            ));
        }
    };
    Ok(ExportColumn { name: column.name().to_string(), values, nulls })
}

fn numbers<T: Default>(cells: impl Iterator<Item = Option<T>>, nulls: &mut Nulls) -> Vec<T> {
    let value = |(at, cell): (usize, Option<T>)| {
        cell.unwrap_or_else(|| {
            nulls.push(at);
            T::default()
        })
    };
    cells.enumerate().map(value).collect()
}
