//! What stands in the figures: read back from their SVG.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod charts;
mod golden;
mod world;

use edb_core::{Coverage, NoticeKind, Sampling, Series, Values};
use edb_plot::{CoverageRow, FigureOptions, Format, draw};
use world::{Picture, Sample, World, charts, range};

/// The colour of the first series of a panel.
const BLUE: &str = "#0072B2";
/// The second.
const ORANGE: &str = "#D55E00";

fn picture(series: &[Series], stop: i64) -> Picture {
    Picture::of(series, range(0, stop), &FigureOptions::default())
}

#[test]
fn a_line_has_one_piece_per_unbroken_run() {
    let times: Vec<i64> =
        (0..300).filter(|at| !(100..120).contains(at) && !(200..230).contains(at)).collect();
    let series = World::new("VOLT", 0, 300).real(&times, |at| at as f64).done();

    assert_eq!(picture(&[series], 300).lines(BLUE).len(), 3);
}

#[test]
fn a_line_breaks_at_nan_at_null_and_where_nothing_is_known() {
    let times: Vec<i64> = (0..300).collect();
    let value = |at: i64| if at == 50 { f64::NAN } else { at as f64 };
    let mut series = World::new("VOLT", 0, 300).real(&times, value).null(100).null(101).done();
    series.known = Coverage::from_iter([range(0, 200), range(201, 300)]);

    let figure = picture(&[series], 300);

    assert_eq!(figure.lines(BLUE).len(), 4);
    assert!(figure.notices.iter().any(|notice| notice.kind == NoticeKind::NotKnown));
}

#[test]
fn nothing_is_drawn_outside_the_range_of_the_series_and_no_bracket_as_a_sample() {
    for sampling in [Sampling::AllPoints, Sampling::ChangeOnly, Sampling::Unknown] {
        let times: Vec<i64> = (100..110).collect();
        let series = World::new("VOLT", 100, 200)
            .real(&times, |_| 5.0)
            .sampled(sampling)
            .leading(Sample::Real(90, 7777.0))
            .trailing(Sample::Real(250, 9999.0))
            .done();

        let figure = picture(&[series], 300);

        let (left, right) = (figure.x_of(100, 300) - 0.2, figure.x_of(200, 300) + 0.2);
        for (x, _) in figure.lines(BLUE).into_iter().flatten().chain(figure.dots(BLUE)) {
            assert!((left..=right).contains(&x), "{sampling:?}: {x} not in {left}..{right}");
        }
        assert_eq!(figure.dots(BLUE).len(), 10, "{sampling:?}: the dots are the samples");
        // A bracket on the value axis would show in its labels.
        assert!(!figure.texts.iter().any(|text| text.contains("10000")), "{sampling:?}: {:?}", figure.texts);
    }
}

#[test]
fn a_change_only_state_holds_from_its_bracket_to_the_end_of_what_is_known() {
    let mut series = World::new("MODE", 100, 250)
        .text(&[(150, "ON")])
        .sampled(Sampling::ChangeOnly)
        .leading(Sample::Text(20, "OFF"))
        .done();
    series.known = Coverage::from_iter([range(100, 200)]);

    let figure = picture(&[series], 300);

    let at = |bar: (f64, f64, f64), start, stop| {
        (bar.0 - figure.x_of(start, 300)).abs() < 0.2 && (bar.1 - figure.x_of(stop, 300)).abs() < 0.2
    };
    // Ascending: OFF is the first colour, ON the second.
    let (off, on) = (figure.bars(BLUE), figure.bars(ORANGE));
    assert!(off.len() == 1 && at(off[0], 100, 150), "{off:?}");
    assert!(on.len() == 1 && at(on[0], 150, 200), "{on:?}");
    assert_eq!(figure.texts.iter().filter(|text| *text == "ON").count(), 2, "in the legend and on the bar");
}

#[test]
fn a_state_that_nobody_calls_change_only_neither_uses_its_bracket_nor_holds() {
    let series = World::new("MODE", 0, 300)
        .text(&[(150, "ON")])
        .sampled(Sampling::AllPoints)
        .leading(Sample::Text(-20, "OFF"))
        .done();

    let figure = picture(&[series], 300);

    let bars = figure.bars(BLUE);
    assert_eq!(bars.len(), 1);
    assert!(bars[0].1 - bars[0].0 < 1.1 && bars[0].0 > figure.x_of(149, 300), "{bars:?}");
    assert!(!figure.texts.contains(&"OFF".to_owned()));
}

