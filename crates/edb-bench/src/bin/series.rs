//! Measures the series layer. What it makes is read by `peers/series.py`, too.
//!
//! ```text
//! series make FOLDER                      columns as FOLDER/NAME.times.i64 and FOLDER/NAME.values.f64
//! series FOLDER OPERATION [REPETITIONS]   resample, hold, linear, clip, filter, resample_large: CPU time and a checksum
//! series store FOLDER STORE               a store of 40 mnemonics of 30 days at 256 ms, of the columns in FOLDER
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::Path;
use std::time::{Duration, Instant as Clock};

use edb_bench::{Random, cpu_seconds, memory_bytes};
use edb_core::{
    Error, Instant, Mnemonic, Nulls, Result, Samples, Series, SqlType, TimeRange, Values, atomic,
};
use edb_frame::{
    AlignOptions, Bins, Condition, Grid, Limit, Method, ResampleOptions, Statistic, Table, Times, align,
    long, resample, select,
};
use edb_store::{About, DiskStore, Header, Segment, Store};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2024-03-01T00:00:00Z.
const START: i64 = 1_709_251_200 * SECOND;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["make", folder] => make(Path::new(folder)),
        ["store", folder, into] => store(Path::new(folder), Path::new(into)),
        [folder, operation] => measure(Path::new(folder), operation, 7),
        [folder, operation, repetitions] => {
            let count = repetitions.parse().map_err(|_| Error::usage("expected a number of repetitions"))?;
            measure(Path::new(folder), operation, count)
        }
        _ => Err(Error::usage(
            "expected `make FOLDER`, `store FOLDER STORE`, or `FOLDER OPERATION [REPETITIONS]`",
        )),
    }
}

fn write(folder: &Path, name: &str, times: &[i64], values: &[f64]) -> Result<()> {
    let bytes: Vec<u8> = times.iter().flat_map(|time| time.to_le_bytes()).collect();
    atomic::write(&folder.join(format!("{name}.times.i64")), &bytes)?;
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    atomic::write(&folder.join(format!("{name}.values.f64")), &bytes)
}

fn sensor(random: &mut Random, rows: i64) -> (Vec<i64>, Vec<f64>) {
    let phase = (random.next() * 250_000.0) as i64;
    // The service's times are whole milliseconds, and stray by one.
    let time = |row: i64, jitter: f64| START + phase + row * 256_000 + (jitter * 3.0) as i64 * 1_000;
    let times = (0..rows).map(|row| time(row, random.next())).collect();
    let mut drift = 0.0;
    let values = (0..rows).map(|_| {
        drift += random.normal() * 0.01;
        let outlier = if random.next() < 1e-3 { 40.0 } else { 0.0 };
        drift + random.normal() + outlier
    });
    let values = values.collect();
    (times, values)
}

fn changes(random: &mut Random, count: usize, value: impl Fn(usize) -> f64) -> (Vec<i64>, Vec<f64>) {
    let mut times: Vec<i64> =
        (0..count).map(|_| START + (random.next() * DAY as f64) as i64 / 1000 * 1000).collect();
    times.sort_unstable();
    times.dedup();
    let values = (0..times.len()).map(value).collect();
    (times, values)
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::usage("could not make the folder").caused_by(error))?;
    let mut random = Random::new(7);
    for number in 0..20 {
        let (times, values) = sensor(&mut random, 337_500);
        write(folder, &format!("dense_{number:02}"), &times, &values)?;
    }
    for number in 0..5 {
        let (times, values) = changes(&mut random, 144, |at| (at % 7) as f64);
        write(folder, &format!("change_{number}"), &times, &values)?;
    }
    let (times, values) = sensor(&mut random, 10_125_000);
    write(folder, "month", &times, &values)?;
    let (times, values) = changes(&mut random, 2000, |at| (at % 2) as f64);
    write(folder, "condition", &times, &values)
}

/// The month under forty names, each a little different.
fn store(folder: &Path, path: &Path) -> Result<()> {
    let month = read(folder, "month")?;
    let Values::Real(values) = month.samples.values() else { return Err(Error::usage("expected reals")) };
    let store = DiskStore::open_or_create(path)?;
    for number in 0..40 {
        let values =
            values.0.iter().map(|value| (value * 100.0).round() / 100.0 + f64::from(number)).collect();
        let times = month.samples.times().to_vec();
        let (samples, _) = Samples::from_columns(SqlType::Real, times, Values::real(values), Nulls::none())?;
        let about = About {
            header: Header { fetched_at: month.range.stop(), proven: month.range, provisional: false },
            sql_type: SqlType::Real,
            unit: "K".to_owned(),
            leading: None,
            trailing: None,
            sources: vec!["synthetic: made by edb-bench, not measured".to_owned()],
        };
        store.commit(Segment { mnemonic: Mnemonic::new(&format!("MONTH_{number:02}"))?, about, samples })?;
    }
    Ok(())
}

fn numbers<T>(path: &Path, from: fn([u8; 8]) -> T) -> Result<Vec<T>> {
    let bytes = std::fs::read(path)
        .map_err(|error| Error::usage(format!("could not read `{}`", path.display())).caused_by(error))?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|bytes| from(*bytes)).collect())
}

fn read(folder: &Path, name: &str) -> Result<Series> {
    let times = numbers(&folder.join(format!("{name}.times.i64")), i64::from_le_bytes)?;
    let values = numbers(&folder.join(format!("{name}.values.f64")), f64::from_le_bytes)?;
    series(name, times, values)
}

