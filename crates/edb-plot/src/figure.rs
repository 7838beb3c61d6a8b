//! From charts to the bytes of a figure.

use edb_core::{Error, Outcome, Result, TimeRange};

use crate::draw::{self, Columns, SIDE_AXIS_HEIGHT, TimeAxis};
use crate::font::Font;
use crate::palette::Theme;
use crate::panel::{Content, Panel, Text, panels, timed_panels};
use crate::scene::{Anchor, Area, Scene};
use crate::time_axis::{self, Clock};
use crate::trace::{Chart, Trace};
use crate::track::Canvas;
use crate::{page, png, raster, svg};

/// The format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Pixels, anti-aliased.
    Png,
    /// Vectors, with text as text.
    Svg,
    /// A page to zoom into, in one file.
    Html,
}

impl Format {
    /// The format that a file name's extension stands for, in any case, without its dot.
    ///
    /// # Examples
    /// ```
    /// use edb_plot::Format;
    ///
    /// assert_eq!(Format::from_extension("PNG"), Some(Format::Png));
    /// assert_eq!(Format::from_extension("jpeg"), None);
    /// ```
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "svg" => Some(Self::Svg),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }
}

/// Which samples of many are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimation {
    /// Of every pixel column the first, the lowest, the highest and the last: no spike is lost.
    #[default]
    M4,
    /// Those that keep the line's looks (largest triangle, three buckets): smooth, and extremes may be lost.
    Lttb,
}

/// How a figure looks and what it says besides the data.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FigureOptions {
    /// The line above the panels, left of the range; by default the mnemonics. An empty text leaves both out.
    pub title: Option<String>,
    /// A small line below the panels: where the data are from, when it was drawn, and whether they are synthetic.
    pub footer: String,
    /// Provenance in full, kept inside the file (`tEXt` of a PNG, `desc` of an SVG, the notes of a page) and not drawn.
    pub description: String,
    /// Width in pixels of 1/96 inch.
    pub width: u32,
    /// Height in pixels of 1/96 inch; by default what the panels need.
    pub height: Option<u32>,
    /// Pixels of the file per inch: 300 for print. Text and lines grow with it.
    pub dots_per_inch: f64,
    /// Dark on light, or light on dark. A page follows its reader's preference.
    pub theme: Theme,
    /// How the time axis is written.
    pub clock: Clock,
    /// Which samples are drawn where there are more than pixels. Pages have M4, always.
    pub decimation: Decimation,
    /// The longest step between samples, in microseconds, that a line crosses; by default learned from each series'
    /// cadence ([`edb_series::gaps::gap_limit_us`]). Change-only series are never broken by it.
    pub gap_limit_us: Option<i64>,
    /// How many points a page holds, at most about: up to here it has every sample, beyond it the extremes of intervals.
    pub page_points: usize,
}

impl Default for FigureOptions {
    fn default() -> Self {
        Self {
            title: None,
            footer: String::new(),
            description: String::new(),
            width: 1600,
            height: None,
            dots_per_inch: NOMINAL_DPI,
            theme: Theme::Light,
            clock: Clock::Utc,
            decimation: Decimation::M4,
            gap_limit_us: None,
            page_points: 200_000,
        }
    }
}

impl FigureOptions {
    /// Pixels of the file for each of 1/96 inch.
    fn scale(&self) -> f64 {
        self.dots_per_inch / NOMINAL_DPI
    }
}

/// Pixels in an inch of the screen.
const NOMINAL_DPI: f64 = 96.0;

/// The most pixels a figure may have.
const MOST_PIXELS: f64 = 100e6;
/// Below this nobody can read anything.
const LEAST_DPI: f64 = 24.0;
/// Narrower figures have no room for an axis.
const LEAST_WIDTH: u32 = 320;
/// Flatter panels show nothing.
const LEAST_PANEL_HEIGHT: f64 = 40.0;

/// Panels with an axis of their own are as high as this, from legend to axis.
const HISTOGRAM_HEIGHT: f64 = 280.0;
const PHASE_HEIGHT: f64 = 460.0;
/// And as wide as this at least, where more than one has room.
const SIDE_WIDTH: f64 = 560.0;

const TITLE_SIZE: f64 = 15.0;
const SPAN_SIZE: f64 = 13.0;
pub(crate) const TITLE_HEIGHT: f64 = 38.0;
/// Above the first panel when there is no title.
const TOP_MARGIN: f64 = 10.0;
pub(crate) const RIGHT_MARGIN: f64 = 42.0;
/// Tick labels, dates and the name of the time axis.
pub(crate) const TIME_AXIS_HEIGHT: f64 = 62.0;
pub(crate) const FOOTER_HEIGHT: f64 = 22.0;
const FOOTER_SIZE: f64 = 10.5;
const PANEL_SPACE: f64 = 14.0;

