//! Charts of every kind, read back from their SVG.

use edb_core::{Coverage, ErrorKind, NoticeKind, Sampling, Series};
use edb_plot::{
    Bins, Chart, ChartKind, Clock, FigureOptions, Format, Grouping, Limits, Theme, Trace, arrange, draw,
};
use proptest::prelude::*;

use crate::world::{Picture, Sample, World, range};
use crate::{BLUE, ORANGE};

const YELLOW: &str = "#C98A00";
const RED: &str = "#C81E1E";

fn of(chart: Chart<'_>, stop: i64) -> Picture {
    Picture::of_charts(&[chart], range(0, stop), &FigureOptions::default())
}

fn limited(series: Series, limits: Limits) -> Trace<'static> {
    let mut trace = Trace::from(series);
    trace.limits = limits;
    trace
}

/// A hundred samples from 0 to 99.
fn ramp(name: &str) -> Series {
    let times: Vec<i64> = (0..100).collect();
    World::new(name, 0, 100).unit("V").real(&times, |at| at as f64).done()
}

#[test]
fn samples_beyond_limits_are_marked_and_counted_and_what_lies_beyond_is_tinted() {
    let limits = Limits { nominal: Some(50.0), yellow: Some((10.0, 89.0)), red: Some((2.0, f64::INFINITY)) };
    let figure = of(Chart::new(ChartKind::Time, vec![limited(ramp("VOLT"), limits)]), 100);

    // 2 to 9 and 90 to 99 are yellow, 0 and 1 red: a cross of two lines each.
    assert_eq!(figure.dots(YELLOW).len(), 18);
    let crosses = figure.lines(RED).into_iter().filter(|line| (line[0].0 - line[1].0).abs() < 10.0).count();
    assert_eq!(crosses, 4);
    let notice = figure.notices.iter().find(|notice| notice.kind == NoticeKind::Limits).unwrap();
    assert_eq!(notice.text, "2 of 100 samples are beyond red limits, 18 more beyond yellow ones");
    assert_eq!((figure.tints(YELLOW).len(), figure.tints(RED).len()), (2, 1));
    for text in ["nominal 50", "yellow 10 … 89", "red 2 …"] {
        assert!(figure.texts.iter().any(|found| found == text), "{text}: {:?}", figure.texts);
    }
    // From bottom to top: red, yellow, nothing, yellow.
    let (top, bottom) = figure.heights();
    let side = |points: &[(f64, f64)], of: fn(f64, f64) -> f64, start| {
        points.iter().map(|point| point.1).fold(start, of)
    };
    let lowest = side(&figure.tints(RED)[0], f64::max, 0.0);
    let highest = figure.tints(YELLOW).iter().map(|points| side(points, f64::min, 1e9)).fold(1e9, f64::min);
    assert!(
        (lowest - bottom).abs() < 1.0 && (highest - top).abs() < 1.0,
        "{lowest} {bottom}, {highest} {top}"
    );
}

#[test]
fn limits_that_differ_are_lines_in_the_colour_of_their_curve_and_far_ones_do_not_squeeze_the_data() {
    let other = |name, level| limited(ramp(name), Limits { yellow: Some((level, 1e9)), ..Limits::default() });
    let chart = Chart::new(ChartKind::Time, vec![other("VOLT1", 20.0), other("VOLT2", 30.0)]);
    let figure = of(chart, 100);
    assert!(figure.tints(YELLOW).is_empty());
    assert!(figure.lines(BLUE).len() > 50 && figure.lines(ORANGE).len() > 50, "dashes");
    assert!(
        !figure.texts.iter().any(|text| text.contains("e9") || text.starts_with("1000")),
        "{:?}",
        figure.texts
    );
}

#[test]
fn limits_that_are_upside_down_are_refused() {
    for limits in [
        Limits { yellow: Some((2.0, 1.0)), ..Limits::default() },
        Limits { red: Some((f64::NAN, 1.0)), ..Limits::default() },
        Limits { nominal: Some(f64::INFINITY), ..Limits::default() },
    ] {
        assert_eq!(limits.checked().unwrap_err().kind(), ErrorKind::Usage, "{limits:?}");
    }
    assert!(Limits { yellow: Some((f64::NEG_INFINITY, 1.0)), ..Limits::default() }.checked().is_ok());
}

