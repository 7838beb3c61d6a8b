//! A store of each version of the format, as it was written then (`data/golden`). Its telemetry is synthetic.

use std::path::{Path, PathBuf};

use edb_core::{Mnemonic, Samples};
use edb_store::{DiskStore, Store};

use crate::world::{at, files};

/// The versions that there have been.
const VERSIONS: [u32; 2] = [1, 2];

fn golden(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../data/golden/format-{version}"))
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let destination = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(destination.parent().unwrap()).unwrap();
        std::fs::copy(file, destination).unwrap();
    }
}

/// Every sample of a store, by mnemonic, which must be those that the generator makes.
fn check(store: &DiskStore) -> Vec<(Mnemonic, Samples)> {
    let truth = edb_testkit::synthetic::sample();
    let mut all = Vec::new();
    for mnemonic in store.mnemonics().unwrap() {
        let known = store.known(&mnemonic).unwrap();
        assert_eq!(known.ranges().len(), 1, "{mnemonic}");
        let range = known.ranges()[0];
        let reading = store.read(&mnemonic, range).unwrap();
        let (_, samples) = truth.iter().find(|(entry, _)| entry.mnemonic == mnemonic).unwrap();
        let rows = samples.rows_in(range);
        assert_eq!(reading.samples, samples.slice(rows.clone()), "{mnemonic}");
        assert!(rows.len() > 2, "{mnemonic}");
        assert_eq!(reading.leading, rows.start.checked_sub(1).map(|row| samples.sample(row)), "{mnemonic}");
        assert_eq!(reading.trailing, Some(samples.sample(rows.end)), "{mnemonic}");
        all.push((mnemonic, reading.samples));
    }
    all
}

#[test]
fn stores_of_every_version_are_read_as_they_are() {
    for version in VERSIONS {
        let store = DiskStore::open(&golden(version)).unwrap();
        let all = check(&store);
        let names: Vec<_> = all.iter().map(|(mnemonic, _)| mnemonic.as_str()).collect();
        let expected = ["SAMPLE_EVENT_MSG", "SAMPLE_HEATER_STATE", "SAMPLE_MIRROR_TEMP", "SAMPLE_WHEEL_POS"];
        assert_eq!(names, expected, "version {version}");
        let heater = Mnemonic::new("SAMPLE_HEATER_STATE").unwrap();
        let status = store.status(&heater).unwrap();
        assert_eq!(status.provisional, status.known, "it was young when it was fetched");
        assert_eq!(store.dictionary().unwrap().len(), 3);
        for (mnemonic, _) in &all {
            let verified = store.verify(mnemonic).unwrap();
            assert!(verified.damaged.is_empty());
            assert_eq!(verified.unchecked, if version == 1 { verified.segments } else { 0 });
        }
    }
    let newest = golden(VERSIONS[VERSIONS.len() - 1] + 1);
    assert!(!newest.exists(), "this list is not complete");
}

#[test]
fn the_first_addition_makes_a_store_one_of_this_version_and_merging_its_segments_too() {
    for version in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        copy(&golden(version), folder.path());
        let text = || std::fs::read_to_string(folder.path().join("edb-store.json")).unwrap();
        let store = DiskStore::open(folder.path()).unwrap();
        let before = check(&store);
        assert_eq!(text().trim(), format!("{{\"format\": {version}}}"), "reading changes nothing");
        // Merging adds segments, too.
        let merged = tempfile::tempdir().unwrap();
        copy(&golden(version), merged.path());
        let other = DiskStore::open(merged.path()).unwrap();
        before.iter().for_each(|(mnemonic, _)| assert!(other.compact(mnemonic).unwrap().removed < 3));
        let text_of_merged = std::fs::read_to_string(merged.path().join("edb-store.json")).unwrap();
        assert_eq!(text_of_merged.trim(), "{\"format\": 2}");
        // An addition elsewhere.
        let archive = crate::world::archive(&[10, 20, 30]);
        let mut segment = crate::world::segment(&archive, crate::world::range(15, 25), 50).unwrap();
        segment.mnemonic = Mnemonic::new("SAMPLE_MIRROR_TEMP").unwrap();
        store.commit(segment.clone()).unwrap();
        assert_eq!(text().trim(), "{\"format\": 2}");
        store.remove(&segment.mnemonic, Some(crate::world::range(0, 100))).unwrap();
        for (mnemonic, _) in &before {
            store.compact(mnemonic).unwrap();
        }
        assert_eq!(check(&store), before);
        let unchecked: usize =
            before.iter().map(|(mnemonic, _)| store.verify(mnemonic).unwrap().unchecked).sum();
        // What is provisional is not merged; it will be asked again.
        assert_eq!(unchecked, usize::from(version == 1));
        let mirror = store.status(&segment.mnemonic).unwrap();
        assert_eq!((mirror.segments, mirror.fetched_at.unwrap().0 > at(0)), (1, true));
    }
}
