//! How each kind of vector of the JWQL monitor is met.

use edb_core::{
    Instant, Mnemonic, Nulls, Sample, Samples, Series, SqlType, TextColumn, TimeRange, Value, Values,
    parse_instant,
};
use edb_frame::{
    AlignOptions, Bins, Condition, Definition, Grid, IntervalOptions, Limit, Method, ResampleOptions, Stamp,
    Statistic, Table, Times, align, derive, long, resample, select, states,
};
use serde_json::Value as Json;

use crate::world::{at_micros, cells, close, numbers};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

pub(crate) fn at(text: &str) -> i64 {
    parse_instant(text, Instant::MIN).unwrap().as_micros()
}

pub(crate) fn times(json: &Json) -> Vec<i64> {
    json.as_array().unwrap().iter().map(|time| at(time.as_str().unwrap())).collect()
}

pub(crate) fn reals(json: &Json) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
}

pub(crate) fn indices(json: &Json) -> Vec<usize> {
    json.as_array().unwrap().iter().map(|value| value.as_u64().unwrap() as usize).collect()
}

pub(crate) fn texts(json: &Json) -> Option<Vec<&str>> {
    json.as_array().unwrap().iter().map(Json::as_str).collect()
}

/// A series of `t` and `v` over `[start, stop)`; samples outside become brackets.
pub(crate) fn series(name: &str, input: &Json, start: i64, stop: i64) -> Series {
    named(name, &times(&input["t"]), &input["v"], start, stop)
}

pub(crate) fn named(name: &str, times: &[i64], values: &Json, start: i64, stop: i64) -> Series {
    let (sql_type, values) = match texts(values) {
        Some(words) if !words.is_empty() => {
            let mut column = TextColumn::default();
            words.iter().for_each(|word| column.push(word));
            (SqlType::Varchar, Values::Text(column))
        }
        _ => (SqlType::Float, Values::real(reals(values))),
    };
    let (all, _) = Samples::from_columns(sql_type, times.to_vec(), values, Nulls::none()).unwrap();
    let range = TimeRange::new(Instant::from_micros(start), Instant::from_micros(stop)).unwrap();
    let rows = all.rows_in(range);
    let bracket = |row: Option<usize>| row.filter(|row| *row < all.len()).map(|row| all.sample(row));
    Series {
        leading: bracket(rows.start.checked_sub(1)),
        trailing: bracket(Some(rows.end)),
        ..Series { samples: all.slice(rows), ..at_micros(name, (start, stop), &[], &[]) }
    }
}

/// The whole of `t` and `v`, the last sample inside.
pub(crate) fn whole(name: &str, input: &Json) -> Series {
    let all = times(&input["t"]);
    series(name, input, all[0], all[all.len() - 1] + 1)
}

pub(crate) fn pieces(series: &Series, borders: &[(i64, i64)]) -> Vec<Series> {
    let one = |(start, stop): &(i64, i64)| {
        TimeRange::checked(Instant::from_micros(*start), Instant::from_micros(*stop))
    };
    let cut = |range: TimeRange| select(std::slice::from_ref(series), &[range].into_iter().collect());
    borders.iter().filter_map(one).flat_map(cut).collect()
}

pub(crate) fn clipped(bins: Bins, stamp: Stamp) -> ResampleOptions {
    let words = ["count", "clipped_mean", "clipped_median", "clipped_std", "max", "min", "first"];
    let statistics = words.map(|word| Statistic::parse(word).unwrap()).to_vec();
    ResampleOptions { statistics, stamp, ..ResampleOptions::new(bins) }
}

/// Compares the statistics of a table with those of a vector; each that it has.
pub(crate) fn check_statistics(id: &str, table: &Table, expected: &Json) {
    for (word, column) in [
        ("mean", "clipped_mean"),
        ("median", "clipped_median"),
        ("std", "clipped_std"),
        ("max", "max"),
        ("min", "min"),
    ] {
        let Some(all) = expected.get(word) else { continue };
        let wanted =
            all.as_array().map_or_else(|| vec![all.as_f64()], |all| all.iter().map(Json::as_f64).collect());
        let found = numbers(table, column);
        assert_eq!(found.len(), wanted.len(), "{id} {word}");
        for (found, wanted) in found.into_iter().zip(wanted) {
            assert!(close(found, wanted, 1e-12), "{id} {word}: {found:?} for {wanted:?}");
        }
    }
}