fn binned(has_samples: bool) -> Trace<'static> {
    let mut trace = Trace::from(ramp("VOLT"));
    let second = 1_000_000;
    // The third of ten is missing.
    let starts: Vec<i64> = (0..10).filter(|at| *at != 2).map(|at| at * 10 * second).collect();
    let middles: Vec<f64> = starts.iter().map(|start| (start / second) as f64 + 4.5).collect();
    trace.bins = Some(std::sync::Arc::new(Bins {
        line: "mean of 10s".to_owned(),
        envelope: "min to max".to_owned(),
        stops: starts.iter().map(|start| start + 10 * second).collect(),
        lows: middles.iter().map(|middle| middle - 4.5).collect(),
        highs: middles.iter().map(|middle| middle + 4.5).collect(),
        starts,
        middles,
    }));
    trace.has_samples = has_samples;
    trace
}

#[test]
fn statistics_of_bins_are_a_line_within_an_envelope_that_breaks_where_bins_are_missing() {
    let figure = of(Chart::new(ChartKind::Time, vec![binned(false)]), 100);
    let tints: Vec<usize> = figure.tints(BLUE).iter().map(Vec::len).collect();
    // The swatch, two bins, seven bins.
    assert_eq!(tints, [4, 14, 4]);
    let lines: Vec<usize> = figure.lines(BLUE).iter().map(Vec::len).collect();
    assert_eq!(lines, [2, 7]);
    assert!(figure.texts.contains(&"VOLT mean of 10s, min to max".to_owned()), "{:?}", figure.texts);
    let first = figure.lines(BLUE)[0][0];
    assert!((first.0 - figure.x_of(5, 100)).abs() < 0.2, "in the middle of its bin");

    let both = of(Chart::new(ChartKind::Time, vec![binned(true)]), 100);
    assert_eq!(both.lines(BLUE).len(), 1, "samples");
    assert_eq!(both.lines(ORANGE).len(), 2, "bins");
}

#[test]
fn ranges_of_a_mnemonic_come_in_any_order() {
    let part = |start: i64, stop: i64| {
        let times: Vec<i64> = (start..stop).collect();
        let series = World::new("VOLT", start, stop).unit("V").real(&times, |at| at as f64).done();
        let limits = Limits { yellow: Some((40.0, 60.0)), ..Limits::default() };
        Trace { bins: binned(false).bins, has_samples: false, limits, ..Trace::from(series) }
    };
    let page = |traces: Vec<Trace<'static>>| {
        let charts = [Chart::new(ChartKind::Time, traces)];
        draw(&charts, range(0, 100), &FigureOptions::default(), Format::Html).unwrap().value
    };
    let said = |start: i64, stop: i64| {
        let said: Vec<(i64, String)> = (start..stop)
            .map(|at| (at, format!("a message that is longer than any state, at {at}")))
            .collect();
        let rows: Vec<(i64, &str)> = said.iter().map(|(at, text)| (*at, text.as_str())).collect();
        Trace::from(World::new("SAID", start, stop).text(&rows).done())
    };
    let (numbers, backward) = (vec![part(0, 30), part(70, 100)], vec![part(70, 100), part(0, 30)]);
    assert!(page(numbers) == page(backward), "numbers");
    let (messages, backward) = (vec![said(0, 30), said(70, 100)], vec![said(70, 100), said(0, 30)]);
    assert!(page(messages) == page(backward), "messages");
}

