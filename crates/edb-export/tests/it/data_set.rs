//! Folders of files by mnemonic and time.

use std::path::Path;

use edb_export::{DataSet, FileOptions, Format, PartitionKey};
use edb_frame::{Table, polars::DataFrame};
use polars::prelude::{Int64Chunked, IntoColumn, NewChunkedArray, StringChunked, TimeUnit, TimeZone};

const DAY: i64 = 86_400_000_000;

/// One row every six hours from 1970-01-30 on, of two mnemonics in turn.
fn table(rows: std::ops::Range<i64>) -> Table {
    let times =
        Int64Chunked::from_vec("time".into(), rows.clone().map(|row| 29 * DAY + row * DAY / 4).collect());
    let name = |row: i64| Some(if row % 2 == 0 { "A" } else { "B/b" });
    let frame = DataFrame::new_infer_height(vec![
        times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column(),
        StringChunked::from_iter_options("mnemonic".into(), rows.clone().map(name)).into_column(),
        Int64Chunked::from_vec("integer".into(), rows.collect()).into_column(),
    ])
    .unwrap();
    Table::from_polars(frame, &[]).unwrap()
}

fn integers(path: &Path) -> Vec<i64> {
    let contents = edb_parquet::File::open(path, None).unwrap().contents().unwrap();
    let names: Vec<&str> = contents.columns.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["time", "integer"]);
    let edb_parquet::OwnedColumn::Integer(values) = &contents.columns[1].1 else { panic!() };
    values.clone()
}

#[test]
fn each_row_is_in_the_file_of_its_mnemonic_and_month() {
    let folder = tempfile::tempdir().unwrap();
    let keys = [PartitionKey::Mnemonic, PartitionKey::Month];
    let mut set = DataSet::create(folder.path(), &keys, FileOptions::new(Format::Parquet)).unwrap();
    // The second table has rows of the same files.
    set.add(&table(0..5)).unwrap();
    set.add(&table(5..16)).unwrap();
    assert!(!folder.path().join("mnemonic=A").exists(), "nothing has its name yet");
    let parts = set.finish().unwrap();
    let found: Vec<(String, usize)> =
        parts.iter().map(|part| (part.path.display().to_string(), part.written.rows)).collect();
    let expected = [
        ("mnemonic=A/month=1970-01/part-0.parquet", 4),
        ("mnemonic=A/month=1970-02/part-0.parquet", 4),
        ("mnemonic=B%2Fb/month=1970-01/part-0.parquet", 4),
        ("mnemonic=B%2Fb/month=1970-02/part-0.parquet", 4),
    ];
    assert_eq!(found, expected.map(|(path, rows)| (path.to_owned(), rows)));
    assert_eq!(integers(&folder.path().join(&parts[0].path)), [0, 2, 4, 6]);
    assert_eq!(integers(&folder.path().join(&parts[3].path)), [9, 11, 13, 15]);
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn files_of_other_days_stay_and_a_file_that_begins_again_has_a_further_part() {
    let folder = tempfile::tempdir().unwrap();
    let write = |rows: std::ops::Range<i64>| {
        let mut set =
            DataSet::create(folder.path(), &[PartitionKey::Day], FileOptions::new(Format::Csv)).unwrap();
        set.add(&table(rows.clone())).unwrap();
        set.add(&table(rows.start + 4..rows.end + 4)).unwrap();
        set.add(&table(rows)).unwrap();
        set.finish().unwrap().iter().map(|part| part.path.display().to_string()).collect::<Vec<_>>()
    };
    let first = ["day=1970-01-30/part-0.csv", "day=1970-01-30/part-1.csv", "day=1970-01-31/part-0.csv"];
    assert_eq!(write(0..4), first);
    let second = ["day=1970-02-03/part-0.csv", "day=1970-02-03/part-1.csv", "day=1970-02-04/part-0.csv"];
    assert_eq!(write(16..20), second);
    assert!(first.iter().chain(&second).all(|path| folder.path().join(path).exists()));
}

#[test]
fn a_set_that_is_given_up_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let keys = [PartitionKey::Mnemonic];
    let mut set = DataSet::create(folder.path(), &keys, FileOptions::new(Format::JsonLines)).unwrap();
    set.add(&table(0..2)).unwrap();
    set.finish().unwrap();
    let file = folder.path().join("mnemonic=A/part-0.jsonl");
    let before = std::fs::read(&file).unwrap();
    assert!(folder.path().join("mnemonic=A/part-0.jsonl.about.json").exists());
    let mut set = DataSet::create(folder.path(), &keys, FileOptions::new(Format::JsonLines)).unwrap();
    set.add(&table(2..9)).unwrap();
    drop(set);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);

    let mut set = DataSet::create(folder.path(), &keys, FileOptions::new(Format::Csv)).unwrap();
    let error = set.add(&table(0..2).without("mnemonic").unwrap()).unwrap_err();
    assert_eq!(error.kind(), edb_core::ErrorKind::Usage);
    assert!(PartitionKey::parse("week").unwrap_err().hint().unwrap().contains("mnemonic,day"));
}
