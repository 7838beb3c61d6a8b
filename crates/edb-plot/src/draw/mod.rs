//! Draws panels and the time axis.

mod legend;
mod other;
mod text;
mod values;

use edb_core::{Coverage, TimeRange};

use crate::font::Font;
use crate::panel::{About, Content, Panel};
use crate::scene::{Anchor, Area, Color, Point, Scene};
use crate::time_axis::{Clock, Tick};
use crate::value_axis::Span;

pub(crate) use legend::{legend, legend_height};
pub(crate) use other::{SIDE_AXIS_HEIGHT, side_panel};

/// The size of tick labels.
pub(crate) const TICK_SIZE: f64 = 12.0;
const UNIT_SIZE: f64 = 12.5;
/// Pixels between two ticks of a value axis, at least.
const VALUE_TICK_SPACE: f64 = 27.0;
const LINE_WIDTH: f64 = 1.5;
/// Nothing that is there is drawn narrower than this.
pub(crate) const LEAST_WIDTH: f64 = 1.5;

/// Where every panel begins and ends, from the left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    pub(crate) left: f64,
    pub(crate) right: f64,
}

/// The time axis.
pub(crate) struct TimeAxis {
    pub(crate) range: TimeRange,
    pub(crate) clock: Clock,
    pub(crate) ticks: Vec<Tick>,
}

/// Maps times and values to points.
struct Plane {
    area: Area,
    range: TimeRange,
    span: Span,
}

impl Plane {
    fn x(&self, time: i64) -> f64 {
        let part = (time - self.range.start().as_micros()) as f64 / self.range.micros() as f64;
        self.area.left + part.clamp(0.0, 1.0) * self.area.width()
    }

    fn y(&self, value: f64) -> f64 {
        self.area.bottom - self.span.part(value) * self.area.height()
    }

    fn point(&self, (time, value): (i64, f64)) -> Point {
        (self.x(time), self.y(value))
    }

    /// The part of the area that a span of time takes, wide enough to be seen.
    fn stretch(&self, span: TimeRange) -> Area {
        let (left, right) = (self.x(span.start().as_micros()), self.x(span.stop().as_micros()));
        let left = left.min(self.area.right - LEAST_WIDTH);
        Area { left, right: right.max(left + LEAST_WIDTH), ..self.area }
    }
}

/// How much the widest label beside any panel over time needs.
pub(crate) fn left_margin(panels: &[Panel], font: &Font) -> f64 {
    // The heights are not known yet: taller panels have more ticks, whose labels may have one digit more.
    let labels = panels.iter().flat_map(|panel| {
        let ticks = |height: f64| match &panel.content {
            Content::Values(panel) => values::ticks(panel, height),
            _ => Vec::new(),
        };
        [20.0, 190.0, 400.0].into_iter().flat_map(ticks)
    });
    let widest = labels.map(|(_, label)| font.width(&label, TICK_SIZE)).fold(30.0, f64::max);
    (widest + 46.0).ceil()
}

/// Draws one panel over time with its frame in `area` and its legend above.
pub(crate) fn timed_panel(scene: &mut Scene, panel: &Panel, area: Area, axis: &TimeAxis, font: &Font) {
    let shown = match &panel.content {
        Content::Values(values) => {
            values::draw(scene, values, area, axis, font);
            None
        }
        Content::Text(content) => text::draw(scene, content, area, axis, font),
        Content::Histogram(_) | Content::Phase(_) => None,
    };
    frame(scene, area);
    legend(scene, panel, area, shown, font);
}

/// Marks where nothing is known, and where nothing is although all is known: of all of `about` the height of the panel, of single ones
/// strips at its bottom, each in its colour.
fn shade(scene: &mut Scene, plane: &Plane, about: &[(&About, Color)]) {
    let common = |of: fn(&About) -> &Coverage| {
        about
            .iter()
            .map(|(about, _)| of(about).clone())
            .reduce(|all, more| all.intersect(&more))
            .unwrap_or_default()
    };
    let (unknown, absent) = (common(|about| &about.unknown), common(|about| &about.absent));
    let palette = scene.palette;
    for span in unknown.ranges() {
        scene.hatch(
            plane.stretch(*span),
            UNKNOWN_APART,
            true,
            palette.unknown.mixed(palette.background, 0.6),
        );
    }
    for span in absent.ranges() {
        scene.hatch(
            plane.stretch(*span),
            ABSENT_APART,
            false,
            palette.absent.mixed(palette.background, 0.35),
        );
    }
    let mut bottom = plane.area.bottom;
    for (about, color) in about {
        let (unknown, absent) = (about.unknown.without(&unknown), about.absent.without(&absent));
        if (unknown.is_empty() && absent.is_empty()) || bottom - STRIP < plane.area.top {
            continue;
        }
        let strip = |span: &TimeRange| Area { top: bottom - STRIP, bottom, ..plane.stretch(*span) };
        unknown.ranges().iter().for_each(|span| scene.hatch(strip(span), UNKNOWN_APART / 2.0, true, *color));
        absent.ranges().iter().for_each(|span| scene.hatch(strip(span), ABSENT_APART / 2.0, false, *color));
        bottom -= STRIP + 1.0;
    }
}

