//! Draws panels that have an axis of their own: histograms and phases.

use edb_core::Instant;

use super::{
    Columns, LINE_WIDTH, TICK_SIZE, UNIT_SIZE, VALUE_TICK_SPACE, crisp, frame, legend, nothing, unit,
};
use crate::font::Font;
use crate::histogram::Histogram;
use crate::palette;
use crate::panel::{Content, Panel};
use crate::phase::Phase;
use crate::scene::{Anchor, Area, Point, Scene};
use crate::time_axis::Clock;
use crate::value_axis::Span;

/// Tick labels and the name of an axis below such a panel.
pub(crate) const SIDE_AXIS_HEIGHT: f64 = 46.0;
const COLOR_BAR_WIDTH: f64 = 12.0;
/// How many colours time has.
const SHADES: f64 = 64.0;

/// Draws one panel between `columns`, from its legend to its axis, from `top` to `bottom`.
pub(crate) fn side_panel(
    scene: &mut Scene,
    panel: &Panel,
    columns: Columns,
    (top, bottom): (f64, f64),
    clock: Clock,
    font: &Font,
) {
    let legend_height = super::legend_height(scene, panel, (columns.left, columns.right), font);
    let area = Area {
        left: columns.left + margin(panel, font),
        right: columns.right,
        top: top + legend_height,
        bottom: bottom - SIDE_AXIS_HEIGHT,
    };
    let area = match &panel.content {
        Content::Histogram(histogram) => {
            draw_histogram(scene, histogram, area, font);
            area
        }
        Content::Phase(phase) => draw_phase(scene, phase, area, clock, font),
        Content::Values(_) | Content::Text(_) => return,
    };
    frame(scene, area);
    legend(scene, panel, area, None, font);
}

/// What the labels left of the panel need.
fn margin(panel: &Panel, font: &Font) -> f64 {
    let span = match &panel.content {
        Content::Histogram(histogram) => counts(histogram),
        Content::Phase(phase) => phase.extents().map(|(_, (low, high))| Span::around(low, high)),
        _ => None,
    };
    let labels = span.map(|span| span.ticks(8, false)).unwrap_or_default();
    labels.iter().map(|(_, label)| font.width(label, TICK_SIZE)).fold(24.0, f64::max) + 36.0
}

fn counts(histogram: &Histogram) -> Option<Span> {
    let most = histogram.bars.iter().flat_map(|bars| &bars.counts).copied().max().filter(|most| *most > 0)?;
    Some(if histogram.is_logarithmic {
        Span::logarithmic(0.8, most as f64)
    } else {
        Span::linear(0.0, most as f64 * 1.06)
    })
}

/// Ticks and grid of two value axes, and what they are of.
fn axes(
    scene: &mut Scene,
    area: Area,
    (across, x_name, is_x_whole): (Span, &str, bool),
    (up, y_name, is_y_whole): (Span, &str, bool),
    font: &Font,
) {
    let palette = scene.palette;
    let wide = |most: usize| {
        across
            .ticks(most, false)
            .iter()
            .map(|(_, label)| font.width(label, TICK_SIZE) + 18.0)
            .fold(1.0, f64::max)
    };
    let most = (2..=12).rev().find(|most| wide(*most) * *most as f64 <= area.width()).unwrap_or(2);
    for (value, label) in across.ticks(most, is_x_whole) {
        let x = area.left + across.part(value) * area.width();
        scene.line(vec![(crisp(x), area.top), (crisp(x), area.bottom)], palette.grid, 1.0);
        scene.line(vec![(crisp(x), area.bottom), (crisp(x), area.bottom + 5.0)], palette.frame, 1.0);
        scene.text(&label, (x, area.bottom + 19.0), TICK_SIZE, palette.text, Anchor::Middle);
    }
    let most = ((area.height() / VALUE_TICK_SPACE) as usize).clamp(2, 8);
    for (value, label) in up.ticks(most, is_y_whole) {
        let y = area.bottom - up.part(value) * area.height();
        scene.line(vec![(area.left, crisp(y)), (area.right, crisp(y))], palette.grid, 1.0);
        scene.text(&label, (area.left - 8.0, y + 4.3), TICK_SIZE, palette.text, Anchor::Right);
    }
    let middle = f64::midpoint(area.left, area.right);
    let name = font.fit(x_name, UNIT_SIZE, area.width());
    scene.text(&name, (middle, area.bottom + 38.0), UNIT_SIZE, palette.text, Anchor::Middle);
    let widest =
        up.ticks(most, is_y_whole).iter().map(|(_, label)| font.width(label, TICK_SIZE)).fold(0.0, f64::max);
    unit(scene, y_name, area.left - widest - 18.0, area, font);
}

