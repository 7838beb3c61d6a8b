//! Draws a gallery of synthetic figures into a folder: `cargo run -p edb-plot --example gallery -- FOLDER`.
#![allow(clippy::disallowed_methods, reason = "an example for developers: its files are looked at once")]

use std::path::Path;
use std::sync::Arc;

use edb_core::{
    Coverage, Instant, Mnemonic, Nulls, Result, Sample, Samples, Series, SqlType, TextColumn, TimeRange,
    Value, Values, parse_instant,
};
use edb_plot::{
    Bins, Chart, ChartKind, Clock, FigureOptions, Format, Grouping, Limits, Theme, Trace, arrange, draw,
};

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

/// Statistics of bins of `width_us`, by hand.
fn bins(series: &Series, width_us: i64) -> Bins {
    let Values::Real(values) = series.samples.values() else { return Bins::default() };
    let mut bins =
        Bins { line: "mean of 5m".to_owned(), envelope: "min to max".to_owned(), ..Bins::default() };
    let rows: Vec<(i64, f64)> =
        series.samples.times().iter().copied().zip(values.0.iter().copied()).collect();
    for bin in rows.chunk_by(|one, other| one.0.div_euclid(width_us) == other.0.div_euclid(width_us)) {
        let values = || bin.iter().map(|row| row.1);
        let start = bin[0].0.div_euclid(width_us) * width_us;
        bins.starts.push(start);
        bins.stops.push(start + width_us);
        bins.middles.push(values().sum::<f64>() / bin.len() as f64);
        bins.lows.push(values().fold(f64::INFINITY, f64::min));
        bins.highs.push(values().fold(f64::NEG_INFINITY, f64::max));
    }
    bins
}

struct Gallery {
    folder: String,
}

impl Gallery {
    fn add(&self, name: &str, range: TimeRange, charts: &[Chart<'_>], options: &FigureOptions) -> Result<()> {
        let mut options = options.clone();
        "Source: synthetic telemetry, not from the spacecraft".clone_into(&mut options.footer);
        "synthetic".clone_into(&mut options.description);
        for (format, extension) in [(Format::Png, "png"), (Format::Svg, "svg"), (Format::Html, "html")] {
            let figure = draw(charts, range, &options, format)?;
            let path = Path::new(&self.folder).join(format!("{name}.{extension}"));
            std::fs::write(&path, figure.value)
                .map_err(|cause| edb_core::Error::disk("write", &path, cause))?;
        }
        Ok(())
    }

    fn series(&self, name: &str, range: TimeRange, series: Vec<Series>) -> Result<()> {
        let charts = arrange(series.into_iter().map(Trace::from), Grouping::Unit);
        self.add(name, range, &charts, &FigureOptions::default())
    }
}

fn main() -> Result<()> {
    let gallery = Gallery { folder: std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()) };
    let day = range("2022-06-01T00:00:00Z", "2022-06-02T00:00:00Z");
    let seconds = range("2022-02-02T22:24:58Z", "2022-02-02T22:25:00Z");
    let years = range("2022-01-10T00:00:00Z", "2025-01-10T00:00:00Z");
    let hour = range("2022-06-01T09:00:00Z", "2022-06-01T11:00:00Z");
    let hole = range("2022-06-01T09:30:00Z", "2022-06-01T09:42:00Z");
    let volts = |t| 28.0 + wave(t, 1500.0, 0.2);
    let mut half_known = states("IMIR_HK_FW_POS_STATE", hour, &["F560W", "F770W", "OPAQUE"], 7);
    half_known.known = Coverage::from_iter([range("2022-06-01T09:00:00Z", "2022-06-01T10:30:00Z")]);
    let volt1 = || real("IMIR_HK_ICE_SEC_VOLT1", "V", hour, without(every(hour, 1000), hole), volts);
    let mut volt2 = real("IMIR_HK_ICE_SEC_VOLT2", "V", hour, without(every(hour, 60_000), hole), |t| {
        volts(t + 300_000_000) - 0.3
    });
    volt2.known = Coverage::from_iter([range("2022-06-01T09:00:00Z", "2022-06-01T10:30:00Z")]);
    gallery.series("mixed", day, mixed())?;
    gallery.series("gap", hour, vec![volt1(), volt2])?;
    let attitude = states("SA_ZATTMODE", hour, &["COARSE", "FINE_GUIDE", "SLEW"], 25);
    let busy = states("SA_ZBUSY", hour, &["NO", "YES"], 4000);
    gallery.series("states", hour, vec![half_known, attitude, busy])?;
    gallery.series("messages", day, vec![messages("ICTM_EVENT_MSG", day, 400)])?;
    let attitude = real("SA_ZATTEST2", "", seconds, every(seconds, 64), |t| wave(t, 0.7, 1e-5));
    gallery.series("seconds", seconds, vec![attitude])?;
    let cold = real("IGDP_MIR_ICE_T1P_CRYO", "K", years, every(years, 60_000), |t| {
        6.07 + wave(t, 9_000_000.0, 0.01) + if noise(t) > 0.99999 { 0.05 } else { 0.0 }
    });
    gallery.series("years", years, vec![cold])?;
    let none = real("IMIR_HK_ICE_SEC_VOLT1", "V", hour, Vec::new(), volts);
    gallery.series("empty", hour, vec![none, text("ICTM_EVENT_MSG", hour, &[])])?;

