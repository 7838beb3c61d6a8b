//! Every fast path against a slow obvious one, on random series: several ranges, holes in what is known, brackets, equal times, NaN,
//! nulls, integers beyond 2^53, one sample, none.

use std::time::Duration;

use edb_core::{
    Coverage, DictionaryEntry, Instant, Mnemonic, Nulls, Sample, Samples, Series, SqlType, TimeRange, Value,
    Values,
};
use edb_frame::{
    AlignOptions, Bins, Condition, Definition, EmptyBins, Grid, IntervalOptions, Limit, Method,
    ResampleOptions, Statistic, Times, align, derive, long, resample, select, states,
};
use proptest::prelude::*;

use crate::world::{cells, close, numbers};

/// The times of a test lie in [0, END).
const END: i64 = 120;

fn range(start: i64, stop: i64) -> Option<TimeRange> {
    TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop))
}

/// One mnemonic: rows of steps and values, ranges and holes.
fn any_series(name: &'static str, is_integer: bool) -> impl Strategy<Value = Vec<Series>> {
    let value = prop_oneof![8 => -9_i64..9, 1 => Just(i64::MAX - 1), 1 => Just(99)];
    let rows =
        proptest::collection::vec((prop_oneof![1 => Just(0_i64), 4 => 1_i64..12], value, 0..12_u8), 0..40);
    (rows, 0_i64..60, 1_i64..60, 0_i64..40, 1_i64..30, any::<bool>(), any::<bool>()).prop_map(
        move |(rows, border, gap, hole, width, has_hole, is_change_only)| {
            let mut time = -15;
            let all: Vec<(i64, Value)> = rows
                .into_iter()
                .map(|(step, value, chance)| {
                    time += step;
                    let value = match (chance, is_integer) {
                        (0, _) => Value::Null,
                        (_, true) => Value::Integer(value),
                        (1, _) => Value::Real(f64::NAN),
                        _ => Value::Real(value as f64 / 4.0),
                    };
                    (time, value)
                })
                .collect();
            let ranges = [range(0, border), range((border + gap).min(END - 1), END)];
            let build = |range: TimeRange| {
                part(name, is_integer, &all, range, has_hole.then_some((hole, hole + width)), is_change_only)
            };
            ranges.into_iter().flatten().map(build).collect()
        },
    )
}

fn part(
    name: &str,
    is_integer: bool,
    all: &[(i64, Value)],
    asked: TimeRange,
    hole: Option<(i64, i64)>,
    is_change_only: bool,
) -> Series {
    let hole: Coverage = hole.and_then(|(start, stop)| range(start, stop)).into_iter().collect();
    let known = Coverage::from_iter([asked]).without(&hole);
    let inside = |time: i64| known.ranges().iter().any(|range| range.contains(Instant::from_micros(time)));
    let rows: Vec<&(i64, Value)> = all.iter().filter(|(time, _)| inside(*time)).collect();
    let mut nulls = Nulls::none();
    rows.iter().enumerate().filter(|(_, row)| row.1 == Value::Null).for_each(|(at, _)| nulls.push(at));
    let values = if is_integer {
        Values::Integer(
            rows.iter().map(|row| if let Value::Integer(value) = row.1 { value } else { 0 }).collect(),
        )
    } else {
        Values::real(
            rows.iter().map(|row| if let Value::Real(value) = row.1 { value } else { 0.0 }).collect(),
        )
    };
    let sql_type = if is_integer { SqlType::BigInt } else { SqlType::Float };
    let times = rows.iter().map(|row| row.0).collect();
    let (samples, _) = Samples::from_columns(sql_type, times, values, nulls).unwrap();
    let bracket = |row: Option<&(i64, Value)>| {
        row.map(|(time, value)| Sample { time: Instant::from_micros(*time), value: value.clone() })
    };
    let (start, stop) = (asked.start().as_micros(), asked.stop().as_micros());
    let mut about = DictionaryEntry::bare(Mnemonic::new(name).unwrap());
    about.all_points = Some(!is_change_only);
    Series {
        about,
        range: asked,
        samples,
        leading: bracket(all.iter().rfind(|row| row.0 < start)),
        trailing: bracket(all.iter().find(|row| row.0 >= stop)),
        known,
        learned: None,
    }
}

