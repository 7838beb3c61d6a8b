//! What is known at the borders: of pieces, of ranges, of visits, of what has no value.

use edb_core::{Coverage, NoticeKind, Sample, Series, SqlType, Value, Values};
use edb_frame::{
    AlignOptions, Beside, Bins, Borders, Condition, Definition, EmptyBins, FlawOptions, Grid,
    IntervalOptions, Limit, Method, ResampleOptions, Statistic, Times, align, derive, events, flaws, remove,
    resample, sampling, select, series_from, states, trim,
};
use polars::prelude::{Column, DataFrame};

use crate::world::{SECOND, bracket, cells, change_only, numbers, range, reals, series, texts};

fn spans(text: &str, series: &[Series]) -> Vec<String> {
    let found = Condition::parse(text).unwrap().spans(series).unwrap().value;
    found
        .ranges()
        .iter()
        .map(|one| format!("{}-{}", one.start().as_micros() / SECOND, one.stop().as_micros() / SECOND))
        .collect()
}

#[test]
fn pieces_know_the_state_into_them_and_hold_to_their_end() {
    let heater = change_only(reals("HEATER", range(0, 100), &[0, 40], &[1.0, 3.0]));
    let cut: Coverage = [range(30, 50), range(60, 70)].into_iter().collect();
    let pieces = select(std::slice::from_ref(&heater), &cut);
    assert_eq!(pieces.len(), 2);
    assert_eq!(pieces[0].leading, bracket(0, Value::Real(1.0)));
    assert_eq!((pieces[1].samples.len(), &pieces[1].leading), (0, &bracket(40, Value::Real(3.0))));
    let table = resample(&pieces, &ResampleOptions::new(Bins::Series)).unwrap();
    assert_eq!(
        (cells(&table, "time"), cells(&table, "stop")),
        (vec!["30".into(), "60".into()], vec!["50".into(), "70".into()])
    );
    assert_eq!(cells(&table, "mean"), ["2", "3"], "half of the first block at 1, half at 3");
    let whole = resample(&pieces, &ResampleOptions::every(100 * SECOND)).unwrap();
    let expected = (10.0 * 1.0 + 10.0 * 3.0 + 10.0 * 3.0) / 30.0;
    assert!((numbers(&whole, "mean")[0].unwrap() - expected).abs() < 1e-12, "one bin of both blocks");
}

#[test]
fn edges_of_blocks_can_be_left_out() {
    let a = reals("A", range(0, 10), &[0, 1, 2, 3, 4], &[9.0, 9.0, 1.0, 1.0, 9.0]);
    let trimmed = trim(std::slice::from_ref(&a), 2, 1);
    assert_eq!((trimmed[0].samples.times().len(), trimmed[0].range), (2, range(2, 4)));
    assert_eq!(trimmed[0].leading, None, "what was left out takes no part");
    assert_eq!(
        trim(std::slice::from_ref(&a), 3, 2)[0].samples.len(),
        5,
        "a block of no more than these stays whole"
    );
}

