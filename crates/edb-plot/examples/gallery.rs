//! Draws a gallery of synthetic figures into a folder: `cargo run -p edb-plot --example gallery -- FOLDER`.
#![allow(clippy::disallowed_methods, reason = "an example for developers: its files are looked at once")]

use std::path::Path;
use std::sync::Arc;

use edb_core::{
    Coverage, Instant, Mnemonic, Nulls, Result, Sample, Samples, Series, SqlType, TextColumn, TimeRange,
    Value, Values, parse_instant,
};
use edb_plot::{FigureOptions, Format, draw};

fn at(text: &str) -> Instant {
    parse_instant(text, Instant::from_micros(0)).expect("a time")
}

fn range(start: &str, stop: &str) -> TimeRange {
    TimeRange::new(at(start), at(stop)).expect("a range")
}

/// The times of `range` every `step_ms`.
fn every(range: TimeRange, step_ms: i64) -> Vec<i64> {
    (range.start().as_micros()..range.stop().as_micros()).step_by(step_ms as usize * 1000).collect()
}

/// Noise between -1 and 1 that depends on nothing but `at`.
fn noise(at: i64) -> f64 {
    let mut bits = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn series(
    name: &str,
    unit: &str,
    range: TimeRange,
    sql_type: SqlType,
    times: Vec<i64>,
    values: Values,
) -> Series {
    let (samples, _) =
        Samples::from_columns(sql_type, times, values, Nulls::none()).expect("columns that fit");
    let mut series = Series::new(Mnemonic::new(name).expect("a name"), range, samples);
    unit.clone_into(&mut series.about.unit);
    series
}

fn real(name: &str, unit: &str, range: TimeRange, times: Vec<i64>, value: impl Fn(i64) -> f64) -> Series {
    let values = times.iter().map(|time| value(*time)).collect();
    series(name, unit, range, SqlType::Real, times, Values::real(values))
}

fn text(name: &str, range: TimeRange, rows: &[(i64, String)]) -> Series {
    let mut column = TextColumn::default();
    for (_, word) in rows {
        column.push(word);
    }
    let times = rows.iter().map(|(time, _)| *time).collect();
    series(name, "", range, SqlType::Varchar, times, Values::Text(column))
}

fn states(name: &str, range: TimeRange, words: &[&str], changes: i64) -> Series {
    let step = range.micros() / (changes + 1);
    let rows: Vec<_> = (0..changes)
        .map(|n| {
            let time = range.start().as_micros() + step * (n + 1) + (noise(n) * step as f64 / 2.5) as i64;
            (time, words[((n + 1) as usize) % words.len()].to_owned())
        })
        .collect();
    let mut series = text(name, range, &rows);
    series.about.all_points = Some(false);
    let value = Value::Text(Arc::from(words[0]));
    series.leading = Some(Sample { time: range.start().plus_micros(-9_000_000), value });
    series
}

fn wave(time: i64, period_s: f64, height: f64) -> f64 {
    let part = time as f64 / 1e6 / period_s;
    height * (part * std::f64::consts::TAU).sin() + noise(time) * height * 0.05
}

fn without(times: Vec<i64>, hole: TimeRange) -> Vec<i64> {
    times.into_iter().filter(|time| !hole.contains(Instant::from_micros(*time))).collect()
}

fn messages(name: &str, range: TimeRange, count: i64) -> Series {
    let step = range.micros() / count;
    let rows: Vec<_> = (0..count)
        .map(|n| {
            let what = [
                "Slew complete",
                "Guide star acquired, id",
                "Exposure started for visit",
                "MIRI cooler stage changed",
            ];
            let time = range.start().as_micros() + n * step + ((noise(n) + 1.0) * step as f64 / 2.2) as i64;
            (time, format!("{} {:04}", what[(n * 7 % 4) as usize], n * 37 % 9973))
        })
        .collect();
    text(name, range, &rows)
}

fn mixed() -> Vec<Series> {
    let day = range("2022-06-01T00:00:00Z", "2022-06-02T00:00:00Z");
    let late = range("2022-06-01T06:00:00Z", "2022-06-01T20:00:00Z");
    let hole = range("2022-06-01T09:10:00Z", "2022-06-01T10:40:00Z");
    let counter_times = every(day, 600_000);
    let counter = (0..counter_times.len() as i64).map(|n| n % 37).collect();
    vec![
        real("IMIR_HK_ICE_SEC_VOLT1", "V", day, without(every(day, 4096), hole), |t| {
            28.0 + wave(t, 20_000.0, 0.4)
        }),
        real("IMIR_HK_ICE_SEC_VOLT2", "V", late, every(late, 4096), |t| 27.5 + wave(t, 7000.0, 0.3)),
        real("IGDP_MIR_ICE_T1P_CRYO", "K", day, every(day, 60_000), |t| 6.07 + wave(t, 30_000.0, 0.01)),
        real("SA_ZADUCMDX", "rad", late, every(late, 256), |t| {
            if t == late.start().as_micros() + 20_000_000_000 { 0.004 } else { wave(t, 900.0, 0.001) }
        }),
        series("INRC_ADCMGR_CMD_COUNT", "", day, SqlType::Int, counter_times, Values::Integer(counter)),
        states("IMIR_HK_FW_POS_STATE", day, &["F560W", "F770W", "F1000W", "OPAQUE"], 14),
        states("SA_ZATTMODE", late, &["COARSE", "FINE_GUIDE", "SLEW"], 40),
        messages("ICTM_EVENT_MSG", day, 46),
    ]
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let day = range("2022-06-01T00:00:00Z", "2022-06-02T00:00:00Z");
    let seconds = range("2022-02-02T22:24:58Z", "2022-02-02T22:25:00Z");
    let years = range("2022-01-10T00:00:00Z", "2025-01-10T00:00:00Z");
    let hour = range("2022-06-01T09:00:00Z", "2022-06-01T11:00:00Z");
    let hole = range("2022-06-01T09:30:00Z", "2022-06-01T09:42:00Z");
    let volts = |t| 28.0 + wave(t, 1500.0, 0.2);
    let mut half_known = states("IMIR_HK_FW_POS_STATE", hour, &["F560W", "F770W", "OPAQUE"], 7);
    half_known.known = Coverage::from_iter([range("2022-06-01T09:00:00Z", "2022-06-01T10:30:00Z")]);
    let pictures: Vec<(&str, TimeRange, Vec<Series>)> = vec![
        ("mixed", day, mixed()),
        (
            "gap",
            hour,
            vec![
                real("IMIR_HK_ICE_SEC_VOLT1", "V", hour, without(every(hour, 1000), hole), volts),
                real("IMIR_HK_ICE_SEC_VOLT2", "V", hour, without(every(hour, 60_000), hole), |t| {
                    volts(t + 300_000_000) - 0.3
                }),
            ],
        ),
        (
            "states",
            hour,
            vec![half_known, states("SA_ZATTMODE", hour, &["COARSE", "FINE_GUIDE", "SLEW"], 25)],
        ),
        ("messages", day, vec![messages("ICTM_EVENT_MSG", day, 400)]),
        (
            "seconds",
            seconds,
            vec![real("SA_ZATTEST2", "", seconds, every(seconds, 64), |t| wave(t, 0.7, 1e-5))],
        ),
        (
            "years",
            years,
            vec![real("IGDP_MIR_ICE_T1P_CRYO", "K", years, every(years, 60_000), |t| {
                6.07 + wave(t, 9_000_000.0, 0.01) + if noise(t) > 0.99999 { 0.05 } else { 0.0 }
            })],
        ),
        (
            "empty",
            hour,
            vec![
                real("IMIR_HK_ICE_SEC_VOLT1", "V", hour, Vec::new(), volts),
                text("ICTM_EVENT_MSG", hour, &[]),
            ],
        ),
    ];
    for (name, range, series) in pictures {
        let mut options = FigureOptions::default();
        "Source: synthetic telemetry, not from the spacecraft".clone_into(&mut options.footer);
        "synthetic".clone_into(&mut options.description);
        for (format, extension) in [(Format::Png, "png"), (Format::Svg, "svg")] {
            let figure = draw(&series, range, &options, format)?;
            let path = Path::new(&folder).join(format!("{name}.{extension}"));
            std::fs::write(&path, figure.value)
                .map_err(|cause| edb_core::Error::disk("write", &path, cause))?;
        }
    }
    Ok(())
}
