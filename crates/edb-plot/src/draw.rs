//! Draws panels and the time axis.

use edb_core::TimeRange;

use crate::font::Font;
use crate::palette;
use crate::panel::{Content, Panel};
use crate::scene::{Anchor, Area, Point, Scene};
use crate::time_axis::Tick;
use crate::track::Vertex;
use crate::value_axis::Span;

/// The size of tick labels.
pub(crate) const TICK_SIZE: f64 = 12.0;
const LEGEND_SIZE: f64 = 12.0;
const LEGEND_LINE: f64 = 18.0;
const SWATCH: f64 = 22.0;
const LEGEND_SPACE: f64 = 26.0;
const UNIT_SIZE: f64 = 12.5;
/// Pixels between two ticks of a value axis, at least.
const VALUE_TICK_SPACE: f64 = 27.0;
/// The widest name of a state beside its panel.
const STATE_WIDTH: f64 = 190.0;
const MESSAGE_SIZE: f64 = 11.0;
const MESSAGE_LINE: f64 = 17.0;
const MESSAGE_WIDTH: f64 = 300.0;
/// The height of the marks of messages.
const MARK_HEIGHT: f64 = 14.0;
const LINE_WIDTH: f64 = 1.5;
const STATE_LINE_WIDTH: f64 = 2.2;
const DOT_RADIUS: f64 = 2.4;

/// Where every panel begins and ends, from the left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    pub(crate) left: f64,
    pub(crate) right: f64,
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
        self.area.left + part * self.area.width()
    }

    fn y(&self, value: f64) -> f64 {
        self.area.bottom - self.span.part(value) * self.area.height()
    }

    fn point(&self, vertex: Vertex) -> Point {
        (self.x(vertex.0), self.y(vertex.1))
    }
}

/// The range of values of a panel, if it has any.
fn span(panel: &Panel) -> Option<Span> {
    match &panel.content {
        Content::Values { .. } => {
            let extents = panel.entries.iter().filter_map(|entry| entry.track.extent());
            let (low, high) = extents.reduce(|all, more| (all.0.min(more.0), all.1.max(more.1)))?;
            Some(Span::around(low, high))
        }
        Content::States(names) if names.is_empty() => None,
        Content::States(names) => Some(Span { low: -0.6, high: names.len() as f64 - 0.4 }),
        Content::Messages(messages) if messages.is_empty() => None,
        Content::Messages(_) => Some(Span { low: 0.0, high: 1.0 }),
    }
}

/// The ticks of the value axis of a panel of `height` pixels.
fn value_ticks(panel: &Panel, height: f64, font: &Font) -> Vec<(f64, String)> {
    match (&panel.content, span(panel)) {
        (Content::Values { whole, .. }, Some(span)) => {
            span.ticks(((height / VALUE_TICK_SPACE) as usize).clamp(2, 8), *whole)
        }
        (Content::States(names), Some(_)) => {
            let label = |name: &String| {
                if name.trim().is_empty() {
                    "(blank)".to_owned()
                } else {
                    font.fit(name.trim(), TICK_SIZE, STATE_WIDTH)
                }
            };
            names.iter().enumerate().map(|(at, name)| (at as f64, label(name))).collect()
        }
        _ => Vec::new(),
    }
}

/// How much the widest label beside any panel needs.
pub(crate) fn left_margin(panels: &[Panel], font: &Font) -> f64 {
    // The heights are not known yet: taller panels have more ticks, whose labels may have one digit more.
    let labels = panels.iter().flat_map(|panel| {
        let heights = [LEGEND_LINE, 190.0, 400.0];
        heights.into_iter().flat_map(|height| value_ticks(panel, height, font))
    });
    let widest = labels.map(|(_, label)| font.width(&label, TICK_SIZE)).fold(30.0, f64::max);
    let has_unit = panels.iter().any(|panel| matches!(panel.content, Content::Values { .. }));
    (widest + if has_unit { 46.0 } else { 26.0 }).ceil()
}

/// The legend of a panel: what it says, and where each entry stands.
fn legend(panel: &Panel, columns: Columns, font: &Font) -> Vec<(Point, String)> {
    let (mut x, mut line) = (columns.left, 0.0);
    let mut places = Vec::new();
    for entry in &panel.entries {
        let remark = if entry.count == 0 { " (no samples)" } else { "" };
        let text = format!("{}{remark}", entry.name);
        let width = SWATCH + font.width(&text, LEGEND_SIZE);
        if x > columns.left && x + width > columns.right {
            (x, line) = (columns.left, line + 1.0);
        }
        places.push(((x, line * LEGEND_LINE), text));
        x += width + LEGEND_SPACE;
    }
    places
}

