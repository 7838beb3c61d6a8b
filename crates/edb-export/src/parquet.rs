//! Parquet.

use std::io::Write;

use edb_core::Result;
use edb_frame::Table;
use edb_parquet::{Column, Data, Effort};

use crate::columns::{self, Values};
use crate::metadata;

pub(crate) fn write(table: &Table, out: &mut (dyn Write + Send)) -> Result<()> {
    let columns = columns::of(table)?;
    let columns: Vec<Column<'_>> = columns
        .iter()
        .map(|column| Column {
            name: &column.name,
            data: match &column.values {
                Values::Time(values) => Data::Time(values),
                Values::Real(values) => Data::Real(values),
                Values::Integer(values) => Data::Integer(values),
                Values::Text(text) => Data::Text(text),
            },
            nulls: &column.nulls,
        })
        .collect();
    edb_parquet::write(out, &columns, &metadata::footer(table), Effort::Quick).map(|_| ())
}
