//! Series made by hand, in whole seconds since 1970, and figures read back.

use std::sync::Arc;

use edb_core::{
    Coverage, DictionaryEntry, Instant, MICROS_PER_SECOND, Mnemonic, Notice, Nulls, Samples, Sampling,
    Series, SqlType, TextColumn, TimeRange, Value, Values,
};
use edb_plot::{Chart, CoverageRow, FigureOptions, Format, Grouping, Trace, arrange, draw, draw_coverage};

/// The charts of series, by unit.
pub(crate) fn charts(series: &[Series]) -> Vec<Chart<'_>> {
    arrange(series.iter().map(Trace::from), Grouping::Unit)
}

pub(crate) fn range(start: i64, stop: i64) -> TimeRange {
    TimeRange::new(second(start), second(stop)).unwrap()
}

fn second(at: i64) -> Instant {
    Instant::from_micros(at * MICROS_PER_SECOND)
}

/// A bracket.
pub(crate) enum Sample {
    Real(i64, f64),
    Text(i64, &'static str),
}

impl Sample {
    fn done(self) -> edb_core::Sample {
        let (time, value) = match self {
            Self::Real(at, value) => (at, Value::Real(value)),
            Self::Text(at, text) => (at, Value::Text(Arc::from(text))),
        };
        edb_core::Sample { time: second(time), value }
    }
}

pub(crate) fn sampled(mut series: Series, sampling: Sampling) -> Series {
    series.about.all_points = match sampling {
        Sampling::AllPoints => Some(true),
        Sampling::ChangeOnly => Some(false),
        Sampling::Unknown => None,
    };
    series
}

/// Builds one series; sampled at a cadence unless told otherwise.
pub(crate) struct World {
    series: Series,
    columns: (SqlType, Vec<i64>, Values),
    nulls: Nulls,
}

impl World {
    pub(crate) fn new(name: &str, start: i64, stop: i64) -> Self {
        let mut about = DictionaryEntry::bare(Mnemonic::new(name).unwrap());
        about.all_points = Some(true);
        let (range, samples) = (range(start, stop), Samples::empty(SqlType::Real));
        let known = Coverage::from_iter([range]);
        let series = Series { about, range, samples, leading: None, trailing: None, known, learned: None };
        Self { series, columns: (SqlType::Real, Vec::new(), Values::real(Vec::new())), nulls: Nulls::none() }
    }

    pub(crate) fn unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.series.about.unit);
        self
    }

    pub(crate) fn sampled(mut self, how: Sampling) -> Self {
        self.series = sampled(self.series, how);
        self
    }

    pub(crate) fn leading(mut self, sample: Sample) -> Self {
        self.series.leading = Some(sample.done());
        self
    }

    pub(crate) fn trailing(mut self, sample: Sample) -> Self {
        self.series.trailing = Some(sample.done());
        self
    }

    pub(crate) fn null(mut self, row: usize) -> Self {
        self.nulls.push(row);
        self
    }

    pub(crate) fn real(mut self, times: &[i64], value: impl Fn(i64) -> f64) -> Self {
        self.columns =
            (SqlType::Real, times.to_vec(), Values::real(times.iter().map(|at| value(*at)).collect()));
        self
    }

    pub(crate) fn integer(mut self, times: &[i64], value: impl Fn(i64) -> i64) -> Self {
        self.columns =
            (SqlType::BigInt, times.to_vec(), Values::Integer(times.iter().map(|at| value(*at)).collect()));
        self
    }

    pub(crate) fn text(mut self, rows: &[(i64, &str)]) -> Self {
        let mut column = TextColumn::default();
        for (_, word) in rows {
            column.push(word);
        }
        self.columns = (SqlType::Varchar, rows.iter().map(|row| row.0).collect(), Values::Text(column));
        self
    }

    pub(crate) fn done(mut self) -> Series {
        let (sql_type, times, values) = self.columns;
        let times = times.into_iter().map(|at| at * MICROS_PER_SECOND).collect();
        self.series.samples = Samples::from_columns(sql_type, times, values, self.nulls).unwrap().0;
        self.series
    }
}

/// An SVG figure, taken apart. Coordinates are pixels.
pub(crate) struct Picture {
    pub(crate) source: String,
    pub(crate) notices: Vec<Notice>,
    pub(crate) texts: Vec<String>,
    /// Where each text is.
    pub(crate) placed: Vec<(f64, f64, String)>,
    pub(crate) panels: usize,
    /// The left and the right side of the panels.
    sides: (f64, f64),
    /// The upper side of the first.
    top: f64,
}

const UNITS_PER_PIXEL: f64 = 10.0;
const FRAME: &str = "#8C8C8C";

impl Picture {
    pub(crate) fn of(series: &[Series], range: TimeRange, options: &FigureOptions) -> Self {
        Self::of_charts(&charts(series), range, options)
    }

