//! Draws a scene on a bitmap. The surface is plotters'; strokes and glyphs are placed here, to a fraction of a pixel and
//! anti-aliased, which that surface does not do.

use plotters::backend::{BitMapBackend, DrawingBackend as _, RGBPixel};
use plotters::style::{Color as _, RGBColor};

use crate::font::Font;
use crate::scene::{Anchor, Area, Color, Point, Scene, Shape};

/// Pixels, three bytes each, row by row from the top.
pub(crate) struct Bitmap {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
}

/// Draws `scene` with `scale` pixels per nominal pixel.
pub(crate) fn render(scene: &Scene, font: &Font, scale: f64) -> Bitmap {
    let width = (f64::from(scene.width) * scale).round() as u32;
    let height = (f64::from(scene.height) * scale).round() as u32;
    let Color(red, green, blue) = scene.palette.background;
    let mut pixels = [red, green, blue].repeat(width as usize * height as usize);
    let mut brush = Brush {
        // The buffer has the size that the surface wants, the only thing it refuses.
        surface: BitMapBackend::with_buffer(&mut pixels, (width, height)),
        mask: Mask::new(width as usize, height as usize),
        scale,
    };
    for shape in &scene.shapes {
        brush.draw(shape, font);
    }
    drop(brush);
    Bitmap { width, height, pixels }
}

struct Brush<'a> {
    surface: BitMapBackend<'a, RGBPixel>,
    mask: Mask,
    scale: f64,
}

impl Brush<'_> {
    fn draw(&mut self, shape: &Shape, font: &Font) {
        let scale = self.scale;
        let scaled = |(x, y): Point| (x * scale, y * scale);
        match shape {
            Shape::Line { points, color, width } => {
                for pair in points.windows(2) {
                    self.mask.stroke(scaled(pair[0]), scaled(pair[1]), width * scale);
                }
                self.blend_mask(*color);
            }
            Shape::Dot { at, radius, color } => {
                self.mask.stroke(scaled(*at), scaled(*at), 2.0 * radius * scale);
                self.blend_mask(*color);
            }
            Shape::Fill { area, color } => self.fill(*area, *color),
            Shape::Tint { points, color, opacity } => {
                let points: Vec<Point> = points.iter().map(|point| scaled(*point)).collect();
                self.mask.cover_polygon(&points, *opacity);
                self.blend_mask(*color);
            }
            Shape::Text { text, at, size, color, anchor, is_turned } => {
                let (glyphs, width) = font.place(text, size * scale);
                let shift = match anchor {
                    Anchor::Left => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::Right => width,
                };
                let (x, y) = scaled(*at);
                let along = if *is_turned { -y } else { x } - shift;
                let base = if *is_turned { x } else { y }.round() as i32;
                for mut glyph in glyphs {
                    glyph.position.x += along as f32;
                    font.draw(glyph, |right, down, coverage| {
                        let (x, y) =
                            if *is_turned { (base + down, -right - 1) } else { (right, base + down) };
                        self.mask.cover(x, y, coverage);
                    });
                }
                self.blend_mask(*color);
            }
        }
    }

    /// At least a pixel wide and high; what touches does so without a seam.
    fn fill(&mut self, area: Area, color: Color) {
        let edge = |value: f64| (value * self.scale).round() as i32;
        let (left, top) = (edge(area.left), edge(area.top));
        let color = RGBColor(color.0, color.1, color.2).to_backend_color();
        for y in top..edge(area.bottom).max(top + 1) {
            for x in left..edge(area.right).max(left + 1) {
                // Drawing on memory does not fail, and beyond its edges does nothing.
                let _ = self.surface.draw_pixel((x, y), color);
            }
        }
    }

    /// Paints what the mask covers, once, and clears it: overlapping pieces of one line do not darken each other.
    fn blend_mask(&mut self, color: Color) {
        let surface = &mut self.surface;
        let paint = RGBColor(color.0, color.1, color.2);
        self.mask.drain(|x, y, coverage| {
            let color = paint.mix(f64::from(coverage) / 255.0).to_backend_color();
            let _ = surface.draw_pixel((x as i32, y as i32), color);
        });
    }
}

/// How much of every pixel one shape covers, 0 to 255.
struct Mask {
    width: usize,
    height: usize,
    covered: Vec<u8>,
    /// Per row, the touched pixels `[first, stop)`.
    touched: Vec<(u32, u32)>,
    /// The touched rows.
    rows: std::ops::Range<usize>,
}

