//! Draws panels of numbers.

use super::{LINE_WIDTH, Plane, TICK_SIZE, TimeAxis, VALUE_TICK_SPACE, crisp, grid, nothing, shade, unit};
use crate::font::Font;
use crate::panel::{About, Curve, ValuePanel};
use crate::scene::{Anchor, Area, Color, Point, Scene};
use crate::trace::{Limits, Severity};
use crate::value_axis::Span;

const DOT_RADIUS: f64 = 2.4;
const MARK_RADIUS: f64 = 3.0;
/// Every sample is marked when there are at most this many.
const FEW: usize = 60;
/// How strongly what is beyond limits, and what lies around a line, is tinted.
const LIMIT_OPACITY: f64 = 0.13;
const ENVELOPE_OPACITY: f64 = 0.25;

/// The values that the panel shows: those drawn, and limits that are no further away than those are from each other.
pub(crate) fn span(panel: &ValuePanel) -> Option<Span> {
    let extents = panel.curves.iter().filter_map(Curve::extent);
    let (low, high) = extents.reduce(|all, more| (all.0.min(more.0), all.1.max(more.1)))?;
    let reach = high - low;
    let is_near = |level: &f64| {
        *level >= low - reach && *level <= high + reach && (!panel.is_logarithmic || *level > 0.0)
    };
    let levels =
        panel.curves.iter().flat_map(|curve| curve.limits.levels().collect::<Vec<_>>()).filter(is_near);
    let (low, high) = levels.fold((low, high), |(low, high), level| (low.min(level), high.max(level)));
    Some(if panel.is_logarithmic { Span::logarithmic(low, high) } else { Span::around(low, high) })
}

/// The ticks of the value axis of a panel of `height` pixels.
pub(super) fn ticks(panel: &ValuePanel, height: f64) -> Vec<(f64, String)> {
    let most = ((height / VALUE_TICK_SPACE) as usize).clamp(2, 8);
    span(panel).map(|span| span.ticks(most, panel.is_whole)).unwrap_or_default()
}

pub(super) fn draw(scene: &mut Scene, panel: &ValuePanel, area: Area, axis: &TimeAxis, font: &Font) {
    unit(scene, &panel.unit, 20.0, area, font);
    let palette = scene.palette;
    let about: Vec<(&About, Color)> = panel
        .curves
        .iter()
        .filter(|curve| !curve.about.asked.is_empty())
        .map(|curve| (&curve.about, palette.series[curve.color % 7]))
        .collect();
    let Some(span) = span(panel) else {
        let plane = Plane { area, range: axis.range, span: Span::linear(0.0, 1.0) };
        grid(scene, &plane, &axis.ticks, &[]);
        shade(scene, &plane, &about);
        nothing(scene, area, "no samples in this range");
        return;
    };
    let plane = Plane { area, range: axis.range, span };
    bands(scene, &plane, panel.limits);
    let labels = ticks(panel, area.height());
    let levels: Vec<f64> = labels.iter().map(|(value, _)| plane.y(*value)).collect();
    grid(scene, &plane, &axis.ticks, &levels);
    for ((_, label), y) in labels.iter().zip(&levels) {
        scene.text(label, (area.left - 8.0, y + 4.3), TICK_SIZE, palette.text, Anchor::Right);
    }
    shade(scene, &plane, &about);
    for curve in &panel.curves {
        if panel.limits.is_empty() {
            levels_of(scene, &plane, curve);
        }
        draw_curve(scene, curve, &plane);
    }
    borders(scene, &plane, panel.limits);
    for curve in &panel.curves {
        for (vertex, severity) in &curve.marks {
            mark(scene, plane.point(*vertex), *severity);
        }
    }
}