    pub(crate) fn of_charts(charts: &[Chart<'_>], range: TimeRange, options: &FigureOptions) -> Self {
        let figure = draw(charts, range, options, Format::Svg).unwrap();
        Self::of_svg(figure.value, figure.notices)
    }

    /// As [`of_charts`](Self::of_charts), of which only texts are read: frames have another colour.
    pub(crate) fn of_dark(charts: &[Chart<'_>], range: TimeRange, options: &FigureOptions) -> Self {
        let figure = draw(charts, range, options, Format::Svg).unwrap();
        let source = String::from_utf8(figure.value).unwrap().replace("#6E6E6E", FRAME);
        Self::of_svg(source.into_bytes(), figure.notices)
    }

    pub(crate) fn of_coverage(rows: &[CoverageRow], range: TimeRange) -> Self {
        Self::of_svg(draw_coverage(rows, range, &FigureOptions::default(), Format::Svg).unwrap(), Vec::new())
    }

    fn of_svg(svg: Vec<u8>, notices: Vec<Notice>) -> Self {
        let source = String::from_utf8(svg).unwrap();
        let mut placed = Vec::new();
        for (at, _) in source.match_indices("<text ") {
            let element = &source[at..at + source[at..].find("</text>").unwrap()];
            let (head, body) = element.split_once('>').unwrap();
            let number = |name| attribute(head, name).parse::<f64>().unwrap() / UNITS_PER_PIXEL;
            placed.push((number("x"), number("y"), unescaped(body.trim_matches('\n'))));
        }
        let texts = placed.iter().map(|text| text.2.trim().to_owned()).collect();
        let mut picture = Self { source, notices, texts, placed, panels: 0, sides: (0.0, 0.0), top: 0.0 };
        // The frame of a panel is a closed line of five corners.
        let frames: Vec<_> = picture.lines(FRAME).into_iter().filter(|line| line.len() == 5).collect();
        picture.panels = frames.len();
        picture.sides = (frames[0][0].0 - 0.5, frames[0][1].0 - 0.5);
        picture.top = frames[0][0].1;
        picture
    }

    /// Lines of `color`, without the swatch of the legend, which is thicker.
    pub(crate) fn lines(&self, color: &str) -> Vec<Vec<(f64, f64)>> {
        let lines = self.source.lines().filter(|line| line.starts_with("<polyline"));
        let lines = lines
            .filter(|line| attribute(line, "stroke") == color && attribute(line, "stroke-width") != "25");
        lines.map(|line| points(attribute(line, "points"))).collect()
    }

    pub(crate) fn dots(&self, color: &str) -> Vec<(f64, f64)> {
        let dots = self
            .source
            .lines()
            .filter(|line| line.starts_with("<circle") && attribute(line, "fill") == color);
        let number = |line, name| attribute(line, name).parse::<f64>().unwrap() / UNITS_PER_PIXEL;
        dots.map(|line| (number(line, "cx"), number(line, "cy"))).collect()
    }

    /// Left and right side and middle height of each bar of `color` beside the time axis.
    pub(crate) fn bars(&self, color: &str) -> Vec<(f64, f64, f64)> {
        let bars = self
            .source
            .lines()
            .filter(|line| line.starts_with("<rect x=") && attribute(line, "fill") == color);
        let number = |line, name| attribute(line, name).parse::<f64>().unwrap() / UNITS_PER_PIXEL;
        let bars = bars.map(|line| {
            let (left, top) = (number(line, "x"), number(line, "y"));
            (left, left + number(line, "width"), top + number(line, "height") / 2.0)
        });
        bars.filter(|bar| bar.2 > self.top).collect()
    }

    /// The corners of the tints of `color`, through which one sees.
    pub(crate) fn tints(&self, color: &str) -> Vec<Vec<(f64, f64)>> {
        let tints = self
            .source
            .lines()
            .filter(|line| line.starts_with("<polygon") && attribute(line, "fill") == color);
        tints.map(|line| points(attribute(line, "points"))).collect()
    }

    /// The upper and the lower side of the first panel.
    pub(crate) fn heights(&self) -> (f64, f64) {
        let frames: Vec<_> = self.lines(FRAME).into_iter().filter(|line| line.len() == 5).collect();
        (frames[0][0].1, frames[0][2].1)
    }

    /// Where second `at` is on an axis that begins at 0 and ends at `stop`.
    pub(crate) fn x_of(&self, at: i64, stop: i64) -> f64 {
        self.sides.0 + self.width() * at as f64 / stop as f64
    }

    /// The length of the time axis.
    pub(crate) fn width(&self) -> f64 {
        self.sides.1 - self.sides.0
    }
}

fn points(text: &str) -> Vec<(f64, f64)> {
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',').unwrap();
        (x.parse::<f64>().unwrap() / UNITS_PER_PIXEL, y.parse::<f64>().unwrap() / UNITS_PER_PIXEL)
    };
    text.split_whitespace().map(point).collect()
}

fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let from = element.find(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name} in {element}"))
        + name.len()
        + 3;
    &element[from..from + element[from..].find('"').unwrap()]
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&")
}