const UNTOUCHED: (u32, u32) = (u32::MAX, 0);

impl Mask {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            covered: vec![0; width * height],
            touched: vec![UNTOUCHED; height],
            rows: height..0,
        }
    }

    fn cover(&mut self, x: i32, y: i32, coverage: f64) {
        let coverage = (coverage * 255.0).round() as u8;
        if coverage == 0 || x < 0 || y < 0 || x as usize >= self.width || y as usize >= self.height {
            return;
        }
        let (column, row) = (x as usize, y as usize);
        let cell = &mut self.covered[row * self.width + column];
        *cell = (*cell).max(coverage);
        let touched = &mut self.touched[row];
        *touched = (touched.0.min(column as u32), touched.1.max(column as u32 + 1));
        self.rows = self.rows.start.min(row)..self.rows.end.max(row + 1);
    }

    /// Covers the pixels nearer than half of `width` to the line from `a` to `b`: a pixel whose middle lies on the edge
    /// is covered by half. Lines thinner than a pixel are fainter instead.
    fn stroke(&mut self, a: Point, b: Point, width: f64) {
        let (half, weight) = (width.max(1.0) / 2.0, width.min(1.0));
        let reach = half + 0.5;
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy);
        let first_row = (a.1.min(b.1) - reach).floor().max(0.0) as i32;
        let last_row = ((a.1.max(b.1) + reach).ceil() as i32).min(self.height as i32 - 1);
        for row in first_row..=last_row {
            let y = f64::from(row) + 0.5;
            // The stretch of the row that the infinite strip around the line can touch, cut to its ends.
            let (mut left, mut right) = (a.0.min(b.0) - reach, a.0.max(b.0) + reach);
            if dy.abs() > 1e-9 {
                let (middle, spread) = (a.0 + (y - a.1) * dx / dy, reach * length / dy.abs());
                // Round ends stick out of the strip by no more than the reach.
                left = left.max(middle - spread - reach);
                right = right.min(middle + spread + reach);
            }
            let (first, last) =
                (left.floor().max(0.0) as i32, (right.ceil() as i32).min(self.width as i32 - 1));
            for column in first..=last {
                let (px, py) = (f64::from(column) + 0.5 - a.0, y - a.1);
                let part = if length > 0.0 {
                    ((px * dx + py * dy) / (length * length)).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let distance = (px - part * dx).hypot(py - part * dy);
                if distance < reach {
                    self.cover(column, row, weight * (reach - distance).min(1.0));
                }
            }
        }
    }

    /// Covers what lies within a polygon: of every row of pixels the stretches between its sides, halfway up.
    fn cover_polygon(&mut self, points: &[Point], opacity: f64) {
        let mut crossings: Vec<Vec<f64>> = vec![Vec::new(); self.height];
        for (at, a) in points.iter().enumerate() {
            let b = points[(at + 1) % points.len()];
            let (upper, lower) = if a.1 <= b.1 { (*a, b) } else { (b, *a) };
            let first = (upper.1 - 0.5).ceil().max(0.0) as usize;
            let stop = ((lower.1 - 0.5).ceil().max(0.0) as usize).min(self.height);
            for (row, crossing) in crossings.iter_mut().enumerate().take(stop).skip(first) {
                let part = (row as f64 + 0.5 - upper.1) / (lower.1 - upper.1);
                crossing.push(upper.0 + part * (lower.0 - upper.0));
            }
        }
        for (row, crossing) in crossings.iter_mut().enumerate() {
            crossing.sort_by(f64::total_cmp);
            for pair in crossing.chunks_exact(2) {
                let (left, right) = (pair[0].max(0.0), pair[1].min(self.width as f64));
                for column in left as usize..right.ceil().max(0.0) as usize {
                    let covered = (column as f64 + 1.0).min(right) - (column as f64).max(left);
                    self.cover(column as i32, row as i32, covered.clamp(0.0, 1.0) * opacity);
                }
            }
        }
    }

    fn drain(&mut self, mut pixel: impl FnMut(usize, usize, u8)) {
        for row in std::mem::replace(&mut self.rows, self.height..0) {
            let (first, stop) = std::mem::replace(&mut self.touched[row], UNTOUCHED);
            for column in first as usize..stop as usize {
                let covered = std::mem::take(&mut self.covered[row * self.width + column]);
                if covered > 0 {
                    pixel(column, row, covered);
                }
            }
        }
    }
}
