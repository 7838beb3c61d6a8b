//! The folder.

use edb_core::{DictionaryEntry, ErrorKind, Nulls, Samples, SqlType, Values};
use edb_store::{DiskStore, Store};

use crate::world::{all_samples, archive, name, range, segment, segment_files, whole};

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
    assert!(DiskStore::open(folder.path()).unwrap_err().chain().contains("found 99"));
    std::fs::write(folder.path().join("edb-store.json"), "{\"format\": 0}").unwrap();
    assert!(DiskStore::open(folder.path()).is_err());
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

#[test]
fn what_a_newer_segment_replaces_goes_and_what_it_does_not_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    let old = archive(&[10, 20, 30, 40, 50, 60]);
    store.commit(whole(&old, range(0, 100), 1)).unwrap();
    assert_eq!(segment_files(&store).len(), 1);
    // A proof of the same time gives way, whatever its range.
    store.commit(whole(&old, range(20, 40), 1)).unwrap();
    store.commit(whole(&old, range(50, 110), 1)).unwrap();
    assert_eq!(all_samples(&store).len(), 6);
    // Newer, in the middle: the old one is cut into two.
    store.commit(whole(&archive(&[25, 26]), range(20, 40), 2)).unwrap();
    let times: Vec<i64> = all_samples(&store).iter().map(|sample| sample.time.as_micros()).collect();
    assert_eq!(times, [10, 25, 26, 40, 50, 60]);
    assert_eq!(store.known(&name()).unwrap().ranges(), [range(0, 110)].as_slice());
    // Newer, and larger than all: one file is left.
    store.commit(whole(&old, range(-10, 200), 3)).unwrap();
    assert_eq!(segment_files(&store).len(), 1);
    // Older: only what nobody knows is taken from it.
    store.commit(whole(&archive(&[-20, 5, 250]), range(-100, 300), 2)).unwrap();
    let times: Vec<i64> = all_samples(&store).iter().map(|sample| sample.time.as_micros()).collect();
    assert_eq!(times, [-20, 10, 20, 30, 40, 50, 60, 250]);
}

#[test]
fn merging_makes_nobody_believed_who_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    store.commit(whole(&archive(&[2, 20]), range(1, 30), 1)).unwrap();
    let mut young = whole(&archive(&[2]), range(0, 12), 2);
    young.about.header.provisional = true;
    store.commit(young).unwrap();
    store.commit(whole(&archive(&[11, 13]), range(10, 15), 3)).unwrap();
    let times = || store.read(&name(), range(0, 100)).unwrap().samples.times().to_vec();
    assert_eq!(times(), [2, 11, 13, 20]);
    store.compact(&name()).unwrap();
    assert_eq!(times(), [2, 11, 13, 20]);
}

#[test]
fn of_answers_of_one_time_the_same_one_is_believed_on_writing_and_on_reading() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    store.commit(whole(&archive(&[50]), range(0, 100), 1)).unwrap();
    store.commit(whole(&archive(&[105]), range(40, 110), 1)).unwrap();
    let times = || store.read(&name(), range(0, 200)).unwrap().samples.times().to_vec();
    let found = times();
    assert_eq!(all_samples(&store).len(), found.len());
    store.compact(&name()).unwrap();
    assert_eq!(times(), found);
}

#[test]
fn a_young_answer_on_top_of_an_old_one_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    store.commit(whole(&archive(&[10]), range(0, 100), 1)).unwrap();
    let mut young = whole(&archive(&[60]), range(50, 100), 2);
    young.about.header.provisional = true;
    store.commit(young).unwrap();
    let now = edb_core::Instant::from_micros(10_000);
    assert_eq!(store.gaps(&name(), range(0, 100), now, 100).unwrap(), [range(50, 100)]);
}

#[test]
fn brackets_are_those_of_the_newest_proof() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    store.commit(whole(&archive(&[10, 20, 30, 40, 50, 60]), range(0, 100), 1)).unwrap();
    store.commit(whole(&archive(&[25, 35]), range(20, 45), 2)).unwrap();
    // On both sides of the new one lies a part of the old one, whose brackets say what was there then.
    let reading = store.read(&name(), range(12, 15)).unwrap();
    assert_eq!(reading.trailing.unwrap().time.as_micros(), 25);
    let reading = store.read(&name(), range(46, 48)).unwrap();
    assert_eq!(reading.leading.unwrap().time.as_micros(), 35);
}

