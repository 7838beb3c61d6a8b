//! Measures the exporters. What it makes is written by `peers/export.py`, too.
//!
//! ```text
//! export make FILE ROWS             five columns, as Parquet
//! export ROWS FORMAT FILE [TIMES]   the same columns to FILE: time, CPU time, size; the file is removed
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::Path;

use edb_bench::{Meter, Random};
use edb_core::{Error, Result, atomic};
use edb_export::{FileOptions, Format, write_file};
use edb_frame::{ColumnAbout, Table, polars::DataFrame};
use polars::prelude::{
    Float64Chunked, Int64Chunked, IntoColumn, NewChunkedArray, StringChunked, TimeUnit, TimeZone,
};

/// 2024-03-01T00:00:00Z.
const START: i64 = 1_709_251_200_000_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().map_err(|_| Error::usage("expected a number"));
    match words.as_slice() {
        ["make", file, rows] => {
            write_file(&table(number(rows)?)?, FileOptions::new(Format::Parquet), Path::new(file)).map(|_| ())
        }
        [rows, format, file] => measure(number(rows)?, format, Path::new(file), 3),
        [rows, format, file, times] => measure(number(rows)?, format, Path::new(file), number(times)?),
        _ => Err(Error::usage("expected `make FILE ROWS`, or `ROWS FORMAT FILE [TIMES]`")),
    }
}

/// As the service sends them: a voltage of a 12-bit converter, a temperature with ten decimals and some gaps, a counter, a state.
fn table(rows: usize) -> Result<Table> {
    let mut random = Random::new(6);
    let times: Vec<i64> = (0..rows as i64).map(|row| START + row * 256_000 + row * 37 % 3 * 1_000).collect();
    let ten_decimals = |value: f64| (value * 1e10).round() / 1e10;
    let volts: Vec<f64> = (0..rows)
        .map(|row| ten_decimals(((row as f64 / 9e3).sin() * 900.0 + random.next() * 5.0).round() * 0.012_207))
        .collect();
    let mut level = 20.0;
    let mut celsius = || {
        level += random.next() * 0.01 - 0.005;
        (random.next() > 1e-3).then(|| ten_decimals(level + random.next() * 0.1))
    };
    let celsius = Float64Chunked::from_iter_options("TEMP".into(), (0..rows).map(|_| celsius()));
    let counts: Vec<i64> = (0..rows as i64).map(|row| row * 7 % 65_536 + (1 << 60)).collect();
    let state = |row: usize| Some(["OFF", "STANDBY", "ON"][row / 1200 % 3]);
    let times = Int64Chunked::from_vec("time".into(), times);
    let frame = DataFrame::new_infer_height(vec![
        times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column(),
        Float64Chunked::from_vec("VOLT".into(), volts).into_column(),
        celsius.into_column(),
        Int64Chunked::from_vec("COUNT".into(), counts).into_column(),
        StringChunked::from_iter_options("STATE".into(), (0..rows).map(state)).into_column(),
    ]);
    let frame = frame.map_err(|error| Error::usage("could not make the table").caused_by(error))?;
    let about = |name: &str, unit: &str| ColumnAbout {
        name: name.to_owned(),
        mnemonic: None,
        unit: unit.to_owned(),
        description: String::new(),
    };
    Table::from_polars(&frame, &[about("VOLT", "V"), about("TEMP", "C")])
}

fn measure(rows: usize, format: &str, file: &Path, times: usize) -> Result<()> {
    let options = FileOptions::new(Format::from_name(format)?);
    let table = table(rows)?;
    for _ in 0..times {
        let meter = Meter::start();
        let written = write_file(&table, options, file)?;
        println!("{format}: {rows} rows, {:.1} MB: {}", written.size_bytes as f64 / 1e6, meter.report());
        atomic::remove(file)?;
    }
    Ok(())
}
