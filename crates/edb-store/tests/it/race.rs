//! Many processes on one store.
//!
//! Workers are this test binary again, told by the environment what to do; they end when they have done it, or when their
//! standard input does.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use edb_core::{Coverage, Samples};
use edb_store::{DiskStore, Store};

use crate::world::{all_samples, archive, name, range, segment};

const ROLE: &str = "EDB_RACE_ROLE";
const FOLDER: &str = "EDB_RACE_FOLDER";
const SEED: &str = "EDB_RACE_SEED";
const WRITERS: u64 = 6;
const READERS: u64 = 5;
const ROUNDS: usize = 40;
const STOP: i64 = 10_000;

fn truth() -> Vec<i64> {
    // With twins, which must stay two.
    (0..1500).map(|row| row * 7 - (row % 100) / 99 * 7).collect()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Does nothing unless it is told what.
#[test]
fn worker() {
    let (Some(role), Some(folder)) = (variable(ROLE), variable(FOLDER)) else { return };
    let store = DiskStore::open(Path::new(&folder)).unwrap();
    let seed = variable(SEED).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    match role.as_str() {
        "write" => write(&store, seed),
        "read" => read(&store),
        "hold" => hold(&store),
        other => panic!("no role {other}"),
    }
}

/// Commits answers about random ranges, newer and older ones, and merges now and then.
fn write(store: &DiskStore, mut seed: u64) {
    let archive = archive(&truth());
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..ROUNDS {
        let start = random(STOP as u64 - 2) as i64 + 1;
        let stop = (start + 1 + random(1500) as i64).min(STOP);
        store.commit(segment(&archive, range(start, stop), random(5) as i64).unwrap()).unwrap();
        if random(8) == 0 {
            store.compact(&name()).unwrap();
        }
    }
}

/// Reads everything again and again until its standard input ends.
fn read(store: &DiskStore) {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        IS_OVER.store(true, Ordering::Relaxed);
    });
    let archive = archive(&truth());
    let truth: &Samples = archive.samples(&name()).unwrap();
    let (mut before, mut readings) = (Coverage::new(), 0);
    let mut is_last = false;
    while !is_last {
        is_last = IS_OVER.load(Ordering::Relaxed);
        let reading = store.read(&name(), range(-100, STOP + 1000)).unwrap();
        let expected: Vec<_> = truth
            .iter()
            .filter(|sample| reading.known.ranges().iter().any(|known| known.contains(sample.time)))
            .collect();
        assert_eq!(reading.samples.iter().collect::<Vec<_>>(), expected, "each sample once, none missing");
        assert!(before.without(&reading.known).is_empty(), "what was known stays known");
        before = reading.known;
        readings += 1;
    }
    println!("readings: {readings}");
}

/// Holds the lock of the folder until it is killed.
fn hold(store: &DiskStore) {
    let lock = File::open(store.root().join("samples/mnemonic=SA_TEST")).unwrap();
    lock.lock().unwrap();
    println!("locked");
    let _ = std::io::stdin().read(&mut [0]);
    drop(lock);
}

fn spawn(role: &str, folder: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "race::worker", "--nocapture"])
        .env(ROLE, role)
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn many_writers_and_readers_never_see_a_sample_twice_or_miss_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    store.commit(segment(&archive(&truth()), range(10, 20), 1).unwrap()).unwrap();
    // Others can be played by another seed.
    let seed = variable("EDB_FIRST_SCHEDULE").and_then(|seed| seed.parse().ok()).unwrap_or(20_261_126);
    eprintln!("seed {seed}");
    let readers: Vec<Child> = (0..READERS).map(|_| spawn("read", folder.path(), seed)).collect();
    let writers: Vec<Child> =
        (0..WRITERS).map(|writer| spawn("write", folder.path(), seed + writer)).collect();
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    for reader in readers {
        // Waiting closes its standard input, which ends it.
        let output = reader.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("readings: "), "{text}");
    }
    store.compact(&name()).unwrap();
    let verified = store.verify(&name()).unwrap();
    assert!(verified.damaged.is_empty() && verified.superseded == 0 && verified.left.is_empty());
    let reading = store.read(&name(), range(-100, STOP + 1000)).unwrap();
    assert_eq!(reading.samples.iter().collect::<Vec<_>>(), all_samples(&store));
}

#[test]
fn the_lock_of_a_dead_process_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open_or_create(folder.path()).unwrap();
    let archive = archive(&truth());
    store.commit(segment(&archive, range(10, 20), 1).unwrap()).unwrap();
    let mut holder = spawn("hold", folder.path(), 1);
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.ends_with("locked")));
    let lock = File::open(folder.path().join("samples/mnemonic=SA_TEST")).unwrap();
    assert!(lock.try_lock().is_err(), "it is held");
    holder.kill().unwrap();
    holder.wait().unwrap();
    store.commit(segment(&archive, range(100, 200), 2).unwrap()).unwrap();
    assert_eq!(store.known(&name()).unwrap().ranges().len(), 2);
}
