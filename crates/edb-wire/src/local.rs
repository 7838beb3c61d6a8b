//! `EngdbLocal`: the direct service's data reply, and one file of a folder in that form (`sa_zattest1_data.json`; its
//! `meta.json` is [`crate::dictionary::direct`]).
//!
//! ```json
//! {"TlmMnemonic":"SA_ZATTEST1","AllPoints":1,"Count":1,"Data":[{"ObsTime":"/Date(1611628142147+0000)/","EUValue":-0.2}]}
//! ```

use edb_core::{Error, Instant, Mnemonic, Nulls, Result, Samples, SqlType, TextColumn, ValueKind, Values};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::decode::real_from_text;
use crate::dictionary::direct::all_points;
use crate::excerpt::excerpt;
use crate::json;

/// One mnemonic's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// Whose samples.
    pub mnemonic: Mnemonic,
    /// Whether every sample is kept (`true`) or only changes (`false`), if said. Files saved by the `jwst` pipeline always
    /// say `true`.
    pub all_points: Option<bool>,
    /// All rows, ordered by time.
    pub samples: Samples,
    /// How many rows came before their predecessor in time.
    pub misplaced: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    tlm_mnemonic: String,
    all_points: Option<Value>,
    data: Option<Vec<Row>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    obs_time: String,
    #[serde(rename = "EUValue", default)]
    value: Value,
}

/// Reads a file.
///
/// - time: the milliseconds of `/Date(…)/`; the offset behind them says nothing
/// - type: `sql_type` if given (from `meta.json`); otherwise all whole numbers are [`SqlType::BigInt`], other numbers
///   [`SqlType::Float`], texts [`SqlType::Varchar`], and no values at all are [`SqlType::Varchar`]
/// - `null` is null; texts like `NaN` and `inf` are numbers if the type is given as one, since JSON has none
///
/// # Errors
/// [`edb_core::ErrorKind::Integrity`] if `body` is not JSON of this form, a time is not one, or a value is not of the type.
pub fn parse(body: &[u8], sql_type: Option<&SqlType>) -> Result<Local> {
    let body: Body = json::parse(body, "the samples of the direct service")?;
    let mnemonic = Mnemonic::new(&body.tlm_mnemonic).map_err(|error| {
        Error::integrity("could not read the samples of the direct service").caused_by(error)
    })?;
    let rows = body.data.unwrap_or_default();
    let sql_type = sql_type.cloned().unwrap_or_else(|| inferred_type(&rows));
    let (samples, misplaced) = columns(&mnemonic, sql_type, &rows)?;
    Ok(Local { mnemonic, all_points: body.all_points.as_ref().and_then(all_points), samples, misplaced })
}

/// The narrowest type of all values; a value that does not fit it is refused afterwards, with its row.
fn inferred_type(rows: &[Row]) -> SqlType {
    let mut values = rows.iter().map(|row| &row.value).filter(|value| !value.is_null());
    match values.clone().next() {
        Some(Value::Number(_)) if values.all(Value::is_i64) => SqlType::BigInt,
        Some(Value::Number(_)) => SqlType::Float,
        _ => SqlType::Varchar,
    }
}

fn columns(mnemonic: &Mnemonic, sql_type: SqlType, rows: &[Row]) -> Result<(Samples, usize)> {
    let refused = |row: usize, expected: &str, found: &[u8]| {
        let (row, found) = (row + 1, excerpt(found));
        Error::integrity(format!(
            "could not read row {row} of `{mnemonic}`: expected {expected}, found {found}"
        ))
    };
    let expected = match sql_type.kind() {
        ValueKind::Real => "a number",
        ValueKind::Integer => "a whole number of 64 bits",
        ValueKind::Text => "a text",
    };
    let (mut times, mut nulls) = (Vec::with_capacity(rows.len()), Nulls::none());
    let mut values = Values::empty(sql_type.kind());
    for (at, row) in rows.iter().enumerate() {
        times.push(time(&row.obs_time).ok_or_else(|| {
            refused(at, "a time like `/Date(1611628142147+0000)/`", row.obs_time.as_bytes())
        })?);
        if row.value.is_null() {
            nulls.push(at);
        }
        let unfit = || refused(at, expected, row.value.to_string().as_bytes());
        match &mut values {
            Values::Real(column) => column.0.push(real(&row.value).ok_or_else(unfit)?),
            Values::Integer(column) => column.push(integer(&row.value).ok_or_else(unfit)?),
            Values::Text(column) => push_text(column, &row.value).ok_or_else(unfit)?,
        }
    }
    Samples::from_columns(sql_type, times, values, nulls)
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(0.0),
        Value::String(text) => real_from_text(text),
        other => other.as_f64(),
    }
}

fn integer(value: &Value) -> Option<i64> {
    // Below this every whole number is a double, so that none can have been rounded on the way.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Null => Some(0),
        other => other.as_i64().or_else(|| {
            let number = other.as_f64().filter(|number| number.trunc().to_bits() == number.to_bits());
            number.filter(|number| number.abs() < EXACT).map(|number| number as i64)
        }),
    }
}

fn push_text(column: &mut TextColumn, value: &Value) -> Option<()> {
    match value {
        Value::Null => column.push(""),
        other => column.push(other.as_str()?),
    }
    Some(())
}

