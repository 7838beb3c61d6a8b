//! What stands above a panel.

use super::TICK_SIZE;
use crate::font::Font;
use crate::panel::{About, Content, Panel, Text};
use crate::scene::{Anchor, Area, Color, Point, Scene};
use crate::trace::Limits;

const SIZE: f64 = 12.0;
const LINE: f64 = 18.0;
const SWATCH: f64 = 22.0;
const SPACE: f64 = 26.0;
const HEADING_SIZE: f64 = 13.5;
const HEADING_LINE: f64 = 21.0;
/// The widest description in a legend.
const DESCRIPTION_WIDTH: f64 = 460.0;

/// How an entry is marked.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Swatch {
    None,
    Line(Color),
    Dashes(Color),
    Box(Color),
    /// A line within an envelope.
    Band(Color),
}

struct Item {
    swatch: Swatch,
    text: String,
    /// What stands behind it, quietly.
    more: String,
}

impl Item {
    fn width(&self, font: &Font) -> f64 {
        let swatch = if self.swatch == Swatch::None { 0.0 } else { SWATCH };
        let more = if self.more.is_empty() { 0.0 } else { 8.0 + font.width(&self.more, SIZE) };
        swatch + font.width(&self.text, SIZE) + more
    }
}

/// One of a mnemonic's limits.
#[derive(Debug, Clone, Copy)]
enum Limit {
    Nominal,
    Yellow,
    Red,
}

/// What limits there are, in words.
fn limit_words(limits: &Limits) -> impl Iterator<Item = (Limit, String)> {
    let side = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
    let pair = move |limit, name, pair: Option<(f64, f64)>| {
        let text = move |(low, high): (f64, f64)| {
            format!("{name} {}", format!("{} … {}", side(low), side(high)).trim())
        };
        pair.map(text).map(|text| (limit, text))
    };
    let nominal = limits.nominal.map(|nominal| (Limit::Nominal, format!("nominal {nominal}")));
    [nominal, pair(Limit::Yellow, "yellow", limits.yellow), pair(Limit::Red, "red", limits.red)]
        .into_iter()
        .flatten()
}

fn items(panel: &Panel, scene: &Scene, shown: Option<usize>, font: &Font) -> Vec<Item> {
    let palette = scene.palette;
    let more = |about: &About, others: usize| {
        if others > 3 { String::new() } else { font.fit(&about.description, SIZE, DESCRIPTION_WIDTH) }
    };
    let name =
        |about: &About| format!("{}{}", about.name, if about.count == 0 { " (no samples)" } else { "" });
    let mut items: Vec<Item> = Vec::new();
    match &panel.content {
        Content::Values(values) => {
            for curve in &values.curves {
                let is_there = curve.about.count > 0 || !curve.track.is_empty() || curve.envelope.is_some();
                let color = if is_there { palette.series[curve.color % 7] } else { palette.leader };
                let swatch = if curve.envelope.is_some() { Swatch::Band(color) } else { Swatch::Line(color) };
                let mut more = more(&curve.about, values.curves.len());
                if values.limits.is_empty() && !curve.limits.is_empty() {
                    let own = limit_words(&curve.limits).map(|(_, text)| text);
                    more = [more]
                        .into_iter()
                        .filter(|text| !text.is_empty())
                        .chain(own)
                        .collect::<Vec<_>>()
                        .join(", ");
                }
                items.push(Item { swatch, text: name(&curve.about), more });
            }
            let mark = |limit: Limit| match limit {
                Limit::Nominal => Swatch::Dashes(palette.quiet),
                Limit::Yellow => Swatch::Box(palette.yellow),
                Limit::Red => Swatch::Box(palette.red),
            };
            let limits =
                Limits { nominal: values.limits.nominal.filter(|_| !values.is_deviation), ..values.limits };
            let words = limit_words(&limits);
            items.extend(words.map(|(limit, text)| Item { swatch: mark(limit), text, more: String::new() }));
        }
        Content::Text(panel) => {
            let mut text = name(&panel.about);
            if let (Text::Messages(messages), Some(shown)) = (&panel.text, shown)
                && shown < messages.len()
            {
                text = format!("{text} ({} messages, {shown} texts shown)", messages.len());
            }
            let swatch = if matches!(panel.text, Text::Messages(_)) {
                Swatch::Line(palette.series[0])
            } else {
                Swatch::None
            };
            items.push(Item { swatch, text, more: more(&panel.about, 1) });
            if let Text::States(states) = &panel.text {
                let words = states.words.iter().enumerate();
                items.extend(words.map(|(at, word)| {
                    let text =
                        if word.trim().is_empty() { "(blank)".to_owned() } else { word.trim().to_owned() };
                    Item { swatch: Swatch::Box(palette.state(at)), text, more: String::new() }
                }));
            }
        }
        Content::Histogram(histogram) => {
            for (at, bars) in histogram.bars.iter().enumerate() {
                let (text, more) = (name(&bars.about), more(&bars.about, histogram.bars.len()));
                items.push(Item { swatch: Swatch::Box(palette.series[at % 7]), text, more });
            }
        }
        Content::Phase(phase) => {
            let text = format!("{} over {}", phase.y.name, phase.x.name);
            items.push(Item { swatch: Swatch::None, text, more: String::new() });
        }
    }
    items
}