fn series(name: &str, times: Vec<i64>, values: Vec<f64>) -> Result<Series> {
    let range = TimeRange::new(
        Instant::from_micros(START),
        Instant::from_micros(times[times.len() - 1].max(START + DAY - 1) + 1),
    )?;
    let (samples, _) = Samples::from_columns(SqlType::Real, times, Values::real(values), Nulls::none())?;
    let mut series = Series::new(Mnemonic::new(name)?, range, samples);
    series.about.all_points = Some(!name.starts_with('c'));
    Ok(series)
}

fn dense(folder: &Path) -> Result<Vec<Series>> {
    (0..20).map(|number| read(folder, &format!("dense_{number:02}"))).collect()
}

fn minutes(statistics: &[Statistic], minutes: i64) -> ResampleOptions {
    let bins = Bins::Grid(Grid::every(60 * SECOND * minutes));
    ResampleOptions { statistics: statistics.to_vec(), ..ResampleOptions::new(bins) }
}

/// The sum of all finite numbers of columns.
fn checksum(table: &Table, is_one: impl Fn(&str) -> bool) -> f64 {
    let columns = table.frame().columns().iter().filter(|column| is_one(column.name().as_str()));
    let sum = |column: &_| -> f64 {
        let column: &edb_frame::polars::Column = column;
        column.f64().map_or(0.0, |cells| cells.iter().flatten().filter(|value| value.is_finite()).sum())
    };
    columns.map(sum).sum()
}

fn measure(folder: &Path, operation: &str, repetitions: usize) -> Result<()> {
    const MOMENTS: [Statistic; 5] =
        [Statistic::Mean, Statistic::Min, Statistic::Max, Statistic::Std, Statistic::Count];
    let is_moment = |name: &str| name == "mean" || name == "std";
    match operation {
        "resample" => {
            let all = dense(folder)?;
            report(operation, repetitions, || resample(&all, &minutes(&MOMENTS, 1)), is_moment)
        }
        "resample_large" => {
            let month = read(folder, "month")?;
            let (times, values) = (month.samples.times(), month.samples.values());
            let Values::Real(values) = values else { return Err(Error::usage("expected reals")) };
            let span = 30 * DAY;
            let times = (0..10).flat_map(|part| times.iter().map(move |time| time + part * span)).collect();
            let values = (0..10).flat_map(|_| values.0.iter().copied()).collect();
            let all = [series("dense_month", times, values)?];
            report(operation, repetitions, || resample(&all, &minutes(&MOMENTS, 1)), is_moment)
        }
        "clip" => {
            let all = [read(folder, "month")?];
            let options =
                minutes(&[Statistic::ClippedMean, Statistic::ClippedMedian, Statistic::ClippedStd], 5);
            let is_one = |name: &str| name == "clipped_mean" || name == "clipped_std";
            report(operation, repetitions, || resample(&all, &options), is_one)
        }
        "hold" => {
            let mut all = dense(folder)?;
            for number in 0..5 {
                all.push(read(folder, &format!("change_{number}"))?);
            }
            let times = Times::Grid(Grid::every(SECOND));
            let options = AlignOptions::new(times, Method::Hold, Limit::At(Duration::from_secs(5)));
            report(operation, repetitions, || align(&all, &options), |name| name != "time")
        }
        "linear" => {
            let all = dense(folder)?;
            let times = Times::Of(all[0].mnemonic().clone());
            let options = AlignOptions::new(times, Method::Linear, Limit::Unlimited);
            let is_one = |name: &str| name != "time" && name != "DENSE_00";
            report(operation, repetitions, || align(&all, &options), is_one)
        }
        "filter" => {
            let (dense, condition) = (read(folder, "dense_00")?, read(folder, "condition")?);
            let ones = Condition::parse("CONDITION = 1")?;
            let (dense, condition) = ([dense], [condition]);
            let work = || long(&select(&dense, &ones.spans(&condition)?.value));
            report(operation, repetitions, work, |name| name == "value")
        }
        _ => Err(Error::usage(format!("there is no operation `{operation}`"))),
    }
}

/// Does the work once to warm up, and then measures it; what it makes is dropped, and dropping it is measured, too.
fn report(
    operation: &str,
    repetitions: usize,
    mut work: impl FnMut() -> Result<Table>,
    is_one: impl Fn(&str) -> bool,
) -> Result<()> {
    let checksum = checksum(&work()?, is_one);
    // The scheduler's account moves in steps of some milliseconds: the mean of many is exact enough.
    let cpu = cpu_seconds();
    let mut wall_ms_best = f64::INFINITY;
    for _ in 0..repetitions {
        let wall = Clock::now();
        drop(work()?);
        wall_ms_best = wall_ms_best.min(wall.elapsed().as_secs_f64() * 1e3);
    }
    let cpu_ms_mean = (cpu_seconds() - cpu) * 1e3 / repetitions as f64;
    println!(
        "{}",
        serde_json::json!({
            "operation": operation,
            "peer": "edb",
            "cpu_ms_mean": cpu_ms_mean,
            "wall_ms_best": wall_ms_best,
            "checksum": checksum,
            "rss_mib": memory_bytes("VmHWM") as f64 / 1_048_576.0,
        })
    );
    Ok(())
}
