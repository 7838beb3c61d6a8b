//! The numeric vectors of the survey of Chandra's archive tool, cheta, by their names there. Those that our rules answer otherwise are listed in DESIGN.md
//! (D-0041) and asserted here with our answer.

use edb_core::{Coverage, Instant, Sample, TimeRange, Value};
use edb_frame::{
    AlignOptions, Bins, Borders, Condition, Grid, IntervalOptions, Limit, Method, ResampleOptions, Statistic,
    Times, align, remove, resample, select, states,
};

use crate::world::{at_micros, cells, close, numbers, texts};

const SECOND: f64 = 1e6;

fn micros(seconds: f64) -> i64 {
    (seconds * SECOND).round() as i64
}

fn series(t: &[f64], v: &[f64], range: (f64, f64)) -> edb_core::Series {
    let times: Vec<i64> = t.iter().map(|time| micros(*time)).collect();
    at_micros("X", (micros(range.0), micros(range.1)), &times, v)
}

fn midpoint(max_gap: Limit) -> IntervalOptions {
    IntervalOptions { borders: Borders::Midpoint, max_gap, complete_only: false }
}

/// `(value, start, stop)` of each interval.
fn stood(t: &[f64], v: &[f64], range: (f64, f64), options: &IntervalOptions) -> Vec<(f64, f64, f64)> {
    let table = states(&[series(t, v, range)], options).unwrap();
    let column = |name: &str| numbers(&table, name).into_iter().map(|value| value.unwrap_or(f64::NAN));
    let seconds = |name: &str| column(name).map(|time| time / SECOND).collect::<Vec<_>>();
    column("value")
        .zip(seconds("start"))
        .zip(seconds("stop"))
        .map(|((value, start), stop)| (value, start, stop))
        .collect()
}

const T: [f64; 5] = [0.0, 1.0, 2.0, 3.0, 4.0];