pub(crate) fn check_times(id: &str, table: &Table, expected: &Json) {
    let found: Vec<i64> = numbers(table, "time").into_iter().map(|time| time.unwrap() as i64).collect();
    assert_eq!(found, times(&expected["time"]), "{id}");
}

pub(crate) fn values_of(series: &Series) -> Vec<Value> {
    series.samples.iter().map(|sample| sample.value).collect()
}

pub(crate) fn word(value: &Value) -> String {
    value.to_string()
}

pub(crate) fn json_words(json: &Json) -> Vec<String> {
    let one =
        |value: &Json| value.as_str().map_or_else(|| value.as_f64().unwrap().to_string(), str::to_owned);
    json.as_array().unwrap().iter().map(one).collect()
}

pub(crate) fn merged(input: &Json) -> Series {
    let (a, b) = (whole("X", &input["a"]), whole("X", &input["b"]));
    // Windows are cut to their half-open ranges, so that nothing is there twice to begin with.
    let border = b.range.start();
    let mut samples = a.samples.cut(TimeRange::new(a.range.start(), border).unwrap());
    samples.append(b.samples).unwrap();
    Series {
        samples,
        range: a.range.hull(b.range),
        known: [a.range.hull(b.range)].into_iter().collect(),
        ..a
    }
}

/// Samples between two borders, both inside, with the state before at the start and the state before the end at the end.
pub(crate) fn bounded(series: &Series, start: i64, end: i64) -> (Vec<i64>, Vec<String>) {
    let mut rows: Vec<(i64, String)> =
        series.leading.iter().map(|sample| (start, word(&sample.value))).collect();
    rows.extend(series.samples.iter().map(|sample| (sample.time.as_micros(), word(&sample.value))));
    let at_end = |sample: &&Sample| sample.time.as_micros() == end;
    rows.extend(series.trailing.iter().filter(at_end).map(|sample| (end, word(&sample.value))));
    let mut series = series.clone();
    series.about.all_points = Some(false);
    let stood = states(&[series], &IntervalOptions::default()).unwrap();
    rows.extend(cells(&stood, "state").last().map(|state| (end, state.clone())));
    rows.into_iter().unzip()
}

pub(crate) fn conditions(id: &str, input: &Json, expected: &Json) {
    let x = whole("X", input);
    let mut all = vec![x.clone()];
    let mut terms = Vec::new();
    for (number, condition) in input["conditions"].as_array().unwrap().iter().enumerate() {
        let name = format!("C{number}");
        let mut one = whole(&name, condition);
        one.about.all_points = Some(true);
        // Over the whole span, as the monitor looks at what it has.
        all.push(one);
        let threshold = match condition["threshold"].as_str() {
            Some(text) => format!("'{text}'"),
            None => condition["threshold"].to_string(),
        };
        terms.push(format!("{name} {} {threshold}", condition["relation"].as_str().unwrap()));
    }
    let spans = |text: &str| {
        let condition =
            Condition { until_seen: true, limit: Limit::Unlimited, ..Condition::parse(text).unwrap() };
        condition.spans(&all).unwrap().value
    };
    for (term, expected) in terms.iter().zip(expected["good_spans"].as_array().unwrap()) {
        let found: Vec<(i64, i64)> = spans(term)
            .ranges()
            .iter()
            .map(|range| (range.start().as_micros(), range.stop().as_micros() - 1))
            .collect();
        let wanted: Vec<(i64, i64)> = expected
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|span| Some((at(span[0].as_str()?), at(span[1].as_str()?))))
            .collect();
        assert_eq!(found, wanted, "{id} {term}");
    }
    let kept = select(&[x], &spans(&terms.join(" and ")));
    let found: Vec<i64> = kept.iter().flat_map(|one| one.samples.times()).copied().collect();
    assert_eq!(found, times(&expected["t"]), "{id}");
    let found: Vec<String> = kept.iter().flat_map(values_of).map(|value| word(&value)).collect();
    assert_eq!(found, json_words(&expected["v"]), "{id}");
    let mut starts = vec![0];
    kept.iter()
        .filter(|one| !one.samples.is_empty())
        .for_each(|one| starts.push(starts[starts.len() - 1] + one.samples.len()));
    if starts == [0] {
        starts.push(0);
    }
    assert_eq!(starts, indices(&expected["block_starts"]), "{id}");
}

