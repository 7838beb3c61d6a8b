//! Conditions, derived quantities, states, flaws and the event log, on series made by hand.

use std::time::Duration;

use edb_core::{Coverage, Mnemonic, NoticeKind, Sampling, Series, SqlType, Value, Values};
use edb_frame::{
    Bins, Borders, Condition, Definition, FlawOptions, IntervalOptions, Limit, Preparation, ResampleOptions,
    Statistic, cadences, derive, duty, events, flaws, long, resample, sampling, select, series_from,
    span_table, spans_of, states,
};

use crate::world::{SECOND, bracket, cells, change_only, numbers, range, reals, series, texts};

/// Seconds of the spans in which a condition holds.
fn spans(text: &str, series: &[Series]) -> Vec<(f64, f64)> {
    with(&Condition::parse(text).unwrap(), series)
}

fn with(condition: &Condition, series: &[Series]) -> Vec<(f64, f64)> {
    let found = condition.spans(series).unwrap().value;
    found
        .ranges()
        .iter()
        .map(|one| (one.start().as_micros() as f64 / 1e6, one.stop().as_micros() as f64 / 1e6))
        .collect()
}

#[test]
fn a_condition_holds_from_the_sample_that_meets_it_to_the_first_that_does_not() {
    let volt = change_only(reals("VOLT", range(0, 100), &[10, 20, 30], &[1.0, 26.0, 3.0]));
    assert_eq!(spans("volt > 25", std::slice::from_ref(&volt)), [(20.0, 30.0)]);
    assert_eq!(
        spans("not volt > 25", std::slice::from_ref(&volt)),
        [(10.0, 20.0), (30.0, 100.0)],
        "before 10 s nobody knows"
    );
    let mut into = volt.clone();
    into.leading = bracket(-500, Value::Real(40.0));
    assert_eq!(
        spans("VOLT > 25", std::slice::from_ref(&into)),
        [(0.0, 10.0), (20.0, 30.0)],
        "the state into the range"
    );
    assert_eq!(spans("volt in (1, 3) and volt != 3", &[into]), [(10.0, 20.0)]);
    for text in [
        "volt >= 26",
        "volt = 26",
        "volt == 26.0",
        "26 <= volt",
        "volt - 1 > 24",
        "abs(-volt) > 25",
        "min(volt, 99) > 25",
        "volt ^ 2 > 600",
    ] {
        assert_eq!(spans(text, std::slice::from_ref(&volt)), [(20.0, 30.0)], "{text}");
    }
}

#[test]
fn what_is_not_known_is_neither_true_nor_false() {
    let mut a = change_only(reals("A", range(0, 100), &[0, 50], &[1.0, 1.0]));
    a.known = Coverage::from_iter([range(0, 20), range(40, 100)]);
    let b = change_only(reals("B", range(0, 100), &[0, 30], &[0.0, 1.0]));
    let all = [a, b];
    assert_eq!(
        spans("A = 1", &all),
        [(0.0, 20.0), (50.0, 100.0)],
        "between 40 s and 50 s nothing came since the unknown"
    );
    assert_eq!(spans("not A = 1", &all), []);
    assert_eq!(spans("A = 1 or B = 1", &all), [(0.0, 20.0), (30.0, 100.0)], "true or anything is true");
    assert_eq!(spans("A = 1 and B = 1", &all), [(50.0, 100.0)]);
    assert_eq!(spans("not (A = 1 and B = 1)", &all), [(0.0, 30.0)], "false and anything is false");
    let told = Condition::parse("A = 1").unwrap().spans(&all).unwrap();
    assert!(told.notices[0].to_string().contains("not known for 30s in all"), "{:?}", told.notices);
    let told = Condition::parse("A = 1 and B = 0").unwrap().spans(&all).unwrap();
    assert!(told.notices[0].to_string().contains("not known for 10s in all"), "{:?}", told.notices);
}

