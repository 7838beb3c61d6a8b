//! A small table in every format, as files that people can read: those of text as they are, the others told in words.

use std::fmt::Write as _;
use std::path::Path;

use edb_core::{Notice, NoticeKind};
use edb_export::{FileOptions, Format, write};
use edb_frame::{ColumnAbout, Table};
use edb_parquet::OwnedColumn;
use polars::prelude::{
    DataFrame, Float64Chunked, Int64Chunked, IntoColumn, NewChunkedArray, StringChunked, TimeUnit, TimeZone,
};
use polars_arrow::io::ipc::read::{FileReader, read_file_metadata};

pub(crate) fn specimen() -> Table {
    let times = Int64Chunked::from_vec(
        "time".into(),
        vec![1_709_251_200_000_000, 1_709_251_200_064_000, 1_709_251_201_000_001],
    );
    let times = times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let until = Int64Chunked::from_iter_options(
        "until".into(),
        [Some(1_709_251_200_064_000), None, None].into_iter(),
    );
    let until = until.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let frame = DataFrame::new_infer_height(vec![
        times.into_column(),
        Float64Chunked::from_iter_options("VOLT".into(), [Some(0.1), None, Some(-1.5e-12)].into_iter())
            .into_column(),
        Float64Chunked::from_iter_options(
            "TEMP".into(),
            [Some(f64::NAN), Some(f64::INFINITY), Some(20.0)].into_iter(),
        )
        .into_column(),
        Int64Chunked::from_iter_options(
            "COUNT".into(),
            [Some(9_007_199_254_740_993), None, Some(i64::MIN)].into_iter(),
        )
        .into_column(),
        StringChunked::from_iter_options(
            "STATE".into(),
            [Some("ON"), None, Some("a, \"b\" <µ>\n")].into_iter(),
        )
        .into_column(),
        until.into_column(),
    ])
    .unwrap();
    let about = |name: &str, unit: &str, description: &str| ColumnAbout {
        name: name.to_owned(),
        mnemonic: name.starts_with(char::is_uppercase).then(|| edb_core::Mnemonic::new(name).unwrap()),
        unit: unit.to_owned(),
        description: description.to_owned(),
    };
    let about = [
        about("time", "", "time of the row, UTC"),
        about("VOLT", "V", "bus voltage, with an apostrophe: it's"),
        about("TEMP", "C", "panel temperature"),
        about("COUNT", "steps", "motor position"),
        about("STATE", "", "what it does"),
        about("until", "", ""),
    ];
    let mut table = Table::from_polars(&frame, &about).unwrap();
    table.made.push(("selected".to_owned(), "VOLT@2024-03-01T00:00:00Z/2024-03-01T00:01:00Z".to_owned()));
    let mut volt = edb_core::DictionaryEntry::bare(edb_core::Mnemonic::new("VOLT").unwrap());
    "V".clone_into(&mut volt.unit);
    "bus voltage".clone_into(&mut volt.description);
    table.mnemonics.push(volt);
    table.notices.push(Notice::general(NoticeKind::Synthetic, "none of this was measured: \"<synthetic>\""));
    table
}

fn compare(format: Format, name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    #[expect(clippy::disallowed_methods, reason = "whoever changes a format on purpose asks for it")]
    if std::env::var("EDB_BLESS").is_ok() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == expected,
        "{format:?} differs from {}: EDB_BLESS=1 rewrites it\n{found}",
        path.display()
    );
}

#[test]
fn every_format_is_as_it_was() {
    for (format, names) in Format::ALL {
        let (bytes, written) = write(&specimen(), FileOptions::new(format), Vec::new()).unwrap();
        let mut text = match format {
            Format::Fits => fits(&bytes),
            Format::Parquet => parquet(bytes),
            Format::Arrow => arrow(bytes),
            _ => String::from_utf8(bytes).unwrap(),
        };
        if !format.is_text() {
            for notice in &written.notices {
                writeln!(text, "told: {notice}").unwrap();
            }
        }
        let name = format!("table.{}{}", names[0], if format.is_text() { "" } else { ".txt" });
        compare(format, &name, &text);
    }
}

/// The cards, and the rows in hexadecimal digits.
fn fits(bytes: &[u8]) -> String {
    assert_eq!(bytes.len() % 2880, 0);
    let mut text = String::new();
    let (mut at, mut headers) = (0, 0);
    let mut width = 0;
    while headers < 2 {
        let card = std::str::from_utf8(&bytes[at..at + 80]).unwrap().trim_end();
        writeln!(text, "{card}").unwrap();
        if let Some(value) = card.strip_prefix("NAXIS1  =") {
            width = value.split('/').next().unwrap().trim().parse().unwrap();
        }
        at += 80;
        if card == "END" {
            headers += 1;
            at = usize::next_multiple_of(at, 2880);
        }
    }
    for row in bytes[at..].chunks(width).take(3) {
        text.push_str("row ");
        row.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        text.push('\n');
    }
    text
}

fn parquet(bytes: Vec<u8>) -> String {
    let contents = edb_parquet::File::from_bytes(bytes, None).unwrap().contents().unwrap();
    let mut text = String::new();
    for (key, value) in contents.metadata.iter().filter(|(key, _)| *key != "edb.pages") {
        writeln!(text, "{key}: {value}").unwrap();
    }
    for (name, values, nulls) in &contents.columns {
        let kind = values.kind();
        let values = match values {
            OwnedColumn::Time(values) | OwnedColumn::Integer(values) => format!("{values:?}"),
            OwnedColumn::Real(values) => format!("{values:?}"),
            OwnedColumn::Text(column) => {
                format!("{:?}", (0..contents.rows).map(|row| column.word(row)).collect::<Vec<_>>())
            }
        };
        writeln!(text, "column {name} ({kind:?}): {values}, null at {:?}", nulls.positions()).unwrap();
    }
    text
}

fn arrow(bytes: Vec<u8>) -> String {
    let mut file = std::io::Cursor::new(bytes);
    let metadata = read_file_metadata(&mut file).unwrap();
    let mut text = String::new();
    for (key, value) in metadata.custom_schema_metadata.iter().flat_map(|pairs| pairs.iter()) {
        writeln!(text, "{key}: {value}").unwrap();
    }
    let schema = metadata.schema.clone();
    let batches: Vec<_> = FileReader::new(file, metadata, None, None).map(|batch| batch.unwrap()).collect();
    for (at, field) in schema.iter_values().enumerate() {
        let pairs: Vec<String> = field
            .metadata
            .iter()
            .flat_map(|pairs| pairs.iter())
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        let nullable = if field.is_nullable { ", may be null" } else { "" };
        let kind = field.dtype();
        write!(text, "column {} ({kind:?}{nullable}; {}):", field.name, pairs.join("; ")).unwrap();
        for batch in &batches {
            writeln!(text, " {:?}", batch.arrays()[at]).unwrap();
        }
    }
    text
}