/// The first row at or after the times of old blocks; the end of all for the last.
pub(crate) fn moved(blocks: &[usize], old: &[i64], new: &[i64]) -> Vec<usize> {
    let place = |block: &usize| old.get(*block).map_or(new.len(), |time| new.partition_point(|at| at < time));
    blocks.iter().map(place).collect()
}

pub(crate) fn interpolate(id: &str, input: &Json, expected: &Json, is_change_only: bool) {
    let targets = times(&input["at"]);
    let stop = targets[targets.len() - 1] + 1;
    let mut x = series("X", input, targets[0], stop);
    x.about.all_points = Some(!is_change_only);
    let points = at_micros("AT", (targets[0], stop), &targets, &vec![0.0; targets.len()]);
    let times_of = Times::Of(Mnemonic::new("AT").unwrap());
    let method = if is_change_only { Method::Hold } else { Method::Linear };
    let table = align(&[x, points], &AlignOptions::new(times_of, method, Limit::Unlimited)).unwrap();
    let (found, values): (Vec<i64>, Vec<f64>) = targets
        .iter()
        .copied()
        .zip(numbers(&table, "X"))
        .filter_map(|(time, value)| Some((time, value?)))
        .unzip();
    assert_eq!(found, times(&expected["t"]), "{id}");
    assert_eq!(values, reals(&expected["v"]), "{id}");
    assert_eq!(
        moved(&indices(&input["blocks"]), &times(&input["t"]), &found),
        indices(&expected["blocks"]),
        "{id}"
    );
}

pub(crate) fn daily(id: &str, input: &Json, expected: &Json) {
    let t = times(&input["t"]);
    let (first, last) = (t[0], t[t.len() - 1]);
    if let Some(sane) = expected.get("sane") {
        check_statistics(
            id,
            &resample(&[whole("X", input)], &clipped(Bins::Series, Stamp::Start)).unwrap(),
            sane,
        );
        return;
    }
    // Its days end at the last sample, which is outside; ours end where the range does.
    let x = series("X", input, first, last);
    let days: Vec<(i64, i64)> = Grid::Step { step_us: DAY, origin_us: first }
        .times(first, last)
        .into_iter()
        .map(|start| (start, (start + DAY).min(last)))
        .collect();
    let table = resample(&pieces(&x, &days), &clipped(Bins::Series, Stamp::Centre)).unwrap();
    check_statistics(id, &table, expected);
    check_times(id, &table, expected);
}

pub(crate) fn time_bins(id: &str, input: &Json, expected: &Json) {
    let t = times(&input["t"]);
    let step_us = (input["bin_seconds"].as_f64().unwrap() * 1e6) as i64;
    let bins = (t[t.len() - 1] - t[0] + step_us - 1) / step_us;
    let grid = Grid::Step { step_us, origin_us: t[0] };
    let table = resample(
        &[series("X", input, t[0], t[0] + bins * step_us)],
        &clipped(Bins::Grid(grid), Stamp::MeanTime),
    )
    .unwrap();
    let expected = expected.get("sane").unwrap_or(expected);
    check_statistics(id, &table, expected);
    check_times(id, &table, expected);
}