/// The height of a strip.
const STRIP: f64 = 5.0;
/// Pixels between the lines of hatches.
const UNKNOWN_APART: f64 = 9.0;
const ABSENT_APART: f64 = 7.0;

/// Whether any of these panels has a place where nothing is known, and one where nothing is.
pub(crate) fn shades(panels: &[&Panel]) -> (bool, bool) {
    let about = || {
        panels.iter().flat_map(|panel| match &panel.content {
            Content::Values(values) => values.curves.iter().map(|curve| &curve.about).collect(),
            Content::Text(text) => vec![&text.about],
            _ => Vec::new(),
        })
    };
    (about().any(|about| !about.unknown.is_empty()), about().any(|about| !about.absent.is_empty()))
}

/// Draws a panel that has nothing to show, and says so.
pub(crate) fn empty(scene: &mut Scene, area: Area, axis: &TimeAxis, why: &str) {
    let plane = Plane { area, range: axis.range, span: Span::linear(0.0, 1.0) };
    grid(scene, &plane, &axis.ticks, &[]);
    nothing(scene, area, why);
    frame(scene, area);
}

fn nothing(scene: &mut Scene, area: Area, why: &str) {
    let at = (f64::midpoint(area.left, area.right), f64::midpoint(area.top, area.bottom) + 4.0);
    scene.text(why, at, TICK_SIZE, scene.palette.quiet, Anchor::Middle);
}

fn grid(scene: &mut Scene, plane: &Plane, ticks: &[Tick], levels: &[f64]) {
    let area = plane.area;
    let color = scene.palette.grid;
    for tick in ticks {
        let x = crisp(plane.x(tick.at.as_micros()));
        scene.line(vec![(x, area.top), (x, area.bottom)], color, 1.0);
    }
    for level in levels {
        let y = crisp(*level);
        scene.line(vec![(area.left, y), (area.right, y)], color, 1.0);
    }
}

fn frame(scene: &mut Scene, area: Area) {
    let (left, right, top, bottom) =
        (crisp(area.left), crisp(area.right), crisp(area.top), crisp(area.bottom));
    let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    scene.line(corners, scene.palette.frame, 1.0);
}

/// The middle of the pixel at `position`, where a thin line is sharp.
fn crisp(position: f64) -> f64 {
    position.floor() + 0.5
}

/// Writes the unit, or what else an axis is of, along the left of a panel.
fn unit(scene: &mut Scene, unit: &str, x: f64, area: Area, font: &Font) {
    let unit = if unit.is_empty() { "value" } else { unit };
    let at = (x, f64::midpoint(area.top, area.bottom));
    let unit = font.fit(unit, UNIT_SIZE, area.height());
    scene.turned_text(&unit, at, UNIT_SIZE, scene.palette.text, Anchor::Middle);
}

/// Draws the labels of the time axis below `top`, and what shades above it mean.
pub(crate) fn time_axis(
    scene: &mut Scene,
    columns: Columns,
    top: f64,
    axis: &TimeAxis,
    (has_unknown, has_absent): (bool, bool),
    font: &Font,
) {
    let area = Area { left: columns.left, top, right: columns.right, bottom: top };
    let plane = Plane { area, range: axis.range, span: Span::linear(0.0, 1.0) };
    let palette = scene.palette;
    for tick in &axis.ticks {
        let x = plane.x(tick.at.as_micros());
        let mark = crisp(x);
        scene.line(vec![(mark, top), (mark, top + 5.0)], palette.frame, 1.0);
        for (text, down) in [(Some(&tick.label), 19.0), (tick.context.as_ref(), 35.0)] {
            if let Some(text) = text {
                // The last label may be longer than the margin is wide.
                let most = f64::from(scene.width) - 4.0 - font.width(text, TICK_SIZE) / 2.0;
                scene.text(text, (x.min(most), top + down), TICK_SIZE, palette.text, Anchor::Middle);
            }
        }
    }
    // In the middle, unless there is what shades mean.
    let (x, anchor) = if (has_unknown || has_absent) && columns.right - columns.left < 700.0 {
        (columns.left, Anchor::Left)
    } else {
        (f64::midpoint(columns.left, columns.right), Anchor::Middle)
    };
    scene.text(axis.clock.name(), (x, top + 53.0), UNIT_SIZE, palette.text, anchor);
    let mut right = columns.right;
    for (text, is_slanted) in [(has_absent, "no samples", false), (has_unknown, "not known", true)]
        .into_iter()
        .filter(|one| one.0)
        .map(|one| (one.1, one.2))
    {
        scene.text(text, (right, top + 53.0), TICK_SIZE, palette.quiet, Anchor::Right);
        right -= font.width(text, TICK_SIZE) + 7.0;
        let swatch = Area { left: right - 18.0, right, top: top + 43.0, bottom: top + 54.0 };
        let (apart, color) = if is_slanted {
            (UNKNOWN_APART / 2.0, palette.unknown)
        } else {
            (ABSENT_APART / 2.0, palette.absent)
        };
        scene.hatch(swatch, apart, is_slanted, color.mixed(palette.background, 0.7));
        right = swatch.left - 18.0;
    }
}