#[test]
fn pieces_of_samples_have_no_brackets_and_keep_their_cadence() {
    let times: Vec<i64> = (0..100).collect();
    let values: Vec<f64> = times.iter().map(|time| *time as f64).collect();
    let mut a = reals("A", range(0, 100), &times, &values);
    (a.leading, a.trailing) = (bracket(-1, Value::Real(-1.0)), bracket(100, Value::Real(100.0)));
    let cut: Coverage = [range(10, 12), range(90, 100)].into_iter().collect();
    let pieces = select(std::slice::from_ref(&a), &cut);
    assert!(pieces.iter().all(|one| one.leading.is_none() && one.trailing.is_none()));
    assert_eq!((pieces[0].samples.len(), pieces[1].samples.len()), (2, 10));
    // Two samples have no cadence of their own, and yet a value does not stand for ten seconds.
    let two = trim(&pieces[..1], 0, 1);
    let mut wide = two[0].clone();
    (wide.range, wide.known) = (range(10, 30), [range(10, 30)].into_iter().collect());
    let options = AlignOptions::new(Times::Grid(Grid::every(SECOND)), Method::Hold, Limit::Learned);
    let known = numbers(&align(&[wide], &options).unwrap(), "A").into_iter().flatten().count();
    assert_eq!(known, 2, "a cadence and a half");
    let all: Coverage = [range(0, 100)].into_iter().collect();
    for nothing in
        [select(std::slice::from_ref(&a), &Coverage::new()), remove(std::slice::from_ref(&a), &all)]
    {
        assert_eq!((nothing.len(), nothing[0].samples.len()), (1, 0));
        assert!(nothing[0].known.is_empty());
        let table = resample(&nothing, &ResampleOptions::new(Bins::Series)).unwrap();
        assert_eq!(cells(&table, "mean"), [""; 0], "nothing is known of it");
    }
}

#[test]
fn series_that_overlap_are_refused() {
    let two = [reals("A", range(0, 10), &[1], &[1.0]), reals("A", range(5, 20), &[6], &[1.0])];
    let error = resample(&two, &ResampleOptions::new(Bins::Series)).unwrap_err();
    assert!(error.to_string().contains("overlap"), "{error}");
    assert!(error.hint().unwrap().contains("hull"));
}

#[test]
fn gaps_reach_to_the_borders_of_what_is_known() {
    let times: Vec<i64> = (20..60).collect();
    let mut a = reals("A", range(0, 100), &times, &[1.0; 40]);
    let gaps = |one: &Series| {
        let table = flaws(std::slice::from_ref(one), &FlawOptions::default(), &[]).unwrap();
        let rows = cells(&table, "flaw")
            .into_iter()
            .zip(cells(&table, "start").into_iter().zip(cells(&table, "stop")));
        rows.filter(|row| row.0 == "gap").map(|row| format!("{}-{}", row.1.0, row.1.1)).collect::<Vec<_>>()
    };
    assert_eq!(gaps(&a), ["0-20", "59-100"], "without brackets from border to sample");
    (a.leading, a.trailing) = (bracket(-5, Value::Real(1.0)), bracket(105, Value::Real(1.0)));
    assert_eq!(gaps(&a), ["-5-20", "59-105"]);
    a.known = [range(0, 61), range(90, 92)].into_iter().collect();
    assert_eq!(gaps(&a), ["-5-20", "59-61", "90-92"], "what is unknown is no gap");
    let unlimited = FlawOptions { max_gap: Limit::Unlimited, ..FlawOptions::default() };
    assert!(!cells(&flaws(&[a], &unlimited, &[]).unwrap(), "flaw").contains(&"gap".to_owned()));
}

#[test]
fn states_count_samples_and_are_whole_only_between_values() {
    let mut a = change_only(reals("A", range(0, 10), &[2, 4], &[1.0, 2.0]));
    (a.leading, a.trailing) = (bracket(-2, Value::Real(1.0)), bracket(12, Value::Real(2.0)));
    let midpoint = IntervalOptions { borders: Borders::Midpoint, ..IntervalOptions::default() };
    for options in [midpoint, IntervalOptions::default()] {
        assert_eq!(cells(&states(&[a.clone()], &options).unwrap(), "samples"), ["1", "1"], "{options:?}");
    }
    let mut words = texts("S", range(0, 50), &[0, 10, 20, 30, 40], &["A", "B", "C", "", "D"]);
    let mut nulls = edb_core::Nulls::none();
    nulls.push(3);
    (words.samples, _) = edb_core::Samples::from_columns(
        SqlType::Varchar,
        words.samples.times().to_vec(),
        words.samples.values().clone(),
        nulls,
    )
    .unwrap();
    let table = states(&[change_only(words)], &IntervalOptions::default()).unwrap();
    assert_eq!(cells(&table, "state"), ["A", "B", "C", "null", "D"]);
    assert_eq!(cells(&table, "is_complete"), ["0", "1", "0", "1", "0"], "nobody saw what followed C");
}