#[test]
fn segments_of_other_types_are_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    let archive = archive(&(0..100).collect::<Vec<_>>());
    for start in [0, 10, 20, 30, 40] {
        let mut segment = whole(&archive, range(start, start + 10), 1);
        if (20..40).contains(&start) {
            let times = segment.samples.times().to_vec();
            let values = Values::real(vec![0.5; times.len()]);
            segment.about.sql_type = SqlType::Real;
            segment.samples = Samples::from_columns(SqlType::Real, times, values, Nulls::none()).unwrap().0;
        }
        store.commit(segment).unwrap();
    }
    let done = store.compact(&name()).unwrap();
    assert_eq!((done.removed, done.added), (4, 2), "two and two, and one is left");
    assert_eq!(store.read(&name(), range(20, 40)).unwrap().samples.sql_type(), &SqlType::Real);
    let error = store.read(&name(), range(10, 30)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(
        error.hint().unwrap().contains("by themselves") && error.to_string().contains("from then on"),
        "{error}"
    );
    // What is fetched again is of one kind, and takes the place of both.
    let again = whole(&archive, range(0, 50), 2);
    let difference = store.difference(&again).unwrap().unwrap();
    assert_eq!((difference.added, difference.changed, difference.gone), (0, 20, 0));
    store.commit(again).unwrap();
    assert_eq!(store.read(&name(), range(0, 50)).unwrap().samples.len(), 50);
}

#[test]
fn neighbouring_answers_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    let archive = archive(&(0..100).map(|row| row * 7).collect::<Vec<_>>());
    for window in range(10, 650).windows(50) {
        // Each proves more than it was asked, up to the samples of its neighbours.
        store.commit(segment(&archive, window, window.start().as_micros()).unwrap()).unwrap();
    }
    let samples = all_samples(&store);
    let mut times: Vec<i64> = samples.iter().map(|sample| sample.time.as_micros()).collect();
    assert!(times.is_sorted());
    times.dedup();
    assert_eq!(times.len(), samples.len(), "no sample is there twice");
    assert_eq!(segment_files(&store).len(), 13, "one file for each answer");
}

#[test]
fn merging_keeps_every_sample_and_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    let archive = archive(&(0..2000).map(|row| row * 7).collect::<Vec<_>>());
    for window in range(10, 10_000).windows(100) {
        store.commit(segment(&archive, window, window.start().as_micros()).unwrap()).unwrap();
    }
    // Apart from the others, and provisional.
    store.commit(segment(&archive, range(12_000, 12_100), 1).unwrap()).unwrap();
    let mut young = segment(&archive, range(13_000, 13_100), 1).unwrap();
    young.about.header.provisional = true;
    store.commit(young).unwrap();
    let before = (all_samples(&store), store.status(&name()).unwrap());
    let around = store.read(&name(), range(5_000, 5_010)).unwrap();
    let done = store.compact(&name()).unwrap();
    assert_eq!((done.removed, done.added), (100, 1));
    let after = (all_samples(&store), store.status(&name()).unwrap());
    assert_eq!(before.0, after.0);
    assert_eq!((after.1.segments, &after.1.known), (3, &before.1.known));
    assert_eq!(after.1.provisional, before.1.provisional);
    assert!(after.1.size_bytes < before.1.size_bytes / 20);
    assert_eq!(store.read(&name(), range(5_000, 5_010)).unwrap().leading, around.leading);
    assert_eq!(
        store.compact(&name()).unwrap(),
        edb_store::Compacted::default(),
        "there is nothing left to do"
    );
    assert!(store.verify(&name()).unwrap().damaged.is_empty());
}

#[test]
fn removing_takes_what_was_named_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    let archive = archive(&[10, 20, 30, 40, 50, 60]);
    store.commit(whole(&archive, range(0, 35), 1)).unwrap();
    store.commit(whole(&archive, range(35, 100), 1)).unwrap();
    assert_eq!(store.remove(&name(), Some(range(200, 300))).unwrap(), 0);
    assert_eq!(store.remove(&name(), Some(range(25, 45))).unwrap(), 2);
    assert_eq!(store.known(&name()).unwrap().ranges(), [range(0, 25), range(45, 100)].as_slice());
    let reading = store.read(&name(), range(45, 55)).unwrap();
    assert_eq!((reading.samples.times(), reading.trailing.unwrap().time.as_micros()), ([50].as_slice(), 60));
    assert_eq!(
        reading.leading.unwrap().time.as_micros(),
        40,
        "still true, and known by the segment that was cut"
    );
    assert_eq!(store.remove(&name(), None).unwrap(), 4);
    assert!(store.mnemonics().unwrap().is_empty() && segment_files(&store).is_empty());
    assert_eq!(store.remove(&name(), None).unwrap(), 0);
    store.commit(whole(&archive, range(0, 35), 1)).unwrap();
    assert_eq!(store.mnemonics().unwrap(), [name()]);
}

#[test]
fn the_same_segment_gives_the_same_bytes() {
    let files = || {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::open_or_create(folder.path()).unwrap();
        store.commit(segment(&archive(&[10, 20, 30]), range(15, 25), 50).unwrap()).unwrap();
        let path = segment_files(&store).remove(0);
        (path.file_name().unwrap().to_owned(), std::fs::read(path).unwrap())
    };
    assert_eq!(files(), files());
}
