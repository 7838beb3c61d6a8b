//! Measures the store: size, reading, opening. What it makes is read by `peers/store.py`, too.
//!
//! ```text
//! store make FOLDER             housekeeping in a store (FOLDER/store), merged, and as plain columns (FOLDER/*.i64, *.f64)
//! store read STORE MNEMONIC     all of it to columns, five times over
//! store hour STORE MNEMONIC     an hour in the middle, a hundred times over
//! store real FOLDER             EDB CSV files, each a segment
//! store many FOLDER             20,000 mnemonics of 12 segments: opening, planning a query of 100, memory
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::{Path, PathBuf};
use std::time::Instant as Clock;

use edb_bench::housekeeping::Housekeeping;
use edb_bench::{cpu_seconds, memory_bytes};
use edb_core::{
    Error, Instant, MICROS_PER_DAY, Mnemonic, Nulls, Request, Result, Samples, SqlType, TimeRange, Values,
    atomic,
};
use edb_store::{About, DiskStore, Effort, Header, Segment, Store};

/// What is made: a month at 256 ms with three sizes of noise, and a year at 1.024 s.
const SETS: [(&str, Housekeeping); 4] = [
    ("HK_MONTH_03", Housekeeping { step_us: 256_000, noise_counts: 0.3, samples: 10_125_000 }),
    ("HK_MONTH_06", Housekeeping { step_us: 256_000, noise_counts: 0.6, samples: 10_125_000 }),
    ("HK_MONTH_15", Housekeeping { step_us: 256_000, noise_counts: 1.5, samples: 10_125_000 }),
    ("HK_YEAR_06", Housekeeping { step_us: 1_024_000, noise_counts: 0.6, samples: 30_800_000 }),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["make", folder] => make(Path::new(folder)),
        ["read", store, mnemonic] => read(Path::new(store), &Mnemonic::new(mnemonic)?),
        ["hour", store, mnemonic] => hour(Path::new(store), &Mnemonic::new(mnemonic)?),
        ["real", folder] => real(Path::new(folder)),
        ["many", folder] => many(Path::new(folder)),
        _ => Err(Error::usage("expected `make`, `read`, `hour`, `real` or `many`")),
    }
}

fn segment(mnemonic: &Mnemonic, times: &[i64], values: &[f64], step_us: i64) -> Result<Segment> {
    let (samples, _) =
        Samples::from_columns(SqlType::Real, times.to_vec(), Values::real(values.to_vec()), Nulls::none())?;
    whole(mnemonic, samples, step_us)
}

fn whole(mnemonic: &Mnemonic, samples: Samples, step_us: i64) -> Result<Segment> {
    let at = Instant::from_micros;
    let times = samples.times();
    let (first, last) = (times.first().copied().unwrap_or(0), times.last().copied().unwrap_or(0));
    let about = About {
        header: Header {
            fetched_at: at(last).plus_micros(30 * MICROS_PER_DAY),
            proven: TimeRange::new(at(first), at(last + step_us))?,
            provisional: false,
        },
        sql_type: samples.sql_type().clone(),
        unit: "K".to_owned(),
        leading: None,
        trailing: None,
        sources: vec!["synthetic: made by edb-bench, not measured".to_owned()],
    };
    Ok(Segment { mnemonic: mnemonic.clone(), about, samples })
}

fn make(folder: &Path) -> Result<()> {
    let store = DiskStore::open_or_create(&folder.join("store"))?;
    for (name, telemetry) in SETS {
        let mnemonic = Mnemonic::new(name)?;
        let (times, values) = telemetry.columns();
        let bytes: Vec<u8> = times.iter().flat_map(|time| time.to_le_bytes()).collect();
        atomic::write(&folder.join(format!("{name}.i64")), &bytes)?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        atomic::write(&folder.join(format!("{name}.f64")), &bytes)?;
        drop(bytes);
        let before = cpu_seconds();
        // As days come in: a segment for each.
        let rows = (MICROS_PER_DAY / telemetry.step_us) as usize;
        for (times, values) in times.chunks(rows).zip(values.chunks(rows)) {
            store.commit(segment(&mnemonic, times, values, telemetry.step_us)?)?;
        }
        let written = cpu_seconds() - before;
        let fresh = store.status(&mnemonic)?;
        let before = cpu_seconds();
        store.compact(&mnemonic)?;
        let merging = cpu_seconds() - before;
        let merged = store.status(&mnemonic)?;
        let each = |bytes: u64| bytes as f64 / times.len() as f64;
        println!(
            "{name}: {} samples; entropy of the values {:.3} B; {} segments as they come {:.3} B/sample, {:.1} ns/sample; {} merged {:.3} B/sample, {:.1} ns/sample",
            times.len(),
            telemetry.entropy_bytes(),
            fresh.segments,
            each(fresh.size_bytes),
            written * 1e9 / times.len() as f64,
            merged.segments,
            each(merged.size_bytes),
            merging * 1e9 / times.len() as f64,
        );
    }
    Ok(())
}