/// How much of a panel is its legend.
pub(crate) fn legend_height(panel: &Panel, columns: Columns, font: &Font) -> f64 {
    legend(panel, columns, font).last().map_or(0.0, |((_, y), _)| y + LEGEND_LINE + 4.0)
}

/// Draws one panel with its frame in `area` and its legend above.
pub(crate) fn panel(
    scene: &mut Scene,
    panel: &Panel,
    area: Area,
    range: TimeRange,
    ticks: &[Tick],
    font: &Font,
) {
    let columns = Columns { left: area.left, right: area.right };
    let top = area.top - legend_height(panel, columns, font);
    let shown = match (&panel.content, span(panel)) {
        (_, None) => {
            empty(scene, area, range, ticks, "no samples in this range");
            None
        }
        (Content::Messages(messages), Some(span)) => {
            let plane = Plane { area, range, span };
            grid(scene, &plane, ticks, &[]);
            Some(draw_messages(scene, messages, &plane, font))
        }
        (_, Some(span)) => {
            draw_tracks(scene, panel, &Plane { area, range, span }, ticks, font);
            None
        }
    };
    frame(scene, area);
    for (entry, ((x, y), text)) in panel.entries.iter().zip(legend(panel, columns, font)) {
        let base = top + y + LEGEND_LINE - 5.0;
        let color = if entry.count == 0 && entry.track.is_empty() { palette::LEADER } else { entry.color };
        scene.line(vec![(x, base - 4.0), (x + SWATCH - 7.0, base - 4.0)], color, 2.5);
        let text = match shown {
            Some(shown) if shown < entry.count => {
                format!("{text} ({} messages, {shown} texts shown)", entry.count)
            }
            _ => text,
        };
        let text = font.fit(&text, LEGEND_SIZE, area.right - x - SWATCH);
        scene.text(&text, (x + SWATCH, base), LEGEND_SIZE, palette::TEXT, Anchor::Left);
    }
    if let Content::Values { unit, .. } = &panel.content {
        let unit = if unit.is_empty() { "value" } else { unit };
        let at = (20.0, f64::midpoint(area.top, area.bottom));
        let unit = font.fit(unit, UNIT_SIZE, area.height());
        scene.turned_text(&unit, at, UNIT_SIZE, palette::TEXT, Anchor::Middle);
    }
}

fn draw_tracks(scene: &mut Scene, panel: &Panel, plane: &Plane, ticks: &[Tick], font: &Font) {
    let labels = value_ticks(panel, plane.area.height(), font);
    let levels: Vec<f64> = labels.iter().map(|(value, _)| plane.y(*value)).collect();
    grid(scene, plane, ticks, &levels);
    for ((_, label), y) in labels.iter().zip(&levels) {
        scene.text(label, (plane.area.left - 8.0, y + 4.3), TICK_SIZE, palette::TEXT, Anchor::Right);
    }
    let width = if matches!(panel.content, Content::States(_)) { STATE_LINE_WIDTH } else { LINE_WIDTH };
    for entry in &panel.entries {
        for run in &entry.track.runs {
            let points = run.iter().map(|vertex| plane.point(*vertex)).collect();
            scene.line(points, entry.color, width);
        }
        for dot in &entry.track.dots {
            scene.dot(plane.point(*dot), DOT_RADIUS, entry.color);
        }
    }
}

/// The text of a message: where its mark and its left end are.
struct Label {
    mark: f64,
    left: f64,
    base: f64,
    text: String,
    width: f64,
}

