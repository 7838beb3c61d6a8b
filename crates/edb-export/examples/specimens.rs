//! Writes tables that a JSON file describes in every format: `specimens TRUTH.json FOLDER`. The proof that readers see what was meant
//! (`tests/readers/read_all.py`) makes the description, so that the truth does not come from the code that is tested.
#![allow(clippy::unwrap_used, reason = "a tool of the tests: what is wrong is seen at once")]

use std::path::{Path, PathBuf};

use edb_core::{Notice, NoticeKind};
use edb_export::{FileOptions, FileWriter, Format};
use edb_frame::{ColumnAbout, Table};
use polars::prelude::{
    Column, DataFrame, Float64Chunked, Int64Chunked, IntoColumn, NewChunkedArray, StringChunked, TimeUnit,
    TimeZone,
};
use serde_json::Value;

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [truth, folder] = arguments.as_slice() else { panic!("specimens TRUTH.json FOLDER") };
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(truth).unwrap()).unwrap();
    for (name, described) in truth.as_object().unwrap() {
        let table = table(described);
        for (format, extensions) in Format::ALL {
            write(&table, format, &folder.join(format!("{name}.{}", extensions[0])));
        }
    }
}

/// In parts, as a long export has them.
fn write(table: &Table, format: Format, path: &Path) {
    let mut file = FileWriter::create(table, FileOptions::new(format), path).unwrap();
    let step = (table.rows() / 3).max(1);
    for start in (0..table.rows()).step_by(step) {
        file.add(&table.slice(start..(start + step).min(table.rows()))).unwrap();
    }
    let written = file.finish().unwrap();
    assert_eq!(written.rows, table.rows());
}

fn table(described: &Value) -> Table {
    let columns = described["columns"].as_array().unwrap();
    let frame = DataFrame::new_infer_height(columns.iter().map(column).collect()).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let about: Vec<ColumnAbout> = columns
        .iter()
        .map(|column| ColumnAbout {
            name: text(&column["name"]),
            mnemonic: None,
            unit: text(&column["unit"]),
            description: text(&column["description"]),
        })
        .collect();
    let mut table = Table::from_polars(&frame, &about).unwrap();
    for fact in described["facts"].as_array().unwrap() {
        table.made.push((text(&fact[0]), text(&fact[1])));
    }
    table.notices.push(Notice::general(NoticeKind::Synthetic, "none of this was measured"));
    table
}

fn column(described: &Value) -> Column {
    let name = described["name"].as_str().unwrap().into();
    let values = described["values"].as_array().unwrap();
    match described["kind"].as_str().unwrap() {
        "time" => {
            let micros = Int64Chunked::from_iter_options(name, values.iter().map(Value::as_i64));
            micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
        }
        "integer" => Int64Chunked::from_iter_options(name, values.iter().map(Value::as_i64)).into_column(),
        "real" => {
            // As text, since JSON has no word for all of them.
            let real = |value: &Value| value.as_str().map(|text| text.parse::<f64>().unwrap());
            Float64Chunked::from_iter_options(name, values.iter().map(real)).into_column()
        }
        _ => StringChunked::from_iter_options(name, values.iter().map(Value::as_str)).into_column(),
    }
}
