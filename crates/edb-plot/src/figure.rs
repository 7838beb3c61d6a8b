//! From series to the bytes of a figure.

use edb_core::{Error, ErrorKind, Outcome, Result, Series, TimeRange};

use crate::draw::{self, Columns};
use crate::font::Font;
use crate::palette;
use crate::panel::{Content, Panel, panels};
use crate::scene::{Anchor, Area, Scene};
use crate::time_axis;
use crate::{png, raster, svg};

/// The format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Pixels, anti-aliased.
    Png,
    /// Vectors, with text as text.
    Svg,
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
            _ => None,
        }
    }
}

/// How a figure looks and what it says besides the data.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FigureOptions {
    /// The line above the panels; by default the mnemonics and the range. An empty text leaves it out.
    pub title: Option<String>,
    /// A small line below the panels: where the data are from, and whether they are synthetic.
    pub footer: String,
    /// Provenance in full, kept inside the file (`tEXt` of a PNG, `desc` of an SVG) and not drawn.
    pub description: String,
    /// Width in pixels, before `scale`.
    pub width: u32,
    /// Height in pixels, before `scale`; by default what the panels need.
    pub height: Option<u32>,
    /// Pixels of the file per pixel of `width` and `height`: 2.0 for print. Text and lines grow with it.
    pub scale: f64,
    /// The longest step between samples, in microseconds, that a line crosses; by default learned from each series'
    /// cadence ([`edb_series::gaps::gap_limit_us`]). Change-only series are never broken by it.
    pub gap_limit_us: Option<i64>,
}

impl Default for FigureOptions {
    fn default() -> Self {
        Self {
            title: None,
            footer: String::new(),
            description: String::new(),
            width: 1600,
            height: None,
            scale: 1.0,
            gap_limit_us: None,
        }
    }
}

/// The most pixels a figure may have.
const MOST_PIXELS: f64 = 100e6;
/// Narrower figures have no room for an axis.
const LEAST_WIDTH: u32 = 320;
/// Flatter panels show nothing.
const LEAST_PANEL_HEIGHT: f64 = 40.0;

const TITLE_SIZE: f64 = 15.0;
pub(crate) const TITLE_HEIGHT: f64 = 38.0;
/// Above the first panel when there is no title.
const TOP_MARGIN: f64 = 10.0;
pub(crate) const RIGHT_MARGIN: f64 = 42.0;
/// Tick labels, dates and the name of the time axis.
pub(crate) const TIME_AXIS_HEIGHT: f64 = 62.0;
pub(crate) const FOOTER_HEIGHT: f64 = 22.0;
const FOOTER_SIZE: f64 = 10.5;
const PANEL_SPACE: f64 = 14.0;

/// Draws `series` over the time axis `range` and returns the bytes of the file, which the caller writes.
///
/// Series of numbers with the same unit share a panel, at most seven of them, those without a unit have one each; each text has a panel of its own, as a state
/// timeline if its distinct texts are few and short, or else as marks with as many messages as fit.
///
/// # Shapes
/// - `series`: any number, also none; each is drawn only inside its own range, which may differ from `range`
/// - returns: the same bytes for the same input, always
///
/// # Gaps and quality
/// - a line breaks at a step longer than the gap limit, at spans that are not known, and at nulls, NaN and infinities
/// - a change-only series has no gaps: it is drawn as steps that hold, from the start of its range (its leading bracket
///   says at which value) to where something unknown begins. No bracket is ever drawn as a sample
/// - at most a few points per pixel column are drawn, and among them are the lowest and the highest: no spike is lost
///
/// # Errors
/// [`ErrorKind::Usage`] if width, height or scale leave no room, or make more than 100 million pixels.
///
/// # Cost
/// One pass per series, O(n); memory for the values of integer and text series as `f64`, and for the pixels.
///
/// # Examples
/// ```
/// use edb_core::{Coverage, DictionaryEntry, Mnemonic, Samples, SqlType, Series, TimeRange, Instant};
/// use edb_plot::{FigureOptions, Format, draw};
///
/// let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(60_000_000))?;
/// let series = Series {
///     about: DictionaryEntry::bare(Mnemonic::new("IMIR_HK_ICE_SEC_VOLT1")?),
///     range,
///     samples: Samples::empty(SqlType::Real),
///     leading: None,
///     trailing: None,
///     learned: None,
///     known: Coverage::from_iter([range]),
/// };
/// let figure = draw(&[series], range, &FigureOptions::default(), Format::Svg)?;
/// assert!(String::from_utf8(figure.value).unwrap().contains("IMIR_HK_ICE_SEC_VOLT1 (no samples)"));
/// assert_eq!(figure.notices.len(), 1);
/// # Ok::<(), edb_core::Error>(())
/// ```
pub fn draw(
    series: &[Series],
    range: TimeRange,
    options: &FigureOptions,
    format: Format,
) -> Result<Outcome<Vec<u8>>> {
    let font = Font::bundled()?;
    let width = checked_width(options)?;
    let columns = (f64::from(width) * options.scale.max(1.0)).ceil() as usize;
    let (panels, notices) = panels(series, range, columns, options.gap_limit_us);
    let title = options.title.clone().unwrap_or_else(|| default_title(series, range));
    let scene = compose(&panels, range, &title, options, &font)?;
    Ok(Outcome { value: encode(&scene, &title, options, format, &font)?, notices })
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
            let bitmap = raster::render(scene, font, options.scale);
            png::encode(&bitmap, title, &options.description)
        }
        Format::Svg => svg::write(scene, options.scale, title, &options.description),
    }
}