fn draw_histogram(scene: &mut Scene, histogram: &Histogram, area: Area, font: &Font) {
    let Some(up) = counts(histogram) else { return nothing(scene, area, "no samples in this range") };
    let edge = |at: usize| histogram.low + histogram.step * at as f64;
    let (low, high) = histogram.ends();
    let across = Span::linear(low, high);
    let unit = if histogram.unit.is_empty() { "value" } else { &histogram.unit };
    axes(scene, area, (across, unit, histogram.is_whole()), (up, "samples", true), font);
    let x = |value: f64| area.left + across.part(value) * area.width();
    let y = |count: u64| area.bottom - up.part(count as f64) * area.height();
    for (at, bars) in histogram.bars.iter().enumerate() {
        let color = scene.palette.series[at % 7];
        let mut outline: Vec<Point> = vec![(x(edge(0)), area.bottom)];
        for (step, count) in bars.counts.iter().enumerate() {
            outline.extend([(x(edge(step)), y(*count)), (x(edge(step + 1)), y(*count))]);
        }
        outline.push((x(edge(bars.counts.len())), area.bottom));
        scene.tint(outline.clone(), color, if histogram.bars.len() == 1 { 0.55 } else { 0.25 });
        scene.line(outline, color, LINE_WIDTH);
    }
    let palette = scene.palette;
    let limits = histogram.limits;
    let pairs = [(limits.yellow, palette.yellow), (limits.red, palette.red)];
    let sides = pairs.into_iter().flat_map(|(pair, color)| {
        pair.into_iter().flat_map(move |(low, high)| [(low, color), (high, color)])
    });
    for (level, color) in sides.chain(limits.nominal.map(|nominal| (nominal, palette.text))) {
        if level.is_finite() && across.shows(level) {
            let x = crisp(x(level));
            scene.line(vec![(x, area.top), (x, area.bottom)], color, 1.2);
        }
    }
}

/// Returns the area that the points have: a colour bar stands beside it.
fn draw_phase(scene: &mut Scene, phase: &Phase, area: Area, clock: Clock, font: &Font) -> Area {
    let palette = scene.palette;
    let Some(((left, right), (low, high))) = phase.extents() else {
        nothing(scene, area, "no samples in this range");
        return area;
    };
    let times = || phase.runs.iter().flatten().map(|point| point.0);
    let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
    let moments: Vec<(f64, String)> = [0.0, 0.25, 0.5, 0.75, 1.0]
        .map(|part| (part, clock.moment(Instant::from_micros(first + ((last - first) as f64 * part) as i64))))
        .to_vec();
    let widest = moments.iter().map(|(_, text)| font.width(text, TICK_SIZE)).fold(0.0, f64::max);
    let area = Area { right: area.right - COLOR_BAR_WIDTH - widest - 26.0, ..area };
    let (across, up) = (Span::around(left, right), Span::around(low, high));
    let name = |about: &crate::panel::About| {
        let unit = if about.unit.is_empty() { String::new() } else { format!(" ({})", about.unit) };
        format!("{}{unit}", about.name)
    };
    axes(scene, area, (across, &name(&phase.x), false), (up, &name(&phase.y), false), font);
    let point = |x: f64, y: f64| {
        (area.left + across.part(x) * area.width(), area.bottom - up.part(y) * area.height())
    };
    let shade = |time: i64| {
        if last > first { ((time - first) as f64 / (last - first) as f64 * SHADES) as i64 } else { 0 }
    };
    for run in &phase.runs {
        let mut points: Vec<Point> = Vec::new();
        let mut own = None;
        for (time, x, y) in run {
            let at = point(*x, *y);
            if own.is_some_and(|own| own != shade(*time)) {
                points.push(at);
                stroke(scene, std::mem::take(&mut points), own, SHADES);
            }
            own = Some(shade(*time));
            points.push(at);
        }
        stroke(scene, points, own, SHADES);
    }
    let bar = Area { left: area.right + 14.0, right: area.right + 14.0 + COLOR_BAR_WIDTH, ..area };
    for step in 0..SHADES as usize {
        let edge = |step: usize| bar.bottom - bar.height() * step as f64 / SHADES;
        let color = palette::of_time((step as f64 + 0.5) / SHADES);
        scene.fill(Area { top: edge(step + 1), bottom: edge(step), ..bar }, color);
    }
    for (part, text) in moments {
        let y = bar.bottom - bar.height() * part;
        scene.text(&text, (bar.right + 6.0, y + 4.0), TICK_SIZE, palette.text, Anchor::Left);
    }
    area
}

fn stroke(scene: &mut Scene, points: Vec<Point>, shade: Option<i64>, shades: f64) {
    let color = palette::of_time(shade.unwrap_or(0) as f64 / shades);
    match points.as_slice() {
        [] => {}
        [only] => scene.dot(*only, 2.0, color),
        _ => scene.line(points, color, LINE_WIDTH),
    }
}