fn draw_curve(scene: &mut Scene, curve: &Curve, plane: &Plane) {
    let color = scene.palette.series[curve.color % 7];
    for run in &curve.track.runs {
        let points: Vec<Point> =
            run.corners(curve.track.course).into_iter().map(|vertex| plane.point(vertex)).collect();
        // What is shorter than a dot would look like nothing.
        if let Some(first) = points.first()
            && points.iter().all(|point| (point.0 - first.0).hypot(point.1 - first.1) < DOT_RADIUS)
        {
            scene.dot(*first, DOT_RADIUS, color);
        }
        scene.line(points, color, LINE_WIDTH);
    }
    let dot = |scene: &mut Scene, sample: (i64, f64)| scene.dot(plane.point(sample), DOT_RADIUS, color);
    if curve.about.count <= FEW {
        curve.track.samples().for_each(|sample| dot(scene, sample));
    } else {
        curve.track.lone.iter().for_each(|sample| dot(scene, *sample));
    }
    let Some(envelope) = &curve.envelope else { return };
    for band in &envelope.bands {
        if let [(time, low, high)] = band.as_slice() {
            scene.line(vec![plane.point((*time, *low)), plane.point((*time, *high))], color, LINE_WIDTH);
            continue;
        }
        let upper = band.iter().map(|(time, _, high)| plane.point((*time, *high)));
        let lower = band.iter().rev().map(|(time, low, _)| plane.point((*time, *low)));
        scene.tint(upper.chain(lower).collect(), color, ENVELOPE_OPACITY);
    }
    for line in &envelope.lines {
        match line.as_slice() {
            [only] => scene.dot(plane.point(*only), DOT_RADIUS, color),
            _ => scene.line(line.iter().map(|vertex| plane.point(*vertex)).collect(), color, LINE_WIDTH),
        }
    }
}

/// A sample beyond a limit: a dot beyond the yellow one, a cross beyond the red one, so that shapes tell what colours may not.
fn mark(scene: &mut Scene, (x, y): Point, severity: Severity) {
    match severity {
        Severity::Yellow => scene.dot((x, y), MARK_RADIUS, scene.palette.yellow),
        Severity::Red => {
            let color = scene.palette.red;
            scene.line(
                vec![(x - MARK_RADIUS, y - MARK_RADIUS), (x + MARK_RADIUS, y + MARK_RADIUS)],
                color,
                1.6,
            );
            scene.line(
                vec![(x - MARK_RADIUS, y + MARK_RADIUS), (x + MARK_RADIUS, y - MARK_RADIUS)],
                color,
                1.6,
            );
        }
    }
}

/// Tints what lies beyond yellow limits, up to the red ones, and what lies beyond those.
fn bands(scene: &mut Scene, plane: &Plane, limits: Limits) {
    let Area { left, right, top, bottom } = plane.area;
    let palette = scene.palette;
    let mut tint = |from: f64, to: f64, color: Color| {
        let (upper, lower) = (plane.y(to), plane.y(from));
        if lower - upper > 0.01 {
            scene.tint_area(
                Area { left, right, top: upper.max(top), bottom: lower.min(bottom) },
                color,
                LIMIT_OPACITY,
            );
        }
    };
    let red = limits.red.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    if let Some((low, high)) = limits.yellow {
        tint(red.0, low, palette.yellow);
        tint(high, red.1, palette.yellow);
    }
    if let Some((low, high)) = limits.red {
        tint(f64::NEG_INFINITY, low, palette.red);
        tint(high, f64::INFINITY, palette.red);
    }
}

/// Draws the lines of limits, and the nominal value.
fn borders(scene: &mut Scene, plane: &Plane, limits: Limits) {
    let Area { left, right, .. } = plane.area;
    let palette = scene.palette;
    let mut level = |value: f64, color: Color, is_dashed: bool| {
        if value.is_finite() && plane.span.shows(value) {
            let y = crisp(plane.y(value));
            if is_dashed {
                scene.dashes((left, right), y, color, 1.0);
            } else {
                scene.line(vec![(left, y), (right, y)], color, 1.0);
            }
        }
    };
    for (pair, color) in [(limits.yellow, palette.yellow), (limits.red, palette.red)] {
        for value in pair.into_iter().flat_map(|(low, high)| [low, high]) {
            level(value, color, false);
        }
    }
    limits.nominal.into_iter().for_each(|nominal| level(nominal, palette.text, true));
}

/// Where curves have limits of their own, these are dashes in the curve's colour.
fn levels_of(scene: &mut Scene, plane: &Plane, curve: &Curve) {
    let color = scene.palette.series[curve.color % 7];
    for level in curve.limits.levels().filter(|level| plane.span.shows(*level)) {
        scene.dashes((plane.area.left, plane.area.right), crisp(plane.y(level)), color, 1.0);
    }
}