#[test]
fn values_at_a_cadence_do_not_reach_across_gaps() {
    let times: Vec<i64> = (0..40).filter(|second| !(20..30).contains(second)).collect();
    let a = reals("A", range(0, 60), &times, &vec![1.0; times.len()]);
    assert_eq!(
        spans("A = 1", std::slice::from_ref(&a)),
        [(0.0, 20.5), (30.0, 40.5)],
        "one and a half cadences after the last sample"
    );
    let held = |limit| Condition { limit, ..Condition::parse("A = 1").unwrap() };
    assert_eq!(
        with(&held(Limit::At(Duration::from_secs(5))), std::slice::from_ref(&a)),
        [(0.0, 24.0), (30.0, 44.0)]
    );
    assert_eq!(with(&held(Limit::Unlimited), &[a]), [(0.0, 60.0)]);
}

#[test]
fn intervals_can_be_widened_narrowed_and_ended_with_the_last_sample_seen() {
    let a = change_only(reals("A", range(0, 100), &[0, 10, 20, 30, 35, 60], &[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]));
    let padded =
        |before_us, after_us| Condition { before_us, after_us, ..Condition::parse("A = 1").unwrap() };
    let all = std::slice::from_ref(&a);
    assert_eq!(with(&padded(0, 0), all), [(10.0, 30.0), (35.0, 60.0)]);
    assert_eq!(with(&padded(SECOND, 2 * SECOND), all), [(9.0, 32.0), (34.0, 62.0)]);
    assert_eq!(with(&padded(0, 5 * SECOND), all), [(10.0, 65.0)], "what touches is one");
    assert_eq!(
        with(&padded(-12 * SECOND, -10 * SECOND), all),
        [(47.0, 50.0)],
        "what is left of nothing is none"
    );
    let complete = Condition { complete_only: true, ..Condition::parse("A = 0").unwrap() };
    assert_eq!(with(&complete, all), [(30.0, 35.0)], "not those that the range cuts off");
    let midpoint = Condition { borders: Borders::Midpoint, ..Condition::parse("A = 1").unwrap() };
    assert_eq!(with(&midpoint, all), [(5.0, 25.0), (32.5, 47.5)]);
    let seen = Condition { until_seen: true, ..Condition::parse("A = 1").unwrap() };
    assert_eq!(with(&seen, all), [(10.0, 20.000_001), (35.0, 35.000_001)]);
}

#[test]
fn texts_are_compared_as_texts() {
    let mode = change_only(texts("MODE", range(0, 50), &[0, 10, 20], &["OFF", "ON", "it's"]));
    let all = std::slice::from_ref(&mode);
    assert_eq!(spans("MODE = 'ON'", all), [(10.0, 20.0)]);
    assert_eq!(spans("mode != \"ON\"", all), [(0.0, 10.0), (20.0, 50.0)]);
    assert_eq!(spans("mode in ('ON', 'it''s')", all), [(10.0, 50.0)]);
    assert_eq!(spans("mode not in ('ON', 'OFF')", all), [(20.0, 50.0)]);
    let error = |text: &str| Condition::parse(text).unwrap().spans(all).unwrap_err().to_string();
    assert!(error("MODE > 1").contains("this mnemonic is text"));
    assert!(error("MODE = 1").contains("put it in quotes"), "{}", error("MODE = 1"));
    assert!(error("MODE = ON").contains("needs ON, which is not among the series"));
}

#[test]
fn integers_beyond_two_to_the_53rd_are_compared() {
    let big = (1_i64 << 53) + 2;
    let count = series("COUNT", SqlType::BigInt, range(0, 20), &[0, 10], Values::Integer(vec![7, big]));
    assert_eq!(spans("count > 1e15", &[change_only(count)]), [(10.0, 20.0)]);
}

#[test]
fn functions_over_time_work_in_conditions() {
    let a = reals(
        "A",
        range(0, 12),
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        &[0.0, 0.0, 0.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0],
    );
    let b = change_only(reals("B", range(0, 12), &[0], &[1.0]));
    let all = [a, b];
    assert_eq!(spans("rate(A) > 1 and B = 1", &all), [(3.0, 4.0)]);
    assert_eq!(spans("diff(A) != 0", &all), [(3.0, 4.0)]);
    assert_eq!(spans("rolling_mean(A, 2s) = 2.5", &all), [(3.0, 4.0)]);
    assert_eq!(spans("rolling_std(A, 3s) > 0", &all), [(3.0, 5.0)]);
    assert_eq!(spans("rolling_median(A + 0, 3s) = 5", &all), [(4.0, 13.0_f64.min(12.0))]);
}

