//! Draws states and messages.

use super::{LINE_WIDTH, Plane, TimeAxis, grid, nothing, shade};
use crate::font::Font;
use crate::panel::{Text, TextPanel};
use crate::scene::{Anchor, Area, Color, Scene};
use crate::states::{Message, States};
use crate::value_axis::Span;

const STATE_SIZE: f64 = 11.0;
const MESSAGE_SIZE: f64 = 11.0;
const MESSAGE_LINE: f64 = 17.0;
const MESSAGE_WIDTH: f64 = 300.0;
/// The height of the marks of messages.
const MARK_HEIGHT: f64 = 14.0;

/// Draws a text; of messages, returns how many have their text beside them.
pub(super) fn draw(
    scene: &mut Scene,
    panel: &TextPanel,
    area: Area,
    axis: &TimeAxis,
    font: &Font,
) -> Option<usize> {
    let plane = Plane { area, range: axis.range, span: Span::linear(0.0, 1.0) };
    grid(scene, &plane, &axis.ticks, &[]);
    shade(scene, &plane, &[(&panel.about, scene.palette.quiet)]);
    match &panel.text {
        Text::States(states) if !states.segments.is_empty() => {
            draw_states(scene, states, &plane, font);
            None
        }
        Text::Messages(messages) if !messages.is_empty() => {
            Some(draw_messages(scene, messages, &plane, font))
        }
        _ => {
            nothing(scene, area, "no samples in this range");
            None
        }
    }
}

/// Draws a bar for each state, with its name where there is room. States that share a pixel share its height, so that none is hidden.
fn draw_states(scene: &mut Scene, states: &States, plane: &Plane, font: &Font) {
    let (top, bottom) = (plane.area.top + 4.0, plane.area.bottom - 4.0);
    let palette = scene.palette;
    let mut narrow: Option<(f64, Vec<usize>)> = None;
    let flush = |scene: &mut Scene, narrow: &mut Option<(f64, Vec<usize>)>| {
        let Some((left, words)) = narrow.take() else { return };
        let height = (bottom - top) / words.len() as f64;
        for (at, word) in words.into_iter().enumerate() {
            let upper = top + height * at as f64;
            let area = Area { left, right: left + 1.0, top: upper, bottom: upper + height };
            scene.fill(area, palette.state(word));
        }
    };
    for segment in &states.segments {
        let (left, right) = (plane.x(segment.start), plane.x(segment.stop));
        if right - left < 1.0 {
            let column = left.floor().min(plane.area.right - 1.0);
            match &mut narrow {
                Some((own, words)) if (*own - column).abs() < 0.5 => {
                    if !words.contains(&segment.word) {
                        words.push(segment.word);
                        words.sort_unstable();
                    }
                }
                _ => {
                    flush(scene, &mut narrow);
                    narrow = Some((column, vec![segment.word]));
                }
            }
            continue;
        }
        flush(scene, &mut narrow);
        let color = palette.state(segment.word);
        scene.fill(Area { left, top, right, bottom }, color);
        // Neighbours of one colour are told apart by an edge.
        scene.line(vec![(left, top), (left, bottom)], palette.background, 1.0);
        let name = states.words[segment.word].trim();
        if !name.is_empty() && font.width(name, STATE_SIZE) + 10.0 <= right - left {
            let at = (f64::midpoint(left, right), f64::midpoint(top, bottom) + 4.0);
            let ink = if color.is_bright() { Color(0, 0, 0) } else { Color(255, 255, 255) };
            scene.text(name, at, STATE_SIZE, ink, Anchor::Middle);
        }
    }
    flush(scene, &mut narrow);
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
fn draw_messages(scene: &mut Scene, messages: &[Message], plane: &Plane, font: &Font) -> usize {
    let area = plane.area;
    let lanes = ((area.height() - MARK_HEIGHT - 6.0) / MESSAGE_LINE).max(0.0) as usize;
    let mut free_from = vec![f64::NEG_INFINITY; lanes];
    let (mut texts, mut marks): (Vec<Label>, Vec<f64>) = (Vec::new(), Vec::new());
    for (time, text) in messages {
        let x = plane.x(*time);
        // Marks nearer than half a pixel are one.
        if marks.last().is_none_or(|last| x - last > 0.5) {
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
    let palette = scene.palette;
    for Label { mark, base, .. } in &texts {
        scene.line(vec![(*mark, base - 9.0), (*mark, area.bottom - MARK_HEIGHT)], palette.leader, 1.0);
    }
    for x in marks {
        scene.line(
            vec![(x, area.bottom - MARK_HEIGHT), (x, area.bottom - 1.0)],
            palette.series[0],
            LINE_WIDTH,
        );
    }
    let shown = texts.len();
    for Label { left, base, text, width, .. } in texts {
        let back = Area { left: left + 2.0, top: base - 11.0, right: left + width + 7.0, bottom: base + 4.0 };
        scene.fill(back, palette.background);
        scene.text(&text, (left + 4.0, base), MESSAGE_SIZE, palette.text, Anchor::Left);
    }
    shown
}