    let mut limited = volt1();
    "MIRI ICE secondary voltage 1".clone_into(&mut limited.about.description);
    let mut trace = Trace::from(limited.clone());
    trace.limits = Limits { nominal: Some(28.0), yellow: Some((27.85, 28.15)), red: Some((27.8, 28.195)) };
    let mut binned = trace.clone();
    binned.bins = Some(Arc::new(bins(&limited, 300_000_000)));
    let mut only = binned.clone();
    only.has_samples = false;
    let charts = vec![
        Chart {
            heading: Some("Within limits".to_owned()),
            ..Chart::new(ChartKind::Time, vec![trace.clone()])
        },
        Chart::new(ChartKind::Time, vec![only]),
        Chart::new(ChartKind::Time, vec![Trace { limits: Limits::default(), ..binned.clone() }]),
        Chart::new(ChartKind::Deviation, vec![binned]),
        Chart::new(ChartKind::Histogram, vec![trace]),
    ];
    for (name, theme) in [("limits", Theme::Light), ("dark", Theme::Dark)] {
        let mut options = FigureOptions::default();
        (options.theme, options.clock) = (theme, Clock::DayOfYear);
        gallery.add(name, hour, &charts, &options)?;
    }
    let turn = |t: i64, shift: f64| {
        ((t as f64 / 6e8 + shift) * std::f64::consts::TAU).sin() * (1.0 - t as f64 / 8e15) + noise(t) * 0.01
    };
    let axes = ["X", "Y"].map(|axis| {
        let shift = if axis == "X" { 0.25 } else { 0.0 };
        Trace::from(real(
            &format!("SA_ZADUCMD{axis}"),
            "rad",
            hour,
            without(every(hour, 1000), hole),
            move |t| {
                turn(t - hour.start().as_micros(), shift) * (t - hour.start().as_micros()) as f64 / 7.2e9
            },
        ))
    });
    let mut options = FigureOptions::default();
    options.width = 1000;
    gallery.add("phase", hour, &[Chart::new(ChartKind::Phase, axes.to_vec())], &options)?;
    let decay = real("IGDP_PRESSURE", "Pa", hour, every(hour, 1000), |t| {
        1e-3 * (1.0 + noise(t) * 0.1) * (-(t - hour.start().as_micros()) as f64 / 5e8).exp()
    });
    let mut chart = Chart::new(ChartKind::Time, vec![decay.into()]);
    chart.is_logarithmic = true;
    gallery.add("logarithmic", hour, &[chart], &FigureOptions::default())
}