pub(crate) fn blocks(id: &str, input: &Json, expected: &Json) {
    let t = times(&input["t"]);
    let mut x = whole("X", input);
    if let Some(ignored) = input.get("ignore") {
        let text = format!("x = if(y != {}, y, null)", ignored[0]);
        x.about.mnemonic = Mnemonic::new("Y").unwrap();
        x = derive(&Definition::parse(&text).unwrap(), &[x], Limit::Unlimited).unwrap().value.remove(0);
    }
    let border = |block: usize| t.get(block).copied().unwrap_or(t[t.len() - 1] + 1);
    let borders: Vec<(i64, i64)> =
        indices(&input["blocks"]).windows(2).map(|pair| (border(pair[0]), border(pair[1]))).collect();
    let table = resample(&pieces(&x, &borders), &clipped(Bins::Series, Stamp::MeanTime)).unwrap();
    check_times(id, &table, expected);
    if let Some(words) = expected.get("value") {
        assert_eq!(cells(&table, "first_text"), json_words(words), "{id}");
        return;
    }
    check_statistics(id, &table, expected);
    if let Some(labels) = expected.get("labels") {
        let starts: Vec<i64> = select(&pieces(&x, &borders), &[x.range].into_iter().collect())
            .iter()
            .filter(|one| one.samples.iter().any(|sample| sample.value != Value::Null))
            .map(|one| one.range.start().as_micros())
            .collect();
        let all = texts(&input["labels"]).unwrap();
        let found: Vec<&str> = starts
            .iter()
            .map(|start| all[borders.iter().position(|border| border.0 == *start).unwrap()])
            .collect();
        assert_eq!(found, texts(labels).unwrap(), "{id}");
    }
}

pub(crate) fn change_only(id: &str, input: &Json, expected: &Json) {
    // The monitor lets the last value hold for a microsecond: a range that ends then.
    let mut x = whole("X", input);
    x.about.all_points = Some(false);
    let table = resample(&[x], &ResampleOptions::new(Bins::Series)).unwrap();
    for statistic in ["mean", "median", "std", "max", "min"] {
        let (found, wanted) = (numbers(&table, statistic)[0], expected[statistic].as_f64());
        assert!(close(found, wanted, 1e-12), "{id} {statistic}: {found:?} for {wanted:?}");
    }
}

pub(crate) fn product(id: &str, input: &Json, expected: &Json) {
    let (mut a, mut b) = (whole("TEST_VOLTAGE", &input["a"]), whole("TEST_CURRENT", &input["b"]));
    a.about.unit = input["a"]["unit"].as_str().unwrap().into();
    b.about.unit = input["b"]["unit"].as_str().unwrap().into();
    let hull = a.range.hull(b.range);
    for one in [&mut a, &mut b] {
        (one.range, one.known) = (hull, [hull].into_iter().collect());
    }
    let text = format!("p = {}", expected["name"].as_str().unwrap());
    let found =
        derive(&Definition::parse(&text).unwrap(), &[a, b], Limit::Unlimited).unwrap().value.remove(0);
    assert_eq!(found.about.unit, expected["unit"].as_str().unwrap(), "{id}");
    assert_eq!(found.about.description, expected["name"].as_str().unwrap(), "{id}");
    let rows: Vec<Sample> = found.samples.iter().filter(|sample| sample.value != Value::Null).collect();
    let kept: Vec<i64> = rows.iter().map(|sample| sample.time.as_micros()).collect();
    assert_eq!(kept, times(&expected["t"]), "{id}");
    for (row, wanted) in rows.iter().zip(reals(&expected["v"])) {
        let Value::Real(value) = row.value else { panic!("{id}: {row:?}") };
        assert!(close(Some(value), Some(wanted), 1e-12), "{id}: {value} for {wanted}");
    }
    assert_eq!(
        moved(&indices(&input["a"]["blocks"]), &times(&input["a"]["t"]), &kept),
        indices(&expected["blocks"]),
        "{id}"
    );
}