/// Microseconds since 1970 of `/Date(1611628142147+0000)/`.
fn time(text: &str) -> Option<i64> {
    let inside = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let sign = usize::from(inside.starts_with('-'));
    let digits = inside.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
    let millis: i64 = inside.get(..sign + digits)?.parse().ok()?;
    let micros = millis.checked_mul(1000)?;
    (Instant::from_micros(micros).as_micros() == micros).then_some(micros)
}

/// Writes a file. Times are rounded to the millisecond, which is all this form holds; an unknown `all_points` is left out;
/// numbers have the shortest text that means the same double, NaN and infinities are texts, which [`parse`] understands
/// when told the type.
pub fn format(mnemonic: &Mnemonic, samples: &Samples, all_points: Option<bool>) -> Vec<u8> {
    let value = |at: usize| match samples.values() {
        _ if samples.nulls().contains(at) => Value::Null,
        Values::Real(column) if column.0[at].is_finite() => json!(column.0[at]),
        Values::Real(column) => json!(column.0[at].to_string()),
        Values::Integer(column) => json!(column[at]),
        Values::Text(column) => json!(column.word(at).as_ref()),
    };
    let row = |(at, time): (usize, &i64)| {
        // Rounded: the pipeline's own writer truncates, and half of its rows are a millisecond early.
        let millis = (time + 500).div_euclid(1000);
        json!({ "ObsTime": format!("/Date({millis}+0000)/"), "EUValue": value(at) })
    };
    let rows: Vec<_> = samples.times().iter().enumerate().map(row).collect();
    let mut body = json!({ "TlmMnemonic": mnemonic.as_str(), "Count": rows.len(), "Data": rows });
    if let Some(all) = all_points {
        body["AllPoints"] = json!(u8::from(all));
    }
    json::format(&body)
}

#[cfg(test)]
mod tests {
    use edb_core::ErrorKind;

    use super::*;

    fn body(values: &str) -> String {
        let row = |(at, value): (usize, &str)| {
            format!(r#"{{"ObsTime":"/Date({}+1234)/","EUValue":{value}}}"#, 1_611_628_142_147 + at)
        };
        let rows: Vec<_> = values.split(' ').enumerate().map(row).collect();
        format!(r#"{{"TlmMnemonic":"SA_ZATTEST1","AllPoints":1,"Count":9,"Data":[{}]}}"#, rows.join(","))
    }

    #[test]
    fn the_type_is_inferred_from_all_values() {
        for (values, expected) in [
            ("1 null -2", SqlType::BigInt),
            ("1 2.5", SqlType::Float),
            ("8.417044478070679e-09", SqlType::Float),
            (r#""ON" "OFF""#, SqlType::Varchar),
            ("null", SqlType::Varchar),
        ] {
            let local = parse(body(values).as_bytes(), None).unwrap();
            assert_eq!(local.samples.sql_type(), &expected, "{values}");
            assert_eq!(local.samples.times()[0], 1_611_628_142_147_000);
            let again =
                parse(&format(&local.mnemonic, &local.samples, local.all_points), Some(&expected)).unwrap();
            assert_eq!(again, local, "{values}");
        }
    }

    #[test]
    fn the_type_given_decides() {
        let local = parse(body("1 \"NaN\" 2.0").as_bytes(), Some(&SqlType::Real)).unwrap();
        assert_eq!(local.samples.values(), &Values::real(vec![1.0, f64::NAN, 2.0]));
        let local = parse(body("1 2.0").as_bytes(), Some(&SqlType::Int)).unwrap();
        assert_eq!(local.samples.values(), &Values::Integer(vec![1, 2]));
        for (values, sql_type) in [("2.5", SqlType::Int), ("7", SqlType::Varchar), ("\"x\"", SqlType::Real)] {
            let error = parse(body(values).as_bytes(), Some(&sql_type)).unwrap_err();
            assert!(error.to_string().starts_with("could not read row 1 of `SA_ZATTEST1`"), "{error}");
        }
        assert!(parse(body("1 \"x\"").as_bytes(), None).is_err());
    }

    #[test]
    fn no_data_is_no_samples() {
        let local = parse(br#"{"TlmMnemonic":"X","Count":0,"Data":null}"#, Some(&SqlType::Int)).unwrap();
        assert_eq!((local.samples, local.all_points), (Samples::empty(SqlType::Int), None));
    }

    #[test]
    fn only_the_milliseconds_of_a_time_count() {
        for text in ["/Date(1611628142147+0000)/", "/Date(1611628142147+1234)/", "/Date(1611628142147)/"] {
            assert_eq!(time(text), Some(1_611_628_142_147_000), "{text}");
        }
        for text in ["", "/Date()/", "/Date(x)/", "1611628142147", "/Date(9999999999999999)/", "2021-01-26"] {
            assert_eq!(time(text), None, "{text}");
        }
        let error = parse(body("1").replace("/Date(", "/Day(").as_bytes(), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
    }

    #[test]
    fn times_are_rounded_to_the_millisecond() {
        let (samples, _) = Samples::from_columns(
            SqlType::Int,
            vec![-1, 1_499, 1_500],
            Values::Integer(vec![0; 3]),
            Nulls::none(),
        )
        .unwrap();
        let body = format(&Mnemonic::new("X").unwrap(), &samples, None);
        assert_eq!(parse(&body, Some(&SqlType::Int)).unwrap().samples.times(), [0, 1_000, 2_000]);
    }
}
