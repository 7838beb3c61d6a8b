//! Kills, failing disks and power cuts, at every system call of an import and of a merge.
//!
//! The binary is run under `strace`, which kills it, or lets one of its system calls fail, at the k-th call of a kind, for every
//! k there is. Imports are dated by their files, so that the same import gives the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use edb::{DiskStore, ErrorKind, Instant, Mnemonic, Sample, Store, TimeRange, atomic, parse_instant};

use crate::world::{Run, World, finish};

/// What a writer does to a disk.
const CALLS: [&str; 7] = ["openat", "write", "fsync", "rename", "unlink", "mkdir", "flock"];
/// What is done: the new answer replaces a part of a provisional one, which is cut; then neighbours are merged.
const WORK: [&[&str]; 2] =
    [&["store", "import", "--store", "store", "new"], &["store", "compact", "--store", "store"]];

/// Whether `strace` is there; CI demands it.
fn has_strace() -> bool {
    let is_there = Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success());
    if !is_there {
        assert!(std::env::var_os("EDB_REQUIRE_STRACE").is_none(), "strace is required and not installed");
        eprintln!("skipped: strace is not installed");
    }
    is_there
}

fn at(text: &str) -> Instant {
    parse_instant(text, Instant::MIN).unwrap()
}

/// A file of the service with a row every ten seconds and the brackets, written at `written`.
fn answer(world: &World, folder: &str, start: &str, stop: &str, shift: i64, written: &str) {
    let range = TimeRange::new(at(start), at(stop)).unwrap();
    let request = edb::Request { mnemonic: Mnemonic::new("SA_TEST").unwrap(), range };
    let mut text = "theTime,MJD,euvalue,sqldataType\r\n".to_owned();
    let first = range.start().as_micros() - 5_000_000;
    for time in (first..range.stop().as_micros() + 10_000_000).step_by(10_000_000) {
        let time = Instant::from_micros(time);
        let value = time.as_micros() / 1_000_000 % 100 + shift;
        let _ = write!(text, "{},{},{value},int\r\n", time.to_edb_text(), time.to_mjd_text());
    }
    let path = world.write(&format!("{folder}/{}", request.file_name()), &text);
    let written = UNIX_EPOCH + Duration::from_micros(at(written).as_micros() as u64);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
}

/// A folder in which the work has been done as far as `done`, from nothing or from a store.
fn prepare(is_empty: bool, done: usize) -> World {
    let world = World::new();
    answer(&world, "old", "2022-06-01T00:00:00", "2022-06-01T00:01:00", 0, "2022-07-01");
    answer(&world, "old", "2022-06-01T00:01:00", "2022-06-01T00:02:00", 0, "2022-06-02");
    answer(&world, "new", "2022-06-01T00:00:30", "2022-06-01T00:01:30", 1, "2022-07-02");
    if !is_empty {
        world.edb(&["store", "import", "--store", "store", "old"]).succeeded();
    }
    WORK[..done].iter().for_each(|work| drop(world.edb(work).succeeded()));
    world
}

fn traced(world: &World, options: &[String], work: &[&str]) -> Run {
    // Should a fault ever hit the runtime's own calls, waiting for it must end.
    let mut command = Command::new("timeout");
    command
        .args(["-k", "5", "60", "strace", "-f", "-qq"])
        .args(options)
        .arg(env!("CARGO_BIN_EXE_edb"))
        .args(work);
    finish(command.current_dir(world.path("")).env("HOME", world.path("home")).env_remove("EDB_STORE"))
}

