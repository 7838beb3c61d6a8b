//! What is read out of segments.

use edb_core::{Coverage, MemorySource, TimeRange, Value};
use edb_store::{DiskStore, MemoryStore, Store};
use proptest::prelude::*;

use crate::world::{archive, archive_of, at, name, range, samples, segment};

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
    let is_known = |time| proven.ranges().iter().any(|known| known.contains(time));
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
            if let Some(segment) = segment(&archive, range(start, start + length), fetched_at as i64) {
                proven.insert(segment.about.header.proven);
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
        let segment = segment(&archive, asked, fetched_at as i64).unwrap();
        disk.commit(segment.clone()).unwrap();
        memory.commit(segment).unwrap();
    }
    let reopened = DiskStore::open(disk.root()).unwrap();
    assert_eq!(reopened.mnemonics().unwrap(), [name()]);
    for start in 0..99 {
        let asked = range(start, 100);
        let (a, b) = (reopened.read(&name(), asked).unwrap(), memory.read(&name(), asked).unwrap());
        assert_eq!(
            (a.samples, a.leading, a.trailing, a.known, a.unit),
            (b.samples, b.leading, b.trailing, b.known, b.unit),
            "{asked}"
        );
    }
    let status = reopened.status(&name()).unwrap();
    assert_eq!(status.known.ranges(), [range(11, 50), range(51, 90)].as_slice());
    assert_eq!((status.rows, status.fetched_at), (3, Some((at(1), at(2)))));
}

#[test]
fn a_short_range_of_a_long_segment_is_found_at_every_edge_of_its_pages() {
    // Three pages and a row group's end, with a null, and a time that two samples share across the border of two pages.
    let rows = (1 << 20) + 3;
    let mut times: Vec<i64> = (0..rows).map(|row| row * 10).collect();
    times[1 << 17] = times[(1 << 17) - 1];
    let archive = archive_of(samples(&times));
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    store.commit(segment(&archive, range(5, rows * 10 - 15), 1).unwrap()).unwrap();
    let truth = archive.samples(&name()).unwrap();
    for border in [0, 1, (1 << 17) - 1, 1 << 17, (1 << 17) + 1, 1 << 19, 1 << 20, rows - 2] {
        for width in [1, 9, 10, 11, 40] {
            for shift in [-20, -10, -1, 0, 1] {
                let start = (border * 10 + shift).max(1);
                let asked = range(start, start + width);
                let reading = store.read(&name(), asked).unwrap();
                let inside = truth.rows_in(asked);
                let known = truth.rows_in(reading.known.ranges().first().copied().unwrap_or(range(-9, -8)));
                let inside = inside.start.max(known.start)..inside.end.min(known.end).max(inside.start);
                assert_eq!(reading.samples.times(), &truth.times()[inside.clone()], "{asked}");
                assert!(
                    reading.leading.is_none_or(|sample| sample == truth.sample(inside.start - 1)),
                    "{asked}"
                );
                assert!(reading.trailing.is_none_or(|sample| sample == truth.sample(inside.end)), "{asked}");
            }
        }
    }
}

#[test]
fn a_sparse_mnemonic_is_known_far_beyond_what_was_asked() {
    let archive = archive(&[0, 1_000_000]);
    let store = MemoryStore::new();
    store.commit(segment(&archive, range(500, 600), 2_000_000).unwrap()).unwrap();
    assert!(store.gaps(&name(), range(1, 1_000_000), at(3_000_000), 0).unwrap().is_empty());
    assert_eq!(
        store.read(&name(), range(700, 800)).unwrap().leading.unwrap().time,
        at(0),
        "the state into the range"
    );
}

#[test]
fn the_state_into_a_range_is_found_however_far_back() {
    let archive = archive(&[0, 2_000_000]);
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    // A hundred touching segments without a sample: only the first of them has a bracket before it.
    let all = segment(&archive, range(1, 1_000_000), 1).unwrap();
    for window in range(1, 1_000_000).windows(10_000) {
        let mut part = all.part(window);
        part.about.leading = part.about.leading.filter(|_| window.start() == at(1));
        part.about.trailing = None;
        store.commit(part).unwrap();
    }
    let reading = store.read(&name(), range(999_990, 999_999)).unwrap();
    assert_eq!(reading.leading.unwrap().value, Value::Integer(0));
    // A hole ends the walk: what happened in it is not known.
    store.remove(&name(), Some(range(500_000, 500_001))).unwrap();
    assert_eq!(store.read(&name(), range(999_990, 999_999)).unwrap().leading, None);
}

#[test]
fn provisional_coverage_is_asked_again_when_it_has_settled() {
    let archive = archive(&[10, 20, 30]);
    let store = MemoryStore::new();
    let settle = 30;
    let commit = |fetched_at| {
        let segment = segment(&archive, range(12, 25), fetched_at).unwrap();
        let parts = segment.settled(settle);
        let provisional = parts.iter().filter(|part| part.about.header.provisional).count();
        parts.into_iter().for_each(|part| store.commit(part).unwrap());
        provisional
    };
    assert_eq!(commit(50), 1, "fetched at 50, the part before 20 had settled");
    let gaps = |now| store.gaps(&name(), range(12, 25), at(now), settle).unwrap();
    assert!(gaps(51).is_empty(), "young: known as of now");
    assert!(gaps(59).is_empty());
    assert_eq!(
        gaps(60),
        [range(20, 25)],
        "its last proven instant is 30 old; what had settled is not asked again"
    );
    assert_eq!(commit(61), 0);
    assert!(gaps(1000).is_empty(), "settled for good");
}

#[test]
fn what_has_changed_is_told() {
    let store = MemoryStore::new();
    store.commit(segment(&archive(&[10, 20, 20, 30, 40, 50]), range(15, 45), 100).unwrap()).unwrap();
    let same = segment(&archive(&[10, 20, 20, 30, 40, 50]), range(15, 45), 200).unwrap();
    assert_eq!(store.difference(&same).unwrap(), None);
    // 20 lost a twin, 25 is new, 30 has another value by its number, 40 is gone.
    let other = segment(&archive(&[10, 20, 25, 30, 50]), range(15, 45), 200).unwrap();
    let difference = store.difference(&other).unwrap().unwrap();
    assert_eq!((difference.added, difference.changed, difference.gone), (1, 0, 2));
    assert_eq!((difference.range, difference.known_since), (range(20, 41), Some(at(100))));
    let text = difference.to_string();
    assert!(text.contains("1 added, 2 gone") && text.contains("since 1970-01-01T00:00:00.000100Z"), "{text}");
    let elsewhere = segment(&archive(&[1000, 1010, 1020]), range(1005, 1015), 200).unwrap();
    assert_eq!(store.difference(&elsewhere).unwrap(), None, "where nothing was known nothing differs");
}