#[test]
fn deviations_are_from_the_line_of_bins_or_from_the_nominal_value() {
    let figure = of(Chart::new(ChartKind::Deviation, vec![binned(true)]), 100);
    assert!(figure.texts.contains(&"VOLT \u{2212} mean of 10s".to_owned()), "{:?}", figure.texts);
    // Between the middles of bins the ramp is the line; before the first, and where the third is missing, the nearer one holds: at 25 the
    // second, whose middle is 14.5.
    let (top, bottom) = figure.heights();
    let line: Vec<(f64, f64)> = figure.lines(BLUE).into_iter().flatten().collect();
    let (low, high) = (-8.5 - 19.0 * 0.06, 10.5 + 19.0 * 0.06);
    let value = |at: i64| {
        let x = figure.x_of(at, 100);
        let found = line.iter().find(|point| (point.0 - x).abs() < 0.1).unwrap();
        low + (bottom - found.1) / (bottom - top) * (high - low)
    };
    for (at, expected) in
        [(0, -4.5), (5, 0.5), (12, 0.5), (20, 5.5), (25, 10.5), (26, -8.5), (50, 0.5), (99, 4.5)]
    {
        assert!((value(at) - expected).abs() < 0.1, "{at}: {} is not {expected}", value(at));
    }

    let nominal = limited(ramp("VOLT"), Limits { nominal: Some(90.0), ..Limits::default() });
    let figure = of(Chart::new(ChartKind::Deviation, vec![nominal]), 100);
    assert!(
        figure.texts.contains(&"VOLT \u{2212} nominal 90".to_owned())
            && figure.texts.contains(&"\u{2212}80".to_owned())
    );
    // That deviations should be nothing goes without saying; that values should be does not.
    assert!(!figure.texts.contains(&"nominal 0".to_owned()), "{:?}", figure.texts);
    let zero = limited(ramp("VOLT"), Limits { nominal: Some(0.0), ..Limits::default() });
    let figure = of(Chart::new(ChartKind::Time, vec![zero]), 100);
    assert!(figure.texts.contains(&"nominal 0".to_owned()), "{:?}", figure.texts);

    let none = Chart::new(ChartKind::Deviation, vec![Trace::from(ramp("VOLT"))]);
    let error = draw(&[none], range(0, 100), &FigureOptions::default(), Format::Svg).unwrap_err();
    assert!(error.to_string().contains("from what"), "{error}");
}

#[test]
fn histograms_count_every_sample_once() {
    let times: Vec<i64> = (0..1000).collect();
    let dice = World::new("DICE", 0, 1000).integer(&times, |at| 1 + at % 6).done();
    let figure = of(Chart::new(ChartKind::Histogram, vec![dice.into()]), 1000);
    let outline = figure.lines(BLUE).into_iter().find(|line| line.len() == 14).expect("six bars");
    let (top, bottom) = figure.heights();
    // Four numbers came 167 times, two 166 times; the axis ends at 6 % more than the highest.
    let scale = (bottom - top) / (167.0 * 1.06);
    for (at, count) in [167.0, 167.0, 167.0, 167.0, 166.0, 166.0].into_iter().enumerate() {
        let height = bottom - outline[1 + 2 * at].1;
        assert!((height - count * scale).abs() < 1.0, "{at}: {height} is not {count}");
    }
    assert!(figure.texts.contains(&"samples".to_owned()));
}

#[test]
fn a_phase_pairs_samples_of_one_time_and_breaks_at_gaps() {
    let times: Vec<i64> = (0..100).filter(|at| !(40..60).contains(at)).collect();
    let x = World::new("X", 0, 100).real(&times, |at| at as f64).done();
    // Sampled between the times of the other: its values there lie on lines.
    let others: Vec<i64> = (0..50).map(|at| 2 * at).collect();
    let y = World::new("Y", 0, 100).unit("rad").real(&others, |at| 2.0 * at as f64).done();
    let figure = of(Chart::new(ChartKind::Phase, vec![x.clone().into(), y.into()]), 100);
    assert!(figure.texts.contains(&"Y over X".to_owned()) && figure.texts.contains(&"Y (rad)".to_owned()));
    // 1970-01-01 stands beside the colour bar, early and late.
    assert!(figure.texts.iter().any(|text| text.starts_with("1970-01-01 00:01:38")), "{:?}", figure.texts);
    let (top, bottom) = figure.heights();
    let colors: std::collections::BTreeSet<&str> = figure
        .source
        .lines()
        .filter(|line| line.starts_with("<polyline") && line.contains("stroke-width=\"15\""))
        .filter_map(|line| line.split("stroke=\"").nth(1)?.get(..7))
        .collect();
    assert!(colors.len() > 30, "time has many colours: {}", colors.len());
    let lines: Vec<_> = colors.iter().flat_map(|color| figure.lines(color)).collect();
    // y = 2 x, and nothing crosses the gap from 40 to 60.
    for pair in lines.iter().flat_map(|line| line.windows(2)) {
        assert!(pair[0].1 >= top && pair[0].1 <= bottom);
        assert!((pair[0].0 - pair[1].0).abs() < (figure.width() / 8.0), "{pair:?}");
    }
    let held = |leading: bool| {
        let world = World::new("MODE", 0, 100).integer(&[10, 30, 50], |at| at).sampled(Sampling::ChangeOnly);
        if leading { world.leading(Sample::Real(-5, 1.0)).done() } else { world.done() }
    };
    let told = |leading| {
        let chart = Chart::new(ChartKind::Phase, vec![x.clone().into(), held(leading).into()]);
        of(chart, 100).notices.into_iter().map(|notice| notice.text).collect::<Vec<_>>()
    };
    assert_eq!(told(false), ["10 of 80 samples are left out: the other mnemonic has no value then"]);
    assert_eq!(told(true), [""; 0], "the bracket carries the state into the range");
    let error = draw(
        &[Chart::new(ChartKind::Phase, vec![x.into()])],
        range(0, 100),
        &FigureOptions::default(),
        Format::Svg,
    );
    assert!(error.unwrap_err().to_string().contains("expected two"));
}