#[test]
fn quantities_have_values_units_and_nulls() {
    let mut current = reals("CURRENT", range(0, 10), &[0, 2, 4, 6], &[1.0, 2.0, 3.0, 4.0]);
    let mut voltage = reals("VOLTAGE", range(0, 10), &[1, 3, 5], &[10.0, 30.0, 50.0]);
    (current.about.unit, voltage.about.unit) = ("mA".into(), "V".into());
    let all = [current, voltage];
    let one = |text: &str, limit| derive(&Definition::parse(text).unwrap(), &all, limit).unwrap();
    let values = |text: &str, limit| -> Vec<String> {
        one(text, limit).value[0].samples.iter().map(|sample| sample.value.to_string()).collect()
    };
    assert_eq!(
        values("p = current * voltage", Limit::Unlimited),
        ["null", "40", "120", "null"],
        "nothing is extrapolated"
    );
    assert_eq!(
        values("p = current * voltage", Limit::At(Duration::from_secs(1))),
        ["null"; 4],
        "nor across a gap"
    );
    assert_eq!(one("p = current * voltage", Limit::Unlimited).value[0].about.unit, "mW");
    assert_eq!(one("p = sqrt(current ^ 2)", Limit::Unlimited).value[0].about.unit, "mA");
    assert_eq!(one("p = rate(current)", Limit::Unlimited).value[0].about.unit, "mA/s");
    assert_eq!(values("p = rate(current)", Limit::Unlimited), ["null", "0.5", "0.5", "0.5"]);
    assert_eq!(values("p = if(current > 2, 1, 0)", Limit::Unlimited), ["0", "0", "1", "1"]);
    assert_eq!(
        values("p = if(current > 2, 'high', 'low')", Limit::Unlimited),
        ["low", "low", "high", "high"]
    );
    assert_eq!(values("p = if(current > 2, current, null)", Limit::Unlimited), ["null", "null", "3", "4"]);
    assert_eq!(values("p = clip(current, 2, 3)", Limit::Unlimited), ["2", "2", "3", "3"]);
    assert_eq!(values("p = max(current, 2.5) + 2 ^ -1", Limit::Unlimited), ["3", "3", "3.5", "4.5"]);
    assert_eq!(
        values("p = -current ^ 2", Limit::Unlimited),
        ["-1", "-4", "-9", "-16"],
        "a power binds more strongly than a sign"
    );
    assert_eq!(values("p = current > 2", Limit::Unlimited), ["0", "0", "1", "1"]);
    assert_eq!(values("p = 7 - 2 * 3 + current / current", Limit::Unlimited), ["2"; 4]);
    let told = one("p = current + voltage", Limit::Unlimited).notices;
    assert_eq!(
        (told[0].kind, told[0].text.as_str()),
        (NoticeKind::Units, "`current + voltage` adds mA and V")
    );
    let error =
        derive(&Definition::parse("p = 1 + 2").unwrap(), &all, Limit::Unlimited).unwrap_err().to_string();
    assert!(error.contains("it names no mnemonic"), "{error}");
}

#[test]
fn quantities_of_one_mnemonic_keep_its_brackets_and_what_is_known() {
    let mut a = change_only(reals("A", range(0, 10), &[5], &[2.0]));
    a.leading = bracket(-3, Value::Real(1.0));
    a.known = Coverage::from_iter([range(0, 8)]);
    let doubled = derive(&Definition::parse("b = 2 * a").unwrap(), std::slice::from_ref(&a), Limit::Learned)
        .unwrap()
        .value;
    assert_eq!((doubled[0].leading.clone(), &doubled[0].known), (bracket(-3, Value::Real(2.0)), &a.known));
    assert_eq!(doubled[0].sampling(), Sampling::ChangeOnly);
    let steps = derive(&Definition::parse("b = diff(a)").unwrap(), &[a], Limit::Learned).unwrap().value;
    assert_eq!(steps[0].samples.sample(0).value, Value::Real(1.0), "from the bracket on");
    assert_eq!(steps[0].leading, None);
}