/// All rows that may stand at a time: those of the known stretch that it lies in, with the brackets at its ends.
fn candidates(parts: &[Series], target: i64) -> Vec<(i64, Value)> {
    let at = Instant::from_micros(target);
    for part in parts {
        let Some(stretch) = part.known.ranges().iter().find(|range| range.contains(at)) else { continue };
        let bracket = |sample: &Sample| (sample.time.as_micros(), sample.value.clone());
        let mut rows: Vec<(i64, Value)> = Vec::new();
        rows.extend(part.leading.iter().filter(|_| stretch.start() == part.range.start()).map(bracket));
        rows.extend(
            part.samples.iter().filter(|sample| stretch.contains(sample.time)).map(|sample| bracket(&sample)),
        );
        rows.extend(part.trailing.iter().filter(|_| stretch.stop() == part.range.stop()).map(bracket));
        return rows;
    }
    Vec::new()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Real(value) => Some(*value),
        Value::Integer(value) if value.unsigned_abs() <= 1 << 53 => Some(*value as f64),
        _ => None,
    }
}

/// The cell at a time, by looking at everything.
fn cell(parts: &[Series], target: i64, method: Method, limit: i64) -> Value {
    let rows = candidates(parts, target);
    let before = rows.iter().rfind(|row| row.0 <= target);
    let after = rows.iter().find(|row| row.0 > target);
    let last_twin = |row: &(i64, Value)| rows.iter().rfind(|twin| twin.0 == row.0).cloned();
    let found = match method {
        Method::Hold => before.filter(|row| target - row.0 <= limit).cloned(),
        Method::Exact => before.filter(|row| row.0 == target).cloned(),
        Method::Nearest => {
            let near = match (before, after) {
                (Some(before), Some(after)) if after.0 - target < target - before.0 => Some(after),
                (before, after) => before.or(after),
            };
            near.filter(|row| (row.0 - target).abs() <= limit).and_then(last_twin)
        }
        Method::Linear => {
            return match (before, after) {
                (Some(before), _) if before.0 == target => before.1.clone(),
                (Some(before), Some(after)) if after.0 - before.0 <= limit => {
                    let after_value = &after.1;
                    match (number(&before.1), number(after_value)) {
                        (Some(a), Some(b)) => Value::Real(
                            a + (b - a) * ((target - before.0) as f64 / (after.0 - before.0) as f64),
                        ),
                        _ => Value::Null,
                    }
                }
                _ => Value::Null,
            };
        }
    };
    found.map_or(Value::Null, |row| row.1)
}

fn words(value: &Value) -> String {
    value.to_string()
}