#[test]
fn a_text_has_no_deviation_histogram_or_phase() {
    let text = || Trace::from(World::new("MODE", 0, 100).text(&[(1, "ON")]).done());
    for kind in [ChartKind::Deviation, ChartKind::Histogram, ChartKind::Phase] {
        let chart = Chart::new(kind, vec![text(), text()]);
        let error = draw(&[chart], range(0, 100), &FigureOptions::default(), Format::Svg).unwrap_err();
        assert!(error.to_string().contains("its values are texts"), "{error}");
    }
}

#[test]
fn a_logarithmic_axis_leaves_out_what_is_not_above_zero_and_says_so() {
    let times: Vec<i64> = (0..100).collect();
    let series = World::new("PRESSURE", 0, 100)
        .real(&times, |at| if at == 50 { 0.0 } else { 10_f64.powf(at as f64 / 20.0) })
        .done();
    let mut chart = Chart::new(ChartKind::Time, vec![series.into()]);
    chart.is_logarithmic = true;
    let figure = of(chart, 100);
    for text in ["1", "10", "100", "1000", "10000"] {
        assert!(figure.texts.contains(&text.to_owned()), "{text}: {:?}", figure.texts);
    }
    assert_eq!(figure.lines(BLUE).len(), 2, "the line breaks");
    assert!(figure.notices.iter().any(|notice| notice.text.starts_with("1 values are not above zero")));
    // Ten decades a hundred samples: the line is straight.
    let line = &figure.lines(BLUE)[0];
    let slope = |a: (f64, f64), b: (f64, f64)| (b.1 - a.1) / (b.0 - a.0);
    assert!((slope(line[0], line[10]) - slope(line[20], line[40])).abs() < 0.01);
}

#[test]
fn what_is_unknown_and_what_is_silent_are_hatched_and_named() {
    let times: Vec<i64> = (0..100).filter(|at| !(20..40).contains(at)).collect();
    let mut series = World::new("VOLT", 0, 200).real(&times, |at| at as f64).done();
    series.known = Coverage::from_iter([range(0, 150)]);
    let figure = Picture::of(&[series.clone()], range(0, 200), &FigureOptions::default());
    assert!(
        figure.texts.contains(&"not known".to_owned()) && figure.texts.contains(&"no samples".to_owned())
    );
    let inside = |line: &[(f64, f64)], from: i64, to: i64| {
        line.iter()
            .all(|point| point.0 >= figure.x_of(from, 200) - 0.2 && point.0 <= figure.x_of(to, 200) + 0.2)
    };
    let slanted: Vec<_> = figure.lines("#C0C0C0");
    let upright: Vec<_> = figure.lines("#D0D0D0");
    let slanted: Vec<_> = slanted
        .into_iter()
        .filter(|line| (line[0].0 - line[1].0).abs() > 0.5 || inside(line, 149, 200))
        .collect();
    assert!(slanted.iter().filter(|line| inside(line, 150, 200)).count() > 20, "{}", slanted.len());
    let upright: Vec<_> = upright.iter().filter(|line| (line[0].0 - line[1].0).abs() < 0.01).collect();
    assert!(
        upright.iter().filter(|line| inside(line, 19, 40)).count() > 10
            && upright.iter().filter(|line| inside(line, 99, 150)).count() > 20
    );
    assert!(!upright.iter().any(|line| inside(line, 41, 98)), "there are samples");

    series.known = Coverage::from_iter([range(0, 200)]);
    let figure = Picture::of(&[series], range(0, 200), &FigureOptions::default());
    assert!(!figure.texts.contains(&"not known".to_owned()));
}