#[test]
fn quantities_of_several_mnemonics_are_not_change_only() {
    let a = change_only(reals("A", range(0, 10), &[0, 5], &[1.0, 2.0]));
    let b = change_only(reals("B", range(0, 10), &[0, 7], &[1.0, 2.0]));
    let made = |text: &str| {
        derive(&Definition::parse(text).unwrap(), &[a.clone(), b.clone()], Limit::Learned)
            .unwrap()
            .value
            .remove(0)
    };
    assert_eq!(made("x = a * 2").about.all_points, Some(false));
    assert_eq!(made("x = a * b").about.all_points, None, "b changes where a does not");
    assert_eq!(made("x = diff(a)").about.all_points, None);
    let mut mode = texts("MODE", range(0, 10), &[2], &["ON"]);
    mode.leading = bracket(-1, Value::Null);
    let is_on =
        derive(&Definition::parse("is_on = mode = 'ON'").unwrap(), &[mode], Limit::Unlimited).unwrap();
    assert_eq!((is_on.value[0].samples.len(), &is_on.value[0].leading), (1, &None::<Sample>));
}

#[test]
fn units_survive_choices() {
    let mut volt = reals("VOLT", range(0, 10), &[1], &[1.0]);
    volt.about.unit = "V".into();
    for text in
        ["max(0, volt)", "clip(volt, 0, 5)", "if(volt > 1, 0, volt)", "if(volt > 1, volt, 0)", "0 + volt"]
    {
        let definition = Definition::parse(&format!("x = {text}")).unwrap();
        let made = derive(&definition, std::slice::from_ref(&volt), Limit::Unlimited).unwrap();
        assert_eq!(made.value[0].about.unit, "V", "{text}");
    }
}

#[test]
fn statistics_of_nothing_are_null() {
    let a = change_only(reals("A", range(0, 20), &[5], &[3.0]));
    let mut options = ResampleOptions::every(10 * SECOND);
    options.statistics = vec![Statistic::Sum, Statistic::Mean];
    let table = resample(&[a], &options).unwrap();
    assert_eq!(
        (cells(&table, "sum"), cells(&table, "mean")),
        (vec!["3".into(), "null".into()], vec!["3".into(), "3".into()])
    );
    let words = texts("S", range(0, 20), &[1, 2, 11], &["x", "y", "z"]);
    let mut options = ResampleOptions::every(10 * SECOND);
    (options.statistics, options.min_count, options.empty) = (vec![Statistic::Last], 2, EmptyBins::Null);
    let table = resample(&[words], &options).unwrap();
    assert_eq!(cells(&table, "last_text"), ["y", "null"]);
    let big = series("N", SqlType::BigInt, range(0, 10), &[1, 2], Values::Integer(vec![1, (1 << 53) + 1]));
    let table = resample(&[big], &ResampleOptions::every(10 * SECOND)).unwrap();
    assert!(table.notices.iter().any(|one| one.kind == NoticeKind::LeftOut && one.text.contains("2^53")));
}

#[test]
fn ages_stand_beside_values_only() {
    let a = reals("A", range(0, 10), &[2, 4], &[1.0, 2.0]);
    let mut options = AlignOptions::new(Times::Grid(Grid::every(SECOND)), Method::Linear, Limit::Unlimited);
    options.beside = Beside::Age;
    let table = align(&[a], &options).unwrap();
    assert_eq!(cells(&table, "A")[2..6], ["1", "1.5", "2", "null"]);
    assert_eq!(cells(&table, "A_age_s")[2..6], ["0", "1", "0", "null"]);
}

