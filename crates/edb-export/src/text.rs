//! Tables as words, for people to look at.

use edb_core::{Instant, Result};
use edb_frame::Table;
use edb_parquet::OwnedColumn;

use crate::columns;

/// One cell in words, and whether it is a number, which people want to stand on the right.
pub type Word = (String, bool);

/// The names of the columns, and then every row. Numbers have at most six significant digits, times as many decimals as they need, and what is
/// null is `-`: this is for looking at, not for reading back.
///
/// # Errors
/// None that bad telemetry could cause.
pub fn words(table: &Table) -> Result<Vec<Vec<Word>>> {
    let batch = columns::batch(table.frame())?;
    let is_number = |values: &OwnedColumn| matches!(values, OwnedColumn::Real(_) | OwnedColumn::Integer(_));
    let named = table.columns().iter().zip(&batch.columns);
    let mut rows = vec![named.map(|(about, cells)| (about.name.clone(), is_number(&cells.values))).collect()];
    for row in 0..batch.rows {
        let word = |cells: &columns::Cells| {
            let text = match &cells.values {
                _ if cells.is_null(row) => "-".to_owned(),
                OwnedColumn::Time(times) => Instant::from_micros(times[row]).to_string(),
                OwnedColumn::Real(values) => real(values[row]),
                OwnedColumn::Integer(values) => values[row].to_string(),
                OwnedColumn::Text(text) => text.word(row).replace(['\n', '\r', '\t'], " "),
            };
            (text, is_number(&cells.values))
        };
        rows.push(batch.columns.iter().map(word).collect());
    }
    Ok(rows)
}

/// `0.0138889`, `1234.57`, `1.5e-12`.
fn real(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    if !(1e-4..1e7).contains(&size) {
        let text = format!("{value:.5e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trim(digits));
    }
    let decimals = 5 - (size.log10().floor() as i32).min(5);
    trim(&format!("{value:.*}", decimals as usize)).to_owned()
}

/// Without zeros at the end of its decimals.
fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::real;

    #[test]
    fn numbers_have_six_digits_and_no_noise() {
        for (value, text) in [
            (0.0, "0"),
            (-0.013_888_888, "-0.0138889"),
            (1_234.567_89, "1234.57"),
            (999_999.7, "1000000"),
            (5.5, "5.5"),
            (1.5e-12, "1.5e-12"),
            (2e9, "2e9"),
            (100.0, "100"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(real(value), text);
        }
    }
}
