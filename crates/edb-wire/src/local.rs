//! Samples in the form of the direct service and of EngdbLocal folders: one `<mnemonic>_data.json` for each mnemonic.

use edb_core::{
    Error, Instant, Mnemonic, Nulls, RealColumn, Result, Sample, Samples, SqlType, Value, Values,
};
use serde::Deserialize;
use serde_json::json;

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// Whose samples.
    pub mnemonic: Mnemonic,
    /// Whether every sample is kept, or only changes.
    pub all_points: Option<bool>,
    /// All rows, ascending in time.
    pub samples: Samples,
    /// How many rows came before their predecessor in time.
    pub misplaced: usize,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "TlmMnemonic")]
    mnemonic: String,
    #[serde(rename = "AllPoints", default)]
    all_points: Option<i64>,
    #[serde(rename = "Data", default)]
    data: Option<Vec<Row>>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "ObsTime")]
    time: String,
    #[serde(rename = "EUValue")]
    value: serde_json::Value,
}

/// Reads a file. `sql_type` is what a dictionary says of the mnemonic; without it the type is told from the values: text if
/// any is text, `float` if any has a fraction, else `bigint`.
///
/// # Errors
/// [`edb_core::ErrorKind::Integrity`] if the text is no such JSON, a time is not `/Date(<13 digits>…)/`, or a value is not
/// of its type.
pub fn parse(text: &[u8], sql_type: Option<&SqlType>) -> Result<Local> {
    let file: File = serde_json::from_slice(text)
        .map_err(|error| Error::integrity("could not read the EngdbLocal JSON").caused_by(error))?;
    let mnemonic = Mnemonic::new(&file.mnemonic)?;
    let rows = file.data.unwrap_or_default();
    let sql_type = sql_type.cloned().unwrap_or_else(|| infer(&rows));
    let mut times = Vec::with_capacity(rows.len());
    let mut nulls = Nulls::none();
    let mut values = Values::empty(sql_type.kind());
    for (at, row) in rows.iter().enumerate() {
        let fault = |expected: &str, found: &str| {
            Error::integrity(format!("row {} of {mnemonic}: expected {expected}, found `{found}`", at + 1))
        };
        times.push(
            milliseconds(&row.time)
                .ok_or_else(|| fault("a time like `/Date(1611628142147+0000)/`", &row.time))?
                * 1000,
        );
        if row.value.is_null() {
            nulls.push(at);
        }
        let wrong = || fault(&format!("a value of type `{sql_type}`"), &row.value.to_string());
        match &mut values {
            Values::Real(RealColumn(values)) => {
                values.push(if row.value.is_null() { 0.0 } else { row.value.as_f64().ok_or_else(wrong)? });
            }
            Values::Integer(values) => {
                values.push(if row.value.is_null() { 0 } else { whole(&row.value).ok_or_else(wrong)? });
            }
            Values::Text(column) => match &row.value {
                serde_json::Value::String(text) => column.push(text),
                serde_json::Value::Null => column.push(""),
                other => column.push(&other.to_string()),
            },
        }
    }
    let (samples, misplaced) = Samples::from_columns(sql_type, times, values, nulls)?;
    Ok(Local { mnemonic, all_points: file.all_points.map(|flag| flag != 0), samples, misplaced })
}

/// Writes a file. The form has whole milliseconds: what a time has beyond them is cut.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] for NaN and infinities, which JSON does not have.
pub fn format(mnemonic: &Mnemonic, all_points: Option<bool>, samples: &Samples) -> Result<String> {
    let row = |sample: Sample| {
        let value = match sample.value {
            Value::Null => serde_json::Value::Null,
            Value::Real(value) => {
                serde_json::Number::from_f64(value).map(serde_json::Value::Number).ok_or_else(|| {
                    Error::usage(format!(
                        "could not write {mnemonic} as JSON: {value} at {} has no form there",
                        sample.time
                    ))
                })?
            }
            Value::Integer(value) => json!(value),
            Value::Text(text) => json!(text),
        };
        let millis = sample.time.as_micros().div_euclid(1000);
        Ok(json!({ "ObsTime": format!("/Date({millis:013}+0000)/"), "EUValue": value }))
    };
    let data = samples.iter().map(row).collect::<Result<Vec<_>>>()?;
    let all_points = i32::from(all_points != Some(false));
    Ok(json!({ "TlmMnemonic": mnemonic, "AllPoints": all_points, "Count": data.len(), "Data": data })
        .to_string())
}

fn infer(rows: &[Row]) -> SqlType {
    if rows.iter().any(|row| row.value.is_string()) {
        SqlType::Varchar
    } else if rows.iter().all(|row| row.value.is_null() || row.value.is_i64()) {
        SqlType::BigInt
    } else {
        SqlType::Float
    }
}

fn whole(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|v| v.fract() == 0.0 && v.abs() < 9e15).map(|v| v as i64))
}

/// The thirteen digits of `/Date(1611628142147+0000)/`; the offset means nothing.
fn milliseconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("/Date(")?.get(..13)?;
    let millis = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    millis.filter(|millis| millis * 1000 <= Instant::MAX.as_micros())
}

/// The mnemonic of a file name `<mnemonic>_data.json`; `None` for other files.
pub fn mnemonic_of_file(name: &str) -> Option<Mnemonic> {
    Mnemonic::new(name.strip_suffix("_data.json")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = br#"{"TlmMnemonic":"SA_ZATTEST1","AllPoints":1,"Count":2,"Data":[
        {"ObsTime":"/Date(1611628142403+0000)/","EUValue":-0.2},
        {"ObsTime":"/Date(1611628142147+1234)/","EUValue":-0.209546775}]}"#;

    #[test]
    fn files_round_trip_and_offsets_mean_nothing() {
        let local = parse(TEXT, None).unwrap();
        assert_eq!((local.misplaced, local.all_points), (1, Some(true)));
        assert_eq!(local.samples.time(0).to_string(), "2021-01-26T02:29:02.147Z");
        assert_eq!(local.samples.sql_type(), &SqlType::Float);
        let text = format(&local.mnemonic, local.all_points, &local.samples).unwrap();
        assert_eq!(parse(text.as_bytes(), None).unwrap().samples, local.samples);
    }

    #[test]
    fn types_are_taken_or_told_from_the_values() {
        let with = |values: &str, sql_type: Option<SqlType>| {
            let rows: Vec<String> = values
                .split('|')
                .map(|value| format!(r#"{{"ObsTime":"/Date(1611628142147)/","EUValue":{value}}}"#))
                .collect();
            let text = format!(r#"{{"TlmMnemonic":"M","Data":[{}]}}"#, rows.join(","));
            parse(text.as_bytes(), sql_type.as_ref()).map(|local| local.samples)
        };
        assert_eq!(with("1|2", None).unwrap().sql_type(), &SqlType::BigInt);
        assert_eq!(with("1|2.5", None).unwrap().sql_type(), &SqlType::Float);
        assert_eq!(with("\"OFF\"|null", None).unwrap().nulls().positions(), [1]);
        assert_eq!(with("1|2.0", Some(SqlType::TinyInt)).unwrap().sql_type(), &SqlType::TinyInt);
        assert!(with("1.5", Some(SqlType::TinyInt)).unwrap_err().to_string().contains("row 1 of M"));
        assert!(parse(br#"{"TlmMnemonic":"M","Data":null}"#, None).unwrap().samples.is_empty());
        assert!(parse(br#"{"TlmMnemonic":"M","Data":[{"ObsTime":"x","EUValue":1}]}"#, None).is_err());
    }
}