pub(crate) fn good_spans(id: &str, input: &Json, expected: &Json) {
    let (good, bad) = (times(&input["good"]), times(&input["bad"]));
    let mut rows: Vec<(i64, f64)> =
        good.iter().map(|time| (*time, 1.0)).chain(bad.iter().map(|time| (*time, 0.0))).collect();
    rows.sort_by_key(|row| row.0);
    let (times_of, values): (Vec<i64>, Vec<f64>) = rows.into_iter().unzip();
    let c = at_micros("C", (times_of[0], times_of[times_of.len() - 1] + 1), &times_of, &values);
    let condition =
        Condition { until_seen: true, limit: Limit::Unlimited, ..Condition::parse("C = 1").unwrap() };
    let found: Vec<Vec<i64>> = condition
        .spans(&[c])
        .unwrap()
        .value
        .ranges()
        .iter()
        .map(|range| vec![range.start().as_micros(), range.stop().as_micros() - 1])
        .collect();
    let wanted: Vec<Vec<i64>> = expected["spans"].as_array().unwrap().iter().map(times).collect();
    assert_eq!(found, wanted, "{id}");
}

pub(crate) fn split_by_state(id: &str, input: &Json, expected: &Json) {
    let state_times = times(&input["state_t"]);
    let (x, state) = (
        whole("X", input),
        named("STATE", &state_times, &input["state"], state_times[0], state_times[9] + 1),
    );
    let table = resample(std::slice::from_ref(&x), &ResampleOptions::new(Bins::Series)).unwrap();
    for (statistic, wanted) in
        [("mean", "overall_mean"), ("median", "overall_median"), ("std", "overall_std")]
    {
        assert!(close(numbers(&table, statistic)[0], expected[wanted].as_f64(), 1e-12), "{id} {statistic}");
    }
    let times_of = Times::Of(Mnemonic::new("STATE").unwrap());
    let table =
        align(&[x, state.clone()], &AlignOptions::new(times_of, Method::Linear, Limit::Unlimited)).unwrap();
    let rows: Vec<f64> = numbers(&table, "X").into_iter().flatten().collect();
    for (found, wanted) in rows.iter().zip(reals(&expected["v"])) {
        assert!(close(Some(*found), Some(wanted), 1e-12), "{id}: {found} for {wanted}");
    }
    assert_eq!(rows.len(), reals(&expected["v"]).len(), "{id}");
    let stood =
        states(&[state], &IntervalOptions { max_gap: Limit::Unlimited, ..IntervalOptions::default() })
            .unwrap();
    assert_eq!(cells(&stood, "state"), json_words(&expected["labels"]), "{id}");
    let mut starts = vec![0];
    numbers(&stood, "samples")
        .into_iter()
        .flatten()
        .for_each(|rows| starts.push(starts[starts.len() - 1] + rows as usize));
    assert_eq!(starts, indices(&expected["block_starts"]), "{id}");
}

pub(crate) fn group_by_state(id: &str, input: &Json, expected: &Json) {
    let (x, mut state) = (
        whole("X", input),
        named(
            "STATE",
            &times(&input["t"]),
            &input["state"],
            times(&input["t"])[0],
            times(&input["t"])[19] + 1,
        ),
    );
    state.about.all_points = Some(false);
    for (label, wanted) in expected.as_object().unwrap() {
        let condition = Condition::parse(&format!("STATE = '{label}'")).unwrap();
        let kept =
            select(std::slice::from_ref(&x), &condition.spans(std::slice::from_ref(&state)).unwrap().value);
        let found: Vec<i64> = kept.iter().flat_map(|one| one.samples.times()).copied().collect();
        assert_eq!(found, times(&wanted["t"]), "{id} {label}");
        let found: Vec<String> = kept.iter().flat_map(values_of).map(|value| word(&value)).collect();
        assert_eq!(found, json_words(&wanted["v"]), "{id} {label}");
    }
}

