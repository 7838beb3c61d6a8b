//! CSV for people, and the rows of ECSV.

use std::io::{self, Write};

use crate::columns::Batch;
use crate::header::Header;
use crate::rows::{self, CellFormat};
use crate::writer::Sink;

/// The cells of comma-separated values.
pub(crate) struct Fields {
    /// What stands behind a time.
    zone: &'static [u8],
    /// What is no number.
    nan: &'static [u8],
    /// What a text must not have.
    is_lost: fn(char) -> bool,
}

/// For people: `…Z`, `NaN`.
pub(crate) const PLAIN: Fields = Fields { zone: b"Z", nan: b"NaN", is_lost: |_| false };
/// For astropy, which knows the scale from the header.
pub(crate) const OF_ECSV: Fields = Fields { zone: b"", nan: b"nan", is_lost: ends_line };

/// What astropy takes for the end of a line even in quotes, beside the two that CSV has.
pub(crate) fn ends_line(character: char) -> bool {
    matches!(character, '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

impl CellFormat for Fields {
    fn before(&self, at: usize, out: &mut Vec<u8>) {
        if at > 0 {
            out.push(b',');
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
    }

    fn null(&self, _: &mut Vec<u8>) {}

    fn time(&self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
        out.extend_from_slice(self.zone);
    }

    fn real(&self, value: f64, out: &mut Vec<u8>) {
        if value.is_finite() {
            rows::push_decimal(value, out);
        } else if value.is_nan() {
            out.extend_from_slice(self.nan);
        } else {
            out.extend_from_slice(if value < 0.0 { b"-inf" } else { b"inf" });
        }
    }

    /// An empty text is quoted, so that it is not a null; so is what RFC 4180 says must be, and what readers who skip comments would take for one.
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let is_plain = !text.is_empty()
            && !text.contains([',', '"', '\n', '\r', '#'])
            && !text.contains(self.is_lost)
            && text.trim().len() == text.len();
        if is_plain {
            out.extend_from_slice(text.as_bytes());
        } else {
            out.push(b'"');
            out.extend_from_slice(text.replace('"', "\"\"").replace(self.is_lost, "\u{fffd}").as_bytes());
            out.push(b'"');
        }
    }
}

/// The names of the columns.
pub(crate) fn names(fields: &Fields, header: &Header, out: &mut Vec<u8>) {
    for (at, column) in header.columns.iter().enumerate() {
        fields.before(at, out);
        fields.text(&column.name, out);
    }
    fields.end(out);
}

pub(crate) struct Csv<W> {
    out: W,
}

impl<W: Write + Send> Csv<W> {
    /// `has_comments`: whether lines that begin with `#` say before the rows where these come from and what the columns mean.
    pub(crate) fn new(mut out: W, header: &Header, has_comments: bool) -> io::Result<Self> {
        let mut text = Vec::new();
        if has_comments {
            comments(header, &mut text)?;
        }
        names(&PLAIN, header, &mut text);
        out.write_all(&text)?;
        Ok(Self { out })
    }
}

fn comments(header: &Header, out: &mut Vec<u8>) -> io::Result<()> {
    for (key, value) in &header.facts {
        writeln!(out, "# {key}: {}", one_line(value))?;
    }
    for column in &header.columns {
        let unit =
            if column.unit.is_empty() { String::new() } else { format!(" [{}]", one_line(&column.unit)) };
        let description = one_line(&column.description);
        let colon = if description.is_empty() { "" } else { ": " };
        writeln!(out, "# column {}{unit}{colon}{description}", one_line(&column.name))?;
    }
    Ok(())
}

impl<W: Write + Send> Sink<W> for Csv<W> {
    fn batch(&mut self, batch: Batch) -> io::Result<()> {
        rows::print(&PLAIN, &batch, &mut self.out)
    }

    fn finish(self: Box<Self>) -> io::Result<(W, Vec<String>)> {
        Ok((self.out, Vec::new()))
    }
}

/// Without line ends.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
