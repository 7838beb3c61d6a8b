//! Columns out of a data frame, some rows at a time.

use edb_core::{Error, ErrorKind, Nulls, Result, TextColumn};
use edb_frame::polars::{Column, DataFrame};
use edb_parquet::{Kind, OwnedColumn};
use polars::prelude::{ChunkedArray, DataType, PolarsError, PolarsNumericType};
use polars_arrow::array::Array;
use polars_arrow::bitmap::Bitmap;

/// Rows of a table.
pub(crate) struct Batch {
    pub(crate) columns: Vec<Cells>,
    pub(crate) rows: usize,
}

/// One column of them.
pub(crate) struct Cells {
    /// At null positions any value.
    pub(crate) values: OwnedColumn,
    /// One bit for each cell that is there; none if all are.
    validity: Option<Bitmap>,
}

impl Cells {
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.validity.as_ref().is_some_and(|validity| !validity.get_bit(row))
    }

    pub(crate) fn null_count(&self) -> usize {
        self.validity.as_ref().map_or(0, Bitmap::unset_bits)
    }

    /// The values, and which of them are there.
    pub(crate) fn into_parts(self) -> (OwnedColumn, Option<Bitmap>) {
        (self.values, self.validity)
    }

    /// The distinct texts of a column of text.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        let words = match &self.values {
            OwnedColumn::Text(text) => text.words(),
            _ => &[],
        };
        words.iter().map(AsRef::as_ref)
    }

    pub(crate) fn nulls(&self) -> Nulls {
        let mut nulls = Nulls::none();
        (0..self.values.len()).filter(|row| self.is_null(*row)).for_each(|row| nulls.push(row));
        nulls
    }

    /// A column that was kept elsewhere.
    pub(crate) fn new(values: OwnedColumn, validity: Option<Bitmap>) -> Self {
        Self { values, validity: validity.filter(|validity| validity.unset_bits() > 0) }
    }
}

/// What a column of this type holds.
pub(crate) fn kind(column: &Column) -> Result<Kind> {
    Ok(match column.dtype() {
        DataType::Datetime(..) => Kind::Time,
        DataType::Float64 => Kind::Real,
        DataType::Int64 => Kind::Integer,
        DataType::String => Kind::Text,
        other => {
            let message = format!("could not export the column `{}` of type {other}", column.name());
            return Err(Error::new(ErrorKind::Unclassified, message));
        }
    })
}

/// Whether the times of a column without nulls ascend.
pub(crate) fn ascends(column: &Column) -> bool {
    let physical = column.as_materialized_series().to_physical_repr();
    let Ok(times) = physical.i64() else { return false };
    let mut last = i64::MIN;
    times.downcast_iter().all(|chunk| {
        let values = chunk.values().as_slice();
        let ascends = values.first().is_none_or(|first| *first >= last) && values.is_sorted();
        last = values.last().copied().unwrap_or(last);
        ascends
    })
}

/// The rows of a frame.
pub(crate) fn batch(frame: &DataFrame) -> Result<Batch> {
    let columns = frame.columns().iter().map(cells).collect::<Result<_>>()?;
    Ok(Batch { columns, rows: frame.height() })
}

/// The cells of a column.
pub(crate) fn cells(column: &Column) -> Result<Cells> {
    let refuse = |error: PolarsError| {
        Error::new(ErrorKind::Unclassified, format!("could not export the column `{}`", column.name()))
            .caused_by(error)
    };
    let series = column.as_materialized_series().rechunk();
    let (values, validity) = match kind(column)? {
        Kind::Time => {
            let physical = series.to_physical_repr();
            let (values, validity) = numbers(physical.i64().map_err(refuse)?);
            (OwnedColumn::Time(values), validity)
        }
        Kind::Real => {
            let (values, validity) = numbers(series.f64().map_err(refuse)?);
            (OwnedColumn::Real(values), validity)
        }
        Kind::Integer => {
            let (values, validity) = numbers(series.i64().map_err(refuse)?);
            (OwnedColumn::Integer(values), validity)
        }
        Kind::Text => {
            let mut text = TextColumn::default();
            let words = series.str().map_err(refuse)?;
            text.reserve(words.len());
            words.iter().for_each(|word| text.push(word.unwrap_or_default()));
            (
                OwnedColumn::Text(text),
                words.downcast_iter().next().and_then(|chunk| chunk.validity().cloned()),
            )
        }
    };
    Ok(Cells::new(values, validity))
}

/// Of a column in one chunk.
fn numbers<T: PolarsNumericType>(column: &ChunkedArray<T>) -> (Vec<T::Native>, Option<Bitmap>) {
    let Some(chunk) = column.downcast_iter().next() else { return (Vec::new(), None) };
    (chunk.values().as_slice().to_vec(), chunk.validity().cloned())
}