#[test]
fn state_intervals_s1_to_s17() {
    let v = [0.0, 1.0, 1.0, 0.0, 1.0];
    let all = |t: &[f64], v: &[f64], range| stood(t, v, range, &midpoint(Limit::Unlimited));
    // Without start and stop cheta takes half a spacing beyond the data; our range always has both.
    assert_eq!(
        all(&T, &v, (-0.5, 4.5)),
        [(0.0, -0.5, 0.5), (1.0, 0.5, 2.5), (0.0, 2.5, 3.5), (1.0, 3.5, 4.5)],
        "S1"
    );
    assert_eq!(
        all(&T, &v, (-1.0, 6.0)),
        [(0.0, -1.0, 0.5), (1.0, 0.5, 2.5), (0.0, 2.5, 3.5), (1.0, 3.5, 6.0)],
        "S2"
    );
    let s3 = [(1.0, -1.0, 2.5), (0.0, 2.5, 3.5), (1.0, 3.5, 6.0)];
    assert_eq!(all(&T, &[1.0, 1.0, 1.0, 0.0, 1.0], (-1.0, 6.0)), s3, "S3");
    let s4 = [(20.0, 0.6, 1.5), (30.0, 1.5, 2.5), (40.0, 2.5, 3.5), (50.0, 3.5, 3.9)];
    // Samples outside the range are brackets of it.
    let mut five = series(&T[1..4], &[20.0, 30.0, 40.0], (0.6, 3.9));
    let bracket = |seconds: f64, value: f64| {
        Some(Sample { time: Instant::from_micros(micros(seconds)), value: Value::Real(value) })
    };
    (five.leading, five.trailing) = (bracket(0.0, 10.0), bracket(4.0, 50.0));
    let cut = |range: (f64, f64)| -> Coverage {
        TimeRange::checked(Instant::from_micros(micros(range.0)), Instant::from_micros(micros(range.1)))
            .into_iter()
            .collect()
    };
    let table = states(&[five], &midpoint(Limit::Unlimited)).unwrap();
    let found: Vec<(f64, f64)> = numbers(&table, "value")
        .into_iter()
        .flatten()
        .zip(numbers(&table, "stop").into_iter().flatten())
        .collect();
    assert_eq!(found, s4.map(|(value, _, stop)| (value, (stop * SECOND).round())), "S4");
    assert_eq!(all(&[1.0], &[1.0], (0.0, 2.0)), [(1.0, 0.0, 2.0)], "S5");
    assert_eq!(all(&[], &[], (0.0, 2.0)), [], "S6 and S7 are errors there: no sample, no state");
    assert_eq!(all(&[0.0, 10.0], &[1.0, 1.0], (-5.0, 15.0)), [(1.0, -5.0, 15.0)], "S8");
    assert_eq!(all(&[0.0, 10.0], &[1.0, 2.0], (-5.0, 15.0)), [(1.0, -5.0, 5.0), (2.0, 5.0, 15.0)], "S9");
    assert_eq!(
        all(&[0.0, 1.0, 5.0], &[0.0, 1.0, 1.0], (-0.5, 7.0)),
        [(0.0, -0.5, 0.5), (1.0, 0.5, 7.0)],
        "S10"
    );
    let nan = all(&T, &[1.0, f64::NAN, f64::NAN, 1.0, 1.0], (-0.5, 4.5));
    let borders: Vec<(f64, f64)> = nan.iter().map(|(_, start, stop)| (*start, *stop)).collect();
    assert_eq!(
        borders,
        [(-0.5, 0.5), (0.5, 2.5), (2.5, 4.5)],
        "S11: NaN is one state, not one for each sample"
    );
    let far = |range| select(&[series(&T, &v, (-0.5, 4.5))], &cut(range));
    let nothing = far((10.0, 20.0)).remove(0);
    assert!(nothing.samples.is_empty() && nothing.known.is_empty(), "S12");
    assert_eq!(
        far((4.2, 20.0))[0].range.stop().as_micros(),
        micros(4.5),
        "S13: nothing stands beyond what was asked"
    );
    assert_eq!(all(&[2.0, 3.0], &[1.0, 0.0], (1.0, 2.0)).len(), 0, "a sample at the end is outside");
    assert_eq!(all(&[1.0], &[1.0], (1.0, 2.0)), [(1.0, 1.0, 2.0)], "S14");
    let s15 = [(1.0, 0.7, 2.5), (0.0, 2.5, 3.5), (1.0, 3.5, 4.5)];
    assert_eq!(all(&T[1..], &v[1..], (0.7, 4.5)), s15, "S15");
    assert_eq!(all(&[0.0], &[0.0], (-0.5, 0.2)), [(0.0, -0.5, 0.2)], "S16");
    let s17 = [(0.0, -0.5, 0.5), (1.0, 0.5, 1.0), (2.0, 1.0, 2.5)];
    assert_eq!(all(&[0.0, 1.0, 1.0, 2.0], &[0.0, 1.0, 2.0, 2.0], (-0.5, 2.5)), s17, "S17");
}

/// The intervals in which a 0 or 1 is 1.
fn logical(t: &[f64], v: &[f64], range: (f64, f64), options: &IntervalOptions) -> Vec<(f64, f64)> {
    stood(t, v, range, options)
        .into_iter()
        .filter(|one| one.0 == 1.0)
        .map(|(_, start, stop)| (start, stop))
        .collect()
}