#[test]
fn a_preparation_derives_then_filters_then_cuts() {
    let all = vec![
        reals(
            "A",
            range(0, 10),
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        ),
        change_only(reals("B", range(0, 10), &[0, 4], &[0.0, 1.0])),
    ];
    let preparation = Preparation {
        derive: vec![
            Definition::parse("double = 2 * a").unwrap(),
            Definition::parse("twice = double + b").unwrap(),
        ],
        condition: Some(Condition::parse("twice > 8 and B = 1").unwrap()),
        without: Some([range(7, 8)].into_iter().collect()),
        within: Some([range(0, 9)].into_iter().collect()),
        edges: (1, 0),
        ..Preparation::default()
    };
    let names: Vec<String> = preparation.needs().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["A", "B"], "what is derived is not fetched");
    let made = preparation.apply(&all, |name| name.as_str() == "A").unwrap().value;
    let table = long(&made).unwrap();
    let rows: Vec<String> = cells(&table, "time")
        .iter()
        .zip(cells(&table, "mnemonic"))
        .map(|(time, name)| format!("{name}@{time}"))
        .collect();
    assert_eq!(
        rows,
        ["A@5", "DOUBLE@5", "TWICE@5", "A@6", "DOUBLE@6", "TWICE@6", "A@8", "DOUBLE@8", "TWICE@8"]
    );
    assert!(preparation.words().iter().any(|(key, text)| key == "where" && text == "twice > 8 and B = 1"));
    assert!(Preparation { limit: Limit::Unlimited, ..Preparation::default() }.is_empty());
}

#[test]
fn states_and_the_time_in_them() {
    let mut mode = change_only(texts("MODE", range(0, 100), &[10, 20, 25, 40], &["ON", "ON", "OFF", "ON"]));
    mode.leading = bracket(-5, Value::Text("OFF".into()));
    mode.known = Coverage::from_iter([range(0, 90)]);
    let all = std::slice::from_ref(&mode);
    let table = states(all, &IntervalOptions::default()).unwrap();
    assert_eq!(cells(&table, "state"), ["OFF", "ON", "OFF", "ON"]);
    assert_eq!(
        (cells(&table, "start"), cells(&table, "stop")),
        (
            ["0", "10", "25", "40"].map(String::from).to_vec(),
            ["10", "25", "40", "90"].map(String::from).to_vec()
        )
    );
    assert_eq!(cells(&table, "samples"), ["0", "2", "1", "1"], "a bracket is no sample of the range");
    assert_eq!(cells(&table, "is_complete"), ["0", "1", "1", "0"]);
    let complete = IntervalOptions { complete_only: true, ..IntervalOptions::default() };
    assert_eq!(cells(&states(all, &complete).unwrap(), "state"), ["ON", "OFF"]);
    let spent = duty(all, &IntervalOptions::default()).unwrap();
    assert_eq!(
        (cells(&spent, "state"), cells(&spent, "intervals")),
        (vec!["ON".into(), "OFF".into()], vec!["2".into(), "2".into()])
    );
    assert_eq!(
        (cells(&spent, "total_s"), cells(&spent, "longest_s")),
        (vec!["65".into(), "25".into()], vec!["50".into(), "15".into()])
    );
    let fractions =
        ResampleOptions { statistics: vec![Statistic::Fraction], ..ResampleOptions::every(50 * SECOND) };
    let table = resample(all, &fractions).unwrap();
    assert_eq!(
        (cells(&table, "fraction_ON"), cells(&table, "fraction_OFF")),
        (vec!["0.5".into(), "1".into()], vec!["0.5".into(), "0".into()])
    );
}

#[test]
fn intervals_survive_being_a_table() {
    let spans: Coverage = [range(1, 2), range(5, 9)].into_iter().collect();
    let table = span_table(&spans, "MODE = 'ON'").unwrap();
    assert_eq!(
        (cells(&table, "duration_s"), cells(&table, "what")[0].as_str()),
        (vec!["1".into(), "4".into()], "MODE = 'ON'")
    );
    assert_eq!(spans_of(table.frame()).unwrap(), spans);
    let mode = change_only(texts("MODE", range(0, 10), &[0, 5], &["ON", "OFF"]));
    assert_eq!(
        spans_of(states(&[mode], &IntervalOptions::default()).unwrap().frame()).unwrap().ranges(),
        [range(0, 10)]
    );
    assert!(
        spans_of(long(&[]).unwrap().frame()).unwrap_err().to_string().contains("expected a column `start`")
    );
}

