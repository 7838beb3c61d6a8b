//! Telemetry that was never measured.
//!
//! Deterministic: noise is a hash of the sample's number. Times sit on the observatory's 64 ms tick. The names begin with
//! `SAMPLE_`, so that nobody takes them for JWST's.

use std::f64::consts::TAU;

use edb_core::{
    DictionaryEntry, Instant, MICROS_PER_SECOND, Mnemonic, Nulls, Samples, SqlType, TextColumn, Values,
};

/// 2024-03-01T00:00:00Z.
const START: i64 = 1_709_251_200 * MICROS_PER_SECOND;
const MINUTE: i64 = 60 * MICROS_PER_SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Nine mnemonics of different cadence and kind, over the first days of March 2024.
///
/// # Panics
/// Never: the names are mnemonics and the columns have equal lengths.
pub fn sample() -> Vec<(DictionaryEntry, Samples)> {
    vec![
        // A fine offset: 64 ms, every digit of noise, one outlier.
        made("SAMPLE_FINE_X", SqlType::Float, "arcsec", "fine guidance offset along x", {
            let times = ticks(6 * HOUR, HOUR / 2, 64_000);
            let value =
                |t: f64, n: u64| 0.02 * (TAU * t / 17.0).sin() + 0.004 * noise(1, n) + spike(n, 12_345, 0.15);
            reals(times, |t, n| decimals(value(t, n)))
        }),
        // A slowly turning attitude: 256 ms.
        made("SAMPLE_ATTITUDE_X", SqlType::Real, "", "attitude quaternion, first element", {
            let times = ticks(5 * HOUR, 2 * HOUR, 256_000);
            reals(times, |t, n| single(0.62 + 1e-4 * (TAU * t / 5400.0).sin() + 2e-7 * noise(2, n)))
        }),
        // A voltage in steps of a 12-bit converter: 1.024 s, with a hole of forty minutes.
        made("SAMPLE_MOTOR_VOLT", SqlType::Real, "V", "motor secondary voltage", {
            let mut times = ticks(0, 12 * HOUR, 1_024_000);
            times.retain(|time| !(START + 7 * HOUR..START + 7 * HOUR + 40 * MINUTE).contains(time));
            let level = |t: f64| if (t / 5400.0) as i64 % 3 == 1 { 28.1 } else { 0.2 };
            reals(times, |t, n| single(counts(level(t) + 0.05 * noise(3, n), 30.0)))
        }),
        made("SAMPLE_PANEL_TEMP", SqlType::Real, "C", "electronics panel temperature", {
            let times = ticks(0, 24 * HOUR, 8_192_000);
            reals(times, |t, n| {
                single(counts(21.0 + 1.5 * (TAU * t / 40_000.0).sin() + 0.03 * noise(4, n), 60.0))
            })
        }),
        // A cold temperature: 32.768 s over days.
        made("SAMPLE_MIRROR_TEMP", SqlType::Real, "K", "mirror segment temperature", {
            let times = ticks(0, 5 * 24 * HOUR, 32_768_000);
            reals(times, |t, n| {
                single(counts(44.8 + 0.02 * (TAU * t / 190_000.0).cos() + 0.002 * noise(5, n), 60.0))
            })
        }),
        made("SAMPLE_DETECTOR_ID", SqlType::TinyInt, "", "guider in use", {
            let times = ticks(4 * HOUR, 4 * HOUR, 1_024_000);
            let values = times.iter().map(|time| 1 + (seconds(*time) / 3000.0) as i64 % 2).collect();
            (times, Values::Integer(values))
        }),
        // A discrete state, sampled all the time.
        made("SAMPLE_WHEEL_POS", SqlType::Varchar, "", "filter wheel position", {
            let times = ticks(4 * HOUR, 6 * HOUR, 4_096_000);
            let stop = |step: usize| ["OPAQUE", "F560W", "F770W", "F1000W", "F1500W"][step % 5];
            let word = |time: &i64| {
                let turn = seconds(*time) / 2700.0;
                if turn.fract() < 0.02 { "MOVING" } else { stop(turn as usize) }
            };
            texts(times.clone(), times.iter().map(word))
        }),
        // A state that is reported only when it changes.
        made("SAMPLE_HEATER_STATE", SqlType::Varchar, "", "heater state, reported on change only", {
            let mut times = vec![START - 9 * HOUR];
            while times[times.len() - 1] < START + 30 * HOUR {
                let step = 1500 + (hash(6, times.len() as u64) % 9000) as i64;
                times.push(times[times.len() - 1] + step * 1_024_000);
            }
            let count = times.len();
            texts(times, (0..count).map(|at| if at % 2 == 0 { "OFF" } else { "ON" }))
        }),
        made("SAMPLE_EVENT_MSG", SqlType::Varchar, "", "event messages of the on-board scripts", {
            let (mut times, mut words) = (Vec::new(), TextColumn::default());
            for visit in 0..8_u64 {
                let begin = START + (60 + 80 * visit as i64) * MINUTE;
                let id = format!("V99999{:03}001", visit + 1);
                let mut say = |after_s: i64, text: &str| {
                    times.push((begin + after_s * MICROS_PER_SECOND) / 1_024_000 * 1_024_000);
                    words.push(text);
                };
                say(0, &format!("VISIT {id} STARTED"));
                // Several messages share one time, and their order matters.
                say(0, &format!("Script activated: {id}:SCSLEWMAIN"));
                say(900, &format!("Script terminated: {id}:SCSLEWMAIN"));
                say(900, &format!("Script activated: {id}:FGSMAIN"));
                say(
                    1260,
                    &format!("Script terminated: {id}:FGSMAIN:GS_ACQUIRED, on attempt \"{}\"", 1 + visit % 3),
                );
                let ending = if visit == 5 { "ENDED, EXCEEDED ALLOWED TIME" } else { "ENDED" };
                say(4000 + 7 * visit as i64, &format!("VISIT {id} {ending}"));
            }
            (times, Values::Text(words))
        }),
    ]
}