#[test]
fn a_visit_is_unknown_where_no_message_tells_of_one() {
    let mut log = texts("ICTM_EVENT_MSG", range(0, 100), &[50], &["Memory scrubbed"]);
    log.leading = bracket(-10, Value::Text("Memory scrubbed".into()));
    assert_eq!(spans("visit '1234:1'", std::slice::from_ref(&log)), [""; 0]);
    assert_eq!(spans("not visit '1234:1'", std::slice::from_ref(&log)), [""; 0], "it may run all the time");
    log.leading = bracket(-10, Value::Text("VISIT V01234001001 STARTED".into()));
    assert_eq!(spans("visit '1234:1'", std::slice::from_ref(&log)), ["0-100"]);
    assert_eq!(spans("not visit '1234:2'", std::slice::from_ref(&log)), ["0-100"]);
    let script = "Script terminated: V01234001001P0000000002102:NRCTAMAIN:Proceed";
    let log = texts(
        "ICTM_EVENT_MSG",
        range(0, 100),
        &[20, 60, 80],
        &[script, "VISIT V01234001001 ENDED", "VISIT V01234002001 ENDED"],
    );
    assert_eq!(spans("visit '1234:1'", std::slice::from_ref(&log)), ["0-60"]);
    assert_eq!(
        spans("visit '1234:2'", std::slice::from_ref(&log)),
        ["60-80"],
        "not before the one before was over"
    );
    let table = events::visits(&[log]).unwrap();
    assert_eq!(cells(&table, "status"), ["ended", "no start seen"]);
    assert_eq!(
        (cells(&table, "start"), cells(&table, "stop")),
        (vec!["null".into(), "60".into()], vec!["60".into(), "80".into()])
    );
}

#[test]
fn integers_that_do_not_fit_are_refused() {
    let frame = DataFrame::new_infer_height(vec![
        Column::new("time".into(), [1_i64, 2]),
        Column::new("value".into(), [1_u64, u64::MAX]),
    ])
    .unwrap();
    let about = reals("A", range(0, 1), &[], &[]).about;
    let error = series_from(&frame, "time", "value", about, range(0, 1)).unwrap_err();
    assert!(error.to_string().contains("could not read the values in `value`"), "{error}");
}

#[test]
fn what_is_taken_to_be_change_only_stays_so_in_pieces() {
    let mut times: Vec<i64> = (0..20).map(|at| at * at).collect();
    times.push(2000);
    let values: Vec<i64> = (0..21).map(|at| at % 2).collect();
    let a = series("A", SqlType::Int, range(0, 3000), &times, Values::Integer(values));
    assert_eq!(sampling(&[&a]).0, edb_core::Sampling::ChangeOnly);
    let cut: Coverage = [range(1000, 1500)].into_iter().collect();
    let pieces = select(&[a], &cut);
    assert_eq!(pieces[0].leading, bracket(361, Value::Integer(1)));
    let table = resample(&pieces, &ResampleOptions::new(Bins::Series)).unwrap();
    assert_eq!(cells(&table, "mean"), ["1"]);
    let said = |one: &edb_core::Notice| {
        one.kind == NoticeKind::Inferred && one.text.contains("taken to be change-only")
    };
    assert!(table.notices.iter().any(said), "the evidence is that of the whole: {:?}", table.notices);
    assert_eq!(pieces[0].about.all_points, None, "nobody stated it");
}

#[test]
fn a_state_that_nobody_says_is_change_only_is_known_where_it_is_the_condition() {
    let mode = texts("MODE", range(0, 60), &[0, 40], &["ON", "OFF"]);
    let cut: Coverage = [range(10, 30)].into_iter().collect();
    let piece = select(std::slice::from_ref(&mode), &cut);
    assert_eq!(piece[0].leading, bracket(0, Value::Text("ON".into())));
    let options = AlignOptions::new(Times::Grid(Grid::every(10 * SECOND)), Method::Hold, Limit::Unlimited);
    assert_eq!(cells(&align(&piece, &options).unwrap(), "MODE"), ["ON", "ON"]);
    let volts = reals("VOLTS", range(0, 60), &[0, 40], &[1.0, 2.0]);
    assert_eq!(
        select(&[volts], &cut)[0].leading,
        None,
        "a line or a mean may not begin with what was left out"
    );
}