fn real(folder: &Path) -> Result<()> {
    let disk = |error| Error::disk("read", folder, error);
    let (mut rows, mut quick, mut thorough) = (0, 0, 0);
    for entry in std::fs::read_dir(folder).map_err(disk)? {
        let body = std::fs::read(entry.map_err(disk)?.path()).map_err(disk)?;
        let samples = edb_wire::decode(&body)?.samples;
        let made = whole(&Mnemonic::new("REAL")?, samples, 1)?;
        rows += made.samples.len();
        for (effort, size) in [(Effort::Quick, &mut quick), (Effort::Thorough, &mut thorough)] {
            let mut bytes = Vec::new();
            made.write(&mut bytes, effort)?;
            *size += bytes.len();
        }
    }
    let each = |bytes: usize| bytes as f64 / rows as f64;
    println!(
        "real: {rows} samples, edb {:.3} B/sample as they come, {:.3} with effort",
        each(quick),
        each(thorough)
    );
    Ok(())
}

fn known_range(store: &DiskStore, mnemonic: &Mnemonic) -> Result<TimeRange> {
    let known = store.known(mnemonic)?;
    let hull = known.ranges().iter().copied().reduce(TimeRange::hull);
    hull.ok_or_else(|| Error::usage(format!("the store holds nothing of {mnemonic}")))
}

fn read(store: &Path, mnemonic: &Mnemonic) -> Result<()> {
    let store = DiskStore::open(store)?;
    let range = known_range(&store, mnemonic)?;
    for _ in 0..5 {
        let (wall, cpu) = (Clock::now(), cpu_seconds());
        let reading = store.read(mnemonic, range)?;
        let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        let rows = reading.samples.len();
        let last = reading.samples.sample(rows - 1);
        println!(
            "{mnemonic}: edb {rows} samples in {wall:.4} s, {cpu:.4} CPU s: {:.1} M samples/CPU s, peak {:.0} MB (last {})",
            rows as f64 / cpu / 1e6,
            memory_bytes("VmHWM") as f64 / 1e6,
            last.value
        );
    }
    Ok(())
}

fn hour(store: &Path, mnemonic: &Mnemonic) -> Result<()> {
    let clock = Clock::now();
    let store = DiskStore::open(store)?;
    let whole = known_range(&store, mnemonic)?;
    let opened = clock.elapsed().as_secs_f64() * 1e3;
    let mut millis = Vec::new();
    let mut rows = 0;
    for round in 0..100 {
        // Another hour each time.
        let start = whole.start().plus_micros(whole.micros() / 101 * (round + 1));
        let range = TimeRange::new(start, start.plus_micros(3_600_000_000))?;
        let clock = Clock::now();
        rows = store.read(mnemonic, range)?.samples.len();
        millis.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    millis.sort_by(f64::total_cmp);
    println!(
        "{mnemonic}: an hour ({rows} samples) of {} days, {} segments: median {:.2} ms, worst of 100 {:.2} ms; the store was opened in {opened:.2} ms",
        whole.micros() / MICROS_PER_DAY,
        store.status(mnemonic)?.segments,
        millis[50],
        millis[99]
    );
    Ok(())
}

fn many(folder: &Path) -> Result<()> {
    const MNEMONICS: usize = 20_000;
    let name = |at: usize| Mnemonic::new(&format!("MANY_{at:05}"));
    if !folder.exists() {
        // One mnemonic through the front door, the others as copies of its files: names are what is read.
        let store = DiskStore::open_or_create(folder)?;
        let month = 30 * MICROS_PER_DAY;
        for at in 0..12 {
            let times: Vec<i64> = (0..100).map(|row| at * month + row * month / 100).collect();
            store.commit(segment(&name(0)?, &times, &vec![1.0; 100], month / 100)?)?;
        }
        let path = |mnemonic: &Mnemonic| folder.join("samples").join(format!("mnemonic={mnemonic}"));
        let files: Vec<PathBuf> = std::fs::read_dir(path(&name(0)?))
            .map_err(|error| Error::disk("list", folder, error))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        for at in 1..MNEMONICS {
            let to = path(&name(at)?);
            let link = || -> std::io::Result<()> {
                std::fs::create_dir_all(&to)?;
                for file in &files {
                    std::fs::hard_link(file, to.join(file.file_name().unwrap_or_default()))?;
                }
                Ok(())
            };
            link().map_err(|error| Error::disk("link in", &to, error))?;
        }
        println!("made");
        return Ok(());
    }
    let before = memory_bytes("VmRSS");
    let clock = Clock::now();
    let store = DiskStore::open(folder)?;
    let opened = clock.elapsed().as_secs_f64() * 1e3;
    let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(400 * MICROS_PER_DAY))?;
    let now = Instant::from_micros(1000 * MICROS_PER_DAY);
    let mut gaps = 0;
    for at in (0..MNEMONICS).step_by(MNEMONICS / 100) {
        let request = Request { mnemonic: name(at)?, range };
        gaps += store.gaps(&request.mnemonic, request.range, now, 7 * MICROS_PER_DAY)?.len();
    }
    let planned = clock.elapsed().as_secs_f64() * 1e3;
    println!(
        "{MNEMONICS} mnemonics of 12 segments: opened in {opened:.2} ms, a query of 100 planned by {planned:.2} ms ({gaps} gaps), {:.1} MB more memory",
        (memory_bytes("VmRSS").saturating_sub(before)) as f64 / 1e6
    );
    Ok(())
}
