//! Tables against what the rules say, cell by cell.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and make what files it likes"
)]

use std::time::Duration;

use edb_core::{
    Coverage, DictionaryEntry, Instant, Mnemonic, NoticeKind, Nulls, Sample, Samples, Series, SqlType,
    TextColumn, TimeRange, Value, Values,
};
use edb_frame::{
    AlignOptions, Bins, EmptyBins, Grid, Layout, Limit, Method, ResampleOptions, Table, Times, align, long,
    resample,
};
use polars::prelude::{AnyValue, DataType};

const SECOND: i64 = 1_000_000;

fn range(start_s: i64, stop_s: i64) -> TimeRange {
    TimeRange::new(Instant::from_micros(start_s * SECOND), Instant::from_micros(stop_s * SECOND)).unwrap()
}

fn series(name: &str, sql_type: SqlType, asked: TimeRange, times_s: &[i64], values: Values) -> Series {
    let times = times_s.iter().map(|time| time * SECOND).collect();
    let (samples, _) = Samples::from_columns(sql_type, times, values, Nulls::none()).unwrap();
    Series {
        about: DictionaryEntry::bare(Mnemonic::new(name).unwrap()),
        range: asked,
        samples,
        leading: None,
        trailing: None,
        known: [asked].into_iter().collect(),
    }
}

fn reals(name: &str, asked: TimeRange, times_s: &[i64], values: &[f64]) -> Series {
    series(name, SqlType::Float, asked, times_s, Values::real(values.to_vec()))
}

fn texts(name: &str, asked: TimeRange, times_s: &[i64], words: &[&str]) -> Series {
    let mut column = TextColumn::default();
    words.iter().for_each(|word| column.push(word));
    series(name, SqlType::Varchar, asked, times_s, Values::Text(column))
}

#[allow(clippy::unnecessary_wraps, reason = "what it makes goes where a bracket may be missing")]
fn bracket(time_s: i64, value: Value) -> Option<Sample> {
    Some(Sample { time: Instant::from_micros(time_s * SECOND), value })
}

/// A column as words: `1.5`, `null`, `ON`.
fn cells(table: &Table, name: &str) -> Vec<String> {
    let column = table.frame().column(name).unwrap();
    (0..column.len())
        .map(|at| match column.get(at).unwrap() {
            AnyValue::Null => "null".to_owned(),
            AnyValue::String(text) => text.to_owned(),
            AnyValue::Datetime(micros, ..) | AnyValue::DatetimeOwned(micros, ..) => {
                (micros / SECOND).to_string()
            }
            AnyValue::Float64(value) => value.to_string(),
            other => other.to_string(),
        })
        .collect()
}

fn hold(step_s: i64, limit: Limit) -> AlignOptions {
    AlignOptions::new(Times::Grid(Grid::every(step_s * SECOND)), Method::Hold, limit)
}

#[test]
fn long_tables_keep_every_sample_exactly() {
    let big = (1_i64 << 53) + 1;
    let table = long(&[
        reals("A", range(0, 10), &[1, 3], &[0.1, f64::NAN]),
        series("B", SqlType::BigInt, range(0, 10), &[1, 2], Values::Integer(vec![7, big])),
        texts("C", range(0, 10), &[2, 2], &["first", "second"]),
    ])
    .unwrap();
    assert_eq!(cells(&table, "time"), ["1", "1", "2", "2", "2", "3"]);
    assert_eq!(
        cells(&table, "mnemonic"),
        ["A", "B", "B", "C", "C", "A"],
        "equal times keep the order of the series"
    );
    assert_eq!(cells(&table, "value"), ["0.1", "7", "null", "null", "null", "NaN"]);
    assert_eq!(cells(&table, "integer"), ["null", "7", &big.to_string(), "null", "null", "null"]);
    assert_eq!(cells(&table, "text"), ["null", "null", "null", "first", "second", "null"]);
    let utc =
        DataType::Datetime(polars::prelude::TimeUnit::Microseconds, Some(polars::prelude::TimeZone::UTC));
    assert_eq!(table.frame().column("time").unwrap().dtype(), &utc);
}

#[test]
fn the_state_into_the_range_is_held_from_the_bracket() {
    let mut state = texts("STATE", range(0, 10), &[6], &["ON"]);
    state.leading = bracket(-100, Value::Text("OFF".into()));
    let table = align(std::slice::from_ref(&state), &hold(2, Limit::Unlimited)).unwrap();
    assert_eq!(cells(&table, "STATE"), ["OFF", "OFF", "OFF", "ON", "ON"]);
    let limited = align(&[state], &hold(2, Limit::At(Duration::from_secs(2)))).unwrap();
    assert_eq!(cells(&limited, "STATE"), ["null", "null", "null", "ON", "ON"]);
}

