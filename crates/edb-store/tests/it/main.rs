//! The store against the truth: whatever answers were committed, in whatever order, a reading is what a search through
//! the whole archive finds.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and make what files it likes"
)]

use edb_core::{
    Answer, Coverage, DictionaryEntry, ErrorKind, Instant, MemorySource, Mnemonic, Nulls, Samples, SqlType,
    TimeRange, Values,
};
use edb_store::{DiskStore, MemoryStore, Segment, Store};
use proptest::prelude::*;

fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

fn range(start: i64, stop: i64) -> TimeRange {
    TimeRange::new(at(start), at(stop)).unwrap()
}

fn name() -> Mnemonic {
    Mnemonic::new("SA_TEST").unwrap()
}

fn archive(times: &[i64]) -> MemorySource {
    let values = Values::Integer((0..times.len() as i64).collect());
    let (samples, _) = Samples::from_columns(SqlType::Int, times.to_vec(), values, Nulls::none()).unwrap();
    let mut archive = MemorySource::new("a test");
    archive.insert(DictionaryEntry::bare(name()), samples);
    archive
}

fn segment(archive: &MemorySource, asked: TimeRange, fetched_at: i64, settle_us: i64) -> Option<Segment> {
    let answer =
        Answer::from_rows(name(), asked, archive.rows(&name(), asked.start(), asked.stop()), 0).unwrap();
    Segment::from_answer(answer, at(fetched_at), settle_us, "a test")
}

/// What any store must say about `asked`, found by looking at every sample.
fn check_reading(
    store: &dyn Store,
    archive: &MemorySource,
    asked: TimeRange,
    proven: &Coverage,
) -> Result<(), TestCaseError> {
    let truth = archive.samples(&name()).unwrap();
    let reading = store.read(&name(), asked).unwrap();
    prop_assert_eq!(&reading.known, &proven.within(asked));
    let is_known = |time: Instant| proven.ranges().iter().any(|known| known.contains(time));
    let expected: Vec<_> =
        truth.iter().filter(|sample| asked.contains(sample.time) && is_known(sample.time)).collect();
    prop_assert_eq!(reading.samples.iter().collect::<Vec<_>>(), expected);
    // A bracket is the true neighbour of the range, or nothing: it never skips a sample.
    if let Some(leading) = reading.leading {
        prop_assert_eq!(Some(leading), truth.iter().filter(|sample| sample.time < asked.start()).last());
    }
    if let Some(trailing) = reading.trailing {
        prop_assert_eq!(Some(trailing), truth.iter().find(|sample| sample.time >= asked.stop()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_committed_answers_read_back_as_the_truth(
        mut times in proptest::collection::vec(0_i64..100, 1..40),
        asked in proptest::collection::vec((0_i64..100, 1_i64..40), 1..6),
        ask in (0_i64..100, 1_i64..60),
    ) {
        times.sort_unstable();
        let archive = archive(&times);
        let store = MemoryStore::new();
        let mut proven = Coverage::new();
        for (fetched_at, (start, length)) in asked.into_iter().enumerate() {
            if let Some(segment) = segment(&archive, range(start, start + length), fetched_at as i64, 0) {
                proven.insert(segment.header.proven);
                store.commit(segment).unwrap();
            }
        }
        check_reading(&store, &archive, range(ask.0, ask.0 + ask.1), &proven)?;
    }
}

#[test]
fn a_store_on_disk_says_what_a_store_in_memory_says() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(&[10, 20, 20, 35, 50, 90]);
    let disk = DiskStore::open_or_create(&folder.path().join("store")).unwrap();
    let memory = MemoryStore::new();
    for (fetched_at, asked) in [range(15, 30), range(12, 36), range(60, 70)].into_iter().enumerate() {
        let segment = segment(&archive, asked, fetched_at as i64, 0).unwrap();
        disk.commit(segment.clone()).unwrap();
        memory.commit(segment).unwrap();
    }
    let reopened = DiskStore::open(disk.root()).unwrap();
    assert_eq!(reopened.mnemonics().unwrap(), [name()]);
    for start in 0..99 {
        let asked = range(start, 100);
        let (a, b) = (reopened.read(&name(), asked).unwrap(), memory.read(&name(), asked).unwrap());
        assert_eq!(
            (a.samples, a.leading, a.trailing, a.known),
            (b.samples, b.leading, b.trailing, b.known),
            "{asked}"
        );
    }
    let status = reopened.status(&name()).unwrap();
    assert_eq!((status.segments, status.known.ranges()), (3, [range(11, 50), range(51, 90)].as_slice()));
}

#[test]
fn a_sparse_mnemonic_is_known_far_beyond_what_was_asked() {
    let archive = archive(&[0, 1_000_000]);
    let store = MemoryStore::new();
    store.commit(segment(&archive, range(500, 600), 2_000_000, 0).unwrap()).unwrap();
    assert!(store.gaps(&name(), range(1, 1_000_000), at(3_000_000), 0).unwrap().is_empty());
    assert_eq!(
        store.read(&name(), range(700, 800)).unwrap().leading.unwrap().time,
        at(0),
        "the state into the range"
    );
}

#[test]
fn provisional_coverage_is_asked_again_when_it_has_settled() {
    let archive = archive(&[10, 20, 30]);
    let store = MemoryStore::new();
    let settle = 100;
    store.commit(segment(&archive, range(12, 25), 50, settle).unwrap()).unwrap();
    let gaps = |now| store.gaps(&name(), range(12, 25), at(now), settle).unwrap();
    assert!(gaps(51).is_empty(), "young: known as of now");
    assert!(gaps(129).is_empty());
    assert_eq!(gaps(130), [range(12, 25)], "its last proven instant is 100 old");
    store.commit(segment(&archive, range(12, 25), 131, settle).unwrap()).unwrap();
    assert!(gaps(1000).is_empty(), "settled for good");
}

#[test]
fn folders_that_are_no_store_are_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let open = DiskStore::open(folder.path()).unwrap_err();
    assert_eq!(open.kind(), ErrorKind::Disk);
    assert!(open.hint().unwrap().contains("edb store import"));
    std::fs::write(folder.path().join("thesis.tex"), "x").unwrap();
    let create = DiskStore::open_or_create(folder.path()).unwrap_err();
    assert!(create.to_string().contains("holds something else"), "{create}");
    std::fs::write(folder.path().join("edb-store.json"), "{\"format\": 99}").unwrap();
    assert!(DiskStore::open(folder.path()).unwrap_err().to_string().contains("found 99"));
}

#[test]
fn a_damaged_segment_is_an_integrity_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    store.commit(segment(&archive(&[10, 20, 30]), range(15, 25), 50, 0).unwrap()).unwrap();
    let header = store.headers(&name()).unwrap()[0];
    let path = folder.path().join("samples/mnemonic=SA_TEST").join(header.file_name());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 1);
    std::fs::write(&path, bytes).unwrap();
    let error = store.read(&name(), range(15, 25)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains(&header.file_name()), "{error}");
}

#[test]
fn what_is_learnt_adds_to_what_was_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    let mut entry = DictionaryEntry::bare(name());
    entry.all_points = Some(false);
    store.learn([entry].into_iter().collect()).unwrap();
    let mut entry = DictionaryEntry::bare(name());
    "V".clone_into(&mut entry.unit);
    store.learn([entry].into_iter().collect()).unwrap();
    let known = store.dictionary().unwrap();
    let entry = known.get(&name()).unwrap();
    assert_eq!((entry.unit.as_str(), entry.all_points), ("V", Some(false)));
}
