//! Writes a scene as SVG, with text as text.

use std::fmt::Write as _;

use edb_core::{Error, ErrorKind, Result};
use plotters::backend::{DrawingBackend as _, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle,
};

use crate::scene::{Anchor, Color, Point, Scene, Shape};

/// The surface takes whole units only: a pixel is this many of them.
const UNITS: f64 = 10.0;

/// What a viewer takes: the font that the layout was measured with, or one as wide.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// The surface divides font sizes by this.
const FONT_QUOTIENT: f64 = 1.24;

/// The surface puts the base line of a text anchored at its top this many ems below.
const BASE_LINE_EM: f64 = 0.76;

/// Writes `scene`, `scale` times as large, with `title` and `description` for those who look inside or read aloud.
pub(crate) fn write(scene: &Scene, scale: f64, title: &str, description: &str) -> Result<Vec<u8>> {
    let size = (scene.width * UNITS as u32, scene.height * UNITS as u32);
    let mut body = String::new();
    let mut surface = SVGBackend::with_string(&mut body, size);
    for shape in &scene.shapes {
        draw(&mut surface, shape).map_err(|cause| {
            Error::new(ErrorKind::Unclassified, "could not write the figure as SVG").caused_by(cause)
        })?;
    }
    let _ = surface.present();
    drop(surface);
    // The surface's own head says the size in units and knows neither title nor round joints.
    let body = body.split_once('\n').map_or("", |(_, rest)| rest);
    let (width, height) = (f64::from(scene.width) * scale, f64::from(scene.height) * scale);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         stroke-linejoin=\"round\" stroke-linecap=\"round\">\n<title>{}</title>\n",
        size.0,
        size.1,
        escaped(title)
    );
    if !description.is_empty() {
        out.extend(["<desc>", &escaped(description), "</desc>\n"]);
    }
    let Color(red, green, blue) = scene.palette.background;
    // Into memory: this does not fail.
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"#{red:02X}{green:02X}{blue:02X}\"/>");
    out.push_str(body);
    Ok(out.into_bytes())
}

fn draw(surface: &mut SVGBackend<'_>, shape: &Shape) -> std::result::Result<(), String> {
    let drawn = match shape {
        Shape::Line { points, color, width } => {
            let stroke_width = units(*width).max(1) as u32;
            let style = ShapeStyle { color: paint(*color).to_rgba(), filled: false, stroke_width };
            surface.draw_path(points.iter().map(|point| spot(*point)), &style)
        }
        Shape::Fill { area, color } => surface.draw_rect(
            spot((area.left, area.top)),
            spot((area.right, area.bottom)),
            &paint(*color).to_backend_color(),
            true,
        ),
        Shape::Tint { points, color, opacity } => surface.fill_polygon(
            points.iter().map(|point| spot(*point)),
            &paint(*color).mix(*opacity).to_backend_color(),
        ),
        Shape::Dot { at, radius, color } => surface.draw_circle(
            spot(*at),
            units(*radius).max(1) as u32,
            &paint(*color).to_backend_color(),
            true,
        ),
        Shape::Text { text, at, size, color, anchor, is_turned } => {
            let horizontal = match anchor {
                Anchor::Left => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::Right => HPos::Right,
            };
            let font =
                FontDesc::new(FontFamily::Name(FAMILY), size * UNITS * FONT_QUOTIENT, FontStyle::Normal);
            let font = if *is_turned { font.transform(FontTransform::Rotate270) } else { font };
            let color = paint(*color);
            let style = TextStyle::from(font).color(&color).pos(Pos::new(horizontal, VPos::Top));
            let rise = BASE_LINE_EM * size;
            let at = if *is_turned { (at.0 - rise, at.1) } else { (at.0, at.1 - rise) };
            surface.draw_text(text, &style, spot(at))
        }
    };
    drawn.map_err(|cause| cause.to_string())
}

fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

fn spot(point: Point) -> (i32, i32) {
    (units(point.0), units(point.1))
}

fn paint(color: Color) -> RGBColor {
    RGBColor(color.0, color.1, color.2)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' => out.push('\n'),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
