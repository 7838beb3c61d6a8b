//! Real telemetry lies beside the repository, or where `EDB_SHARED_DATA` says; it is not part of it.

use std::fs;

use edb_testkit::shared_data;
use edb_wire::{Encoder, decode, dictionary, encode, local};

#[test]
fn real_answers_are_printed_as_they_came() {
    let Some(folder) = shared_data() else { return };
    let (mut files, mut rows) = (0, 0);
    for entry in fs::read_dir(folder.join("jw00703")).unwrap() {
        let file = entry.unwrap().path();
        let body = fs::read(&file).unwrap();
        let decoded = decode(&body).unwrap();
        assert_eq!(decoded.misplaced, 0, "{}", file.display());
        assert!(encode(&decoded.samples) == body, "{} is not printed as it came", file.display());
        files += 1;
        rows += decoded.samples.len();
        assert!(Encoder::new(decoded.samples).flatten().eq(body), "{} in chunks", file.display());
    }
    assert_eq!((files, rows), (21, 379_687));
}

#[test]
fn real_samples_survive_the_local_form() {
    let Some(folder) = shared_data() else { return };
    let body = fs::read(folder.join("jw00703/SA_ZADUCMDX.csv")).unwrap();
    let samples = decode(&body).unwrap().samples;
    let mnemonic = edb_core::Mnemonic::new("SA_ZADUCMDX").unwrap();

    let read = local::parse(&local::format(&mnemonic, &samples, Some(true)), None).unwrap();

    assert_eq!((read.mnemonic, read.all_points, read.samples), (mnemonic, Some(true), samples));
}

#[test]
fn the_real_dictionary_is_read_whole() {
    let Some(folder) = shared_data() else { return };
    let listing =
        dictionary::direct::parse(&fs::read(folder.join("mnemonics-direct.json")).unwrap()).unwrap();
    assert_eq!((listing.dictionary.len(), listing.skipped), (2448, 0));
    assert!(listing.dictionary.iter().all(|entry| entry.all_points == Some(true)));
    let again = dictionary::direct::parse(&dictionary::direct::format(&listing.dictionary)).unwrap();
    assert_eq!(again, listing);
}