pub(crate) fn checked_width(options: &FigureOptions) -> Result<u32> {
    let width = options.width;
    if width < LEAST_WIDTH {
        return Err(Error::usage(format!(
            "could not draw a figure {width} pixels wide: expected at least {LEAST_WIDTH}"
        )));
    }
    if !(options.scale.is_finite() && options.scale > 0.0) {
        return Err(Error::usage(format!("could not draw at scale {}: expected more than 0", options.scale)));
    }
    checked_size(f64::from(width), f64::from(options.height.unwrap_or(1)), options.scale)?;
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
    Err(Error::usage(text).with_hint("reduce the width, the height or the scale, or draw fewer series"))
}

fn default_title(series: &[Series], range: TimeRange) -> String {
    const MOST: usize = 4;
    let names: Vec<_> = series.iter().take(MOST).map(|series| series.mnemonic().as_str()).collect();
    let more = series.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}   {} to {}", names.join(", "), range.start(), range.stop()).trim_start().to_owned()
}

/// Lays the panels out and draws them.
fn compose(
    panels: &[Panel],
    range: TimeRange,
    title: &str,
    options: &FigureOptions,
    font: &Font,
) -> Result<Scene> {
    let width = f64::from(options.width);
    let columns = Columns { left: draw::left_margin(panels, font), right: width - RIGHT_MARGIN };
    let legends: Vec<f64> = panels.iter().map(|panel| draw::legend_height(panel, columns, font)).collect();
    let top = if title.is_empty() { TOP_MARGIN } else { TITLE_HEIGHT };
    let foot = if options.footer.is_empty() { 0.0 } else { FOOTER_HEIGHT };
    let fixed =
        top + TIME_AXIS_HEIGHT + foot + legends.iter().sum::<f64>() + panels.len() as f64 * PANEL_SPACE;
    let wanted: Vec<f64> = panels.iter().map(preferred_height).collect();
    let wanted_sum = wanted.iter().sum::<f64>().max(LEAST_PANEL_HEIGHT);
    let height = options.height.map_or((fixed + wanted_sum).ceil(), f64::from);
    checked_size(width, height, options.scale)?;
    let stretch = (height - fixed) / wanted_sum;
    if wanted.iter().any(|wanted| wanted * stretch < LEAST_PANEL_HEIGHT - 0.5) || stretch <= 0.0 {
        let least = wanted.iter().fold(wanted_sum, |least, wanted| least.min(*wanted));
        let needed = (fixed + wanted_sum * LEAST_PANEL_HEIGHT / least).ceil();
        return Err(Error::new(
            ErrorKind::Usage,
            format!(
                "could not draw {} panels {height} pixels high: expected at least {needed}",
                panels.len()
            ),
        ));
    }

    let mut scene = Scene { width: options.width, height: height as u32, shapes: Vec::new() };
    if !title.is_empty() {
        heading(&mut scene, title, columns, font);
    }
    let ticks =
        time_axis::ticks(range, columns.right - columns.left, 26.0, |text| font.width(text, draw::TICK_SIZE));
    let mut y = top;
    for ((panel, legend), wanted) in panels.iter().zip(&legends).zip(&wanted) {
        let bottom = (y + legend + wanted * stretch).round();
        let area = Area { left: columns.left, top: (y + legend).round(), right: columns.right, bottom };
        draw::panel(&mut scene, panel, area, range, &ticks, font);
        y = bottom + PANEL_SPACE;
    }
    if panels.is_empty() {
        let area = Area {
            left: columns.left,
            top: y,
            right: columns.right,
            bottom: (y + wanted_sum * stretch).round(),
        };
        draw::empty(&mut scene, area, range, &ticks, "no series");
        y = area.bottom + PANEL_SPACE;
    }
    draw::time_axis(&mut scene, columns, y - PANEL_SPACE, range, &ticks, font);
    if foot > 0.0 {
        footer(&mut scene, &options.footer, font);
    }
    Ok(scene)
}

/// The title, at the top.
pub(crate) fn heading(scene: &mut Scene, title: &str, columns: Columns, font: &Font) {
    let title = font.fit(title, TITLE_SIZE, columns.right - 16.0);
    scene.text(&title, (16.0, 25.0), TITLE_SIZE, palette::TEXT, Anchor::Left);
}

/// The small line at the bottom.
pub(crate) fn footer(scene: &mut Scene, text: &str, font: &Font) {
    let text = font.fit(text, FOOTER_SIZE, f64::from(scene.width) - 32.0);
    let at = (16.0, f64::from(scene.height) - 9.0);
    scene.text(&text, at, FOOTER_SIZE, palette::QUIET, Anchor::Left);
}

fn preferred_height(panel: &Panel) -> f64 {
    match &panel.content {
        Content::Values { .. } => 190.0,
        Content::States(names) => 40.0_f64.max(22.0 * names.len() as f64 + 18.0),
        Content::Messages(messages) if messages.is_empty() => LEAST_PANEL_HEIGHT,
        Content::Messages(_) => 120.0,
    }
}
