//! The 76 numeric vectors of the JWQL monitor, where they lie beside the repository.
//!
//! Defects of the monitor are marked in the vectors (`…_quirk`, `…_fails`); of those the sane answer is met. Where its answer is one of several
//! that make sense, ours is asked for in its way (`until_seen`, brackets at both ends), so that the vector is met as it is.

use edb_core::{Instant, parse_duration};
use edb_frame::{Averaging, Bins, Expression, IntervalOptions, Stamp, resample, states};
use serde_json::Value as Json;

use crate::jwql_checks::{
    at, blocks, bounded, change_only, check_statistics, check_times, clipped, conditions, daily,
    filter_position, good_spans, group_by_state, indices, interpolate, json_words, merged, moved,
    multi_window, product, reals, series, split_by_state, state_history, texts, time_bins, times, values_of,
    whole, word,
};
use crate::world::{at_micros, numbers};

#[allow(clippy::too_many_lines, reason = "a list of kinds")]
fn check(vector: &Json, all: &Json) {
    let (id, input, expected) = (vector["id"].as_str().unwrap(), &vector["input"], &vector["expect"]);
    match vector["kind"].as_str().unwrap() {
        "merge" => {
            let found = merged(input);
            assert_eq!(found.samples.times(), times(&expected["t"]), "{id}");
            assert_eq!(
                values_of(&found).iter().map(word).collect::<Vec<_>>(),
                json_words(&expected["v"]),
                "{id}"
            );
        }
        "merge_blocks" => {
            let input =
                &all["vectors"].as_array().unwrap().iter().find(|one| one["id"] == input["same_as"]).unwrap()
                    ["input"];
            let found = moved(
                &indices(&input["b"]["blocks"]),
                &times(&input["b"]["t"]),
                merged(input).samples.times(),
            );
            assert_eq!(found, indices(&expected["later_block_starts_in_merged_rows"]), "{id}");
        }
        "bounding_points" => {
            let (start, end) = (at(input["start"].as_str().unwrap()), at(input["end"].as_str().unwrap()));
            let (found, words) = bounded(&series("X", input, start, end), start, end);
            assert_eq!((found, words), (times(&expected["t"]), json_words(&expected["v"])), "{id}");
        }
        "change_only_to_all_points" => {
            let mut x = whole("X", input);
            x.about.all_points = Some(false);
            let stood = states(&[x], &IntervalOptions::default()).unwrap();
            let column = |name: &str| {
                numbers(&stood, name).into_iter().flatten().map(|time| time as i64).collect::<Vec<_>>()
            };
            let (starts, stops) = (column("start"), column("stop"));
            let mut found: Vec<i64> =
                starts.iter().zip(&stops).flat_map(|(start, stop)| [*start, stop - 1]).collect();
            found.dedup();
            assert_eq!(
                found,
                times(&expected["t"]),
                "{id}: each value at its start and right before its end"
            );
        }
        "stats_full" => {
            let table = resample(&[whole("X", input)], &clipped(Bins::Series, Stamp::MeanTime)).unwrap();
            check_statistics(id, &table, expected);
            check_times(id, &table, expected);
        }
        "sigma_clip" => {
            let values = reals(&input["v"]);
            let rows: Vec<i64> = (0..values.len() as i64).collect();
            let mut options = clipped(Bins::Series, Stamp::Start);
            options.clip.sigma = input["sigma"].as_f64().unwrap();
            options.clip.max_iterations = input["max_iterations"].as_u64().map(|most| most as u32);
            let x = at_micros("X", (0, values.len() as i64), &rows, &values);
            check_statistics(id, &resample(&[x], &options).unwrap(), expected);
        }
        "stats_daily" => daily(id, input, expected),
        "stats_time_bins" => time_bins(id, input, expected),
        "stats_blocks" => blocks(id, input, expected),
        "stats_change_only" => change_only(id, input, expected),
        "interpolate_linear" => interpolate(id, input, expected, false),
        "interpolate_previous" => interpolate(id, input, expected, true),
        "product" => product(id, input, expected),
        "conditions" => conditions(id, input, expected),
        "good_spans" => good_spans(id, input, expected),
        "relations" => {
            for relation in texts(&input["relations"]).unwrap() {
                assert!(Expression::parse_condition(&format!("X {relation} 1")).is_ok(), "{id} {relation}");
            }
            assert!(Expression::parse_condition("X none 1").is_err(), "{id}");
        }
        "split_by_state" => split_by_state(id, input, expected),
        "group_by_state" => group_by_state(id, input, expected),
        "stats_filter_position" => filter_position(id, input, expected, &all["miri_position_nominal"]),
        "state_history_merge" => state_history(id, input, expected),
        "bin_duration" => {
            let found = parse_duration(input["text"].as_str().unwrap()).ok().map(|width| width.as_secs_f64());
            assert_eq!(found, expected["seconds"].as_f64(), "{id}");
        }
        "query_span" => {
            let found = Averaging::parse(input["averaging"].as_str().unwrap()).ok();
            let found = found.map(|averaging| averaging.window_us() as f64 / 1e6);
            assert_eq!(found, expected["seconds"].as_f64(), "{id}");
        }
        "query_windows" => {
            let averaging = Averaging::parse(input["averaging"].as_str().unwrap()).unwrap();
            let now = Instant::from_micros(at(input["now"].as_str().unwrap()));
            let start = input["start"].as_str().map(|start| Instant::from_micros(at(start)));
            let found: Vec<Vec<i64>> = start
                .map(|start| averaging.windows(start, now))
                .unwrap_or_default()
                .iter()
                .map(|window| vec![window.start().as_micros(), window.stop().as_micros()])
                .collect();
            let wanted: Vec<Vec<i64>> =
                expected["windows"].as_array().into_iter().flatten().map(times).collect();
            assert_eq!(found, wanted, "{id}");
        }
        "strip_outer_rows" => {
            let t = times(&input["t"]);
            let inner = series("X", input, t[0] + 1, t[t.len() - 1]);
            assert_eq!(inner.samples.times(), times(&expected["t"]), "{id}");
            assert_eq!(
                values_of(&inner).iter().map(word).collect::<Vec<_>>(),
                json_words(&expected["v"]),
                "{id}"
            );
        }
        "multi_window" => multi_window(id, input, expected),
        other => panic!("{id}: nobody knows how to check `{other}`"),
    }
}

#[test]
fn all_vectors_are_met() {
    let Some(shared) = edb_testkit::shared_data() else { return };
    let path = shared.join("../reference/jwql-vectors.json");
    let all: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let vectors = all["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 76);
    vectors.iter().for_each(|vector| check(vector, &all));
}