#[test]
fn logical_intervals_l1_to_l16() {
    let v = [0.0, 1.0, 1.0, 0.0, 1.0];
    let free = midpoint(Limit::Unlimited);
    let gap = midpoint(Limit::At(std::time::Duration::from_secs(10)));
    let complete = IntervalOptions { complete_only: true, ..free };
    assert_eq!(logical(&T, &v, (-0.5, 4.5), &free), [(0.5, 2.5), (3.5, 4.5)], "L1");
    assert_eq!(logical(&T, &v, (-1.0, 6.0), &free), [(0.5, 2.5), (3.5, 6.0)], "L2");
    assert_eq!(logical(&T, &[1.0, 1.0, 1.0, 0.0, 1.0], (-1.0, 6.0), &free), [(-1.0, 2.5), (3.5, 6.0)], "L3");
    assert_eq!(logical(&T[2..4], &v[2..4], (1.2, 3.25), &free), [(1.2, 2.5)], "L4");
    let far = [1.0, 2.0, 3.0, 200.0, 201.0, 202.0];
    assert_eq!(
        logical(&far, &[1.0; 6], (0.5, 202.5), &gap),
        [(0.5, 8.0), (195.0, 202.5)],
        "L5: half of the gap, as cheta documents it"
    );
    assert_eq!(logical(&far, &[1.0; 6], (0.5, 202.5), &free), [(0.5, 202.5)], "L6");
    assert_eq!(logical(&[1.0], &[1.0], (0.0, 2.0), &free), [(0.0, 2.0)], "L7");
    assert!(logical(&[1.0], &[0.0], (0.0, 2.0), &free).is_empty(), "L7");
    assert!(logical(&[], &[], (0.0, 2.0), &free).is_empty(), "L8 is an error there");
    assert_eq!(logical(&T, &v, (-0.5, 4.5), &complete), [(0.5, 2.5)], "L9");
    assert_eq!(logical(&T, &[1.0, 0.0, 1.0, 0.0, 1.0], (-0.5, 4.5), &complete), [(1.5, 2.5)], "L10");
    assert_eq!(logical(&T, &[1.0; 5], (-0.5, 4.5), &free), [(-0.5, 4.5)], "L11");
    assert!(logical(&T, &[1.0; 5], (-0.5, 4.5), &complete).is_empty(), "L11");
    assert_eq!(logical(&[0.0, 10.0, 20.0], &[1.0; 3], (-5.0, 25.0), &gap), [(-5.0, 25.0)], "L12");
    let l13 = [(-5.0, 5.0), (5.1, 15.1), (15.2, 25.2)];
    assert_eq!(logical(&[0.0, 10.1, 20.2], &[1.0; 3], (-5.0, 25.2), &gap), l13, "L13: half of the gap");
    assert_eq!(
        logical(&[0.0, 1.0, 2.0, 100.0], &[1.0; 4], (-0.5, 105.0), &gap),
        [(-0.5, 7.0), (95.0, 105.0)],
        "L14: half of the gap"
    );
    let l15 = logical(&[0.0, 1.0, 2.0, 100.0], &[1.0; 4], (-5.0, 150.0), &gap);
    assert_eq!(l15, [(-5.0, 7.0), (95.0, 105.0)], "L15: not stretched to the end of the range");
    let l16 = [0.0, 0.0, 1.0, 1.0, 0.0];
    let t16 = [0.0, 1.0, 2.0, 100.0, 101.0];
    assert_eq!(logical(&t16, &l16, (-0.5, 101.5), &gap), [(1.5, 7.0), (95.0, 100.5)], "L16: half of the gap");
    assert_eq!(logical(&t16, &l16, (-0.5, 101.5), &free), [(1.5, 100.5)], "L16");
}