/// Draws marks at the times of messages, and as many texts as fit, the earlier first. Returns how many.
fn draw_messages(scene: &mut Scene, messages: &[(i64, String)], plane: &Plane, font: &Font) -> usize {
    let area = plane.area;
    let lanes = ((area.height() - MARK_HEIGHT - 6.0) / MESSAGE_LINE) as usize;
    let mut free_from = vec![f64::NEG_INFINITY; lanes];
    let (mut texts, mut marks): (Vec<Label>, Vec<f64>) = (Vec::new(), Vec::new());
    for (time, text) in messages {
        let x = plane.x(*time);
        // Marks nearer than half a pixel are one.
        if marks.last().is_none_or(|last| x - last >= 0.5) {
            marks.push(x);
        }
        if text.is_empty() {
            continue;
        }
        let text = font.fit(text, MESSAGE_SIZE, MESSAGE_WIDTH);
        let width = font.width(&text, MESSAGE_SIZE);
        // Right of its mark, or left of it where the panel ends.
        let left = if x + width + 8.0 <= area.right { x } else { x - width - 9.0 };
        let Some(lane) = free_from.iter().position(|free| *free <= left) else { continue };
        if left < area.left {
            continue;
        }
        free_from[lane] = x.max(left + width) + 14.0;
        let base = area.bottom - MARK_HEIGHT - 6.0 - MESSAGE_LINE * lane as f64;
        texts.push(Label { mark: x, left, base, text, width });
    }
    let color = palette::SERIES[0];
    for Label { mark, base, .. } in &texts {
        scene.line(vec![(*mark, base - 9.0), (*mark, area.bottom - MARK_HEIGHT)], palette::LEADER, 1.0);
    }
    for x in marks {
        scene.line(vec![(x, area.bottom - MARK_HEIGHT), (x, area.bottom - 1.0)], color, LINE_WIDTH);
    }
    let shown = texts.len();
    for Label { left, base, text, width, .. } in texts {
        let back = Area { left: left + 2.0, top: base - 11.0, right: left + width + 7.0, bottom: base + 4.0 };
        scene.fill(back, palette::WHITE);
        scene.text(&text, (left + 4.0, base), MESSAGE_SIZE, palette::TEXT, Anchor::Left);
    }
    shown
}

/// Draws a panel that has nothing to show, and says so.
pub(crate) fn empty(scene: &mut Scene, area: Area, range: TimeRange, ticks: &[Tick], why: &str) {
    grid(scene, &Plane { area, range, span: Span { low: 0.0, high: 1.0 } }, ticks, &[]);
    let at = (f64::midpoint(area.left, area.right), f64::midpoint(area.top, area.bottom) + 4.0);
    scene.text(why, at, LEGEND_SIZE, palette::QUIET, Anchor::Middle);
    frame(scene, area);
}

fn grid(scene: &mut Scene, plane: &Plane, ticks: &[Tick], levels: &[f64]) {
    let area = plane.area;
    for tick in ticks {
        let x = crisp(plane.x(tick.at.as_micros()));
        scene.line(vec![(x, area.top), (x, area.bottom)], palette::GRID, 1.0);
    }
    for level in levels {
        let y = crisp(*level);
        scene.line(vec![(area.left, y), (area.right, y)], palette::GRID, 1.0);
    }
}

fn frame(scene: &mut Scene, area: Area) {
    let (left, right, top, bottom) =
        (crisp(area.left), crisp(area.right), crisp(area.top), crisp(area.bottom));
    let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    scene.line(corners, palette::FRAME, 1.0);
}

/// The middle of the pixel at `position`, where a thin line is sharp.
fn crisp(position: f64) -> f64 {
    position.floor() + 0.5
}

/// Draws the labels of the time axis below `top`.
pub(crate) fn time_axis(
    scene: &mut Scene,
    columns: Columns,
    top: f64,
    range: TimeRange,
    ticks: &[Tick],
    font: &Font,
) {
    let area = Area { left: columns.left, top, right: columns.right, bottom: top };
    let plane = Plane { area, range, span: Span { low: 0.0, high: 1.0 } };
    for tick in ticks {
        let x = plane.x(tick.at.as_micros());
        let mark = crisp(x);
        scene.line(vec![(mark, top), (mark, top + 5.0)], palette::FRAME, 1.0);
        for (text, down) in [(Some(&tick.label), 19.0), (tick.context.as_ref(), 35.0)] {
            if let Some(text) = text {
                // The last label may be longer than the margin is wide.
                let most = f64::from(scene.width) - 4.0 - font.width(text, TICK_SIZE) / 2.0;
                scene.text(text, (x.min(most), top + down), TICK_SIZE, palette::TEXT, Anchor::Middle);
            }
        }
    }
    let middle = f64::midpoint(columns.left, columns.right);
    scene.text("UTC", (middle, top + 53.0), UNIT_SIZE, palette::TEXT, Anchor::Middle);
}