#[test]
fn mnemonics_are_alone_on_request_and_their_ranges_together() {
    let traces = || ["VOLT1", "VOLT2", "VOLT1"].map(|name| Trace::from(ramp(name)));
    assert_eq!(arrange(traces(), Grouping::Unit).len(), 1);
    let alone = arrange(traces(), Grouping::Mnemonic);
    let counts: Vec<usize> = alone.iter().map(|chart| chart.traces.len()).collect();
    assert_eq!(counts, [2, 1]);
    let figure = Picture::of_charts(&alone, range(0, 100), &FigureOptions::default());
    assert_eq!(figure.texts.iter().filter(|text| *text == "VOLT1").count(), 1, "one legend entry");
}

#[test]
fn titles_headings_clocks_and_themes_are_as_asked() {
    let mut series = ramp("VOLT");
    "a voltage".clone_into(&mut series.about.description);
    let mut options = FigureOptions::default();
    options.clock = Clock::DayOfYear;
    options.theme = Theme::Dark;
    let chart =
        Chart { heading: Some("Power".to_owned()), ..Chart::new(ChartKind::Time, vec![series.into()]) };
    let figure = Picture::of_dark(&[chart], range(0, 100), &options);
    for text in [
        "VOLT \u{2013} a voltage (V)",
        "1970:001:00:00:00 to 1970:001:00:01:40",
        "Power",
        "a voltage",
        "1970:001",
        "UTC, year:day of year",
    ] {
        assert!(figure.texts.iter().any(|found| found == text), "{text}: {:?}", figure.texts);
    }
    assert!(figure.source.contains("fill=\"#121418\""));
    options.clock = Clock::Mjd;
    let figure =
        Picture::of_dark(&arrange([Trace::from(ramp("VOLT"))], Grouping::Unit), range(0, 100), &options);
    assert!(figure.texts.iter().any(|text| text.starts_with("40587.0")), "{:?}", figure.texts);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// What is drawn is read back from the file, pixel by pixel.
    #[test]
    fn every_pixel_of_a_figure_reaches_from_the_lowest_to_the_highest_sample_in_it(
        values in proptest::collection::vec(-100.0..100.0_f64, 61..3000),
        width in 340_u32..1800,
        dots_per_inch in prop_oneof![Just(96.0), Just(150.0), Just(300.0)],
    ) {
        let stop = values.len() as i64;
        let times: Vec<i64> = (0..stop).collect();
        let series = World::new("VOLT", 0, stop).real(&times, |at| values[at as usize]).done();
        let mut options = FigureOptions::default();
        (options.width, options.dots_per_inch) = (width, dots_per_inch);
        let figure = Picture::of(&[series], range(0, stop), &options);

        let scale = dots_per_inch / 96.0;
        // Frames are drawn at whole units: where the axis begins and ends, to a fraction, the first sample and the margin say.
        let left = figure.lines(BLUE)[0][0].0;
        let right = ((f64::from(width) - 42.0) * scale).floor() / scale;
        let pixels = ((right - left) * scale).round();
        let (top, bottom) = figure.heights();
        let extent = crate::charts::extent(values.iter().copied());
        let room = (extent.1 - extent.0) * 0.06;
        let y = |value: f64| bottom - (value - extent.0 + room) / (extent.1 - extent.0 + 2.0 * room) * (bottom - top);
        let mut expected = vec![None; pixels as usize];
        for (at, value) in values.iter().enumerate() {
            let column = (at as f64 * pixels / stop as f64).floor() as usize;
            let own: &mut Option<(f64, f64)> = &mut expected[column];
            let (high, low) = own.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
            *own = Some((high.min(y(*value)), low.max(y(*value))));
        }
        let mut found = vec![None; pixels as usize];
        for (x, up) in figure.lines(BLUE).into_iter().flatten() {
            // Coordinates are tenths: a sample on the border of two pixels may be written as of the other.
            let part = (x - left) * scale;
            let column = (part.floor() as usize).min(found.len() - 1);
            let is_on_border = (part - part.round()).abs() < 0.11 * scale;
            let border = part.round() as usize;
            let others = if is_on_border { [border.saturating_sub(1), border.min(found.len() - 1)] } else { [column, column] };
            for column in others {
                let own: &mut Option<(f64, f64)> = &mut found[column];
                let (high, low) = own.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
                *own = Some((high.min(up), low.max(up)));
            }
        }
        for (column, (expected, found)) in expected.iter().zip(&found).enumerate() {
            let Some((high, low)) = expected else { continue };
            let found = found.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
            prop_assert!(found.0 <= high + 0.6 && found.1 >= low - 0.6, "pixel {}: {:?} of {:?}", column, found, expected);
        }
    }
}

fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}