#[test]
fn change_only_is_inferred_from_samples_and_told() {
    let times: Vec<i64> = (0..12).map(|n| 1 << n).collect();
    let flips: Vec<f64> = (0..12).map(|n| f64::from(n % 2)).collect();
    let a = reals("A", range(0, 4000), &times, &flips);
    let (found, notice) = sampling(&[&a]);
    let notice = notice.unwrap();
    assert_eq!((found, notice.kind), (Sampling::ChangeOnly, NoticeKind::Inferred));
    assert!(
        notice.text.contains("none of 12 samples repeats the one before, and steps go from 1s to 1024s"),
        "{notice}"
    );
    let table = resample(std::slice::from_ref(&a), &ResampleOptions::new(Bins::Series)).unwrap();
    let kinds: Vec<NoticeKind> = table.notices.iter().map(|notice| notice.kind).collect();
    assert_eq!(kinds, [NoticeKind::Inferred, NoticeKind::HeldInstead]);
    assert!((numbers(&table, "mean")[0].unwrap() - 2634.0 / 3999.0).abs() < 1e-12, "weighted by time");
    let same = reals("A", range(0, 4000), &times, &[1.0; 12]);
    assert_eq!(sampling(&[&same]).0, Sampling::Unknown, "values repeat");
    let noise: Vec<f64> = (0..12).map(|n| f64::from(n) * 0.37).collect();
    assert_eq!(
        sampling(&[&reals("A", range(0, 4000), &times, &noise)]).0,
        Sampling::Unknown,
        "noise does not repeat either"
    );
    let steady: Vec<i64> = (0..12).collect();
    assert_eq!(
        sampling(&[&reals("A", range(0, 12), &steady, &flips)]).0,
        Sampling::Unknown,
        "there is a cadence"
    );
    let mut stated = a;
    stated.about.all_points = Some(true);
    assert_eq!(sampling(&[&stated]), (Sampling::AllPoints, None));
}

#[test]
fn flaws_are_found_counted_and_named() {
    let mut times: Vec<i64> = (0..60).collect();
    times.drain(30..35);
    times.insert(10, 9);
    let mut values: Vec<f64> = (0..56).map(|n| f64::from(n * 37 % 11)).collect();
    values[20] = 500.0;
    values[50] = f64::NAN;
    values[40..46].fill(3.0);
    let mut a = reals("A", range(0, 80), &times, &values);
    a.known = Coverage::from_iter([range(0, 60)]);
    let options = FlawOptions {
        constant: Duration::from_secs(5),
        limits: vec![(Mnemonic::new("A").unwrap(), 0.0, 100.0)],
        ..FlawOptions::default()
    };
    let misplaced = edb_core::Notice::about(
        NoticeKind::OutOfOrder,
        a.mnemonic(),
        "3 rows were out of order, and are sorted",
    );
    let table = flaws(&[a], &options, &[misplaced]).unwrap();
    let mut found: Vec<String> = cells(&table, "flaw")
        .iter()
        .zip(cells(&table, "start"))
        .map(|(flaw, start)| format!("{flaw}@{start}"))
        .collect();
    found.sort();
    let expected = [
        "constant@44",
        "equal times@9",
        "gap@29",
        "not finite@54",
        "out of order@null",
        "outside limits@19",
        "spike@19",
        "unknown@60",
    ];
    assert_eq!(found, expected);
    let row = cells(&table, "flaw").iter().position(|flaw| flaw == "outside limits").unwrap();
    assert_eq!((numbers(&table, "value")[row], cells(&table, "samples")[row].as_str()), (Some(500.0), "1"));
}

#[test]
fn cadences_say_how_samples_come_and_who_says_so() {
    let steady = reals("A", range(0, 100), &(0..50).collect::<Vec<_>>(), &[1.0; 50]);
    let heater = change_only(reals("B", range(0, 100), &[7], &[1.0]));
    let table = cadences(&[steady, heater]).unwrap();
    assert_eq!(cells(&table, "cadence_s"), ["1", "null"]);
    assert_eq!(cells(&table, "sampling"), ["not known", "change-only"]);
    assert_eq!(cells(&table, "evidence"), ["nobody says, but steps have a cadence", "stated"]);
}

