//! Series from data frames.

use edb_core::{
    DictionaryEntry, Error, Notice, NoticeKind, Nulls, Outcome, Result, Samples, Series, SqlType, TextColumn,
    TimeRange, Values,
};
use polars::prelude::{DataFrame, DataType, TimeUnit};

/// A series from two columns of a data frame: times (datetimes of any unit, UTC or without a zone, none of them null; or integers, which are
/// microseconds since 1970 UTC) and values (numbers or texts). Rows out of order are sorted, and a notice says how many.
///
/// Nothing is known of a frame beyond its rows: the series takes all of `range` as known, and rows outside it are left out.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if a column is missing or has another type.
pub fn series_from(
    frame: &DataFrame,
    time: &str,
    value: &str,
    about: DictionaryEntry,
    range: TimeRange,
) -> Result<Outcome<Series>> {
    let fail =
        |message: String| Error::usage(format!("could not make a series of {}: {message}", about.mnemonic));
    let column = |name: &str| {
        frame.column(name).map_err(|error| fail(format!("there is no column `{name}`")).caused_by(error))
    };
    let (times, values) = (column(time)?, column(value)?);
    let micros: Option<Vec<i64>> = match times.dtype() {
        DataType::Datetime(unit, _) => {
            let scale = |time: i64| match unit {
                TimeUnit::Nanoseconds => time.div_euclid(1000),
                TimeUnit::Microseconds => time,
                TimeUnit::Milliseconds => time.saturating_mul(1000),
            };
            times
                .datetime()
                .ok()
                .and_then(|times| times.physical().iter().map(|time| time.map(scale)).collect())
        }
        DataType::Int64 => times.i64().ok().and_then(|times| times.iter().collect()),
        other => return Err(fail(format!("expected times in `{time}`, found {other}"))),
    };
    let micros = micros.ok_or_else(|| fail(format!("some times in `{time}` are null")))?;
    let mut nulls = Nulls::none();
    let mut row = 0;
    let mut note = |is_null: bool| {
        if is_null {
            nulls.push(row);
        }
        row += 1;
    };
    let unusable = |error| fail(format!("could not read the values in `{value}`")).caused_by(error);
    let (sql_type, values) = match values.dtype() {
        DataType::String => {
            let mut texts = TextColumn::default();
            for text in values.str().map_err(unusable)?.iter() {
                note(text.is_none());
                texts.push(text.unwrap_or_default());
            }
            (SqlType::Varchar, Values::Text(texts))
        }
        other if other.is_integer() || *other == DataType::Boolean => {
            let cast = values.strict_cast(&DataType::Int64).map_err(unusable)?;
            let integers = cast.i64().map_err(unusable)?.iter().map(|value| {
                note(value.is_none());
                value.unwrap_or_default()
            });
            (SqlType::BigInt, Values::Integer(integers.collect()))
        }
        other if other.is_primitive_numeric() => {
            let cast = values.cast(&DataType::Float64).map_err(unusable)?;
            let reals = cast.f64().map_err(unusable)?.iter().map(|value| {
                note(value.is_none());
                value.unwrap_or_default()
            });
            (SqlType::Float, Values::real(reals.collect()))
        }
        other => return Err(fail(format!("expected numbers or texts in `{value}`, found {other}"))),
    };
    let (samples, misplaced) = Samples::from_columns(sql_type, micros, values, nulls)?;
    let notice = Notice::about(
        NoticeKind::OutOfOrder,
        &about.mnemonic,
        format!("{misplaced} rows were out of order, and are sorted"),
    );
    let mnemonic = about.mnemonic.clone();
    let series = Series { about, ..Series::new(mnemonic, range, samples) };
    Ok(Outcome { value: series, notices: Some(notice).filter(|_| misplaced > 0).into_iter().collect() })
}
