//! Writes a bitmap as PNG.

use edb_core::{Error, ErrorKind, Result};
use png::{BitDepth, ColorType, Encoder, EncodingError};

use crate::raster::Bitmap;

/// Writes `bitmap` with `title` and `description` as text chunks. The same bitmap always gives the same bytes.
pub(crate) fn encode(bitmap: &Bitmap, title: &str, description: &str) -> Result<Vec<u8>> {
    write(bitmap, title, description).map_err(|cause| {
        Error::new(ErrorKind::Unclassified, "could not write the figure as PNG").caused_by(cause)
    })
}

fn write(bitmap: &Bitmap, title: &str, description: &str) -> std::result::Result<Vec<u8>, EncodingError> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, bitmap.width, bitmap.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
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