#[test]
fn nearest_takes_the_earlier_of_two() {
    let x = series(&[0.0, 10.0, 20.0], &[0.0, 1.0, 2.0], (-10.0, 30.0));
    let targets = [-5.0, 0.0, 4.9, 5.0, 5.1, 15.0, 20.0, 25.0];
    let mut at = series(&targets, &[0.0; 8], (-10.0, 30.0));
    at.about.mnemonic = edb_core::Mnemonic::new("AT").unwrap();
    let options = AlignOptions::new(Times::Of(at.about.mnemonic.clone()), Method::Nearest, Limit::Unlimited);
    let found: Vec<f64> = numbers(&align(&[x, at], &options).unwrap(), "X").into_iter().flatten().collect();
    // cheta: 0,0,0,1,1,2,2,2; the two halfway go to the later sample there, and to the one that was known here.
    assert_eq!(found, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
}

#[test]
fn grids_do_not_lose_their_last_point() {
    let grid = |step: f64, origin: f64| Grid::Step { step_us: micros(step), origin_us: micros(origin) };
    let times = |grid: Grid, start: f64, stop: f64| -> Vec<f64> {
        grid.times(micros(start), micros(stop)).into_iter().map(|time| time as f64 / SECOND).collect()
    };
    // Both of cheta's answers are ranges of ours: [0, 10] there is [0, 10.000001) here.
    assert_eq!(times(grid(2.5, 0.0), 0.0, 10.000_001), [0.0, 2.5, 5.0, 7.5, 10.0]);
    assert_eq!(times(grid(2.5, 0.0), 0.0, 10.0), [0.0, 2.5, 5.0, 7.5]);
    assert_eq!(
        times(grid(0.1, 0.0), 0.0, 1.000_001).len(),
        11,
        "ten there: floor(1.0 / 0.1) is 9 in doubles"
    );
    assert_eq!(times(grid(10.0, 0.0), 101.3, 200.0)[0], 110.0, "no point before the range");
    // 142,420 steps of 60.06 s: exact, where a sum of doubles is off by a third of a millisecond.
    let long = grid(60.06, 0.0).times(0, micros(60.06) * 142_420);
    assert_eq!((long.len(), long[142_419]), (142_420, 60_060_000 * 142_419));
}

fn one_bin(t: &[f64], v: &[f64], step: f64, words: &[&str]) -> Vec<Vec<Option<f64>>> {
    let statistics = words.iter().map(|word| Statistic::parse(word).unwrap()).collect();
    let stop = (t[t.len() - 1] / step).floor() * step + step;
    let options = ResampleOptions { statistics, ..ResampleOptions::every(micros(step)) };
    let mut x = series(t, v, (0.0, stop));
    x.about.all_points = Some(true);
    let table = resample(&[x], &options).unwrap();
    words.iter().map(|word| numbers(&table, word)).collect()
}

#[test]
fn statistics_a1_to_a14() {
    const DAY: f64 = 86_400.0;
    let some = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
    let basic = ["count", "min", "max", "mean"];
    assert_eq!(
        one_bin(&T, &[0.0, 1.0, 2.0, 3.0, 4.0], 328.0, &basic).concat(),
        some(&[5.0, 0.0, 4.0, 2.0]),
        "A1"
    );
    // A2 to A5: means there are weighted by half the steps on both sides, cut at 300 s; ours of samples at a cadence are not weighted, and time_mean
    // lets each value hold until the next.
    assert_eq!(
        one_bin(&[0.0, 1.0, 2.0, 10.0], &[0.0, 0.0, 0.0, 9.0], DAY, &["mean"]).concat(),
        some(&[2.25]),
        "A2"
    );
    let a3 = one_bin(&[0.0, 10.0, 1000.0, 1010.0], &[1.0, 1.0, 5.0, 5.0], DAY, &["mean", "std", "median"])
        .concat();
    assert_eq!(a3, some(&[3.0, 2.0, 3.0]), "A3, all three");
    let a4 =
        one_bin(&[0.0, 10.0, 20.0, 5000.0], &[1.0, 1.0, 1.0, 5.0], DAY, &["mean", "p84_cunnane"]).concat();
    assert!(close(a4[1], Some(4.712), 1e-12) && a4[0] == Some(2.0), "A4: the percentile");
    let a5 = one_bin(&[0.0, 0.0, 0.0, 1.0], &[1.0, 2.0, 3.0, 4.0], DAY, &["p16_cunnane", "count"]).concat();
    assert!(close(a5[0], Some(1.072), 1e-12), "A5: the percentile, and equal times all counted");
    let words = ["mean", "std", "p01_cunnane", "p50_cunnane", "p99_cunnane"];
    assert_eq!(one_bin(&[5.0], &[42.0], DAY, &words).concat(), some(&[42.0, 0.0, 42.0, 42.0, 42.0]), "A6");
    assert_eq!(
        one_bin(&[5.0, 4000.0], &[1.0, 2.0], DAY, &words).concat(),
        some(&[1.5, 0.5, 1.0, 1.5, 2.0]),
        "A7"
    );
    let a8 =
        one_bin(&[0.0, 1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 5.0], DAY, &["mean", "std", "p50_cunnane"]).concat();
    assert!(
        a8[0] == Some(2.75) && close(a8[1], Some(1.479_019_945_774_904), 1e-12) && a8[2] == Some(2.5),
        "A8: nothing is cut to integers"
    );
    let a9 = one_bin(
        &[0.0, 327.999, 328.0, 655.999, 656.0],
        &[1.0, 2.0, 3.0, 4.0, 5.0],
        328.0,
        &["count", "mean"],
    );
    assert_eq!(a9, [some(&[2.0, 2.0, 1.0]), some(&[1.5, 3.5, 5.0])], "A9");
    let table = resample(
        &[series(&[10.0, 1000.0], &[1.0, 2.0], (0.0, 1312.0))],
        &ResampleOptions::every(micros(328.0)),
    )
    .unwrap();
    assert_eq!(numbers(&table, "time"), some(&[0.0, 3.0 * 328.0 * SECOND]), "A10: bins 0 and 3");
    let words = texts("S", crate::world::range(0, 328), &[0, 1, 2, 3, 4], &["ON", "OFF", "OFF", "ON", "ON"]);
    let table = resample(&[words], &ResampleOptions::every(micros(328.0))).unwrap();
    assert_eq!(
        (cells(&table, "count"), cells(&table, "mean")),
        (vec!["5".to_owned()], vec!["null".to_owned()]),
        "A11"
    );
    assert_eq!(
        one_bin(&[0.0, 1.0, 2.0, 3.0], &[1.0, 0.0, 1.0, 1.0], 328.0, &["mean", "min", "max"]).concat(),
        some(&[0.75, 0.0, 1.0]),
        "A12"
    );
    let a13 =
        one_bin(&[0.0, 1.0, 2.0, 3.0], &[f64::NAN, 1.0, 2.0, 3.0], DAY, &["count", "mean", "p50"]).concat();
    assert_eq!(a13, some(&[3.0, 2.0, 2.0]), "A13: NaN is left out and not counted; it spoils the bin there");
    let a14 = one_bin(&[0.0, 1.0, 2.0, 3.0], &[1e25, 1.0, 1.0, 1.0], DAY, &["std", "median"]).concat();
    assert!(close(a14[0], Some(4.330_127_018_922_193e24), 1e-12) && a14[1] == Some(1.0), "A14: finite");
}

#[test]
fn quantiles_have_their_method() {
    let words = ["p01", "p05", "p16", "p50", "p84", "p95", "p99"];
    let cunnane: Vec<String> = words.iter().map(|word| format!("{word}_cunnane")).collect();
    let check = |values: &[f64], words: &[&str], expected: [f64; 7]| {
        let t: Vec<f64> = (0..values.len()).map(|at| at as f64).collect();
        for (found, expected) in one_bin(&t, values, 86_400.0, words).concat().into_iter().zip(expected) {
            assert!(close(found, Some(expected), 1e-12), "{values:?} {found:?} for {expected}");
        }
    };
    let cunnane: Vec<&str> = cunnane.iter().map(String::as_str).collect();
    let to = |last: i32| (1..=last).map(f64::from).collect::<Vec<_>>();
    check(&[1.0, 3.0], &cunnane, [1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0]);
    check(&to(3), &cunnane, [1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0]);
    check(&to(10), &cunnane, [1.0, 1.0, 2.032, 5.5, 8.968, 10.0, 10.0]);
    check(&to(10), &words, [1.09, 1.45, 2.44, 5.5, 8.56, 9.55, 9.91]);
    check(&to(100), &cunnane, [1.402, 5.41, 16.432, 50.5, 84.568, 95.59, 99.598]);
    check(&[0.0, 0.0, 0.0, 0.0, 10.0], &cunnane, [0.0, 0.0, 0.0, 0.0, 7.68, 10.0, 10.0]);
}

#[test]
fn change_only_vectors_of_3_9() {
    let mut x = series(&[0.0, 3600.0, 3700.0], &[0.0, 1.0, 0.0], (0.0, 7200.0));
    x.about.all_points = Some(false);
    let found = numbers(&resample(&[x], &ResampleOptions::new(Bins::Series)).unwrap(), "mean")[0];
    assert!(close(found, Some(100.0 / 7200.0), 1e-12), "hold to the end of the window: {found:?}");
}

#[test]
fn what_is_removed_and_what_is_selected_are_all() {
    let x = series(&T, &[0.0, 1.0, 2.0, 3.0, 4.0], (0.0, 5.0));
    let spans = Condition::parse("x >= 2 and x < 4").unwrap().spans(std::slice::from_ref(&x)).unwrap().value;
    let times = |series: Vec<edb_core::Series>| -> Vec<i64> {
        series.iter().flat_map(|one| one.samples.times()).copied().collect()
    };
    let (kept, left) =
        (times(select(std::slice::from_ref(&x), &spans)), times(remove(std::slice::from_ref(&x), &spans)));
    assert_eq!(
        (kept, left),
        (vec![2_000_000, 3_000_000], vec![0, 1_000_000, 4_000_000]),
        "half-open: 4 s is the first outside"
    );
}
