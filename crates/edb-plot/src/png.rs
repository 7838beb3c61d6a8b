//! Writes a bitmap as PNG.

use edb_core::{Error, ErrorKind, Result};
use png::{BitDepth, ColorType, Encoder, EncodingError, PixelDimensions, Unit};

use crate::raster::Bitmap;

/// Writes `bitmap` with its resolution, `title` and `description` as text chunks. The same bitmap always gives the same bytes.
pub(crate) fn encode(bitmap: &Bitmap, dots_per_inch: f64, title: &str, description: &str) -> Result<Vec<u8>> {
    write(bitmap, dots_per_inch, title, description).map_err(|cause| {
        Error::new(ErrorKind::Unclassified, "could not write the figure as PNG").caused_by(cause)
    })
}

fn write(
    bitmap: &Bitmap,
    dots_per_inch: f64,
    title: &str,
    description: &str,
) -> std::result::Result<Vec<u8>, EncodingError> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, bitmap.width, bitmap.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let per_metre = (dots_per_inch / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: per_metre, yppu: per_metre, unit: Unit::Meter }));
    let texts = [("Title", title), ("Description", description)];
    for (keyword, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        // The plain chunk holds Latin-1 only.
        if text.chars().all(|character| u32::from(character) < 256) {
            encoder.add_text_chunk(keyword.to_owned(), text.to_owned())?;
        } else {
            encoder.add_itxt_chunk(keyword.to_owned(), text.to_owned())?;
        }
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bitmap.pixels)?;
    writer.finish()?;
    Ok(out)
}
