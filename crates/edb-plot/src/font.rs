//! The one font, which travels with the crate, so that a figure looks the same on every machine.

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};
use edb_core::{Error, ErrorKind, Result};

/// `DejaVu Sans` 2.37; its licence lies beside it and allows this.
const DEJAVU_SANS: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");

/// Measures text and hands out its glyphs.
pub(crate) struct Font(FontRef<'static>);

impl Font {
    /// Reads the bundled font: a matter of microseconds.
    pub(crate) fn bundled() -> Result<Self> {
        FontRef::try_from_slice(DEJAVU_SANS).map(Self).map_err(|cause| {
            Error::new(ErrorKind::Unclassified, "could not read the bundled font").caused_by(cause)
        })
    }

    /// The scale at which one em is `size` pixels.
    fn scale(&self, size: f64) -> PxScale {
        let per_em = f64::from(self.0.units_per_em().unwrap_or(2048.0));
        PxScale::from((size * f64::from(self.0.height_unscaled()) / per_em) as f32)
    }

    /// The width of `text` in pixels when one em is `size` pixels.
    pub(crate) fn width(&self, text: &str, size: f64) -> f64 {
        self.place(text, size).1
    }

    /// The glyphs of `text` along a base line that begins at (0, 0), and its width.
    pub(crate) fn place(&self, text: &str, size: f64) -> (Vec<Glyph>, f64) {
        let scale = self.scale(size);
        let font = self.0.as_scaled(scale);
        let (mut x, mut previous) = (0.0, None);
        let mut glyphs = Vec::with_capacity(text.len());
        for character in text.chars() {
            let id = font.glyph_id(character);
            x += previous.map_or(0.0, |previous| font.kern(previous, id));
            glyphs.push(id.with_scale_and_position(scale, point(x, 0.0)));
            x += font.h_advance(id);
            previous = Some(id);
        }
        (glyphs, f64::from(x))
    }

    /// Calls `pixel(x, y, coverage)` for every pixel that `glyph` touches.
    pub(crate) fn draw(&self, glyph: Glyph, mut pixel: impl FnMut(i32, i32, f64)) {
        if let Some(outline) = self.0.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            let (left, top) = (corner.x as i32, corner.y as i32);
            outline.draw(|x, y, coverage| pixel(left + x as i32, top + y as i32, f64::from(coverage)));
        }
    }

    /// `text` if it is no wider than `limit`, or else as much of its beginning as fits with an ellipsis.
    pub(crate) fn fit(&self, text: &str, size: f64, limit: f64) -> String {
        let text = printable(text);
        if self.width(&text, size) <= limit {
            return text;
        }
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let cut = |characters: usize| format!("{}…", text[..ends[characters]].trim_end());
        let fitting =
            (0..ends.len()).collect::<Vec<_>>().partition_point(|&n| self.width(&cut(n), size) <= limit);
        cut(fitting.saturating_sub(1))
    }
}

/// `text` with control characters as blanks, and no longer than anything that can be read in a figure.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(400).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_does_not_fit_is_cut_with_an_ellipsis() {
        let font = Font::bundled().expect("the bundled font");
        let limit = font.width("Slew complete", 12.0);
        assert_eq!(font.fit("Slew complete", 12.0, limit), "Slew complete");
        for text in [
            "Slew completed with µrad errors",
            "\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}",
        ] {
            let cut = font.fit(text, 12.0, limit);
            assert!(cut.ends_with('…') && font.width(&cut, 12.0) <= limit, "{cut}");
        }
        assert_eq!(font.fit("Slew", 12.0, 0.0), "…");
        assert_eq!(font.fit("", 12.0, 0.0), "");
    }

    #[test]
    fn width_grows_with_the_size() {
        let font = Font::bundled().expect("the bundled font");
        let (small, large) = (font.width("0.5 °C", 10.0), font.width("0.5 °C", 20.0));
        assert!((large - 2.0 * small).abs() < 0.01, "{small} {large}");
        assert!((30.0..45.0).contains(&small), "{small}");
    }
}