#[test]
fn a_state_held_from_before_a_later_axis_is_drawn_from_the_start_of_the_axis() {
    let series = World::new("MODE", 0, 1000).text(&[(10, "ON")]).sampled(Sampling::ChangeOnly).done();

    let figure = Picture::of(&[series], range(500, 800), &FigureOptions::default());

    let bars = figure.bars(BLUE);
    assert_eq!(bars.len(), 1);
    assert!((bars[0].1 - bars[0].0 - figure.width()).abs() < 0.3, "across the whole axis");
}

#[test]
fn a_state_that_nobody_saw_end_ends_at_its_gap_and_one_held_into_a_hole_ends_there() {
    let times: Vec<(i64, &str)> = (0..100)
        .filter(|at| !(40..60).contains(at))
        .map(|at| (at, if at < 80 { "A" } else { "B" }))
        .collect();
    let sampled = World::new("MODE", 0, 100).text(&times).done();
    let figure = picture(&[sampled], 100);
    let bars = figure.bars(BLUE);
    let ends: Vec<f64> = bars.iter().flat_map(|bar| [bar.0, bar.1]).collect();
    let expected: Vec<f64> = [0, 39, 60, 80].map(|at| figure.x_of(at, 100)).to_vec();
    // The last sample before the gap stands for itself only.
    assert!(
        ends.iter().take(4).zip(&expected).all(|(one, other)| (one - other).abs() < 0.2),
        "{ends:?} {expected:?}"
    );
}

#[test]
fn states_that_share_a_pixel_share_its_height() {
    let rows: Vec<(i64, &str)> =
        (0..20_000).map(|at| (at, if at == 7777 { "FAULT" } else { "FINE" })).collect();
    let figure =
        picture(&[World::new("MODE", 0, 20_000).text(&rows).sampled(Sampling::ChangeOnly).done()], 20_000);
    let fault = figure.bars(BLUE);
    assert_eq!(fault.len(), 1, "one sample in twenty thousand is seen");
    assert!((fault[0].0 - figure.x_of(7777, 20_000)).abs() < 1.01 && fault[0].1 - fault[0].0 > 0.9);
}

#[test]
fn integers_are_steps_and_reals_are_not() {
    let is_step = |line: &[(f64, f64)]| {
        line.windows(2)
            .all(|pair| (pair[0].0 - pair[1].0).abs() < 0.01 || (pair[0].1 - pair[1].1).abs() < 0.01)
    };
    let times: Vec<i64> = (0..50).collect();
    let integers = World::new("COUNT", 0, 50).integer(&times, |at| at * at % 7).done();
    let reals = World::new("VOLT", 0, 50).real(&times, |at| (at * at % 7) as f64).done();

    assert!(is_step(&picture(&[integers], 50).lines(BLUE)[0]));
    assert!(!is_step(&picture(&[reals], 50).lines(BLUE)[0]));
}

#[test]
fn a_spike_of_one_sample_in_two_hundred_thousand_is_drawn() {
    let times: Vec<i64> = (0..200_000).collect();
    let series =
        World::new("VOLT", 0, 200_000).real(&times, |at| if at == 77_777 { 9.0 } else { 0.0 }).done();

    let figure = picture(&[series], 200_000);

    let points: Vec<_> = figure.lines(BLUE).into_iter().flatten().collect();
    let highest = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let spike = points.iter().find(|point| (point.1 - highest).abs() < 0.01).unwrap();
    assert!((spike.0 - figure.x_of(77_777, 200_000)).abs() < 0.2);
    assert!(points.len() < 20_000);
}

#[test]
fn series_of_one_unit_share_a_panel_and_states_have_their_own() {
    let times: Vec<i64> = (0..100).collect();
    let unit =
        |name: &str, unit: &str| World::new(name, 0, 100).unit(unit).real(&times, |at| at as f64).done();
    let state = World::new("MODE", 0, 100).text(&[(10, "ON"), (50, "OFF"), (90, "ON")]).done();

    let figure = picture(&[unit("VOLT1", "V"), unit("TEMP", "K"), unit("VOLT2", "V"), state], 100);

    let count = |text: &str| figure.texts.iter().filter(|other| *other == text).count();
    for text in ["VOLT1", "VOLT2", "TEMP", "MODE", "V", "K", "UTC", "1970-01-01"] {
        assert_eq!(count(text), 1, "{text}");
    }
    // In the legend, and on the bars with room for it.
    assert_eq!((count("ON"), count("OFF")), (2, 2));
    assert_eq!(figure.panels, 3);
}