/// Draws `charts`, those of time over the axis `range`, and returns the bytes of the file, which the caller writes.
///
/// Each text has a panel of its own, as bars of states if its distinct texts are few and short, or else as marks with as many messages
/// as fit. Histograms and phases follow below the time axis. [`arrange`](crate::arrange) makes charts of series.
///
/// # Shapes
/// - traces: any number, also none; each is drawn only inside its own range, which may differ from `range`
/// - returns: the same bytes for the same input, always
///
/// # Gaps and quality
/// - a line breaks at a step longer than the gap limit, at spans that are not known, and at nulls, NaN and infinities; where nothing is
///   known, and where nothing is although all is known, the panel is hatched
/// - a change-only series has no gaps: it is drawn as steps that hold, from the start of its range (its leading bracket
///   says at which value) to where something unknown begins. No bracket is ever drawn as a sample
/// - at most a few points per pixel column are drawn, and among them are the lowest and the highest: no spike is lost, unless
///   [`Decimation::Lttb`] was asked for
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if width, height or resolution leave no room, or make more than 100 million pixels; if a chart cannot be made
/// of its traces (deviations of texts, a phase of three).
///
/// # Cost
/// Two passes per series, O(n): one for how wide the labels of the values are, one for the pixels this leaves; memory for the values of integer and text series as `f64`, and for the pixels.
///
/// # Examples
/// ```
/// use edb_core::{Mnemonic, Samples, SqlType, Series, TimeRange, Instant};
/// use edb_plot::{FigureOptions, Format, Grouping, arrange, draw};
///
/// let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(60_000_000))?;
/// let series = Series::new(Mnemonic::new("IMIR_HK_ICE_SEC_VOLT1")?, range, Samples::empty(SqlType::Real));
/// let charts = arrange([series.into()], Grouping::Unit);
/// let figure = draw(&charts, range, &FigureOptions::default(), Format::Svg)?;
/// assert!(String::from_utf8(figure.value).unwrap().contains("IMIR_HK_ICE_SEC_VOLT1 (no samples)"));
/// assert_eq!(figure.notices.len(), 1);
/// # Ok::<(), edb_core::Error>(())
/// ```
pub fn draw(
    charts: &[Chart<'_>],
    range: TimeRange,
    options: &FigureOptions,
    format: Format,
) -> Result<Outcome<Vec<u8>>> {
    let span = span_words(range, options.clock);
    let font = Font::bundled()?;
    let room = f64::from(options.width) - 72.0 - font.width(&span, SPAN_SIZE);
    let fits = |title: &str| format == Format::Html || font.width(title, TITLE_SIZE) <= room;
    let title = options.title.clone().unwrap_or_else(|| default_title(charts, fits));
    if format == Format::Html {
        return page::write(charts, range, (&title, &span), options);
    }
    let canvas = Canvas {
        axis: range,
        columns: 1,
        points_each: None,
        decimation: options.decimation,
        gap_limit_us: options.gap_limit_us,
    };
    // What values there are decides how wide their labels are, and this how many pixels are left for the time axis: columns of samples
    // are columns of pixels, so that each of these has its own extremes.
    let rough = Canvas { gap_limit_us: Some(i64::MAX), ..canvas };
    let columns = sides(&timed_panels(charts, rough)?, options, &font)?;
    let pixels = ((columns.right - columns.left) * options.scale()).round() as usize;
    let (panels, notices) = panels(charts, Canvas { columns: pixels.max(1), ..canvas })?;
    let scene = compose(&panels, columns, range, (&title, &span), options, &font)?;
    let title = format!("{title}   {span}").trim_start().to_owned();
    Ok(Outcome { value: encode(&scene, &title, options, format, &font)?, notices })
}

/// Where panels over time begin and end: at whole pixels of the file.
fn sides(panels: &[Panel], options: &FigureOptions, font: &Font) -> Result<Columns> {
    let width = f64::from(checked_width(options)?);
    let scale = options.scale();
    let left = (draw::left_margin(panels, font) * scale).ceil() / scale;
    let right = ((width - RIGHT_MARGIN) * scale).floor() / scale;
    Ok(Columns { left: left.min(right - 1.0), right })
}

/// The bytes of a file.
pub(crate) fn encode(
    scene: &Scene,
    title: &str,
    options: &FigureOptions,
    format: Format,
    font: &Font,
) -> Result<Vec<u8>> {
    match format {
        Format::Png => {
            let bitmap = raster::render(scene, font, options.scale());
            png::encode(&bitmap, options.dots_per_inch, title, &options.description)
        }
        Format::Svg => svg::write(scene, options.scale(), title, &options.description),
        Format::Html => Err(Error::usage("this figure can be PNG or SVG only")),
    }
}

pub(crate) fn checked_width(options: &FigureOptions) -> Result<u32> {
    let width = options.width;
    if width < LEAST_WIDTH {
        return Err(Error::usage(format!(
            "could not draw a figure {width} pixels wide: expected at least {LEAST_WIDTH}"
        )));
    }
    if !(options.dots_per_inch.is_finite() && options.dots_per_inch >= LEAST_DPI) {
        let dpi = options.dots_per_inch;
        return Err(Error::usage(format!(
            "could not draw at {dpi} dots per inch: expected at least {LEAST_DPI}"
        ))
        .with_hint("96 is usual for screens, 300 for print"));
    }
    checked_size(f64::from(width), f64::from(options.height.unwrap_or(1)), options.scale())?;
    Ok(width)
}

pub(crate) fn checked_size(width: f64, height: f64, scale: f64) -> Result<()> {
    let pixels = width * height * scale * scale;
    if pixels <= MOST_PIXELS && height * scale < 60_000.0 && width * scale < 60_000.0 {
        return Ok(());
    }
    let (width, height) = ((width * scale).round(), (height * scale).round());
    let text = format!(
        "could not draw a figure of {width} × {height} pixels: expected at most 100 million in all and 60000 on a side"
    );
    Err(Error::usage(text).with_hint("reduce the width, the height or the resolution, or draw fewer series"))
}

/// The mnemonics, as many of them as there is room for.
fn default_title(charts: &[Chart<'_>], fits: impl Fn(&str) -> bool) -> String {
    const MOST: usize = 4;
    let mut traces: Vec<&Trace<'_>> = Vec::new();
    for trace in charts.iter().flat_map(|chart| &chart.traces) {
        if !traces.iter().any(|other| other.name() == trace.name()) {
            traces.push(trace);
        }
    }
    if let [only] = traces.as_slice() {
        let unit = only.series.about.unit.trim();
        let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
        let description = only.description();
        let dash = if description.is_empty() { "" } else { " \u{2013} " };
        return format!("{}{dash}{description}{unit}", only.name());
    }
    let of = |shown: usize| {
        let names: Vec<_> = traces.iter().take(shown).map(|trace| trace.name()).collect();
        let more = traces.len().saturating_sub(shown);
        names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    (1..=MOST).rev().map(of).find(|title| fits(title)).unwrap_or_else(|| of(1))
}

/// The range of the time axis. One that follows from samples ends with a microsecond, which nobody wants to read above an hour.
pub(crate) fn span_words(range: TimeRange, clock: Clock) -> String {
    let range =
        if range.micros() > 1000 * edb_core::MICROS_PER_SECOND { range.to_whole_seconds() } else { range };
    match clock {
        Clock::Utc => format!("{} to {}", range.start(), range.stop()),
        clock => format!("{} to {}", clock.moment(range.start()), clock.moment(range.stop())),
    }
}

/// Lays the panels out and draws them: those over time share an axis, the others follow below it, side by side where they have room.
fn compose(
    panels: &[Panel],
    columns: Columns,
    range: TimeRange,
    (title, span): (&str, &str),
    options: &FigureOptions,
    font: &Font,
) -> Result<Scene> {
    let width = f64::from(options.width);
    let mut scene = Scene::new(options.width, 0, options.theme);
    let (timed, side): (Vec<&Panel>, Vec<&Panel>) = panels.iter().partition(|panel| panel.content.is_timed());
    let sides = (columns.left, columns.right);
    let legends: Vec<f64> =
        timed.iter().map(|panel| draw::legend_height(&scene, panel, sides, font)).collect();
    let has_axis = !timed.is_empty() || panels.is_empty();
    let rows = side_rows(&side, width);
    let top = if title.is_empty() { TOP_MARGIN } else { TITLE_HEIGHT };
    let foot = if options.footer.is_empty() { 0.0 } else { FOOTER_HEIGHT };
    let axis_height = if has_axis { TIME_AXIS_HEIGHT } else { 0.0 };
    let side_fixed = rows.len() as f64 * (PANEL_SPACE + SIDE_AXIS_HEIGHT);
    let fixed = top
        + axis_height
        + foot
        + legends.iter().sum::<f64>()
        + timed.len() as f64 * PANEL_SPACE
        + side_fixed;
    let wanted: Vec<f64> =
        timed.iter().copied().chain(rows.iter().map(|row| row[0])).map(preferred_height).collect();
    let wanted_sum = wanted.iter().sum::<f64>().max(LEAST_PANEL_HEIGHT);
    let height = options.height.map_or((fixed + wanted_sum).ceil(), f64::from);
    checked_size(width, height, options.scale())?;
    let stretch = (height - fixed) / wanted_sum;
    let least_of = |wanted: f64| wanted.min(LEAST_PANEL_HEIGHT);
    if wanted.iter().any(|wanted| wanted * stretch < least_of(*wanted) - 0.5) || stretch <= 0.0 {
        let squeezed = wanted.iter().map(|wanted| least_of(*wanted) / wanted).fold(0.0, f64::max);
        let needed = (fixed + wanted_sum * squeezed.max(LEAST_PANEL_HEIGHT / wanted_sum)).ceil();
        let count = panels.len();
        let text = format!("could not draw {count} panels {height} pixels high: expected at least {needed}");
        return Err(Error::usage(text).with_hint("leave the height out, or draw fewer mnemonics"));
    }

    scene.height = height as u32;
    if !title.is_empty() {
        heading(&mut scene, title, span, font);
    }
    let ticks = time_axis::ticks(range, options.clock, columns.right - columns.left, 26.0, |text| {
        font.width(text, draw::TICK_SIZE)
    });
    let axis = TimeAxis { range, clock: options.clock, ticks };
    let mut y = top;
    for ((panel, legend), wanted) in timed.iter().zip(&legends).zip(&wanted) {
        let bottom = (y + legend + wanted * stretch).round();
        let area = Area { left: columns.left, top: (y + legend).round(), right: columns.right, bottom };
        draw::timed_panel(&mut scene, panel, area, &axis, font);
        y = bottom + PANEL_SPACE;
    }
    if panels.is_empty() {
        let bottom = (y + wanted_sum * stretch).round();
        let area = Area { left: columns.left, top: y, right: columns.right, bottom };
        draw::empty(&mut scene, area, &axis, "no series");
        y = area.bottom + PANEL_SPACE;
    }
    if has_axis {
        draw::time_axis(&mut scene, columns, y - PANEL_SPACE, &axis, draw::shades(&timed), font);
        y += TIME_AXIS_HEIGHT;
    }
    for (row, wanted) in rows.iter().zip(&wanted[timed.len()..]) {
        let bottom = (y + wanted * stretch + SIDE_AXIS_HEIGHT).round();
        let each = (width - 16.0 - RIGHT_MARGIN / 2.0) / row.len() as f64;
        for (at, panel) in row.iter().enumerate() {
            let left = 16.0 + each * at as f64;
            let columns = Columns { left, right: left + each - RIGHT_MARGIN / 2.0 };
            draw::side_panel(&mut scene, panel, columns, (y, bottom), options.clock, font);
        }
        y = bottom + PANEL_SPACE;
    }
    if foot > 0.0 {
        footer(&mut scene, &options.footer, font);
    }
    Ok(scene)
}

/// Panels of one kind stand side by side where they have room.
fn side_rows<'a>(panels: &[&'a Panel], width: f64) -> Vec<Vec<&'a Panel>> {
    let most = ((width / SIDE_WIDTH) as usize).max(1);
    let mut rows: Vec<Vec<&Panel>> = Vec::new();
    for panel in panels {
        let kind = std::mem::discriminant(&panel.content);
        match rows.last_mut() {
            Some(row) if row.len() < most && std::mem::discriminant(&row[0].content) == kind => {
                row.push(panel);
            }
            _ => rows.push(vec![panel]),
        }
    }
    rows
}

