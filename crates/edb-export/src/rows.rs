//! Rows as text, printed by all processors.

use std::io::{self, Write};
use std::ops::Range;

use edb_core::TimeText;
use edb_parquet::OwnedColumn;

use crate::columns::Batch;

/// Rows below which a second thread is not worth its beginning.
const LEAST_ROWS: usize = 1 << 12;

/// How a format prints rows of cells.
pub(crate) trait CellFormat: Sync {
    /// What stands before the cell of column `at`; for the first, before the row.
    fn before(&self, at: usize, out: &mut Vec<u8>);
    /// What ends a row.
    fn end(&self, out: &mut Vec<u8>);
    /// A cell that is not there.
    fn null(&self, out: &mut Vec<u8>);
    /// A time, `2022-06-01T00:00:00.064000`.
    fn time(&self, text: &[u8], out: &mut Vec<u8>);
    /// A number.
    fn real(&self, value: f64, out: &mut Vec<u8>);
    /// A text.
    fn text(&self, text: &str, out: &mut Vec<u8>);
}

/// Prints all rows of a batch in their order.
pub(crate) fn print(format: &impl CellFormat, batch: &Batch, out: &mut dyn Write) -> io::Result<()> {
    let words: Vec<Vec<Vec<u8>>> = batch.columns.iter().map(|cells| words(format, &cells.values)).collect();
    in_parts(batch, out, |rows, out| print_rows(format, batch, &words, rows, out))
}

/// Cells whose text is in memory at once, about.
const BLOCK_CELLS: usize = 1 << 22;

/// What each thread makes of its part of the rows, one after the other, of not too many rows at once.
pub(crate) fn in_parts(
    batch: &Batch,
    out: &mut dyn Write,
    make: impl Fn(Range<usize>, &mut Vec<u8>) + Sync,
) -> io::Result<()> {
    let step = (BLOCK_CELLS / batch.columns.len().max(1)).max(LEAST_ROWS);
    for start in (0..batch.rows).step_by(step) {
        block(start..(start + step).min(batch.rows), out, &make)?;
    }
    Ok(())
}

fn block(
    rows: Range<usize>,
    out: &mut dyn Write,
    make: &(impl Fn(Range<usize>, &mut Vec<u8>) + Sync),
) -> io::Result<()> {
    let threads = threads().min(rows.len() / LEAST_ROWS).max(1);
    let border = |at: usize| rows.start + rows.len() * at / threads;
    let made = |at: usize| {
        let mut bytes = Vec::new();
        make(border(at)..border(at + 1), &mut bytes);
        bytes
    };
    if threads == 1 {
        return out.write_all(&made(0));
    }
    let made = &made;
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|at| scope.spawn(move || made(at))).collect();
        for one in running {
            out.write_all(&one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))?;
        }
        Ok(())
    })
}

/// How many threads there is work for.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Each word of a text column as it is printed: it stands in many rows.
fn words(format: &impl CellFormat, values: &OwnedColumn) -> Vec<Vec<u8>> {
    let OwnedColumn::Text(text) = values else { return Vec::new() };
    let print = |word: &std::sync::Arc<str>| {
        let mut out = Vec::new();
        format.text(word, &mut out);
        out
    };
    text.words().iter().map(print).collect()
}

fn print_rows(
    format: &impl CellFormat,
    batch: &Batch,
    words: &[Vec<Vec<u8>>],
    rows: Range<usize>,
    out: &mut Vec<u8>,
) {
    out.reserve(rows.len() * 24 * batch.columns.len());
    let mut times = TimeText::new(b'T');
    let mut digits = itoa::Buffer::new();
    for row in rows {
        for (at, cells) in batch.columns.iter().enumerate() {
            format.before(at, out);
            if cells.is_null(row) {
                format.null(out);
                continue;
            }
            match &cells.values {
                OwnedColumn::Time(values) => format.time(times.print(values[row]), out),
                OwnedColumn::Real(values) => format.real(values[row], out),
                OwnedColumn::Integer(values) => out.extend_from_slice(digits.format(values[row]).as_bytes()),
                OwnedColumn::Text(text) => {
                    out.extend_from_slice(&words[at][text.codes()[row] as usize]);
                }
            }
        }
        format.end(out);
    }
}

/// The decimal of the fewest digits that reads back as the same number, with an exponent where it is very large or small: `0.1`, `1e300`.
pub(crate) fn push_decimal(value: f64, out: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let large = if value.abs() >= 1e16 { text.split_once("e+") } else { None };
    match large {
        Some((digits, exponent)) => out.extend([digits, "e", exponent].concat().bytes()),
        None => out.extend_from_slice(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decimals_are_the_shortest_that_read_back(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            let mut out = Vec::new();
            super::push_decimal(value, &mut out);
            let text = String::from_utf8(out).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
            // The standard library finds the shortest digits, too.
            let digits = |text: &str| {
                let digits: String = text.split('e').next().unwrap().chars().filter(char::is_ascii_digit).collect();
                digits.trim_matches('0').to_owned()
            };
            prop_assert_eq!(digits(&text), digits(&format!("{value:?}")));
            prop_assert!(!text.contains('+'));
        }
    }
}