#[test]
fn a_series_without_unit_is_labelled_value() {
    let figure = picture(&[World::new("QUATERNION", 0, 100).real(&[1, 2, 3], |at| at as f64).done()], 100);
    assert!(figure.texts.contains(&"value".to_owned()));
}

#[test]
fn more_series_of_a_unit_than_colours_spill_into_another_panel() {
    let times: Vec<i64> = (0..100).collect();
    let series: Vec<_> = (0..9)
        .map(|n| World::new(&format!("VOLT{n}"), 0, 100).unit("V").real(&times, |at| (at + n) as f64).done())
        .collect();
    assert_eq!(picture(&series, 100).panels, 2);
}

#[test]
fn series_without_unit_have_a_panel_each() {
    let series = ["A", "B"].map(|name| World::new(name, 0, 100).real(&[1, 2, 3], |at| at as f64).done());
    assert_eq!(picture(&series, 100).panels, 2);
}

#[test]
fn messages_are_marks_with_texts_that_do_not_overlap() {
    let texts: Vec<String> = (0..200).map(|n| format!("<Slew & settle> number {n}\u{7}")).collect();
    let rows: Vec<(i64, &str)> =
        texts.iter().enumerate().map(|(n, text)| (n as i64 * 3, text.as_str())).collect();

    let figure = picture(&[World::new("EVENTS", 0, 600).text(&rows).done()], 600);

    assert_eq!(figure.lines(BLUE).len(), 200, "one mark each");
    let shown: Vec<_> = figure.placed.iter().filter(|text| text.2.starts_with("<Slew & settle>")).collect();
    assert!(shown.len() > 20);
    for (x, y, text) in &shown {
        let others = shown.iter().filter(|other| (other.1 - y).abs() < 0.1 && other.0 > *x);
        let next = others.map(|other| other.0).fold(f64::INFINITY, f64::min);
        assert!(next - x > 100.0, "{text} is followed after {} pixels", next - x);
    }
    assert!(figure.texts.iter().any(|text| text.starts_with("EVENTS (200 messages, ")));
}

#[test]
fn an_empty_series_says_so_in_its_legend_and_in_a_notice() {
    let times: Vec<i64> = (0..100).collect();
    let full = World::new("VOLT1", 0, 100).real(&times, |at| at as f64).done();

    let figure = picture(&[full, World::new("VOLT2", 0, 100).real(&[], |_| 0.0).done()], 100);

    assert!(figure.texts.contains(&"VOLT2 (no samples)".to_owned()));
    assert_eq!(figure.notices.len(), 1);
    assert_eq!(figure.notices[0].kind, NoticeKind::NoSamples);
}

#[test]
fn change_only_is_inferred_from_integers_that_never_repeat_and_a_notice_says_so() {
    let changing =
        World::new("COUNT", 0, 1000).integer(&[10, 20, 300, 990], |at| at).sampled(Sampling::Unknown).done();
    let figure = picture(&[changing], 1000);
    assert_eq!(figure.lines(BLUE).len(), 1);
    assert_eq!(figure.notices[0].kind, NoticeKind::Inferred);

    // A counter at a cadence never repeats either, and its gap is a gap.
    let times: Vec<i64> = (0..1000).filter(|at| !(300..600).contains(at)).collect();
    let counter = World::new("COUNT", 0, 1000).integer(&times, |at| at).sampled(Sampling::Unknown).done();
    let figure = picture(&[counter], 1000);
    assert_eq!(figure.lines(BLUE).len(), 2);
    assert!(figure.notices.is_empty());

    let repeating =
        World::new("COUNT", 0, 1000).integer(&[10, 20, 300, 990], |_| 4).sampled(Sampling::Unknown).done();
    assert!(picture(&[repeating], 1000).notices.is_empty());
}

#[test]
fn title_footer_and_description_are_in_the_file() {
    let mut options = FigureOptions::default();
    options.title = Some("Cooler <A> & B".to_owned());
    options.footer = "synthetic telemetry".to_owned();
    options.description = "made up: 5 < 6 µ".to_owned();
    let series = [World::new("VOLT", 0, 100).real(&[1, 2, 3], |at| at as f64).done()];

    let figure = Picture::of(&series, range(0, 100), &options);
    let png = draw(&charts(&series), range(0, 100), &options, Format::Png).unwrap().value;

    assert!(figure.texts.contains(&"Cooler <A> & B".to_owned()));
    assert!(figure.texts.contains(&"synthetic telemetry".to_owned()));
    assert!(figure.source.contains("<desc>made up: 5 &lt; 6 µ</desc>"));
    assert!(png.windows(11).any(|bytes| bytes == b"Description"));
}