#[test]
fn a_change_only_value_holds_as_far_as_its_range_is_known() {
    let mut state = texts("STATE", range(0, 10), &[2], &["ON"]);
    state.about.all_points = Some(false);
    state.known = [range(0, 7)].into_iter().collect();
    let table = align(std::slice::from_ref(&state), &hold(2, Limit::At(Duration::from_secs(1)))).unwrap();
    assert_eq!(cells(&table, "STATE"), ["null", "ON", "ON", "ON", "null"]);
    assert_eq!(table.notices[0].kind, NoticeKind::HeldInstead);
    let exact = AlignOptions { method: Method::Exact, ..hold(2, Limit::At(Duration::from_secs(1))) };
    assert_eq!(cells(&align(&[state], &exact).unwrap(), "STATE"), ["null", "ON", "null", "null", "null"]);
}

#[test]
fn cells_are_null_outside_a_mnemonic_s_own_range_and_in_the_unknown() {
    let a = reals("A", range(0, 4), &[0, 2], &[1.0, 2.0]);
    let mut b = reals("B", range(4, 10), &[4, 6], &[5.0, 6.0]);
    b.known = Coverage::from_iter([range(4, 5), range(8, 10)]);
    b.samples = b.samples.cut(range(4, 5));
    let table = align(&[a, b], &hold(2, Limit::Unlimited)).unwrap();
    assert_eq!(cells(&table, "time"), ["0", "2", "4", "6", "8"]);
    assert_eq!(cells(&table, "A"), ["1", "2", "null", "null", "null"]);
    assert_eq!(
        cells(&table, "B"),
        ["null", "null", "5", "null", "null"],
        "nothing is held across the unknown"
    );
}

#[test]
fn one_mnemonic_may_have_several_ranges() {
    let parts = [reals("A", range(0, 4), &[1], &[1.0]), reals("A", range(6, 10), &[7], &[2.0])];
    let table = align(&parts, &hold(1, Limit::Unlimited)).unwrap();
    assert_eq!(cells(&table, "A"), ["null", "1", "1", "1", "null", "null", "null", "2", "2", "2"]);
    assert_eq!(table.columns().len(), 2);
}

#[test]
fn linear_uses_brackets_and_holds_what_has_no_values_between() {
    let mut a = reals("A", range(0, 4), &[2], &[2.0]);
    a.leading = bracket(-2, Value::Real(0.0));
    a.trailing = bracket(6, Value::Real(6.0));
    let n = series("N", SqlType::Int, range(0, 4), &[0, 3], Values::Integer(vec![1, 4]));
    let options = AlignOptions { method: Method::Linear, ..hold(1, Limit::At(Duration::from_secs(4))) };
    let table = align(&[a, n], &options).unwrap();
    assert_eq!(cells(&table, "A"), ["1", "1.5", "2", "3"]);
    assert_eq!(cells(&table, "N"), ["1", "1", "1", "4"]);
    assert_eq!(table.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(), [NoticeKind::HeldInstead]);
}

#[test]
fn union_and_times_of_take_each_time_once() {
    let a = reals("A", range(0, 10), &[1, 3, 3], &[1.0, 3.0, 3.5]);
    let b = reals("B", range(0, 10), &[2, 3], &[2.0, 30.0]);
    let with =
        |times, method| align(&[a.clone(), b.clone()], &AlignOptions::new(times, method, Limit::Unlimited));
    let union = with(Times::Union, Method::Exact).unwrap();
    assert_eq!(cells(&union, "time"), ["1", "2", "3"]);
    assert_eq!(cells(&union, "A"), ["1", "null", "3.5"]);
    let of = with(Times::Of(Mnemonic::new("B").unwrap()), Method::Nearest).unwrap();
    assert_eq!(cells(&of, "A"), ["1", "3.5"], "2 s is as near to 1 s as to 3 s: the earlier wins");
    assert!(with(Times::Of(Mnemonic::new("Z").unwrap()), Method::Hold).is_err());
}

#[test]
fn a_grid_of_absurd_length_is_refused_before_it_is_made() {
    let a = reals("A", range(0, 1_000_000_000), &[1], &[1.0]);
    let options = AlignOptions { times: Times::Grid(Grid::every(1)), ..hold(1, Limit::Unlimited) };
    assert!(
        align(std::slice::from_ref(&a), &options).unwrap_err().to_string().contains("1000000000000000 rows")
    );
    let bins =
        ResampleOptions { bins: Bins::Grid(Grid::every(1)), ..every(1, Layout::Long, EmptyBins::Null) };
    assert!(
        resample(std::slice::from_ref(&a), &bins).unwrap_err().to_string().contains("1000000000000000 bins")
    );
    let filled = ResampleOptions { empty: EmptyBins::Absent, ..bins };
    assert_eq!(resample(&[a], &filled).unwrap().rows(), 1, "bins that are not made cost nothing");
}

