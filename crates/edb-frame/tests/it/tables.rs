//! Tables against what the rules say, cell by cell.

use std::time::Duration;

use edb_core::{Coverage, Mnemonic, NoticeKind, SqlType, Value, Values};
use edb_frame::{
    AlignOptions, Beside, Bins, EmptyBins, Grid, Layout, Limit, Method, ResampleOptions, Stamp, Statistic,
    Times, align, long, resample,
};
use polars::prelude::DataType;

use crate::world::{SECOND, bracket, cells, numbers, range, reals, series, texts};

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

#[test]
fn each_mnemonic_may_have_its_own_way_and_its_samples_beside_it() {
    let mut a = reals("A", range(0, 10), &[2, 6], &[2.0, 6.0]);
    a.leading = bracket(-3, Value::Real(1.0));
    let mut state = texts("STATE", range(0, 10), &[1], &["ON"]);
    state.about.all_points = Some(false);
    let name = |text: &str| Mnemonic::new(text).unwrap();
    let options = AlignOptions {
        exceptions: vec![
            (name("A"), Method::Nearest, Limit::At(Duration::from_secs(2))),
            (name("STATE"), Method::Hold, Limit::At(Duration::from_secs(3))),
        ],
        beside: Beside::Age,
        ..hold(2, Limit::Unlimited)
    };
    let table = align(&[a.clone(), state.clone()], &options).unwrap();
    assert_eq!(cells(&table, "A"), ["2", "2", "2", "6", "6"]);
    assert_eq!(cells(&table, "A_age_s"), ["-2", "0", "2", "0", "2"]);
    assert_eq!(
        cells(&table, "STATE"),
        ["null", "ON", "ON", "null", "null"],
        "an exception binds what is change-only, too"
    );
    assert_eq!(cells(&table, "STATE_age_s"), ["null", "1", "3", "null", "null"]);
    assert_eq!(table.columns()[2].unit, "s");
    let times = AlignOptions { exceptions: Vec::new(), beside: Beside::Time, ..options.clone() };
    assert_eq!(
        cells(&align(&[a.clone()], &times).unwrap(), "A_time"),
        ["-3", "2", "2", "6", "6"],
        "the bracket has a time"
    );
    let error = align(&[a], &options).unwrap_err().to_string();
    assert!(error.contains("STATE in its own way: it is not selected"), "{error}");
}

#[test]
fn a_learned_limit_is_that_of_the_cadence() {
    let times: Vec<i64> = (0..20).chain(30..40).collect();
    let a = reals("A", range(0, 40), &times, &vec![1.0; 30]);
    let table = align(std::slice::from_ref(&a), &hold(1, Limit::Learned)).unwrap();
    // A second and a half after the last one.
    let known: Vec<usize> = (0..40).filter(|at| numbers(&table, "A")[*at].is_some()).collect();
    assert_eq!(known, (0..=20).chain(30..40).collect::<Vec<_>>());
    let irregular = reals("A", range(0, 40), &[0, 7, 30], &[1.0; 3]);
    let table = align(&[irregular], &hold(1, Limit::Learned)).unwrap();
    assert!(
        numbers(&table, "A").iter().all(Option::is_some),
        "what has no cadence stands until its next sample"
    );
}

#[test]
fn bins_follow_the_calendar_and_are_stamped_as_asked() {
    let day = 86_400;
    // From 2024-01-31 to 2024-03-02, every day at noon.
    let start = 1_706_659_200;
    let times: Vec<i64> = (0..31).map(|at| start + at * day + day / 2).collect();
    let values: Vec<f64> = (0..31).map(f64::from).collect();
    let a = reals("A", range(start, start + 31 * day), &times, &values);
    let months = ResampleOptions {
        statistics: vec![Statistic::Count],
        ..ResampleOptions::new(Bins::Grid(Grid::Months(1)))
    };
    let table = resample(std::slice::from_ref(&a), &months).unwrap();
    assert_eq!(cells(&table, "count"), ["1", "29", "1"], "a leap year");
    let first_of = [1_704_067_200, 1_706_745_600, 1_709_251_200].map(|time: i64| time.to_string());
    assert_eq!(cells(&table, "time"), first_of);
    let centre = ResampleOptions { stamp: Stamp::Centre, ..months.clone() };
    assert_eq!(
        cells(&resample(std::slice::from_ref(&a), &centre).unwrap(), "time")[1],
        (1_706_745_600 + 29 * day / 2).to_string()
    );
    let mean = ResampleOptions { stamp: Stamp::MeanTime, ..months };
    assert_eq!(cells(&resample(std::slice::from_ref(&a), &mean).unwrap(), "time")[0], times[0].to_string());
    let wide = ResampleOptions { layout: Layout::Wide, ..mean };
    assert!(resample(&[a], &wide).unwrap_err().to_string().contains("each mnemonic has its own"));
}

#[test]
fn bins_with_too_few_samples_tell_their_count_only() {
    let a = reals("A", range(0, 30), &[0, 1, 12], &[1.0, 3.0, 9.0]);
    let options = ResampleOptions { min_count: 2, ..every(10, Layout::Long, EmptyBins::Null) };
    let table = resample(&[a], &options).unwrap();
    assert_eq!(
        (cells(&table, "count"), cells(&table, "mean")),
        (vec!["2".into(), "1".into(), "0".into()], vec!["2".into(), "null".into(), "null".into()])
    );
}

#[test]
fn a_value_known_to_have_held_has_a_bin_although_no_sample_came() {
    let mut state = texts("STATE", range(0, 30), &[12], &["ON"]);
    state.leading = bracket(-9, Value::Text("OFF".into()));
    state.about.all_points = Some(false);
    let options = ResampleOptions {
        statistics: vec![Statistic::Count, Statistic::Fraction],
        ..every(10, Layout::Wide, EmptyBins::Absent)
    };
    let table = resample(&[state], &options).unwrap();
    assert_eq!(cells(&table, "STATE_count"), ["0", "1", "0"]);
    assert_eq!(
        (cells(&table, "STATE_fraction_OFF"), cells(&table, "STATE_fraction_ON")),
        (vec!["1".into(), "0.2".into(), "0".into()], vec!["0".into(), "0.8".into(), "1".into()])
    );
}

#[test]
fn one_bin_for_each_series_tells_where_it_ends() {
    let parts = [reals("A", range(0, 4), &[1], &[1.0]), reals("A", range(6, 10), &[7, 8], &[2.0, 4.0])];
    let wide = ResampleOptions { layout: Layout::Wide, ..ResampleOptions::new(Bins::Series) };
    let table = resample(&parts, &wide).unwrap();
    assert_eq!(
        (cells(&table, "time"), cells(&table, "stop")),
        (vec!["0".into(), "6".into()], vec!["4".into(), "10".into()])
    );
    assert_eq!(cells(&table, "A_mean"), ["1", "3"]);
}