fn made(
    name: &str,
    sql_type: SqlType,
    unit: &str,
    description: &str,
    (times, values): (Vec<i64>, Values),
) -> (DictionaryEntry, Samples) {
    let mut entry = DictionaryEntry::bare(Mnemonic::new(name).expect("a mnemonic"));
    "SYNTHETIC".clone_into(&mut entry.subsystem);
    entry.identifier = Some(900_000 + i64::from(hash(0, name.len() as u64) as u16));
    entry.description = format!("{description} (synthetic)");
    entry.sql_type = Some(sql_type.clone());
    unit.clone_into(&mut entry.unit);
    let (samples, misplaced) =
        Samples::from_columns(sql_type, times, values, Nulls::none()).expect("equal lengths");
    assert_eq!(misplaced, 0, "{name}");
    (entry, samples)
}

/// Times on the 64 ms tick, every `step_us` in a span that begins `after_us` after [`START`].
fn ticks(after_us: i64, length_us: i64, step_us: i64) -> Vec<i64> {
    let first = (START + after_us) / 64_000 * 64_000 + 64_000;
    (0..length_us / step_us).map(|at| first + at * step_us).collect()
}

fn seconds(time: i64) -> f64 {
    (time - START) as f64 / MICROS_PER_SECOND as f64
}

fn reals(times: Vec<i64>, value: impl Fn(f64, u64) -> f64) -> (Vec<i64>, Values) {
    let values = times.iter().enumerate().map(|(n, time)| value(seconds(*time), n as u64)).collect();
    (times, Values::real(values))
}

fn texts<'a>(times: Vec<i64>, words: impl Iterator<Item = &'a str>) -> (Vec<i64>, Values) {
    let mut column = TextColumn::default();
    words.for_each(|word| column.push(word));
    (times, Values::Text(column))
}

/// What the service's ten decimals leave of a value.
fn decimals(value: f64) -> f64 {
    (value * 1e10).round() / 1e10
}

/// What a 32-bit float and the service's ten decimals leave of a value.
fn single(value: f64) -> f64 {
    decimals(f64::from(value as f32))
}

/// The nearest step of a 12-bit converter with the given full scale.
fn counts(value: f64, full_scale: f64) -> f64 {
    (value / full_scale * 4096.0).round() / 4096.0 * full_scale
}

fn spike(n: u64, at: u64, height: f64) -> f64 {
    if n == at { height } else { 0.0 }
}

/// A number in [-1, 1), the same for the same arguments everywhere.
pub fn noise(stream: u64, n: u64) -> f64 {
    (hash(stream, n) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// splitmix64 of a stream's n-th number.
fn hash(stream: u64, n: u64) -> u64 {
    let mut z = (stream << 40 | n).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The instant at which the sample begins, for tests that choose ranges in it.
pub fn start() -> Instant {
    Instant::from_micros(START)
}
