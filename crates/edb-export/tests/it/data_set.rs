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
    Table::from_polars(&frame, &[]).unwrap()
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
    let mut set =
        DataSet::create(&table(0..0), folder.path(), &keys, FileOptions::new(Format::Parquet)).unwrap();
    // The second table has rows of the same files.
    set.add(&table(0..5)).unwrap();
    set.add(&table(5..16)).unwrap();
    assert!(!folder.path().join("mnemonic=A").exists(), "nothing has its name yet");
    let (parts, replaced) = set.finish().unwrap();
    assert!(replaced.is_empty());
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
fn folders_that_are_written_are_replaced_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let write = |tables: &[Table]| {
        let options = FileOptions::new(Format::Csv);
        let mut set = DataSet::create(&table(0..0), folder.path(), &[PartitionKey::Day], options).unwrap();
        tables.iter().for_each(|table| set.add(table).unwrap());
        let (parts, replaced) = set.finish().unwrap();
        (parts.iter().map(|part| part.path.display().to_string()).collect::<Vec<_>>(), replaced.len())
    };
    let files = || {
        let mut files = Vec::new();
        for day in std::fs::read_dir(folder.path()).unwrap() {
            let day = day.unwrap();
            for file in std::fs::read_dir(day.path()).unwrap() {
                let name = format!("{}/{}", day.file_name().display(), file.unwrap().file_name().display());
                files.push(name);
            }
        }
        files.sort();
        files
    };
    // Rows of twenty days, and then of the first of them again: that one has a further part.
    let (parts, replaced) = write(&[table(0..80), table(0..4)]);
    assert_eq!((parts.len(), replaced), (21, 0), "{parts:?}");
    assert_eq!(files(), parts);
    // What is there of a day is that of the last export, whatever there was before.
    std::fs::write(folder.path().join("day=1970-01-30/notes.txt"), "").unwrap();
    let (second, replaced) = write(&[table(0..2)]);
    assert_eq!((second.as_slice(), replaced), (["day=1970-01-30/part-0.csv".to_owned()].as_slice(), 1));
    let found = files();
    assert!(found.contains(&"day=1970-01-30/notes.txt".to_owned()));
    assert!(!found.contains(&"day=1970-01-30/part-1.csv".to_owned()));
    assert_eq!(found.len(), parts.len());
}

#[test]
fn every_file_says_where_it_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = table(0..0);
    first.made.push(("source".to_owned(), "a test".to_owned()));
    let keys = [PartitionKey::Mnemonic, PartitionKey::Day];
    let mut set = DataSet::create(&first, folder.path(), &keys, FileOptions::new(Format::Csv)).unwrap();
    set.add(&table(0..4)).unwrap();
    first.made[0].1 = "another one".to_owned();
    set.continue_as(&first).unwrap();
    set.add(&table(4..8)).unwrap();
    for (part, source) in set.finish().unwrap().0.iter().zip(["a test", "another one"].iter().cycle()) {
        let text = std::fs::read_to_string(folder.path().join(&part.path)).unwrap();
        assert!(
            text.starts_with(&format!("# source: {source}\n# column time\n# column integer\ntime,integer\n")),
            "{text}"
        );
    }
}

#[test]
fn a_set_that_is_given_up_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let keys = [PartitionKey::Mnemonic];
    let mut set =
        DataSet::create(&table(0..0), folder.path(), &keys, FileOptions::new(Format::JsonLines)).unwrap();
    set.add(&table(0..2)).unwrap();
    set.finish().unwrap();
    let file = folder.path().join("mnemonic=A/part-0.jsonl");
    let before = std::fs::read(&file).unwrap();
    assert!(folder.path().join("mnemonic=A/_part-0.jsonl.about.json").exists());
    let mut set =
        DataSet::create(&table(0..0), folder.path(), &keys, FileOptions::new(Format::JsonLines)).unwrap();
    set.add(&table(2..9)).unwrap();
    drop(set);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);

    let without = table(0..2).without("mnemonic").unwrap();
    let error = DataSet::create(&without, folder.path(), &keys, FileOptions::new(Format::Csv)).err().unwrap();
    assert_eq!(error.kind(), edb_core::ErrorKind::Usage);
    assert!(PartitionKey::parse("week").unwrap_err().hint().unwrap().contains("mnemonic,day"));
}
