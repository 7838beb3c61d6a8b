//! Files into a store.

use std::path::PathBuf;
use std::time::Duration;

use edb::{DiskStore, Instant, Store, TimeRange, Value, import};

use crate::world::{at, name};

/// How long telemetry may still be arriving.
const WEEK: Duration = Duration::from_hours(7 * 24);

const ROWS: &str = "theTime,MJD,euvalue,sqldataType\r\n\
    2022-05-31 23:59:59.839000,59730.9999981366,0.5000000000,real\r\n\
    2022-06-01 00:00:00.095000,59731.0000010995,1.5000000000,real\r\n\
    2022-06-01 00:00:00.351000,59731.0000040625,2.5000000000,real\r\n\
    2022-06-01 00:00:10.213000,59731.0001182060,3.5000000000,real\r\n";

fn now() -> Instant {
    at("2022-07-01")
}

#[test]
fn files_prove_what_their_names_say_they_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join("in").join(name);
    std::fs::create_dir(folder.path().join("in")).unwrap();
    std::fs::write(path("SA_ASKED-20220601T000000-20220601T000010.csv"), ROWS).unwrap();
    std::fs::write(path("SA_WHOLE.csv"), ROWS).unwrap();
    std::fs::write(path("sa_local_data.json"), r#"{"TlmMnemonic":"SA_LOCAL","AllPoints":0,"Count":2,"Data":[
        {"ObsTime":"/Date(1654041600095+0000)/","EUValue":"OFF"},{"ObsTime":"/Date(1654041700095+0000)/","EUValue":"ON"}]}"#).unwrap();
    std::fs::write(path("meta.json"), r#"{"Count":2,"TlmMnemonics":[
        {"TlmMnemonic":"SA_LOCAL","Subsystem":"ACS","RawType":"UI8","EUType":"DS","SQLType":"VARCHAR(50)","AllPoints":0},
        {"TlmMnemonic":"SA_ELSEWHERE","Subsystem":"ACS","RawType":"UI8","EUType":"DS","SQLType":"INT","AllPoints":1}]}"#).unwrap();
    std::fs::write(path("SA_BROKEN.csv"), &ROWS[..100]).unwrap();
    std::fs::write(path("notes.txt"), "none of ours").unwrap();

    let store = DiskStore::open_or_create(&folder.path().join("store")).unwrap();
    let imported = import(&store, &[folder.path().join("in")], now(), Duration::ZERO).unwrap();
    let names: Vec<&str> = imported.mnemonics.iter().map(edb::Mnemonic::as_str).collect();
    assert_eq!(
        (imported.files, imported.rows, names),
        (3, 2 + 4 + 2, vec!["SA_ASKED", "SA_LOCAL", "SA_WHOLE"])
    );
    let named = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(imported.passed_over.iter().map(named).collect::<Vec<_>>(), ["notes.txt"]);
    assert_eq!(
        imported.failures.iter().map(|failure| named(&failure.0)).collect::<Vec<_>>(),
        ["SA_BROKEN.csv"]
    );

    let day = TimeRange::new(at("2022-05-31"), at("2022-06-02")).unwrap();
    let asked = store.read(&name("SA_ASKED"), day).unwrap();
    assert_eq!(asked.samples.len(), 2, "the brackets are no samples");
    let proven = TimeRange::new(at("2022-05-31T23:59:59.839001"), at("2022-06-01T00:00:10.213")).unwrap();
    assert_eq!(asked.known.ranges(), [proven]);
    let inside = TimeRange::new(at("2022-06-01"), at("2022-06-01T00:00:10")).unwrap();
    let reading = store.read(&name("SA_ASKED"), inside).unwrap();
    assert_eq!(
        (reading.leading.unwrap().value, reading.trailing.unwrap().value),
        (Value::Real(0.5), Value::Real(3.5))
    );

    assert_eq!(
        store.read(&name("SA_WHOLE"), day).unwrap().samples.len(),
        4,
        "without a name all rows are samples"
    );
    let dictionary = store.dictionary().unwrap();
    assert_eq!(dictionary.len(), 1, "of the dictionary only what has samples");
    assert_eq!(dictionary.get(&name("SA_LOCAL")).unwrap().all_points, Some(false));
    assert_eq!(store.read(&name("SA_LOCAL"), day).unwrap().samples.sql_type(), &edb::SqlType::Varchar);
}

