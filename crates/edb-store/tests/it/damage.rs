//! Files that are not what was written.

use edb_core::{ErrorKind, Result};
use edb_store::{DiskStore, Store};

use crate::world::{archive, at, name, range, segment, segment_files, whole};

fn store() -> (tempfile::TempDir, DiskStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(&folder.path().join("store")).unwrap();
    store.commit(segment(&archive(&[10, 20, 30, 40]), range(15, 35), 50).unwrap()).unwrap();
    (folder, store)
}

/// Whatever is wrong with a file, reading says so, verifying finds it, and once it is set aside its range is unknown.
fn is_found(store: &DiskStore) {
    let path = segment_files(store).remove(0);
    let error = store.read(&name(), range(15, 25)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error:?}");
    assert!(error.to_string().contains(&*path.file_name().unwrap().to_string_lossy()), "{error}");
    assert!(error.hint().unwrap().contains("--repair"));
    let verified = store.verify(&name()).unwrap();
    assert_eq!(verified.damaged.len(), 1);
    let to = store.set_aside(&name(), &verified.damaged[0]).unwrap();
    assert!(to.exists() && !path.exists());
    assert_eq!(store.gaps(&name(), range(15, 25), at(60), 0).unwrap(), [range(15, 25)]);
    assert!(store.verify(&name()).unwrap().damaged.is_empty());
}

#[test]
fn a_cut_file_is_found() {
    let (_folder, store) = store();
    let path = segment_files(&store).remove(0);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    is_found(&store);
}

#[test]
fn an_empty_file_is_found() {
    let (_folder, store) = store();
    std::fs::write(segment_files(&store).remove(0), "").unwrap();
    is_found(&store);
}

#[test]
fn a_foreign_file_under_a_segments_name_is_found() {
    let (_folder, store) = store();
    let (_other, second) = self::store();
    second.commit(segment(&archive(&[100, 200, 300]), range(150, 250), 50).unwrap()).unwrap();
    let path = segment_files(&store).remove(0);
    let foreign =
        segment_files(&second).into_iter().find(|file| file.file_name() != path.file_name()).unwrap();
    std::fs::copy(foreign, path).unwrap();
    is_found(&store);
}

#[test]
fn a_segment_in_another_mnemonics_folder_is_found() {
    let (_folder, store) = store();
    let path = segment_files(&store).remove(0);
    let other = edb_core::Mnemonic::new("SA_OTHER").unwrap();
    let folder = store.root().join("samples/mnemonic=SA_OTHER");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    assert_eq!(store.read(&other, range(15, 25)).unwrap_err().kind(), ErrorKind::Integrity);
    assert_eq!(store.verify(&other).unwrap().damaged.len(), 1);
}

#[test]
fn every_flipped_bit_is_found_on_reading() {
    let (_folder, store) = store();
    let path = segment_files(&store).remove(0);
    let bytes = std::fs::read(&path).unwrap();
    let read = || -> Result<_> {
        let reading = store.read(&name(), range(15, 35))?;
        Ok((reading.samples, reading.leading, reading.trailing))
    };
    let truth = read().unwrap();
    let mut unnoticed = 0;
    for at in 0..bytes.len() {
        for bit in [0, 3, 7] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            std::fs::write(&path, &flipped).unwrap();
            // The columns that are not read, and the mark at the file's beginning, are left to verification.
            match read() {
                Ok(reading) => {
                    assert_eq!(reading, truth, "bit {bit} of byte {at}");
                    unnoticed += 1;
                    let is_mark = at < 4;
                    assert!(is_mark || store.verify(&name()).unwrap().damaged.len() == 1, "byte {at}");
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Integrity),
            }
        }
    }
    assert!(unnoticed < bytes.len() / 4, "{unnoticed} of {}", 3 * bytes.len());
}

#[test]
fn what_is_set_aside_leaves_its_range_unknown_whatever_older_segments_say() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    store.commit(whole(&archive(&[10, 90]), range(0, 100), 1)).unwrap();
    store.commit(whole(&archive(&[50]), range(11, 90), 2)).unwrap();
    store.commit(whole(&archive(&[80]), range(70, 85), 3)).unwrap();
    let path = segment_files(&store)
        .into_iter()
        .find(|path| path.to_string_lossy().contains("-f19700101T000000.000002"));
    let path = path.unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let verified = store.verify(&name()).unwrap();
    assert_eq!(verified.damaged.len(), 1);
    store.set_aside(&name(), &verified.damaged[0]).unwrap();
    assert_eq!(store.gaps(&name(), range(0, 100), at(1000), 0).unwrap(), [range(11, 70), range(85, 90)]);
    assert_eq!(store.read(&name(), range(0, 100)).unwrap().samples.times(), [10, 80, 90]);
}

#[test]
fn what_writers_left_and_what_is_not_ours_is_told() {
    let (_folder, store) = store();
    let folder = store.root().join("samples/mnemonic=SA_TEST");
    std::fs::write(folder.join(".edb-partial-1-0-segment.part"), "half").unwrap();
    std::fs::write(folder.join("notes.txt"), "mine").unwrap();
    let verified = store.verify(&name()).unwrap();
    assert_eq!((verified.left.len(), verified.foreign.len(), verified.damaged.len()), (1, 1, 0));
    // The next writer sweeps.
    store.commit(segment(&archive(&[100, 200, 300]), range(150, 250), 60).unwrap()).unwrap();
    assert!(store.verify(&name()).unwrap().left.is_empty());
}
