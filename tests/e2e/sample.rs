//! The embedded sample is what the generator makes, and nothing else.

use edb::{Instant, Source, TimeRange, wire};
use edb_store::{About, Effort, Header, Segment};

/// `EDB_BLESS=1` rewrites the files instead of comparing.
#[test]
fn the_committed_sample_is_what_the_generator_makes() {
    let folder = edb_tests::root().join("data/sample");
    let bless = std::env::var_os("EDB_BLESS").is_some();
    let mut files = Vec::new();
    let mut dictionary = edb::Dictionary::default();
    for (entry, samples) in edb_testkit::synthetic::sample() {
        let (first, last) = (samples.time(0), samples.time(samples.len() - 1));
        let about = About {
            header: Header {
                fetched_at: Instant::from_micros(0),
                proven: TimeRange::new(first, last.plus_micros(1)).unwrap(),
                provisional: false,
            },
            sql_type: samples.sql_type().clone(),
            unit: entry.unit.clone(),
            leading: None,
            trailing: None,
            sources: vec!["synthetic: made by edb-testkit, not measured".to_owned()],
        };
        let segment = Segment { mnemonic: entry.mnemonic.clone(), about, samples };
        let mut bytes = Vec::new();
        segment.write(&mut bytes, Effort::Thorough).unwrap();
        files.push((format!("{}.parquet", entry.mnemonic), bytes));
        dictionary.insert(entry);
    }
    files.push(("dictionary.json".to_owned(), wire::dictionary::viz::format(&dictionary)));
    for (name, bytes) in &files {
        let path = folder.join(name);
        if bless {
            edb::atomic::write(&path, bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == *bytes, "{name} differs: run this test with EDB_BLESS=1");
    }
    assert!(files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 2_000_000);
}

#[test]
fn the_binary_carries_the_sample() {
    let archive = edb::sample::archive().unwrap();
    assert_eq!(archive.entries().len(), 9);
    for (entry, samples) in edb_testkit::synthetic::sample() {
        assert_eq!(archive.samples(&entry.mnemonic), Some(&samples));
    }
    assert!(archive.name().contains("synthetic"));
}