#[test]
fn a_png_has_the_size_that_was_asked_for_and_the_same_bytes_every_time() {
    let series = [World::new("VOLT", 0, 100).real(&[1, 2, 3], |at| at as f64).done()];
    for (width, height, scale, expected) in
        [(800, 300, 1.0, (800_u32, 300_u32)), (800, 300, 2.0, (1600, 600)), (401, 301, 1.5, (602, 452))]
    {
        let mut options = FigureOptions::default();
        (options.width, options.height, options.dots_per_inch) = (width, Some(height), 96.0 * scale);

        let png = draw(&charts(&series), range(0, 100), &options, Format::Png).unwrap().value;

        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let number = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
        assert_eq!((number(16), number(20)), expected);
        assert_eq!(draw(&charts(&series), range(0, 100), &options, Format::Png).unwrap().value, png);
    }
}

#[test]
fn figures_without_room_are_refused_by_name() {
    let series = [World::new("VOLT", 0, 100).real(&[1, 2, 3], |at| at as f64).done()];
    let refused = |width, height, scale| {
        let mut options = FigureOptions::default();
        (options.width, options.height, options.dots_per_inch) = (width, height, 96.0 * scale);
        draw(&charts(&series), range(0, 100), &options, Format::Svg).unwrap_err().to_string()
    };
    assert!(refused(10, None, 1.0).contains("expected at least 320"));
    assert!(refused(1600, Some(60), 1.0).contains("expected at least"));
    assert!(refused(1600, None, 0.0).contains("dots per inch"));
    assert!(refused(1600, None, f64::NAN).contains("dots per inch"));
    assert!(refused(u32::MAX, None, 1.0).contains("100 million"));
    assert!(refused(1600, Some(u32::MAX), 1.0).contains("100 million"));
}

#[test]
fn nothing_makes_a_figure_panic() {
    let few: Vec<i64> = (0..100).collect();
    let start = -62_135_596_800;
    let (huge, eons) = (range(start, 253_402_300_799), 250_000_000_000);
    let new = |name: &str| World::new(name, 0, 100);
    let cases: Vec<(&str, edb_core::TimeRange, Vec<Series>)> = vec![
        ("no series", range(0, 100), vec![]),
        ("no samples", range(0, 100), vec![new("A").real(&[], |_| 0.0).done()]),
        ("no text", range(0, 100), vec![new("A").text(&[]).done()]),
        ("one sample", range(0, 100), vec![new("A").real(&[5], |_| 1.0).done()]),
        ("constant", range(0, 100), vec![new("A").real(&few, |_| 28.0).done()]),
        ("zero", range(0, 100), vec![new("A").real(&few, |_| 0.0).done()]),
        ("all NaN", range(0, 100), vec![new("A").real(&few, |_| f64::NAN).done()]),
        (
            "infinite",
            range(0, 100),
            vec![new("A").real(&few, |at| if at % 2 == 0 { f64::INFINITY } else { 1.0 }).done()],
        ),
        (
            "all null",
            range(0, 100),
            vec![few.iter().fold(new("A").real(&few, |_| 1.0), |world, at| world.null(*at as usize)).done()],
        ),
        ("null text", range(0, 100), vec![new("A").text(&[(1, "ON")]).null(0).done()]),
        (
            "extremes",
            range(0, 100),
            vec![new("A").real(&few, |at| if at % 2 == 0 { f64::MAX } else { f64::MIN }).done()],
        ),
        (
            "extreme integers",
            range(0, 100),
            vec![new("A").integer(&few, |at| if at % 2 == 0 { i64::MAX } else { i64::MIN }).done()],
        ),
        ("tiny", range(0, 100), vec![new("A").real(&few, |at| 5e-324 * at as f64).done()]),
        ("equal times", range(0, 100), vec![new("A").real(&[7; 100], |at| at as f64).done()]),
        ("outside the axis", range(500, 600), vec![new("A").real(&few, |at| at as f64).done()]),
        ("blank words", range(0, 100), vec![new("A").text(&[(1, ""), (2, "  "), (3, "\n\u{0}")]).done()]),
        (
            "long words",
            range(0, 100),
            vec![new("A").text(&[(1, &"µ".repeat(5000)), (99, "\u{1F600}")]).done()],
        ),
        (
            "mixed",
            range(0, 100),
            vec![
                new("A").real(&few, |at| at as f64).done(),
                new("B").text(&[(1, "ON")]).done(),
                new("C").integer(&few, |at| at).done(),
            ],
        ),
        (
            "huge span",
            huge,
            vec![World::new("A", start, eons).real(&[start, 0, eons - 1], |at| at as f64).done()],
        ),
    ];
    for (name, axis, series) in cases {
        for format in [Format::Svg, Format::Png] {
            let figure = draw(&charts(&series), axis, &FigureOptions::default(), format);
            assert!(figure.is_ok_and(|figure| figure.value.len() > 500), "{name}");
        }
        for sampling in [Sampling::ChangeOnly, Sampling::Unknown] {
            let series: Vec<Series> =
                series.iter().cloned().map(|series| world::sampled(series, sampling)).collect();
            assert!(
                draw(&charts(&series), axis, &FigureOptions::default(), Format::Svg).is_ok(),
                "{name} {sampling:?}"
            );
        }
    }
}

