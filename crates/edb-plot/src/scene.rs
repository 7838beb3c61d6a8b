//! What a figure consists of, before anybody decides how it is written: shapes in pixels of the nominal size.

/// A colour: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Color(pub(crate) u8, pub(crate) u8, pub(crate) u8);

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
    /// A filled circle.
    Dot { at: Point, radius: f64, color: Color },
    /// A text whose base line runs through `at`, or, turned, reads upwards along it.
    Text { text: String, at: Point, size: f64, color: Color, anchor: Anchor, is_turned: bool },
}

/// Everything drawn, on white.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) shapes: Vec<Shape>,
}

impl Scene {
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