fn log() -> Series {
    let lines = [
        (100, "VISIT V01234001001 STARTED"),
        (160, "Script activated: V01234001001P0000000001101:FGSMAIN"),
        (170, "Script terminated: V01234001001P0000000001101:FGSMAIN:GS_ACQUIRED"),
        (400, "VISIT V01234001001 ENDED"),
        (400, "*** PLAN PROCESSING STARTED ***"),
        (450, "VISIT V01234002001 STARTED"),
    ];
    let (times, words): (Vec<i64>, Vec<&str>) = lines.into_iter().unzip();
    texts("ICTM_EVENT_MSG", range(0, 1000), &times, &words)
}

#[test]
fn visits_are_intervals_that_conditions_know() {
    let table = events::visits(&[log()]).unwrap();
    assert_eq!(cells(&table, "visit"), ["V01234001001", "V01234002001"]);
    assert_eq!(
        (cells(&table, "duration_s"), cells(&table, "status")),
        (vec!["300".into(), "null".into()], vec!["ended".into(), "ongoing".into()])
    );
    assert_eq!(cells(&table, "guiding_start"), ["160", "null"]);
    assert_eq!(cells(&events::activities(&[log()]).unwrap(), "status"), ["GS_ACQUIRED"]);
    assert_eq!(spans("visit V01234001001", &[log()]), [(100.0, 400.0)]);
    assert_eq!(spans("visit '1234:2:1'", &[log()]), [(450.0, 1000.0)], "it goes on");
    assert_eq!(
        spans("not visit V01234001001 and not visit V01234002001", &[log()]),
        [(0.0, 100.0), (400.0, 450.0)]
    );
    let temperature = reals("T", range(0, 1000), &[50, 200, 420], &[1.0, 2.0, 3.0]);
    let spans = Condition::parse("visit V01234001001").unwrap().spans(&[log()]).unwrap().value;
    assert_eq!(select(&[temperature], &spans)[0].samples.len(), 1);
    assert!(events::visits(&[]).unwrap_err().hint().unwrap().contains("ICTM_EVENT_MSG"));
}

#[test]
fn messages_are_joined_on_time_and_ordinal() {
    let ids = series(
        "ICTM_EVENT_MSG_ID",
        SqlType::Int,
        range(0, 1000),
        &[100, 160, 400, 400, 999],
        Values::Integer(vec![1, 2, 3, -8826, 5]),
    );
    let sources = texts("ICTM_EVENT_MSG_SRC", range(0, 1000), &[400], &["OSS"]);
    let table = events::messages(&[log(), ids, sources]).unwrap();
    assert_eq!(cells(&table, "ordinal"), ["0", "0", "0", "0", "1", "0"]);
    assert_eq!(cells(&table, "id"), ["1", "2", "null", "3", "-8826", "null"]);
    assert_eq!(cells(&table, "source"), ["null", "null", "null", "OSS", "null", "null"]);
    assert_eq!(table.notices[0].to_string(), "ICTM_EVENT_MSG_ID: 1 of its 5 rows belong to no message");
}

#[test]
fn frames_become_series_and_stay_what_they_were() {
    let a = reals("A", range(0, 100), &[1, 5, 9], &[1.0, f64::NAN, 3.0]);
    let table = long(std::slice::from_ref(&a)).unwrap();
    let made = series_from(table.frame(), "time", "value", a.about.clone(), a.range).unwrap();
    assert_eq!((&made.value.samples, made.notices.len()), (&a.samples, 0));
    let text = texts("S", range(0, 100), &[1, 2], &["x", "y"]);
    let table = long(std::slice::from_ref(&text)).unwrap();
    let made = series_from(table.frame(), "time", "text", text.about.clone(), text.range).unwrap().value;
    assert_eq!(made.samples.values(), text.samples.values());
    let error = |time: &str, value: &str| {
        series_from(table.frame(), time, value, text.about.clone(), text.range).unwrap_err().to_string()
    };
    assert!(error("when", "text").contains("there is no column `when`"));
    assert!(error("mnemonic", "text").contains("expected times in `mnemonic`, found str"));
}