/// The title at the top, and at the right of it the range, which is never cut.
pub(crate) fn heading(scene: &mut Scene, title: &str, span: &str, font: &Font) {
    let right = f64::from(scene.width) - 16.0;
    let span_width = font.width(span, SPAN_SIZE);
    let title = font.fit(title, TITLE_SIZE, right - span_width - 40.0);
    scene.text(&title, (16.0, 25.0), TITLE_SIZE, scene.palette.text, Anchor::Left);
    scene.text(span, (right, 25.0), SPAN_SIZE, scene.palette.text, Anchor::Right);
}

/// The small line at the bottom.
pub(crate) fn footer(scene: &mut Scene, text: &str, font: &Font) {
    let text = font.fit(text, FOOTER_SIZE, f64::from(scene.width) - 32.0);
    let at = (16.0, f64::from(scene.height) - 9.0);
    scene.text(&text, at, FOOTER_SIZE, scene.palette.quiet, Anchor::Left);
}

fn preferred_height(panel: &Panel) -> f64 {
    match &panel.content {
        Content::Values(_) => 190.0,
        Content::Text(panel) => match &panel.text {
            Text::States(_) => 30.0,
            Text::Messages(messages) if messages.is_empty() => LEAST_PANEL_HEIGHT,
            Text::Messages(_) => 120.0,
        },
        Content::Histogram(_) => HISTOGRAM_HEIGHT,
        Content::Phase(_) => PHASE_HEIGHT,
    }
}