/// Which of its system calls of a kind, counted by thread as `strace` does, a run that is left alone makes on the store; or all of
/// them.
fn calls(call: &str, is_empty: bool, step: usize, only_store: bool) -> Vec<usize> {
    let world = prepare(is_empty, step);
    traced(&world, &["-y".into(), "-e".into(), format!("trace={call}"), "-otrace".into()], WORK[step])
        .succeeded();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for line in std::fs::read_to_string(world.path("trace")).unwrap().lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        if rest.trim_start().starts_with(&format!("{call}(")) {
            let count = counts.entry(thread.to_owned()).or_default();
            *count += 1;
            if !only_store || rest.contains("/store") || rest.contains("\"store") {
                found.push(*count);
            }
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Names and bytes of all files of the store.
fn everything(world: &World) -> Vec<(String, Vec<u8>)> {
    let root = world.path("store");
    let name = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    files(&root).iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

fn has_temporary(world: &World) -> bool {
    everything(world).iter().any(|(name, _)| atomic::is_temporary(name.rsplit('/').next().unwrap()))
}

fn samples(world: &World) -> Vec<Sample> {
    let Ok(store) = DiskStore::open(&world.path("store")) else { return Vec::new() };
    let mnemonic = Mnemonic::new("SA_TEST").unwrap();
    let verified = store.verify(&mnemonic).unwrap();
    assert!(verified.damaged.is_empty(), "{:?}", verified.damaged);
    let always = TimeRange::new(Instant::MIN, Instant::MAX).unwrap();
    store.read(&mnemonic, always).unwrap().samples.iter().collect()
}

/// What is there before and after each step, and how, when nothing happens in between.
struct Undisturbed {
    samples: Vec<Vec<Sample>>,
    files: Vec<(String, Vec<u8>)>,
}

impl Undisturbed {
    fn new(is_empty: bool) -> Self {
        let worlds: Vec<World> = (0..=WORK.len()).map(|done| prepare(is_empty, done)).collect();
        Self { samples: worlds.iter().map(samples).collect(), files: everything(&worlds[WORK.len()]) }
    }

    /// Whatever has happened in `step`, what is there is what was before or after it, and doing all again ends at the same files.
    fn check(&self, world: &World, step: usize, is_done: bool, what: &str) {
        let found = samples(world);
        assert!(
            found == self.samples[step + 1] || !is_done && found == self.samples[step],
            "{what}: {found:?}"
        );
        WORK.iter().for_each(|work| drop(world.edb(work).succeeded()));
        // A kill of the very first steps leaves a file in the store's own folder, where nobody sweeps but verification.
        let left = |(name, _): &(String, Vec<u8>)| !atomic::is_temporary(name);
        let files: Vec<_> = everything(world).into_iter().filter(left).collect();
        let names = |files: &[(String, Vec<u8>)]| files.iter().map(|file| file.0.clone()).collect::<Vec<_>>();
        assert_eq!(names(&files), names(&self.files), "{what}");
        assert!(files == self.files, "{what}: the same names, and other bytes");
    }
}

/// Every beginning, every step, every call of every kind.
fn each_call(
    kinds: &[&str],
    only_store: bool,
    mut visit: impl FnMut(&Undisturbed, World, usize, &str, usize),
) {
    for is_empty in [false, true] {
        let undisturbed = Undisturbed::new(is_empty);
        for step in 0..WORK.len() {
            for call in kinds {
                for count in calls(call, is_empty, step, only_store) {
                    visit(&undisturbed, prepare(is_empty, step), step, call, count);
                }
            }
        }
    }
}

#[test]
fn a_kill_at_any_system_call_leaves_what_was_or_what_is_to_be_and_the_next_run_ends_at_the_same_bytes() {
    if !has_strace() {
        return;
    }
    let (mut kills, mut runs) = (0, 0);
    each_call(&CALLS, false, |undisturbed, world, step, call, count| {
        let inject = format!("inject={call}:signal=KILL:when={count}");
        let run = traced(&world, &["-e".into(), inject.clone(), "-o/dev/null".into()], WORK[step]);
        // The threads of the runtime, which touch no store, make some of these calls or not, as it happens.
        runs += 1;
        kills += usize::from(run.code != 0);
        // What it said was done is done.
        undisturbed.check(&world, step, run.code == 0 || run.stderr.contains("imported"), &inject);
    });
    assert!(kills > 150 && kills * 20 > runs * 19, "{kills} kills in {runs} runs");
}

#[test]
fn a_failing_disk_is_told_with_code_11_and_leaves_nothing_behind() {
    if !has_strace() {
        return;
    }
    let mut failures = 0;
    let faults = [
        ("write", &["ENOSPC", "EDQUOT"][..]),
        ("fsync", &["EIO"]),
        ("rename", &["EIO"]),
        ("openat", &["EROFS"]),
        ("unlink", &["EROFS"]),
        ("flock", &["ENOLCK"]),
    ];
    for (kind, errors) in faults {
        each_call(&[kind], true, |undisturbed, world, step, call, count| {
            let inject = format!("inject={call}:error={}:when={count}", errors[count % errors.len()]);
            let run = traced(&world, &["-e".into(), inject.clone(), "-o/dev/null".into()], WORK[step]);
            // A reader does without a lock, and nobody minds what cannot be swept.
            if run.stderr.contains("error: could not") {
                failures += 1;
                assert_eq!(run.code, i32::from(ErrorKind::Disk.exit_code()), "{inject}: {run:?}");
                assert!(run.stderr.contains("os error"), "{inject}: {run:?}");
                // Only what cannot be removed is left.
                assert!(call == "unlink" || !has_temporary(&world), "{inject}: {run:?}");
            }
            undisturbed.check(&world, step, run.code == 0, &inject);
        });
    }
    assert!(failures > 60, "{failures} failures");
}

#[test]
fn a_disk_that_takes_only_the_beginning_of_a_write_is_full() {
    // The kernel cuts the write that reaches the limit short, and refuses the next.
    let undisturbed = Undisturbed::new(false);
    let mut failures = 0;
    for (step, work) in WORK.iter().enumerate() {
        for blocks in [0, 1, 2, 3, 4] {
            let world = prepare(false, step);
            let mut shell = Command::new("/bin/sh");
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
            shell.args(["-c", &script, env!("CARGO_BIN_EXE_edb")]).args(*work);
            let run = finish(shell.current_dir(world.path("")).env("HOME", world.path("home")));
            if run.code != 0 {
                failures += 1;
                assert_eq!(run.code, 11, "{run:?}");
                assert!(run.stderr.contains("File too large") && !has_temporary(&world), "{run:?}");
            }
            undisturbed.check(&world, step, run.code == 0, &format!("{blocks} blocks"));
        }
    }
    assert!(failures > 3, "{failures} failures");
}

/// What happened to a file, in the order of a trace.
#[derive(Debug, PartialEq)]
enum Event {
    Write(String),
    Sync(String),
    Rename(String, String),
    Remove(String),
    MakeFolder(String),
}

/// Reads `strace -y`: `fsync(5</path>) = 0`, `rename("/a", "/b") = 0`.
fn event(line: &str) -> Option<Event> {
    let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
    let file = || Some(line.split_once('<')?.1.split_once('>')?.0.to_owned());
    let call = line.split_once('(')?.0.rsplit(' ').next()?;
    let text = |at: usize| quoted.get(at).map(|text| (*text).to_owned());
    match call {
        "write" => file().map(Event::Write),
        _ if !line.ends_with("= 0") => None,
        "fsync" => file().map(Event::Sync),
        "rename" => Some(Event::Rename(text(0)?, text(1)?)),
        "unlink" => text(0).map(Event::Remove),
        "mkdir" => text(0).map(Event::MakeFolder),
        _ => None,
    }
}

/// A disk that loses everything that was not synced loses nothing that was promised, if the calls come in this order.
#[test]
fn everything_is_on_disk_before_its_name_is_and_every_name_before_what_it_replaces_goes() {
    if !has_strace() {
        return;
    }
    let (mut renames, mut removals) = (0, 0);
    for is_empty in [false, true] {
        for (step, work) in WORK.iter().enumerate() {
            let world = prepare(is_empty, step);
            // Full paths, so that names can be told to lie in folders.
            let store = world.path("store").display().to_string();
            let mut work = work.to_vec();
            let flag = work.iter().position(|word| *word == "--store").unwrap();
            work[flag + 1] = &store;
            let filter = "trace=write,fsync,rename,unlink,mkdir".to_owned();
            traced(&world, &["-y".into(), "-s256".into(), "-e".into(), filter, "-otrace".into()], &work)
                .succeeded();
            let trace = std::fs::read_to_string(world.path("trace")).unwrap();
            let parent = |path: &str| Path::new(path).parent().unwrap().display().to_string();
            // Names that a power cut could still take away, and files whose bytes it could.
            let (mut unsynced, mut dirty): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
            for event in trace.lines().filter_map(event) {
                match event {
                    Event::Write(path) => dirty.push(path),
                    Event::Sync(path) => {
                        dirty.retain(|file| *file != path);
                        unsynced.retain(|name| parent(name) != path);
                    }
                    Event::Rename(from, to) => {
                        assert!(!dirty.contains(&from), "{from} has its name before it is on disk");
                        unsynced.push(to);
                        renames += 1;
                    }
                    Event::Remove(path) if path.ends_with(".parquet") => {
                        assert!(unsynced.is_empty(), "{path} goes before {unsynced:?} is there for good");
                        removals += 1;
                    }
                    Event::Remove(_) => {}
                    Event::MakeFolder(path) => unsynced.push(path),
                }
            }
            assert!(unsynced.is_empty(), "promised before {unsynced:?} is there for good: {trace}");
        }
    }
    assert!(renames > 4 && removals > 2, "{renames} names, {removals} removals");
    // The reader of traces reads what it is there to read.
    let line = "77  rename(\"/a\", \"/b\") = 0";
    assert_eq!(event(line), Some(Event::Rename("/a".into(), "/b".into())));
    assert_eq!(event("77 fsync(5</s/samples>) = 0"), Some(Event::Sync("/s/samples".into())));
}

/// Files of the folder `set`, those that are not finished left out.
fn exported(world: &World) -> BTreeMap<String, Vec<u8>> {
    let root = world.path("set");
    let is_hidden =
        |path: &Path| path.components().any(|part| atomic::is_temporary(&part.as_os_str().to_string_lossy()));
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().display().to_string();
    let shown = files(&root).into_iter().filter(|path| !is_hidden(path.strip_prefix(&root).unwrap()));
    shown.map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn an_export_that_is_killed_leaves_whole_files_and_the_next_one_ends_as_if_it_had_not_been() {
    if !has_strace() {
        return;
    }
    let export = |stop: &'static str| {
        let words = ["export", "--source", "sample", "--quiet", "SAMPLE_PANEL_TEMP", "SAMPLE_WHEEL_POS"];
        let range = ["--start", "2024-03-01T04:00", "--stop", stop];
        [&words[..], &range, &["--partition", "mnemonic,day", "-o", "set"]].concat()
    };
    let (old, new) = (export("2024-03-01T05:00"), export("2024-03-01T06:00"));
    let undisturbed = |words: &[&[&str]]| {
        let world = World::new();
        words.iter().for_each(|words| drop(world.edb(words).succeeded()));
        exported(&world)
    };
    let (before, after) = (undisturbed(&[&old]), undisturbed(&[&old, &new]));
    assert!(before.len() == 2 && after.len() == 2 && before != after);
    let mut kills = 0;
    for call in ["rename", "fsync", "mkdir", "unlink"] {
        for place in 1.. {
            let world = World::new();
            world.edb(&old).succeeded();
            let inject = format!("inject={call}:signal=KILL:when={place}");
            let run = traced(&world, &["-e".into(), inject, "-o/dev/null".into()], &new);
            let found = exported(&world);
            assert_eq!(found.len(), 2, "{call} {place}: {:?}", found.keys());
            for (name, bytes) in &found {
                assert!(
                    before[name] == *bytes || after[name] == *bytes,
                    "{call} {place}: {name} is half-written"
                );
            }
            world.edb(&new).succeeded();
            assert!(exported(&world) == after, "{call} {place}");
            assert_eq!(files(&world.path("set")).len(), 2, "{call} {place}: nothing is left behind");
            if run.code == 0 {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 12, "{kills}");
}