#[test]
fn an_axis_of_one_microsecond_is_drawn() {
    let mut series = World::new("A", 0, 100).real(&[0], |_| 1.0).done();
    let axis = edb_core::TimeRange::new(series.range.start(), series.range.start().plus_micros(1)).unwrap();
    assert_eq!(Picture::of(&[series.clone()], axis, &FigureOptions::default()).dots(BLUE).len(), 1);

    series.samples = edb_core::Samples::empty(edb_core::SqlType::Real);
    assert!(matches!(series.samples.values(), Values::Real(_)));
    assert!(Picture::of(&[series], axis, &FigureOptions::default()).dots(BLUE).is_empty());
}

#[test]
fn a_timeline_shows_what_is_known_what_may_change_and_every_hole() {
    let row = |name: &str, known: &[(i64, i64)], provisional: &[(i64, i64)]| {
        let coverage =
            |ranges: &[(i64, i64)]| ranges.iter().map(|(start, stop)| range(*start, *stop)).collect();
        CoverageRow { name: name.to_owned(), known: coverage(known), provisional: coverage(provisional) }
    };
    let day = 86_400;
    let rows = [
        row("WIDE_HOLE", &[(0, day), (2 * day, 3 * day)], &[]),
        row("NARROW_HOLE", &[(0, day), (day + 1, 4 * day)], &[]),
        row("YOUNG", &[(0, 4 * day)], &[(3 * day, 4 * day)]),
        row("SHORT", &[(day, day + 1)], &[]),
    ];
    let figure = Picture::of_coverage(&rows, range(0, 4 * day));

    let is_at = |found: (f64, f64, f64), start: i64, stop: i64| {
        let expected = (figure.x_of(start, 4 * day), figure.x_of(stop, 4 * day));
        (found.0 - expected.0).abs() < 1.0 && (found.1 - expected.1).abs() < 2.0
    };
    let is_beside = |one: (f64, f64, f64), other: (f64, f64, f64)| (one.2 - other.2).abs() < 0.1;
    let blue = figure.bars(BLUE);
    let expected = [(0, day), (2 * day, 3 * day), (0, day), (day + 1, 4 * day), (0, 4 * day), (day, day + 1)];
    assert_eq!(blue.len(), expected.len(), "{blue:?}");
    for (bar, (start, stop)) in blue.iter().zip(expected) {
        assert!(is_at(*bar, start, stop), "{bar:?}: {start} to {stop}");
        assert!(bar.1 - bar.0 > 1.0, "{bar:?} cannot be seen");
    }
    let young = figure.bars("#E69F00");
    assert!(
        young.len() == 1 && is_at(young[0], 3 * day, 4 * day) && is_beside(young[0], blue[4]),
        "{young:?}"
    );
    // A wide hole shows what is behind it; a narrow one is made wide enough to be seen.
    let white = figure.bars("#FFFFFF");
    assert!(white.len() == 1 && is_at(white[0], day, day + 1) && is_beside(white[0], blue[2]), "{white:?}");
    assert!(white[0].1 - white[0].0 > 1.0, "{white:?} cannot be seen");
    for (row, bar) in rows.iter().zip([0, 2, 4, 5]) {
        let name = figure.placed.iter().find(|text| text.2.trim() == row.name).unwrap();
        assert!((name.1 - blue[bar].2).abs() < 8.0, "{name:?} beside {:?}", blue[bar]);
    }
    assert!(
        figure.texts.iter().any(|text| text.starts_with("Coverage of 4 mnemonics")),
        "{:?}",
        figure.texts
    );
}