fn every(step_s: i64, layout: Layout, empty: EmptyBins) -> ResampleOptions {
    ResampleOptions { empty, layout, ..ResampleOptions::every(step_s * SECOND) }
}

#[test]
fn bins_have_the_statistics_of_their_samples_only() {
    let mut a = reals("A", range(0, 30), &[0, 5, 9, 20], &[1.0, 2.0, 6.0, f64::NAN]);
    a.leading = bracket(-1, Value::Real(1e9));
    a.trailing = bracket(31, Value::Real(-1e9));
    let table = resample(std::slice::from_ref(&a), &every(10, Layout::Long, EmptyBins::Absent)).unwrap();
    assert_eq!(cells(&table, "time"), ["0"], "NaN alone makes no row");
    for (name, value) in [
        ("count", "3"),
        ("mean", "3"),
        ("min", "1"),
        ("max", "6"),
        ("median", "2"),
        ("first", "1"),
        ("last", "6"),
    ] {
        assert_eq!(cells(&table, name), [value], "{name}");
    }
    let std: f64 = cells(&table, "std")[0].parse().unwrap();
    assert!((std - (14.0_f64 / 3.0).sqrt()).abs() < 1e-12, "population");
    let null = resample(&[a], &every(10, Layout::Wide, EmptyBins::Null)).unwrap();
    assert_eq!(cells(&null, "A_count"), ["3", "0", "0"]);
    assert_eq!(cells(&null, "A_mean"), ["3", "null", "null"]);
}

#[test]
fn change_only_values_are_weighted_by_how_long_they_held() {
    let mut a = reals("A", range(0, 7200), &[0, 3600, 3700], &[0.0, 1.0, 0.0]);
    a.about.all_points = Some(false);
    let table = resample(std::slice::from_ref(&a), &every(7200, Layout::Long, EmptyBins::Absent)).unwrap();
    let mean: f64 = cells(&table, "mean")[0].parse().unwrap();
    assert!((mean - 0.013_888_888_888_888_888).abs() < 1e-15, "{mean}");
    assert_eq!(cells(&table, "count"), ["3"]);
    assert_eq!(table.notices[0].kind, NoticeKind::HeldInstead);

    a.leading = bracket(-9999, Value::Real(4.0));
    a.samples = a.samples.cut(range(3600, 7200));
    let table = resample(&[a], &every(1800, Layout::Long, EmptyBins::Absent)).unwrap();
    assert_eq!(cells(&table, "mean")[..2], ["4", "4"], "the state into the range");
    assert_eq!(cells(&table, "count"), ["0", "0", "2", "0"]);
}

#[test]
fn texts_have_count_first_and_last() {
    let a = texts("S", range(0, 20), &[1, 2, 12], &["OFF", "ON", "ON"]);
    let b = reals("A", range(0, 20), &[1], &[1.0]);
    let table = resample(&[a.clone(), b.clone()], &every(10, Layout::Long, EmptyBins::Absent)).unwrap();
    assert_eq!(cells(&table, "mnemonic"), ["S", "A", "S"]);
    assert_eq!(cells(&table, "first_text"), ["OFF", "null", "ON"]);
    assert_eq!(cells(&table, "mean"), ["null", "1", "null"]);
    let wide = resample(&[a, b], &every(10, Layout::Wide, EmptyBins::Absent)).unwrap();
    assert_eq!(cells(&wide, "S_last"), ["ON", "ON"]);
    assert_eq!(cells(&wide, "A_count"), ["1", "null"], "not asked is not counted");
    assert!(wide.frame().column("S_mean").is_err());
}

#[test]
fn two_ranges_that_share_a_bin_are_joined() {
    let parts = [reals("A", range(0, 4), &[1, 2], &[1.0, 3.0]), reals("A", range(6, 10), &[7], &[8.0])];
    let table = resample(&parts, &every(10, Layout::Long, EmptyBins::Absent)).unwrap();
    assert_eq!((cells(&table, "count"), cells(&table, "mean")), (vec!["3".into()], vec!["4".into()]));
    let std: f64 = cells(&table, "std")[0].parse().unwrap();
    assert!((std - (26.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    assert_eq!(cells(&table, "median"), ["3"], "of all three samples");
}

#[test]
fn no_series_and_empty_series_make_empty_tables() {
    let nothing = reals("A", range(0, 10), &[], &[]);
    assert_eq!(long(&[]).unwrap().rows(), 0);
    assert_eq!(long(std::slice::from_ref(&nothing)).unwrap().rows(), 0);
    assert_eq!(align(&[], &hold(1, Limit::Unlimited)).unwrap().rows(), 0);
    let table = align(std::slice::from_ref(&nothing), &hold(5, Limit::Unlimited)).unwrap();
    assert_eq!(cells(&table, "A"), ["null", "null"]);
    assert_eq!(resample(&[nothing], &every(5, Layout::Wide, EmptyBins::Absent)).unwrap().rows(), 0);
}
