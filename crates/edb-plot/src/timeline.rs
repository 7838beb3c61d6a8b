//! What is known of each mnemonic, and when: one bar a row.

use edb_core::{Coverage, Result, TimeRange};

use crate::draw::{self, Columns, LEAST_WIDTH, TICK_SIZE, TimeAxis};
use crate::figure::{self, FigureOptions, Format};
use crate::font::Font;
use crate::scene::{Anchor, Area, Scene};
use crate::time_axis;

/// One row of a coverage timeline.
#[derive(Debug, Clone)]
pub struct CoverageRow {
    /// What stands beside it.
    pub name: String,
    /// What is known.
    pub known: Coverage,
    /// The part of it that may still change.
    pub provisional: Coverage,
}

const ROW_HEIGHT: f64 = 20.0;
const BAR_HEIGHT: f64 = 12.0;
const NAME_WIDTH: f64 = 260.0;
const LEGEND_HEIGHT: f64 = 24.0;
/// More rows make a figure that nobody can look at.
const MOST_ROWS: usize = 1_000;

/// Draws what is known over the time axis `range` and returns the bytes of the file, which the caller writes. The height follows from the
/// rows; beyond a thousand of them the rest is counted, not drawn.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] as for [`crate::draw`].
pub fn draw_coverage(
    rows: &[CoverageRow],
    range: TimeRange,
    options: &FigureOptions,
    format: Format,
) -> Result<Vec<u8>> {
    let font = Font::bundled()?;
    figure::checked_width(options)?;
    let shown = &rows[..rows.len().min(MOST_ROWS)];
    let title = options.title.clone().unwrap_or_else(|| {
        let more = rows.len() - shown.len();
        let more = if more > 0 { format!(" (the first {} of them)", shown.len()) } else { String::new() };
        let mnemonics = if rows.len() == 1 { "mnemonic" } else { "mnemonics" };
        format!("Coverage of {} {mnemonics}{more}", rows.len())
    });
    let span = figure::span_words(range, options.clock);
    let names: Vec<String> = shown.iter().map(|row| font.fit(&row.name, TICK_SIZE, NAME_WIDTH)).collect();
    let widest = names.iter().map(|name| font.width(name, TICK_SIZE)).fold(30.0, f64::max);
    let columns =
        Columns { left: (widest + 26.0).ceil(), right: f64::from(options.width) - figure::RIGHT_MARGIN };
    let foot = if options.footer.is_empty() { 0.0 } else { figure::FOOTER_HEIGHT };
    let top = figure::TITLE_HEIGHT + LEGEND_HEIGHT;
    let bottom = top + ROW_HEIGHT * shown.len().max(1) as f64;
    let height = bottom + figure::TIME_AXIS_HEIGHT + foot;
    figure::checked_size(f64::from(options.width), height, options.dots_per_inch / 96.0)?;
    let mut scene = Scene::new(options.width, height as u32, options.theme);
    let palette = scene.palette;
    let (known_color, provisional_color) = (palette.series[0], palette.series[4]);
    let area = Area { left: columns.left, top, right: columns.right, bottom };
    let ticks =
        time_axis::ticks(range, options.clock, area.width(), 26.0, |text| font.width(text, TICK_SIZE));
    let axis = TimeAxis { range, clock: options.clock, ticks };
    figure::heading(&mut scene, &title, &span, &font);
    let mut x = columns.left;
    for (text, color) in [("known", known_color), ("known, provisional", provisional_color)] {
        let base = figure::TITLE_HEIGHT + 12.0;
        scene.fill(Area { left: x, top: base - 9.0, right: x + 15.0, bottom: base + 1.0 }, color);
        scene.text(text, (x + 22.0, base), TICK_SIZE, palette.text, Anchor::Left);
        x += 48.0 + font.width(text, TICK_SIZE);
    }
    draw::empty(&mut scene, area, &axis, if shown.is_empty() { "nothing is known" } else { "" });
    let at = |time: i64| {
        let part = (time - range.start().as_micros()) as f64 / range.micros() as f64;
        area.left + part.clamp(0.0, 1.0) * area.width()
    };
    for (row, (entry, name)) in shown.iter().zip(&names).enumerate() {
        let middle = top + ROW_HEIGHT * (row as f64 + 0.5);
        scene.text(name, (area.left - 8.0, middle + 4.3), TICK_SIZE, palette.text, Anchor::Right);
        let mut bar = |part: TimeRange, color| {
            let left = at(part.start().as_micros()).min(area.right - LEAST_WIDTH);
            let right = at(part.stop().as_micros()).max(left + LEAST_WIDTH);
            let (top, bottom) = (middle - BAR_HEIGHT / 2.0, middle + BAR_HEIGHT / 2.0);
            scene.fill(Area { left, top, right, bottom }, color);
        };
        let known = entry.known.within(range);
        known.ranges().iter().for_each(|part| bar(*part, known_color));
        entry.provisional.within(range).ranges().iter().for_each(|part| bar(*part, provisional_color));
        // Holes last: one that is narrower than a pixel must be seen, too.
        if let Some(hull) = known.ranges().iter().copied().reduce(TimeRange::hull) {
            let is_narrow =
                |hole: &TimeRange| at(hole.stop().as_micros()) - at(hole.start().as_micros()) < LEAST_WIDTH;
            known.gaps(hull).into_iter().filter(is_narrow).for_each(|hole| bar(hole, palette.background));
        }
    }
    draw::time_axis(&mut scene, columns, bottom, &axis, (false, false), &font);
    if foot > 0.0 {
        figure::footer(&mut scene, &options.footer, &font);
    }
    figure::encode(&scene, &title, options, format, &font)
}
