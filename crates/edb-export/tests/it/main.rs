//! Files against the tables they were written from.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and make what files it likes"
)]

mod data_set;
mod golden;

use edb_core::{Instant, Mnemonic, Nulls, Samples, Series, SqlType, TextColumn, TimeRange, Values};
use edb_export::{FileOptions, Format, write, write_file};
use edb_frame::{Table, long};

fn series(name: &str, sql_type: SqlType, values: Values, nulls: &[usize]) -> Series {
    let rows = values.len() as i64;
    let mut positions = Nulls::none();
    nulls.iter().for_each(|at| positions.push(*at));
    let times = (0..rows).map(|row| row * 64_000).collect();
    let (samples, _) = Samples::from_columns(sql_type, times, values, positions).unwrap();
    let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(rows.max(1) * 64_000)).unwrap();
    let mut series = Series::new(Mnemonic::new(name).unwrap(), range, samples);
    "V".clone_into(&mut series.about.unit);
    series
}

fn table() -> Table {
    let mut words = TextColumn::default();
    ["plain", "", "a, \"b\"\nc", "# no comment"].iter().for_each(|word| words.push(word));
    let mut table = long(&[
        series("A", SqlType::Float, Values::real(vec![0.1, 1e300, -0.0, f64::NAN]), &[]),
        series("B", SqlType::BigInt, Values::Integer(vec![i64::MAX, 5]), &[1]),
        series("C", SqlType::Varchar, Values::Text(words), &[]),
    ])
    .unwrap();
    table.made.push(("source".to_owned(), "a test\nof two lines".to_owned()));
    table
}

fn bytes(table: &Table, format: Format) -> Vec<u8> {
    write(table, FileOptions::new(format), Vec::new()).unwrap().0
}

#[test]
fn csv_is_exact_and_tells_null_from_empty() {
    let text = String::from_utf8(bytes(&table(), Format::Csv)).unwrap();
    let expected = "\
# source: a test of two lines
# column time: time of the sample, UTC
# column mnemonic: whose sample
# column value [V]: numeric value; integers beyond 2^53 only in `integer`
# column integer [V]: exact value of integer mnemonics
# column text: value of text mnemonics
time,mnemonic,value,integer,text
1970-01-01T00:00:00.000000Z,A,0.1,,
1970-01-01T00:00:00.000000Z,B,,9223372036854775807,
1970-01-01T00:00:00.000000Z,C,,,plain
1970-01-01T00:00:00.064000Z,A,1e300,,
1970-01-01T00:00:00.064000Z,B,,,
1970-01-01T00:00:00.064000Z,C,,,\"\"
1970-01-01T00:00:00.128000Z,A,-0.0,,
1970-01-01T00:00:00.128000Z,C,,,\"a, \"\"b\"\"
c\"
1970-01-01T00:00:00.192000Z,A,NaN,,
1970-01-01T00:00:00.192000Z,C,,,\"# no comment\"
";
    assert_eq!(text, expected);
}

#[test]
fn parquet_holds_the_values_the_nulls_and_the_provenance() {
    let bytes = bytes(&table(), Format::Parquet);
    let contents = edb_parquet::File::from_bytes(bytes, None).unwrap().contents().unwrap();
    assert_eq!(contents.rows, 10);
    assert!(contents.metadata["edb.provenance"].contains("a test"));
    assert!(contents.metadata["edb.columns"].contains("whose sample"));
    let (name, values, nulls) = &contents.columns[2];
    let edb_parquet::OwnedColumn::Real(values) = values else { panic!("{name}") };
    let present: Vec<u64> =
        (0..10).filter(|at| !nulls.contains(*at)).map(|at| values[at].to_bits()).collect();
    assert_eq!(present, [0.1, 1e300, -0.0, f64::NAN].map(f64::to_bits));
}

#[test]
fn the_same_table_gives_the_same_bytes_in_every_format() {
    for (format, names) in Format::ALL {
        assert_eq!(bytes(&table(), format), bytes(&table(), format), "{}", names[0]);
    }
}