#[test]
fn an_import_fills_what_is_not_known_and_overrides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("SA_WHOLE.csv");
    let lines: Vec<&str> = ROWS.split_inclusive("\r\n").collect();
    let store = DiskStore::open_or_create(&folder.path().join("store")).unwrap();
    let rows = |rows: &[&str]| {
        std::fs::write(&path, [&lines[..1], rows].concat().concat()).unwrap();
        let imported = import(&store, std::slice::from_ref(&path), now(), Duration::ZERO).unwrap();
        (imported.rows, imported.rows_known)
    };
    assert_eq!(rows(&lines[1..4]), (3, 0));
    assert_eq!(rows(&[lines[1], lines[3]]), (0, 2), "a thinned copy takes nothing away");
    assert_eq!(rows(&lines[1..]), (1, 3), "what is new is added");
    let always = TimeRange::new(at("2022-05-01"), at("2022-07-01")).unwrap();
    assert_eq!(edb::wire::encode(&store.read(&name("SA_WHOLE"), always).unwrap().samples), ROWS.as_bytes());
}

#[test]
fn a_store_answers_as_the_archive_that_it_holds_whole() {
    let folder = tempfile::tempdir().unwrap();
    let memory = crate::world::archive();
    let store = DiskStore::open_or_create(&folder.path().join("store")).unwrap();
    let path = folder.path().join("MESSAGES.csv");
    std::fs::write(&path, edb::wire::encode(memory.samples(&name("MESSAGES")).unwrap())).unwrap();
    import(&store, &[path], now(), Duration::ZERO).unwrap();
    // Before, at, between, inside and after the messages, and around all of them.
    let times = [
        "2022-06-01",
        "2022-06-01T23:59:59.5",
        "2022-06-01T23:59:59.7",
        "2022-06-02",
        "2022-06-02T06:00",
        "2022-06-02T12:00",
        "2022-06-02T12:00:00.000001",
        "2022-06-03",
    ]
    .map(at);
    for first in times {
        for last in times.into_iter().filter(|last| *last >= first) {
            let rows = edb::Holdings::rows(&store, &name("MESSAGES"), first, last).unwrap();
            let truth = memory.rows(&name("MESSAGES"), first, last);
            assert_eq!(edb::wire::encode(&rows), edb::wire::encode(&truth), "{first} to {last}");
        }
    }
}

#[test]
fn what_was_young_when_the_file_was_written_is_provisional() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("SA_WHOLE.csv");
    std::fs::write(&path, ROWS).unwrap();
    let young = DiskStore::open_or_create(&folder.path().join("young")).unwrap();
    import(&young, std::slice::from_ref(&path), at("2022-06-02"), WEEK).unwrap();
    assert!(young.headers(&name("SA_WHOLE")).unwrap()[0].provisional);
    // Written again a month later, with a row that arrived late.
    let late = "2022-06-01 00:00:05.000000,59731.0000578704,9.0000000000,real\r\n";
    let at_row = ROWS.find("2022-06-01 00:00:10").unwrap();
    let whole = format!("{}{late}{}", &ROWS[..at_row], &ROWS[at_row..]);
    std::fs::write(&path, &whole).unwrap();
    import(&young, std::slice::from_ref(&path), at("2022-07-02"), WEEK).unwrap();
    let always = TimeRange::new(at("2022-05-01"), at("2022-07-01")).unwrap();
    let read = young.read(&name("SA_WHOLE"), always).unwrap().samples;
    assert_eq!(
        String::from_utf8(edb::wire::encode(&read)).unwrap(),
        whole,
        "what was provisional is replaced"
    );
    let settled = DiskStore::open_or_create(&folder.path().join("settled")).unwrap();
    import(&settled, std::slice::from_ref(&path), at("2022-07-02"), WEEK).unwrap();
    assert!(!settled.headers(&name("SA_WHOLE")).unwrap()[0].provisional);
}

mod real {
    use super::*;

    #[test]
    fn real_files_are_imported_whole_and_read_back_bit_for_bit() {
        let Some(shared) = edb_testkit::shared_data() else { return };
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::open_or_create(folder.path()).unwrap();
        let imported = import(&store, &[shared.join("jw00703")], now(), Duration::ZERO).unwrap();
        assert_eq!((imported.files, imported.rows, imported.failures.len()), (21, 379_687, 0));
        let always = TimeRange::new(at("2019-01-01"), at("2020-01-01")).unwrap();
        for mnemonic in &imported.mnemonics {
            let body = std::fs::read(shared.join(format!("jw00703/{mnemonic}.csv"))).unwrap();
            let reading = store.read(mnemonic, always).unwrap();
            assert!(edb::wire::encode(&reading.samples) == body, "{mnemonic}");
        }
    }
}
