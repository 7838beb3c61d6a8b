//! What a figure consists of, before anybody decides how it is written: shapes in pixels of the nominal size.

use crate::palette::{Palette, Theme};

/// A colour: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Color(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Color {
    /// So much of this colour, the rest of the other.
    pub(crate) fn mixed(self, other: Self, part: f64) -> Self {
        let mix =
            |one: u8, other: u8| (f64::from(one) * part + f64::from(other) * (1.0 - part)).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Whether text on it should be dark.
    pub(crate) fn is_bright(self) -> bool {
        0.299 * f64::from(self.0) + 0.587 * f64::from(self.1) + 0.114 * f64::from(self.2) > 150.0
    }
}

/// A point: pixels from the left and from the top.
pub(crate) type Point = (f64, f64);

/// Which part of a text lies at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Left,
    Middle,
    Right,
}

/// A rectangle whose sides are parallel to the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Area {
    pub(crate) fn width(self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(self) -> f64 {
        self.bottom - self.top
    }
}

/// One thing drawn. Later shapes lie on earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// An unbroken line with round joints.
    Line { points: Vec<Point>, color: Color, width: f64 },
    /// A filled rectangle.
    Fill { area: Area, color: Color },
    /// A polygon through which one sees.
    Tint { points: Vec<Point>, color: Color, opacity: f64 },
    /// A filled circle.
    Dot { at: Point, radius: f64, color: Color },
    /// A text whose base line runs through `at`, or, turned, reads upwards along it.
    Text { text: String, at: Point, size: f64, color: Color, anchor: Anchor, is_turned: bool },
}

/// Everything drawn, on one colour.
pub(crate) struct Scene {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) palette: &'static Palette,
    pub(crate) shapes: Vec<Shape>,
}

impl Scene {
    pub(crate) fn new(width: u32, height: u32, theme: Theme) -> Self {
        Self { width, height, palette: theme.palette(), shapes: Vec::new() }
    }

    pub(crate) fn tint(&mut self, points: Vec<Point>, color: Color, opacity: f64) {
        self.shapes.push(Shape::Tint { points, color, opacity });
    }

    pub(crate) fn tint_area(&mut self, area: Area, color: Color, opacity: f64) {
        let Area { left, top, right, bottom } = area;
        self.tint(vec![(left, top), (right, top), (right, bottom), (left, bottom)], color, opacity);
    }

    /// A level line of dashes.
    pub(crate) fn dashes(&mut self, (left, right): (f64, f64), y: f64, color: Color, width: f64) {
        const DASH: f64 = 7.0;
        const SPACE: f64 = 5.0;
        let mut x = left;
        while x < right {
            self.line(vec![(x, y), ((x + DASH).min(right), y)], color, width);
            x += DASH + SPACE;
        }
    }

    /// Lines across an area, `apart` pixels from each other, rising to the right, or upright.
    pub(crate) fn hatch(&mut self, area: Area, apart: f64, is_slanted: bool, color: Color) {
        let rise = if is_slanted { area.height() } else { 0.0 };
        // Hatches of neighbouring panels and spans go on in each other.
        let mut x = ((area.left - rise) / apart).ceil() * apart;
        while x < area.right {
            let from = (x.max(area.left), area.bottom - (area.left - x).max(0.0));
            let to = (x + rise).min(area.right);
            let top = if is_slanted { area.bottom - (to - x) } else { area.top };
            if from.1 > top {
                self.line(vec![from, (to.max(from.0), top)], color, 1.0);
            }
            x += apart;
        }
    }

    pub(crate) fn line(&mut self, points: Vec<Point>, color: Color, width: f64) {
        self.shapes.push(Shape::Line { points, color, width });
    }

    pub(crate) fn fill(&mut self, area: Area, color: Color) {
        self.shapes.push(Shape::Fill { area, color });
    }

    pub(crate) fn dot(&mut self, at: Point, radius: f64, color: Color) {
        self.shapes.push(Shape::Dot { at, radius, color });
    }

    pub(crate) fn text(&mut self, text: &str, at: Point, size: f64, color: Color, anchor: Anchor) {
        self.push_text(text, at, size, color, anchor, false);
    }

    pub(crate) fn turned_text(&mut self, text: &str, at: Point, size: f64, color: Color, anchor: Anchor) {
        self.push_text(text, at, size, color, anchor, true);
    }

    /// Control characters have no glyph and are forbidden in XML: they become blanks.
    fn push_text(&mut self, text: &str, at: Point, size: f64, color: Color, anchor: Anchor, is_turned: bool) {
        let text = crate::font::printable(text);
        if !text.trim().is_empty() {
            self.shapes.push(Shape::Text { text, at, size, color, anchor, is_turned });
        }
    }
}