fn places(items: &[Item], (left, right): (f64, f64), font: &Font) -> Vec<Point> {
    let (mut x, mut line) = (left, 0.0);
    let mut places = Vec::new();
    for item in items {
        let width = item.width(font);
        if x > left && x + width > right {
            (x, line) = (left, line + 1.0);
        }
        places.push((x, line * LINE));
        x += width + SPACE;
    }
    places
}

fn heading_height(panel: &Panel) -> f64 {
    if panel.heading.is_some() { HEADING_LINE } else { 0.0 }
}

/// How much of a panel is its heading and its legend.
pub(crate) fn legend_height(scene: &Scene, panel: &Panel, sides: (f64, f64), font: &Font) -> f64 {
    let items = items(panel, scene, Some(0), font);
    heading_height(panel) + places(&items, sides, font).last().map_or(0.0, |(_, y)| y + LINE + 4.0)
}

/// Draws the heading and the legend above the panel in `area`; of messages, `shown` have texts.
pub(crate) fn legend(scene: &mut Scene, panel: &Panel, area: Area, shown: Option<usize>, font: &Font) {
    let sides = (area.left, area.right);
    let mut top = area.top - legend_height(scene, panel, sides, font);
    let palette = scene.palette;
    if let Some(heading) = &panel.heading {
        let heading = font.fit(heading, HEADING_SIZE, area.width());
        scene.text(&heading, (area.left, top + HEADING_LINE - 6.0), HEADING_SIZE, palette.text, Anchor::Left);
        top += HEADING_LINE;
    }
    let items = items(panel, scene, shown, font);
    for (item, (x, y)) in items.iter().zip(places(&items, sides, font)) {
        let base = top + y + LINE - 5.0;
        let (line, right) = (vec![(x, base - 4.0), (x + SWATCH - 7.0, base - 4.0)], x + SWATCH - 7.0);
        let square = Area { left: x, right, top: base - 9.0, bottom: base + 1.0 };
        match item.swatch {
            Swatch::None => {}
            Swatch::Line(color) => scene.line(line, color, 2.5),
            Swatch::Dashes(color) => scene.dashes((x, right), base - 4.0, color, 1.5),
            Swatch::Box(color) => scene.fill(square, color),
            Swatch::Band(color) => {
                scene.tint_area(square, color, 0.3);
                scene.line(line, color, 2.5);
            }
        }
        let x = if item.swatch == Swatch::None { x } else { x + SWATCH };
        let text = font.fit(&item.text, SIZE, area.right - x);
        scene.text(&text, (x, base), SIZE, palette.text, Anchor::Left);
        if !item.more.is_empty() {
            let x = x + font.width(&text, SIZE) + 8.0;
            let more = font.fit(&item.more, TICK_SIZE, (area.right - x).max(0.0));
            scene.text(&more, (x, base), SIZE, palette.quiet, Anchor::Left);
        }
    }
}