#[test]
fn pieces_are_not_taken_to_be_what_the_whole_is_not() {
    let times: Vec<i64> = (0..100).filter(|time| !(41..55).contains(time)).collect();
    let values = times.clone();
    let counter = series("N", SqlType::Int, range(0, 100), &times, Values::Integer(values));
    let cut: Coverage = [range(38, 58), range(70, 75)].into_iter().collect();
    let pieces = select(&[counter], &cut);
    let all: Vec<&Series> = pieces.iter().collect();
    assert_eq!(all.iter().map(|one| one.samples.len()).sum::<usize>(), 11);
    assert_eq!(sampling(&all).0, edb_core::Sampling::Unknown);
    let table = flaws(&pieces, &FlawOptions::default(), &[]).unwrap();
    assert_eq!(cells(&table, "flaw"), ["gap"], "by the cadence of the whole");
}

#[test]
fn what_is_trimmed_keeps_its_samples_in_its_range() {
    let a = reals("A", range(0, 30), &[0, 10, 20, 20], &[1.0, 2.0, 3.0, 4.0]);
    let trimmed = trim(&[a], 0, 1).remove(0);
    assert_eq!(trimmed.samples.len(), 3);
    assert!(trimmed.samples.iter().all(|sample| trimmed.range.contains(sample.time)));
}

#[test]
fn an_outage_across_two_ranges_is_one_gap() {
    let first: Vec<i64> = (0..50).collect();
    let second: Vec<i64> = (120..170).collect();
    let mut a =
        [reals("A", range(0, 70), &first, &[1.0; 50]), reals("A", range(100, 170), &second, &[1.0; 50])];
    (a[0].trailing, a[1].leading) = (bracket(120, Value::Real(1.0)), bracket(49, Value::Real(1.0)));
    let table = flaws(&a, &FlawOptions::default(), &[]).unwrap();
    assert_eq!(cells(&table, "duration_s"), ["71"]);
}

#[test]
fn what_a_filter_left_nothing_of_is_no_flaw_and_no_block() {
    let a = reals("A", range(0, 10), &[1, 2], &[1.0, 2.0]);
    let nothing = remove(&select(&[a], &Coverage::new()), &[range(2, 3)].into_iter().collect());
    assert_eq!(nothing.len(), 1);
    assert_eq!(flaws(&nothing, &FlawOptions::default(), &[]).unwrap().rows(), 0);
    let mut options = ResampleOptions::new(Bins::Series);
    options.empty = EmptyBins::Null;
    assert_eq!(resample(&nothing, &options).unwrap().rows(), 0);
    let mut unknown = reals("A", range(0, 10), &[], &[]);
    unknown.known = Coverage::new();
    assert_eq!(cells(&flaws(&[unknown], &FlawOptions::default(), &[]).unwrap(), "flaw"), ["unknown"]);
}

#[test]
fn a_choice_of_three_units_has_none() {
    let unit = |names: [&str; 3]| {
        let of = |(name, unit): (&str, &str)| {
            let mut one = reals(name, range(0, 10), &[1], &[1.0]);
            one.about.unit = unit.to_owned();
            one
        };
        let all: Vec<Series> = ["A", "B", "C"].into_iter().zip(names).map(of).collect();
        let made = derive(&Definition::parse("x = max(a, b, c)").unwrap(), &all, Limit::Unlimited).unwrap();
        made.value[0].about.unit.clone()
    };
    assert_eq!(
        (unit(["V", "m", "s"]), unit(["V", "A", "A"]), unit(["", "A", "A"])),
        (String::new(), String::new(), "A".into())
    );
}