#[test]
fn a_table_without_rows_is_a_file_with_columns() {
    let empty = long(&[]).unwrap();
    let text = String::from_utf8(bytes(&empty, Format::Csv)).unwrap();
    assert!(text.ends_with("time,mnemonic,value,integer,text\n"));
    let contents =
        edb_parquet::File::from_bytes(bytes(&empty, Format::Parquet), None).unwrap().contents().unwrap();
    assert_eq!((contents.rows, contents.columns.len()), (0, 5));
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let options = FileOptions::new(Format::from_path(&path).unwrap());
    let written = write_file(&table(), options, &path).unwrap();
    assert_eq!(written.size_bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!(written.rows, 10);
    let error = write_file(&table(), options, &path.join("below/a/file.csv")).unwrap_err();
    assert_eq!(error.kind(), edb_core::ErrorKind::Disk);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), written.size_bytes);
    assert!(Format::from_path(std::path::Path::new("x.docx")).unwrap_err().to_string().contains("x.docx"));
}

#[test]
fn the_digest_is_that_of_the_bytes() {
    use std::io::Write;
    // The example of FIPS 180-2.
    let mut hashed = edb_export::Measured::new(Vec::new(), true);
    hashed.write_all(b"abc").unwrap();
    let (bytes, size, sha256) = hashed.finish();
    assert_eq!((bytes.as_slice(), size), (b"abc".as_slice(), 3));
    assert_eq!(sha256.unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn csv_can_do_without_comments() {
    let options = FileOptions { has_comments: false, ..FileOptions::new(Format::Csv) };
    let (bytes, _) = write(&table(), options, Vec::new()).unwrap();
    assert!(bytes.starts_with(b"time,mnemonic,"));
}

#[test]
fn provenance_of_json_lines_stands_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jsonl");
    let written = write_file(&table(), FileOptions::new(Format::JsonLines), &path).unwrap();
    assert_eq!(written.notices.len(), 1, "one value is no number");
    let about = std::fs::read_to_string(edb_export::about_path(&path)).unwrap();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about["edb.provenance"][0], serde_json::json!(["source", "a test\nof two lines"]));
    assert_eq!(about["edb.columns"]["value"]["standard_unit"], "V");
}

/// Columns of one row, each with a name that FITS does not have.
fn wide(columns: usize) -> Table {
    use polars::prelude::{Column, DataFrame};
    let column = |at: usize| Column::new(format!("a {at}").into(), [at as f64]);
    let frame = DataFrame::new_infer_height((0..columns).map(column).collect()).unwrap();
    Table::from_polars(&frame, &[]).unwrap()
}

#[test]
fn keywords_of_fits_have_eight_letters_for_as_many_columns_as_there_may_be() {
    let found = bytes(&wide(999), Format::Fits);
    let cards = found.chunks(80).map(|card| &card[..10]).skip(36);
    let cards: Vec<&[u8]> = cards.take_while(|key| !key.starts_with(b"END")).collect();
    assert!(cards.iter().any(|key| key == b"TNAME999= "));
    assert!(cards.iter().all(|key| &key[8..] == b"= "), "every card has its value indicator in its place");

    let error = write(&wide(1000), FileOptions::new(Format::Fits), Vec::new()).err().unwrap();
    assert_eq!(error.kind(), edb_core::ErrorKind::Usage);
    assert!(error.to_string().contains("at most 999 columns"), "{error}");
}

#[test]
fn only_times_that_ascend_are_said_to() {
    use polars::prelude::{DataFrame, Int64Chunked, IntoColumn, NewChunkedArray, TimeUnit, TimeZone};
    let table = |times: &[i64]| {
        let times = Int64Chunked::from_slice("time".into(), times);
        let times = times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column();
        Table::from_polars(&DataFrame::new_infer_height(vec![times]).unwrap(), &[]).unwrap()
    };
    let options = FileOptions::new(Format::Parquet);
    // A table in several chunks ascends as a whole, or not.
    for (first, second, ascends) in [([1, 2], [2, 3], true), ([1, 3], [2, 4], false), ([2, 1], [3, 4], false)]
    {
        let mut frame = table(&first).into_polars();
        frame.vstack_mut(table(&second).frame()).unwrap();
        let (sorted, _) = write(&Table::from_polars(&frame, &[]).unwrap(), options, Vec::new()).unwrap();
        let (plain, _) = write(&table(&[first, second].concat()), options, Vec::new()).unwrap();
        assert_eq!(sorted, plain);
        // What follows rows that ascended must ascend, too.
        let mut writer =
            edb_export::Writer::new(&table(&first), options, Vec::new(), &std::env::temp_dir()).unwrap();
        writer.add(&table(&first)).unwrap();
        writer.add(&table(&second)).unwrap();
        assert_eq!(writer.finish().is_ok(), ascends || first == [2, 1], "{first:?} {second:?}");
    }
}
