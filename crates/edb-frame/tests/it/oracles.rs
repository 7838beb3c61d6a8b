//! What numpy, pandas, scipy and astropy make of random series: `tests/oracles/make_expected.py` writes the values, and says with which
//! versions.

use edb_core::{Mnemonic, NoticeKind};
use edb_frame::{
    AlignOptions, Bins, Clip, Definition, Grid, Limit, Method, ResampleOptions, Statistic, Times, align,
    derive, resample,
};
use serde_json::Value as Json;

use crate::world::{at_micros, close, numbers};

fn cases(kind: &str) -> Vec<Json> {
    let all: Json = serde_json::from_str(include_str!("../oracles/expected.json")).unwrap();
    let cases: Vec<Json> =
        all["cases"].as_array().unwrap().iter().filter(|case| case["kind"] == kind).cloned().collect();
    assert!(!cases.is_empty(), "no case of {kind}");
    cases
}

fn integers(json: &Json) -> Vec<i64> {
    json.as_array().unwrap().iter().map(|value| value.as_i64().unwrap()).collect()
}

/// Numbers; null is what is not there, and infinities are words.
fn optional(json: &Json) -> Vec<Option<f64>> {
    let one = |value: &Json| match value.as_str() {
        Some(word) => word.parse().ok(),
        None => value.as_f64(),
    };
    json.as_array().unwrap().iter().map(one).collect()
}

fn reals(json: &Json) -> Vec<f64> {
    optional(json).into_iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}

/// The hull of all times, a microsecond more than the last.
fn hull(times: &[&[i64]]) -> (i64, i64) {
    let all = || times.iter().flat_map(|times| times.iter()).copied();
    (all().min().unwrap_or(0), all().max().unwrap_or(0) + 1)
}

/// As close as the last digits of sums in another order.
const CLOSE: f64 = 1e-9;

#[test]
fn clipping_is_astropy_s() {
    for case in cases("sigma_clip") {
        let values = reals(&case["values"]);
        let times: Vec<i64> = (0..values.len() as i64).collect();
        let series = at_micros("X", (0, values.len() as i64 + 1), &times, &values);
        let clip = Clip {
            sigma: case["sigma"].as_f64().unwrap(),
            max_iterations: case["max_iterations"].as_u64().map(|most| most as u32),
        };
        let statistics = vec![Statistic::ClippedMean, Statistic::ClippedMedian, Statistic::ClippedStd];
        let options = ResampleOptions { clip, statistics, ..ResampleOptions::new(Bins::Series) };
        let table = resample(&[series], &options).unwrap();
        for word in ["mean", "median", "std"] {
            let found = numbers(&table, &format!("clipped_{word}")).first().copied().flatten();
            let expected = case["expected"][word].as_f64();
            // astropy's deviation of constants is not quite nothing.
            let is_close = close(found, expected, CLOSE)
                || found == Some(0.0) && expected.is_some_and(|std| std < 1e-12);
            assert!(is_close, "{} {word}: {found:?} for {expected:?}", case["name"]);
        }
    }
}

#[test]
fn alignment_is_that_of_merge_asof_and_interp() {
    for case in cases("asof").into_iter().chain(cases("linear")) {
        let (times, values, targets) =
            (integers(&case["times"]), reals(&case["values"]), integers(&case["targets"]));
        let range = hull(&[&times, &targets]);
        let series = [
            at_micros("X", range, &times, &values),
            at_micros("AT", range, &targets, &vec![0.0; targets.len()]),
        ];
        let method = match case["direction"].as_str() {
            Some("backward") => Method::Hold,
            Some(_) => Method::Nearest,
            None => Method::Linear,
        };
        let limit = case["tolerance_us"]
            .as_u64()
            .map_or(Limit::Unlimited, |micros| Limit::At(std::time::Duration::from_micros(micros)));
        let options = AlignOptions::new(Times::Of(Mnemonic::new("AT").unwrap()), method, limit);
        let table = align(&series, &options).unwrap();
        // Our rows have each target once.
        let mut expected: Vec<(i64, Option<f64>)> =
            targets.iter().copied().zip(optional(&case["expected"])).collect();
        expected.dedup_by_key(|row| row.0);
        let found = numbers(&table, "X");
        assert_eq!(found.len(), expected.len());
        for (found, (target, expected)) in found.into_iter().zip(expected) {
            assert!(
                close(found, expected, 1e-12),
                "{} at {target}: {found:?} for {expected:?}",
                case["name"]
            );
        }
    }
}