/// Numbers as they are, and what the fold of the obvious oracle gives for them.
fn statistics_of(values: &[f64]) -> [Option<f64>; 8] {
    let count = values.len() as f64;
    if values.is_empty() {
        return [Some(0.0), None, None, None, None, None, None, None];
    }
    let mean = values.iter().sum::<f64>() / count;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    let std = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let all =
        [count, mean, sorted[0], sorted[sorted.len() - 1], std, middle, values[0], values[values.len() - 1]];
    all.map(Some)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn alignment_agrees_with_looking_at_everything(
        reals in any_series("R", false), integers in any_series("N", true),
        step_us in 1_i64..15, origin_us in -9_i64..9, limit in 0_i64..40,
        method in prop_oneof![Just(Method::Hold), Just(Method::Nearest), Just(Method::Linear), Just(Method::Exact)],
    ) {
        let all: Vec<Series> = reals.iter().chain(&integers).cloned().collect();
        let options = AlignOptions::new(
            Times::Grid(Grid::Step { step_us, origin_us }),
            method,
            Limit::At(Duration::from_micros(limit as u64)),
        );
        let table = align(&all, &options).unwrap();
        let times: Vec<i64> = numbers(&table, "time").into_iter().map(|time| time.unwrap() as i64).collect();
        for (name, parts) in [("R", &reals), ("N", &integers)] {
            if parts.is_empty() {
                continue;
            }
            let is_change_only = parts[0].about.all_points == Some(false);
            // Integers and what is change-only are held, where lines were asked for; what is change-only without a limit.
            let way = if method == Method::Linear && (name == "N" || is_change_only) { Method::Hold } else { method };
            let limit = if way == Method::Hold && is_change_only { i64::MAX } else { limit };
            let found = cells(&table, name);
            for (time, found) in times.iter().zip(found) {
                let expected = cell(parts, *time, way, limit);
                let is_same = found == words(&expected)
                    || matches!((found.parse::<f64>(), number(&expected)), (Ok(a), Some(b)) if close(Some(a), Some(b), 1e-12));
                prop_assert!(is_same, "{name} at {time} by {way:?}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn bins_agree_with_looking_at_everything(
        parts in any_series("R", false), step_us in 1_i64..50, origin_us in -30_i64..30, keep_empty in any::<bool>(),
    ) {
        prop_assume!(!parts.is_empty());
        let empty = if keep_empty { EmptyBins::Null } else { EmptyBins::Absent };
        let is_change_only = parts[0].about.all_points == Some(false);
        let grid = Grid::Step { step_us, origin_us };
        let table = resample(&parts, &ResampleOptions { empty, ..ResampleOptions::new(Bins::Grid(grid)) }).unwrap();
        let mut row = 0;
        for start in grid.times(-100, 200) {
            let inside: Vec<f64> = parts
                .iter()
                .flat_map(|part| part.samples.iter())
                .filter(|sample| (start..start + step_us).contains(&sample.time.as_micros()))
                .filter_map(|sample| number(&sample.value).filter(|value| value.is_finite()))
                .collect();
            // What held in each microsecond of the bin.
            let held: Vec<f64> = (start..start + step_us)
                .filter_map(|time| number(&cell(&parts, time, Method::Hold, i64::MAX)).filter(|value| value.is_finite()))
                .collect();
            let mut expected = statistics_of(if is_change_only { &held } else { &inside });
            expected[0] = Some(inside.len() as f64);
            let overlaps = parts.iter().any(|part| part.range.start().as_micros() < start + step_us && start < part.range.stop().as_micros());
            let exists = !inside.is_empty() || is_change_only && !held.is_empty() || keep_empty && overlaps;
            if !exists {
                continue;
            }
            prop_assert_eq!(numbers(&table, "time")[row], Some(start as f64));
            for (statistic, expected) in Statistic::USUAL.iter().zip(expected) {
                let found = numbers(&table, &statistic.word())[row];
                prop_assert!(close(found, expected, 1e-9), "{:?} of {start}: {found:?} for {expected:?}", statistic);
            }
            row += 1;
        }
        prop_assert_eq!(row, table.rows());
    }

    #[test]
    fn conditions_agree_with_looking_at_every_microsecond(
        a in any_series("A", false), b in any_series("B", true), x in any_series("X", false), limit in 1_i64..30,
    ) {
        prop_assume!(!a.is_empty() && !b.is_empty());
        let all: Vec<Series> = a.iter().chain(&b).cloned().collect();
        let limit_of = |parts: &[Series]| if parts[0].about.all_points == Some(false) { i64::MAX } else { limit };
        let text = "A > 0 and B <= 2 or not (A + B < 1)";
        let limit = Limit::At(Duration::from_micros(limit as u64));
        let spans = Condition { limit, ..Condition::parse(text).unwrap() }.spans(&all).unwrap().value;
        // A hold is a microsecond shorter than a sample may be old: it ends before the limit is reached.
        let value = |parts: &[Series], time| {
            let limit = limit_of(parts).saturating_sub(1);
            match cell(parts, time, Method::Hold, limit) {
                Value::Integer(value) => Some(value as f64),
                other => number(&other),
            }
        };
        let holds = |time: i64| {
            let (a, b) = (value(&a, time), value(&b, time));
            let and = |p: Option<bool>, q: Option<bool>| match (p, q) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            let first = and(a.map(|a| a > 0.0), b.map(|b| b <= 2.0));
            let second = a.zip(b).map(|(a, b)| (a + b).partial_cmp(&1.0) != Some(std::cmp::Ordering::Less));
            first == Some(true) || second == Some(true)
        };
        for time in 0..END {
            let found = spans.ranges().iter().any(|span| span.contains(Instant::from_micros(time)));
            prop_assert_eq!(found, holds(time), "at {}", time);
        }
        let kept = long(&select(&x, &spans)).unwrap();
        let expected = x.iter().flat_map(|part| part.samples.times()).filter(|time| holds(**time)).count();
        prop_assert_eq!(kept.rows(), expected);
    }

    #[test]
    fn states_agree_with_looking_at_every_microsecond(parts in any_series("N", true), limit in 1_i64..30) {
        prop_assume!(!parts.is_empty());
        let max_gap = Limit::At(Duration::from_micros(limit as u64));
        let table = states(&parts, &IntervalOptions { max_gap, ..IntervalOptions::default() }).unwrap();
        let limit = if parts[0].about.all_points == Some(false) { i64::MAX } else { limit - 1 };
        let column = |name: &str| numbers(&table, name).into_iter().flatten().map(|time| time as i64).collect::<Vec<_>>();
        let (starts, stops, words_of) = (column("start"), column("stop"), cells(&table, "state"));
        for time in 0..END {
            let found = (0..starts.len()).find(|row| (starts[*row]..stops[*row]).contains(&time)).map(|row| words_of[row].clone());
            let expected = words(&cell(&parts, time, Method::Hold, limit));
            prop_assert_eq!(found.unwrap_or_else(|| "null".to_owned()), expected, "at {}", time);
        }
        for (earlier, later) in stops.iter().zip(&starts[1.min(starts.len())..]) {
            prop_assert!(earlier <= later);
        }
    }

    #[test]
    fn quantities_agree_with_their_operands_at_each_time(a in any_series("A", false), b in any_series("B", false), limit in 1_i64..30) {
        prop_assume!(!a.is_empty() && !b.is_empty());
        let all: Vec<Series> = a.iter().chain(&b).cloned().collect();
        let definition = Definition::parse("c = a * 2 + b").unwrap();
        let derived = derive(&definition, &all, Limit::At(Duration::from_micros(limit as u64))).unwrap().value;
        let is_held = b[0].about.all_points == Some(false);
        let (method, limit) = if is_held { (Method::Hold, i64::MAX) } else { (Method::Linear, limit) };
        for (one, part) in derived.iter().zip(&a) {
            for sample in one.samples.iter() {
                let time = sample.time.as_micros();
                // Of equal times each keeps its own value.
                let twins = part.samples.iter().filter(|own| own.time == sample.time);
                let expected: Vec<Option<f64>> = twins
                    .map(|own| Some(number(&own.value)? * 2.0 + number(&cell(&b, time, method, limit))?))
                    .collect();
                let found = number(&sample.value);
                let is_one = expected.iter().any(|expected| {
                    close(found, *expected, 1e-12) || found.is_some_and(f64::is_nan) && expected.is_some_and(f64::is_nan)
                });
                prop_assert!(is_one, "at {}: {:?} for {:?}", time, found, expected);
            }
            let both = one.known.ranges().iter().all(|range| part.known.covers(*range));
            prop_assert!(both, "nothing is known that its first operand does not know");
        }
    }
}