pub(crate) fn filter_position(id: &str, input: &Json, expected: &Json, nominal: &Json) {
    let t = times(&input["t"]);
    let starts = indices(&input["blocks"]);
    let sigma = input["sigma"].as_f64().unwrap();
    let mut kept = Vec::new();
    for (label, pair) in texts(&input["labels"]).unwrap().iter().zip(starts.windows(2)) {
        let position = &nominal[input["mechanism"].as_str().unwrap()][*label];
        let text =
            format!("abs(X - ({})) <= {}", position["nominal"], sigma * position["sigma"].as_f64().unwrap());
        let stop = t.get(pair[1]).copied().unwrap_or(t[t.len() - 1] + 1);
        let block = pieces(&whole("X", input), &[(t[pair[0]], stop)]);
        let condition = Condition { limit: Limit::Unlimited, ..Condition::parse(&text).unwrap() };
        let spans = condition.spans(&block).unwrap().value;
        let good = select(&block, &spans);
        let times_of: Vec<i64> = good.iter().flat_map(|one| one.samples.times()).copied().collect();
        let values: Vec<f64> =
            good.iter().flat_map(values_of).map(|value| word(&value).parse().unwrap()).collect();
        kept.push(at_micros("X", (times_of[0], times_of[times_of.len() - 1] + 1), &times_of, &values));
    }
    let table = resample(&kept, &clipped(Bins::Series, Stamp::Centre)).unwrap();
    check_statistics(id, &table, expected);
    check_times(id, &table, expected);
}

pub(crate) fn state_history(id: &str, input: &Json, expected: &Json) {
    for (label, wanted) in expected.as_object().unwrap() {
        // Keys are all that one vector has of the older part.
        let parts: Vec<Series> = [&input["a"], &input["b"]]
            .iter()
            .filter_map(|part| part.get(label))
            .map(|part| whole("X", part))
            .collect();
        if parts.is_empty() {
            let keys = texts(&input["a_keys"]).unwrap();
            assert!(keys.contains(&label.as_str()), "{id} {label}");
            continue;
        }
        let table = long(&parts).unwrap();
        let mut rows: Vec<(i64, String)> =
            times(&wanted["t"]).into_iter().zip(json_words(&wanted["v"])).collect();
        rows.sort();
        let mut found: Vec<(i64, String)> = numbers(&table, "time")
            .into_iter()
            .map(|time| time.unwrap() as i64)
            .zip(cells(&table, "value"))
            .collect();
        found.sort();
        assert_eq!(found, rows, "{id} {label}: what is there twice stays there twice");
    }
}

pub(crate) fn multi_window(id: &str, input: &Json, expected: &Json) {
    let windows: Vec<Vec<f64>> = input["window_rows"].as_array().unwrap().iter().map(reals).collect();
    let starts: Vec<i64> =
        input.get("t0").map_or_else(|| (0..windows.len() as i64).map(|day| day * DAY).collect(), times);
    let hours: Vec<f64> = input.get("hours").map_or_else(|| vec![0.0, 6.0, 12.0, 18.0], reals);
    let window = |(start, values): (&i64, &Vec<f64>)| {
        let rows: Vec<i64> = hours.iter().map(|hour| start + (hour * 3600e6) as i64).collect();
        // Averages of a window leave its last sample out: it is where the window ends.
        let stop = rows[rows.len() - 1] + i64::from(expected.get("mean").is_none());
        let values = Json::from(values.clone());
        named("X", &rows, &values, *start, stop)
    };
    let all: Vec<Series> = starts.iter().zip(&windows).map(window).collect();
    if let Some(correct) = expected.get("correct_values") {
        assert_eq!(cells(&long(&all).unwrap(), "value"), json_words(correct), "{id}");
        return;
    }
    let table = resample(&all, &clipped(Bins::Series, Stamp::Centre)).unwrap();
    check_statistics(id, &table, expected);
    let found: Vec<i64> = numbers(&table, "time").into_iter().map(|time| time.unwrap() as i64).collect();
    assert_eq!(found, times(&expected["t"]), "{id}");
    assert_eq!(
        numbers(&table, "clipped_median"),
        reals(&expected["plotted_value"]).into_iter().map(Some).collect::<Vec<_>>(),
        "{id}"
    );
}