fn check_bins(case: &Json, grid: Grid, words: &[&str]) {
    let (times, values) = (integers(&case["times"]), reals(&case["values"]));
    let series = at_micros("X", hull(&[&times]), &times, &values);
    let statistics = words.iter().map(|word| Statistic::parse(word).unwrap()).collect();
    let options = ResampleOptions { statistics, ..ResampleOptions::new(Bins::Grid(grid)) };
    let table = resample(&[series], &options).unwrap();
    let expected = &case["expected"];
    let starts: Vec<Option<f64>> =
        integers(&expected["start_us"]).iter().map(|start| Some(*start as f64)).collect();
    assert_eq!(numbers(&table, "time"), starts, "{}", case["name"]);
    for word in words {
        for (row, (found, expected)) in
            numbers(&table, word).into_iter().zip(optional(&expected[word])).enumerate()
        {
            assert!(
                close(found, expected, CLOSE),
                "{} {word} {row}: {found:?} for {expected:?}",
                case["name"]
            );
        }
    }
}

#[test]
fn bins_have_the_statistics_of_pandas_numpy_and_scipy() {
    const WORDS: [&str; 15] = [
        "count",
        "mean",
        "median",
        "min",
        "max",
        "std",
        "std_sample",
        "sum",
        "first",
        "last",
        "p05",
        "p95",
        "p05_cunnane",
        "p95_cunnane",
        "rms",
    ];
    for case in cases("resample") {
        let (step_us, origin_us) = (case["step_us"].as_i64().unwrap(), case["origin_us"].as_i64().unwrap());
        check_bins(&case, Grid::Step { step_us, origin_us }, &WORDS);
    }
    for case in cases("months") {
        let months = case["months"].as_u64().unwrap() as u32;
        check_bins(&case, Grid::Months(months), &["count", "mean", "min", "max"]);
    }
}

#[test]
fn rolling_windows_are_those_of_pandas() {
    for case in cases("rolling") {
        let (times, values) = (integers(&case["times"]), reals(&case["values"]));
        let series = [at_micros("X", hull(&[&times]), &times, &values)];
        for word in ["mean", "median", "std"] {
            let text = format!("y = rolling_{word}(x, {}us)", case["window_us"]);
            let derived = derive(&Definition::parse(&text).unwrap(), &series, Limit::Unlimited).unwrap();
            let found = derived.value[0].samples.iter().map(|sample| match sample.value {
                edb_core::Value::Real(value) => Some(value),
                _ => None,
            });
            for (row, (found, expected)) in found.zip(optional(&case["expected"][word])).enumerate() {
                assert!(
                    close(found, expected, 1e-8),
                    "{} {word} {row}: {found:?} for {expected:?}",
                    case["name"]
                );
            }
        }
    }
}

#[test]
fn what_holds_is_weighted_by_time() {
    for case in cases("time_weighted") {
        let (times, values) = (integers(&case["times"]), reals(&case["values"]));
        let stop = case["stop_us"].as_i64().unwrap();
        let mut series = at_micros("X", (times[0], stop), &times, &values);
        series.about.all_points = Some(false);
        let statistics = ["mean", "std", "median"].map(|word| Statistic::parse(word).unwrap()).to_vec();
        let options = ResampleOptions { statistics, ..ResampleOptions::new(Bins::Series) };
        let table = resample(&[series], &options).unwrap();
        assert_eq!(table.notices[0].kind, NoticeKind::HeldInstead);
        for word in ["mean", "std", "median"] {
            let (found, expected) = (numbers(&table, word)[0], case["expected"][word].as_f64());
            assert!(close(found, expected, CLOSE), "{} {word}: {found:?} for {expected:?}", case["name"]);
        }
    }
}
